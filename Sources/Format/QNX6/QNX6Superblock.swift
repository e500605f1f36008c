extension QNX6 {
    /// What a volume is, and where its system files lie: 512 bytes, before and behind the blocks.
    ///
    /// Integers are in the volume's own byte order, which the magic number tells. Source: Linux
    /// `include/linux/qnx6_fs.h`, `struct qnx6_super_block` and `struct qnx6_mmi_super_block`; the
    /// flags, and what follows the root nodes, are in QNX's `sys/fs_qnx6.h` of 6.5 to 7.1.
    public struct Superblock: Equatable, Sendable {
        /// Bytes of the superblock.
        public static let byteCount = 512
        /// Its first word.
        public static let magic: UInt32 = 0x6819_1122
        /// Sizes that a block can have, all powers of two.
        public static let blockSizes: ClosedRange<UInt32> = 512...32768
        /// `flags`: the identifier is text, not a UUID.
        public static let labelFlag: UInt32 = 0x4
        /// `flags`: entries of long names carry the sum of the name.
        public static let nameChecksumFlag: UInt32 = 0x100
        /// `flags`: the bitmap is larger than the volume needs, so that it can grow.
        static let largeBitmapFlag: UInt32 = 0x800
        /// `flags`: files may have holes.
        static let sparseFlag: UInt32 = 0x2_0000
        /// Flags whose bearers only those may read who know them.
        static let decisiveFlags: UInt32 = 0x00ff_0000
        /// Those of them that are known: B-tree directories, sparse files, sockets.
        static let knownFlags: UInt32 = 0x0007_0000

        /// How the fields are laid out.
        public enum Layout: Sendable, CaseIterable {
            /// As QNX has them.
            case standard
            /// As Audi's MMI 3G has them: eight bytes less before the block size.
            case audi

            /// What is added to the standard place of the block size and of all behind it.
            var shift: Int { self == .standard ? 0 : -8 }
        }

        /// How the fields are laid out.
        public var layout: Layout
        /// The byte order that the magic number shows.
        public var order: ByteOrder
        /// The number of the snapshot; of two valid superblocks, the higher one counts.
        public var serial: UInt64 = 0
        /// Seconds since 1970: when the volume was formatted. 0 in the Audi layout.
        public var formatted: UInt32 = 0
        /// Seconds since 1970: the last commit. 0 in the Audi layout.
        public var committed: UInt32 = 0
        /// What the volume has; 0 in the Audi layout.
        public var flags: UInt32 = 0
        /// Format version, 4; 0 in the Audi layout.
        public var version: UInt16 = 0
        /// Percent kept free for root; 0 in the Audi layout.
        public var reserve: UInt16 = 0
        /// The 12 bytes that only the Audi layout has, before the identifier.
        public var spare: [UInt8] = []
        /// A UUID or a label padded with zeros: 16 bytes, 12 in the Audi layout.
        public var identifier: [UInt8] = []
        /// Bytes of a block.
        public var blockSize: UInt32 = 0
        /// Records of the inode table.
        public var inodeCount: UInt32 = 0
        /// Those of them that are free.
        public var freeInodeCount: UInt32 = 0
        /// Blocks of the volume.
        public var blockCount: UInt32 = 0
        /// Those of them that are free.
        public var freeBlockCount: UInt32 = 0
        /// Allocation groups, 1 to 64.
        public var groupCount: UInt32 = 0
        /// The inode table.
        public var inodes = RootNode()
        /// The allocation bitmap.
        public var bitmap = RootNode()
        /// The names of more than 27 bytes.
        public var longNames = RootNode()
        /// Inodes to reclaim; nil in the Audi layout.
        public var reclaim: RootNode?
        /// Attributes, lists and keys; nil in the Audi layout.
        public var extra: RootNode?
        /// All behind the root nodes.
        public var tail: [UInt8] = []

        enum At {
            static let magic = Field<UInt32>(0, "qnx6 superblock.magic")
            static let checksum = Field<UInt32>(4, "qnx6 superblock.checksum")
            static let serial = Field<UInt64>(8, "qnx6 superblock.serial")
            static let formatted = Field<UInt32>(16, "qnx6 superblock.ctime")
            static let committed = Field<UInt32>(20, "qnx6 superblock.atime")
            static let flags = Field<UInt32>(24, "qnx6 superblock.flags")
            static let version = Field<UInt16>(28, "qnx6 superblock.version")
            static let reserve = Field<UInt16>(30, "qnx6 superblock.reserve")
            static let identifier = ByteField(32, count: 16, "qnx6 superblock.volumeid")
            static let blockSize = Field<UInt32>(48, "qnx6 superblock.blocksize")
            static let inodeCount = Field<UInt32>(52, "qnx6 superblock.num_inodes")
            static let freeInodeCount = Field<UInt32>(56, "qnx6 superblock.free_inodes")
            static let blockCount = Field<UInt32>(60, "qnx6 superblock.num_blocks")
            static let freeBlockCount = Field<UInt32>(64, "qnx6 superblock.free_blocks")
            static let groupCount = Field<UInt32>(68, "qnx6 superblock.allocgroup")
            static let tail = ByteField(472, count: 40, "qnx6 superblock.tail")
            static let audiSpare = ByteField(16, count: 12, "qnx6 superblock.spare")
            static let audiIdentifier = ByteField(28, count: 12, "qnx6 superblock.id")
            static let audiTail = ByteField(304, count: 208, "qnx6 superblock.tail")
            /// The root nodes in their order: inodes, bitmap, long names, reclaim, extra.
            static func node(_ index: Int) -> Int { 72 + RootNode.byteCount * index }
        }

        /// A superblock with no value but these.
        public init(_ order: ByteOrder, layout: Layout = .standard, blockSize: UInt32) {
            self.order = order
            self.layout = layout
            self.blockSize = blockSize
            guard layout == .standard else { return }
            version = 4
            reclaim = RootNode()
            extra = RootNode(pointers: Array(repeating: 0, count: 16), opaque: [])
        }

        /// The byte order of a superblock that begins so; nil where none does.
        static func magicOrder(_ bytes: [UInt8]) -> ByteOrder? {
            switch Array(bytes.prefix(4)) {
            case [0x22, 0x11, 0x19, 0x68]: .little
            case [0x68, 0x19, 0x11, 0x22]: .big
            default: nil
            }
        }
    }
}
