/// The GUID partition table: a header behind the first sector, entries, and a copy of both at the end
/// of the disk.
///
/// All numbers are little-endian. Source: UEFI specification, chapter 5.
public enum GPT {
    static let signature = Array("EFI PART".utf8)

    /// The header: 92 bytes of a sector.
    public struct Header: Equatable, Sendable {
        /// Bytes of the header that are known here.
        public static let byteCount = 92

        /// Bytes that the sum covers.
        public let size: UInt32
        /// The sector that it stands in.
        public let ownSector: UInt64
        /// The sector of the other header.
        public let otherSector: UInt64
        /// The first and the last sector that partitions may have.
        public let usable: (first: UInt64, last: UInt64)
        /// The disk's own GUID.
        public let disk: GUID
        /// The sector of the first entry.
        public let entriesSector: UInt64
        /// How many entries there are.
        public let entryCount: UInt32
        /// Bytes of each.
        public let entrySize: UInt32
        /// CRC-32 of all entries.
        public let entriesSum: UInt32

        /// Whether all of it is the same.
        public static func == (left: Header, right: Header) -> Bool {
            left.size == right.size && left.ownSector == right.ownSector
                && left.otherSector == right.otherSector && left.usable == right.usable
                && left.disk == right.disk && left.entriesSector == right.entriesSector
                && left.entryCount == right.entryCount && left.entrySize == right.entrySize
                && left.entriesSum == right.entriesSum
        }

        enum At {
            static let signature = ByteField(0, count: 8, "GPT header.signature")
            static let size = Field<UInt32>(12, "GPT header.size")
            static let sum = Field<UInt32>(16, "GPT header.CRC")
            static let ownSector = Field<UInt64>(24, "GPT header.own LBA")
            static let otherSector = Field<UInt64>(32, "GPT header.other LBA")
            static let firstUsable = Field<UInt64>(40, "GPT header.first usable LBA")
            static let lastUsable = Field<UInt64>(48, "GPT header.last usable LBA")
            static let disk = ByteField(56, count: 16, "GPT header.disk GUID")
            static let entriesSector = Field<UInt64>(72, "GPT header.entries LBA")
            static let entryCount = Field<UInt32>(80, "GPT header.entries")
            static let entrySize = Field<UInt32>(84, "GPT header.entry size")
            static let entriesSum = Field<UInt32>(88, "GPT header.entries CRC")
        }

        /// Reads the header that fills `sector`. Throws `truncated`, and `corrupt` for another
        /// signature, a wrong sum, or entries of no size that there is.
        init(parsing sector: [UInt8]) throws(FormatError) {
            self = try sector.parsed { bytes throws(FormatError) in try Header(bytes) }
            var summed = Array(sector.prefix(Int(size)))
            summed.write(0, At.sum, to: 0, .little)
            var sum = CRC32()
            sum.update(summed)
            let stored = try sector.parsed { bytes throws(FormatError) in
                try bytes.read(At.sum, from: 0, .little)
            }
            guard sum.total == stored else {
                throw .corrupt(At.sum.place(0), found: hex(stored), expected: hex(sum.total))
            }
        }

