/// The QNX 4 file system: volumes as dinit makes them. Always of blocks of 512 bytes, always
/// little-endian.
public enum QNX4 {
    /// Bytes of a block.
    public static let blockSize = 512
    /// Bytes of a record; a directory is a list of them.
    public static let recordSize = 64
    /// Records in a block.
    public static let recordsPerBlock = 8
    /// Bytes of a directory at most: what is read of one is bounded.
    static let mostOfDirectory: UInt64 = 64 << 20

    /// Where a record stands: the number of its block, counted from 1, and its index there.
    public struct RecordPlace: Hashable, Sendable {
        /// The root directory's: the first record of the root block.
        public static let root = RecordPlace(block: 2, index: 0)
        /// That of `.inodes`.
        public static let inodes = RecordPlace(block: 2, index: 1)
        /// The number of the block.
        public var block: UInt32
        /// The index of the record, 0 through 7.
        public var index: UInt8

        /// The place in a block.
        public init(block: UInt32, index: UInt8) {
            self.block = block
            self.index = index
        }

        /// The place of a record's number; nil for one that is too large.
        public init?(number: UInt64) {
            guard let block = UInt32(exactly: number / 8 &+ 1) else { return nil }
            self.init(block: block, index: UInt8(number % 8))
        }

        /// The number of the record, as Linux numbers inodes: 8 for the root. Source:
        /// `fs/qnx4/namei.c`.
        public var number: UInt64 {
            (UInt64(block) &- min(1, UInt64(block))) &* 8 &+ UInt64(index)
        }
    }

    /// Whether a volume begins at the source's first byte: the root block starts with the record of
    /// a directory called `/`, wherever its blocks are. Throws `io` alone.
    public static func isFound(in source: any ByteSource) throws(FormatError) -> Bool {
        do throws(FormatError) {
            _ = try markedRecord(in: source)
            return true
        } catch {
            if case .io = error { throw error }
            return false
        }
    }

    /// The record of the root directory. Throws `truncated`, or `corrupt` for what is none, and for one
    /// without blocks.
    static func rootRecord(in source: any ByteSource) throws(FormatError) -> InodeRecord {
        let record = try markedRecord(in: source)
        guard record.size > 0, record.extentCount > 0, record.first.isInside(source.byteCount)
        else {
            throw .corrupt(
                InodeRecord.At.firstStart.place(512), found: "\(record.first)",
                expected: "blocks of the volume for the root directory")
        }
        return record
    }

    /// The first record of the root block, by which a volume is known: nothing else marks one.
    private static func markedRecord(
        in source: any ByteSource
    ) throws(FormatError) -> InodeRecord {
        let bytes = try source.bytes(UInt64(blockSize), at: 512, "qnx4 root block")
        let record = try bytes.parsed { bytes throws(FormatError) in
            try InodeRecord(parsing: bytes, at: 0)
        }
        typealias At = InodeRecord.At
        let name = [UInt8(ascii: "/")] + [UInt8](repeating: 0, count: 15)
        guard record.name == name else {
            throw .corrupt(
                At.name.place(512), found: "'\(printable(record.name.prefix { $0 != 0 }))'",
                expected: "'/' and 15 zeros")
        }
        guard record.status & Status.used != 0, record.status & Status.link == 0 else {
            throw .corrupt(
                At.status.place(512), found: hex(record.status), expected: "a record in use")
        }
        guard record.kind == .directory else {
            throw .corrupt(
                At.mode.place(512), found: "mode 0\(String(record.mode, radix: 8))",
                expected: "that of a directory")
        }
        return record
    }

    /// The bits of a record's last byte. Source: Linux `include/uapi/linux/qnx4_fs.h`, `QNX4_FILE_*`.
    public enum Status {
        /// The record is a file's own.
        public static let used: UInt8 = 0x01
        /// Changed since the last backup.
        public static let modified: UInt8 = 0x02
        /// Was being grown or shrunk.
        public static let busy: UInt8 = 0x04
        /// The record is a name of a file whose own record is elsewhere.
        public static let link: UInt8 = 0x08
        /// The file's own record is in no directory.
        public static let inode: UInt8 = 0x10
        /// The volume was left in order; in the root directory's record.
        public static let clean: UInt8 = 0x20
        /// More blocks are kept than the size needs.
        public static let grown: UInt8 = 0x40
    }
}
