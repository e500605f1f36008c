public import Format

extension IFS.Scanner {
    /// All images in these bytes, and what came nearest to one where there is none.
    public static func images(
        in bytes: [UInt8], from start: UInt64 = 0, _ options: IFS.Image.Options = .init()
    ) throws -> (images: [IFS.Image], refusal: FormatError?) {
        try images(in: MemorySource(bytes), from: start, options)
    }

    /// All images in a file, and what came nearest to one where there is none.
    public static func images(
        in file: any ByteSource, from start: UInt64 = 0, _ options: IFS.Image.Options = .init()
    ) throws -> (images: [IFS.Image], refusal: FormatError?) {
        var scanner = IFS.Scanner(file, from: start, options)
        var images: [IFS.Image] = []
        while let image = try scanner.next() { images.append(image) }
        return (images, scanner.refusal)
    }
}

/// Why a file had not the one image that a test expects of it.
public struct UnexpectedImages: Error, CustomStringConvertible {
    /// How many images there were, and the refusal.
    public let description: String
}

extension IFS.Image {
    /// The one image in these bytes; throws when there are more or none.
    public static func only(in bytes: [UInt8], _ options: Options = .init()) throws -> IFS.Image {
        try only(in: MemorySource(bytes), options)
    }

    /// The one image in a file; throws when there are more or none.
    public static func only(
        in file: any ByteSource, _ options: Options = .init()
    ) throws -> IFS.Image {
        let found = try IFS.Scanner.images(in: file, options)
        guard let image = found.images.first, found.images.count == 1 else {
            throw UnexpectedImages(
                description: "\(found.images.count) images; refusal: "
                    + (found.refusal?.description ?? "none"))
        }
        return image
    }

    /// The paths of the directory, in its order.
    public var paths: [String] {
        directory.entries.map { String(decoding: directory.path(of: $0), as: UTF8.self) }
    }
}

extension Volume {
    /// A directory's entries, in the order in which the volume gives them.
    public func list(_ directory: NodeID) throws(FormatError) -> [(name: [UInt8], node: NodeID)] {
        var found: [(name: [UInt8], node: NodeID)] = []
        try entries(of: directory, from: 0) { _, name, node in
            found.append((Array(name), node))
            return true
        }
        return found
    }

    /// The node at a path of names without a leading slash; nil where there is none.
    public func node(at path: String) throws(FormatError) -> NodeID? {
        var node: NodeID? = .root
        for name in path.utf8.split(separator: UInt8(ascii: "/")) {
            guard let directory = node else { return nil }
            node = try lookup(Array(name), in: directory)
        }
        return node
    }

    /// A file's bytes.
    public func contents(of node: NodeID) throws(FormatError) -> [UInt8] {
        guard let size = try attributes(of: node)?.byteCount else { return [] }
        return try bytes(of: node, at: 0, count: Int(size))
    }

    /// Up to `count` of a file's bytes from `offset` on.
    public func bytes(
        of node: NodeID, at offset: UInt64, count: Int
    ) throws(FormatError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var failure: FormatError?
        let filled = bytes.withUnsafeMutableBytes { buffer in
            do throws(FormatError) {
                return try read(node, into: buffer, at: offset)
            } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        return Array(bytes.prefix(filled))
    }

    /// Every node but the root with its path, directories before what they hold.
    public func walk() throws(FormatError) -> [(path: String, node: NodeID)] {
        var found: [(path: String, node: NodeID)] = []
        var pending: [(path: String, node: NodeID)] = [("", .root)]
        while let (path, directory) = pending.popLast() {
            for (name, node) in try list(directory) {
                let text = String(decoding: name, as: UTF8.self)
                let place = path.isEmpty ? text : path + "/" + text
                found.append((place, node))
                if try attributes(of: node)?.kind == .directory { pending.append((place, node)) }
            }
        }
        return found
    }
}
