internal import Format

/// What changes make of the load of a new image, before they are made.
extension StagedState {
    /// The load with a file of another size, which has its contents in the stage then.
    func load(resizing node: NodeID, to size: UInt64) throws(FileSystemError) -> StageLoad {
        let tree = tree
        // What has no name is in no image.
        guard !tree.isNameless(node) else { return load }
        let old = try sizeInVolume(of: node)
        var load = load
        if tree.hasContents(node) {
            load.remove(tree.sizes[node] ?? 0, over: old)
        } else {
            load.freed &+= old
            load.count += 1
        }
        load.add(size, over: old)
        return load
    }

    /// The load with a new node, whose path has so many bytes.
    func load(
        making node: StagedNode, in directory: NodeID, path: Int
    ) throws(FileSystemError) -> StageLoad {
        var load = load
        if node.kind == .file { load.count += 1 }
        try withRecords { records throws(FormatError) in
            load.growth += records.size(of: node, path: path)
            load.growth -= try records.sizeWhileEmpty(directory, holding: 0)
        }
        return load
    }

    /// The load without a name.
    func load(
        removing node: NodeID, _ name: [UInt8], from directory: NodeID
    ) throws(FileSystemError) -> StageLoad {
        var load = load
        try withRecords { records throws(FormatError) in
            load.growth -= try records.size(of: node, as: name, in: directory)
            load.growth += try records.sizeWhileEmpty(directory, holding: 1)
        }
        return load
    }

    /// The load with another name for a node, in place of one for `other`, or for which `partner` gets
    /// the old one.
    func load(
        renaming node: NodeID, _ name: [UInt8], in directory: NodeID, to newName: [UInt8],
        in newDirectory: NodeID, over other: NodeID? = nil, for partner: NodeID? = nil
    ) throws(FileSystemError) -> StageLoad {
        var load = load
        try withRecords { records throws(FormatError) in
            func size(_ node: NodeID, _ isNew: Bool) throws(FormatError) -> Int64 {
                isNew
                    ? try records.size(of: node, as: newName, in: newDirectory)
                    : try records.size(of: node, as: name, in: directory)
            }
            load.growth += try size(node, true) - size(node, false)
            if let other { load.growth -= try size(other, true) }
            if let partner {
                load.growth += try size(partner, false) - size(partner, true)
            } else if directory != newDirectory {
                load.growth += try records.sizeWhileEmpty(directory, holding: 1)
                load.growth -= try records.sizeWhileEmpty(newDirectory, holding: 0)
            }
        }
        return load
    }

    /// The load with other attributes of a node.
    func load(changing node: NodeID) throws(FileSystemError) -> StageLoad {
        var load = load
        try withRecords { records throws(FormatError) in
            load.growth += try records.sizeOfMissing(node)
        }
        return load
    }

    /// Counts a node's end once its last name is gone.
    mutating func noteLoss(of node: NodeID) throws(FileSystemError) {
        let (tree, old) = (tree, try sizeInVolume(of: node))
        guard tree.isNameless(node) else { return }
        nodeCount &-= 1
        guard try attributes(of: node).kind == .file else { return }
        if tree.hasContents(node) {
            load.remove(tree.sizes[node] ?? 0, over: old)
            if tree.isNew(node) { load.count -= 1 }
        } else {
            load.freed &+= old
            load.count += 1
        }
    }

    /// Counts all, of edits that others have made.
    mutating func countLoad() throws(FileSystemError) {
        load = StageLoad()
        nodeCount = tree.base.statistics.nodeCount
        let numbers = nodeCount
        for node in tree.nodes.keys where !tree.isNameless(node) {
            if tree.isNew(node) { nodeCount &+= 1 }
            guard tree.hasContents(node) else { continue }
            let old = try sizeInVolume(of: node)
            load.count += 1
            load.freed &+= old
            load.add(tree.sizes[node] ?? 0, over: old)
        }
        for number in 1...max(1, numbers) {
            let node = NodeID(rawValue: number)
            guard tree.isNameless(node) else { continue }
            nodeCount &-= 1
            guard let size = try? sizeInVolume(of: node), size > 0 else { continue }
            load.freed &+= size
            load.count += 1
        }
        var growth: Int64 = 0
        let base = StagedTree(tree.base)
        try withRecords { records throws(FormatError) in
            growth = try records.total() - records.of(base).total()
        }
        load.growth = growth
    }

    /// Starts anew, with a volume that has all edits.
    mutating func forgetLoad(_ limits: StageLimits, _ found: VolumeStatistics) {
        load = StageLoad()
        disk = DiskRoom()
        room = limits.room(tree.base)
        imageSize = found.byteCount
        nodeCount = found.nodeCount
    }

    private func sizeInVolume(of node: NodeID) throws(FileSystemError) -> UInt64 {
        guard !tree.isNew(node) else { return 0 }
        let base = tree.base
        let found = try format { () throws(FormatError) in try base.attributes(of: node) }
        return found?.kind == .file ? found?.byteCount ?? 0 : 0
    }

    /// Runs `body` where there is a directory that has room or not.
    private func withRecords(
        _ body: (StagedRecords) throws(FormatError) -> Void
    ) throws(FileSystemError) {
        guard let room else { return }
        let records = StagedRecords(tree, room)
        try format { () throws(FormatError) in try body(records) }
    }

    // MARK: What is left

    /// The fewest bytes that an image has now.
    var byteCount: UInt64 {
        let all = imageSize &+ load.staged &+ UInt64(clamping: load.growth)
        return all &- min(all, load.freed)
    }

    /// Bytes that the disk of the new image has for more than that.
    func freeByteCount(_ limits: StageLimits) -> UInt64 {
        guard let room else { return limits.freeByteCount() }
        // Where nothing can be made, there is no room either.
        guard let most = try? room.mostBytes(load) else { return 0 }
        let free = limits.freeByteCount()
        return free &- min(free, most)
    }

    /// How many files the directory has room for, if their paths have 16 bytes.
    func freeNodeCount() -> UInt64 {
        // Where nothing can be made, there is no room either.
        guard let room, let most = try? room.directoryGrowth() else { return 0 }
        let used = UInt64(clamping: load.growth)
        let size = max(1, room.recordSize(.file, path: 16, target: 0))
        return min((most &- min(most, used)) / size, room.freeNumbers())
    }
}

extension StagedFileSystem {
    /// Throws `noSpace` where a new image has no room for a load. One that only becomes smaller is
    /// always taken.
    func require(_ load: StageLoad, _ state: inout StagedState) throws(FileSystemError) {
        let known = state.load
        if let room = state.room, load.growth > known.growth, load.growth > 0 {
            guard try UInt64(load.growth) <= room.directoryGrowth() else { throw .noSpace }
        }
        let before = state.byteCount
        state.load = load
        defer { state.load = known }
        guard state.byteCount > before || load.growth > known.growth else { return }
        if state.byteCount > limits.largestImage {
            let holes = try state.room?.holeByteCount() ?? 0
            guard state.byteCount &- holes <= limits.largestImage else { throw .noSpace }
        }
        guard let room = state.room else { return }
        try state.disk.require(load, room, limits.freeByteCount)
    }
}

extension StageLoad {
    /// Contents of so many bytes, of a file that has `old` in the volume.
    mutating fileprivate func add(_ size: UInt64, over old: UInt64) {
        staged &+= size
        if size > old { added &+= size }
    }

    mutating fileprivate func remove(_ size: UInt64, over old: UInt64) {
        staged &-= size
        if size > old { added &-= size }
    }
}
