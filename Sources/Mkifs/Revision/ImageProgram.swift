internal import Format

/// What of an ELF file in an image depends on the place where it lies.
///
/// A segment that is used in place has its physical address in `p_paddr`; one that the loader copies
/// has 0 there. Code whose virtual address is where it lies was linked for that place.
struct ImageProgram {
    /// Where a file's first byte lies on the target, as far as that is known.
    struct Address {
        /// In physical memory.
        let physical: UInt64
        /// As the image was linked: without the bias.
        let linked: UInt64
    }

    /// Whether it works at its place only.
    let isFixed: Bool
    /// It can move by multiples of so many bytes.
    let unit: UInt64
    private let header: ELF.Header
    /// What `p_paddr` of a segment in place has more than `p_offset`; nil where none is in place.
    private let origin: UInt64?

    /// Takes a file of an image apart; nil for one that is no ELF file or has no whole headers, and
    /// so depends on nothing. `isProcessed` says whether mkifs has laid it out.
    init?(
        _ source: any ByteSource, isProcessed: Bool, at address: Address, pageSize: UInt64,
        bias: UInt64
    ) throws(FormatError) {
        guard let header = try Self.header(of: source) else { return nil }
        self.header = header
        let mask = header.allOnes
        let inPlace = header.segments.filter {
            $0.type == ELFFile.SegmentType.load && $0.fileSize > 0 && $0.physicalAddress != 0
                && (isProcessed
                    || ($0.physicalAddress &- $0.offset) & mask == address.physical & mask)
        }
        origin = inPlace.first.map { ($0.physicalAddress &- $0.offset) & mask }
        isFixed = inPlace.contains { segment in
            let place = segment.physicalAddress
            return segment.virtualAddress == place
                || segment.virtualAddress == (place &- bias) & mask
                || segment.virtualAddress == (address.linked &+ segment.offset) & mask
        }
        unit = inPlace.reduce(1) {
            max($0, Self.unit(of: $1, pageSize: pageSize, bias: bias))
        }
    }

    /// The header with all program headers; nil for what no loader takes for a program.
    private static func header(of source: any ByteSource) throws(FormatError) -> ELF.Header? {
        guard let head = ELF.Header(try source.prefix(64, at: 0)),
            head.programHeaderOffset <= 1 << 20
        else { return nil }
        let size = UInt64(head.programHeaderSize) &* UInt64(head.programHeaderCount)
        let whole = ELF.Header(
            try source.prefix(Int(clamping: max(64, head.programHeaderOffset &+ size)), at: 0))
        return whole?.segments.count == Int(head.programHeaderCount) ? whole : nil
    }

    /// By how much a segment can move: its address and its place stay congruent.
    private static func unit(
        of segment: ELF.Header.Segment, pageSize: UInt64, bias: UInt64
    ) -> UInt64 {
        let alignment = segment.alignment
        let isPower = alignment > 0 && alignment & (alignment &- 1) == 0
        let distance = segment.virtualAddress &- (segment.physicalAddress &- bias)
        guard isPower, alignment <= mostAlignment, distance & (alignment &- 1) == 0 else {
            return pageSize
        }
        return max(alignment, pageSize)
    }

    private static let mostAlignment: UInt64 = 1 << 30

    /// Whether both have the same headers: one is the other with other bytes in its segments.
    func hasHeaders(of other: ImageProgram) -> Bool { header == other.header }

    /// The file for a place that is `distance` bytes further on.
    func moved(
        _ source: any ByteSource, by distance: UInt64
    ) throws(FormatError) -> any ByteSource {
        guard let origin, distance != 0 else { return source }
        let mask = header.allOnes
        let step = UInt64(header.programHeaderSize)
        var table = try source.bytes(
            step &* UInt64(header.segments.count), at: header.programHeaderOffset,
            "ELF program headers")
        for (index, segment) in header.segments.enumerated()
        where segment.physicalAddress != 0
            && (segment.physicalAddress &- segment.offset) & mask == origin
        {
            let row = header.bytes(
                of: segment.with(physicalAddress: (segment.physicalAddress &+ distance) & mask))
            let start = index * Int(step)
            table.replaceSubrange(start..<(start + row.count), with: row)
        }
        let start = header.programHeaderOffset
        let end = start &+ UInt64(table.count)
        return try AssembledSource(
            [
                AssembledSource.Part(at: 0, WindowSource(source, from: 0, count: start)),
                AssembledSource.Part(at: start, MemorySource(table)),
                AssembledSource.Part(
                    at: end, WindowSource(source, from: end, count: source.byteCount &- end)),
            ], byteCount: source.byteCount)
    }
}

extension ELF.Header {
    /// The highest address of the class.
    fileprivate var allOnes: UInt64 { is64Bit ? .max : 0xffff_ffff }
}
