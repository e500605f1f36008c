extension QNX6 {
    /// Where one of the volume's system files lies: 80 bytes inside the superblock.
    ///
    /// Integers are in the volume's own byte order. Source: Linux `include/linux/qnx6_fs.h`,
    /// `struct qnx6_root_node`; the depth limit is `QNX6_PTR_MAX_LEVELS` in the same file.
    public struct RootNode: Equatable, Sendable {
        /// Bytes of the node.
        public static let byteCount = 80
        /// Pointers in the node.
        public static let pointerCount = 16
        /// Levels of pointer blocks at most.
        public static let maximumDepth: UInt8 = 5

        /// Length of the file, in bytes.
        public var size: UInt64
        /// First-level block numbers, `pointerCount` of them.
        public var pointers: [UInt32]
        /// Levels of pointer blocks between `pointers` and the data; 0 means direct.
        public var depth: UInt8
        /// The mode and spare bytes, kept so that a rewrite changes nothing else.
        public var opaque: [UInt8]

        enum At {
            static let size = Field<UInt64>(0x00, "qnx6 root node.size")
            static let depth = Field<UInt8>(0x48, "qnx6 root node.depth")
            static let opaque = ByteField(0x49, count: 7, "qnx6 root node.opaque")
            static func pointer(_ index: Int) -> Field<UInt32> {
                Field(0x08 + 4 * index, "qnx6 root node.pointers")
            }
        }

        /// A node of these values; in use, as mkqnx6fs marks it.
        public init(
            size: UInt64 = 0, pointers: [UInt32] = [], depth: UInt8 = 0,
            opaque: [UInt8] = [1, 0, 0, 0, 0, 0, 0]
        ) {
            self.size = size
            let rest = max(0, Self.pointerCount - pointers.count)
            self.pointers = pointers + Array(repeating: QNX6.noBlock, count: rest)
            self.depth = depth
            self.opaque = opaque
        }

        /// Reads the node at byte `base`. Throws `truncated`, or `corrupt` for an impossible depth.
        public init(
            parsing bytes: RawSpan, at base: Int, _ order: ByteOrder
        ) throws(FormatError) {
            size = try bytes.read(At.size, from: base, order)
            pointers = []
            pointers.reserveCapacity(Self.pointerCount)
            for index in 0..<Self.pointerCount {
                pointers.append(try bytes.read(At.pointer(index), from: base, order))
            }
            depth = try bytes.read(At.depth, from: base, order)
            opaque = try bytes.read(At.opaque, from: base)
            guard depth <= Self.maximumDepth else {
                throw .corrupt(
                    At.depth.place(base), found: "\(depth)",
                    expected: "0 through \(Self.maximumDepth)")
            }
        }

        /// Writes the node to byte `base`, where there must be room.
        public func write(to bytes: inout [UInt8], at base: Int, _ order: ByteOrder) {
            bytes.write(size, At.size, to: base, order)
            for (index, pointer) in pointers.prefix(Self.pointerCount).enumerated() {
                bytes.write(pointer, At.pointer(index), to: base, order)
            }
            bytes.write(depth, At.depth, to: base, order)
            bytes.write(opaque, At.opaque, to: base)
        }
    }
}
