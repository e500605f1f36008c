/// A tree of names held in a few flat arrays: 36 bytes an entry beside the names.
///
/// Built once, from entries in depth-first order; then immutable. Children are sorted by name.
struct FileTree: Sendable {
    /// One name in the tree, and the node it stands for.
    struct Node: Sendable, BitwiseCopyable {
        /// Index of the directory that holds the name.
        var parent: UInt32
        /// Where the name lies in `names`.
        var nameStart: UInt32
        /// Index of the volume's own record; `noRecord` for a directory that was synthesized.
        var record: UInt32
        /// The node that this name is another link to; its own index otherwise.
        var canonical: UInt32
        var linkCount: UInt32 = 1
        /// The node's children, as a range of `children`.
        var childrenStart: UInt32 = 0
        var childrenCount: UInt32 = 0
        var nameCount: UInt16
        /// Type and permission bits, as POSIX has them.
        var mode: UInt16
    }

    static let noRecord = UInt32.max

    /// The nodes; the root is the first, and a directory precedes what it holds.
    let nodes: [Node]
    /// Indexes of nodes, grouped by directory, each group sorted by name.
    private let children: [UInt32]
    private let names: [UInt8]

    /// Takes nodes in depth-first order, siblings sorted by name, and the bytes of their names.
    init(_ nodes: consuming [Node], names: [UInt8]) {
        var nodes = nodes
        // By index: while an array is walked by element, changing it copies it.
        for index in nodes.indices.dropFirst() {
            nodes[Int(nodes[index].parent)].childrenCount &+= 1
        }
        // Each group is filled from its end on: what starts as the end becomes the start.
        var end: UInt32 = 0
        for index in nodes.indices {
            end &+= nodes[index].childrenCount
            nodes[index].childrenStart = end
        }
        var children = [UInt32](repeating: 0, count: max(0, nodes.count &- 1))
        for index in nodes.indices.dropFirst().reversed() {
            let parent = Int(nodes[index].parent)
            nodes[parent].childrenStart &-= 1
            children[Int(nodes[parent].childrenStart)] = UInt32(index)
        }
        self.nodes = nodes
        self.children = children
        self.names = names
    }

    /// Whether another tree has the same names in the same places, for nodes of the same type.
    func isAlike(_ other: FileTree) -> Bool {
        guard nodes.count == other.nodes.count else { return false }
        return nodes.indices.allSatisfy { index in
            let (one, two) = (nodes[index], other.nodes[index])
            return one.parent == two.parent && one.canonical == two.canonical
                && (one.mode ^ two.mode) & 0o170000 == 0
                && name(of: index).elementsEqual(other.name(of: index))
        }
    }

    /// The index of a node; nil for one that is not here.
    func index(_ node: NodeID) -> Int? {
        guard let index = Int(exactly: node.rawValue &- 1), index < nodes.count else { return nil }
        return index
    }

    /// The node of an index; of a further link, the one it links to.
    func id(_ index: Int) -> NodeID { NodeID(rawValue: UInt64(nodes[index].canonical) &+ 1) }

    /// The node called `name` in a directory.
    func lookup(_ name: [UInt8], in directory: NodeID) -> NodeID? {
        child(name, in: directory).map(id)
    }

    /// The index of the name in a directory; unlike a node, no two names share one.
    func child(_ name: [UInt8], in directory: NodeID) -> Int? {
        guard let parent = index(directory) else { return nil }
        var low = Int(nodes[parent].childrenStart)
        var high = low &+ Int(nodes[parent].childrenCount)
        while low < high {
            let middle = (low &+ high) / 2
            let child = Int(children[middle])
            let found = self.name(of: child)
            if found.elementsEqual(name) { return child }
            if found.lexicographicallyPrecedes(name) { low = middle &+ 1 } else { high = middle }
        }
        return nil
    }

    /// Calls `body` with the entries of a directory from the `index`th on, until it returns false.
    func entries(
        of directory: NodeID, from first: Int,
        _ body: (Int, UnsafeBufferPointer<UInt8>, NodeID) -> Bool
    ) {
        guard let parent = index(directory), first >= 0 else { return }
        let count = Int(nodes[parent].childrenCount)
        unsafe names.withUnsafeBufferPointer { names in
            for index in first..<max(first, count) {
                let child = Int(children[Int(nodes[parent].childrenStart) &+ index])
                let name = unsafe UnsafeBufferPointer(rebasing: names[nameRange(child)])
                guard unsafe body(index, name, id(child)) else { return }
            }
        }
    }

    /// The directory that holds a node; the root's is the root.
    func parent(of node: NodeID) -> NodeID? {
        index(node).map { NodeID(rawValue: UInt64(nodes[$0].parent) &+ 1) }
    }

    /// The node's name, as bytes.
    func name(of index: Int) -> ArraySlice<UInt8> { names[nameRange(index)] }

    private func nameRange(_ index: Int) -> Range<Int> {
        let start = Int(nodes[index].nameStart)
        return start..<(start &+ Int(nodes[index].nameCount))
    }
}
