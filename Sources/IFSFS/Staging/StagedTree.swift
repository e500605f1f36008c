internal import Format

/// The tree that a volume and the edits on it make.
///
/// Nodes of the volume keep their numbers; new ones follow them and are never given twice. What an
/// edit says holds until another says otherwise: played again in their order, the edits make the
/// same tree.
struct StagedTree: Sendable {
    let base: any Volume
    /// Nodes that were made or changed, by number.
    private(set) var nodes: [NodeID: StagedNode] = [:]
    /// Bytes of the files whose contents are in the stage.
    var sizes: [NodeID: UInt64] = [:]
    /// Where in the edit log the contents are of files that have them there; nothing of empty ones.
    private(set) var logged: [NodeID: Range<UInt64>] = [:]
    /// When directories were last changed by what happened in them. No image keeps it.
    private var touched: [NodeID: Int64] = [:]
    private var directories: [NodeID: StagedNames] = [:]
    /// Where the directories are that were made or moved.
    private var places: [NodeID: Place] = [:]
    /// How many names more, or fewer, lead to a node than in the volume; of a directory, how many
    /// subdirectories it holds more.
    private var links: [NodeID: Int] = [:]
    /// The number of the next new node.
    private(set) var nextNode: NodeID
    private let firstNew: NodeID

    /// A volume without edits, whose nodes have the numbers from 1 through its count.
    init(_ base: any Volume) {
        self.base = base
        firstNew = NodeID(rawValue: base.statistics.nodeCount &+ 1)
        nextNode = firstNew
    }

    /// A volume that another tree has become. Of that, only `nodes` go on, which have no name any
    /// more and are open.
    init(_ base: any Volume, after tree: StagedTree, keeping nodes: [NodeID]) {
        self.init(base)
        for node in nodes {
            self.nodes[node] = tree.nodes[node]
            sizes[node] = tree.sizes[node]
            links[node] = tree.links[node]
        }
    }

    /// Whether the contents of a file are in the stage.
    func hasContents(_ node: NodeID) -> Bool { (nodes[node]?.contents ?? .base) != .base }

    func isNew(_ node: NodeID) -> Bool { node.rawValue >= firstNew.rawValue }

    /// Whether no other numbers were ever given than those of the volume.
    var hasNumbersOfBase: Bool { nextNode == firstNew }

    // MARK: What is there

    func attributes(of node: NodeID) throws(FormatError) -> Attributes? {
        var attributes: Attributes
        if !isNew(node), let found = try base.attributes(of: node) {
            attributes = found
        } else {
            guard let staged = nodes[node] else { return nil }
            attributes = Attributes(node: node, kind: staged.kind, permissions: 0, linkCount: 0)
        }
        if let staged = nodes[node] {
            staged.apply(to: &attributes)
            if staged.contents != .base { attributes.byteCount = sizes[node] ?? 0 }
        }
        if let time = touched[node] { attributes.modified = time }
        attributes.linkCount = UInt32(clamping: Int(attributes.linkCount) + (links[node] ?? 0))
        return attributes
    }

    func lookup(_ name: [UInt8], in directory: NodeID) throws(FormatError) -> NodeID? {
        if let override = directories[directory]?[name] { return override.node }
        return isNew(directory) ? nil : try base.lookup(name, in: directory)
    }

    /// The entries of a directory from a place on, until `body` returns false. Places stay what they
    /// are while names come and go, so that a listing in pieces shows every other name once.
    func entries(
        of directory: NodeID, from place: Int,
        _ body: (_ place: Int, _ name: UnsafeBufferPointer<UInt8>, _ node: NodeID) -> Bool
    ) throws(FormatError) {
        let edits = directories[directory]
        var goesOn = true
        if !isNew(directory), place < StagedNames.firstPlace {
            unsafe try base.entries(of: directory, from: place) { place, name, node in
                if let edits, unsafe edits[Array(name)] != nil { return true }
                goesOn = unsafe body(place, name, node)
                return goesOn
            }
        }
        guard goesOn, let edits else { return }
        edits.forEach(from: place) { place, name, node in
            unsafe name.withUnsafeBufferPointer { unsafe body(place, $0, node) }
        }
    }

