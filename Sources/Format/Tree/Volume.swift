/// A node of a volume: what a FUSE server calls an inode number is its `rawValue`.
///
/// Numbers start at 1, the root, and are the same at every mount of the same bytes.
public struct NodeID: RawRepresentable, Hashable, Sendable {
    /// The number; 1 is the root.
    public let rawValue: UInt64

    /// The node of a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The root directory.
    public static let root = NodeID(rawValue: 1)
}

/// What a node is. The raw values are the type bits of a POSIX mode.
public enum NodeKind: UInt32, Sendable {
    case fifo = 0o010000
    case characterDevice = 0o020000
    case directory = 0o040000
    case blockDevice = 0o060000
    case file = 0o100000
    case symlink = 0o120000
    case socket = 0o140000
}

/// What `stat` tells of a node.
public struct Attributes: Equatable, Sendable {
    /// The node itself; of a further link, the one it links to.
    public var node: NodeID
    /// Its type.
    public var kind: NodeKind
    /// The twelve permission bits: setuid, setgid, sticky, and `rwx` three times.
    public var permissions: UInt32
    /// Numeric id of the owner.
    public var user: UInt32
    /// Numeric id of the group.
    public var group: UInt32
    /// Seconds since 1970.
    public var modified: Int64
    /// Bytes of a file, or of a symlink's target; 0 for the others.
    public var byteCount: UInt64
    /// Names that lead here; of a directory, `.` and its subdirectories count.
    public var linkCount: UInt32
    /// Major and minor number of a device.
    public var device: (major: UInt32, minor: UInt32)

    /// What is not given is zero, but for the one name that leads to the node.
    public init(
        node: NodeID, kind: NodeKind, permissions: UInt32, user: UInt32 = 0, group: UInt32 = 0,
        modified: Int64 = 0, byteCount: UInt64 = 0, linkCount: UInt32 = 1,
        device: (major: UInt32, minor: UInt32) = (0, 0)
    ) {
        self.node = node
        self.kind = kind
        self.permissions = permissions
        self.user = user
        self.group = group
        self.modified = modified
        self.byteCount = byteCount
        self.linkCount = linkCount
        self.device = device
    }

    /// Whether all of it is the same.
    public static func == (left: Attributes, right: Attributes) -> Bool {
        left.node == right.node && left.kind == right.kind
            && left.permissions == right.permissions && left.user == right.user
            && left.group == right.group && left.modified == right.modified
            && left.byteCount == right.byteCount && left.linkCount == right.linkCount
            && left.device == right.device
    }
}

/// What `statfs` tells of a volume, in bytes and nodes.
public struct VolumeStatistics: Equatable, Sendable {
    /// Bytes of the volume, used or not.
    public var byteCount: UInt64
    /// Bytes that nothing uses.
    public var freeByteCount: UInt64
    /// Files, directories and all other nodes.
    public var nodeCount: UInt64
    /// Nodes that there is room for besides.
    public var freeNodeCount: UInt64
    /// Bytes of the longest name that there can be.
    public var longestName: Int

    /// Statistics of these counts; names are those of most file systems, of up to 255 bytes.
    public init(
        byteCount: UInt64, freeByteCount: UInt64, nodeCount: UInt64, freeNodeCount: UInt64 = 0,
        longestName: Int = 255
    ) {
        self.byteCount = byteCount
        self.freeByteCount = freeByteCount
        self.nodeCount = nodeCount
        self.freeNodeCount = freeNodeCount
        self.longestName = longestName
    }
}

/// A read-only tree of files, safe to use from any thread.
///
/// Names are bytes. A node that the volume does not have reads as nil or as an empty answer; errors
/// are of the medium or the image alone.
public protocol Volume: Sendable {
    var statistics: VolumeStatistics { get }

    /// The node's attributes; nil for a node that is none.
    func attributes(of node: NodeID) throws(FormatError) -> Attributes?

    /// The node called `name` in a directory; nil where there is none.
    func lookup(_ name: [UInt8], in directory: NodeID) throws(FormatError) -> NodeID?

    /// Calls `body` with each entry of a directory from the `index`th on, until it returns false.
    /// Neither `.` nor `..` is among them. The name is good during the call only.
    func entries(
        of directory: NodeID, from index: Int,
        _ body: (_ index: Int, _ name: UnsafeBufferPointer<UInt8>, _ node: NodeID) -> Bool
    ) throws(FormatError)

    /// The directory that holds a directory; the root's is the root.
    func parent(of directory: NodeID) throws(FormatError) -> NodeID?

    /// Reads from a file's byte `offset` on; gives fewer bytes than the buffer holds only at the
    /// file's end.
    func read(
        _ node: NodeID, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int

    /// The target of a symlink; nil for other nodes.
    func target(of node: NodeID) throws(FormatError) -> [UInt8]?

    /// What POSIX has no place for: the names of a node's extended attributes, without `user.`.
    func extendedAttributeNames(of node: NodeID) throws(FormatError) -> [String]

    /// The value of an extended attribute; nil where the node has none of that name.
    func extendedAttribute(_ name: String, of node: NodeID) throws(FormatError) -> [UInt8]?

    /// Does ahead what reads would else wait for, as long as `goesOn` says so. May be called at any
    /// time, on any thread.
    func prepare(_ goesOn: () -> Bool)
}

extension Volume {
    /// Nothing.
    public func prepare(_ goesOn: () -> Bool) {}
}
