internal import Format
internal import Glibc
internal import Mkifs

/// The contents of small files, as most are that somebody copies, stand in the edit log: a file of the
/// stage for each would cost more than all else.
///
/// A file that is empty has its first bytes there, and whoever changes it again gives it a file of its
/// own. They take room in the log until the edits are in an image, whatever becomes of them.
struct LoggedContents {
    fileprivate let log: EditLog?
    fileprivate let place: Range<UInt64>

    /// Bytes from an offset on, fewer only at the end.
    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FileSystemError) -> Int {
        let (start, overflow) = place.lowerBound.addingReportingOverflow(offset)
        guard let log, !overflow, start < place.upperBound else { return 0 }
        let wanted = Int(clamping: min(UInt64(buffer.count), place.upperBound &- start))
        let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
        return try unsafe log.read(into: part, at: start)
    }
}

extension StagedFileSystem {
    func loggedContents(of node: NodeID, _ state: StagedState) -> LoggedContents {
        LoggedContents(log: stage.log, place: state.tree.logged[node] ?? 0..<0)
    }

    /// Keeps the first bytes of an empty file in the log; false where they belong elsewhere.
    func writeToLog(
        _ bytes: UnsafeRawBufferPointer, of node: NodeID, at offset: UInt64,
        _ state: inout StagedState
    ) throws(FileSystemError) -> Bool {
        guard state.tree.nodes[node]?.contents == .log, state.tree.logged[node] == nil,
            offset == 0, bytes.count <= limits.largestInLog,
            stage.log?.byteCount ?? 0 < limits.largestLog
        else { return false }
        let place = try unsafe stage.add(contents: bytes, of: node)
        try noteChange(of: node, &state) { $0 = UInt64(bytes.count) }
        state.tree.apply(contents: place, of: node)
        return true
    }

    /// Empties a file that has no file in the stage; false for one that has.
    func emptyInLog(
        _ node: NodeID, _ state: inout StagedState
    ) throws(FileSystemError) -> Bool {
        var staged = try state.staged(node)
        guard staged.contents != .data else { return false }
        let load = try state.load(resizing: node, to: 0)
        if staged.contents == .log {
            let none = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
            state.tree.apply(contents: try unsafe stage.add(contents: none, of: node), of: node)
        } else {
            staged.contents = .log
            try add([.node(node, staged)], to: &state)
            state.tree.apply(contents: 0..<0, of: node)
        }
        state.load = load
        try noteChange(of: node, &state) { $0 = 0 }
        return true
    }

    /// Gives contents in the log a file of their own.
    func moveFromLog(_ node: NodeID, _ state: inout StagedState) throws(FileSystemError) {
        let logged = loggedContents(of: node, state)
        let file = try stage.create(node)
        defer { Glibc.close(file) }
        do throws(FileSystemError) {
            try logged.copy(to: file)
            // What somebody has brought to the disk must be there before the log says that it is.
            if state.synchronized.contains(node) { try stage.synchronizeContents(file) }
            var staged = try state.staged(node)
            staged.contents = .data
            try add([.node(node, staged)], to: &state)
        } catch {
            stage.remove(node)
            throw error
        }
    }
}

extension LoggedContents {
    fileprivate func copy(to file: Int32) throws(FileSystemError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: place.count, alignment: 16)
        defer { unsafe buffer.deallocate() }
        guard try unsafe read(into: buffer, at: 0) == buffer.count else { throw .disk(EIO) }
        try unsafe StageFile.write(UnsafeRawBufferPointer(buffer), to: file, at: 0)
    }
}

/// Where the contents in a stage are read from when they are written to an image.
struct StagedSources {
    private let stage: Stage
    private let tree: StagedTree
    private let log: FileSource?

    init(_ stage: Stage, _ tree: StagedTree) throws(CommitError) {
        self.stage = stage
        self.tree = tree
        do throws(FormatError) {
            let log = try stage.log?.source()
            self.log = log
            if let log, let end = tree.logged.values.map(\.upperBound).max(),
                end > log.byteCount
            {
                throw .truncated(
                    Place("edit log", log.byteCount), needed: end &- log.byteCount, available: 0)
            }
        } catch {
            throw CommitError("\(printable(stage.path)): \(error)")
        }
    }

    subscript(node: NodeID) -> Content {
        guard tree.nodes[node]?.contents == .log else {
            return stage.content(of: node, byteCount: tree.sizes[node] ?? 0)
        }
        guard let log, let place = tree.logged[node] else { return .bytes([]) }
        return .source(
            WindowSource(
                log, from: place.lowerBound, count: place.upperBound &- place.lowerBound))
    }
}
