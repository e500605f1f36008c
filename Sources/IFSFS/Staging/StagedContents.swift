public import Format
internal import Glibc

extension StagedFileSystem {
    /// Writes into the stage; what the volume has of the file goes there first.
    public func write(
        _ bytes: UnsafeRawBufferPointer, to node: NodeID, at offset: UInt64
    ) throws(FileSystemError) {
        let (end, overflow) = offset.addingReportingOverflow(UInt64(bytes.count))
        guard !overflow else { throw .tooLarge }
        try gate.pass { () throws(FileSystemError) in
            let file = try withState { state throws(FileSystemError) -> Handle? in
                try state.requireFile(node)
                try check(size: end, of: node, &state)
                guard try unsafe !writeToLog(bytes, of: node, at: offset, &state) else {
                    return nil
                }
                return try contents(of: node, changing: offset..<end, &state)
            }
            guard let file else { return }
            defer { file.done() }
            do throws(FileSystemError) {
                try unsafe StageFile.write(bytes, to: file.descriptor, at: offset)
            } catch {
                cut(file, of: node)
                throw error
            }
            try withState { state throws(FileSystemError) in
                try noteChange(of: node, &state) { $0 = max($0, end) }
            }
        }
    }

    /// Takes back what of a write came behind the end of a file before it failed: who makes the file
    /// longer later must find zeros there.
    private func cut(_ file: Handle, of node: NodeID) {
        state.withLock { state in
            let count = state.tree.sizes[node] ?? 0
            _ = ftruncate(file.descriptor, off_t(clamping: count))
        }
    }

    /// What fallocate(2) does, to the contents in the stage.
    public func allocate(
        _ range: Range<UInt64>, of node: NodeID, _ mode: Allocation
    ) throws(FileSystemError) {
        try changing { state throws(FileSystemError) in
            try state.requireFile(node)
            try check(size: range.upperBound, of: node, &state)
            let file = try contents(of: node, changing: range, &state)
            defer { file.done() }
            try StageFile.allocate(range, of: file.descriptor, mode)
            try noteChange(of: node, &state) { count in
                if mode.grows { count = max(count, range.upperBound) }
            }
        }
    }

    /// The contents first, then the edits that name them.
    public func synchronize(_ node: NodeID) throws(FileSystemError) {
        try withState { state throws(FileSystemError) in
            guard state.tree.nodes[node]?.contents == .data else {
                if state.tree.hasContents(node) { state.synchronized.insert(node) }
                return try stage.synchronize(nil)
            }
            let file = try handle(of: node, &state)
            defer { file.done() }
            try stage.synchronize(file.descriptor)
            state.synchronized.insert(node)
        }
        try noteSynchronized(node)
    }

    /// What has come of a file's contents so far, before something is gone that they replace.
    func synchronizeContents(
        of node: NodeID, _ state: inout StagedState
    ) throws(FileSystemError) {
        switch state.tree.nodes[node]?.contents ?? .base {
        case .base: return
        // The log tells of them before it tells what they replace.
        case .log: break
        case .data:
            let file = try stage.open(node)
            defer { Glibc.close(file) }
            try stage.synchronizeContents(file)
        }
        state.synchronized.insert(node)
    }

    /// Removes the contents of a node that is gone. What somebody has brought to the disk may not go
    /// from there before the change does that lets it go; where that fails, it goes with the stage.
    func removeContents(of node: NodeID) {
        if state.withLock({ $0.synchronized.remove(node) }) != nil {
            do throws(FileSystemError) { try stage.synchronizeLog() } catch { return }
        }
        stage.remove(node)
    }

    /// Cuts a file, or makes it longer by zeros.
    func resize(
        _ node: NodeID, to count: UInt64, _ state: inout StagedState
    ) throws(FileSystemError) {
        try state.requireFile(node)
        try check(size: count, of: node, &state)
        if count == 0, try emptyInLog(node, &state) { return }
        let changed = min(count, try state.attributes(of: node).byteCount)..<count
        let file = try contents(of: node, keeping: count, changing: changed, &state)
        defer { file.done() }
        guard ftruncate(file.descriptor, off_t(clamping: count)) == 0 else { throw .disk(errno) }
        try noteChange(of: node, &state) { $0 = count }
    }

    /// The size and the time of contents that were changed. A time that somebody asked for counts no
    /// longer, which the stage has to know.
    func noteChange(
        of node: NodeID, _ state: inout StagedState, _ resize: (inout UInt64) -> Void
    ) throws(FileSystemError) {
        state.changeCount &+= 1
        var staged = try state.staged(node)
        staged.modified = clock()
        if staged.isTimeSet {
            staged.isTimeSet = false
            try add([.node(node, staged)], to: &state)
        } else {
            try format { () throws(FormatError) in try state.tree.apply(.node(node, staged)) }
        }
        var count = state.tree.sizes[node] ?? 0
        resize(&count)
        state.load = try state.load(resizing: node, to: count)
        state.tree.sizes[node] = count
    }

    /// The contents of a file in the stage, for a change of some bytes: what the volume has of them is
    /// brought there first. Of contents that were not there yet no more than the first `count` bytes
    /// are kept.
    func contents(
        of node: NodeID, keeping count: UInt64 = .max, changing range: Range<UInt64>,
        _ state: inout StagedState
    ) throws(FileSystemError) -> Handle {
        guard !state.tree.hasContents(node) else {
            let file = try handle(of: node, &state)
            do throws(FileSystemError) {
                try bring(range, of: node, to: file.descriptor, &state)
            } catch {
                file.done()
                throw error
            }
            return file
        }
        let kept = min(try state.attributes(of: node).byteCount, count)
        let file = try stage.create(node)
        do throws(FileSystemError) {
            guard ftruncate(file, off_t(clamping: kept)) == 0 else { throw .disk(errno) }
            var staged = try state.staged(node)
            staged.contents = .data
            if kept > 0 { staged.borrowed = RangeSet(0..<kept) }
            let all = kept <= limits.pieceSize ? 0..<kept : range
            if kept > 0 { try copy(all, of: node, &staged, size: kept, to: file, state) }
            let load = try state.load(resizing: node, to: kept)
            try add([.node(node, staged)], to: &state)
            state.load = load
        } catch {
            Glibc.close(file)
            stage.remove(node)
            throw error
        }
        state.tree.sizes[node] = kept
        guard state.open[node] != nil else { return Handle(descriptor: file, isKept: false) }
        state.open[node]?.contents = file
        return Handle(descriptor: file, isKept: true)
    }

    /// The contents in a file of the stage; the descriptor is kept as long as the file is open.
    func handle(
        of node: NodeID, _ state: inout StagedState
    ) throws(FileSystemError) -> Handle {
        if let file = state.open[node]?.contents { return Handle(descriptor: file, isKept: true) }
        if state.tree.nodes[node]?.contents == .log { try moveFromLog(node, &state) }
        let file = try stage.open(node)
        guard state.open[node] != nil else { return Handle(descriptor: file, isKept: false) }
        state.open[node]?.contents = file
        return Handle(descriptor: file, isKept: true)
    }
}
