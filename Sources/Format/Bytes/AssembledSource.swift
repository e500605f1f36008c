/// Bytes put together of parts of other sources, zeros between them.
public struct AssembledSource: ByteSource {
    /// Ranges in which a source is known to have zeros: sorted, and none reaches into the next.
    struct Zeros: Sendable {
        let source: any ByteSource & AnyObject
        let ranges: [Range<UInt64>]

        /// How many zeros there are from `offset` on.
        fileprivate func count(at offset: UInt64) -> UInt64 {
            var low = 0
            var high = ranges.count
            while low < high {
                let middle = (low &+ high) / 2
                if ranges[middle].upperBound > offset { high = middle } else { low = middle &+ 1 }
            }
            guard low < ranges.count, ranges[low].contains(offset) else { return 0 }
            return ranges[low].upperBound &- offset
        }
    }

    /// A source, and where its first byte stands in the whole.
    public struct Part: Sendable {
        let offset: UInt64
        let source: any ByteSource

        /// A part at a byte offset.
        public init(at offset: UInt64, _ source: any ByteSource) {
            self.offset = offset
            self.source = source
        }

        /// The same so many bytes later.
        public func moved(by distance: UInt64) -> Part { Part(at: offset &+ distance, source) }

        fileprivate var end: UInt64 { offset &+ source.byteCount }
    }

    /// Bytes of the whole.
    public let byteCount: UInt64
    /// Sorted; none reaches into the next.
    private let parts: [Part]
    /// Whether a part goes on where the one before it stood in the same source: one read gives both.
    private let goesOn: [Bool]
    private let zeros: Zeros?

    /// Bytes between two parts that are read with them rather than apart.
    private static let widestGap: UInt64 = 64

    /// The parts in a whole of `byteCount` bytes. Throws `corrupt` where two overlap or one reaches
    /// beyond the end.
    public init(_ parts: [Part], byteCount: UInt64) throws(FormatError) {
        try self.init(parts, byteCount: byteCount, zeros: nil)
    }

    /// The same; zeros between the parts are those of `zeros` where it has some at the same offset.
    init(_ parts: [Part], byteCount: UInt64, zeros: Zeros?) throws(FormatError) {
        self.zeros = zeros
        let sorted = parts.filter { $0.source.byteCount > 0 }.sorted { $0.offset < $1.offset }
        var end: UInt64 = 0
        for part in sorted {
            let (last, overflow) = part.offset.addingReportingOverflow(part.source.byteCount)
            guard part.offset >= end, !overflow, last <= byteCount else {
                throw .corrupt(
                    Place("part of the image", part.offset),
                    found: "\(part.source.byteCount) bytes from \(hex(part.offset)) on",
                    expected: "bytes between \(hex(end)) and \(hex(byteCount))")
            }
            end = last
        }
        self.parts = sorted
        goesOn = sorted.indices.map { $0 > 0 && Self.goesOn(sorted[$0 - 1], sorted[$0]) }
        self.byteCount = byteCount
    }

    private static func goesOn(_ part: Part, _ next: Part) -> Bool {
        guard let one = part.source as? WindowSource, let other = next.source as? WindowSource,
            other.start >= one.start,
            other.start &- one.start == next.offset &- part.offset,
            next.offset &- part.end <= widestGap
        else { return false }
        return one.whole as AnyObject === other.whole as AnyObject
    }

    /// What the parts have there, and zeros.
    public func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int {
        guard offset < byteCount else { return 0 }
        let end = offset &+ min(UInt64(buffer.count), byteCount &- offset)
        var position = offset
        var index = firstPart(endingAfter: offset)
        while position < end {
            let part = index < parts.count ? parts[index] : nil
            let start = min(part?.offset ?? end, end)
            if position < start {
                unsafe fill(buffer, from: position &- offset, to: start &- offset)
                position = start
            } else if let part {
                var last = index
                while last &+ 1 < parts.count, goesOn[last &+ 1], parts[last &+ 1].offset < end {
                    last &+= 1
                }
                let stop = min(parts[last].end, end)
                try unsafe copy(part, position..<stop, to: buffer, from: offset)
                for place in index..<last {
                    unsafe fill(
                        buffer, from: max(parts[place].end, position) &- offset,
                        to: parts[place &+ 1].offset &- offset)
                }
                position = stop
                index = last &+ 1
            }
        }
        return Int(clamping: end &- offset)
    }

    /// The part's; zeros are anybody's, but for those that are known.
    public func stretch(at offset: UInt64) -> Stretch {
        let index = firstPart(endingAfter: offset)
        let part = index < parts.count ? parts[index] : nil
        guard let part, part.offset <= offset else {
            let end = part?.offset ?? byteCount
            let count = end &- min(offset, end)
            guard let zeros, count > 0 else {
                return Stretch(root: nil, offset: offset, count: count)
            }
            let known = zeros.count(at: offset)
            return known > 0
                ? Stretch(root: zeros.source, offset: offset, count: min(known, count))
                : Stretch(root: nil, offset: offset, count: count)
        }
        return part.source.stretch(at: offset &- part.offset).prefix(part.end &- offset)
    }

    private func firstPart(endingAfter offset: UInt64) -> Int {
        var low = 0
        var high = parts.count
        while low < high {
            let middle = (low &+ high) / 2
            if parts[middle].end > offset { high = middle } else { low = middle &+ 1 }
        }
        return low
    }

    private func fill(
        _ buffer: UnsafeMutableRawBufferPointer, from start: UInt64, to end: UInt64
    ) {
        let range = Int(clamping: start)..<Int(clamping: end)
        unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[range])
            .initializeMemory(as: UInt8.self, repeating: 0)
    }

    private func copy(
        _ part: Part, _ range: Range<UInt64>, to buffer: UnsafeMutableRawBufferPointer,
        from offset: UInt64
    ) throws(FormatError) {
        let place =
            Int(clamping: range.lowerBound &- offset)..<Int(clamping: range.upperBound &- offset)
        var (source, start) = (part.source, range.lowerBound &- part.offset)
        if range.upperBound > part.end, let window = part.source as? WindowSource {
            (source, start) = (window.whole, start &+ window.start)
        }
        let count = try unsafe source.read(
            into: UnsafeMutableRawBufferPointer(rebasing: buffer[place]), at: start)
        guard count == place.count else {
            throw .truncated(
                Place("part of the image", range.lowerBound), needed: UInt64(place.count),
                available: UInt64(count))
        }
    }
}
