import TestSupport
import Testing

@testable import Format

/// What partitions are called, and what the root tells of them.
struct DiskNameTests {
    /// A small FAT with a label in its root.
    private static func fat(_ label: String) -> [UInt8] {
        var image = FATImage()
        image.addFile(label, attributes: 0x08)
        return image.bytes
    }

    private static func qnx6(_ label: String) -> [UInt8] {
        var bytes = SmallQNX6().build()
        for start in [SmallQNX6().start, SmallQNX6().secondSuperblock] {
            bytes.set([UInt8](repeating: 0, count: 16), at: start + 32)
            bytes.set(Array(label.utf8), at: start + 32)
            SmallQNX6.sum(&bytes, at: start)
        }
        return bytes
    }

    private func names(_ style: Disk.Names, _ contents: [[UInt8]]) throws -> [String] {
        var first = 1
        let partitions = contents.map { bytes in
            defer { first += (bytes.count + 511) / 512 }
            return (UInt8(0xb3), first, bytes)
        }
        let disk = try #require(try Disk.find(in: DiskImage(partitions, sectors: first).source))
        return try #require(disk.volume(style)).names()
    }

    @Test func aFileSystemsLabelIsItsName() throws {
        let contents = [Self.fat("BOOT"), Self.qnx6("system"), SmallQNX4().build()]
        #expect(try names(.label, contents) == ["BOOT", "system", "p3-qnx4"])
        #expect(try names(.kind, contents) == ["p1-fat12", "p2-qnx6", "p3-qnx4"])
        #expect(try names(.number, contents) == ["p1", "p2", "p3"])
    }

    /// A name that two would have is nobody's, and one that no entry can have neither.
    @Test(arguments: [
        (["SAME", "SAME", "OTHER"], ["p1-qnx6", "p2-qnx6", "OTHER"]),
        (["p2-qnx6", "SAME", "SAME"], ["p1-qnx6", "p2-qnx6", "p3-qnx6"]),
        (["a/b", ".", ".."], ["p1-qnx6", "p2-qnx6", "p3-qnx6"]),
        (["", "p1-qnx6", "x"], ["p1-qnx6", "p2-qnx6", "x"]),
    ])
    func noTwoHaveTheSameName(labels: [String], expected: [String]) throws {
        #expect(try names(.label, labels.map(Self.qnx6)) == expected)
    }

    @Test(.enabled(if: PartitionTests.hasTool, "no sfdisk"))
    func theNameOfAGPTComesFirst() throws {
        var bytes = try PartitionTests.disk(
            """
            label: gpt
            start=2048, size=1024, name="given ä"
            start=4096, size=1024
            start=6144, size=1024, name="raw"
            """, sectors: 8192)
        bytes.set(Self.fat("INSIDE"), at: 2048 * 512)
        bytes.set(Self.fat("OTHER"), at: 4096 * 512)
        let disk = try #require(try Disk.find(in: MemorySource(bytes)))
        #expect(try disk.volume(.label)?.names() == ["given ä", "OTHER", "raw"])
        #expect(try disk.volume(.kind)?.names() == ["p1-fat12", "p2-fat12", "p3-unknown.img"])
    }

    @Test func theRootTellsOfTheDisk() throws {
        let disk = try #require(
            try Disk.find(
                in: DiskImage([(0x4d, 1, SmallQNX4().build()), (0x83, 90, [1])], sectors: 100)
                    .source))
        let root = try #require(disk.volume())
        let expected =
            #"{"table":"MBR","sector_size":512,"faults":[],"partitions":["#
            + #"{"number":1,"name":"p1-qnx4","type":"4d","type_name":"QNX4","active":false,"#
            + #""table_name":"","offset":512,"size":32768,"file_system":"QNX4","label":"","#
            + #""failure":null},"#
            + #"{"number":2,"name":"p2-unknown.img","type":"83","type_name":"Linux","#
            + #""active":false,"table_name":"","offset":46080,"size":512,"file_system":null,"#
            + #""label":"","failure":null}]}"#
        #expect(try root.extendedAttributeNames(of: .root) == ["disk.info"])
        let found = try #require(try root.extendedAttribute("disk.info", of: .root))
        #expect(String(decoding: found, as: UTF8.self) == expected)
        let part = try #require(try root.node(at: "p1-qnx4"))
        #expect(try root.extendedAttribute("disk.info", of: part) == nil)
        #expect(try root.extendedAttribute("qnx4.status", of: part) == Array("0x21".utf8))
        let alone = try #require(disk.tree(of: disk.parts[0]))
        #expect(try alone.extendedAttribute("disk.info", of: .root) == found)
        #expect(try alone.extendedAttributeNames(of: .root).contains("qnx4.status"))
    }

    /// The times of a disk's root are those of its file systems.
    @Test func theRootIsAsNewAsTheNewestOfItsTrees() throws {
        let disk = try #require(
            try Disk.find(in: DiskImage([(0xb3, 1, SmallQNX6().build())]).source))
        let root = try #require(try disk.volume()?.attributes(of: .root))
        #expect(root.modified == 12 && root.permissions == 0o555 && root.linkCount == 3)
    }
}
