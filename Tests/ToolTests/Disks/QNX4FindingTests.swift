import Foundation
import TestSupport
import Testing

/// `ifsctl check` of a QNX 4 volume of another maker's with one damage each. There is no other checker.
struct QNX4FindingTests {
    /// Where things are in the volume that `make-qnx4` makes, of 1,024 blocks, by the numbers of the
    /// format's description.
    struct Image: Sendable {
        let bytes: [UInt8]

        func number(_ offset: Int) -> Int { Int(bytes.integer(UInt32.self, at: offset)) }
        /// Where a block begins; they count from 1.
        func block(_ number: Int) -> Int { (number - 1) * 512 }
        /// Where the first block of a file is, by its record.
        func first(_ record: Int) -> Int { block(number(record + 20)) }
        let root = 512

        /// Where the directory's record of a name stands: a file's own, or a link.
        func entry(_ name: String, in directory: Int) -> Int {
            let start = first(directory)
            let places = stride(from: start, to: start + number(directory + 16), by: 64)
            return places.first {
                bytes[$0..<$0 + 48].starts(with: name.utf8) && bytes[$0 + name.utf8.count] == 0
                    && bytes[$0 + 63] & 9 != 0
            } ?? 0
        }
        /// Where the own record of a path's file stands.
        func at(_ path: String) -> Int {
            path.split(separator: "/").reduce(root) { directory, name in
                let entry = entry(String(name), in: directory)
                guard bytes[entry + 63] & 8 != 0 else { return entry }
                return block(number(entry + 48)) + 64 * Int(bytes[entry + 52])
            }
        }
        var bitmap: Int { first(at(".bitmap")) }
        var inodes: Int { first(root + 64) }
        /// The link with a long name.
        var long: Int {
            let start = first(at("dir"))
            return stride(from: start, to: start + 512, by: 64).first { number($0 + 53) > 0 } ?? 0
        }
        /// Clears the bits of the gaps that the writer leaves behind the pieces of files.
        func withoutGaps(_ paths: [String]) -> Image {
            var bytes = self.bytes
            for path in paths {
                for block in gaps(of: at(path)) {
                    bytes[bitmap + (block - 1) / 8] &= ~(1 << UInt8((block - 1) % 8))
                }
            }
            return Image(bytes: bytes)
        }
        private func gaps(of record: Int) -> [Int] {
            var found = [number(record + 20) + number(record + 24)]
            var list = number(record + 28)
            while list != 0 {
                let start = block(list)
                for index in 0..<Int(bytes[start + 8]) {
                    let extent = start + 16 + 8 * index
                    found.append(number(extent) + number(extent + 4))
                }
                list = number(start)
            }
            return found
        }
    }

    typealias Damage = KnownDamage<Image>

    private static let whole = Result {
        Image(
            bytes: try Card.made(
                by: """
                    mkdir -p tree/dir/sub; head -c 3000 /dev/zero | tr '\\0' x > tree/small
                    head -c 100000 /dev/zero | tr '\\0' y > tree/large; ln tree/small tree/dir/again
                    echo long > tree/dir/$(printf 'n%.0s' {1..60}); echo deep > tree/dir/sub/deep
                    ln -s small tree/link; echo in > 'tree/a name of more than 16 bytes'
                    python3 "$WRITERS/make-qnx4" tree card.img --blocks 1024 --time 1 > made
                    """))
    }
    private static let inPieces = Result {
        let bytes = try Card.made(
            by: """
                mkdir tree; head -c 100000 /dev/zero | tr '\\0' y > tree/large
                echo small > tree/small
                python3 "$WRITERS/make-qnx4" tree card.img --blocks 1024 --time 1 --fragment 2 > made
                """)
        return Image(bytes: bytes).withoutGaps(["large", "small"])
    }

