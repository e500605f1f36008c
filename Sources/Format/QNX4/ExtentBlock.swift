extension QNX4 {
    /// Further extents of a file: a block, one of a chain.
    ///
    /// Source: Linux `include/uapi/linux/qnx4_fs.h`, `struct qnx4_xblk`.
    public struct ExtentBlock: Equatable, Sendable {
        /// Extents at most.
        public static let mostExtents = 60
        /// The mark behind the extents, with its zero.
        public static let signature = Array("IamXblk".utf8) + [0]

        /// The next of the chain; 0 for none.
        public var next: UInt32
        /// The one before; 0 for none.
        public var previous: UInt32
        /// The extents.
        public var extents: [Extent]
        /// Blocks that those have.
        public var blockCount: UInt32
        /// The file's first extent, which is in its record.
        public var first: Extent

        enum At {
            static let next = Field<UInt32>(0, "qnx4 extent block.xblk_next_xblk")
            static let previous = Field<UInt32>(4, "qnx4 extent block.xblk_prev_xblk")
            static let count = Field<UInt8>(8, "qnx4 extent block.xblk_num_xtnts")
            static let blockCount = Field<UInt32>(12, "qnx4 extent block.xblk_num_blocks")
            static func start(_ index: Int) -> Field<UInt32> {
                Field(16 + 8 * index, "qnx4 extent block.xblk_xtnts")
            }
            static func count(_ index: Int) -> Field<UInt32> {
                Field(20 + 8 * index, "qnx4 extent block.xblk_xtnts")
            }
            static let signature = ByteField(496, count: 8, "qnx4 extent block.xblk_signature")
            static let firstStart = Field<UInt32>(504, "qnx4 extent block.xblk_first_xtnt")
            static let firstCount = Field<UInt32>(508, "qnx4 extent block.xblk_first_xtnt")
        }

        /// A block of these extents, behind no other.
        public init(_ extents: [Extent], of first: Extent) {
            next = 0
            previous = 0
            self.extents = extents
            blockCount = extents.reduce(0) { $0 &+ $1.count }
            self.first = first
        }

        /// Reads the block at byte `base`. Throws `truncated`, or `corrupt` for a wrong mark and for
        /// a number of extents that no block has.
        public init(parsing bytes: RawSpan, at base: Int) throws(FormatError) {
            next = try bytes.read(At.next, from: base, .little)
            previous = try bytes.read(At.previous, from: base, .little)
            let count = Int(try bytes.read(At.count, from: base, .little))
            blockCount = try bytes.read(At.blockCount, from: base, .little)
            let mark = try bytes.read(At.signature, from: base)
            guard mark.starts(with: Self.signature.dropLast()) else {
                throw .corrupt(
                    At.signature.place(base), found: "'\(printable(mark))'",
                    expected: "'IamXblk'")
            }
            guard (1...Self.mostExtents).contains(count) else {
                throw .corrupt(
                    At.count.place(base), found: "\(count)",
                    expected: "1 through \(Self.mostExtents)")
            }
            extents = []
            for index in 0..<count {
                extents.append(
                    Extent(
                        start: try bytes.read(At.start(index), from: base, .little),
                        count: try bytes.read(At.count(index), from: base, .little)))
            }
            first = Extent(
                start: try bytes.read(At.firstStart, from: base, .little),
                count: try bytes.read(At.firstCount, from: base, .little))
        }

        /// Writes the block to byte `base`, where there must be room and zeros.
        public func write(to bytes: inout [UInt8], at base: Int) {
            bytes.write(next, At.next, to: base, .little)
            bytes.write(previous, At.previous, to: base, .little)
            bytes.write(UInt8(clamping: extents.count), At.count, to: base, .little)
            bytes.write(blockCount, At.blockCount, to: base, .little)
            for (index, extent) in extents.prefix(Self.mostExtents).enumerated() {
                bytes.write(extent.start, At.start(index), to: base, .little)
                bytes.write(extent.count, At.count(index), to: base, .little)
            }
            bytes.write(Self.signature, At.signature, to: base)
            bytes.write(first.start, At.firstStart, to: base, .little)
            bytes.write(first.count, At.firstCount, to: base, .little)
        }
    }
}
