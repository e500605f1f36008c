extension QNX6 {
    /// A name of more than 27 bytes: the beginning of a block of the long-name file.
    ///
    /// Source: Linux `include/linux/qnx6_fs.h`, `struct qnx6_long_filename`.
    public struct LongName: Equatable, Sendable {
        /// Bytes of a name at most.
        public static let mostOfName = 510

        /// The name.
        public var name: [UInt8]

        enum At {
            static let length = Field<UInt16>(0, "qnx6 long name.size")
            static func name(_ count: Int) -> ByteField {
                ByteField(2, count: count, "qnx6 long name.fname")
            }
        }

        /// This name.
        public init(_ name: [UInt8]) { self.name = name }

        /// Reads the name in the block of `blockSize` bytes at byte `base`. Throws `truncated`, or
        /// `corrupt` for a length that is none.
        public init(
            parsing bytes: RawSpan, at base: Int, _ order: ByteOrder, blockSize: Int
        ) throws(FormatError) {
            let length = Int(try bytes.read(At.length, from: base, order))
            let most = min(Self.mostOfName, blockSize &- 2)
            guard (1...most).contains(length) else {
                throw .corrupt(
                    At.length.place(base), found: "\(length)", expected: "1 through \(most)")
            }
            name = try bytes.read(At.name(length), from: base)
        }

        /// Writes the name to the block at byte `base`, where there must be room and zeros.
        public func write(to bytes: inout [UInt8], at base: Int, _ order: ByteOrder) {
            bytes.write(UInt16(clamping: name.count), At.length, to: base, order)
            bytes.write(name, At.name(Self.mostOfName), to: base)
        }
    }
}
