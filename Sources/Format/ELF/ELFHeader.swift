/// The executable format of the programs in an image, as far as a listing shows it.
public enum ELF {}

extension ELF {
    /// The header of an ELF file, 32 or 64 bits wide. Source: the System V ABI, chapter 4.
    public struct Header: Equatable, Sendable {
        /// One entry of the program header table; addresses and sizes in bytes.
        public struct Segment: Equatable, Sendable {
            /// `p_type`.
            public let type: UInt32
            /// `p_offset`.
            public let offset: UInt64
            /// `p_vaddr`.
            public let virtualAddress: UInt64
            /// `p_paddr`.
            public let physicalAddress: UInt64
            /// `p_filesz`.
            public let fileSize: UInt64
            /// `p_memsz`.
            public let memorySize: UInt64
            /// `p_flags`.
            public let flags: UInt32
            /// `p_align`.
            public let alignment: UInt64

            /// A program header of these values.
            public init(
                type: UInt32, offset: UInt64, virtualAddress: UInt64, physicalAddress: UInt64,
                fileSize: UInt64, memorySize: UInt64, flags: UInt32, alignment: UInt64
            ) {
                self.type = type
                self.offset = offset
                self.virtualAddress = virtualAddress
                self.physicalAddress = physicalAddress
                self.fileSize = fileSize
                self.memorySize = memorySize
                self.flags = flags
                self.alignment = alignment
            }
        }

        /// Whether addresses are 64 bits wide.
        public let is64Bit: Bool
        /// The byte order of the file.
        public let order: ByteOrder
        /// `e_type`.
        public let type: UInt16
        /// `e_machine`.
        public let machine: UInt16
        /// `e_flags`.
        public let flags: UInt32
        /// `e_entry`.
        public let entry: UInt64
        /// `e_phoff`, in bytes.
        public let programHeaderOffset: UInt64
        /// `e_phentsize`, in bytes.
        public let programHeaderSize: UInt16
        /// `e_phnum`.
        public let programHeaderCount: UInt16
        /// `e_shoff`, in bytes.
        public let sectionHeaderOffset: UInt64
        /// `e_shentsize`, in bytes.
        public let sectionHeaderSize: UInt16
        /// `e_shnum`.
        public let sectionHeaderCount: UInt16
        /// `e_shstrndx`.
        public let sectionNameIndex: UInt16
        /// The program headers that lie inside the bytes given.
        public let segments: [Segment]

        /// Bytes that are enough for the header and the tables of usual programs.
        public static let sampleByteCount = 4096

        /// Reads the header at the start of a file's first bytes; nil when they are no ELF header.
        public init?(_ bytes: [UInt8]) {
            guard bytes.count >= 16, bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]),
                let is64Bit = [1: false, 2: true][bytes[4]],
                let order = [1: ByteOrder.little, 2: .big][bytes[5]],
                // A cut header is no header; its error says nothing more.
                let header = try? bytes.parsed({ span throws(FormatError) in
                    try Header(span, is64Bit: is64Bit, order)
                })
            else { return nil }
            self = header
        }

        private init(
            _ bytes: RawSpan, is64Bit: Bool, _ order: ByteOrder
        ) throws(FormatError) {
            var reader = ELFWordReader(bytes, 16, order, is64Bit: is64Bit)
            self.is64Bit = is64Bit
            self.order = order
            type = try reader.half(bytes)
            machine = try reader.half(bytes)
            _ = try reader.word(bytes)
            entry = try reader.address(bytes)
            programHeaderOffset = try reader.address(bytes)
            sectionHeaderOffset = try reader.address(bytes)
            flags = try reader.word(bytes)
            _ = try reader.half(bytes)
            programHeaderSize = try reader.half(bytes)
            programHeaderCount = try reader.half(bytes)
            sectionHeaderSize = try reader.half(bytes)
            sectionHeaderCount = try reader.half(bytes)
            sectionNameIndex = try reader.half(bytes)
            var segments: [Segment] = []
            let step = Int(programHeaderSize)
            var base = Int(clamping: programHeaderOffset)
            for _ in 0..<programHeaderCount where step >= (is64Bit ? 56 : 32) {
                guard bytes.holds(step, at: base) else { break }
                var fields = ELFWordReader(bytes, base, order, is64Bit: is64Bit)
                segments.append(try fields.segment(bytes))
                base &+= step
            }
            self.segments = segments
        }

        /// `ELF32LE`, `ELF64BE` and the like.
        public var className: String {
            "ELF\(is64Bit ? 64 : 32)\(order == .little ? "LE" : "BE")"
        }

        /// `ET_EXEC` and the like; the number where it has no name.
        public var typeName: String {
            ["ET_NONE", "ET_REL", "ET_EXEC", "ET_DYN", "ET_CORE"].dropFirst(Int(type)).first
                ?? "\(type)"
        }

        /// `EM_ARM` and the like; the number where it has no name.
        public var machineName: String {
            ELF.machineName(machine).map { "EM_" + $0 } ?? "\(machine)"
        }
    }

    /// A processor's name by its `e_machine`, upper case as in the ABI; nil for those QNX never ran
    /// on.
    public static func machineName(_ machine: UInt16) -> String? {
        switch machine {
        case 3: "386"
        case 6: "486"
        case 8: "MIPS"
        case 20: "PPC"
        case 40: "ARM"
        case 42: "SH"
        case 62: "X86_64"
        case 183: "AARCH64"
        default: nil
        }
    }
}

/// Reads the fields of an ELF table in order; addresses are as wide as the class.
struct ELFWordReader {
    private var position: Int
    private let order: ByteOrder
    private let is64Bit: Bool

    init(_ bytes: borrowing RawSpan, _ position: Int, _ order: ByteOrder, is64Bit: Bool) {
        self.position = position
        self.order = order
        self.is64Bit = is64Bit
    }

    private mutating func take<Value>(
        _ bytes: RawSpan, _: Value.Type
    ) throws(FormatError) -> Value
    where Value: FixedWidthInteger & BitwiseCopyable & Sendable {
        defer { position &+= MemoryLayout<Value>.size }
        return try bytes.read(Field<Value>(0, "ELF header"), from: position, order)
    }

    mutating func half(_ bytes: RawSpan) throws(FormatError) -> UInt16 {
        try take(bytes, UInt16.self)
    }

    mutating func word(_ bytes: RawSpan) throws(FormatError) -> UInt32 {
        try take(bytes, UInt32.self)
    }

    mutating func address(_ bytes: RawSpan) throws(FormatError) -> UInt64 {
        is64Bit ? try take(bytes, UInt64.self) : UInt64(try take(bytes, UInt32.self))
    }

    mutating func segment(_ bytes: RawSpan) throws(FormatError) -> ELF.Header.Segment {
        let type = try word(bytes)
        let earlyFlags = is64Bit ? try word(bytes) : 0
        let offset = try address(bytes)
        let virtualAddress = try address(bytes)
        let physicalAddress = try address(bytes)
        let fileSize = try address(bytes)
        let memorySize = try address(bytes)
        let flags = is64Bit ? earlyFlags : try word(bytes)
        return ELF.Header.Segment(
            type: type, offset: offset, virtualAddress: virtualAddress,
            physicalAddress: physicalAddress, fileSize: fileSize, memorySize: memorySize,
            flags: flags, alignment: try address(bytes))
    }
}