        private init(_ bytes: RawSpan) throws(FormatError) {
            let found = try bytes.read(At.signature, from: 0)
            guard found == signature else {
                throw .corrupt(
                    At.signature.place(0), found: "'\(printable(found))'", expected: "'EFI PART'")
            }
            size = try bytes.read(At.size, from: 0, .little)
            ownSector = try bytes.read(At.ownSector, from: 0, .little)
            otherSector = try bytes.read(At.otherSector, from: 0, .little)
            usable = (
                try bytes.read(At.firstUsable, from: 0, .little),
                try bytes.read(At.lastUsable, from: 0, .little)
            )
            disk = GUID(try bytes.read(At.disk, from: 0))
            entriesSector = try bytes.read(At.entriesSector, from: 0, .little)
            entryCount = try bytes.read(At.entryCount, from: 0, .little)
            entrySize = try bytes.read(At.entrySize, from: 0, .little)
            entriesSum = try bytes.read(At.entriesSum, from: 0, .little)
            guard size >= UInt32(Self.byteCount), Int(size) <= bytes.byteCount else {
                throw .corrupt(
                    At.size.place(0), found: "\(size)",
                    expected: "\(Self.byteCount) to \(bytes.byteCount)")
            }
            guard entrySize >= UInt32(Entry.byteCount), entrySize <= 4096, entrySize & 7 == 0 else {
                throw .corrupt(
                    At.entrySize.place(0), found: "\(entrySize)",
                    expected: "a multiple of 8 from \(Entry.byteCount) to 4096")
            }
            guard entryCount <= UInt32(PartitionTable.mostPartitions) else {
                throw .corrupt(
                    At.entryCount.place(0), found: "\(entryCount)",
                    expected: "\(PartitionTable.mostPartitions) at most")
            }
        }
    }

    /// One entry: 128 bytes, or more of which the rest is not known.
    public struct Entry: Equatable, Sendable {
        /// Bytes of an entry that are known here.
        public static let byteCount = 128
        /// Of `attributes`: not to be written. Source: Microsoft's `PARTITION_INFORMATION_GPT`, the
        /// Discoverable Partitions Specification.
        static let readOnly: UInt64 = 1 << 60

        /// What is in it; zero for nothing.
        public let type: GUID
        /// Its own GUID.
        public let unique: GUID
        /// The first and the last sector.
        public let sectors: (first: UInt64, last: UInt64)
        /// Bit 2: the computer boots from it.
        public let attributes: UInt64
        /// Its name as UTF-8.
        public let name: [UInt8]

        /// Whether all of it is the same.
        public static func == (left: Entry, right: Entry) -> Bool {
            left.type == right.type && left.unique == right.unique && left.sectors == right.sectors
                && left.attributes == right.attributes && left.name == right.name
        }

        enum At {
            static let type = ByteField(0, count: 16, "GPT entry.type")
            static let unique = ByteField(16, count: 16, "GPT entry.GUID")
            static let first = Field<UInt64>(32, "GPT entry.first LBA")
            static let last = Field<UInt64>(40, "GPT entry.last LBA")
            static let attributes = Field<UInt64>(48, "GPT entry.attributes")
            static let name = ByteField(56, count: 72, "GPT entry.name")
        }

        init(parsing bytes: RawSpan, at base: Int) throws(FormatError) {
            type = GUID(try bytes.read(At.type, from: base))
            unique = GUID(try bytes.read(At.unique, from: base))
            sectors = (
                try bytes.read(At.first, from: base, .little),
                try bytes.read(At.last, from: base, .little)
            )
            attributes = try bytes.read(At.attributes, from: base, .little)
            let text = try bytes.read(At.name, from: base)
            let units = stride(from: 0, to: text.count &- 1, by: 2).map {
                UInt16(text[$0]) | UInt16(text[$0 &+ 1]) << 8
            }
            name = Array(String(decoding: units.prefix { $0 != 0 }, as: UTF16.self).utf8)
        }
    }

    /// What a type is called; nil for one that is not known here. Source: UEFI specification and the
    /// vendor's manual of `diskimage`.
    public static func name(of type: GUID) -> String? {
        switch type.description {
        case "CEF5A9AD-73BC-4601-89F3-CDEEEEE321A1": "QNX Power-Safe"
        case "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7": "basic data"
        case "C12A7328-F81F-11D2-BA4B-00A0C93EC93B": "EFI system"
        case "0FC63DAF-8483-4772-8E79-3D69D8477DE4": "Linux"
        case "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F": "Linux swap"
        case "21686148-6449-6E6F-744E-656564454649": "BIOS boot"
        default: nil
        }
    }
}
