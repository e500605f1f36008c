/// Several volumes as one: a directory of each, and a file of what is none.
///
/// The number of a node is its own in its volume, with the place of the volume, from 1, in the 16 bits
/// above its 48; the root has the number 1.
public struct DiskVolume: Volume {
    /// One entry of the root.
    public struct Entry: Sendable {
        /// What is behind it.
        public enum Contents: Sendable {
            /// A tree.
            case volume(any Volume)
            /// Bytes of which nobody knows what they are.
            case raw(any ByteSource)
        }

        /// Its name.
        public let name: [UInt8]
        /// What is behind it.
        public let contents: Contents

        /// An entry with a name.
        public init(_ name: [UInt8], _ contents: Contents) {
            self.name = name
            self.contents = contents
        }
    }

    private let entries: [Entry]
    /// Seconds since 1970: when the disk was last changed.
    private let modified: Int64

    private static let numberBits: UInt64 = 48
    private static let lastNumber: UInt64 = 1 << numberBits - 1
    /// More entries than any disk has partitions.
    static let mostEntries = 0xffff

    /// A root with these entries, whose names differ; what is beyond 65,535 of them is left out.
    public init(_ entries: [Entry], modified: Int64 = 0) {
        self.entries = Array(entries.prefix(Self.mostEntries))
        self.modified = modified
    }

    // MARK: Numbers

    private enum Position {
        case root
        case inside(index: Int, any Volume, NodeID)
        case raw(index: Int, any ByteSource)
    }

    private func position(_ node: NodeID) -> Position? {
        if node == .root { return .root }
        let place = Int(clamping: node.rawValue >> Self.numberBits)
        guard place > 0, place <= entries.count else { return nil }
        let inner = NodeID(rawValue: node.rawValue & Self.lastNumber)
        switch entries[place &- 1].contents {
        case .volume(let volume): return .inside(index: place &- 1, volume, inner)
        case .raw(let source): return inner == .root ? .raw(index: place &- 1, source) : nil
        }
    }

    /// The number of a volume's node. Throws `unsupported` where that does not fit.
    private func outer(_ node: NodeID, _ index: Int) throws(FormatError) -> NodeID {
        guard node.rawValue <= Self.lastNumber else {
            throw .unsupported(
                Place("node number", 0), found: hex(node.rawValue),
                expected: "\(hex(Self.lastNumber)) at most")
        }
        return NodeID(rawValue: UInt64(index &+ 1) << Self.numberBits | node.rawValue)
    }

    // MARK: Volume

    /// The sums, and the longest of all names.
    public var statistics: VolumeStatistics {
        var sum = VolumeStatistics(byteCount: 0, freeByteCount: 0, nodeCount: 1)
        for entry in entries {
            switch entry.contents {
            case .volume(let volume):
                let found = volume.statistics
                sum.byteCount &+= found.byteCount
                sum.freeByteCount &+= found.freeByteCount
                sum.nodeCount &+= found.nodeCount
                sum.freeNodeCount &+= found.freeNodeCount
                sum.longestName = max(sum.longestName, found.longestName)
            case .raw(let source):
                sum.byteCount &+= source.byteCount
                sum.nodeCount &+= 1
            }
        }
        return sum
    }

    /// Those of the node in its volume; the root and what is raw can be read by everybody.
    public func attributes(of node: NodeID) throws(FormatError) -> Attributes? {
        switch position(node) {
        case nil: return nil
        case .root:
            let directories = entries.count {
                if case .volume = $0.contents { true } else { false }
            }
            return Attributes(
                node: .root, kind: .directory, permissions: 0o555, modified: modified,
                linkCount: UInt32(clamping: directories &+ 2))
        case .raw(_, let source):
            return Attributes(
                node: node, kind: .file, permissions: 0o444, modified: modified,
                byteCount: source.byteCount)
        case .inside(let index, let volume, let inner):
            guard var found = try volume.attributes(of: inner) else { return nil }
            found.node = try outer(found.node, index)
            return found
        }
    }

    /// The entry of the root, or a look-up in its volume.
    public func lookup(
        _ name: [UInt8], in directory: NodeID
    ) throws(FormatError) -> NodeID? {
        switch position(directory) {
        case .root:
            guard let index = entries.firstIndex(where: { $0.name == name }) else { return nil }
            return try outer(.root, index)
        case .inside(let index, let volume, let inner):
            guard let found = try volume.lookup(name, in: inner) else { return nil }
            return try outer(found, index)
        case nil, .raw: return nil
        }
    }

    /// The root's, or those of a directory in its volume.
    public func entries(
        of directory: NodeID, from index: Int,
        _ body: (_ index: Int, _ name: UnsafeBufferPointer<UInt8>, _ node: NodeID) -> Bool
    ) throws(FormatError) {
        switch position(directory) {
        case .root:
            for place in max(0, index)..<max(entries.count, index, 0) {
                let node = try outer(.root, place)
                let goesOn = unsafe entries[place].name.withUnsafeBufferPointer { name in
                    unsafe body(place, name, node)
                }
                guard goesOn else { return }
            }
        case .inside(let place, let volume, let inner):
            var failure: FormatError?
            try unsafe volume.entries(of: inner, from: index) { index, name, node in
                do throws(FormatError) {
                    return unsafe body(index, name, try outer(node, place))
                } catch {
                    failure = error
                    return false
                }
            }
            if let failure { throw failure }
        case nil, .raw: return
        }
    }

    /// The root for the root of a volume.
    public func parent(of directory: NodeID) throws(FormatError) -> NodeID? {
        switch position(directory) {
        case .root: return .root
        case .inside(let index, let volume, let inner):
            if inner == .root { return .root }
            guard let found = try volume.parent(of: inner) else { return nil }
            return try outer(found, index)
        case nil, .raw: return nil
        }
    }

    /// Bytes of the node in its volume, or of what is raw.
    public func read(
        _ node: NodeID, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int {
        switch position(node) {
        case .inside(_, let volume, let inner):
            return try unsafe volume.read(inner, into: buffer, at: offset)
        case .raw(_, let source): return try unsafe source.read(into: buffer, at: offset)
        case nil, .root: return 0
        }
    }

    /// As the volume has it.
    public func target(of node: NodeID) throws(FormatError) -> [UInt8]? {
        guard case .inside(_, let volume, let inner) = position(node) else { return nil }
        return try volume.target(of: inner)
    }

    /// As the volume has them.
    public func extendedAttributeNames(of node: NodeID) throws(FormatError) -> [String] {
        guard case .inside(_, let volume, let inner) = position(node) else { return [] }
        return try volume.extendedAttributeNames(of: inner)
    }

    /// As the volume has it.
    public func extendedAttribute(
        _ name: String, of node: NodeID
    ) throws(FormatError) -> [UInt8]? {
        guard case .inside(_, let volume, let inner) = position(node) else { return nil }
        return try volume.extendedAttribute(name, of: inner)
    }

    /// Each volume's.
    public func prepare(_ goesOn: () -> Bool) {
        for entry in entries {
            if case .volume(let volume) = entry.contents { volume.prepare(goesOn) }
        }
    }
}