    static let damages: [Damage] = [
        Damage(
            "block wrongly free", "qnx4 bitmap at 0x403: found block 32 marked free, expected used"
        ) { $0[$1.bitmap + 3] ^= 1 << 7 },
        Damage("block wrongly used", "qnx4 bitmap at 0x47d: found block 1001 marked used, expected")
        {
            $0[$1.bitmap + 125] ^= 1
        },
        Damage("no block's bit", "qnx4 bitmap at 0x4c8: found bits behind the last block clear") {
            $0[$1.bitmap + 200] ^= 1
        },
        Damage("short bitmap", "qnx4 bitmap at 0x464: found bits behind the last block clear") {
            $0.set(UInt32(100), at: $1.at(".bitmap") + 16)
        },
        Damage(
            "bitmap before the files", "qnx4 inode record.di_size at 0x690: found 4, for 32 blocks",
            "qnx4 bitmap at 0x41d: found bits behind the last block clear"
        ) { $0.set(UInt32(4), at: $1.at(".bitmap") + 16) },
        Damage(
            "cut", "qnx4 inode record.di_size at 0x690: found 128, for 1024 blocks, expected 600"
        ) {
            $0.removeLast(424 * 512 + 0 * $1.root)
        },
        Damage(
            "extent beyond the end",
            "qnx4 inode record.di_first_xtnt at 0x1694: found blocks 1024 through 1029, expected 1",
            "qnx4 bitmap at 0x403: found blocks 32 through 37 marked used"
        ) { $0.set(UInt32(1024), at: $1.at("small") + 20) },
        Damage(
            "extent of another file",
            "qnx4 inode record.di_first_xtnt at 0x1694: found blocks 40 through 45, expected blocks",
            "qnx4 bitmap at 0x403: found blocks 32 through 37 marked used"
        ) { $0.set(UInt32($1.number($1.at("large") + 20)), at: $1.at("small") + 20) },
        Damage("size beyond the blocks", "qnx4 inode record.di_size at 0x1690: found 90000 bytes,")
        {
            $0.set(UInt32(90000), at: $1.at("small") + 16)
        },
        Damage("size before the blocks", "qnx4 inode record.di_size at 0x1690: found 10 bytes in 6")
        {
            $0.set(UInt32(10), at: $1.at("small") + 16)
        },
        Damage(
            "extents that are not there",
            "qnx4 inode record.di_xblk at 0x169c: found block 0, with 1"
        ) { $0.set(UInt16(2), at: $1.at("small") + 48) },
        Damage("chain of none", "qnx4 inode record.di_xblk at 0x169c: found 900 with 1 extents") {
            $0.set(UInt32(900), at: $1.at("small") + 28)
        },
        Damage("link count", "qnx4 inode record.di_nlink at 0x16b8: found 5, expected 2") {
            $0.set(UInt16(5), at: $1.at("small") + 56)
        },
        Damage("directory's link count", "qnx4 inode record.di_nlink at 0x838: found 9, expected 3")
        {
            $0.set(UInt16(9), at: $1.at("dir") + 56)
        },
        Damage(
            "type",
            "qnx4 inode record.di_mode at 0x16b2: found 0x1a4, expected a type that is known",
            "qnx4 bitmap at 0x403: found blocks 32 through 37 marked used"
        ) { $0.set(UInt16(0o644), at: $1.at("small") + 50) },
        Damage(
            "freed record",
            "qnx4 directory record at 0x8c0: found record 90 for 'small', expected that",
            "qnx4 directory record at 0x3880: found record 90 for 'again', expected that",
            "qnx4 bitmap at 0x403: found blocks 32 through 37 marked used"
        ) { $0[$1.at("small") + 63] = 0 },
        Damage(
            "busy", "qnx4 inode record.di_status at 0x87f: found 0x5 for 'large', expected no bit"
        ) {
            $0[$1.at("large") + 63] = 5
        },
        Damage("not in order", "qnx4 inode record.di_status at 0x23f: found 0x1, expected bit 0x20")
        {
            $0[$1.root + 63] = 1
        },
        Damage(
            "no record of .inodes", "qnx4 inode record.di_status at 0x16bf: found 0x1, expected bit"
        ) { $0[$1.at("small") + 63] = 1 },
        Damage("record of .inodes", "qnx4 inode record.di_status at 0x87f: found 0x13 for 'large'")
        {
            $0[$1.at("large") + 63] = 0x13
        },
        Damage(
            "link to a free record",
            "qnx4 directory record at 0x8c0: found record 2 for 'small', expected that of a file",
            "qnx4 inode record.di_nlink at 0x16b8: found 2, expected 1"
        ) { $0.set(UInt32(1), at: $1.entry("small", in: $1.root) + 48) },
        Damage(
            "link beyond the end",
            "qnx4 directory record at 0x8c0: found record 39994 for 'small', expected that of a file",
            "qnx4 inode record.di_nlink at 0x16b8: found 2, expected 1"
        ) { $0.set(UInt32(5000), at: $1.entry("small", in: $1.root) + 48) },
        Damage("lost link", "qnx4 inode record.di_nlink at 0x16b8: found 2, expected 1") {
            $0[$1.entry("small", in: $1.root) + 63] = 0
        },
        Damage(
            "record without a name",
            "qnx4 inode record.di_nlink at 0x1b38: found 1, expected a name"
        ) {
            // A fifo, which has no blocks.
            $0.set(UInt16(0o010644), at: $1.inodes + 64 * 20 + 50)
            $0.set(UInt16(1), at: $1.inodes + 64 * 20 + 56)
            $0[$1.inodes + 64 * 20 + 63] = 0x11
        },
        Damage(
            "wrong ..",
            "qnx4 link record.dl_inode_blk at 0x3a70: found record 8 for '..', expected 32",
            "qnx4 inode record.di_nlink at 0x238: found 3, expected 4",
            "qnx4 inode record.di_nlink at 0x838: found 3, expected 2"
        ) { $0.set(UInt32(2), at: $1.entry("..", in: $1.at("dir/sub")) + 48) },
        Damage("mark of .", "qnx4 link record.mark at 0x3a02: found 'I\\x02QNX', expected the mark")
        {
            $0[$1.entry(".", in: $1.at("dir/sub")) + 3] ^= 1
        },
        Damage("blocks of .", "qnx4 link record.blocks at 0x3a08: found 5, expected 1") {
            $0.set(UInt16(5), at: $1.entry(".", in: $1.at("dir/sub")) + 8)
        },
        Damage(
            "long name's block", "qnx4 link record.longname at 0x38f5: found block 5000 for 'nnn",
            "qnx4 long name at 0x3600: found the name of record 227, expected one that"
        ) { $0.set(UInt32(5000), at: $1.long + 53) },
        Damage(
            "long name's record", "qnx4 link record.longname at 0x38f5: found block 28 for 'nnn",
            "qnx4 long name at 0x3600: found the name of record 787, expected one that"
        ) { $0.set(UInt32(99), at: $1.block($1.number($1.long + 53))) },
        Damage("forgotten long name", "qnx4 long name at 0x3600: found the name of record 227") {
            $0.set(UInt32(0), at: $1.long + 53)
        },
        Damage(
            "no .bitmap", "qnx4 inode record.di_first_xtnt at 0x214: found no '.bitmap' in the root"
        ) { $0[$1.at(".bitmap") + 63] = 0 },
        Damage(
            "no name .inodes",
            "qnx4 root block at 0x240: found record 1 without a name, expected .i"
        ) { $0[$1.entry(".inodes", in: $1.root) + 63] = 0 },
        Damage(
            "mark of .inodes", "qnx4 .inodes at 0x1600: found 'HamTHE.inodeFILE', expected 'IamT"
        ) {
            $0[$1.inodes] ^= 1
        },
        Damage("name twice", "qnx4 directory record at 0x840: found 'dir', expected a name that no")
        {
            $0.set(Array("dir\0\0".utf8), at: $1.at("large"))
        },
        Damage(
            "name with a slash", "qnx4 directory record at 0x840: found '/arge', expected a name"
        ) {
            $0[$1.at("large")] = 0x2f
        },
        Damage(
            "name with a control", "qnx4 directory record at 0x840: found '\\x01arge', expected a"
        ) {
            $0[$1.at("large")] = 1
        },
        Damage(
            "root outside", "qnx4 inode record.di_first_xtnt at 0x214: found blocks 5000 through"
        ) {
            $0.set(UInt32(5000), at: $1.root + 20)
        },
    ]