    /// Whether a directory holds nothing.
    func isEmpty(_ directory: NodeID) throws(FormatError) -> Bool {
        var isEmpty = true
        try unsafe entries(of: directory, from: 0) { _, _, _ in
            isEmpty = false
            return false
        }
        return isEmpty
    }

    /// All names in a directory, in no order.
    func names(in directory: NodeID) throws(FormatError) -> [(name: [UInt8], node: NodeID)] {
        var names: [(name: [UInt8], node: NodeID)] = []
        unsafe try entries(of: directory, from: 0) { _, name, node in
            names.append((unsafe Array(name), node))
            return true
        }
        return names
    }

    /// The directory that holds a directory; the root's is the root.
    func parent(of directory: NodeID) throws(FormatError) -> NodeID? {
        if let place = places[directory] { return place.directory }
        return isNew(directory) ? nil : try base.parent(of: directory)
    }

    /// Whether a node is a directory, or lies, at any depth, in it.
    func isBelow(_ node: NodeID, _ directory: NodeID) throws(FormatError) -> Bool {
        var node = node
        while node != directory {
            guard node != .root, let parent = try parent(of: node), parent != node else {
                return false
            }
            node = parent
        }
        return true
    }

    /// Whether no name leads to a node.
    func isNameless(_ node: NodeID) -> Bool {
        // What the volume cannot tell of has no name that anybody could use.
        guard let found = try? attributes(of: node) else { return true }
        return found.linkCount == 0
    }

    /// Bytes of a directory's path with a slash before each name.
    func pathLength(of directory: NodeID) throws(FormatError) -> Int {
        var length = 0
        var node = directory
        while node != .root, let parent = try parent(of: node), parent != node {
            length += try nameLength(of: node, in: parent) + 1
            node = parent
        }
        return length
    }

    private func nameLength(
        of node: NodeID, in directory: NodeID
    ) throws(FormatError) -> Int {
        if let place = places[node] { return place.nameLength }
        var length = 0
        try unsafe entries(of: directory, from: 0) { _, name, entry in
            guard entry == node else { return true }
            length = name.count
            return false
        }
        return length
    }

    /// Bytes that the longest path below a node has more than its own.
    func depth(below node: NodeID) throws(FormatError) -> Int {
        guard try kind(of: node) == .directory else { return 0 }
        var held: [(length: Int, node: NodeID)] = []
        try unsafe entries(of: node, from: 0) { _, name, entry in
            held.append((name.count + 1, entry))
            return true
        }
        var longest = 0
        for (length, node) in held { longest = max(longest, length + (try depth(below: node))) }
        return longest
    }

    // MARK: Edits

    /// The number of a node to be made; asked once for each.
    mutating func takeNumber() -> NodeID {
        defer { nextNode = NodeID(rawValue: nextNode.rawValue &+ 1) }
        return nextNode
    }

    /// What of a node can be changed, to be changed and said again.
    func staged(_ node: NodeID) throws(FormatError) -> StagedNode? {
        if let staged = nodes[node] { return staged }
        return try base.attributes(of: node).map(StagedNode.init)
    }

    /// Makes it so.
    mutating func apply(_ edit: Edit) throws(FormatError) {
        switch edit {
        case .node(let number, let node):
            nodes[number] = node
            touched[number] = nil
            if node.contents != .log { logged[number] = nil }
            if number.rawValue >= nextNode.rawValue {
                nextNode = NodeID(rawValue: number.rawValue &+ 1)
            }
        case .name(let name, let directory, let node):
            if let old = try lookup(name, in: directory) { try count(old, in: directory, -1) }
            if let node {
                try count(node, in: directory, 1)
                if try kind(of: node) == .directory {
                    places[node] = Place(directory: directory, nameLength: name.count)
                }
            }
            let own = isNew(directory) ? nil : try base.lookup(name, in: directory)
            directories[directory, default: StagedNames()].set(name, to: node, over: own)
        }
    }

