public import Format
internal import Glibc

/// Of a large file only the pieces that are changed come to the stage; the volume has the others.
///
/// What the edit log says is borrowed, up to the end of the file in the stage, always is: bytes are
/// copied and brought to the disk before the log tells of it, and where a file was cut the log says so
/// before the file grows again.
extension StagedFileSystem {
    /// The file's bytes, from the stage and from the volume.
    public func read(
        _ node: NodeID, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FileSystemError) -> Int {
        let place = try withState { state throws(FileSystemError) -> Contents in
            try contentsPlace(of: node, &state)
        }
        if let logged = place.logged { return try unsafe logged.read(into: buffer, at: offset) }
        guard let file = place.file else {
            return try format { () throws(FormatError) in
                try unsafe place.base.read(node, into: buffer, at: offset)
            }
        }
        defer { file.done() }
        var done = 0
        while done < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let (count, isEnd) = try unsafe read(
                node, from: place, file, into: rest, at: offset &+ UInt64(done))
            done &+= count
            if isEnd { break }
        }
        return done
    }

    /// Where the bytes of a file are.
    private struct Contents {
        let base: any Volume
        /// What has the bytes that the volume has not; nil where it has all.
        let file: Handle?
        let borrowed: RangeSet<UInt64>
        /// What has them all, where it is not nil.
        var logged: LoggedContents?
    }

    private func contentsPlace(
        of node: NodeID, _ state: inout StagedState
    ) throws(FileSystemError) -> Contents {
        try state.requireFile(node)
        let base = state.tree.base
        switch state.tree.nodes[node]?.contents ?? .base {
        case .base:
            try state.watch?.check()
            return Contents(base: base, file: nil, borrowed: RangeSet())
        case .log:
            return Contents(
                base: base, file: nil, borrowed: RangeSet(), logged: loggedContents(of: node, state)
            )
        case .data: break
        }
        let borrowed = state.tree.borrowed(node)
        if !borrowed.isEmpty { try state.watch?.check() }
        return Contents(base: base, file: try handle(of: node, &state), borrowed: borrowed)
    }

    /// Bytes from one of the two, up to where the other has them; and whether the file ends there.
    private func read(
        _ node: NodeID, from place: Contents, _ file: Handle,
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: UInt64
    ) throws(FileSystemError) -> (count: Int, isEnd: Bool) {
        let range = place.borrowed.ranges.first { $0.upperBound > offset }
        let isBorrowed = range.map { $0.lowerBound <= offset } ?? false
        let limit = (isBorrowed ? range?.upperBound : range?.lowerBound) ?? .max
        let wanted = Int(clamping: min(UInt64(buffer.count), limit &- offset))
        let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
        let count: Int
        if isBorrowed {
            count = try format { () throws(FormatError) in
                try unsafe place.base.read(node, into: part, at: offset)
            }
        } else {
            count = try unsafe StageFile.read(file.descriptor, into: part, at: offset)
        }
        return (count, count < wanted)
    }

    /// Has the file of the stage hold what is to be changed.
    func bring(
        _ range: Range<UInt64>, of node: NodeID, to file: Int32, _ state: inout StagedState
    ) throws(FileSystemError) {
        var staged = try state.staged(node)
        let size = state.tree.sizes[node] ?? 0
        let borrowed = state.tree.borrowed(node)
        let wasCut = borrowed != staged.borrowed && range.upperBound > size
        guard wasCut || !borrowed.isDisjoint(RangeSet(range)) else { return }
        staged.borrowed = borrowed
        try copy(range, of: node, &staged, size: size, to: file, state)
        try add([.node(node, staged)], to: &state)
    }

    /// Copies what is borrowed of a range and around it. The more is in the stage already the more comes,
    /// so that many small changes do not each wait for the disk.
    func copy(
        _ range: Range<UInt64>, of node: NodeID, _ staged: inout StagedNode, size: UInt64,
        to file: Int32, _ state: StagedState
    ) throws(FileSystemError) {
        let owned = size &- staged.borrowed.ranges.reduce(0) { $0 &+ UInt64($1.count) }
        let around = range.isEmpty ? 0 : owned / 2
        let piece = limits.pieceSize
        let start = range.lowerBound &- min(range.lowerBound, around)
        let end = min(range.upperBound, size) &+ around &+ (piece &- 1)
        guard start < end, !range.isEmpty else { return try synchronize(file) }
        let window = RangeSet((start / piece &* piece)..<(end / piece &* piece))
        let wanted = staged.borrowed.intersection(window)
        if !wanted.isEmpty { try state.watch?.check() }
        for part in wanted.ranges { try StageFile.copy(state.tree.base, node, part, to: file) }
        try synchronize(file)
        staged.borrowed.subtract(wanted)
    }

    /// From now on its bytes are the only ones that count.
    private func synchronize(_ file: Int32) throws(FileSystemError) {
        guard fdatasync(file) == 0 else { throw .disk(errno) }
    }
}

extension StagedTree {
    /// What of a file in the stage is in the volume.
    func borrowed(_ node: NodeID) -> RangeSet<UInt64> {
        guard var borrowed = nodes[node]?.borrowed, !borrowed.isEmpty else { return RangeSet() }
        borrowed.remove(contentsOf: (sizes[node] ?? 0)..<(.max))
        return borrowed
    }
}
