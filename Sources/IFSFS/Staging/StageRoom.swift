public import Format

/// What a new image has room for, of which a volume's edits become part: asked before an edit is
/// accepted, so that none is that no image could hold.
public protocol StageRoom: Sendable {
    /// Bytes by which the image's directory can grow.
    func directoryGrowth() throws(FileSystemError) -> UInt64

    /// Bytes of an image without edits that new contents can have.
    func holeByteCount() throws(FileSystemError) -> UInt64

    /// Nodes that the image's directory still has numbers for.
    func freeNumbers() -> UInt64

    /// Bytes that the directory has for a node: its path has `path` bytes without a leading slash, a
    /// link's text `target`.
    func recordSize(_ kind: NodeKind, path: Int, target: Int) -> UInt64

    /// Whether a directory of the volume is in the image's directory, and not only in paths.
    func hasRecord(_ directory: NodeID) -> Bool

    /// The most bytes that the file of an image with these edits has.
    func mostBytes(_ load: StageLoad) throws(FileSystemError) -> UInt64
}

/// What edits take of the room that a new image has.
public struct StageLoad: Equatable, Sendable {
    /// Bytes that the directory has more than without edits; less than 0 where it has fewer.
    public var growth: Int64 = 0
    /// Bytes of all contents that are in the stage.
    public var staged: UInt64 = 0
    /// Of these, bytes of new files and of those that have grown: they need another place.
    public var added: UInt64 = 0
    /// Bytes of the volume's files that are gone, or whose contents are in the stage.
    public var freed: UInt64 = 0
    /// Files that are new, gone or changed.
    public var count = 0

    /// No edits.
    public init() {}

    /// How much could have come to be written.
    var weight: UInt64 {
        staged &+ added &+ freed &+ UInt64(clamping: growth) &+ UInt64(clamping: count) &* 0x2_0000
    }
}
