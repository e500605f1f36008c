import Format
import IFSFS

/// One entry of a listing.
struct Listed: Equatable {
    let index: Int
    let name: [UInt8]
    let attributes: Attributes

    var text: String { String(decoding: name, as: UTF8.self) }
}

extension FileSystem {
    /// A directory's entries from the `first`th on, `most` of them at most.
    func list(
        _ directory: NodeID, from first: Int = 0, most: Int = .max
    ) throws(FileSystemError) -> [Listed] {
        var found: [Listed] = []
        try entries(of: directory, from: first) { index, name, attributes in
            found.append(Listed(index: index, name: Array(name), attributes: attributes))
            return found.count < most
        }
        return found
    }

    /// Up to `count` bytes of a file.
    func bytes(
        _ node: NodeID, at offset: UInt64 = 0, count: Int = 100
    ) throws(FileSystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xee, count: count)
        var failure: FileSystemError?
        let filled = bytes.withUnsafeMutableBytes { buffer in
            do throws(FileSystemError) {
                return try read(node, into: buffer, at: offset)
            } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        return Array(bytes.prefix(filled))
    }

    /// A look-up of a name that is text.
    func lookup(_ name: String, in directory: NodeID) throws(FileSystemError) -> Attributes {
        try lookup(Array(name.utf8), in: directory)
    }
}

extension FileSystem {
    /// The node at a path of names without a leading slash.
    func node(at path: String) throws -> NodeID {
        var node = NodeID.root
        for name in path.split(separator: "/") { node = try lookup(String(name), in: node).node }
        return node
    }
}

extension WritableFileSystem {
    /// Makes a file of these bytes; returns it.
    @discardableResult
    func makeFile(
        _ name: String, in directory: NodeID = .root, _ bytes: [UInt8] = [],
        permissions: UInt32 = 0o644
    ) throws -> NodeID {
        let node = try make(
            Array(name.utf8), in: directory, NewNode(.file, permissions: permissions)
        ).node
        try put(bytes, to: node)
        return node
    }

    /// Writes bytes from an offset on.
    func put(_ bytes: [UInt8], to node: NodeID, at offset: UInt64 = 0) throws {
        guard !bytes.isEmpty else { return }
        try bytes.withUnsafeBytes { try write($0, to: node, at: offset) }
    }

    /// Cuts a file, or makes it longer by zeros.
    func resize(_ node: NodeID, to count: Int) throws {
        var change = AttributeChange()
        change.byteCount = UInt64(count)
        _ = try self.change(node, change)
    }
}
