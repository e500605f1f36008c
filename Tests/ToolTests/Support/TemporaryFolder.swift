import Foundation

/// A folder of a test's own, which goes with it.
final class TemporaryFolder {
    let url: URL

    init() throws {
        var template = Array((NSTemporaryDirectory() + "/tooltests.XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw CocoaError(.fileWriteUnknown) }
        let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        url = URL(fileURLWithPath: path)
        // Open to the ordinary users that some tests run as.
        chmod(path, 0o777)
    }

    deinit {
        // A folder that stays behind is an annoyance, no failure of what was tested.
        _ = try? Child(["chmod", "-R", "u+rwX", url.path]).run()
        _ = try? Child(["rm", "-rf", url.path]).run()
    }

    /// The path of something in the folder.
    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    /// Writes a file and returns its path.
    @discardableResult
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        try Data(bytes).write(to: url.appendingPathComponent(name))
        return path(name)
    }

    /// A file's bytes.
    func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: url.appendingPathComponent(name)))
    }

    /// The names in the folder, sorted.
    func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
    }

    /// What stands at a path below the folder, links not followed.
    func node(_ name: String) throws -> Node { try Node(path(name)) }
}
