public import Format

/// What a mount means: nodes in, values out, with no kernel in sight. Safe to call from any thread.
public protocol FileSystem: Sendable {
    /// What `statfs` tells.
    var statistics: VolumeStatistics { get }

    /// Throws `replaced` once the bytes underneath are no longer those that were mounted. Asked
    /// before each request, and when bytes were read.
    func verify() throws(FileSystemError)

    /// Does ahead what requests would else wait for, as long as `goesOn` says so; runs beside them,
    /// once.
    func prepare(_ goesOn: () -> Bool)

    /// What `stat` tells of a node.
    func attributes(of node: NodeID) throws(FileSystemError) -> Attributes

    /// The node called `name` in a directory. Throws `notFound` where there is none.
    func lookup(_ name: [UInt8], in directory: NodeID) throws(FileSystemError) -> Attributes

    /// Calls `body` with the entries of a directory from the `index`th on until it returns false.
    /// The first two are `.` and `..`. The name is good during the call only.
    func entries(
        of directory: NodeID, from index: Int,
        _ body: (_ index: Int, _ name: UnsafeBufferPointer<UInt8>, _ attributes: Attributes) -> Bool
    ) throws(FileSystemError)

    /// Reads from a file's byte `offset` on; gives fewer bytes than the buffer holds only at the
    /// file's end.
    func read(
        _ node: NodeID, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FileSystemError) -> Int

    /// The target of a symlink.
    func target(of node: NodeID) throws(FileSystemError) -> [UInt8]

    /// The names of a node's extended attributes, as far as they are to be listed.
    func extendedAttributeNames(of node: NodeID) throws(FileSystemError) -> [String]

    /// The value of an extended attribute. Throws `noAttribute` where there is none of that name.
    func extendedAttribute(
        _ name: String, of node: NodeID
    ) throws(FileSystemError) -> [UInt8]
}
