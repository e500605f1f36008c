extension QNX6 {
    /// What a file is and where its blocks lie: a record of 128 bytes in the inode table.
    ///
    /// Source: Linux `include/linux/qnx6_fs.h`, `struct qnx6_inode_entry`. What that calls extended
    /// mode is the link count, as real images show; what follows the pointers is in QNX's
    /// `sys/fs_qnx6.h` of 6.5 to 7.1.
    public struct Inode: Equatable, Sendable {
        /// Bytes of the record.
        public static let byteCount = 128
        /// The type bits of QNX's named special.
        static let namedSpecial: UInt16 = 0x5000
        /// `extendedMode`: a directory that is a B-tree, which 7.0 alone has.
        public static let treeFlag: UInt32 = 0x8000_0000

        /// Bytes of the file; of a symlink, of its target.
        public var size: UInt64 = 0
        /// Numeric id of the owner.
        public var user: UInt32 = 0
        /// Numeric id of the group.
        public var group: UInt32 = 0
        /// Seconds since 1970: when the file was made.
        public var created: UInt32 = 0
        /// Seconds since 1970: when its bytes were changed.
        public var modified: UInt32 = 0
        /// Seconds since 1970: when it was read.
        public var accessed: UInt32 = 0
        /// Seconds since 1970: when its attributes were changed.
        public var changed: UInt32 = 0
        /// Type and permissions as POSIX has them; 0 for a free record.
        public var mode: UInt16 = 0
        /// Names that lead here; of a directory, `.` and its subdirectories count.
        public var linkCount: UInt16 = 0
        /// First-level block numbers, 16 of them.
        public var pointers = Array(repeating: noBlock, count: RootNode.pointerCount)
        /// Levels of pointer blocks between `pointers` and the data; 0 means direct.
        public var depth: UInt8 = 0
        /// 1 used, 2 modified.
        public var flags: UInt8 = 1
        /// Nothing known.
        public var spare: UInt16 = 0
        /// Where the key of an encrypted file stands in the extra file; 0 for one in the clear.
        public var key: UInt32 = 0
        /// 1 obeys the limit of allocation, 2 is updated in place, 4 is kept together; `treeFlag`.
        public var extendedMode: UInt32 = 0
        /// 1 + place of the access control list in the extra file; 0 for none.
        public var accessList: UInt32 = 0
        /// How often the number was given anew, from 7.1 on.
        public var generation: UInt32 = 0
        /// Nothing known.
        public var reserved: UInt32 = 0
        /// A sum of the record, from 7.1 on; what it covers is not known.
        public var checksum: UInt32 = 0

        enum At {
            static let size = Field<UInt64>(0, "qnx6 inode.size")
            static let user = Field<UInt32>(8, "qnx6 inode.uid")
            static let group = Field<UInt32>(12, "qnx6 inode.gid")
            static let created = Field<UInt32>(16, "qnx6 inode.ftime")
            static let modified = Field<UInt32>(20, "qnx6 inode.mtime")
            static let accessed = Field<UInt32>(24, "qnx6 inode.atime")
            static let changed = Field<UInt32>(28, "qnx6 inode.ctime")
            static let mode = Field<UInt16>(32, "qnx6 inode.mode")
            static let linkCount = Field<UInt16>(34, "qnx6 inode.nlink")
            static func pointer(_ index: Int) -> Field<UInt32> {
                Field(36 + 4 * index, "qnx6 inode.block_ptr")
            }
            static let depth = Field<UInt8>(100, "qnx6 inode.filelevels")
            static let flags = Field<UInt8>(101, "qnx6 inode.status")
            static let spare = Field<UInt16>(102, "qnx6 inode.spare")
            static let key = Field<UInt32>(104, "qnx6 inode.key")
            static let extendedMode = Field<UInt32>(108, "qnx6 inode.extmode")
            static let accessList = Field<UInt32>(112, "qnx6 inode.acl")
            static let generation = Field<UInt32>(116, "qnx6 inode.generation")
            static let reserved = Field<UInt32>(120, "qnx6 inode.reserved")
            static let checksum = Field<UInt32>(124, "qnx6 inode.checksum")
        }

        /// A record of these values that has no blocks yet.
        public init(mode: UInt16) { self.mode = mode }

        /// Reads the record at byte `base`. Throws `truncated` alone: what a record may say is asked
        /// of it with its volume known.
        public init(
            parsing bytes: RawSpan, at base: Int, _ order: ByteOrder
        ) throws(FormatError) {
            size = try bytes.read(At.size, from: base, order)
            user = try bytes.read(At.user, from: base, order)
            group = try bytes.read(At.group, from: base, order)
            created = try bytes.read(At.created, from: base, order)
            modified = try bytes.read(At.modified, from: base, order)
            accessed = try bytes.read(At.accessed, from: base, order)
            changed = try bytes.read(At.changed, from: base, order)
            mode = try bytes.read(At.mode, from: base, order)
            linkCount = try bytes.read(At.linkCount, from: base, order)
            for index in pointers.indices {
                pointers[index] = try bytes.read(At.pointer(index), from: base, order)
            }
            depth = try bytes.read(At.depth, from: base, order)
            flags = try bytes.read(At.flags, from: base, order)
            spare = try bytes.read(At.spare, from: base, order)
            key = try bytes.read(At.key, from: base, order)
            extendedMode = try bytes.read(At.extendedMode, from: base, order)
            accessList = try bytes.read(At.accessList, from: base, order)
            generation = try bytes.read(At.generation, from: base, order)
            reserved = try bytes.read(At.reserved, from: base, order)
            checksum = try bytes.read(At.checksum, from: base, order)
        }

        /// Writes the record to byte `base`, where there must be room.
        public func write(to bytes: inout [UInt8], at base: Int, _ order: ByteOrder) {
            bytes.write(size, At.size, to: base, order)
            bytes.write(user, At.user, to: base, order)
            bytes.write(group, At.group, to: base, order)
            bytes.write(created, At.created, to: base, order)
            bytes.write(modified, At.modified, to: base, order)
            bytes.write(accessed, At.accessed, to: base, order)
            bytes.write(changed, At.changed, to: base, order)
            bytes.write(mode, At.mode, to: base, order)
            bytes.write(linkCount, At.linkCount, to: base, order)
            for (index, pointer) in pointers.prefix(RootNode.pointerCount).enumerated() {
                bytes.write(pointer, At.pointer(index), to: base, order)
            }
            bytes.write(depth, At.depth, to: base, order)
            bytes.write(flags, At.flags, to: base, order)
            bytes.write(spare, At.spare, to: base, order)
            bytes.write(key, At.key, to: base, order)
            bytes.write(extendedMode, At.extendedMode, to: base, order)
            bytes.write(accessList, At.accessList, to: base, order)
            bytes.write(generation, At.generation, to: base, order)
            bytes.write(reserved, At.reserved, to: base, order)
            bytes.write(checksum, At.checksum, to: base, order)
        }

        /// Whether the record is nobody's.
        public var isFree: Bool { mode == 0 }

        /// What the type bits say; a named special, which POSIX does not know, is a file here. Nil
        /// for bits that say nothing.
        public var kind: NodeKind? {
            mode & 0xf000 == Self.namedSpecial ? .file : NodeKind(rawValue: UInt32(mode & 0xf000))
        }

        /// The permission bits; nobody may write a named special.
        public var permissions: UInt32 {
            UInt32(mode & 0xf000 == Self.namedSpecial ? mode & 0o7555 : mode & 0o7777)
        }
    }
}
