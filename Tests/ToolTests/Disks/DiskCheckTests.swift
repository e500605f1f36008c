import Foundation
import TestSupport
import Testing

/// `ifsctl check` of disks and of file systems alone: one damage of each class, and the line that says so.
struct DiskCheckTests {
    /// A damage of the card, and how its first line begins behind the card's name.
    struct Damage: CustomTestStringConvertible {
        let testDescription: String
        let line: String
        let count: Int
        let make: @Sendable (Card) throws -> Void
        init(
            _ name: String, _ line: String, count: Int = 1,
            _ make: @escaping @Sendable (Card) throws -> Void
        ) {
            testDescription = name
            self.line = line
            self.count = count
            self.make = make
        }
    }

    private static func start(_ number: Int) -> Int { Card.sectors[number]! * 512 }
    /// Where an entry stands, in the first sector and in each link.
    private static func entry(_ number: Int) -> Int { 446 + 16 * (number - 1) }
    private static func hex(_ value: Int) -> String { "0x" + String(value, radix: 16) }

    private static func expect(_ line: String, count: Int = 1, of card: Card) throws {
        let outcome = try ifsctl(["check", "card.img"], in: card.folder)
        #expect(outcome.end == .exit(1) && outcome.complaints == [])
        #expect(outcome.lines.count == count, "\(outcome.lines)")
        #expect(outcome.lines.first?.hasPrefix("card.img: \(line)") == true, "\(outcome.lines)")
    }

    @Test(.enabled(if: Card.hasAll, Card.missing))
    func aCardAsItsMakersLeaveItIsStatusZeroAndNoWord() throws {
        let outcome = try ifsctl(["check", "card.img"], in: Card().folder)
        expectSuccess(outcome)
        #expect(outcome.output == [])
    }

    // MARK: File systems

    static let damages: [Damage] = [
        Damage(
            "QNX 6 superblock", "partition 2 (QNX6): qnx6 superblock.checksum at 0x507004: found "
        ) {
            try $0.write([0xff], at: start(2) + 2048 * 512 - 4096 + 4)
        },
        Damage("QNX 6 bitmap", "partition 2 (QNX6): qnx6 bitmap at 0x40b", count: 2) { card in
            // The second root node's first pointer; blocks begin at 0x3000, here of 1 KiB.
            let block = try card.number(UInt32.self, at: start(2) + 0x2000 + 72 + 80 + 8)
            let place = start(2) + 0x3000 + Int(block) * 1024 + 100
            // Two blocks change places, so that the count of free ones stays.
            let free = try card.number(UInt8.self, at: place)
            try #require(free == 0)
            let used = try card.number(UInt8.self, at: place - 100)
            try card.write([used & 0xfe], at: place - 100)
            try card.write([1], at: place)
        },
        Damage(
            "QNX 4 status", "partition 5 (QNX4): qnx4 inode record.di_status at 0x51823f: found 0x"
        ) {
            let status = try $0.number(UInt8.self, at: start(5) + 512 + 63)
            try $0.write([status & ~0x20], at: start(5) + 512 + 63)
        },
        Damage("QNX 4 bitmap", "partition 5 (QNX4): qnx4 bitmap at 0x5184") {
            try $0.write([0x80], at: start(5) + 1024 + 255)
        },
        Damage("image", "partition 3 (IFS): image 2: startup trailer.cksum at 0x508") {
            let byte = start(3) + Card.raw[0].count + 258
            try $0.write([try $0.number(UInt8.self, at: byte) &+ 1], at: byte)
        },
        Damage("image outside", "startup trailer.cksum at 0x41") {
            let byte = Card.looseOffset + 258
            try $0.write([try $0.number(UInt8.self, at: byte) &+ 1], at: byte)
        },
        Damage("no file system", "partition 2 (QNX6): qnx6 superblock.checksum at 0x40a004: found ")
        {
            for place in [0x2000 + 48, 2048 * 512 - 4096 + 48] {
                try $0.write([0xff], at: start(2) + place)
            }
        },
    ]

