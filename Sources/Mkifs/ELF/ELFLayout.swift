public import Format

/// Where the segments and kept sections of an ELF file go in the file that an image holds.
///
/// An image's programs are used where they lie or copied by the loader: a segment with a `p_paddr` of 0
/// is copied, another is used in place, at a place in the image that is congruent with its address.
public struct ELFLayout: Sendable {
    /// What releases do differently.
    public struct Dialect: Equatable, Sendable {
        /// Whether the size in the directory comes from a layout made in advance, in which a segment
        /// over the ELF header lies behind it.
        public var measuresInAdvance: Bool
        /// Whether a program that is written to in the image is marked as one that runs once.
        public var marksRunOnce: Bool

        /// Up to 6.4.
        public static let v64 = Dialect(measuresInAdvance: true, marksRunOnce: true)
        /// 6.6 to 7.1.
        public static let v66 = Dialect(measuresInAdvance: true, marksRunOnce: true)
        /// From 8.0 on.
        public static let v80 = Dialect(measuresInAdvance: false, marksRunOnce: false)
    }

    /// What decides the layout besides the file itself.
    public struct Rules: Equatable, Sendable {
        /// What the release does.
        public var dialect = Dialect.v64
        /// `code=uip`: segments that are executed and not written are used in place.
        public var usesCodeInPlace = true
        /// `data=uip`: segments that are written are used in place.
        public var usesDataInPlace = true
        /// The image is split: what is written lies in RAM, but for bootstrap executables.
        public var isSplit = false
        /// The file is a bootstrap executable.
        public var isBootstrap = false
        /// The bootfile gives bootstrap executables an address of their own (`vboot=`).
        public var hasBootAddress = false
        /// Bytes of a page.
        public var pageSize: UInt64 = 4096
        /// Whether segments of relocations stay: `+relocs`.
        public var keepsRelocations = true
        /// Names of the sections that stay.
        public var keptSections: [[UInt8]] = []

        /// The rules of an ordinary file in a bootable image.
        public init() {}
    }

    /// One segment of the file and what becomes of it.
    struct Placed: Sendable {
        let segment: ELF.Header.Segment
        /// Where its bytes go; nil for one that is not copied.
        let offset: UInt64?
        /// The new `p_filesz`.
        let fileSize: UInt64
        let isInPlace: Bool
    }

    /// The segments, in the order of the program headers.
    let segments: [Placed]
    /// Where the section header table begins.
    let sectionsOffset: UInt64
    /// The table, the kept sections and their names; none is kept if it is empty.
    let sections: [UInt8]
    let keptCount: Int
    /// Bytes of the file.
    public let size: UInt64
    /// Bytes in memory of what is written and not used in place.
    public var copiedWritableSize: UInt64 {
        segments.reduce(0) { sum, placed in
            let isCopied =
                placed.offset != nil && !placed.isInPlace
                && placed.segment.flags & ELFFile.SegmentFlag.write != 0
            return isCopied ? sum &+ placed.segment.memorySize : sum
        }
    }
    /// Whether what the program writes to is in the image: it can be run only once.
    public let isRunOnce: Bool

