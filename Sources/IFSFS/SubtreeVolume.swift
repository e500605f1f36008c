public import Format

/// A directory of a volume as if it were the volume's root.
///
/// The two change numbers: 1 is the directory, and the root has the number that the directory had.
public struct SubtreeVolume: Volume {
    private let whole: any Volume
    private let top: NodeID

    /// The directory at `path`, components apart from each other by slashes; links are not followed.
    /// Throws `notFound` or `notDirectory` where the path leads elsewhere.
    public init(_ whole: any Volume, at path: [UInt8]) throws(FileSystemError) {
        let found = try Self.node(at: path, in: whole)
        guard let found else { throw .notFound }
        guard found.kind == .directory else { throw .notDirectory }
        self.whole = whole
        top = found.node
    }

    private static func node(
        at path: [UInt8], in whole: any Volume
    ) throws(FileSystemError) -> Attributes? {
        do throws(FormatError) {
            var node = NodeID.root
            for name in path.split(separator: UInt8(ascii: "/")) {
                guard let next = try whole.lookup(Array(name), in: node) else { return nil }
                node = next
            }
            return try whole.attributes(of: node)
        } catch {
            throw .format(error)
        }
    }

    /// A number of the one side as the other has it.
    private func turned(_ node: NodeID) -> NodeID {
        node == .root ? top : node == top ? .root : node
    }

    /// The whole volume's.
    public var statistics: VolumeStatistics { whole.statistics }

    /// The node's attributes, under its number here.
    public func attributes(of node: NodeID) throws(FormatError) -> Attributes? {
        var found = try whole.attributes(of: turned(node))
        found?.node = node
        return found
    }

    /// A look-up in the whole volume.
    public func lookup(_ name: [UInt8], in directory: NodeID) throws(FormatError) -> NodeID? {
        try whole.lookup(name, in: turned(directory)).map(turned)
    }

    /// The whole volume's entries.
    public func entries(
        of directory: NodeID, from index: Int,
        _ body: (Int, UnsafeBufferPointer<UInt8>, NodeID) -> Bool
    ) throws(FormatError) {
        try unsafe whole.entries(of: turned(directory), from: index) { index, name, node in
            unsafe body(index, name, turned(node))
        }
    }

    /// The directory above; the root's is the root.
    public func parent(of directory: NodeID) throws(FormatError) -> NodeID? {
        directory == .root ? .root : try whole.parent(of: turned(directory)).map(turned)
    }

    /// The whole volume's bytes.
    public func read(
        _ node: NodeID, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int {
        try unsafe whole.read(turned(node), into: buffer, at: offset)
    }

    /// The whole volume's.
    public func prepare(_ goesOn: () -> Bool) { whole.prepare(goesOn) }

    /// The whole volume's target.
    public func target(of node: NodeID) throws(FormatError) -> [UInt8]? {
        try whole.target(of: turned(node))
    }

    /// The whole volume's names; on the root also those of the whole's root.
    public func extendedAttributeNames(of node: NodeID) throws(FormatError) -> [String] {
        let own = try whole.extendedAttributeNames(of: turned(node))
        guard node == .root, top != .root else { return own }
        let rest = try whole.extendedAttributeNames(of: .root).filter { !own.contains($0) }
        return own + rest
    }

    /// The whole volume's values; on the root also those of the whole's root.
    public func extendedAttribute(
        _ name: String, of node: NodeID
    ) throws(FormatError) -> [UInt8]? {
        let own = try whole.extendedAttribute(name, of: turned(node))
        return own == nil && node == .root ? try whole.extendedAttribute(name, of: .root) : own
    }
}
