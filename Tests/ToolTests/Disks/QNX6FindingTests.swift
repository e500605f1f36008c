import Foundation
import TestSupport
import Testing

/// `ifsctl check` of a QNX 6 volume of another maker's with one damage each; a second checker finds
/// fault with it as well.
struct QNX6FindingTests {
    /// Where things are in the volume that `make-qnx6` makes, of 1,024 blocks of 1 KiB less what is
    /// around them, by the numbers of the format's description.
    struct Image: Sendable {
        let bytes: [UInt8]
        let isBig: Bool

        func number(_ offset: Int) -> Int {
            Int(bytes.integer(UInt32.self, at: offset, isBigEndian: isBig))
        }
        let first = 0x2000
        /// Blocks of the volume; the second superblock is behind the last.
        var blockCount: Int { number(first + 60) }
        var second: Int { place(blockCount) }
        func place(_ block: Int) -> Int { 0x3000 + block * 1024 }
        /// The first block of the file that the root node describes.
        func node(_ index: Int) -> Int { place(number(first + 72 + 80 * index + 8)) }
        func inode(_ number: Int) -> Int { node(0) + 128 * (number - 1) }
        /// The first block of an inode.
        func block(_ inode: Int) -> Int { number(self.inode(inode) + 36) }

        /// Where the entry of a name stands in a directory of one block.
        func entry(_ name: String, in directory: Int) -> Int {
            let start = place(block(directory))
            let places = stride(from: start, to: start + 1024, by: 32)
            let found = places.first {
                name.isEmpty
                    ? bytes[$0 + 4] == 0xff
                    : Int(bytes[$0 + 4]) == name.utf8.count
                        && bytes[($0 + 5)...].starts(with: name.utf8)
            }
            return found ?? 0
        }
        /// The inode that a path of short names leads to.
        func inode(of path: String) -> Int {
            path.split(separator: "/").reduce(1) { number(entry(String($1), in: $0)) }
        }
        func at(_ path: String) -> Int { inode(inode(of: path)) }

        func put(_ value: some FixedWidthInteger, _ offset: Int, _ bytes: inout [UInt8]) {
            bytes.set(value, at: offset, isBigEndian: isBig)
        }

        /// Puts a field of the first superblock, and its sum right: CRC-32, most significant bit first.
        func superblock(_ value: some FixedWidthInteger, _ field: Int, _ bytes: inout [UInt8]) {
            put(value, first + field, &bytes)
            var sum: UInt32 = 0
            for byte in bytes[(first + 8)..<(first + 512)] {
                sum ^= UInt32(byte) << 24
                for _ in 0..<8 { sum = sum << 1 ^ (sum >> 31 == 1 ? 0x04c1_1db7 : 0) }
            }
            put(sum, first + 4, &bytes)
        }
    }

    typealias Damage = KnownDamage<Image>

    private static func made(_ option: String) -> Result<Image, any Error> {
        Result {
            let bytes = try Card.made(
                by: """
                    mkdir -p tree/dir/sub; head -c 3000 /dev/zero | tr '\\0' x > tree/small
                    head -c 40000 /dev/zero | tr '\\0' y > tree/large; ln -s small tree/link
                    echo long > tree/dir/name-of-more-than-27-bytes-altogether
                    ln tree/small tree/dir/again; echo deep > tree/dir/sub/deep
                    python3 "$WRITERS/make-qnx6" tree card.img --size 1048576 --time 1 \(option) > made
                    """)
            return Image(bytes: bytes, isBig: option != "")
        }
    }
    private static let little = made("")
    private static let big = made("--big-endian")

