internal import Format

/// Which bytes of an image belong to which entry: every byte is given once.
struct DataMap {
    private let image: IFS.Image
    /// Where the directory's records end, and where the trailer begins.
    private let bounds: Range<UInt64>
    /// What entries have, in the order of the image; none overlap.
    private var taken: [Range<UInt64>] = []

    /// Zeros that part two remains, in bytes; shorter runs of them are kept.
    private static let blockSize = 4096
    /// Gaps that one processor looks at before it takes others.
    private static let share = 512

    /// Gives the entries of an image, files as extents so far, the bytes that are theirs alone. The
    /// names of a file become hard links to the first; what overlaps another file's data, or lies
    /// outside the data, stays an extent.
    init(_ entries: inout [Plan.Entry], of image: IFS.Image) {
        self.image = image
        let header = image.header
        let start = UInt64(header.directoryOffset) &+ UInt64(clamping: image.directory.end)
        let end =
            UInt64(header.imageSize)
            &- min(
                UInt64(header.imageSize), UInt64(header.trailerSize))
        bounds = start..<max(start, end)
        Self.joinLinks(&entries)
        let extents = entries.indices.compactMap { index in
            entries[index].extent.map { (index: index, range: $0) }
        }.sorted {
            ($0.range.lowerBound, $1.range.count, $0.index)
                < ($1.range.lowerBound, $0.range.count, $1.index)
        }
        var free = bounds.lowerBound
        for (index, range) in extents {
            guard !range.isEmpty else {
                entries[index].kind = .file(.bytes([]))
                continue
            }
            guard range.lowerBound >= free, range.upperBound <= bounds.upperBound else { continue }
            entries[index].kind = .file(
                .source(
                    WindowSource(
                        image.contents, from: range.lowerBound, count: UInt64(range.count))))
            taken.append(range)
            free = range.upperBound
        }
    }

    /// Entries of one number, place and size are one file. Where a number means something else as
    /// well, each entry is by itself: a hard link would not say which one it is of.
    private static func joinLinks(_ entries: inout [Plan.Entry]) {
        var firsts: [UInt32: Range<UInt64>] = [:]
        var doubtful: Set<UInt32> = [0]
        for entry in entries {
            guard let extent = entry.extent else {
                doubtful.insert(entry.inode)
                continue
            }
            if let first = firsts[entry.inode], first != extent { doubtful.insert(entry.inode) }
            firsts[entry.inode] = firsts[entry.inode] ?? extent
        }
        var seen: Set<UInt32> = []
        for index in entries.indices where entries[index].extent != nil {
            let inode = entries[index].inode
            guard !doubtful.contains(inode), !seen.insert(inode).inserted else { continue }
            entries[index].kind = .hardLink(to: inode)
            entries[index].place = .free
        }
    }

    // MARK: What is left

    /// What no entry has and is not zero.
    func remains() throws(FormatError) -> [Plan.Remain] {
        let gaps = gaps
        guard gaps.count > Self.share else { return try remains(in: gaps[...]) }
        let shares = Batch((gaps.count - 1) / Self.share + 1) { index throws(FormatError) in
            try remains(in: gaps[(index * Self.share)...].prefix(Self.share))
        }
        return try shares.values().flatMap { $0 }
    }

    /// What lies between the entries, in order.
    private var gaps: [Range<UInt64>] {
        var gaps: [Range<UInt64>] = []
        var position = bounds.lowerBound
        for range in taken + [bounds.upperBound..<bounds.upperBound] {
            if position < range.lowerBound { gaps.append(position..<range.lowerBound) }
            position = range.upperBound
        }
        return gaps
    }

    private func remains(
        in gaps: ArraySlice<Range<UInt64>>
    ) throws(FormatError) -> [Plan.Remain] {
        var remains: [Plan.Remain] = []
        for gap in gaps { try add(gap, to: &remains) }
        return remains
    }

    /// Adds what of a gap is not zero, parted where whole blocks of it are zeros.
    private func add(
        _ gap: Range<UInt64>, to remains: inout [Plan.Remain]
    ) throws(FormatError) {
        var open: Range<UInt64>?
        var position = gap.lowerBound
        while position < gap.upperBound {
            let count = min(1 << 20, gap.upperBound &- position)
            let bytes = try image.contents.bytes(count, at: position, "data of the image")
            for start in stride(from: 0, to: bytes.count, by: Self.blockSize) {
                let block = bytes[start..<min(start + Self.blockSize, bytes.count)]
                guard let first = block.firstIndex(where: { $0 != 0 }),
                    let last = block.lastIndex(where: { $0 != 0 })
                else {
                    close(&open, &remains)
                    continue
                }
                let lower = open?.lowerBound ?? (position &+ UInt64(first))
                open = lower..<(position &+ UInt64(last) &+ 1)
            }
            position &+= count
        }
        close(&open, &remains)
    }

    private func close(_ open: inout Range<UInt64>?, _ remains: inout [Plan.Remain]) {
        guard let range = open else { return }
        open = nil
        let source = WindowSource(
            image.contents, from: range.lowerBound, count: UInt64(range.count))
        remains.append(Plan.Remain(at: range.lowerBound, .source(source)))
    }
}

extension Plan.Entry {
    /// Where the bytes of an extent lie; nil for another kind.
    fileprivate var extent: Range<UInt64>? {
        guard case .extent(let byteCount) = kind, case .fixed(let offset) = place else {
            return nil
        }
        return offset..<(offset &+ UInt64(byteCount))
    }
}