    /// Lays out a file that runs at `runAddress`. A layout `inAdvance` gives the size that the
    /// directory has: there a segment over the ELF header is put behind it. Proved by the golden
    /// images of 6.4. Throws `unsupported` for what has no room in the file's class.
    public init(
        _ file: ELFFile, _ rules: Rules, runAddress: UInt64, inAdvance: Bool
    ) throws(FormatError) {
        var placed: [Placed] = []
        var end = file.headersEnd
        var endsInPlace = false
        var isRunOnce = false
        for segment in file.header.segments {
            guard Self.isCopied(segment, rules) else {
                placed.append(Placed(segment: segment, offset: nil, fileSize: 0, isInPlace: false))
                continue
            }
            let mask = Self.mask(segment, file, rules)
            let coversHeader = segment.type == ELFFile.SegmentType.load && segment.offset == 0
            var place = coversHeader && !inAdvance ? 0 : end
            var size = segment.fileSize
            if let mask {
                place = Self.congruent(from: place, segment, runAddress, mask, file)
                let isLibrary = file.header.type == ELFFile.FileType.shared
                size =
                    isLibrary && mask != file.allOnes ? segment.fileSize : segment.memorySize
                isRunOnce = isRunOnce || segment.flags & ELFFile.SegmentFlag.write != 0
            }
            let (next, overflow) = place.addingReportingOverflow(size)
            guard !overflow, next <= file.allOnes else {
                throw .unsupported(
                    Place("ELF segment", segment.offset), found: "\(size) bytes at \(hex(place))",
                    expected: "an end of at most \(hex(file.allOnes))")
            }
            placed.append(
                Placed(segment: segment, offset: place, fileSize: size, isInPlace: mask != nil))
            endsInPlace = mask != nil
            end = next
        }
        let kept = try KeptSections(file, rules.keptSections, at: end)
        segments = placed
        sectionsOffset = end
        sections = kept.bytes
        keptCount = kept.count
        self.isRunOnce = isRunOnce
        end &+= UInt64(kept.bytes.count)
        let page = max(rules.pageSize, 1)
        size = endsInPlace ? (end &+ page &- 1) / page &* page : end
    }

    /// Whether a segment's bytes are in the new file.
    private static func isCopied(_ segment: ELF.Header.Segment, _ rules: Rules) -> Bool {
        guard segment.fileSize > 0 else { return false }
        switch segment.type {
        case ELFFile.SegmentType.load, ELFFile.SegmentType.note: return true
        case ELFFile.SegmentType.segmentRelocations:
            return !rules.isBootstrap && rules.keepsRelocations
        default: return false
        }
    }

    /// The bits in which place and address must agree; nil for a segment that the loader copies.
    private static func mask(
        _ segment: ELF.Header.Segment, _ file: ELFFile, _ rules: Rules
    ) -> UInt64? {
        let isShared = file.header.type == ELFFile.FileType.shared
        let isWritten = segment.flags & ELFFile.SegmentFlag.write != 0
        let isUsed =
            isWritten
            ? isShared || rules.usesDataInPlace && (!rules.isSplit || rules.isBootstrap)
            : rules.usesCodeInPlace && segment.flags & ELFFile.SegmentFlag.execute != 0
        guard isUsed else { return nil }
        if rules.isBootstrap, !rules.hasBootAddress { return file.allOnes }
        return max(segment.alignment, 1) &- 1
    }

    /// The first place from `start` on that agrees with the segment's address under the mask.
    private static func congruent(
        from start: UInt64, _ segment: ELF.Header.Segment, _ runAddress: UInt64, _ mask: UInt64,
        _ file: ELFFile
    ) -> UInt64 {
        let distance = (segment.virtualAddress &- runAddress &- start) & mask
        return (start &+ distance) & file.allOnes
    }
}

extension ELFFile {
    /// The highest address of the class.
    var allOnes: UInt64 { header.is64Bit ? .max : 0xffff_ffff }
}

/// The section header table of a file of which a few sections stay: the null header, those kept in
/// the reverse order of the source, `.shstrtab`; behind it their bytes and their names.
struct KeptSections {
    let bytes: [UInt8]
    let count: Int

    init(_ file: ELFFile, _ names: [[UInt8]], at offset: UInt64) throws(FormatError) {
        let kept = file.sections.dropFirst().reversed().filter { names.contains($0.name) }
        count = kept.count
        guard !kept.isEmpty else {
            bytes = []
            return
        }
        let step = file.header.sectionByteCount
        let base = offset &+ UInt64(step * (kept.count + 2))
        var headers = [UInt8](repeating: 0, count: step)
        var contents: [UInt8] = []
        var texts: [UInt8] = [0] + Array(".shstrtab".utf8) + [0]
        for section in kept {
            var moved = section
            moved.offset = base &+ UInt64(contents.count)
            headers += file.header.bytes(of: moved, name: UInt32(clamping: texts.count))
            contents += try file.source.bytes(
                section.size, at: section.offset, "ELF section \(printable(section.name))")
            texts += section.name + [0]
        }
        let names = ELF.Section(
            namesAt: base &+ UInt64(contents.count), size: UInt64(texts.count))
        bytes = headers + file.header.bytes(of: names, name: 1) + contents + texts
    }
}
