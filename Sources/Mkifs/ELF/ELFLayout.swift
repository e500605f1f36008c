public import Format

/// Where the segments and kept sections of an ELF file go in the file that an image holds.
///
/// An image's programs are used where they lie or copied by the loader: a segment with a `p_paddr` of 0
/// is copied, another is used in place, at a place in the image that is congruent with its address.
public struct ELFLayout: Sendable {
    /// One program header and what becomes of it.
    struct Placed: Sendable {
        let segment: ELF.Header.Segment
        let treatment: Treatment
    }

    enum Treatment: Sendable, Equatable {
        /// Its bytes go to an offset of the new file.
        case copied(at: UInt64, fileSize: UInt64, isInPlace: Bool)
        /// Its bytes are those of a segment that is copied, and now at this offset.
        case inside(at: UInt64)
        case kept
        /// It becomes PT_NULL.
        case voided
    }

    /// The segments, in the order of the program headers.
    let segments: [Placed]
    /// Where the section header table begins.
    let sectionsOffset: UInt64
    /// The section header table and what belongs to it; empty where no section is kept.
    let sections: KeptSections
    /// Bytes of the file.
    public let size: UInt64
    /// Whether the file is marked as one that runs only once, since what it writes to is the image.
    public let isRunOnce: Bool

    /// Bytes in memory of what is written and not used in place.
    public var copiedWritableSize: UInt64 {
        segments.reduce(0) { sum, placed in
            guard case .copied(_, _, isInPlace: false) = placed.treatment,
                placed.segment.isWritten
            else { return sum }
            return sum &+ placed.segment.memorySize
        }
    }

    /// Lays out a file that runs at `runAddress`. A layout `inAdvance` gives the size that the
    /// directory of some releases has: there a segment over the ELF header is put behind it. Sources:
    /// the golden images of 6.4, real ones of 6.4 to 8.0. Throws `unsupported` for what has no room in
    /// the file's class.
    public init(
        _ file: ELFFile, _ rules: Rules, runAddress: UInt64, inAdvance: Bool
    ) throws(FormatError) {
        var placing = ELFPlacing(file, rules, runAddress: runAddress, inAdvance: inAdvance)
        var treatments: [Treatment?] = []
        for segment in file.header.segments { treatments.append(try placing.copy(segment)) }
        segments = zip(file.header.segments, treatments).map { segment, treatment in
            Placed(segment: segment, treatment: treatment ?? placing.leave(segment))
        }
        sectionsOffset = placing.end
        sections = try KeptSections(file, rules, at: placing.end, placing.loads)
        isRunOnce = placing.writesToImage && rules.dialect.marks(file)
        let end = placing.end &+ sections.byteCount
        size = placing.endsInPlace ? end.rounded(up: rules.pageSize) : end
    }
}

/// Puts one segment of a file behind the other.
private struct ELFPlacing {
    private let file: ELFFile
    private let rules: ELFLayout.Rules
    private let runAddress: UInt64
    private let inAdvance: Bool
    /// What the LOADs of the source hold.
    private let loaded: ELFMoves
    /// Where the last segment ends.
    private(set) var end: UInt64
    /// Whether the last segment is used in place; the page that it ends in is then its own.
    private(set) var endsInPlace = false
    /// Whether something that is written to is used in place.
    private(set) var writesToImage = false
    /// The LOADs that are copied, and where they went.
    private(set) var loads = ELFMoves()

    init(_ file: ELFFile, _ rules: ELFLayout.Rules, runAddress: UInt64, inAdvance: Bool) {
        self.file = file
        self.rules = rules
        self.runAddress = runAddress
        self.inAdvance = inAdvance
        loaded = file.loaded
        end = file.headersEnd
    }

    /// Gives a segment its place if its bytes are to be in the new file; else nil.
    mutating func copy(
        _ segment: ELF.Header.Segment
    ) throws(FormatError) -> ELFLayout.Treatment? {
        guard isCopied(segment) else { return nil }
        let mask = mask(segment)
        let coversHeader = segment.type == ELFFile.SegmentType.load && segment.offset == 0
        let isFirst = end == file.headersEnd
        var place = coversHeader && isFirst && !inAdvance ? 0 : end
        var size = segment.fileSize
        if let mask {
            place = congruent(from: place, segment, mask)
            if isExtended(mask) { size = segment.memorySize }
            writesToImage = writesToImage || segment.isWritten
        }
        let (next, overflow) = place.addingReportingOverflow(size)
        guard !overflow, next <= file.allOnes else {
            throw .unsupported(
                Place("ELF segment", segment.offset), found: "\(size) bytes at \(hex(place))",
                expected: "an end of at most \(hex(file.allOnes))")
        }
        endsInPlace = mask != nil
        end = next
        if segment.type == ELFFile.SegmentType.load { loads.add(segment, at: place) }
        return .copied(at: place, fileSize: size, isInPlace: mask != nil)
    }

