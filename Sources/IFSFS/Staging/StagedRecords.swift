internal import Format

/// What the names of a tree take in the directory of its image.
///
/// Every name has a record there, but for directories of the image that only paths told of: these
/// get one when they are changed, moved, or left empty.
struct StagedRecords {
    private let tree: StagedTree
    private let room: any StageRoom

    init(_ tree: StagedTree, _ room: any StageRoom) {
        self.tree = tree
        self.room = room
    }

    /// Bytes for all names.
    func total() throws(FormatError) -> Int64 { try size(below: .root, path: 0) }

    /// The same of another tree.
    func of(_ tree: StagedTree) -> StagedRecords { StagedRecords(tree, room) }

    /// Bytes for a name of a node, and for all below it.
    func size(
        of node: NodeID, as name: [UInt8], in directory: NodeID
    ) throws(FormatError) -> Int64 {
        try size(of: node, as: name, in: directory, path: tree.pathLength(of: directory))
    }

    private func size(
        of node: NodeID, as name: [UInt8], in directory: NodeID, path: Int
    ) throws(FormatError) -> Int64 {
        let own = path + name.count
        guard let found = try tree.attributes(of: node) else { return 0 }
        guard found.kind == .directory else { return recordSize(found, own) }
        let isHome = try isHome(node, name, directory)
        let isEmpty = try tree.isEmpty(node)
        let isOnlyInPaths = isUnlisted(node) && isHome && !isEmpty
        let record = isOnlyInPaths ? 0 : recordSize(found, own)
        return record + (try size(below: node, path: own + 1))
    }

    private func size(below directory: NodeID, path: Int) throws(FormatError) -> Int64 {
        var total: Int64 = 0
        for (name, node) in try tree.names(in: directory) {
            total += try size(of: node, as: name, in: directory, path: path)
        }
        return total
    }

    /// Bytes for a new node.
    func size(of node: StagedNode, path: Int) -> Int64 {
        Int64(clamping: room.recordSize(node.kind, path: path, target: node.target.count))
    }

    /// Bytes of the record that a directory has while it is empty and no longer; 0 unless it holds just
    /// `count` names.
    func sizeWhileEmpty(
        _ directory: NodeID, holding count: Int
    ) throws(FormatError) -> Int64 {
        guard isUnlisted(directory) else { return 0 }
        var found = 0
        try unsafe tree.entries(of: directory, from: 0) { _, _, _ in
            found += 1
            return found <= count
        }
        return found == count ? try sizeIfOnlyInPaths(directory) : 0
    }

    /// Bytes of the record that a node has once it is changed; 0 where it has one as it is.
    func sizeOfMissing(_ node: NodeID) throws(FormatError) -> Int64 {
        guard try tree.attributes(of: node)?.kind == .directory, isUnlisted(node),
            try !tree.isEmpty(node)
        else { return 0 }
        return try sizeIfOnlyInPaths(node)
    }

    private func sizeIfOnlyInPaths(_ directory: NodeID) throws(FormatError) -> Int64 {
        guard directory != .root, let above = try tree.parent(of: directory),
            let found = try tree.attributes(of: directory)
        else { return 0 }
        var name: [UInt8]?
        unsafe try tree.entries(of: above, from: 0) { _, own, node in
            if node == directory { name = unsafe Array(own) }
            return name == nil
        }
        guard let name, try isHome(directory, name, above) else { return 0 }
        return recordSize(found, try tree.pathLength(of: directory) - 1)
    }

    /// Whether a directory of the volume has no record there and is as it was, its name aside.
    private func isUnlisted(_ node: NodeID) -> Bool {
        !tree.isNew(node) && tree.nodes[node] == nil && !room.hasRecord(node)
    }

    private func isHome(
        _ node: NodeID, _ name: [UInt8], _ directory: NodeID
    ) throws(FormatError) -> Bool {
        guard !tree.isNew(directory) else { return false }
        return try tree.base.lookup(name, in: directory) == node
    }

    private func recordSize(_ found: Attributes, _ path: Int) -> Int64 {
        let target = found.kind == .symlink ? Int(clamping: found.byteCount) : 0
        return Int64(clamping: room.recordSize(found.kind, path: path, target: target))
    }
}
