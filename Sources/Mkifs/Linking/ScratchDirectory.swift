internal import Format
internal import Glibc

/// A directory for files in between, under TMPDIR or `/tmp`. It goes with the object, and with it
/// all that is in it: hold on to the object as long as a path of it is in use.
final class ScratchDirectory: Sendable {
    /// Where it is, from the root on.
    let path: [UInt8]

    /// Makes it; TMPDIR is the environment's.
    init(environment: [[UInt8]]) throws(LinkingError) {
        let wanted = ShellCommand.value(of: "TMPDIR", in: environment) ?? []
        let folder = wanted.isEmpty ? Array("/tmp".utf8) : wanted
        guard let root = Self.resolved(folder) else {
            throw .io("use the temporary directory", folder, errno: errno)
        }
        var template = cString(root + Array("/mkifs.XXXXXX".utf8))
        guard unsafe mkdtemp(&template) != nil else {
            throw .io("make a directory in", root, errno: errno)
        }
        path = template.dropLast().map(UInt8.init(bitPattern:))
    }

    deinit { remove() }

    /// Removes it with all that is in it.
    func remove() { Self.remove(path) }

    /// The path of a new file with these bytes, which no other has.
    func file(holding bytes: [UInt8] = []) throws(LinkingError) -> [UInt8] {
        var template = cString(path + Array("/file.XXXXXX".utf8))
        let descriptor = unsafe mkstemp(&template)
        guard descriptor >= 0 else { throw .io("make a file in", path, errno: errno) }
        defer { close(descriptor) }
        if let failure = writeAll(bytes, to: descriptor) {
            throw .io("write a file in", path, errno: failure)
        }
        return template.dropLast().map(UInt8.init(bitPattern:))
    }

    private static func resolved(_ path: [UInt8]) -> [UInt8]? {
        guard let text = unsafe realpath(cString(path), nil) else { return nil }
        defer { unsafe free(text) }
        let bytes = unsafe UnsafeBufferPointer(start: text, count: strlen(text))
        return unsafe bytes.map(UInt8.init(bitPattern:))
    }

    // MARK: Removing

    /// Removes a file, a link, or a directory with what is in it. What stays cannot be helped.
    private static func remove(_ path: [UInt8]) {
        guard unsafe unlink(cString(path)) != 0, errno == EISDIR else { return }
        for name in names(in: path) { remove(path + [.slash] + name) }
        unsafe rmdir(cString(path))
    }

    private static func names(in path: [UInt8]) -> [[UInt8]] {
        guard let directory = unsafe opendir(cString(path)) else { return [] }
        defer { unsafe closedir(directory) }
        var found: [[UInt8]] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
                unsafe $0.prefix { $0 != 0 }
            }
            found.append(unsafe Array(name))
        }
        return found.filter { $0 != Array(".".utf8) && $0 != Array("..".utf8) }
    }
}
