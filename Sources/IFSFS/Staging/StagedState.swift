internal import Format

/// What a staged file system knows: the tree, and who has which file open.
struct StagedState {
    var tree: StagedTree
    var open: [NodeID: OpenFile] = [:]
    /// What the edits take, and what there is for them; nil where nothing limits them.
    var load = StageLoad()
    var room: (any StageRoom)?
    var disk = DiskRoom()
    /// Bytes of an image without the edits.
    var imageSize: UInt64
    /// Nodes that have a name.
    var nodeCount: UInt64

    /// Nodes whose contents somebody has brought to the disk.
    var synchronized: Set<NodeID> = []

    /// How often something was changed.
    var changeCount: UInt64 = 0
    /// Tells when what the tree's volume reads from is no longer the same.
    var watch: ImageWatch?

    init(_ tree: StagedTree, _ watch: ImageWatch?, _ limits: StageLimits) {
        self.tree = tree
        self.watch = watch
        room = limits.room(tree.base)
        imageSize = limits.imageSize
        nodeCount = tree.base.statistics.nodeCount
    }

    /// A file that somebody has open.
    struct OpenFile {
        var count = 0
        /// Its contents in the stage, once they are used.
        var contents: Int32?
        /// What `contents` was before a commit: a read may be under way.
        private var retired: [Int32] = []

        var descriptors: [Int32] { retired + (contents.map { [$0] } ?? []) }

        mutating func retire() {
            retired = descriptors
            contents = nil
        }
    }
}

extension StagedState {
    func attributes(of node: NodeID) throws(FileSystemError) -> Attributes {
        let tree = tree
        guard let found = try format({ () throws(FormatError) in try tree.attributes(of: node) })
        else { throw .notFound }
        return found
    }

    @discardableResult
    func requireDirectory(_ node: NodeID) throws(FileSystemError) -> Attributes {
        let found = try attributes(of: node)
        guard found.kind == .directory else { throw .notDirectory }
        guard found.linkCount > 0 else { throw .notFound }
        return found
    }

    func requireFile(_ node: NodeID) throws(FileSystemError) {
        try attributes(of: node).kind.requireFile()
    }

    func requireRemovable(_ node: NodeID, isDirectory: Bool) throws(FileSystemError) {
        try attributes(of: node).kind.requireRemovable(asDirectory: isDirectory)
        guard isDirectory else { return }
        let tree = tree
        let isEmpty = try format { () throws(FormatError) in try tree.isEmpty(node) }
        guard isEmpty else { throw .notEmpty }
    }

    /// A directory cannot come to lie in itself.
    func requireRoom(for node: NodeID, in directory: NodeID) throws(FileSystemError) {
        let tree = tree
        let isBelow = try format { () throws(FormatError) in try tree.isBelow(directory, node) }
        if isBelow { throw .loop }
    }

    func found(_ name: [UInt8], in directory: NodeID) throws(FileSystemError) -> NodeID? {
        let tree = tree
        return try format { () throws(FormatError) in try tree.lookup(name, in: directory) }
    }

    func node(_ name: [UInt8], in directory: NodeID) throws(FileSystemError) -> NodeID {
        guard let node = try found(name, in: directory) else { throw .notFound }
        return node
    }

    func staged(_ node: NodeID) throws(FileSystemError) -> StagedNode {
        let tree = tree
        guard let staged = try format({ () throws(FormatError) in try tree.staged(node) }) else {
            throw .notFound
        }
        return staged
    }

    /// Bytes of a directory's path; of the root's none, so that what comes below has no slash.
    func pathLength(of directory: NodeID) throws(FileSystemError) -> Int {
        let tree = tree
        return try format { () throws(FormatError) in try tree.pathLength(of: directory) }
    }

    /// Bytes that the longest path below a node has more than its own.
    func depth(below node: NodeID) throws(FileSystemError) -> Int {
        let tree = tree
        return try format { () throws(FormatError) in try tree.depth(below: node) }
    }

    /// Drops a node that has neither a name nor a user; says whether a file with its contents is left.
    mutating func forget(_ node: NodeID) -> Bool {
        guard open[node] == nil, tree.isNameless(node) else { return false }
        let hasFile = tree.nodes[node]?.contents == .data
        if !hasFile { synchronized.remove(node) }
        tree.drop(node)
        return hasFile
    }
}

/// Runs `body` and carries its error upwards.
func format<Result>(
    _ body: () throws(FormatError) -> Result
) throws(FileSystemError) -> Result {
    do throws(FormatError) {
        return try body()
    } catch {
        throw .format(error)
    }
}
