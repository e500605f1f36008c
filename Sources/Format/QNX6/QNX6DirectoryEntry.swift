extension QNX6 {
    /// A name in a directory, and the inode that it leads to: 32 bytes.
    ///
    /// Source: Linux `include/linux/qnx6_fs.h`, `struct qnx6_dir_entry` and
    /// `struct qnx6_long_dir_entry`; encrypted names are in QNX's `sys/fs_qnx6.h`.
    public struct DirectoryEntry: Equatable, Sendable {
        /// Bytes of the entry.
        public static let byteCount = 32
        /// Bytes of a name that an entry itself can hold.
        public static let mostOfShortName = 27

        /// How an entry has its name.
        public enum Name: Equatable, Sendable {
            /// In itself.
            case short([UInt8])
            /// In the long-name file: which block of it, and the sum of the name.
            case long(index: UInt32, checksum: UInt32)
            /// Encrypted; the block of the long-name file.
            case encrypted(index: UInt32)
            /// A length that no name has.
            case odd(UInt8)
        }

        /// The number of the inode, from 1 on.
        public var inode: UInt32
        /// The name.
        public var name: Name

        enum At {
            static let inode = Field<UInt32>(0, "qnx6 directory entry.inode")
            static let length = Field<UInt8>(4, "qnx6 directory entry.size")
            static let index = Field<UInt32>(8, "qnx6 directory entry.long_inode")
            static let checksum = Field<UInt32>(12, "qnx6 directory entry.checksum")
            static func name(_ count: Int) -> ByteField {
                ByteField(5, count: count, "qnx6 directory entry.fname")
            }
        }

        /// An entry of these values.
        public init(inode: UInt32, name: Name) {
            self.inode = inode
            self.name = name
        }

        /// Reads the entry at byte `base`; nil for a free one, which has inode or length 0. Throws
        /// `truncated`.
        public init?(
            parsing bytes: RawSpan, at base: Int, _ order: ByteOrder
        ) throws(FormatError) {
            inode = try bytes.read(At.inode, from: base, order)
            let length = try bytes.read(At.length, from: base, order)
            guard inode != 0, length != 0 else { return nil }
            switch length {
            case 1...UInt8(Self.mostOfShortName):
                name = .short(try bytes.read(At.name(Int(length)), from: base))
            case 0xff:
                name = .long(
                    index: try bytes.read(At.index, from: base, order),
                    checksum: try bytes.read(At.checksum, from: base, order))
            case 0xfe: name = .encrypted(index: try bytes.read(At.index, from: base, order))
            default: name = .odd(length)
            }
        }

        /// Writes the entry to byte `base`, where there must be 32 zeros.
        public func write(to bytes: inout [UInt8], at base: Int, _ order: ByteOrder) {
            bytes.write(inode, At.inode, to: base, order)
            switch name {
            case .short(let name):
                bytes.write(UInt8(clamping: name.count), At.length, to: base, order)
                bytes.write(name, At.name(Self.mostOfShortName), to: base)
            case .long(let index, let checksum):
                bytes.write(0xff, At.length, to: base, order)
                bytes.write(index, At.index, to: base, order)
                bytes.write(checksum, At.checksum, to: base, order)
            case .encrypted(let index):
                bytes.write(0xfe, At.length, to: base, order)
                bytes.write(index, At.index, to: base, order)
            case .odd(let length): bytes.write(length, At.length, to: base, order)
            }
        }
    }
}
