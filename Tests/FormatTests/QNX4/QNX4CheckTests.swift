import Format
import TestSupport
import Testing

/// What the check finds, and that it finds nothing in a sound volume.
struct QNX4CheckTests {
    /// A sound volume: a file of two names, one in three pieces, a directory, a long name.
    private static func sound() -> SmallQNX4 {
        var small = SmallQNX4()
        let data = small.block([UInt8](repeating: 1, count: 2048))
        let list = small.block(
            SmallQNX4.extents([(data + 1, 1), (data + 2, 2)], first: (data, 1)))
        let long = small.block([4, 0, 0, 0, 7, 1] + Array(String(repeating: "n", count: 60).utf8))
        let directory = small.directory("directory", at: (4, 6), in: (2, 0))
        small.put(
            SmallQNX4.inode(
                "", 0o100644, size: 2000, [(data, 1)], extentBlock: list, extentCount: 3,
                linkCount: 2, status: 0x11), 5, 1)
        small.put(SmallQNX4.link("nn~0000000b", 5, 1, long: long), 4, 7)
        small.put(SmallQNX4.link("other name", 5, 1), directory, 2)
        // The names' own file is not there, so their block is that of a file.
        small.put(
            SmallQNX4.inode(".longfilenames", 0o100444, size: 512, [(long, 1)]), directory, 3)
        small.put(
            SmallQNX4.inode("/", 0o040775, size: 512, [(4, 1)], linkCount: 3, status: 0x21), 2, 0)
        return small
    }

    private static func findings(_ bytes: [UInt8]) -> [String] {
        QNX4Check.findings(in: MemorySource(bytes)).map(\.description)
    }

    @Test func aSoundVolumeHasNone() { #expect(Self.findings(Self.sound().build()) == []) }

    /// Faults by their change of the sound volume, and a part of the finding. In it, blocks 6 to 9
    /// are the file's, 10 lists them, 11 has the long name, 12 is the directory.
    static let faults: [(String, @Sendable (inout SmallQNX4) -> Void)] = [
        (
            "di_status at 0x23f: found 0x1, expected bit 0x20, of a volume left in order",
            { $0.put(SmallQNX4.inode("/", 0o040775, size: 512, [(4, 1)], linkCount: 3), 2, 0) }
        ),
        (
            "di_nlink at 0x238: found 9, expected 3",
            {
                let root = SmallQNX4.inode(
                    "/", 0o040775, size: 512, [(4, 1)], linkCount: 9, status: 0x21)
                $0.put(root, 2, 0)
            }
        ),
        (
            "found 1, expected a name that leads to it",
            { $0.put(SmallQNX4.inode("", 0o100644, status: 0x11), 5, 4) }
        ),
        (
            "found blocks 9 through 10, expected blocks that nothing else has",
            { $0.put(SmallQNX4.inode("shared", 0o100644, size: 1, [(9, 2)]), 12, 4) }
        ),
        (
            "found block 65, expected 1 through 64",
            { $0.put(SmallQNX4.inode("outside", 0o100644, size: 1, [(65, 1)]), 12, 4) }
        ),
        (
            "found 512 bytes, expected at most the 0 blocks of its extents",
            { $0.put(SmallQNX4.inode("none", 0o100644, size: 512), 12, 4) }
        ),
        (
            "found record 30 for '..', expected 8",
            { $0.put(SmallQNX4.link("..", 4, 6), 12, 1) }
        ),
        (
            "found record 8 for '.', expected 30",
            { $0.put(SmallQNX4.dot(blocks: 1, 2, 0), 12, 0) }
        ),
        (
            "blocks at 0x1608: found 2, expected 1",
            { $0.put(SmallQNX4.dot(blocks: 2, 4, 6), 12, 0) }
        ),
        (
            "expected the mark of a directory",
            { $0.put(SmallQNX4.link(".", 4, 6), 12, 0) }
        ),
        (
            "found another record as number 1 of directory 30, expected '..'",
            { $0.put(SmallQNX4.inode("x", 0o010644), 12, 1) }
        ),
        (
            "found directory 30 for 'again', expected one that no other name leads to",
            { $0.put(SmallQNX4.link("again", 4, 6), 12, 4) }
        ),
        (
            "found record 21 for 'free', expected that of a file",
            { $0.put(SmallQNX4.link("free", 3, 5), 12, 4) }
        ),
        (
            "found 'other name', expected a name that no other record has",
            { $0.put(SmallQNX4.link("other name", 5, 1), 12, 4) }
        ),
        (
            "found 'a/b', expected a name without slash",
            { $0.put(SmallQNX4.inode("a/b", 0o010644), 12, 4) }
        ),
        (
            "found block 11 for 'x~', expected a long name that belongs to this record",
            { $0.put(SmallQNX4.link("x~", 5, 1, long: 11), 12, 4) }
        ),
        (
            "found 0x9 for 'both', expected a file's own record or a link, not both",
            { $0.put(SmallQNX4.link("both", 5, 1, status: 9), 12, 4) }
        ),
        (
            "found 0x5 for 'busy', expected no bit 0x4",
            { $0.put(SmallQNX4.inode("busy", 0o010644, status: 5), 12, 4) }
        ),
        (
            "xblk_prev_xblk at 0x1204: found 3, expected 0",
            { $0.put(SmallQNX4.extents([(7, 1), (8, 2)], previous: 3, first: (6, 1)), 10, 0) }
        ),
        (
            "xblk_num_blocks at 0x120c: found 259, expected 3",
            {
                var block = SmallQNX4.extents([(7, 1), (8, 2)], first: (6, 1))
                block[13] = 1
                $0.put(block, 10, 0)
            }
        ),
        (
            "xblk_first_xtnt at 0x13f8: found block 7, expected block 6",
            { $0.put(SmallQNX4.extents([(7, 1), (8, 2)], first: (7, 1)), 10, 0) }
        ),
        (
            "found 'Iam",
            { $0.put(Array("IamNOT".utf8), 5, 0) }
        ),
        (
            "found no '.bitmap' in the root directory",
            { $0.put([UInt8](repeating: 0, count: 64), 4, 2) }
        ),
    ]

    @Test(arguments: faults.indices)
    func eachFaultIsTold(index: Int) {
        var small = Self.sound()
        let (text, change) = Self.faults[index]
        change(&small)
        let found = Self.findings(small.build())
        #expect(found.contains { $0.contains(text) }, "\(text): \(found)")
        for line in found { #expect(!line.contains("\n")) }
    }

    @Test func theBitmapIsHeldAgainstTheBlocks() {
        var bytes = Self.sound().build()
        bytes[1024] &= 0x8f
        bytes[1024 + 4] = 1
        #expect(
            Self.findings(bytes) == [
                "qnx4 bitmap at 0x400: found blocks 5 through 7 marked free, expected used, as a file"
                    + " has them",
                "qnx4 bitmap at 0x404: found block 33 marked used, expected free, as nothing has them",
            ])
    }

    @Test func whatIsNoVolumeHasOneFinding() {
        #expect(Self.findings([]).count == 1)
        #expect(Self.findings([UInt8](repeating: 0, count: 5000)).count == 1)
    }
}
