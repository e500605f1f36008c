extension IFS {
    /// One record of the image's directory (`union image_dirent`).
    ///
    /// A value without storage of its own: names and targets are ranges of the directory's bytes,
    /// which keeps a directory of 100,000 entries small. Source: the vendor's `sys/image.h`.
    public struct Dirent: Equatable, Sendable, BitwiseCopyable {
        /// What an entry is, and what only its kind has.
        public enum Kind: Equatable, Sendable, BitwiseCopyable {
            /// `size` bytes at `offset` from the image header.
            case file(offset: UInt32, size: UInt32)
            case directory
            /// The target's bytes, as a range of the directory's; `size` is the stored `sym_size`.
            case symlink(target: ByteRange, size: UInt16)
            /// A fifo, device, socket or named special, by its mode.
            case device(device: UInt32, rawDevice: UInt32)
            /// A mode whose type no release defines.
            case unknown
        }

        /// A range of the directory's bytes.
        public struct ByteRange: Equatable, Sendable, BitwiseCopyable {
            let start: UInt32
            let end: UInt32

            init(_ range: Range<Int>) {
                start = UInt32(clamping: range.lowerBound)
                end = UInt32(clamping: range.upperBound)
            }

            var range: Range<Int> { Int(start)..<Int(max(start, end)) }
        }

        /// Bytes of the head that every kind shares.
        public static let headByteCount = 24
        /// Inode: an ELF file that mkifs laid out.
        public static let processedFlag: UInt32 = 0x8000_0000
        /// Inode: an executable that can run only once.
        public static let runOnceFlag: UInt32 = 0x4000_0000
        /// Inode: a bootstrap executable.
        public static let bootstrapFlag: UInt32 = 0x2000_0000
        /// Inode: the bits that number the file.
        public static let inodeMask: UInt32 = 0x1fff_ffff

        /// Offset of the record in the directory.
        public let recordOffset: UInt32
        /// Bytes of the record, its padding included.
        public let recordSize: UInt16
        /// Offset of extended attributes in the record; 0 in every image seen.
        public let extendedAttributes: UInt16
        /// Inode number with its flag bits; 0 marks a void entry.
        public let inode: UInt32
        /// Type and permission bits.
        public let mode: UInt32
        /// Numeric id of the group.
        public let group: UInt32
        /// Numeric id of the owner.
        public let user: UInt32
        /// Seconds since 1970.
        public let modified: UInt32
        let path: ByteRange
        /// The type, and what it brings.
        public let kind: Kind

        enum At {
            static let size = Field<UInt16>(0, "dirent.size")
            static let extendedAttributes = Field<UInt16>(2, "dirent.extattr_offset")
            static let inode = Field<UInt32>(4, "dirent.ino")
            static let mode = Field<UInt32>(8, "dirent.mode")
            static let group = Field<UInt32>(12, "dirent.gid")
            static let user = Field<UInt32>(16, "dirent.uid")
            static let modified = Field<UInt32>(20, "dirent.mtime")
            static let fileOffset = Field<UInt32>(24, "dirent.offset")
            static let fileSize = Field<UInt32>(28, "dirent.size of the file")
            static let filePath = Field<UInt8>(32, "dirent.path")
            static let directoryPath = Field<UInt8>(24, "dirent.path")
            static let targetOffset = Field<UInt16>(24, "dirent.sym_offset")
            static let targetSize = Field<UInt16>(26, "dirent.sym_size")
            static let symlinkPath = Field<UInt8>(28, "dirent.path")
            static let device = Field<UInt32>(24, "dirent.dev")
            static let rawDevice = Field<UInt32>(28, "dirent.rdev")
            static let devicePath = Field<UInt8>(32, "dirent.path")
        }

        /// The mode's type bits.
        public enum ModeType {
            /// The bits that tell the type.
            public static let mask: UInt32 = 0xf000
            /// A pipe with a name.
            public static let fifo: UInt32 = 0x1000
            /// A character device.
            public static let character: UInt32 = 0x2000
            /// A directory.
            public static let directory: UInt32 = 0x4000
            /// QNX's own; Linux has no such type.
            public static let namedSpecial: UInt32 = 0x5000
            /// A block device.
            public static let block: UInt32 = 0x6000
            /// A file.
            public static let regular: UInt32 = 0x8000
            /// A symbolic link.
            public static let symlink: UInt32 = 0xa000
            /// A socket.
            public static let socket: UInt32 = 0xc000
        }

        /// Reads the record at byte `base` of a directory; `size` bytes of it are there. Throws
        /// `truncated` or `corrupt` for a body that its size cannot hold.
        init(
            parsing bytes: RawSpan, at base: Int, size: UInt16, _ order: ByteOrder
        ) throws(FormatError) {
            let end = base &+ Int(size)
            recordOffset = UInt32(clamping: base)
            recordSize = size
            extendedAttributes = try bytes.read(At.extendedAttributes, from: base, order)
            inode = try bytes.read(At.inode, from: base, order)
            mode = try bytes.read(At.mode, from: base, order)
            group = try bytes.read(At.group, from: base, order)
            user = try bytes.read(At.user, from: base, order)
            modified = try bytes.read(At.modified, from: base, order)
            switch mode & ModeType.mask {
            case ModeType.regular:
                kind = .file(
                    offset: try bytes.read(At.fileOffset, from: base, order),
                    size: try bytes.read(At.fileSize, from: base, order))
                path = try Self.text(bytes, At.filePath, base, end)
            case ModeType.directory:
                kind = .directory
                path = try Self.text(bytes, At.directoryPath, base, end)
            case ModeType.symlink:
                path = try Self.text(bytes, At.symlinkPath, base, end)
                let target = Field<UInt8>(
                    At.symlinkPath.offset
                        + Int(try bytes.read(At.targetOffset, from: base, order)),
                    "dirent.target")
                kind = .symlink(
                    target: try Self.text(bytes, target, base, end),
                    size: try bytes.read(At.targetSize, from: base, order))
            case ModeType.fifo, ModeType.character, ModeType.namedSpecial, ModeType.block,
                ModeType.socket:
                kind = .device(
                    device: try bytes.read(At.device, from: base, order),
                    rawDevice: try bytes.read(At.rawDevice, from: base, order))
                path = try Self.text(bytes, At.devicePath, base, end)
            default:
                kind = .unknown
                path = try Self.text(bytes, At.directoryPath, base, end)
            }
        }

        private static func text(
            _ bytes: RawSpan, _ field: Field<UInt8>, _ base: Int, _ end: Int
        ) throws(FormatError) -> ByteRange {
            let start = base &+ field.offset
            guard start < end, end <= bytes.byteCount,
                let stop = bytes.first(0, in: start..<end)
            else {
                throw .corrupt(
                    field.place(base), found: "no end of the text",
                    expected: "a NUL inside the record of \(end &- base) bytes")
            }
            return ByteRange(start..<stop)
        }
    }

    /// The image's directory: its bytes, the records found in them, and what stood in the way.
    public struct Directory: Sendable {
        /// The largest directory that is read, in bytes: room for half a million entries.
        public static let maximumByteCount: UInt64 = 32 << 20
        /// The most unreadable records that are remembered.
        private static let mostSkipped = 1000

        /// The bytes between `dir_offset` and `hdr_dir_size`.
        public let bytes: [UInt8]
        /// The readable records, in their order.
        public let entries: [Dirent]
        /// The first 1,000 records whose bodies could not be read, in order; the walk went on behind
        /// them.
        public let skipped: [FormatError]
        /// Why the walk ended before the end mark; nil where it did not.
        public let broken: FormatError?
        /// Offset of the end mark, or of where the walk broke.
        public let end: Int

        /// Walks `bytes`, which start at the first record. Faults count their places from `origin`
        /// bytes before it.
        public init(_ bytes: [UInt8], _ order: ByteOrder, origin: UInt64 = 0) {
            var entries: [Dirent] = []
            // Most records are longer than this.
            entries.reserveCapacity(bytes.count / 40)
            var skipped: [FormatError] = []
            var position = 0
            var broken: FormatError?
            do throws(FormatError) {
                try bytes.parsed { span throws(FormatError) in
                    while let size = try Self.recordSize(span, at: position, order) {
                        do throws(FormatError) {
                            entries.append(
                                try Dirent(parsing: span, at: position, size: size, order))
                        } catch {
                            if skipped.count < Self.mostSkipped {
                                skipped.append(error.moved(by: origin))
                            }
                        }
                        position &+= Int(size)
                    }
                }
            } catch {
                broken = error.moved(by: origin)
            }
            self.bytes = bytes
            self.entries = entries
            self.skipped = skipped
            self.broken = broken
            self.end = position
        }

        /// The size of the record at `position`; nil at the end mark and where the bytes end.
        private static func recordSize(
            _ span: RawSpan, at position: Int, _ order: ByteOrder
        ) throws(FormatError) -> UInt16? {
            guard position < span.byteCount else { return nil }
            let size = try span.read(Dirent.At.size, from: position, order)
            guard size != 0 else { return nil }
            guard Int(size) >= Dirent.headByteCount, size & 3 == 0 else {
                throw .corrupt(
                    Dirent.At.size.place(position), found: "\(size)",
                    expected: "0, or a multiple of 4 from \(Dirent.headByteCount) on")
            }
            guard span.holds(Int(size), at: position) else {
                throw .truncated(
                    Dirent.At.size.place(position), needed: UInt64(size),
                    available: UInt64(clamping: span.byteCount &- position))
            }
            return size
        }

        /// The entry's path as stored: without a leading slash, empty for the root.
        public func path(of entry: Dirent) -> ArraySlice<UInt8> { slice(entry.path) }

        /// The symlink's target; empty for other kinds.
        public func target(of entry: Dirent) -> ArraySlice<UInt8> {
            guard case .symlink(let target, _) = entry.kind else { return [] }
            return slice(target)
        }

        private func slice(_ range: Dirent.ByteRange) -> ArraySlice<UInt8> {
            bytes[range.range.clamped(to: bytes.indices)]
        }
    }
}
