extension QNX4 {
    /// A name of more than 48 bytes: a block of `.longfilenames`, from 6.2.1 on.
    ///
    /// Source: a real image; Linux does not know it.
    public struct LongNameBlock: Equatable, Sendable {
        /// Bytes of a name at most.
        public static let mostOfName = 505

        /// The directory's record that has the name.
        public var owner: RecordPlace
        /// 1 while the name is in use.
        public var status: UInt8
        /// The name.
        public var name: [UInt8]

        enum At {
            static let block = Field<UInt32>(0, "qnx4 long name.block")
            static let index = Field<UInt8>(4, "qnx4 long name.index")
            static let status = Field<UInt8>(5, "qnx4 long name.status")
            static let name = ByteField(6, count: 506, "qnx4 long name.name")
        }

        /// The name of a record.
        public init(_ name: [UInt8], of owner: RecordPlace) {
            self.owner = owner
            status = 1
            self.name = name
        }

        /// Reads the block at byte `base`. Throws `truncated` alone.
        public init(parsing bytes: RawSpan, at base: Int) throws(FormatError) {
            owner = RecordPlace(
                block: try bytes.read(At.block, from: base, .little),
                index: try bytes.read(At.index, from: base, .little))
            status = try bytes.read(At.status, from: base, .little)
            name = Array(try bytes.read(At.name, from: base).prefix { $0 != 0 })
        }

        /// Writes the block to byte `base`, where there must be room and zeros.
        public func write(to bytes: inout [UInt8], at base: Int) {
            bytes.write(owner.block, At.block, to: base, .little)
            bytes.write(owner.index, At.index, to: base, .little)
            bytes.write(status, At.status, to: base, .little)
            bytes.write(Array(name.prefix(Self.mostOfName)), At.name, to: base)
        }

        /// Whether it is the name of that record.
        func isName(of record: RecordPlace) -> Bool {
            owner == record && status & 1 == 1 && !name.isEmpty && name.count <= Self.mostOfName
        }
    }
}