    /// What becomes of a header whose segment is not copied, once all others are.
    func leave(_ segment: ELF.Header.Segment) -> ELFLayout.Treatment {
        if segment.type == ELFFile.SegmentType.segmentRelocations { return .voided }
        switch rules.dialect.otherHeaders {
        case .voided: return segment.isKnownToLoaders ? .kept : .voided
        case .kept: return .kept
        case .moved:
            guard let offset = loads.place(of: segment.offset, count: segment.fileSize) else {
                return .kept
            }
            return .inside(at: offset)
        }
    }

    // MARK: Rules

    private func isCopied(_ segment: ELF.Header.Segment) -> Bool {
        guard segment.fileSize > 0 else { return false }
        switch segment.type {
        case ELFFile.SegmentType.load: return true
        case ELFFile.SegmentType.note:
            return rules.dialect.copiesNote(segment, loaded)
        case ELFFile.SegmentType.segmentRelocations:
            return !rules.isBootstrap && rules.keepsRelocations
        default: return false
        }
    }

    /// The bits in which place and address must agree; nil for a segment that the loader copies.
    private func mask(_ segment: ELF.Header.Segment) -> UInt64? {
        guard isUsedInPlace(segment) else { return nil }
        if rules.isBootstrap, !rules.hasBootAddress { return file.allOnes }
        let alignment = max(segment.alignment, 1)
        switch rules.dialect.useInPlace {
        case .asTold: return alignment &- 1
        // Pages are what is mapped; the file begins on one.
        case .always: return min(alignment, max(rules.pageSize, 1)) &- 1
        }
    }

    private func isUsedInPlace(_ segment: ELF.Header.Segment) -> Bool {
        switch rules.dialect.useInPlace {
        case .always: return segment.type == ELFFile.SegmentType.load
        case .asTold where segment.isWritten:
            return file.header.type == ELFFile.FileType.shared
                || rules.usesDataInPlace && (!rules.isSplit || rules.isBootstrap)
        case .asTold:
            return rules.usesCodeInPlace && segment.flags & ELFFile.SegmentFlag.execute != 0
        }
    }

    /// Whether what is zero in memory is in the file as well.
    private func isExtended(_ mask: UInt64) -> Bool {
        switch rules.dialect.useInPlace {
        case .always: rules.isBootstrap
        case .asTold: file.header.type != ELFFile.FileType.shared || mask == file.allOnes
        }
    }

    /// The first place from `start` on that agrees with the segment's address under the mask.
    private func congruent(
        from start: UInt64, _ segment: ELF.Header.Segment, _ mask: UInt64
    ) -> UInt64 {
        let distance = (segment.virtualAddress &- runAddress &- start) & mask
        return (start &+ distance) & file.allOnes
    }
}

/// Which bytes of a file went where.
struct ELFMoves: Sendable {
    private var moves: [(old: Range<UInt64>, new: UInt64)] = []

    mutating func add(_ segment: ELF.Header.Segment, at place: UInt64) {
        guard let range = segment.fileRange else { return }
        moves.append((range, place))
    }

    /// Where bytes of the old file are in the new one; nil where they, or a part of them, are not.
    func place(of offset: UInt64, count: UInt64) -> UInt64? {
        let (end, overflow) = offset.addingReportingOverflow(count)
        guard !overflow, count > 0 else { return nil }
        return moves.first { $0.old.lowerBound <= offset && end <= $0.old.upperBound }
            .map { $0.new &+ (offset &- $0.old.lowerBound) }
    }
}

extension ELFLayout.Dialect {
    /// Whether a note gets room of its own; `loaded` is what the LOADs of its file hold.
    func copiesNote(_ note: ELF.Header.Segment, _ loaded: ELFMoves) -> Bool {
        otherHeaders != .moved || loaded.place(of: note.offset, count: note.fileSize) == nil
    }

    /// Whether a file that writes to the image is marked.
    fileprivate func marks(_ file: ELFFile) -> Bool {
        switch runOnce {
        case .all: true
        case .butMovable: file.header.type != ELFFile.FileType.shared || file.isLibrary
        case .none: false
        }
    }
}

extension ELFFile {
    /// The highest address of the class.
    var allOnes: UInt64 { header.is64Bit ? .max : 0xffff_ffff }

    /// What the LOADs hold.
    var loaded: ELFMoves {
        var loaded = ELFMoves()
        for segment in header.segments where segment.type == SegmentType.load {
            loaded.add(segment, at: 0)
        }
        return loaded
    }
}

extension ELF.Header.Segment {
    var isWritten: Bool { flags & ELFFile.SegmentFlag.write != 0 }

    /// Where its bytes are in the file; nil for none.
    fileprivate var fileRange: Range<UInt64>? {
        let (end, overflow) = offset.addingReportingOverflow(fileSize)
        return overflow || fileSize == 0 ? nil : offset..<end
    }

    /// Whether it is one of those that even the oldest releases keep.
    fileprivate var isKnownToLoaders: Bool {
        switch type {
        case ELFFile.SegmentType.dynamic, ELFFile.SegmentType.interpreter,
            ELFFile.SegmentType.programHeaders:
            true
        default: false
        }
    }
}
