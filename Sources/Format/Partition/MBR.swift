/// The partition table of the first sector of a disk, and of each extended partition's links.
///
/// All numbers are little-endian. Source: the layout that DOS has given it, as Linux's
/// `block/partitions/msdos.c` reads it.
public enum MBR {
    /// Bytes of the sector that count, whatever the size of a sector.
    public static let byteCount = 512
    /// Entries of a table.
    public static let entryCount = 4

    /// One entry: 16 bytes. Places by cylinder, head and sector are not trusted.
    public struct Entry: Equatable, Sendable {
        /// Bytes of an entry.
        public static let byteCount = 16

        /// 0x80 for the one that is booted, else 0.
        public var status: UInt8
        /// What is in it, by the number that DOS, QNX and others have given it.
        public var type: UInt8
        /// In sectors: from the start of the disk, or from that of an extended partition.
        public var firstSector: UInt32
        /// In sectors.
        public var sectorCount: UInt32

        /// An entry.
        public init(status: UInt8 = 0, type: UInt8, firstSector: UInt32, sectorCount: UInt32) {
            self.status = status
            self.type = type
            self.firstSector = firstSector
            self.sectorCount = sectorCount
        }

        /// Whether it stands for no partition.
        public var isEmpty: Bool { type == 0 || sectorCount == 0 }
        /// Whether it holds logical partitions.
        public var isExtended: Bool { type == 0x05 || type == 0x0f || type == 0x85 }
        /// Whether it only tells that a GPT follows.
        public var isProtective: Bool { type == 0xee }

        enum At {
            static let status = Field<UInt8>(0, "partition entry.status")
            static let type = Field<UInt8>(4, "partition entry.type")
            static let firstSector = Field<UInt32>(8, "partition entry.first LBA")
            static let sectorCount = Field<UInt32>(12, "partition entry.sectors")
        }

        init(parsing bytes: RawSpan, at base: Int) throws(FormatError) {
            status = try bytes.read(At.status, from: base, .little)
            type = try bytes.read(At.type, from: base, .little)
            firstSector = try bytes.read(At.firstSector, from: base, .little)
            sectorCount = try bytes.read(At.sectorCount, from: base, .little)
        }
    }

    enum At {
        static let table = 446
        static let diskSignature = Field<UInt32>(440, "MBR.disk signature")
        static let signature = Field<UInt16>(510, "MBR.signature")
    }

    static let signature: UInt16 = 0xaa55

    /// The four entries of a sector. Throws `corrupt` where the signature is missing.
    public static func entries(in sector: [UInt8]) throws(FormatError) -> [Entry] {
        try sector.parsed { bytes throws(FormatError) in
            let found = try bytes.read(At.signature, from: 0, .little)
            guard found == signature else {
                throw .corrupt(At.signature.place(0), found: hex(found), expected: hex(signature))
            }
            var entries: [Entry] = []
            for index in 0..<entryCount {
                entries.append(
                    try Entry(parsing: bytes, at: At.table &+ index &* Entry.byteCount))
            }
            return entries
        }
    }

    /// What a type is called; nil for one that is not known here.
    ///
    /// Source: the vendor's list of partition types; the others from Linux's fdisk.
    public static func name(of type: UInt8) -> String? {
        switch type {
        case 0x01: "FAT12"
        case 0x04, 0x06: "FAT16"
        case 0x0e: "FAT16 (LBA)"
        case 0x05: "extended"
        case 0x0f: "extended (LBA)"
        case 0x85: "Linux extended"
        case 0x07: "NTFS or exFAT"
        case 0x0b: "FAT32"
        case 0x0c: "FAT32 (LBA)"
        case 0x4d: "QNX4"
        case 0x4e: "QNX4, second"
        case 0x4f: "QNX4, third"
        case 0x82: "Linux swap"
        case 0x83: "Linux"
        case 0xb1, 0xb2: "QNX Power-Safe, secondary"
        case 0xb3: "QNX Power-Safe"
        case 0xb9: "QNX trusted disk"
        case 0xee: "GPT protective"
        case 0xef: "EFI system"
        default: nil
        }
    }
}
