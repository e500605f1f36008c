internal import Format

/// A volume whose nodes go by the numbers that the same files had in another: who still holds a
/// number from before a commit goes on with it.
struct RenumberedVolume: Volume {
    private(set) var volume: any Volume
    /// Numbers of the volume's nodes by the numbers they go by, and the other way round.
    private let inside: [NodeID: NodeID]
    private let outside: [NodeID: NodeID]
    /// What has the nodes that are no more in the volume and are open still; nil where none are.
    private let previous: (any Volume)?
    /// The highest number that was ever given.
    private let lastNumber: UInt64

    /// The nodes of `volume`, which holds what `tree` shows, by their numbers there. The volume of the
    /// tree itself is asked no more, unless somebody has files of it open that have no name.
    init(
        _ volume: any Volume, as tree: StagedTree, hasNameless: Bool
    ) throws(FormatError) {
        self.volume = volume
        previous = hasNameless ? tree.base : nil
        lastNumber = max(tree.nextNode.rawValue &- 1, volume.statistics.nodeCount)
        var inside: [NodeID: NodeID] = [:]
        var outside: [NodeID: NodeID] = [:]
        var open = [NodeID.root]
        inside[.root] = .root
        outside[.root] = .root
        while let directory = open.popLast() {
            guard let own = inside[directory] else { continue }
            for (name, node) in try tree.names(in: directory) {
                guard let found = try volume.lookup(name, in: own) else { continue }
                inside[node] = found
                outside[found] = node
                if try tree.attributes(of: node)?.kind == .directory { open.append(node) }
            }
        }
        self.inside = inside
        self.outside = outside
    }

    /// The same over another volume, which gives every path the number that this one's gives it.
    func over(_ volume: any Volume) -> RenumberedVolume? {
        guard previous == nil else { return nil }
        var renumbered = self
        renumbered.volume = volume
        return renumbered
    }

    /// What the volume itself calls a node; nil for one that it does not have.
    func number(of node: NodeID) -> NodeID? { inside[node] }

    /// What a node is called in the stage, which the next mount reads: the volume has its own numbers
    /// then. New nodes come behind them all; what has no name any more must not be taken for another.
    func numberInStage(_ node: NodeID) -> NodeID {
        if let own = inside[node] { return own }
        return node.rawValue > lastNumber ? node : NodeID(rawValue: node.rawValue | 1 << 48)
    }

    var statistics: VolumeStatistics {
        var statistics = volume.statistics
        statistics.nodeCount = lastNumber
        return statistics
    }

    func attributes(of node: NodeID) throws(FormatError) -> Attributes? {
        guard let own = inside[node] else { return try previous?.attributes(of: node) }
        var found = try volume.attributes(of: own)
        found?.node = node
        return found
    }

    func lookup(_ name: [UInt8], in directory: NodeID) throws(FormatError) -> NodeID? {
        guard let own = inside[directory] else { return nil }
        return try volume.lookup(name, in: own).flatMap { outside[$0] }
    }

    func entries(
        of directory: NodeID, from index: Int,
        _ body: (Int, UnsafeBufferPointer<UInt8>, NodeID) -> Bool
    ) throws(FormatError) {
        guard let own = inside[directory] else { return }
        unsafe try volume.entries(of: own, from: index) { index, name, node in
            guard let number = outside[node] else { return true }
            return unsafe body(index, name, number)
        }
    }

    func parent(of directory: NodeID) throws(FormatError) -> NodeID? {
        guard let own = inside[directory] else { return nil }
        return try volume.parent(of: own).flatMap { outside[$0] }
    }

    func read(
        _ node: NodeID, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int {
        guard let own = inside[node] else {
            return try unsafe previous?.read(node, into: buffer, at: offset) ?? 0
        }
        return try unsafe volume.read(own, into: buffer, at: offset)
    }

    func target(of node: NodeID) throws(FormatError) -> [UInt8]? {
        try inside[node].flatMap { own throws(FormatError) in try volume.target(of: own) }
    }

    func extendedAttributeNames(of node: NodeID) throws(FormatError) -> [String] {
        guard let own = inside[node] else { return [] }
        return try volume.extendedAttributeNames(of: own)
    }

    func extendedAttribute(_ name: String, of node: NodeID) throws(FormatError) -> [UInt8]? {
        guard let own = inside[node] else { return nil }
        return try volume.extendedAttribute(name, of: own)
    }

    func prepare(_ goesOn: () -> Bool) { volume.prepare(goesOn) }
}
