import Foundation
import TestSupport
import Testing

@testable import Format

/// What a file is found to be: a disk, a file system alone, or neither.
struct DiskTests {
    private func names(_ volume: (any Volume)?) throws -> [String] {
        var names: [String] = []
        try volume?.entries(of: .root, from: 0) { _, name, _ in
            names.append(String(decoding: name, as: UTF8.self))
            return true
        }
        return names
    }

    private func shared(_ name: String) throws -> MemorySource {
        MemorySource(try Fixtures.bytes(Fixtures.sharedImage(name)))
    }

    static let hasDisk = Fixtures.sharedImages(ending: ".img").contains("disk-mbr.img")

    @Test(.enabled(if: hasDisk, "needs the shared images"))
    func everyPartitionIsADirectory() throws {
        let disk = try #require(try Disk.find(in: shared("disk-mbr.img")))
        #expect(disk.table?.scheme == .mbr && disk.table?.faults == [])
        #expect(disk.parts.map(\.kind) == [.fat16, .qnx6, .qnx4, .qnx6, .qnx4])
        #expect(disk.parts.allSatisfy { $0.volume != nil && $0.failure == nil })
        let usual = ["p1-fat16", "p2-qnx6", "p3-qnx4", "p5-qnx6", "p6-qnx4"]
        #expect(try names(disk.volume()) == usual)
        #expect(try names(disk.volume(.number)) == ["p1", "p2", "p3", "p5", "p6"])
        // An MBR has no names.
        #expect(try names(disk.volume(.label)) == usual)
    }

    @Test(
        .enabled(if: hasDisk, "needs the shared images"),
        arguments: [
            ("qnx6-le.img", FileSystemKind.qnx6), ("qnx6-be.img", .qnx6), ("qnx4.img", .qnx4),
        ])
    func aFileSystemAloneIsTheRoot(name: String, kind: FileSystemKind) throws {
        let disk = try #require(try Disk.find(in: shared(name)))
        #expect(disk.table == nil && disk.parts.map(\.kind) == [kind])
        let root = try #require(disk.volume())
        #expect(try root.attributes(of: .root)?.kind == .directory)
        #expect(!(try names(root)).isEmpty)
    }

    /// A boot block of Power-Safe that ends in 55 AA, with loader code where a table would be, is no
    /// partition table.
    @Test(.enabled(if: hasDisk, "needs the shared images"))
    func aBootBlockIsNoPartitionTable() throws {
        var bytes = try Fixtures.bytes(Fixtures.sharedImage("qnx6-le.img"))
        (bytes[510], bytes[511]) = (0x55, 0xaa)
        bytes[446] = 0x80
        bytes[450] = 0xb3
        bytes[454] = 1
        bytes[458] = 9
        #expect(try PartitionTable.mbr(MemorySource(bytes)) { _ in false } != nil)
        let disk = try #require(try Disk.find(in: MemorySource(bytes)))
        #expect(disk.table == nil && disk.parts.map(\.kind) == [.qnx6])
    }

    /// A disk of 300 sectors with these partitions: type, first sector, contents.
    private func disk(_ partitions: [(type: UInt8, first: Int, bytes: [UInt8])]) -> MemorySource {
        var bytes = [UInt8](repeating: 0, count: 300 * 512)
        for (index, partition) in partitions.enumerated() {
            let base = 446 + 16 * index
            let sectors = max(1, (partition.bytes.count + 511) / 512)
            bytes[base + 4] = partition.type
            (bytes[base + 8], bytes[base + 9]) = (
                UInt8(partition.first & 255), UInt8(partition.first >> 8)
            )
            (bytes[base + 12], bytes[base + 13]) = (UInt8(sectors & 255), UInt8(sectors >> 8))
            let start = partition.first * 512
            bytes.replaceSubrange(
                start..<(start + partition.bytes.count), with: partition.bytes)
        }
        (bytes[510], bytes[511]) = (0x55, 0xaa)
        return MemorySource(bytes)
    }

    /// What nobody knows is a file; an IFS in a partition is that partition's tree.
    @Test func whatIsInAPartitionCountsAndNotItsType() throws {
        let image = ImageBuilder([.file("inside", "text")]).build().bytes
        let noise = SplitMix64.noise(4096)
        let found = try #require(
            try Disk.find(in: disk([(0x0c, 20, noise), (0xb3, 40, image), (0x83, 200, [1])])))
        #expect(found.parts.map(\.kind) == [nil, .ifs, nil])
        let volume = try #require(found.volume())
        #expect(try names(volume) == ["p1-unknown.img", "p2-ifs", "p3-unknown.img"])
        let raw = try #require(try volume.lookup(Array("p1-unknown.img".utf8), in: .root))
        let bytes = try [UInt8].filled(upTo: 5000) { buffer throws(FormatError) in
            try volume.read(raw, into: buffer, at: 0)
        }
        #expect(bytes == noise)
        let part = try #require(try volume.lookup(Array("p2-ifs".utf8), in: .root))
        #expect(try volume.lookup(Array("inside".utf8), in: part) != nil)
    }

    @Test func neitherDiskNorFileSystemIsNone() throws {
        #expect(try Disk.find(in: MemorySource([])) == nil)
        #expect(try Disk.find(in: MemorySource(SplitMix64.noise(50_000))) == nil)
        let image = ImageBuilder([.file("inside", "text")]).build().bytes
        #expect(try Disk.find(in: MemorySource(image)) == nil)
    }

    @Test(arguments: Fixtures.allImages)
    func anImageIsNoDisk(name: String) throws {
        #expect(try Disk.find(in: MemorySource(Fixtures.image(name))) == nil)
    }
}
