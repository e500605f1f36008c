import Foundation
import TestSupport
import Testing

/// `ifsctl list` of disks and of file systems alone.
struct DiskListTests {
    private static func hex(_ value: Int) -> String { "0x" + String(value, radix: 16) }

    /// The line of an image, by what is said of it as a file, at its place.
    private func line(
        _ card: Card, _ number: Int, _ image: [UInt8], at offset: Int = 0, _ place: String
    ) throws -> String {
        let line = try #require(try card.alone(image, ["ifsctl", "list"]).lines.first)
        return "\(number)"
            + line.dropFirst().replacing("offset 0x0", with: "offset \(Self.hex(offset))")
            + "  " + place
    }

    /// Used bytes as the file systems' makers count them: fsck.fat, the counts of the QNX 6 superblock,
    /// the bits of the QNX 4 bitmap, which stands in block 3.
    private func used(_ card: Card) throws -> [Int: Int] {
        let report = try card.bash(
            "dd if=card.img of=part.img bs=512 skip=64 count=8192 status=none; fsck.fat -n part.img"
        )
        let clusters = try #require(report.firstMatch(of: /([0-9]+)\/[0-9]+ clusters/)?.1)
        let bytes = try card.folder.bytes("card.img")
        let six = Card.sectors[2]! * 512 + 0x2000
        let blocks =
            bytes.integer(UInt32.self, at: six + 60) - bytes.integer(UInt32.self, at: six + 64)
        let four = Card.sectors[5]! * 512 + 2 * 512
        let bits = bytes[four..<(four + 2048 / 8)].reduce(0) { $0 + $1.nonzeroBitCount }
        return [
            1: Int(clusters)! * 512,
            2: Int(blocks) * Int(bytes.integer(UInt32.self, at: six + 48)), 5: bits * 512,
        ]
    }