    static let damages: [Damage] = [
        Damage("first superblock", "qnx6 superblock.checksum at 0x2004: found 0x") {
            $0[$1.first + 9] ^= 1
        },
        Damage("first magic", "qnx6 superblock.magic at 0x2000: found 0x") { $0[$1.first] ^= 1 },
        Damage("second superblock", "qnx6 superblock.checksum at 0xff004: found 0x") {
            $0[$1.second + 9] ^= 1
        },
        Damage("both superblocks", "qnx6 superblock.checksum at 0x2004: found 0x") {
            $0[$1.first + 9] ^= 1
            $0[$1.second + 9] ^= 1
        },
        Damage(
            "block wrongly free", "qnx6 bitmap at 0x3004: found block 37 marked free",
            "qnx6 superblock.free_blocks at 0x2040: found 922, expected 923"
        ) { $0[$1.node(1) + 4] ^= 1 << 5 },
        Damage(
            "block wrongly used", "qnx6 bitmap at 0x307d: found block 1003 marked used",
            "qnx6 superblock.free_blocks at 0x2040: found 922, expected 921"
        ) { $0[$1.node(1) + 125] ^= 1 << 3 },
        Damage("no block's bit", "qnx6 bitmap at 0x307e: found bits behind the last block clear") {
            $0[$1.node(1) + 126] ^= 1
        },
        Damage(
            "block of two files",
            "qnx6 inode.block_ptr at 0x36a4: found block 41 of inode 6, expected",
            "qnx6 bitmap at 0x3004: found block 37 marked used"
        ) { $1.put(UInt32($1.block($1.inode(of: "dir/sub"))), $1.at("small") + 36, &$0) },
        Damage(
            "block twice in a file",
            "qnx6 inode.block_ptr at 0x35a8: found block 38 of inode 4, expected a block that nothing",
            "qnx6 bitmap at 0x3004: found block 37 marked used"
        ) { $1.put(UInt32($1.block(4) + 1), $1.at("small") + 36, &$0) },
        Damage(
            "pointer outside",
            "qnx6 inode.block_ptr at 0x35a4: found block 1008 of inode 4, expected",
            "qnx6 bitmap at 0x3004: found block 37 marked used"
        ) { $1.put(UInt32($1.blockCount), $1.at("small") + 36, &$0) },
        Damage(
            "pointer outside, below",
            "qnx6 pointer block at 0x17c04: found block 1085 of inode 8, expected less than 1008",
            "qnx6 bitmap at 0x3005: found block 44 marked used"
        ) { $1.put(UInt32(1085), $1.place($1.block(8)) + 4, &$0) },
        Damage(
            "pointers of no pointer block",
            "qnx6 pointer block at 0xc400: found block 2021161080 of inode 4 and 255 like it behind",
            "qnx6 pointer block at 0xc800: found block 2021161080 of inode 4 and 255 like it behind",
            "qnx6 pointer block at 0xcc00: found block 2021161080 of inode 4 and 237 like it behind",
            "qnx6 pointer block at 0xcfb8: found block 0 of inode 4 and 17 like it behind, expected",
            "qnx6 inode.block_ptr at 0x35a8: found block 38 of inode 4 behind its 3000 bytes, expected"
        ) { $0[$1.at("small") + 100] = 3 },
        Damage(
            "hole",
            "qnx6 inode.block_ptr at 0x35a8: found no block as number 1 of inode 4, expected",
            "qnx6 bitmap at 0x3004: found block 38 marked used"
        ) { $1.put(UInt32.max, $1.at("small") + 40, &$0) },
        Damage(
            "size beyond the blocks",
            "qnx6 inode.block_ptr at 0x35b0: found no block as number 3 of inode 4, expected one for"
        ) { $1.put(UInt64(5000), $1.at("small"), &$0) },
        Damage(
            "size before the blocks",
            "qnx6 inode.block_ptr at 0x35a8: found block 38 of inode 4 behind its 100 bytes, expected"
        ) { $1.put(UInt64(100), $1.at("small"), &$0) },
        Damage(
            "size that no pointers reach",
            "qnx6 inode.size at 0x3580: found 1099511627776 in inode 4",
            "qnx6 bitmap at 0x3004: found blocks 37 through 39 marked used"
        ) { $1.put(UInt64(1) << 40, $1.at("small"), &$0) },
        Damage(
            "levels", "qnx6 inode.filelevels at 0x35e4: found 6 in inode 4",
            "qnx6 bitmap at 0x3004: found blocks 37 through 39 marked used"
        ) { $0[$1.at("small") + 100] = 6 },
        Damage("link count", "qnx6 inode.nlink at 0x37a2: found 7 in inode 8, expected 1") {
            $1.put(UInt16(7), $1.at("large") + 34, &$0)
        },
        Damage(
            "directory's link count", "qnx6 inode.nlink at 0x3522: found 9 in inode 3, expected 3"
        ) { $1.put(UInt16(9), $1.at("dir") + 34, &$0) },
        Damage("no use", "qnx6 inode.status at 0x35e5: found 0x0 in inode 4") {
            $0[$1.at("small") + 101] = 0
        },
        Damage(
            "free with contents", "qnx6 inode.mode at 0x72a0: found 0x0 in inode 126, which is not"
        ) { $1.put(UInt32(77), $1.inode(126) + 8, &$0) },
        Damage(
            "entry of a free inode",
            "qnx6 directory entry at 0xb8c0: found inode 127 for 'small', expected one that is in use",
            "qnx6 inode.nlink at 0x35a2: found 2 in inode 4, expected 1"
        ) { $1.put(UInt32(127), $1.entry("small", in: 1), &$0) },
        Damage(
            "lost inode",
            "qnx6 inode.nlink at 0x37a2: found 1 in inode 8, expected a name that leads"
        ) { $1.put(UInt32(0), $1.entry("large", in: 1), &$0) },
        Damage(
            "directory of two names",
            "qnx6 directory entry at 0xb8c0: found directory 3 for 'small', expected one that no other",
            "qnx6 inode.nlink at 0x3522: found 3 in inode 3, expected 4",
            "qnx6 inode.nlink at 0x35a2: found 2 in inode 4, expected 1"
        ) { $1.put(UInt32(3), $1.entry("small", in: 1), &$0) },
        Damage(
            "wrong ..", "qnx6 directory entry at 0xd420: found inode 1, expected '..', inode 3",
            "qnx6 inode.nlink at 0x3422: found 4 in inode 1, expected 5",
            "qnx6 inode.nlink at 0x3522: found 3 in inode 3, expected 2"
        ) { $1.put(UInt32(1), $1.entry("..", in: $1.inode(of: "dir/sub")), &$0) },
        Damage(
            "name's length", "qnx6 directory entry at 0xb8c0: found a name of length 28, expected"
        ) { $0[$1.entry("small", in: 1) + 4] = 28 },
        Damage("long name's sum", "qnx6 directory entry.checksum at 0xc06c: found 0x") {
            $0[$1.entry("", in: 3) + 12] ^= 1
        },
        Damage("long name", "qnx6 directory entry.checksum at 0xc06c: found 0x") {
            $0[$1.node(2) + 5] ^= 1
        },
        Damage(
            "long name's length", "qnx6 long name.size at 0x18400: found 600, expected 1 through"
        ) {
            $1.put(UInt16(600), $1.node(2), &$0)
        },
        Damage("long name's number", "qnx6 directory entry at 0xc060: found long name 99, expected")
        {
            $1.put(UInt32(99), $1.entry("", in: 3) + 8, &$0)
        },
        Damage("free inodes", "qnx6 superblock.free_inodes at 0x2038: found 3, expected 119") {
            $1.superblock(UInt32(3), 56, &$0)
        },
        Damage("free blocks", "qnx6 superblock.free_blocks at 0x2040: found 1, expected 922") {
            $1.superblock(UInt32(1), 64, &$0)
        },
        Damage(
            "hole in the bitmap", "qnx6 root node.pointers at 0x20a0: found no block as number 0 of"
        ) { $1.superblock(UInt32.max, 72 + 80 + 8, &$0) },
        Damage(
            "inode table outside", "qnx6 root node.pointers at 0x2050: found block 1008, expected"
        ) {
            $1.superblock(UInt32($1.blockCount), 80, &$0)
        },
        Damage("cut", "qnx6 volume at 0x0: found 524288 bytes, expected 1044480") {
            $0.removeLast($0.count - 524_288 + 0 * $1.blockCount)
        },
    ]

