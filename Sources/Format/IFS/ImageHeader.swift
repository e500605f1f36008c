extension IFS {
    /// The start of the image file system itself (`struct image_header`): 88 bytes and a name.
    ///
    /// Integers are in the target's byte order, which bit 0 of the flags tells. Source: the vendor's
    /// `sys/image.h`; the flags 0x08 and 0x10 are of its 8.0 revision.
    public struct ImageHeader: Equatable, Sendable {
        /// Bytes before the mount point's text.
        public static let fixedByteCount = 88
        /// The first seven bytes.
        public static let signature = Array("imagefs".utf8)
        /// `flags`: big-endian.
        public static let bigEndianFlag: UInt8 = 0x01
        /// `flags`: a split image, whose data segments run from RAM.
        public static let readOnlyFlag: UInt8 = 0x02
        /// `flags`: the high bits of inode numbers have their meaning.
        public static let inodeBitsFlag: UInt8 = 0x04
        /// `flags`: the directory is sorted by path.
        public static let sortedFlag: UInt8 = 0x08
        /// `flags`: the image ends in a SHA-512 and a checksum.
        public static let trailerV2Flag: UInt8 = 0x10
        /// `flags`: all bits above.
        public static let knownFlags: UInt8 = 0x1f
        /// The longest mount point that is read.
        static let maximumMountpoint = 1024

        /// The byte order of the image.
        public var order: ByteOrder
        /// The flag bits above.
        public var flags: UInt8
        /// Bytes from this header to the end of the image's trailer.
        public var imageSize: UInt32
        /// Bytes of header and directory, the directory's end mark included.
        public var directoryEnd: UInt32
        /// Offset of the first directory entry from this header.
        public var directoryOffset: UInt32
        /// Inodes of the bootstrap executables, with their flag bits; 0 is none.
        public var bootInodes: [UInt32]
        /// Inode of the compiled startup script; 0 is none.
        public var scriptInode: UInt32
        /// The buildfile's `chain=` address; 0 is none.
        public var chainAddress: UInt32
        /// Ten reserved words.
        public var spare: [UInt32]
        /// 0 in everything mkifs writes.
        public var mountFlags: UInt32
        /// Where the target puts the image: bytes without a NUL.
        public var mountpoint: [UInt8]

        enum At {
            static let signature = ByteField(0, count: 7, "image header.signature")
            static let flags = Field<UInt8>(7, "image header.flags")
            static let imageSize = Field<UInt32>(8, "image header.image_size")
            static let directoryEnd = Field<UInt32>(12, "image header.hdr_dir_size")
            static let directoryOffset = Field<UInt32>(16, "image header.dir_offset")
            static func bootInode(_ index: Int) -> Field<UInt32> {
                Field(20 + 4 * index, "image header.boot_ino[\(index)]")
            }
            static let scriptInode = Field<UInt32>(36, "image header.script_ino")
            static let chainAddress = Field<UInt32>(40, "image header.chain_paddr")
            static func spare(_ index: Int) -> Field<UInt32> {
                Field(44 + 4 * index, "image header.spare[\(index)]")
            }
            static let mountFlags = Field<UInt32>(84, "image header.mountflags")
            static let mountpoint = Field<UInt8>(88, "image header.mountpoint")
        }

        /// Reads the header at byte `base`. Throws `truncated`, or `corrupt` for a wrong signature,
        /// an unknown flag, or sizes that contradict each other.
        public init(parsing bytes: RawSpan, at base: Int = 0) throws(FormatError) {
            let signature = try bytes.read(At.signature, from: base)
            guard signature == Self.signature else {
                throw .corrupt(
                    At.signature.place(base), found: "'\(printable(signature))'",
                    expected: "'imagefs'")
            }
            flags = try bytes.read(At.flags, from: base, .little)
            guard flags & ~Self.knownFlags == 0 else {
                throw .corrupt(
                    At.flags.place(base), found: hex(flags),
                    expected: "no bits but \(hex(Self.knownFlags))")
            }
            order = flags & Self.bigEndianFlag == 0 ? .little : .big
            imageSize = try bytes.read(At.imageSize, from: base, order)
            directoryEnd = try bytes.read(At.directoryEnd, from: base, order)
            directoryOffset = try bytes.read(At.directoryOffset, from: base, order)
            var inodes: [UInt32] = []
            for index in 0..<4 {
                inodes.append(try bytes.read(At.bootInode(index), from: base, order))
            }
            bootInodes = inodes
            scriptInode = try bytes.read(At.scriptInode, from: base, order)
            chainAddress = try bytes.read(At.chainAddress, from: base, order)
            var words: [UInt32] = []
            for index in 0..<10 {
                words.append(try bytes.read(At.spare(index), from: base, order))
            }
            spare = words
            mountFlags = try bytes.read(At.mountFlags, from: base, order)
            mountpoint = try Self.text(bytes, at: base, end: directoryOffset)
            try check(at: base)
        }

        /// A header with no value but its byte order, whose flag is set, and its mount point.
        public init(_ order: ByteOrder, mountpoint: [UInt8] = []) {
            self.order = order
            flags = order == .big ? Self.bigEndianFlag : 0
            imageSize = 0
            directoryEnd = 0
            directoryOffset = 0
            bootInodes = []
            scriptInode = 0
            chainAddress = 0
            spare = []
            mountFlags = 0
            self.mountpoint = mountpoint
            directoryOffset = strictDirectoryOffset
        }

        /// The header and its mount point, up to `dir_offset`; the mount point has to fit before it.
        public var bytes: [UInt8] {
            let count = max(Int(directoryOffset), Self.fixedByteCount + mountpoint.count + 1)
            var bytes = [UInt8](repeating: 0, count: count)
            bytes.write(Self.signature, At.signature, to: 0)
            bytes.write(flags, At.flags, to: 0, order)
            bytes.write(imageSize, At.imageSize, to: 0, order)
            bytes.write(directoryEnd, At.directoryEnd, to: 0, order)
            bytes.write(directoryOffset, At.directoryOffset, to: 0, order)
            for (index, inode) in bootInodes.prefix(4).enumerated() {
                bytes.write(inode, At.bootInode(index), to: 0, order)
            }
            bytes.write(scriptInode, At.scriptInode, to: 0, order)
            bytes.write(chainAddress, At.chainAddress, to: 0, order)
            for (index, word) in spare.prefix(10).enumerated() {
                bytes.write(word, At.spare(index), to: 0, order)
            }
            bytes.write(mountFlags, At.mountFlags, to: 0, order)
            for (index, byte) in mountpoint.enumerated() {
                bytes[Self.fixedByteCount + index] = byte
            }
            return bytes
        }

        private static func text(
            _ bytes: RawSpan, at base: Int, end: UInt32
        ) throws(FormatError) -> [UInt8] {
            let start = base &+ fixedByteCount
            let limit = min(
                bytes.byteCount, start &+ maximumMountpoint, base &+ Int(clamping: end))
            guard limit > start, let stop = bytes.first(0, in: start..<limit) else {
                throw .corrupt(
                    At.mountpoint.place(base), found: "no end of the text",
                    expected: "a NUL before dir_offset \(hex(end))")
            }
            return bytes.bytes(start..<stop)
        }

        private func check(at base: Int) throws(FormatError) {
            guard directoryOffset < directoryEnd else {
                throw .corrupt(
                    At.directoryEnd.place(base), found: hex(directoryEnd),
                    expected: "more than dir_offset \(hex(directoryOffset))")
            }
            guard directoryEnd < imageSize else {
                throw .corrupt(
                    At.imageSize.place(base), found: hex(imageSize),
                    expected: "more than hdr_dir_size \(hex(directoryEnd))")
            }
        }

        /// The `dir_offset` that mkifs writes: what the text ends on, rounded up to 4.
        public var strictDirectoryOffset: UInt32 {
            UInt32(clamping: (Self.fixedByteCount + mountpoint.count + 1 + 3) & ~3)
        }

        /// Bytes of the image's trailer.
        public var trailerSize: Int { Self.trailerSize(flags) }

        /// Bytes of the trailer of an image with these flags.
        public static func trailerSize(_ flags: UInt8) -> Int {
            flags & trailerV2Flag == 0 ? Trailer.checksumSize : Trailer.v2Size
        }
    }
}
