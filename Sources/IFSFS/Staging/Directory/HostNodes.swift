internal import Format

/// Which node has which names in a directory of the host, as far as anybody has asked.
///
/// Numbers are handed out as names are met and are never given twice. A directory has one name, a file
/// as many as were met.
struct HostNodes {
    /// A name in a directory.
    struct Place: Equatable {
        let directory: NodeID
        let name: [UInt8]
    }

    private var places: [NodeID: [Place]] = [:]
    private var names: [NodeID: StagedNames] = [:]
    /// Files with several names, by what the host calls them.
    private var identities: [HostNode.Identity: NodeID] = [:]
    private var nextNode = NodeID(rawValue: NodeID.root.rawValue + 1)

    // MARK: Questions

    /// The node of a name, if it was met.
    func node(_ name: [UInt8], in directory: NodeID) -> NodeID? { names[directory]?[name]?.node }

    /// A name of a node; nil for the root, and for a node that has none any more.
    func place(of node: NodeID) -> Place? { places[node]?.first }

    /// The names from the root to a node; nil where none leads there.
    func path(of node: NodeID) -> [[UInt8]]? {
        var path: [[UInt8]] = []
        var node = node
        while node != .root {
            guard let place = places[node]?.first else { return nil }
            path.append(place.name)
            node = place.directory
        }
        return path.reversed()
    }

    /// Whether a node is a directory, or lies, at any depth, in it.
    func isBelow(_ node: NodeID, _ directory: NodeID) -> Bool {
        var node = node
        while node != directory {
            guard let place = places[node]?.first else { return false }
            node = place.directory
        }
        return true
    }

    /// Calls `body` with the names of a directory that were met, from a place on, until it returns
    /// false. Places stay what they are while names come and go.
    func forEach(
        in directory: NodeID, from place: Int, _ body: (Int, [UInt8], NodeID) -> Bool
    ) {
        names[directory]?.forEach(from: place, body)
    }

    // MARK: Changes

    /// The node that a name leads to, met now or before; `identity` is that of a file which has several
    /// names.
    mutating func meet(
        _ name: [UInt8], in directory: NodeID, _ identity: HostNode.Identity?
    ) -> NodeID {
        if let known = node(name, in: directory) { return known }
        let node = identity.flatMap { identities[$0] } ?? takeNumber()
        if let identity { identities[identity] = node }
        add(node, Place(directory: directory, name: name))
        return node
    }

    private mutating func takeNumber() -> NodeID {
        defer { nextNode = NodeID(rawValue: nextNode.rawValue &+ 1) }
        return nextNode
    }

    /// Notes that a name leads nowhere any more.
    mutating func lose(_ name: [UInt8], in directory: NodeID) {
        guard let node = node(name, in: directory) else { return }
        take(node, Place(directory: directory, name: name))
        if places[node] == nil {
            names[node] = nil
            if let identity = identities.first(where: { $0.value == node })?.key {
                identities[identity] = nil
            }
        }
    }

    /// Gives a node another name, which leads nowhere yet.
    mutating func move(_ old: Place, to new: Place) {
        guard let node = node(old.name, in: old.directory) else { return }
        take(node, old)
        add(node, new)
    }

    /// Has two names change what they lead to.
    mutating func exchange(_ one: Place, _ other: Place) {
        guard let first = node(one.name, in: one.directory),
            let second = node(other.name, in: other.directory)
        else { return }
        take(first, one)
        take(second, other)
        add(first, other)
        add(second, one)
    }

    /// Notes which names a directory has; all others lead nowhere.
    mutating func keep(_ found: Set<[UInt8]>, in directory: NodeID) {
        var lost: [[UInt8]] = []
        forEach(in: directory, from: 0) { _, name, _ in
            if !found.contains(name) { lost.append(name) }
            return true
        }
        for name in lost { lose(name, in: directory) }
    }

    private mutating func add(_ node: NodeID, _ place: Place) {
        places[node, default: []].append(place)
        names[place.directory, default: StagedNames()].set(place.name, to: node, over: nil)
    }

    private mutating func take(_ node: NodeID, _ place: Place) {
        places[node]?.removeAll { $0 == place }
        if places[node]?.isEmpty == true { places[node] = nil }
        names[place.directory]?.set(place.name, to: nil, over: nil)
    }
}