    /// Damages that the other checker lets pass.
    static let untold: [Damage] = [
        Damage(
            "type", "qnx6 inode.mode at 0x35a0: found 0x3000 in inode 4, expected",
            "qnx6 bitmap at 0x3004: found blocks 37 through 39 marked used"
        ) { $1.put(UInt16(0x3000), $1.at("small") + 32, &$0) },
        Damage(
            "name with a slash", "qnx6 directory entry at 0xb8c0: found 's/all', expected a name"
        ) {
            $0[$1.entry("small", in: 1) + 6] = 0x2f
        },
        Damage("name with a control", "qnx6 directory entry at 0xb8c0: found 's\\x01all', expected")
        {
            $0[$1.entry("small", in: 1) + 6] = 1
        },
        Damage(
            "name twice", "qnx6 directory entry at 0xb8c0: found 'large', expected a name that no"
        ) {
            $0.set(Array("large".utf8), at: $1.entry("small", in: 1) + 5)
        },
        Damage("part of a block", "qnx6 inode.size at 0x3500: found 1000 in directory 3, expected")
        {
            $1.put(UInt64(1000), $1.at("dir"), &$0)
        },
        Damage("groups", "qnx6 superblock.allocgroup at 0x2044: found 65, expected 1 through 64") {
            $1.superblock(UInt32(65), 68, &$0)
        },
        Damage("unknown flags", "qnx6 superblock.flags at 0x2018: found 0x800100, expected none of")
        {
            $1.superblock(UInt32(0x80_0100), 24, &$0)
        },
    ]

    @Test(.enabled(if: Card.hasAll, Card.missing), arguments: [false, true])
    func aVolumeAsItsMakerLeavesItHasNone(isBig: Bool) throws {
        let image = try (isBig ? Self.big : Self.little).get()
        try Card.expectSound(image.bytes)
    }

    @Test(.enabled(if: Card.hasAll, Card.missing), arguments: damages)
    func whatTheOtherCheckerFindsIsTold(damage: Damage) throws {
        for made in [Self.little, Self.big] {
            let image = try made.get()
            let card = try damage.expectTold(of: image.bytes, image)
            let judge = try #require(Card.writer("check-qnx6"))
            #expect(try card.judge("python3", judge, "card.img").end != .exit(0))
        }
    }

    @Test(.enabled(if: Card.hasAll, Card.missing), arguments: untold)
    func whatTheOtherCheckerDoesNotLookForIsTold(damage: Damage) throws {
        let image = try Self.little.get()
        _ = try damage.expectTold(of: image.bytes, image)
    }

    /// Without any mark there is nothing to check.
    @Test(.enabled(if: Card.hasAll, Card.missing))
    func withoutASuperblockThereIsTrouble() throws {
        let image = try Self.little.get()
        var bytes = image.bytes
        for place in [image.first, image.second] { bytes[place] ^= 1 }
        let card = Card(try TemporaryFolder())
        try card.folder.write(bytes, to: "card.img")
        let outcome = try ifsctl(["check", "card.img"], in: card.folder)
        #expect(outcome.end == .exit(2) && outcome.output == [])
        #expect(outcome.complaints == ["ifsctl: card.img: no IFS image found"])
    }
}
