import Format
import TestSupport
import Testing

/// Offsets are those of `include/linux/qnx6_fs.h`, and for what that leaves out of the format's
/// description.
struct QNX6StructureTests {
    /// A superblock in which every field has a value of its own.
    private static func superblock(_ order: ByteOrder) -> [UInt8] {
        let isBig = order == .big
        var bytes = [UInt8](repeating: 0, count: 512)
        bytes.set(UInt32(0x6819_1122), at: 0, isBigEndian: isBig)
        bytes.set(UInt64(0x1_0000_0002), at: 8, isBigEndian: isBig)
        bytes.set(UInt32(0xc000_0001), at: 16, isBigEndian: isBig)
        bytes.set(UInt32(0xc000_0002), at: 20, isBigEndian: isBig)
        bytes.set(UInt32(0x105), at: 24, isBigEndian: isBig)
        bytes.set(UInt16(4), at: 28, isBigEndian: isBig)
        bytes.set(UInt16(3), at: 30, isBigEndian: isBig)
        bytes.set(Array(1...16), at: 32)
        for (index, value) in [1024, 48, 9, 384, 99, 2].enumerated() {
            bytes.set(UInt32(value), at: 48 + 4 * index, isBigEndian: isBig)
        }
        for node in 0..<5 {
            let start = 72 + 80 * node
            bytes.set(UInt64(1000 + node), at: start, isBigEndian: isBig)
            for index in 0..<16 {
                let pointer = UInt32(0x1000 * node + index)
                bytes.set(pointer, at: start + 8 + 4 * index, isBigEndian: isBig)
            }
            bytes[start + 72] = UInt8(node)
            bytes.set(Array(11...17), at: start + 73)
        }
        for index in 472..<512 { bytes[index] = UInt8(index & 0xff) }
        SmallQNX6.sum(&bytes, at: 0, isBigEndian: isBig)
        return bytes
    }

    private static func parse(
        _ bytes: [UInt8], at base: Int = 0, _ layout: QNX6.Superblock.Layout = .standard
    ) throws -> QNX6.Superblock {
        try QNX6.Superblock(parsing: bytes.span.bytes, at: base, layout: layout)
    }

    @Test(arguments: ByteOrder.allCases)
    func everyFieldOfASuperblockHasItsPlace(order: ByteOrder) throws {
        let bytes = Self.superblock(order)
        let found = try Self.parse(bytes)
        #expect(found.order == order && found.serial == 0x1_0000_0002)
        #expect(found.formatted == 0xc000_0001 && found.committed == 0xc000_0002)
        #expect(found.flags == 0x105 && found.version == 4 && found.reserve == 3)
        #expect(found.identifier == Array(1...16))
        #expect(found.blockSize == 1024 && found.inodeCount == 48 && found.freeInodeCount == 9)
        #expect(found.blockCount == 384 && found.freeBlockCount == 99 && found.groupCount == 2)
        let nodes = [
            found.inodes, found.bitmap, found.longNames, found.reclaim, found.extra,
        ]
        for (index, node) in nodes.enumerated() {
            #expect(node?.size == UInt64(1000 + index) && node?.depth == UInt8(index))
            #expect(node?.pointers == (0..<16).map { UInt32(0x1000 * index + $0) })
            #expect(node?.opaque == Array(11...17))
        }
        #expect(found.tail.first == 0xd8 && found.tail.count == 40)
        #expect(difference(found.bytes, bytes) == nil)
    }

    @Test(arguments: ByteOrder.allCases)
    func theAudiLayoutHasEightBytesLess(order: ByteOrder) throws {
        let standard = Self.superblock(order)
        var bytes = Array(standard[..<40] + standard[48...] + [1, 2, 3, 4, 5, 6, 7, 8])
        SmallQNX6.sum(&bytes, at: 0, isBigEndian: order == .big)
        let found = try Self.parse(bytes, .audi)
        #expect(found.blockSize == 1024 && found.inodeCount == 48 && found.blockCount == 384)
        #expect(found.inodes.size == 1000 && found.longNames.size == 1002)
        #expect(found.identifier == Array(bytes[28..<40]))
        #expect(found.reclaim == nil && found.flags == 0)
        #expect(difference(found.bytes, bytes) == nil)
    }

