import Format
import Foundation
import Mkifs
import TestSupport
import Testing

/// The image of a plan.
func built(_ plan: Plan) throws -> [UInt8] {
    var sink = MemorySink()
    let written = try Build(BuildOptions(plan.release), Toolbox(environment: [])).layout(plan)
        .write(to: &sink)
    #expect(written.byteCount == UInt64(sink.bytes.count))
    return sink.bytes
}

/// A plan's text read back; throws what was wrong with it.
func plan(
    _ text: [UInt8], relativeTo directory: String = "", checkingFiles: Bool = true
) throws -> Plan {
    var diagnostics = Diagnostics()
    let plan = Plan(
        parsing: SourceText(name: "plan", bytes: text), relativeTo: Array(directory.utf8),
        checkingFiles: checkingFiles, &diagnostics)
    try diagnostics.throwErrors()
    return try #require(plan)
}

/// A folder with the parts of a plan, which goes with it.
final class PartsFolder {
    let url: URL

    init() throws {
        var template = Array((NSTemporaryDirectory() + "/plantests.XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw CocoaError(.fileWriteUnknown) }
        let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        url = URL(fileURLWithPath: path)
    }

    deinit {
        // What stays behind is no failure of what was tested.
        try? FileManager.default.removeItem(at: url)
    }

    /// The text of a plan whose parts go into the folder.
    func text(of plan: Plan) throws -> [UInt8] {
        var failure: (any Error)?
        let text = try plan.text { path, source throws(MkifsError) in
            do {
                try self.keep(path, source)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return text
    }

    /// The plan of a text that was written to the folder.
    func plan(_ text: [UInt8]) throws -> Plan {
        try MkifsTests.plan(text, relativeTo: url.path)
    }

    private func keep(_ path: [[UInt8]], _ source: any ByteSource) throws {
        let names = path.map { String(decoding: $0, as: UTF8.self) }
        let file = url.appendingPathComponent(names.joined(separator: "/"))
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        let bytes = try source.bytes(source.byteCount, at: 0, "part")
        try Data(bytes).write(to: file, options: .withoutOverwriting)
    }
}
