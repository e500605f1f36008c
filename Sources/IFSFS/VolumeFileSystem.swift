public import Format

/// One volume, read-only, as a file system.
public struct VolumeFileSystem: FileSystem {
    private let volume: any Volume
    private let ownership: Ownership
    private let listsExtendedAttributes: Bool
    private let watch: ImageWatch?

    /// The tree of `volume`, owned as `ownership` says; only if asked, extended attributes are
    /// listed and not just answered by name. The watch tells when the bytes are no longer the same.
    public init(
        _ volume: any Volume, _ ownership: Ownership = Ownership(),
        listsExtendedAttributes: Bool = false, watch: ImageWatch? = nil
    ) {
        self.volume = volume
        self.ownership = ownership
        self.listsExtendedAttributes = listsExtendedAttributes
        self.watch = watch
    }

    /// The volume's own.
    public var statistics: VolumeStatistics { volume.statistics }

    /// What the watch says.
    public func verify() throws(FileSystemError) { try watch?.check() }

    /// The volume's.
    public func prepare(_ goesOn: () -> Bool) { volume.prepare(goesOn) }

    /// The volume's, owned as asked.
    public func attributes(of node: NodeID) throws(FileSystemError) -> Attributes {
        let found = try volume { volume throws(FormatError) in try volume.attributes(of: node) }
        guard let found else { throw .notFound }
        return ownership.applied(to: found)
    }

    /// A look-up in the volume; `notDirectory` below anything else.
    public func lookup(
        _ name: [UInt8], in directory: NodeID
    ) throws(FileSystemError) -> Attributes {
        try requireDirectory(directory)
        let node = try volume { volume throws(FormatError) in
            try volume.lookup(name, in: directory)
        }
        guard let node else { throw .notFound }
        return try attributes(of: node)
    }

    /// `.` and `..`, then the volume's entries.
    public func entries(
        of directory: NodeID, from index: Int,
        _ body: (Int, UnsafeBufferPointer<UInt8>, Attributes) -> Bool
    ) throws(FileSystemError) {
        let own = try requireDirectory(directory)
        let parent = try volume { volume throws(FormatError) in try volume.parent(of: directory) }
        let above = try parent.map { node throws(FileSystemError) in try attributes(of: node) }
        guard unsafe listDots(own, in: above ?? own, from: index, body) else { return }
        var carried = CarriedError()
        try volume { volume throws(FormatError) in
            unsafe try volume.entries(of: directory, from: max(2, index) - 2) { place, name, node in
                carried.goesOn { () throws(FileSystemError) in
                    unsafe body(place + 2, name, try attributes(of: node))
                }
            }
        }
        try carried.rethrow()
    }

    /// The volume's bytes; `isDirectory` or `invalid` for a node that is no file.
    public func read(
        _ node: NodeID, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FileSystemError) -> Int {
        try attributes(of: node).kind.requireFile()
        return try volume { volume throws(FormatError) in
            try unsafe volume.read(node, into: buffer, at: offset)
        }
    }

    /// The volume's; `invalid` for a node that is no symlink.
    public func target(of node: NodeID) throws(FileSystemError) -> [UInt8] {
        guard try attributes(of: node).kind == .symlink else { throw .invalid }
        let target = try volume { volume throws(FormatError) in try volume.target(of: node) }
        guard let target else { throw .invalid }
        return target
    }

    /// The volume's, each behind `user.`; none unless they are to be listed. Linux gives nobody
    /// the value of one that is not a file's or a directory's, so those are not listed either.
    public func extendedAttributeNames(of node: NodeID) throws(FileSystemError) -> [String] {
        guard listsExtendedAttributes else { return [] }
        switch try attributes(of: node).kind {
        case .file, .directory: break
        case .symlink, .fifo, .characterDevice, .blockDevice, .socket: return []
        }
        let names = try volume { volume throws(FormatError) in
            try volume.extendedAttributeNames(of: node)
        }
        return names.map { UserAttribute.nameSpace + $0 }
    }

    /// The volume's value for a name in `user.`; `noAttribute` for every other name.
    public func extendedAttribute(
        _ name: String, of node: NodeID
    ) throws(FileSystemError) -> [UInt8] {
        guard let own = UserAttribute.own(name) else { throw .noAttribute }
        let value = try volume { volume throws(FormatError) in
            try volume.extendedAttribute(own, of: node)
        }
        guard let value else { throw .noAttribute }
        return value
    }

    @discardableResult
    private func requireDirectory(_ node: NodeID) throws(FileSystemError) -> Attributes {
        let found = try attributes(of: node)
        guard found.kind == .directory else { throw .notDirectory }
        return found
    }

    /// Runs `body` with the volume and carries its error upwards.
    private func volume<Result>(
        _ body: (any Volume) throws(FormatError) -> Result
    ) throws(FileSystemError) -> Result {
        do throws(FormatError) {
            return try body(volume)
        } catch {
            throw .format(error)
        }
    }
}
