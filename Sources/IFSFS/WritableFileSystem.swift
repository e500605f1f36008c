public import Format

/// A file system that can be changed. What a call has done is safe from the end of the process when
/// it returns, and from a power cut once `synchronize` has returned.
///
/// What cannot be kept is refused by the call that would lose it. Safe to call from any thread.
public protocol WritableFileSystem: FileSystem {
    /// Notes that a file is open once more. Its bytes stay until as many `close` have come, whether
    /// or not a name still leads to it.
    func open(_ node: NodeID) throws(FileSystemError)

    /// Notes that a file is open once less.
    func close(_ node: NodeID)

    /// Makes a node called `name` in a directory. Throws `exists` where there is one.
    func make(
        _ name: [UInt8], in directory: NodeID, _ new: NewNode
    ) throws(FileSystemError) -> Attributes

    /// Takes a name away: that of a directory only if `isDirectory`, of anything else only if not.
    /// Throws `notEmpty` for a directory that holds anything.
    func remove(
        _ name: [UInt8], from directory: NodeID, isDirectory: Bool
    ) throws(FileSystemError)

    /// Gives what is called `name` another name, as `rule` says where that is taken.
    func rename(
        _ name: [UInt8], in directory: NodeID, to newName: [UInt8], in newDirectory: NodeID,
        _ rule: RenameRule
    ) throws(FileSystemError)

    /// Gives a node other attributes; returns all that it has then.
    func change(
        _ node: NodeID, _ change: AttributeChange
    ) throws(FileSystemError) -> Attributes

    /// Writes all bytes from a file's byte `offset` on.
    func write(
        _ bytes: UnsafeRawBufferPointer, to node: NodeID, at offset: UInt64
    ) throws(FileSystemError)

    /// What fallocate(2) does with a range of a file.
    func allocate(
        _ range: Range<UInt64>, of node: NodeID, _ mode: Allocation
    ) throws(FileSystemError)

    /// Brings what was done to a node, and to the names that lead to it, to the disk.
    func synchronize(_ node: NodeID) throws(FileSystemError)

    /// Sets an extended attribute: only a new one, only one that is there, or either.
    func setExtendedAttribute(
        _ name: String, _ value: [UInt8], of node: NodeID, _ rule: AttributeRule
    ) throws(FileSystemError)

    /// Takes an extended attribute away. Throws `noAttribute` where there is none of that name.
    func removeExtendedAttribute(_ name: String, of node: NodeID) throws(FileSystemError)
}

/// What a node is made of.
public struct NewNode: Equatable, Sendable {
    /// Its type.
    public var kind: NodeKind
    /// The twelve permission bits.
    public var permissions: UInt32
    /// Numeric id of the owner.
    public var user: UInt32
    /// Numeric id of the group.
    public var group: UInt32
    /// The text of a symlink.
    public var target: [UInt8] = []
    /// Major and minor number of a device.
    public var device: (major: UInt32, minor: UInt32) = (0, 0)

    /// A node without contents.
    public init(_ kind: NodeKind, permissions: UInt32, user: UInt32 = 0, group: UInt32 = 0) {
        self.kind = kind
        self.permissions = permissions
        self.user = user
        self.group = group
    }

    /// Whether all of it is the same.
    public static func == (left: NewNode, right: NewNode) -> Bool {
        left.kind == right.kind && left.permissions == right.permissions
            && left.user == right.user && left.group == right.group
            && left.target == right.target && left.device == right.device
    }
}

/// What `change` changes; nil leaves an attribute as it is.
public struct AttributeChange: Equatable, Sendable {
    /// The twelve permission bits.
    public var permissions: UInt32?
    /// Numeric id of the owner.
    public var user: UInt32?
    /// Numeric id of the group.
    public var group: UInt32?
    /// Bytes of a file; those that are new are zero.
    public var byteCount: UInt64?
    /// Seconds since 1970.
    public var modified: Int64?

    /// Nothing.
    public init() {}
}

/// What becomes of a name that a rename finds taken.
public enum RenameRule: Sendable {
    /// It leads to what is renamed; what it led to loses it.
    case replace
    /// The rename is refused with `exists`.
    case keep
    /// Both names change places; both must be there.
    case exchange
}

/// What fallocate(2) is asked for. Source: its manual page.
public enum Allocation: Sendable {
    /// Room is there; the file may grow.
    case reserve(keepsSize: Bool)
    /// The range reads as zeros; the file may grow.
    case zero(keepsSize: Bool)
    /// The range becomes a hole; the file keeps its size.
    case punchHole
}

/// Whether an extended attribute must be there before it is set. Source: setxattr(2).
public enum AttributeRule: Sendable {
    case either
    case onlyNew
    case onlyPresent
}
