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
