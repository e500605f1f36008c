public import Format

/// Who a mount says owns its files, where not the image itself.
public struct Ownership: Equatable, Sendable {
    /// The owner of all nodes; nil for the image's own.
    public var user: UInt32?
    /// The group of all nodes; nil for the image's own.
    public var group: UInt32?
    /// Permission bits that are taken away from all nodes but symlinks.
    public var mask: UInt32

    /// Ownership that changes nothing, but for what is given.
    public init(user: UInt32? = nil, group: UInt32? = nil, mask: UInt32 = 0) {
        self.user = user
        self.group = group
        self.mask = mask
    }
}

/// One volume, read-only, as a file system.
public struct VolumeFileSystem: FileSystem {
    private let volume: any Volume
    private let ownership: Ownership

    /// The tree of `volume`, owned as `ownership` says.
    public init(_ volume: any Volume, _ ownership: Ownership = Ownership()) {
        self.volume = volume
        self.ownership = ownership
    }

    /// The volume's own.
    public var statistics: VolumeStatistics { volume.statistics }

    /// The volume's, owned as asked.
    public func attributes(of node: NodeID) throws(FileSystemError) -> Attributes {
        let found = try volume { volume throws(FormatError) in try volume.attributes(of: node) }
        guard let found else { throw .notFound }
        return owned(found)
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
        let dots = [
            own, try parent.map { node throws(FileSystemError) in try attributes(of: node) },
        ]
        for (place, attributes) in dots.enumerated() where place >= index {
            let name = [UInt8](repeating: UInt8(ascii: "."), count: place + 1)
            let goesOn = unsafe name.withUnsafeBufferPointer {
                unsafe body(place, $0, attributes ?? own)
            }
            guard goesOn else { return }
        }
        var failure: FileSystemError?
        try volume { volume throws(FormatError) in
            unsafe try volume.entries(of: directory, from: max(2, index) - 2) { place, name, node in
                do throws(FileSystemError) {
                    return unsafe body(place + 2, name, try attributes(of: node))
                } catch {
                    failure = error
                    return false
                }
            }
        }
        if let failure { throw failure }
    }

    /// The volume's bytes; `isDirectory` or `invalid` for a node that is no file.
    public func read(
        _ node: NodeID, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FileSystemError) -> Int {
        switch try attributes(of: node).kind {
        case .file: break
        case .directory: throw .isDirectory
        case .symlink, .fifo, .characterDevice, .blockDevice, .socket: throw .invalid
        }
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

    @discardableResult
    private func requireDirectory(_ node: NodeID) throws(FileSystemError) -> Attributes {
        let found = try attributes(of: node)
        guard found.kind == .directory else { throw .notDirectory }
        return found
    }

    private func owned(_ attributes: Attributes) -> Attributes {
        var attributes = attributes
        attributes.user = ownership.user ?? attributes.user
        attributes.group = ownership.group ?? attributes.group
        if attributes.kind != .symlink { attributes.permissions &= ~ownership.mask }
        return attributes
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