    /// Notes where in the log the contents of a file are.
    mutating func apply(contents place: Range<UInt64>, of node: NodeID) {
        logged[node] = place.isEmpty ? nil : place
        sizes[node] = place.upperBound &- place.lowerBound
    }

    /// Notes that something happened in a directory.
    mutating func touch(_ directory: NodeID, at time: Int64) { touched[directory] = time }

    /// Forgets a node that nobody can ask for any more. Of a node of the volume it stays known that it
    /// has no name.
    mutating func drop(_ node: NodeID) {
        nodes[node] = nil
        sizes[node] = nil
        logged[node] = nil
        guard isNew(node) else { return }
        links[node] = nil
        touched[node] = nil
        places[node] = nil
        directories[node] = nil
    }

    private func kind(of node: NodeID) throws(FormatError) -> NodeKind? {
        if let staged = nodes[node] { return staged.kind }
        return try base.attributes(of: node)?.kind
    }

    private mutating func count(
        _ node: NodeID, in directory: NodeID, _ change: Int
    ) throws(FormatError) {
        guard try kind(of: node) == .directory else {
            links[node, default: 0] += change
            return
        }
        // Its own name and its `.` come and go together; its `..` counts in the directory above.
        links[directory, default: 0] += change
        links[node, default: 0] += 2 * change
    }
}

/// Where a directory is: in which one, and how many bytes its name there has.
private struct Place {
    let directory: NodeID
    let nameLength: Int
}

/// The names in a directory that are not the volume's.
struct StagedNames: Sendable {
    struct Override {
        /// Nil where the volume's name is gone.
        let node: NodeID?
        let place: Int
    }

    /// Places of a volume's own names lie before it.
    static let firstPlace = 1 << 40

    private var overrides: [[UInt8]: Override] = [:]
    /// Names that lead somewhere, as they came; those that were set anew meanwhile have another
    /// place by now.
    private var order: [(place: Int, name: [UInt8])] = []
    private var nextPlace = Self.firstPlace

    subscript(name: [UInt8]) -> Override? { overrides[name] }

    /// Sets a name that leads to `own` in the volume.
    mutating func set(_ name: [UInt8], to node: NodeID?, over own: NodeID?) {
        if node == own {
            overrides[name] = nil
            return
        }
        overrides[name] = Override(node: node, place: nextPlace)
        if node != nil { order.append((nextPlace, name)) }
        nextPlace += 1
        if order.count > 2 * overrides.count + 64 {
            order.removeAll { overrides[$0.name]?.place != $0.place }
        }
    }

    func forEach(from place: Int, _ body: (Int, [UInt8], NodeID) -> Bool) {
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if order[middle].place < place { low = middle + 1 } else { high = middle }
        }
        for entry in order[low...] {
            guard let override = overrides[entry.name], override.place == entry.place,
                let node = override.node
            else { continue }
            if !body(entry.place, entry.name, node) { return }
        }
    }
}

extension StagedNode {
    /// A node as a volume has it.
    init(_ attributes: Attributes) {
        self.init(
            kind: attributes.kind, permissions: attributes.permissions, user: attributes.user,
            group: attributes.group, modified: attributes.modified,
            device: Device(major: attributes.device.major, minor: attributes.device.minor))
    }

    fileprivate func apply(to attributes: inout Attributes) {
        attributes.permissions = permissions
        attributes.user = user
        attributes.group = group
        attributes.modified = modified
        if kind == .symlink, !target.isEmpty { attributes.byteCount = UInt64(target.count) }
        attributes.device = (device.major, device.minor)
    }
}
