extension QNX6.Superblock {
    /// Reads the superblock at byte `base`. Throws `truncated`, `corrupt` for a wrong magic number,
    /// sum, block size or depth, `unsupported` for larger blocks and for flags that forbid it.
    public init(
        parsing bytes: RawSpan, at base: Int = 0, layout: Layout = .standard
    ) throws(FormatError) {
        let raw = try bytes.read(At.magic, from: base, .little)
        switch raw {
        case Self.magic: order = .little
        case Self.magic.byteSwapped: order = .big
        default:
            throw .corrupt(
                At.magic.place(base), found: hex(raw),
                expected: "\(hex(Self.magic)) in either byte order")
        }
        self.layout = layout
        try Self.checkSum(bytes, at: base, order)
        serial = try bytes.read(At.serial, from: base, order)
        switch layout {
        case .standard: try readStandardHead(bytes, at: base)
        case .audi:
            spare = try bytes.read(At.audiSpare, from: base)
            identifier = try bytes.read(At.audiIdentifier, from: base)
            tail = try bytes.read(At.audiTail, from: base)
        }
        try readCounts(bytes, at: base &+ layout.shift)
        try checkBlockSize(at: base &+ layout.shift)
        try readNodes(bytes, at: base &+ layout.shift)
        let unknown = flags & Self.decisiveFlags & ~Self.knownFlags
        guard unknown == 0 else {
            throw .unsupported(
                At.flags.place(base), found: hex(flags),
                expected: "none of the bits \(hex(unknown))")
        }
    }

    private static func checkSum(
        _ bytes: RawSpan, at base: Int, _ order: ByteOrder
    ) throws(FormatError) {
        let stored = try bytes.read(At.checksum, from: base, order)
        let covered = ByteField(8, count: byteCount - 8, "qnx6 superblock")
        let computed = QNX6.checksum(try bytes.read(covered, from: base))
        guard stored == computed else {
            throw .corrupt(
                At.checksum.place(base), found: hex(stored), expected: hex(computed))
        }
    }

    private mutating func readStandardHead(
        _ bytes: RawSpan, at base: Int
    ) throws(FormatError) {
        formatted = try bytes.read(At.formatted, from: base, order)
        committed = try bytes.read(At.committed, from: base, order)
        flags = try bytes.read(At.flags, from: base, order)
        version = try bytes.read(At.version, from: base, order)
        reserve = try bytes.read(At.reserve, from: base, order)
        identifier = try bytes.read(At.identifier, from: base)
        tail = try bytes.read(At.tail, from: base)
    }

    private mutating func readCounts(_ bytes: RawSpan, at base: Int) throws(FormatError) {
        blockSize = try bytes.read(At.blockSize, from: base, order)
        inodeCount = try bytes.read(At.inodeCount, from: base, order)
        freeInodeCount = try bytes.read(At.freeInodeCount, from: base, order)
        blockCount = try bytes.read(At.blockCount, from: base, order)
        freeBlockCount = try bytes.read(At.freeBlockCount, from: base, order)
        groupCount = try bytes.read(At.groupCount, from: base, order)
    }

    private func checkBlockSize(at base: Int) throws(FormatError) {
        let place = At.blockSize.place(base)
        let isPower = blockSize.nonzeroBitCount == 1
        let expected =
            "a power of two from \(Self.blockSizes.lowerBound) to \(Self.blockSizes.upperBound)"
        guard isPower, blockSize >= Self.blockSizes.lowerBound else {
            throw .corrupt(place, found: "\(blockSize)", expected: expected)
        }
        guard blockSize <= Self.blockSizes.upperBound else {
            throw .unsupported(place, found: "\(blockSize)", expected: expected)
        }
    }

    private mutating func readNodes(_ bytes: RawSpan, at base: Int) throws(FormatError) {
        func node(_ index: Int) throws(FormatError) -> QNX6.RootNode {
            try QNX6.RootNode(parsing: bytes, at: base &+ At.node(index), order)
        }
        inodes = try node(0)
        bitmap = try node(1)
        longNames = try node(2)
        guard layout == .standard else { return }
        reclaim = try node(3)
        extra = try node(4)
    }

    /// The 512 bytes of the superblock, with the sum that they have.
    public var bytes: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        bytes.write(Self.magic, At.magic, to: 0, order)
        bytes.write(serial, At.serial, to: 0, order)
        switch layout {
        case .standard:
            bytes.write(formatted, At.formatted, to: 0, order)
            bytes.write(committed, At.committed, to: 0, order)
            bytes.write(flags, At.flags, to: 0, order)
            bytes.write(version, At.version, to: 0, order)
            bytes.write(reserve, At.reserve, to: 0, order)
            bytes.write(identifier, At.identifier, to: 0)
            bytes.write(tail, At.tail, to: 0)
        case .audi:
            bytes.write(spare, At.audiSpare, to: 0)
            bytes.write(identifier, At.audiIdentifier, to: 0)
            bytes.write(tail, At.audiTail, to: 0)
        }
        let base = layout.shift
        bytes.write(blockSize, At.blockSize, to: base, order)
        bytes.write(inodeCount, At.inodeCount, to: base, order)
        bytes.write(freeInodeCount, At.freeInodeCount, to: base, order)
        bytes.write(blockCount, At.blockCount, to: base, order)
        bytes.write(freeBlockCount, At.freeBlockCount, to: base, order)
        bytes.write(groupCount, At.groupCount, to: base, order)
        for (index, node) in [inodes, bitmap, longNames, reclaim, extra].enumerated() {
            node?.write(to: &bytes, at: base + At.node(index), order)
        }
        bytes.write(QNX6.checksum(bytes[8...]), At.checksum, to: 0, order)
        return bytes
    }

    /// Whether the counts fit together: in the wrong layout they do not.
    var isConsistent: Bool {
        blockCount > 0 && inodes.size == UInt64(inodeCount) &* UInt64(QNX6.Inode.byteCount)
    }
}