    static let chains: [Damage] = [
        Damage(
            "loop", "qnx4 extent block.xblk_next_xblk at 0x28400: found block 322, expected 0, as"
        ) {
            let list = $1.number($1.at("large") + 28)
            $0.set(UInt32(list), at: $1.block($1.number($1.block(list))))
        },
        Damage(
            "self", "qnx4 extent block at 0x28200: found block 322, expected blocks that nothing",
            rest: "qnx4 bitmap"
        ) {
            let list = $1.number($1.at("large") + 28)
            $0.set(UInt32(list), at: $1.block(list))
        },
        Damage(
            "no chain",
            "qnx4 inode record.di_xblk at 0x79c: found block 0, with 97 extents to come",
            rest: "qnx4 bitmap"
        ) {
            $0.set(UInt32(0), at: $1.at("large") + 28)
        },
        Damage(
            "extent outside", "qnx4 extent block.xblk_xtnts at 0x28210: found blocks 5000 through",
            rest: "qnx4 bitmap"
        ) {
            $0.set(UInt32(5000), at: $1.block($1.number($1.at("large") + 28)) + 16)
        },
        Damage(
            "mark", "qnx4 extent block.xblk_signature at 0x283f0: found 'HamXblk\\x00', expected",
            rest: "qnx4 bitmap"
        ) {
            $0[$1.block($1.number($1.at("large") + 28)) + 496] ^= 1
        },
        Damage("blocks", "qnx4 extent block.xblk_num_blocks at 0x2820c: found 7, expected 120") {
            $0.set(UInt32(7), at: $1.block($1.number($1.at("large") + 28)) + 12)
        },
        Damage("the one before", "qnx4 extent block.xblk_prev_xblk at 0x28204: found 7, expected 0")
        {
            $0.set(UInt32(7), at: $1.block($1.number($1.at("large") + 28)) + 4)
        },
        Damage(
            "first extent", "qnx4 extent block.xblk_first_xtnt at 0x283f8: found blocks 3 through 4"
        ) {
            $0.set(UInt32(3), at: $1.block($1.number($1.at("large") + 28)) + 504)
        },
    ]

    @Test(.enabled(if: Card.hasAll, Card.missing), arguments: [false, true])
    func aVolumeAsItsMakerLeavesItHasNone(isInPieces: Bool) throws {
        let image = try (isInPieces ? Self.inPieces : Self.whole).get()
        try Card.expectSound(image.bytes)
    }

    @Test(.enabled(if: Card.hasAll, Card.missing), arguments: damages)
    func eachDamageIsTold(damage: Damage) throws {
        let image = try Self.whole.get()
        _ = try damage.expectTold(of: image.bytes, image)
    }

    @Test(.enabled(if: Card.hasAll, Card.missing), arguments: chains)
    func damagesOfChainsAreTold(damage: Damage) throws {
        let image = try Self.inPieces.get()
        _ = try damage.expectTold(of: image.bytes, image)
    }
}
