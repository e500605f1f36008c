/// One record of the directory of an image that `ImageBuilder` makes, lawful or not.
public struct ImageEntry: Sendable {
    /// What a record is, and what only its kind has.
    public enum Body: Sendable {
        /// A file and its bytes.
        case file([UInt8])
        case directory
        /// A symbolic link and its target's bytes.
        case symlink([UInt8])
        /// A fifo, device, socket or named special, by the mode.
        case device(dev: UInt32, rdev: UInt32)
        /// A further name of the file that is the nth of the builder's entries: its inode, its data.
        case hardLink(Int)
        /// A record's bytes as they are to stand, size field included.
        case record([UInt8])
    }

    /// The path as it is to stand, any bytes but NUL.
    public var path: [UInt8]
    /// What the record is.
    public var body: Body
    /// Type and permission bits.
    public var mode: UInt32
    /// Numeric id of the owner.
    public var user: UInt32 = 0
    /// Numeric id of the group.
    public var group: UInt32 = 0
    /// Seconds since 1970.
    public var modified: UInt32 = 0
    /// The inode; the next number, if none is set.
    public var inode: UInt32?
    /// What the record says instead of where the data lies.
    public var offset: UInt32?
    /// What the record says instead of how many bytes the data has.
    public var size: UInt32?
    /// Zeros that end the record, beyond those that make its size a multiple of 4.
    public var extraPadding = 0
    /// What the data's offset is a multiple of.
    public var alignment = 1

    /// A record of any kind with a path of any bytes.
    public init(path: [UInt8], _ body: Body, mode: UInt32) {
        self.path = path
        self.body = body
        self.mode = mode
    }

    /// A file.
    public static func file(
        _ path: String, _ data: [UInt8] = [], permissions: UInt32 = 0o644
    ) -> ImageEntry {
        ImageEntry(path: Array(path.utf8), .file(data), mode: 0x8000 | permissions)
    }

    /// A file whose contents are text.
    public static func file(
        _ path: String, _ text: String, permissions: UInt32 = 0o644
    ) -> ImageEntry {
        .file(path, Array(text.utf8), permissions: permissions)
    }

    /// A directory.
    public static func directory(_ path: String, permissions: UInt32 = 0o755) -> ImageEntry {
        ImageEntry(path: Array(path.utf8), .directory, mode: 0x4000 | permissions)
    }

    /// A symbolic link.
    public static func symlink(_ path: String, to target: String) -> ImageEntry {
        ImageEntry(path: Array(path.utf8), .symlink(Array(target.utf8)), mode: 0xa000 | 0o777)
    }

    /// A fifo (type 1), character device (2), named special (5), block device (6) or socket (12).
    public static func device(
        _ path: String, type: UInt32, dev: UInt32 = 0, rdev: UInt32 = 0, permissions: UInt32 = 0o666
    ) -> ImageEntry {
        ImageEntry(
            path: Array(path.utf8), .device(dev: dev, rdev: rdev), mode: type << 12 | permissions)
    }

    /// The same entry, changed by `change`.
    public func with(_ change: (inout ImageEntry) -> Void) -> ImageEntry {
        var entry = self
        change(&entry)
        return entry
    }
}
