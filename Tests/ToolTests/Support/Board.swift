import Foundation
import TestSupport
import Testing

/// A folder in which mkifs runs: `target` is what QNX_TARGET names, with what a bootable image needs
/// below `target/x86_64/boot/sys`. Tests add host files of their own.
struct Board {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try write(Self.startup.bytes, to: "target/x86_64/boot/sys/startup-board", mode: 0o755)
        try write(Self.procnto.bytes, to: "target/x86_64/boot/sys/procnto", mode: 0o755)
        try write("[vboot=0xfe000000]", to: "target/x86_64/boot/sys/plain.boot")
    }

    /// A startup program, linked for where it lies in an image that begins at 4 MiB.
    static let startup = ELFStandIn(.executable) {
        $0.address = 0x40_0100
        $0.text = ELFStandIn.placeHolder
    }

    static let procnto = ELFStandIn(.executable) {
        $0.text = [UInt8](repeating: 0x90, count: 5000) + ELFStandIn.placeHolder
        $0.data = [UInt8](repeating: 0xda, count: 40)
    }

    /// The lines of a bootable image. The linker leaves programs as they are.
    static func boot(
        _ attributes: String = "virtual=x86_64,plain", startup: String = "startup-board",
        procnto: String = "procnto"
    ) -> String {
        """
        [linker="(;2;)cp %i %o"]
        [\(attributes)] .bootstrap = {
            \(startup)
            \(procnto)
        }

        """
    }

    // MARK: Host files

    /// Writes a host file, and makes the folders that it lies in.
    @discardableResult
    func write(_ bytes: [UInt8], to name: String, mode: mode_t = 0o644) throws -> String {
        let path = folder.path(name)
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try folder.write(bytes, to: name)
        chmod(path, mode)
        return path
    }

    @discardableResult
    func write(_ text: String, to name: String, mode: mode_t = 0o644) throws -> String {
        try write(Array(text.utf8), to: name, mode: mode)
    }

    func directory(_ name: String, mode: mode_t = 0o755) throws {
        let path = folder.path(name)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        chmod(path, mode)
    }

    /// Sets a host file's time, in seconds since 1970.
    func setTime(_ seconds: Int, of name: String) {
        var times = [timeval](repeating: timeval(tv_sec: seconds, tv_usec: 0), count: 2)
        utimes(folder.path(name), &times)
    }

    // MARK: Images

    /// Runs mkifs in the folder.
    func run(
        _ arguments: [String], _ change: (inout Child) -> Void = { _ in }
    ) throws -> Child.Outcome {
        try mkifs(arguments, in: folder) {
            $0.environment["QNX_TARGET"] = folder.path("target")
            change(&$0)
        }
    }

    /// Runs mkifs on a buildfile of this text, `a.build`; the image is to become `a.ifs`.
    func build(
        _ text: String, _ options: [String] = [], _ change: (inout Child) -> Void = { _ in }
    ) throws -> Child.Outcome {
        try write(text, to: "a.build")
        return try run(options + ["a.build", "a.ifs"], change)
    }

    /// The image that mkifs makes of this text, without a word.
    func image(
        _ text: String, _ options: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation,
        _ change: (inout Child) -> Void = { _ in }
    ) throws -> MadeImage {
        expectSuccess(try build(text, options, change), sourceLocation: sourceLocation)
        return try made()
    }

    /// The image in the folder, as dumpifs sees it.
    func made(_ name: String = "a.ifs") throws -> MadeImage {
        try MadeImage(try folder.bytes(name), in: folder, name)
    }

    /// What mkifs says of this text, having made nothing: each diagnostic without its place and the
    /// lines that show it, and the last line.
    func complaints(
        _ text: String, _ options: [String] = [], _ change: (inout Child) -> Void = { _ in },
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> [String] {
        let before = try folder.names()
        let outcome = try build(text, options, change)
        #expect(outcome.end == .exit(1) && outcome.output == [], sourceLocation: sourceLocation)
        #expect(
            try Set(folder.names()) == Set(before + ["a.build"]), "something was left",
            sourceLocation: sourceLocation)
        return outcome.complaints.compactMap { line in
            guard !line.hasPrefix(" ") else { return nil }
            for mark in ["error: ", "warning: "] {
                if let range = line.range(of: mark) { return String(line[range.lowerBound...]) }
            }
            return line
        }
    }
}

/// An image that mkifs made.
struct MadeImage {
    let bytes: [UInt8]
    /// What `dumpifs --json` says of it.
    let report: Report
    private let folder: TemporaryFolder
    private let name: String

    init(_ bytes: [UInt8], in folder: TemporaryFolder, _ name: String) throws {
        self.bytes = bytes
        self.folder = folder
        self.name = name
        let outcome = try dumpifs(["--json", "--verify", name], in: folder)
        expectSuccess(outcome)
        report = try Report(outcome.output)["images"][0]
    }

    var startup: Report { report["startup"] }
    var header: Report { report["image"] }
    var entries: [Report] { report["entries"].elements }
    var paths: [String] { entries.compactMap { $0["path"].text } }
    /// The paths of all but directories.
    var files: [String] {
        entries.filter { $0["type"].text != "directory" }.compactMap { $0["path"].text }
    }

    /// The entry at a path; the last of several.
    subscript(_ path: String) -> Report {
        get throws {
            try #require(entries.last { $0["path"].text == path }, "\(path) is not in the image")
        }
    }

    /// A file's bytes, of an image that is not packed.
    func contents(_ path: String) throws -> [UInt8] {
        let entry = try self[path]
        let start = try #require(report["stored_offset"].number)
        let first = Int(start + (try #require(entry["offset"].number, "\(path) is no file")))
        let count = Int(try #require(entry["size"].number))
        try #require(first + count <= bytes.count)
        return Array(bytes[first..<(first + count)])
    }

    func text(_ path: String) throws -> String {
        String(decoding: try contents(path), as: UTF8.self)
    }

    /// Where a file's data begins on the target, of an image that is not packed.
    func address(_ path: String) throws -> UInt64 {
        let base = startup["image_paddr"].number ?? 0
        let size = startup["startup_size"].number ?? 0
        return base + size + (try #require(try self[path]["offset"].number))
    }

    /// The image unpacked into a folder of its own: what stands at each path.
    func extracted() throws -> [String: Node] {
        expectSuccess(try dumpifs(["-x", "-d", name + ".out", name], in: folder))
        return try Node.tree(folder.path(name + ".out"))
    }
}