    @Test(arguments: ByteOrder.allCases)
    func aSuperblockCutAtEveryLengthIsTruncated(order: ByteOrder) {
        let whole = Self.superblock(order)
        for count in 0..<512 {
            let error = #expect(throws: FormatError.self) {
                try Self.parse(Array(whole.prefix(count)))
            }
            guard case .truncated? = error else {
                Issue.record("cut at \(count): \(String(describing: error))")
                continue
            }
        }
    }

    /// Bytes to put somewhere, and the error; the sum is made to fit.
    static let broken: [(offset: Int, bytes: [UInt8], error: FormatError)] = [
        (
            48, [0, 2, 1, 0],
            .corrupt(
                Place("qnx6 superblock.blocksize", 48), found: "66048",
                expected: "a power of two from 512 to 32768")
        ),
        (
            48, [0, 1, 0, 0],
            .corrupt(
                Place("qnx6 superblock.blocksize", 48), found: "256",
                expected: "a power of two from 512 to 32768")
        ),
        (
            48, [0, 0, 1, 0],
            .unsupported(
                Place("qnx6 superblock.blocksize", 48), found: "65536",
                expected: "a power of two from 512 to 32768")
        ),
        (
            24, [0, 1, 8, 0],
            .unsupported(
                Place("qnx6 superblock.flags", 24), found: "0x80100",
                expected: "none of the bits 0x80000")
        ),
        (
            72 + 72, [6],
            .corrupt(
                Place("qnx6 root node.depth", 144), found: "6", expected: "0 through 5")
        ),
    ]

    @Test(arguments: broken)
    func eachBrokenRuleOfASuperblockGivesItsError(
        offset: Int, bytes: [UInt8], error: FormatError
    ) {
        var whole = Self.superblock(.little)
        whole.set(bytes, at: offset)
        SmallQNX6.sum(&whole, at: 0)
        #expect(throws: error) { try Self.parse(whole) }
        #expect(throws: error.moved(by: 7)) {
            try Self.parse([UInt8](repeating: 0, count: 7) + whole, at: 7)
        }
    }

    @Test func aWrongMagicNumberAndAWrongSumAreTold() {
        var bytes = Self.superblock(.little)
        bytes[0] = 0x23
        #expect(
            throws: FormatError.corrupt(
                Place("qnx6 superblock.magic", 0), found: "0x68191123",
                expected: "0x68191122 in either byte order")
        ) { try Self.parse(bytes) }
        bytes = Self.superblock(.little)
        let sum = bytes.integer(UInt32.self, at: 4)
        bytes[4] ^= 1
        #expect(
            throws: FormatError.corrupt(
                Place("qnx6 superblock.checksum", 4), found: hex(sum ^ 1), expected: hex(sum))
        ) { try Self.parse(bytes) }
    }

    /// The values that the format's description has.
    @Test func theSumsAreThoseOfTheDescription() {
        #expect(QNX6.checksum(Array("123456789".utf8)) == 0x89a1_897f)
        let names = [
            "very_long_file_name_that_will_never_fit_in_a_regular_directory_entry.txt": 0x297a_5044,
            "another_very_long_file_name_to_find_out_how_the_long_entries_work.txt": 0x37e3_ff60,
        ]
        for (name, sum) in names { #expect(QNX6.nameChecksum(Array(name.utf8)) == sum) }
    }

    @Test(arguments: ByteOrder.allCases)
    func everyFieldOfAnInodeHasItsPlace(order: ByteOrder) throws {
        let isBig = order == .big
        var bytes = [UInt8](repeating: 0, count: 128)
        bytes.set(UInt64(0x1_0000_0000), at: 0, isBigEndian: isBig)
        for (index, value) in [1, 2, 3, 4, 5, 6].enumerated() {
            bytes.set(UInt32(value), at: 8 + 4 * index, isBigEndian: isBig)
        }
        bytes.set(UInt16(0o102755), at: 32, isBigEndian: isBig)
        bytes.set(UInt16(7), at: 34, isBigEndian: isBig)
        for index in 0..<16 {
            bytes.set(UInt32(100 + index), at: 36 + 4 * index, isBigEndian: isBig)
        }
        bytes[100] = 3
        bytes[101] = 1
        bytes.set(UInt16(8), at: 102, isBigEndian: isBig)
        for (index, value) in [9, 10, 11, 12, 13, 14].enumerated() {
            bytes.set(UInt32(value), at: 104 + 4 * index, isBigEndian: isBig)
        }
        let inode = try QNX6.Inode(parsing: bytes.span.bytes, at: 0, order)
        #expect(inode.size == 0x1_0000_0000 && inode.user == 1 && inode.group == 2)
        #expect(inode.created == 3 && inode.modified == 4)
        #expect(inode.accessed == 5 && inode.changed == 6)
        #expect(inode.kind == .file && inode.permissions == 0o2755 && inode.linkCount == 7)
        #expect(inode.pointers == Array(100...115) && inode.depth == 3 && inode.flags == 1)
        #expect(inode.key == 9 && inode.extendedMode == 10 && inode.accessList == 11)
        #expect(inode.generation == 12 && inode.checksum == 14)
        var written = [UInt8](repeating: 0, count: 128)
        inode.write(to: &written, at: 0, order)
        #expect(difference(written, bytes) == nil)
    }

    @Test(arguments: ByteOrder.allCases)
    func entriesAndLongNamesComeOutAsTheyWentIn(order: ByteOrder) throws {
        let entries: [QNX6.DirectoryEntry] = [
            .init(inode: 5, name: .short(Array("name".utf8))),
            .init(inode: 6, name: .short([UInt8](repeating: 0x61, count: 27))),
            .init(inode: 7, name: .long(index: 8, checksum: 9)),
            .init(inode: 7, name: .encrypted(index: 8)), .init(inode: 1, name: .odd(28)),
        ]
        for entry in entries {
            var bytes = [UInt8](repeating: 0, count: 32)
            entry.write(to: &bytes, at: 0, order)
            let found = try QNX6.DirectoryEntry(parsing: bytes.span.bytes, at: 0, order)
            #expect(found == entry)
        }
        let name = QNX6.LongName([UInt8](repeating: 0x62, count: 510))
        var bytes = [UInt8](repeating: 0, count: 512)
        name.write(to: &bytes, at: 0, order)
        let isBig = order == .big
        #expect(bytes.integer(UInt16.self, at: 0, isBigEndian: isBig) == 510 && bytes[511] == 0x62)
        let found = try QNX6.LongName(parsing: bytes.span.bytes, at: 0, order, blockSize: 512)
        #expect(found == name)
        bytes.set(UInt16(511), at: 0, isBigEndian: isBig)
        #expect(
            throws: FormatError.corrupt(
                Place("qnx6 long name.size", 0), found: "511", expected: "1 through 510")
        ) { try QNX6.LongName(parsing: bytes.span.bytes, at: 0, order, blockSize: 1024) }
    }

    @Test(
        .enabled(if: Fixtures.hasShared, "no ../shared/images"),
        arguments: ["qnx6-le.img", "qnx6-be.img"])
    func realStructuresComeOutAsTheyWere(name: String) throws {
        let bytes = try Fixtures.bytes(Fixtures.sharedImage(name))
        let found = try QNX6.Superblocks(MemorySource(bytes))
        for (result, offset) in [
            (found.first, found.firstOffset), (found.second, found.secondOffset),
        ] {
            let stored = bytes[Int(offset)..<(Int(offset) + 512)]
            #expect(difference(try result.get().bytes, stored) == nil)
        }
        let order = found.active.order
        let start = Int(found.dataStart)
        let size = Int(found.active.blockSize)
        for block in found.active.inodes.pointers where block != UInt32.max {
            let base = start + Int(block) * size
            for record in stride(from: base, to: base + size, by: 128) {
                let inode = try QNX6.Inode(parsing: bytes.span.bytes, at: record, order)
                var written = [UInt8](repeating: 0, count: 128)
                inode.write(to: &written, at: 0, order)
                #expect(difference(written, bytes[record..<(record + 128)]) == nil)
            }
        }
    }
}
