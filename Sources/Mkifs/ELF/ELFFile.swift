public import Format

/// An ELF file as mkifs takes it apart: its headers, and its bytes where they are needed.
public struct ELFFile: Sendable {
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
    public let sections: [ELF.Section]

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
        // The header reads its table where it stands, behind as many bytes as come before it; a
        // relocatable file has none.
        let tableSize = UInt64(head.programHeaderSize) &* UInt64(head.programHeaderCount)
        guard head.programHeaderOffset <= 1 << 20,
            let whole = ELF.Header(
                try source.prefix(
                    Int(clamping: max(64, head.programHeaderOffset &+ tableSize)), at: 0)),
            whole.segments.count == Int(head.programHeaderCount)
        else {
            throw .corrupt(
                Place("ELF header.e_phoff", 0), found: hex(head.programHeaderOffset),
                expected: "a whole table of program headers in the first MiB")
        }
        header = whole
        sections = try whole.sections(in: source)
    }

    /// Where the program headers of a file that mkifs has laid out end.
    var headersEnd: UInt64 {
        UInt64(header.byteCount + header.segmentByteCount * header.segments.count)
    }
}

extension ELFFile {
    /// Whether the file is a shared object; a program that runs anywhere names its interpreter.
    var isLibrary: Bool {
        header.type == FileType.shared
            && !header.segments.contains { $0.type == SegmentType.interpreter }
    }

    /// The name that a shared object gives itself (`DT_SONAME`); nil for none.
    func soname() throws(FormatError) -> [UInt8]? {
        guard header.type == FileType.shared,
            let dynamic = header.segments.first(where: { $0.type == SegmentType.dynamic })
        else { return nil }
        let table = try source.bytes(
            min(dynamic.fileSize, Self.dynamicLimit), at: dynamic.offset, "ELF dynamic segment")
        var values: [UInt64: UInt64] = [:]
        for (tag, value) in header.dynamicEntries(in: table) where values[tag] == nil {
            values[tag] = value
        }
        guard let name = values[14], let strings = values[5] else { return nil }
        let holder = header.segments.first {
            $0.type == SegmentType.load && strings >= $0.virtualAddress
                && strings &- $0.virtualAddress < $0.fileSize
        }
        guard let holder else { return nil }
        let place = (strings &- holder.virtualAddress) &+ holder.offset &+ name
        let text = try source.prefix(Self.nameLimit, at: place)
        guard let end = text.firstIndex(of: 0) else {
            throw .corrupt(
                Place("DT_SONAME", place), found: "no end of the text",
                expected: "a NUL within \(Self.nameLimit) bytes")
        }
        return Array(text[..<end])
    }

    private static var dynamicLimit: UInt64 { 1 << 20 }
    private static var nameLimit: Int { 1024 }
}
