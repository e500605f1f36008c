extension QNX4 {
    /// A name, and where the record of what it names stands: 64 bytes in a directory.
    ///
    /// Source: Linux `include/uapi/linux/qnx4_fs.h`, `struct qnx4_link_info`; the block of the long
    /// name is shown by real images.
    public struct LinkRecord: Equatable, Sendable {
        /// The name, padded with zeros to 48 bytes; of a longer name, what stands for it. Behind
        /// the name `.` stands the mark of a directory, and the number of its blocks.
        public var name: [UInt8]
        /// Where the file's own record stands.
        public var target: RecordPlace
        /// The block that has the name if it is longer; else 0.
        public var longName: UInt32 = 0
        /// Nothing known.
        public var spare = [UInt8](repeating: 0, count: 6)
        /// Bits of `Status`.
        public var status: UInt8 = Status.link

        enum At {
            static let name = ByteField(0, count: 48, "qnx4 link record.dl_fname")
            static let block = Field<UInt32>(48, "qnx4 link record.dl_inode_blk")
            static let index = Field<UInt8>(52, "qnx4 link record.dl_inode_ndx")
            static let longName = Field<UInt32>(53, "qnx4 link record.longname")
            static let spare = ByteField(57, count: 6, "qnx4 link record.dl_spare")
            static let status = Field<UInt8>(63, "qnx4 link record.dl_status")
            /// Behind a zero in the name of `.`.
            static let mark = ByteField(2, count: 5, "qnx4 link record.mark")
            static let blockCount = Field<UInt16>(8, "qnx4 link record.blocks")
        }

        /// A name for a record.
        public init(name: [UInt8], target: RecordPlace) {
            self.name = Array(name.prefix(48))
            self.name += [UInt8](repeating: 0, count: 48 - self.name.count)
            self.target = target
        }

        /// Reads the record at byte `base`. Throws `truncated` alone.
        public init(parsing bytes: RawSpan, at base: Int) throws(FormatError) {
            name = try bytes.read(At.name, from: base)
            target = RecordPlace(
                block: try bytes.read(At.block, from: base, .little),
                index: try bytes.read(At.index, from: base, .little))
            longName = try bytes.read(At.longName, from: base, .little)
            spare = try bytes.read(At.spare, from: base)
            status = try bytes.read(At.status, from: base, .little)
        }

        /// Writes the record to byte `base`, where there must be room.
        public func write(to bytes: inout [UInt8], at base: Int) {
            bytes.write(name, At.name, to: base)
            bytes.write(target.block, At.block, to: base, .little)
            bytes.write(target.index, At.index, to: base, .little)
            bytes.write(longName, At.longName, to: base, .little)
            bytes.write(spare, At.spare, to: base)
            bytes.write(status, At.status, to: base, .little)
        }

        /// The mark behind the name of `.`: `I`, 3, `QNX`.
        static let directoryMark: [UInt8] = [0x49, 3, 0x51, 0x4e, 0x58]
    }

    /// A record of a directory.
    public enum DirectoryRecord: Equatable, Sendable {
        /// A file's own.
        case inode(InodeRecord)
        /// A name of a file whose own record is elsewhere.
        case link(LinkRecord)
        /// Nobody's.
        case free

        /// Reads the record at byte `base`; its last byte tells what it is. Throws `truncated`.
        public init(parsing bytes: RawSpan, at base: Int) throws(FormatError) {
            let status = try bytes.read(InodeRecord.At.status, from: base, .little)
            if status & Status.link != 0 {
                self = .link(try LinkRecord(parsing: bytes, at: base))
            } else if status & Status.used != 0 {
                self = .inode(try InodeRecord(parsing: bytes, at: base))
            } else {
                self = .free
            }
        }

        /// The name up to the first zero; of a long name, what stands for it.
        public var shortName: [UInt8] {
            switch self {
            case .inode(let record): Array(record.name.prefix { $0 != 0 })
            case .link(let record): Array(record.name.prefix { $0 != 0 })
            case .free: []
            }
        }
    }
}
