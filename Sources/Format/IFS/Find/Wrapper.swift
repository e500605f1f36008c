extension IFS {
    /// What a whole file is before one looks for images in it.
    public enum Wrapper: String, Sendable, CaseIterable {
        /// ELF, as mkifsf_elf writes it: the image lies inside.
        case elf
        /// A PE or UEFI program: the image lies inside.
        case pe
        /// U-Boot's legacy header: the image lies inside.
        case uImage
        /// A 32-byte big-endian header: the image lies behind it.
        case openBIOS
        /// Text lines of hexadecimal digits, decoded before the search.
        case sRecord
        /// A gzip file; nothing is looked for inside.
        case gzip
        /// The container of VAG's MIB2 units; not read.
        case mifs
        /// The container of Audi's Virtual Cockpit; not read.
        case hsp

        /// Tells the file by its first bytes; nil for none of these.
        public init?(_ file: any ByteSource) throws(FormatError) {
            let head = try file.prefix(16, at: 0)
            func starts(_ bytes: [UInt8]) -> Bool { head.starts(with: bytes) }
            if starts([0x7f, 0x45, 0x4c, 0x46]) {
                self = .elf
            } else if starts(Array("MZ".utf8)) {
                self = .pe
            } else if starts([0x27, 0x05, 0x19, 0x56]) {
                self = .uImage
            } else if starts([0x00, 0x52, 0x50, 0x4f]) {
                self = .openBIOS
            } else if SRecord.isLikely(head) {
                self = .sRecord
            } else if starts([0x1f, 0x8b, 0x08]) {
                self = .gzip
            } else if starts(Array("MIFS".utf8)) {
                self = .mifs
            } else if starts([0x48, 0x53, 0x50, 0x0e]) {
                self = .hsp
            } else {
                return nil
            }
        }

        /// Why nothing inside can be read, for the wrappers where that is so.
        public var refusal: String? {
            switch self {
            case .mifs: "a MIFS container"
            case .hsp: "an HSP container"
            case .gzip: "a gzip file (unpack it with gunzip first)"
            case .elf, .pe, .uImage, .openBIOS, .sRecord: nil
            }
        }
    }

    /// The bytes to search in: those of `file`, or what its text wrapper decodes to.
    public static func unwrapped(
        _ file: any ByteSource
    ) throws(FormatError) -> (wrapper: Wrapper?, bytes: any ByteSource) {
        let wrapper = try Wrapper(file)
        guard wrapper == .sRecord else { return (wrapper, file) }
        return (wrapper, MemorySource(try SRecord.decode(file)))
    }
}