    @Test(.enabled(if: Card.hasAll, Card.missing))
    func eachPartitionIsALineAndEachImageIsOneBehindThem() throws {
        let card = try Card()
        let outcome = try ifsctl(["list", "card.img"], in: card.folder)
        expectSuccess(outcome)
        let used = try used(card)
        let first = Card.raw[0].count
        let raw = Card.sectors[3]! * 512
        #expect(
            try outcome.lines == [
                "p1  FAT16  type 06 (FAT16)  offset 0x8000  size 4194304  used \(used[1]!)"
                    + "  active  label CARD 1",
                "p2  QNX6  type b3 (QNX Power-Safe)  offset 0x408000  size 1048576"
                    + "  used \(used[2]!)  label system",
                "p3  IFS  type 83 (Linux)  offset 0x508000  size 32768  used"
                    + " \(ImageSize(Card.raw[0]).unpacked)",
                "p5  QNX4  type 4f (QNX4, third)  offset 0x518000  size 1048576  used \(used[5]!)",
                line(card, 1, Card.capitals, "partition 1  path QNX-IFS"),
                line(card, 2, Card.fragmented, "partition 1  path boot/board.ifs"),
                line(card, 3, Card.boot, "partition 2  path .boot/primary"),
                line(card, 4, Card.raw[0], at: raw, "partition 3"),
                line(card, 5, Card.raw[1], at: raw + first, "partition 3"),
                line(card, 6, Card.pieces, "partition 5  path etc/ifs-four.bin"),
                line(card, 7, Card.loose, at: Card.looseOffset, "partition -"),
            ])
    }

    @Test func aDiskThatWasCutOffSaysWhichPartitionItLacks() throws {
        let folder = try TemporaryFolder()
        var bytes = [UInt8](repeating: 0, count: 4096)
        bytes.set([0x55, 0xaa], at: 510)
        bytes[446 + 16 + 4] = 0x0c
        bytes.set(UInt32(8), at: 446 + 16 + 8)
        bytes.set(UInt32(100), at: 446 + 16 + 12)
        _ = try folder.write(bytes, to: "card.img")
        for command in ["list", "check"] {
            expectFailure(
                try ifsctl([command, "card.img"], in: folder), status: 2,
                saying: [
                    "ifsctl: card.img: no IFS image found; the nearest thing to a disk: partition"
                        + " entry 2.first LBA at 0x1d6: found the sectors 8 to 107, expected sectors"
                        + " from 1 through 7"
                ])
        }
    }

    /// Bytes of an image file system by the image header, which stands behind the startup.
    private struct ImageSize {
        let unpacked: Int
        init(_ image: [UInt8]) {
            unpacked = Int(image.integer(UInt32.self, at: 44))
        }
    }

    @Test(.enabled(if: Card.hasFAT, Card.missing))
    func aFileSystemAloneIsOneLine() throws {
        let card = try Card.fat()
        let outcome = try ifsctl(["list", "card.img"], in: card.folder)
        expectSuccess(outcome)
        #expect(outcome.lines.count == 3)
        #expect(
            outcome.lines[0].wholeMatch(
                of: /-  FAT16  offset 0x0  size 4194304  used [0-9]+  label CARD 1/) != nil)
        #expect(outcome.lines[1] == (try line(card, 1, Card.capitals, "path QNX-IFS")))
        #expect(outcome.lines[2] == (try line(card, 2, Card.fragmented, "path boot/board.ifs")))
        // Bit 0 of the boot sector's state, and the two top bits of the table's second entry.
        try card.write([1], at: 37)
        let reserved = try Int(card.number(UInt16.self, at: 14))
        try card.write([0xff, 0xbf], at: 512 * reserved + 2)
        let dirty = try ifsctl(["list", "card.img"], in: card.folder)
        #expect(dirty.lines[0].hasSuffix("  dirty errors  label CARD 1"))
    }

    @Test(.enabled(if: Card.hasGPT && Card.hasFAT, "no sgdisk or mkfs.fat"))
    func aGPTHasTypesNamesAndAttributes() throws {
        let card = Card(try TemporaryFolder())
        try card.bash(
            """
            truncate -s 512K card.img
            sgdisk -a 1 -n 1:64:+64K -t 1:B300 -c '1:QNX  \u{e4}' -A 1:set:2 -n 2:256:+64K -t 2:8300 \
                -A 2:set:60 -n 3:512:+32K -t 3:01234567-89AB-CDEF-0123-456789ABCDEF card.img > /dev/null
            """)
        let outcome = try ifsctl(["list", "card.img"], in: card.folder)
        expectSuccess(outcome)
        #expect(
            outcome.lines == [
                "p1  unknown  type CEF5A9AD-73BC-4601-89F3-CDEEEEE321A1 (QNX Power-Safe)"
                    + "  offset 0x8000  size 65536  active  name QNX  \u{e4}",
                "p2  unknown  type 0FC63DAF-8483-4772-8E79-3D69D8477DE4 (Linux)"
                    + "  offset 0x20000  size 65536  read-only",
                "p3  unknown  type 01234567-89AB-CDEF-0123-456789ABCDEF"
                    + "  offset 0x40000  size 32768",
            ])
    }

    // MARK: Faults

    /// What is wrong with the table or a part is said, and the rest is listed.
    @Test(.enabled(if: Card.hasAll, Card.missing))
    func whatIsWrongIsALineOnStandardError() throws {
        let card = try Card()
        // Both superblocks of the QNX 6; the link of the extended partition.
        let six = Card.sectors[2]! * 512
        for place in [six + 0x2000 + 48, six + 2048 * 512 - 4096 + 48] {
            try card.write([0xff], at: place)
        }
        try card.write([5], at: Card.sectors[4]! * 512 + 446 + 16 + 4)
        try card.write([0xff, 0xff, 0, 0, 1, 0, 0, 0], at: Card.sectors[4]! * 512 + 446 + 16 + 8)
        let outcome = try ifsctl(["list", "card.img"], in: card.folder)
        #expect(outcome.end == .exit(0))
        #expect(outcome.complaints.count == 2)
        #expect(
            outcome.complaints[0].hasPrefix(
                "ifsctl: card.img: extended partition link at 0x510000: found a link to sector "))
        #expect(
            outcome.complaints[1].hasPrefix(
                "ifsctl: card.img: partition 2 (QNX6): qnx6 superblock.checksum at 0x40a004: found "
            ))
        #expect(
            outcome.lines.contains(
                "p2  QNX6  type b3 (QNX Power-Safe)  offset 0x408000  size 1048576  unreadable"))
        #expect(outcome.lines.contains { $0.hasSuffix("  partition 5  path etc/ifs-four.bin") })
        let report = try Report(
            ifsctl(["list", "--json", "card.img"], in: card.folder).output)["disk"]
        #expect(report["faults"].texts.count == 1)
        #expect(report["partitions"][1]["failure"].text?.contains("superblock.checksum") == true)
        #expect(report["partitions"][1]["used"].isNull)
    }

    /// A directory that breaks off does not hide what other directories have.
    @Test(.enabled(if: Card.hasFAT, Card.missing))
    func aDirectoryThatCannotBeReadIsSaid() throws {
        let card = try Card.fat()
        // The first cluster of `boot`, by its entry in the root, to one that there is not.
        let bytes = try card.folder.bytes("card.img")
        let name = Array("BOOT       ".utf8)
        let place = try #require(
            stride(from: 0, to: 200_000, by: 32).first { Array(bytes[$0..<$0 + 11]) == name })
        try card.write([0xf0, 0xff], at: place + 26)
        let outcome = try ifsctl(["list", "card.img"], in: card.folder)
        #expect(outcome.end == .exit(0) && outcome.complaints.count == 1)
        #expect(outcome.complaints.first?.hasPrefix("ifsctl: card.img: directory entry") == true)
        #expect(outcome.lines.last?.hasSuffix("  path QNX-IFS") == true)
    }

    /// Without a table that can be read images are found as in any file.
    @Test(.enabled(if: Card.hasGPT, "no sgdisk"))
    func aTableOfWhichNothingIsWholeIsSaid() throws {
        let card = Card(try TemporaryFolder())
        try card.folder.write(Card.loose, to: "loose")
        try card.bash(
            "truncate -s 256K card.img; sgdisk -a 1 -n 1:64:+64K card.img > /dev/null")
        for place in [512 + 60, 256 << 10 - 512 + 60] { try card.write([0xff], at: place) }
        for command in ["list", "check"] {
            let outcome = try ifsctl([command, "card.img"], in: card.folder)
            let line = (outcome.complaints + outcome.lines).first ?? ""
            #expect(outcome.complaints.count + outcome.lines.count == 1)
            #expect(line.contains("card.img: GPT header.CRC at 0x210: found "))
            #expect(outcome.end == .exit(command == "list" ? 2 : 1))
        }
        try card.bash("dd if=loose of=card.img bs=512 seek=64 conv=notrunc status=none")
        let outcome = try ifsctl(["list", "card.img"], in: card.folder)
        #expect(outcome.end == .exit(0) && outcome.complaints.count == 1)
        #expect(outcome.lines == [try line(card, 1, Card.loose, at: 0x8000, "").trimmed])
    }

    // MARK: JSON

    static let diskMembers: Set = ["table", "sector_size", "faults", "partitions"]
    static let partMembers: Set = [
        "number", "name", "type", "type_name", "active", "table_name", "offset", "size",
        "file_system", "label", "failure", "used", "flags",
    ]

    @Test(.enabled(if: Card.hasAll, Card.missing))
    func theReportOfADiskHasMoreMembers() throws {
        let card = try Card()
        let outcome = try ifsctl(["list", "--json", "card.img"], in: card.folder)
        expectSuccess(outcome)
        let report = try Report(outcome.output)
        #expect(report.members == IfsctlListTests.members.union(["disk"]))
        let disk = report["disk"]
        #expect(disk.members == Self.diskMembers)
        #expect(disk["table"].text == "MBR" && disk["sector_size"].number == 512)
        let parts = disk["partitions"].elements
        #expect(parts.allSatisfy { $0.members == Self.partMembers })
        #expect(parts.map { $0["number"].number } == [1, 2, 3, 5])
        #expect(parts.map { $0["file_system"].text } == ["FAT16", "QNX6", "IFS", "QNX4"])
        #expect(parts.map { $0["flags"].texts } == [["active"], [], [], []])
        let used = try used(card)
        for (index, number) in [(0, 1), (1, 2), (3, 5)] {
            #expect(parts[index]["used"].number == used[number].map { UInt64($0) })
        }
        let images = report["images"].elements
        #expect(
            images.allSatisfy {
                $0.members == IfsctlListTests.imageMembers.union(["partition", "path"])
            })
        #expect(images.map { $0["partition"].number } == [1, 1, 2, 3, 3, 5, nil])
        #expect(images[6]["partition"].isNull && images[3]["path"].isNull)
        #expect(images[1]["path"].text == "boot/board.ifs")
        #expect(images[1]["header_offset"].number == 0)
    }

    // MARK: Real cards

    @Test(.enabled(if: Fixtures.hasShared, "no shared images here"))
    func aRealCardIsListed() throws {
        let path = try Fixtures.sharedImage("disk-mbr.img").path
        let outcome = try ifsctl(["list", path])
        expectSuccess(outcome)
        #expect(
            outcome.lines.prefix(5).map {
                $0.components(separatedBy: "  ").prefix(2).joined(separator: " ")
            }
                == ["p1 FAT16", "p2 QNX6", "p3 QNX4", "p5 QNX6", "p6 QNX4"])
        #expect(outcome.lines.count == 7)
        #expect(
            outcome.lines[5].hasSuffix("  113 entries  mountpoint /  partition 1  path QNX-IFS"))
        #expect(outcome.lines[6].hasSuffix("  35 entries  mountpoint /  partition 3  path .boot"))
    }

    @Test(
        .enabled(if: Fixtures.hasShared, "no shared images here"),
        arguments: ["qnx4.img", "qnx6-le.img", "qnx6-be.img"])
    func aRealFileSystemIsOneLine(name: String) throws {
        let outcome = try ifsctl(["list", Fixtures.sharedImage(name).path])
        expectSuccess(outcome)
        #expect(outcome.lines.count == 1)
        #expect(outcome.lines[0].hasPrefix("-  \(name.prefix(4).uppercased())  offset 0x0  size "))
    }
}

extension String {
    /// Without blanks at its end.
    fileprivate var trimmed: String { String(reversed().drop { $0 == " " }.reversed()) }
}