    @Test(.enabled(if: Card.hasAll, Card.missing), arguments: damages)
    func eachDamageIsALineWithItsPlace(damage: Damage) throws {
        let card = try Card()
        try damage.make(card)
        try Self.expect(damage.line, count: damage.count, of: card)
    }

    /// Of FAT fsck.fat finds fault as well.
    static let fatDamages: [Damage] = [
        Damage("dirty", "boot sector.state at 0x25: found 0x1, expected bit 0 clear") {
            try $0.write([1], at: 37)
        },
        Damage("copy", "table copy 1 at 0x") { card in
            let reserved = try Int(card.number(UInt16.self, at: 14))
            let size = try Int(card.number(UInt16.self, at: 22))
            // The last entry that stands for a cluster, free in both tables.
            try card.write([1, 0], at: 512 * (reserved + size) + 2 * 8000)
        },
        Damage("lost", "table entry of cluster 8000 at 0x") { card in
            let reserved = try Int(card.number(UInt16.self, at: 14))
            let size = try Int(card.number(UInt16.self, at: 22))
            for table in [reserved, reserved + size] {
                try card.write([0xff, 0xff], at: 512 * table + 2 * 8000)
            }
        },
        Damage("size", "directory entry 'QNX-IFS'.size at 0x") { card in
            let bytes = try card.folder.bytes("card.img")
            let place = try #require(
                stride(from: 0, to: 200_000, by: 32).first {
                    Array(bytes[$0..<$0 + 11]) == Array("QNX-IFS    ".utf8)
                })
            try card.write([UInt8](UInt32(5000), isBigEndian: false), at: place + 28)
        },
    ]

    @Test(.enabled(if: Card.hasFAT, Card.missing), arguments: fatDamages)
    func ofAFileSystemAloneThereIsNoPartition(damage: Damage) throws {
        let card = try Card.fat()
        #expect(try card.judge("fsck.fat", "-n", "card.img").end == .exit(0))
        expectSuccess(try ifsctl(["check", "card.img"], in: card.folder))
        try damage.make(card)
        #expect(try card.judge("fsck.fat", "-n", "card.img").end != .exit(0))
        try Self.expect(damage.line, count: damage.count, of: card)
    }

    @Test(.enabled(if: Card.hasAll, Card.missing))
    func placesOfAPartitionCountFromTheFirstByteOfTheCard() throws {
        let card = try Card()
        try card.write([1], at: Self.start(1) + 37)
        try Self.expect("partition 1 (FAT16): boot sector.state at 0x8025: found 0x1", of: card)
    }

    // MARK: Tables

    /// An entry of a partition table; sectors count from the link's, or the extended partition's first.
    private static func record(_ type: UInt8, from first: UInt32, count: UInt32) -> [UInt8] {
        [0, 0, 0, 0, type, 0, 0, 0] + [UInt8](first, isBigEndian: false)
            + [UInt8](count, isBigEndian: false)
    }

    /// What of an MBR is wrong.
    static let tableDamages: [Damage] = [
        Damage(
            "overlap",
            "start of partition 3 at 0x508000: found a byte of partition 2, expected 0x508200"
        ) {
            try $0.write([UInt8](UInt32(2049), isBigEndian: false), at: entry(2) + 12)
        },
        Damage("active", "partition table at 0x1be: found the active partitions 1, 3, expected one")
        {
            try $0.write([0x80], at: entry(3))
        },
        Damage(
            "loop", "extended partition link at 0x510000: found a link to sector 10368, expected"
        ) {
            try $0.write(
                record(5, from: 0, count: 4096), at: start(4) + entry(2))
        },
        Damage(
            "link to itself",
            "extended partition link at 0x510000: found a link to sector 10368, exp"
        ) {
            try $0.write(
                record(5, from: 0, count: 1), at: start(4) + entry(2))
        },
        Damage(
            "no link",
            "partition entry.type at 0x5101d2: found 0x83, expected 0x5, 0xf or 0x85 in the",
            count: 2
        ) {
            try $0.write(
                record(0x83, from: 64, count: 1), at: start(4) + entry(2))
        },
        Damage(
            "third entry",
            "partition entry.type at 0x5101e2: found 0x6, expected 0x0 in the third and"
        ) {
            try $0.write(
                record(6, from: 64, count: .max), at: start(4) + entry(3))
        },
        Damage(
            "link's mark", "extended partition link at 0x510000: found no partition table, expected"
        ) { try $0.write([0, 0], at: start(4) + 510) },
        Damage(
            "logical one outside",
            "extended partition link at 0x510000: found a logical partition of the sectors 10432 to"
        ) { try $0.write([UInt8](UInt32(9999), isBigEndian: false), at: start(4) + entry(1) + 12) },
        Damage("status", "partition entry 3.status at 0x1de: found 0x12, expected 0x0 or 0x80") {
            try $0.write([0x12], at: entry(3))
        },
        Damage(
            "past the end",
            "partition entry 4.first LBA at 0x1f6: found the sectors 10368 to 110366, expected sectors"
        ) { try $0.write([UInt8](UInt32(99999), isBigEndian: false), at: entry(4) + 12) },
        Damage(
            "start past the end",
            "partition entry 3.first LBA at 0x1e6: found the sectors 99999 to 100062, expected sectors"
        ) { try $0.write([UInt8](UInt32(99999), isBigEndian: false), at: entry(3) + 8) },
        Damage(
            "cut disk",
            "partition entry 2.first LBA at 0x1d6: found the sectors 8256 to 10303, expected sectors",
            count: 4
        ) { try $0.bash("truncate -s 5M card.img") },
        Damage(
            "no superblocks",
            "partition 2 (IFS): start of partition 2 at 0x408000: found an image and no file system"
        ) {
            for place in [0x2000, 2048 * 512 - 4096] { try $0.write([0], at: start(2) + place) }
        },
    ]

    @Test(.enabled(if: Card.hasAll, Card.missing), arguments: tableDamages)
    func aTableThatContradictsItselfIsALine(damage: Damage) throws {
        let card = try Card()
        #expect(try card.judge("sfdisk", "--verify", "card.img").end == .exit(0))
        try damage.make(card)
        try Self.expect(damage.line, count: damage.count, of: card)
        if damage.testDescription == "overlap" {
            #expect(try card.judge("sfdisk", "--verify", "card.img").complaints != [])
        }
    }

    /// What of a GPT is wrong; 512 KiB, so that the last sector is 1023.
    static let gptDamages: [Damage] = [
        Damage("header", "GPT header.CRC at 0x210: found ") { try $0.write([0xff], at: 512 + 60) },
        Damage("entries", "GPT header.entries CRC at 0x258: found ") {
            try $0.write([0xff], at: 1024 + 50)
        },
        Damage("both headers", "GPT header.CRC at 0x210: found ") {
            for place in [512, 512 << 10 - 512] { try $0.write([0xff], at: place + 60) }
        },
        Damage("both tables of entries", "GPT header.entries CRC at 0x258: found ") {
            for place in [1024, 512 << 10 - 33 * 512] { try $0.write([0xff], at: place + 50) }
        },
        Damage("header and other entries", "GPT header.CRC at 0x210: found ") {
            try $0.write([0xff], at: 512 + 60)
            try $0.write([0xff], at: 512 << 10 - 33 * 512 + 50)
        },
        Damage("backup", "GPT header.CRC at 0x7fe10: found ") {
            try $0.write([0xff], at: 512 << 10 - 512 + 60)
        },
        Damage("backup entries", "GPT header.entries CRC at 0x7fe58: found ") {
            try $0.write([0xff], at: 512 << 10 - 33 * 512 + 50)
        },
        Damage("longer", "GPT header.other LBA at 0x220: found 1023, expected 1535, the last") {
            try $0.bash("truncate -s 768K card.img")
        },
        Damage("protection", "MBR at 0x1be: found no protective entry, expected one of type 0xee") {
            try $0.write([0x83], at: 446 + 4)
        },
        Damage(
            "overlap",
            "start of partition 2 at 0x17e00: found a byte of partition 1, expected 0x18000"
        ) {
            try $0.bash(
                "sgdisk -a 1 -n 2:192:+64K card.img > /dev/null; sfdisk -d card.img > table;"
                    + " python3 - <<'END'\n\(shiftedEntry(first: 191))\nEND")
        },
        Damage(
            "past the end",
            "GPT entry.first LBA at 0x4a0: found the sectors 192 to 5000, expected sec"
        ) {
            try $0.bash(
                "sgdisk -a 1 -n 2:192:+64K card.img > /dev/null; sfdisk -d card.img > table;"
                    + " python3 - <<'END'\n\(shiftedEntry(first: 192, last: 5000))\nEND")
        },
    ]

    /// A program that moves the start and the end of the second partition, with all sums right.
    private static func shiftedEntry(first: Int, last: Int = 319) -> String {
        """
        import struct, zlib
        with open('card.img', 'r+b') as card:
            def put(place, data): card.seek(place); card.write(data)
            for header, entries in [(512, 1024), (2**19 - 512, 2**19 - 33 * 512)]:
                put(entries + 128 + 32, struct.pack('<QQ', \(first), \(last)))
                card.seek(entries); table = card.read(128 * 128)
                put(header + 88, struct.pack('<I', zlib.crc32(table)))
                put(header + 16, bytes(4))
                card.seek(header); put(header + 16, struct.pack('<I', zlib.crc32(card.read(92))))
        """
    }

    @Test(
        .enabled(if: Card.hasGPT && Tool.has("python3"), "no sgdisk or python3"),
        arguments: gptDamages)
    func aGPTIsCheckedWithItsCopy(damage: Damage) throws {
        let card = Card(try TemporaryFolder())
        try card.bash("truncate -s 512K card.img; sgdisk -a 1 -n 1:64:+64K card.img > /dev/null")
        let sound = try ifsctl(["check", "card.img"], in: card.folder)
        expectSuccess(sound)
        #expect(sound.output == [])
        try damage.make(card)
        try Self.expect(damage.line, count: damage.count, of: card)
        let words = try card.judge("sgdisk", "-v", "card.img")
        // What it could put right from the other copy it tells, and goes on.
        // Where it finds none, it makes one in memory.
        let isTold =
            words.text.contains("corrupt GPT") || words.text.contains("Creating new GPT")
            || !words.text.contains("No problems found")
        #expect(isTold, "\(words.text)")
    }

    // MARK: Real cards

    @Test(.enabled(if: Fixtures.hasShared, "no shared images here"))
    func realImagesHaveWhatTheyAreKnownFor() throws {
        for name in ["qnx4.img", "qnx6-le.img", "qnx6-be.img"] {
            let outcome = try ifsctl(["check", Fixtures.sharedImage(name).path])
            expectSuccess(outcome)
            #expect(outcome.output == [])
        }
        let card = try Fixtures.sharedImage("disk-mbr.img").path
        let outcome = try ifsctl(["check", card])
        #expect(outcome.end == .exit(1) && outcome.complaints == [])
        #expect(
            outcome.lines == [
                "\(card): partition 3 (QNX4): qnx4 inode record.di_status at 0x1a0023f: found 0x1,"
                    + " expected bit 0x20, of a volume left in order",
                "\(card): partition 3 (QNX4): qnx4 inode record.di_size at 0x1a00690: found 256, for"
                    + " 2048 blocks, expected more, as a file has block 2049",
            ])
    }
}
