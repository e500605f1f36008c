import Foundation

/// What stands at a path of the host, links not followed.
struct Node: Equatable {
    /// Type and permission bits.
    let mode: UInt32
    let user: UInt32
    let group: UInt32
    let modified: Int64
    let byteCount: Int64
    let device: UInt64
    /// A file's bytes or a link's target; nothing for the others.
    let contents: [UInt8]

    var permissions: UInt32 { mode & 0o7777 }
    var type: UInt32 { mode & 0o170000 }
    var text: String { String(decoding: contents, as: UTF8.self) }

    init(_ path: String) throws { try self.init(Array(path.utf8)) }

    /// The node at a path of any bytes.
    init(_ path: [UInt8]) throws {
        let name = path.map(CChar.init(bitPattern:)) + [0]
        var status = stat()
        guard lstat(name, &status) == 0 else {
            throw Child.Failure(
                description: String(decoding: path, as: UTF8.self) + ": "
                    + String(cString: strerror(errno)))
        }
        mode = status.st_mode
        user = status.st_uid
        group = status.st_gid
        modified = Int64(status.st_mtim.tv_sec)
        byteCount = Int64(status.st_size)
        device = UInt64(status.st_rdev)
        switch status.st_mode & S_IFMT {
        case S_IFREG: contents = Self.file(name, Int(status.st_size))
        case S_IFLNK:
            contents = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
                count = buffer.withMemoryRebound(to: CChar.self) {
                    max(0, readlink(name, $0.baseAddress!, 4096))
                }
            }
        default: contents = []
        }
    }

    private static func file(_ name: [CChar], _ size: Int) -> [UInt8] {
        let descriptor = open(name, O_RDONLY | O_CLOEXEC)
        defer { if descriptor >= 0 { close(descriptor) } }
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = max(0, read(descriptor, buffer.baseAddress, size))
        }
    }

    /// Everything below a folder and the folder itself, by path; bytes that are no text are escaped.
    /// What is called `left` in the folder is left out.
    static func tree(_ folder: String, except left: String? = nil) throws -> [String: Node] {
        var found: [String: Node] = [:]
        var pending: [(path: String, bytes: [UInt8])] = [("", Array(folder.utf8))]
        while let (path, bytes) = pending.popLast() {
            let node = try Node(bytes)
            found[path] = node
            guard node.type == S_IFDIR else { continue }
            for name in names(bytes) where !path.isEmpty || left.map({ Array($0.utf8) }) != name {
                pending.append(
                    (path + (path.isEmpty ? "" : "/") + shown(name), bytes + [0x2f] + name))
            }
        }
        return found
    }

    private static func names(_ folder: [UInt8]) -> [[UInt8]] {
        guard let stream = opendir(folder.map(CChar.init(bitPattern:)) + [0]) else { return [] }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name != [0x2e], name != [0x2e, 0x2e] { names.append(name) }
        }
        return names
    }

    private static func shown(_ name: [UInt8]) -> String {
        String(validating: name, as: UTF8.self)
            ?? name.map { "\\x" + String($0, radix: 16) }.joined()
    }
}
