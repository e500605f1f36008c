extension ELF {
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
}

extension ELF.Section {
    /// A table of names, such as `.shstrtab`: `size` bytes at `offset` of the file.
    public init(namesAt offset: UInt64, size: UInt64) {
        self.init(
            name: [], type: 3, flags: 0, address: 0, offset: offset, size: size, link: 0, info: 0,
            alignment: 1, entrySize: 0)
    }
}

extension ELF.Header {
    /// Bytes of the ELF header of this class.
    public var byteCount: Int { is64Bit ? 64 : 52 }
    /// Bytes of a program header of this class.
    public var segmentByteCount: Int { is64Bit ? 56 : 32 }
    /// Bytes of a section header of this class.
    public var sectionByteCount: Int { is64Bit ? 64 : 40 }
    /// The largest table of section names that is read.
    private static let mostNames: UInt64 = 1 << 24

    // MARK: Reading

    /// The sections of the file that the header is of, the null section included; none where there is
    /// no table. Throws `corrupt` or `truncated` where the table is not whole.
    public func sections(in file: any ByteSource) throws(FormatError) -> [ELF.Section] {
        guard sectionHeaderCount > 0, sectionHeaderOffset > 0 else { return [] }
        guard Int(sectionHeaderSize) == sectionByteCount else {
            throw .corrupt(
                Place("ELF header.e_shentsize", 0), found: "\(sectionHeaderSize)",
                expected: "\(sectionByteCount)")
        }
        let bytes = try file.bytes(
            UInt64(sectionByteCount) &* UInt64(sectionHeaderCount), at: sectionHeaderOffset,
            "ELF section header table")
        let found = try bytes.parsed { span throws(FormatError) in
            var found: [(section: ELF.Section, name: UInt32)] = []
            for index in 0..<Int(sectionHeaderCount) {
                var reader = ELFWordReader(
                    span, index &* sectionByteCount, order, is64Bit: is64Bit)
                found.append(try reader.section(span))
            }
            return found
        }
        guard Int(sectionNameIndex) < found.count else { return found.map(\.section) }
        let table = found[Int(sectionNameIndex)].section
        let names = try file.bytes(
            min(table.size, Self.mostNames), at: table.offset, "ELF section names")
        return found.map { section, name in
            var section = section
            section.name = Array(names.dropFirst(Int(clamping: name)).prefix { $0 != 0 })
            return section
        }
    }

    /// Tags and values of a dynamic segment's bytes, up to the one that ends it.
    public func dynamicEntries(in table: [UInt8]) -> [(tag: UInt64, value: UInt64)] {
        let size = is64Bit ? 16 : 8
        let entries = try? table.parsed { span throws(FormatError) in
            var entries: [(tag: UInt64, value: UInt64)] = []
            for index in 0..<(table.count / size) {
                var reader = ELFWordReader(span, index &* size, order, is64Bit: is64Bit)
                let entry = (tag: try reader.address(span), value: try reader.address(span))
                if entry.tag == 0 { break }
                entries.append(entry)
            }
            return entries
        }
        // No entry reaches beyond the bytes, so nothing is lost.
        return entries ?? []
    }

    // MARK: Writing

    /// The header's own bytes, `old`, with its tables elsewhere: the program headers right behind it,
    /// and `sectionCount` section headers, of which that with number `nameIndex` has the names, at
    /// `sectionsOffset`. With none, the fields are 0. Source of the offsets: the System V ABI,
    /// chapter 4.
    public func moved(
        _ old: [UInt8], sectionsOffset: UInt64, sectionCount: Int, nameIndex: Int
    ) -> [UInt8] {
        var bytes = old
        let hasSections = sectionCount > 0
        let at: (phoff: Int, shoff: Int, shentsize: Int) = is64Bit ? (32, 40, 58) : (28, 32, 46)
        bytes.write(wide: UInt64(byteCount), at: at.phoff, self)
        bytes.write(wide: hasSections ? sectionsOffset : 0, at: at.shoff, self)
        let counts = hasSections ? [sectionByteCount, sectionCount, nameIndex] : [0, 0, 0]
        for (index, value) in counts.enumerated() {
            bytes.write(
                UInt16(clamping: value), Field<UInt16>(2 * index, "ELF header.e_shentsize"),
                to: at.shentsize, order)
        }
        return bytes
    }

    /// A program header as it is stored in a file of this class and byte order.
    public func bytes(of segment: Segment) -> [UInt8] {
        var row = ELFRow(self)
        row.word(segment.type)
        if is64Bit { row.word(segment.flags) }
        row.wide(segment.offset)
        row.wide(segment.virtualAddress)
        row.wide(segment.physicalAddress)
        row.wide(segment.fileSize)
        row.wide(segment.memorySize)
        if !is64Bit { row.word(segment.flags) }
        row.wide(segment.alignment)
        return row.bytes
    }

    /// A section header as it is stored; `name` is the name's place in the table of names.
    public func bytes(of section: ELF.Section, name: UInt32) -> [UInt8] {
        var row = ELFRow(self)
        row.word(name)
        row.word(section.type)
        row.wide(section.flags)
        row.wide(section.address)
        row.wide(section.offset)
        row.wide(section.size)
        row.word(section.link)
        row.word(section.info)
        row.wide(section.alignment)
        row.wide(section.entrySize)
        return row.bytes
    }
}

extension ELFWordReader {
    /// A section header, and the place of its name in the table of names.
    fileprivate mutating func section(
        _ bytes: RawSpan
    ) throws(FormatError) -> (ELF.Section, UInt32) {
        let name = try word(bytes)
        let section = ELF.Section(
            name: [], type: try word(bytes), flags: try address(bytes),
            address: try address(bytes), offset: try address(bytes), size: try address(bytes),
            link: try word(bytes), info: try word(bytes), alignment: try address(bytes),
            entrySize: try address(bytes))
        return (section, name)
    }
}

/// One row of an ELF table; wide fields are as wide as the class.
private struct ELFRow {
    private(set) var bytes: [UInt8] = []
    private let header: ELF.Header

    init(_ header: ELF.Header) { self.header = header }

    mutating func word(_ value: UInt32) {
        bytes += [0, 0, 0, 0]
        bytes.write(value, Field<UInt32>(-4, "ELF table"), to: bytes.count, header.order)
    }

    mutating func wide(_ value: UInt64) {
        let start = bytes.count
        bytes += [UInt8](repeating: 0, count: header.is64Bit ? 8 : 4)
        bytes.write(wide: value, at: start, header)
    }
}

extension [UInt8] {
    /// Writes an address or size of the header's class; of a 32-bit one, the low 32 bits.
    fileprivate mutating func write(wide value: UInt64, at offset: Int, _ header: ELF.Header) {
        if header.is64Bit {
            write(value, Field<UInt64>(0, "ELF field"), to: offset, header.order)
        } else {
            let low = UInt32(truncatingIfNeeded: value)
            write(low, Field<UInt32>(0, "ELF field"), to: offset, header.order)
        }
    }
}
