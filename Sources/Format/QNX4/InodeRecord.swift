extension QNX4 {
    /// Blocks that lie side by side.
    public struct Extent: Equatable, Sendable, CustomStringConvertible {
        /// The number of the first, counted from 1; 0 for none.
        public var start: UInt32
        /// How many.
        public var count: UInt32

        /// Blocks from a number on.
        public init(start: UInt32 = 0, count: UInt32 = 0) {
            self.start = start
            self.count = count
        }

        /// Whether all of it lies in so many bytes.
        func isInside(_ byteCount: UInt64) -> Bool {
            count == 0
                || start >= 1
                    && UInt64(start) &- 1 &+ UInt64(count) <= byteCount / UInt64(blockSize)
        }

        /// The numbers of the blocks.
        public var description: String {
            count <= 1
                ? "\(count == 0 ? "no block" : "block \(start)")"
                : "blocks \(start) through \(UInt64(start) + UInt64(count) - 1)"
        }
    }

    /// What a file is and where its blocks lie: 64 bytes, in a directory or in `.inodes`.
    ///
    /// Source: Linux `include/uapi/linux/qnx4_fs.h`, `struct qnx4_inode_entry`.
    public struct InodeRecord: Equatable, Sendable {
        /// The name, padded with zeros to 16 bytes; empty outside of directories.
        public var name = [UInt8](repeating: 0, count: 16)
        /// Bytes of the file.
        public var size: UInt32 = 0
        /// Its first blocks.
        public var first = Extent()
        /// The block that lists further extents; 0 for none.
        public var extentBlock: UInt32 = 0
        /// Seconds since 1970: when the file was made.
        public var created: UInt32 = 0
        /// Seconds since 1970: when its bytes were changed.
        public var modified: UInt32 = 0
        /// Seconds since 1970: when it was read.
        public var accessed: UInt32 = 0
        /// Seconds since 1970: when its attributes were changed.
        public var changed: UInt32 = 0
        /// Extents, the first of them too.
        public var extentCount: UInt16 = 0
        /// Type and permissions as POSIX has them.
        public var mode: UInt16
        /// Numeric id of the owner.
        public var user: UInt16 = 0
        /// Numeric id of the group.
        public var group: UInt16 = 0
        /// Names that lead here; of a directory, `.` and its subdirectories count.
        public var linkCount: UInt16 = 1
        /// Nothing known.
        public var spare: UInt32 = 0
        /// Nothing known; 0.
        public var type: UInt8 = 0
        /// Bits of `Status`.
        public var status: UInt8 = Status.used

        enum At {
            static let name = ByteField(0, count: 16, "qnx4 inode record.di_fname")
            static let size = Field<UInt32>(16, "qnx4 inode record.di_size")
            static let firstStart = Field<UInt32>(20, "qnx4 inode record.di_first_xtnt")
            static let firstCount = Field<UInt32>(24, "qnx4 inode record.di_first_xtnt")
            static let extentBlock = Field<UInt32>(28, "qnx4 inode record.di_xblk")
            static let created = Field<UInt32>(32, "qnx4 inode record.di_ftime")
            static let modified = Field<UInt32>(36, "qnx4 inode record.di_mtime")
            static let accessed = Field<UInt32>(40, "qnx4 inode record.di_atime")
            static let changed = Field<UInt32>(44, "qnx4 inode record.di_ctime")
            static let extentCount = Field<UInt16>(48, "qnx4 inode record.di_num_xtnts")
            static let mode = Field<UInt16>(50, "qnx4 inode record.di_mode")
            static let user = Field<UInt16>(52, "qnx4 inode record.di_uid")
            static let group = Field<UInt16>(54, "qnx4 inode record.di_gid")
            static let linkCount = Field<UInt16>(56, "qnx4 inode record.di_nlink")
            static let spare = Field<UInt32>(58, "qnx4 inode record.di_zero")
            static let type = Field<UInt8>(62, "qnx4 inode record.di_type")
            static let status = Field<UInt8>(63, "qnx4 inode record.di_status")
        }

        /// A record of this mode that has no blocks yet.
        public init(mode: UInt16) { self.mode = mode }

        /// Reads the record at byte `base`. Throws `truncated` alone.
        public init(parsing bytes: RawSpan, at base: Int) throws(FormatError) {
            name = try bytes.read(At.name, from: base)
            size = try bytes.read(At.size, from: base, .little)
            first = Extent(
                start: try bytes.read(At.firstStart, from: base, .little),
                count: try bytes.read(At.firstCount, from: base, .little))
            extentBlock = try bytes.read(At.extentBlock, from: base, .little)
            created = try bytes.read(At.created, from: base, .little)
            modified = try bytes.read(At.modified, from: base, .little)
            accessed = try bytes.read(At.accessed, from: base, .little)
            changed = try bytes.read(At.changed, from: base, .little)
            extentCount = try bytes.read(At.extentCount, from: base, .little)
            mode = try bytes.read(At.mode, from: base, .little)
            user = try bytes.read(At.user, from: base, .little)
            group = try bytes.read(At.group, from: base, .little)
            linkCount = try bytes.read(At.linkCount, from: base, .little)
            spare = try bytes.read(At.spare, from: base, .little)
            type = try bytes.read(At.type, from: base, .little)
            status = try bytes.read(At.status, from: base, .little)
        }

        /// Writes the record to byte `base`, where there must be room.
        public func write(to bytes: inout [UInt8], at base: Int) {
            bytes.write(name, At.name, to: base)
            bytes.write(size, At.size, to: base, .little)
            bytes.write(first.start, At.firstStart, to: base, .little)
            bytes.write(first.count, At.firstCount, to: base, .little)
            bytes.write(extentBlock, At.extentBlock, to: base, .little)
            bytes.write(created, At.created, to: base, .little)
            bytes.write(modified, At.modified, to: base, .little)
            bytes.write(accessed, At.accessed, to: base, .little)
            bytes.write(changed, At.changed, to: base, .little)
            bytes.write(extentCount, At.extentCount, to: base, .little)
            bytes.write(mode, At.mode, to: base, .little)
            bytes.write(user, At.user, to: base, .little)
            bytes.write(group, At.group, to: base, .little)
            bytes.write(linkCount, At.linkCount, to: base, .little)
            bytes.write(spare, At.spare, to: base, .little)
            bytes.write(type, At.type, to: base, .little)
            bytes.write(status, At.status, to: base, .little)
        }

        /// What the type bits say; nil for bits that say nothing.
        public var kind: NodeKind? { NodeKind(rawValue: UInt32(mode & 0xf000)) }
    }
}
