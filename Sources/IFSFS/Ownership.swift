internal import Format

/// Who a mount says owns its files, where not the image itself.
public struct Ownership: Equatable, Sendable {
    /// The owner of all nodes; nil for the image's own.
    public var user: UInt32?
    /// The group of all nodes; nil for the image's own.
    public var group: UInt32?
    /// Permission bits that are taken away from all nodes but directories and symlinks.
    public var fileMask: UInt32
    /// Permission bits that are taken away from directories.
    public var directoryMask: UInt32

    /// Ownership that changes nothing, but for what is given.
    public init(
        user: UInt32? = nil, group: UInt32? = nil, fileMask: UInt32 = 0, directoryMask: UInt32 = 0
    ) {
        self.user = user
        self.group = group
        self.fileMask = fileMask
        self.directoryMask = directoryMask
    }

    func applied(to attributes: Attributes) -> Attributes {
        var attributes = attributes
        attributes.user = user ?? attributes.user
        attributes.group = group ?? attributes.group
        switch attributes.kind {
        case .symlink: break
        case .directory: attributes.permissions &= ~directoryMask
        case .file, .fifo, .characterDevice, .blockDevice, .socket:
            attributes.permissions &= ~fileMask
        }
        return attributes
    }
}
