extension FAT {
    /// The attribute bits of a directory entry. Source: the specification, "FAT Directory Structure".
    public struct FileAttributes: OptionSet, Hashable, Sendable {
        /// The bits.
        public let rawValue: UInt8

        /// The bits of a number.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Nobody is to write the file.
        public static let readOnly = FileAttributes(rawValue: 0x01)
        /// Not to be listed.
        public static let hidden = FileAttributes(rawValue: 0x02)
        /// A part of the system.
        public static let system = FileAttributes(rawValue: 0x04)
        /// The entry is the volume's label, or with the three below it a part of a long name.
        public static let label = FileAttributes(rawValue: 0x08)
        /// The entry is a directory's.
        public static let directory = FileAttributes(rawValue: 0x10)
        /// The file was written since it was last backed up.
        public static let archive = FileAttributes(rawValue: 0x20)

        /// The attributes of a part of a long name.
        public static let longName: FileAttributes = [.readOnly, .hidden, .system, .label]

        /// Whether they are those of a part of a long name; the two top bits mean nothing.
        public var isLongName: Bool { rawValue & 0x3f == Self.longName.rawValue }

        /// A letter for each of read-only, hidden, system and archive that is set.
        public var letters: String {
            [(Self.readOnly, "R"), (.hidden, "H"), (.system, "S"), (.archive, "A")]
                .filter { contains($0.0) }.map { $0.1 }.joined()
        }
    }

    /// An entry of a directory with a short name; 32 bytes.
    ///
    /// Source: the specification, "FAT Directory Structure"; Linux `msdos_fs.h`,
    /// `struct msdos_dir_entry`. Little-endian.
    public struct DirectoryEntry: Equatable, Sendable {
        /// Bytes of an entry.
        public static let byteCount = 32
        /// The first byte of an entry that was deleted.
        public static let deletedMark: UInt8 = 0xe5
        /// The first byte of the first entry that nothing ever used.
        public static let endMark: UInt8 = 0
        /// `caseBits`: the name before the dot is in lower case.
        public static let lowerBase: UInt8 = 0x08
        /// `caseBits`: the extension is in lower case.
        public static let lowerExtension: UInt8 = 0x10

        /// 8 bytes and 3 of the extension in the code page, padded with blanks.
        public var name: [UInt8]
        /// What the entry is, and how its file is to be treated.
        public var attributes: FileAttributes
        /// `lowerBase`, `lowerExtension`. Source: Windows NT and Linux `CASE_LOWER_BASE`.
        public var caseBits: UInt8
        /// When the file was made.
        public var created: Timestamp
        /// The day of the last use.
        public var accessed: UInt16
        /// When the file was last written.
        public var modified: Timestamp
        /// The first cluster; 0 of an empty file, and of `..` where that is the root.
        public var start: UInt32
        /// Bytes of a file; 0 of a directory.
        public var size: UInt32

        enum At {
            static let name = ByteField(0, count: 11, "directory entry.name")
            static let attributes = Field<UInt8>(11, "directory entry.attributes")
            static let caseBits = Field<UInt8>(12, "directory entry.case bits")
            static let createdHundredths = Field<UInt8>(13, "directory entry.created (1/100 s)")
            static let createdTime = Field<UInt16>(14, "directory entry.created (time)")
            static let createdDate = Field<UInt16>(16, "directory entry.created (date)")
            static let accessed = Field<UInt16>(18, "directory entry.accessed")
            static let startHigh = Field<UInt16>(20, "directory entry.first cluster (high)")
            static let modifiedTime = Field<UInt16>(22, "directory entry.modified (time)")
            static let modifiedDate = Field<UInt16>(24, "directory entry.modified (date)")
            static let startLow = Field<UInt16>(26, "directory entry.first cluster")
            static let size = Field<UInt32>(28, "directory entry.size")
        }

        /// An entry of these 11 bytes, all else zero.
        public init(name: [UInt8], attributes: FileAttributes = []) {
            self.name = name
            self.attributes = attributes
            caseBits = 0
            created = Timestamp()
            accessed = 0
            modified = Timestamp()
            start = 0
            size = 0
        }

        /// Reads the entry at byte `base`. Throws `truncated`.
        public init(parsing bytes: RawSpan, at base: Int = 0) throws(FormatError) {
            name = try bytes.read(At.name, from: base)
            attributes = FileAttributes(
                rawValue: try bytes.read(At.attributes, from: base, .little))
            caseBits = try bytes.read(At.caseBits, from: base, .little)
            created = Timestamp(
                date: try bytes.read(At.createdDate, from: base, .little),
                time: try bytes.read(At.createdTime, from: base, .little),
                hundredths: try bytes.read(At.createdHundredths, from: base, .little))
            accessed = try bytes.read(At.accessed, from: base, .little)
            modified = Timestamp(
                date: try bytes.read(At.modifiedDate, from: base, .little),
                time: try bytes.read(At.modifiedTime, from: base, .little))
            let high = try bytes.read(At.startHigh, from: base, .little)
            let low = try bytes.read(At.startLow, from: base, .little)
            start = UInt32(high) << 16 | UInt32(low)
            size = try bytes.read(At.size, from: base, .little)
        }

        /// The 32 bytes.
        public var bytes: [UInt8] {
            var bytes = [UInt8](repeating: 0, count: Self.byteCount)
            bytes.write(name, At.name, to: 0)
            bytes.write(attributes.rawValue, At.attributes, to: 0, .little)
            bytes.write(caseBits, At.caseBits, to: 0, .little)
            bytes.write(created.hundredths, At.createdHundredths, to: 0, .little)
            bytes.write(created.time, At.createdTime, to: 0, .little)
            bytes.write(created.date, At.createdDate, to: 0, .little)
            bytes.write(accessed, At.accessed, to: 0, .little)
            bytes.write(UInt16(truncatingIfNeeded: start >> 16), At.startHigh, to: 0, .little)
            bytes.write(modified.time, At.modifiedTime, to: 0, .little)
            bytes.write(modified.date, At.modifiedDate, to: 0, .little)
            bytes.write(UInt16(truncatingIfNeeded: start), At.startLow, to: 0, .little)
            bytes.write(size, At.size, to: 0, .little)
            return bytes
        }

        /// Where the chain begins in a volume of this kind; without FAT32, 16 bits count.
        func start(_ kind: Kind) -> Cluster {
            Cluster(rawValue: kind == .fat32 ? start & kind.mask : start & 0xffff)
        }

        /// Whether it is a directory's.
        var isDirectory: Bool { attributes.contains(.directory) }

        /// Whether it is the volume's label, or nothing that is known.
        var isLabel: Bool { attributes.contains(.label) }

        /// Whether it is `.` or `..`.
        var isDots: Bool { name == Self.dot || name == Self.dotDot }

        static let dot = Array(".          ".utf8)
        static let dotDot = Array("..         ".utf8)
    }
}
