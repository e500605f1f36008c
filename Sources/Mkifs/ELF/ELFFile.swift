public import Format

/// An ELF file as mkifs takes it apart: its headers, and its bytes where they are needed.
public struct ELFFile: Sendable {
    /// One entry of the section header table; addresses and sizes in bytes.
    public struct Section: Equatable, Sendable {
        /// The section's name.
        public var name: [UInt8]
        /// `sh_type`.
        public var type: UInt32
        /// `sh_flags`.
        public var flags: UInt64
        /// `sh_addr`.
        public var address: UInt64
        /// `sh_offset`.
        public var offset: UInt64
        /// `sh_size`.
        public var size: UInt64
        /// `sh_link`.
        public var link: UInt32
        /// `sh_info`.
        public var info: UInt32
        /// `sh_addralign`.
        public var alignment: UInt64
        /// `sh_entsize`.
        public var entrySize: UInt64
    }

    /// `p_type` values that mkifs treats differently. Source: the System V ABI; `PT_SEGREL` is QNX's.
    enum SegmentType {
        static let null: UInt32 = 0
        static let load: UInt32 = 1
        static let dynamic: UInt32 = 2
        static let interpreter: UInt32 = 3
        static let note: UInt32 = 4
        static let programHeaders: UInt32 = 6
        static let segmentRelocations: UInt32 = 0x4001
    }

    /// `p_flags`.
    enum SegmentFlag {
        static let execute: UInt32 = 1
        static let write: UInt32 = 2
    }

    /// `e_type`.
    enum FileType {
        static let relocatable: UInt16 = 1
        static let executable: UInt16 = 2
        static let shared: UInt16 = 3
    }

    /// The file's bytes.
    public let source: any ByteSource
    /// The header and the program headers.
    public let header: ELF.Header
    /// The sections, the null section at the front included; none where there is no table.
    public let sections: [Section]

    /// Whether the bytes begin as an ELF file does.
    public static func isELF(_ source: any ByteSource) throws(FormatError) -> Bool {
        try source.prefix(4, at: 0) == [0x7f, 0x45, 0x4c, 0x46]
    }

    /// Reads the tables. Throws `corrupt` or `truncated` where they are not whole.
    public init(_ source: any ByteSource) throws(FormatError) {
        self.source = source
        guard let head = ELF.Header(try source.prefix(64, at: 0)) else {
            throw .corrupt(
                Place("ELF header", 0), found: "no whole header", expected: "52 or 64 bytes")
        }
        let tableSize = UInt64(head.programHeaderSize) &* UInt64(head.programHeaderCount)
        let table = try Self.table(
            source, head.programHeaderOffset, tableSize, "ELF program header table")
        // The header reads its table where it stands: behind as many bytes as come before it.
        let lead = try source.prefix(Int(clamping: head.programHeaderOffset), at: 0)
        guard head.programHeaderOffset <= 1 << 20, let whole = ELF.Header(lead + table),
            whole.segments.count == Int(head.programHeaderCount)
        else {
            throw .corrupt(
                Place("ELF header.e_phoff", 0), found: hex(head.programHeaderOffset),
                expected: "a whole table of program headers in the first MiB")
        }
        header = whole
        sections = try Self.sections(source, whole)
    }

    /// Bytes of the ELF header of this class.
    var headerByteCount: Int { header.is64Bit ? 64 : 52 }
    /// Bytes of a program header of this class.
    var segmentByteCount: Int { header.is64Bit ? 56 : 32 }
    /// Bytes of a section header of this class.
    var sectionByteCount: Int { header.is64Bit ? 64 : 40 }
    /// Where the program headers of a file that mkifs has laid out end.
    var headersEnd: UInt64 {
        UInt64(headerByteCount + segmentByteCount * header.segments.count)
    }

    private static func table(
        _ source: any ByteSource, _ offset: UInt64, _ size: UInt64, _ name: String
    ) throws(FormatError) -> [UInt8] {
        try source.bytes(size, at: offset, name)
    }

    private static func sections(
        _ source: any ByteSource, _ header: ELF.Header
    ) throws(FormatError) -> [Section] {
        let step = header.is64Bit ? 64 : 40
        guard header.sectionHeaderCount > 0, header.sectionHeaderOffset > 0 else { return [] }
        guard Int(header.sectionHeaderSize) == step else {
            throw .corrupt(
                Place("ELF header.e_shentsize", 0), found: "\(header.sectionHeaderSize)",
                expected: "\(step)")
        }
        let bytes = try table(
            source, header.sectionHeaderOffset,
            UInt64(step) &* UInt64(header.sectionHeaderCount), "ELF section header table")
        var found: [(Section, UInt32)] = []
        for index in 0..<Int(header.sectionHeaderCount) {
            var words = Words(bytes, at: index * step, header)
            found.append(words.section())
        }
        guard Int(header.sectionNameIndex) < found.count else { return found.map(\.0) }
        let table = found[Int(header.sectionNameIndex)].0
        let names = try source.bytes(
            min(table.size, 1 << 24), at: table.offset, "ELF section names")
        return found.map { section, name in
            var section = section
            section.name = Array(names.dropFirst(Int(clamping: name)).prefix { $0 != 0 })
            return section
        }
    }
}

/// Reads the words of an ELF table in order, which the caller has made sure are there.
private struct Words {
    private let bytes: [UInt8]
    private var position: Int
    private let header: ELF.Header

    init(_ bytes: [UInt8], at position: Int, _ header: ELF.Header) {
        self.bytes = bytes
        self.position = position
        self.header = header
    }

    mutating func section() -> (ELFFile.Section, name: UInt32) {
        let name = word()
        let section = ELFFile.Section(
            name: [], type: word(), flags: wide(), address: wide(), offset: wide(), size: wide(),
            link: word(), info: word(), alignment: wide(), entrySize: wide())
        return (section, name)
    }

    private mutating func word() -> UInt32 { UInt32(truncatingIfNeeded: take(4)) }

    private mutating func wide() -> UInt64 { take(header.is64Bit ? 8 : 4) }

    private mutating func take(_ count: Int) -> UInt64 {
        let found = bytes[position..<(position + count)]
        position += count
        let ordered = header.order == .little ? Array(found.reversed()) : Array(found)
        return ordered.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
