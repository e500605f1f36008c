import Foundation
import TestSupport
import Testing

@testable import Format

/// What a file is found to be: a disk, a file system alone, or neither.
struct DiskTests {
    private func shared(_ name: String) throws -> MemorySource {
        MemorySource(try Fixtures.bytes(Fixtures.sharedImage(name)))
    }

    static let hasShared = Fixtures.hasShared

    @Test(.enabled(if: hasShared, "no ../shared/images"))
    func everyPartitionIsADirectory() throws {
        let disk = try #require(try Disk.find(in: shared("disk-mbr.img")))
        #expect(disk.table?.scheme == .mbr && disk.table?.faults == [])
        #expect(disk.parts.map(\.kind) == [.fat16, .qnx6, .qnx4, .qnx6, .qnx4])
        #expect(disk.parts.allSatisfy { $0.volume != nil && $0.failure == nil })
        let usual = ["p1-fat16", "p2-qnx6", "p3-qnx4", "p5-qnx6", "p6-qnx4"]
        #expect(try disk.volume()?.names() == usual)
        #expect(try disk.volume(.number)?.names() == ["p1", "p2", "p3", "p5", "p6"])
        for (part, name) in zip(disk.parts, usual) {
            let whole = try #require(disk.volume())
            let directory = try #require(try whole.lookup(Array(name.utf8), in: .root))
            let alone = try #require(disk.tree(of: part))
            #expect(try whole.names(directory) == alone.names())
        }
    }

    @Test(
        .enabled(if: hasShared, "no ../shared/images"),
        arguments: [
            ("qnx6-le.img", FileSystemKind.qnx6), ("qnx6-be.img", .qnx6), ("qnx4.img", .qnx4),
        ])
    func aFileSystemAloneIsTheRoot(name: String, kind: FileSystemKind) throws {
        let disk = try #require(try Disk.find(in: shared(name)))
        #expect(disk.table == nil && disk.parts.map(\.kind) == [kind])
        let root = try #require(disk.volume())
        #expect(try root.attributes(of: .root)?.kind == .directory)
        #expect(!(try root.names()).isEmpty)
    }

    @Test(arguments: [12, 16, 32])
    func aFATAloneIsTheRoot(bits: Int) throws {
        var image = FATImage(bits: bits, clusterCount: bits == 16 ? 5000 : 60)
        image.addFile("FILE", [1, 2, 3])
        let disk = try #require(try Disk.find(in: MemorySource(image.bytes)))
        #expect(disk.table == nil && disk.parts[0].kind?.word == "fat\(bits)")
        #expect(try disk.volume()?.names() == ["FILE"])
    }

    // MARK: The traps

    /// A boot block of Power-Safe that ends in 55 AA, with loader code where a table would be, is no
    /// partition table; nor is that of a QNX 4 or FAT volume.
    @Test(arguments: [FileSystemKind.qnx6, .qnx4, .fat12])
    func aBootBlockIsNoPartitionTable(kind: FileSystemKind) throws {
        var bytes =
            switch kind {
            case .qnx6: SmallQNX6().build()
            case .qnx4: SmallQNX4().build()
            default: FATImage().bytes
            }
        (bytes[510], bytes[511]) = (0x55, 0xaa)
        bytes.replaceSubrange(446..<510, with: [UInt8](repeating: 0, count: 64))
        (bytes[446], bytes[450], bytes[454], bytes[458]) = (0x80, 0xb3, 1, 9)
        #expect(try PartitionTable.mbr(MemorySource(bytes)) { _ in false } != nil)
        let disk = try #require(try Disk.find(in: MemorySource(bytes)))
        #expect(disk.table == nil && disk.parts.map(\.kind) == [kind])
        #expect(disk.parts[0].failure == nil)
    }

    /// A copy that ends before its file system does is opened as far as it goes, and that is told.
    @Test(arguments: [FileSystemKind.qnx6, .qnx4, .fat12])
    func aFileSystemThatWasCutOffIsOpened(kind: FileSystemKind) throws {
        let bytes =
            switch kind {
            case .qnx6: SmallQNX6().build()
            case .qnx4: SmallQNX4().build()
            default: FATImage().bytes
            }
        for (count, isCut) in [(bytes.count, false), (bytes.count - 8192, true)] {
            let disk = try #require(
                try Disk.find(in: MemorySource([UInt8](bytes.prefix(count)))))
            let part = disk.parts[0]
            #expect(part.kind == kind && part.volume != nil && part.failure == nil)
            #expect((part.cutOff != nil) == isCut)
            #expect(part.flags.contains(.cutOff) == isCut)
        }
    }

    /// A table that counts sectors of 4,096 bytes, and lies in the image as any other.
    @Test func sectorsMayHaveFourKilobytes() throws {
        var image = DiskImage(sectors: 200, sectorSize: 4096)
        image.add(0xb3, at: 64, SmallQNX6().build())
        let disk = try #require(try Disk.find(in: image.source))
        #expect(disk.table?.sectorSize == 4096)
        #expect(disk.parts.map(\.kind) == [.qnx6] && disk.parts.map(\.failure) == [nil])
        #expect(disk.parts[0].partition?.offset == 64 * 4096)
    }

    /// Who makes a file system of a whole disk leaves what was the GPT's: a header, and the backup.
    @Test(.enabled(if: PartitionTests.hasTool, "no sfdisk"))
    func whatAGPTHasLeftIsNone() throws {
        var bytes = try PartitionTests.disk("label: gpt\nstart=2048, size=1024\n", sectors: 8192)
        let volume = SmallQNX6().build()
        // The maker of a volume writes its superblocks, and no boot block.
        bytes.set(Array(volume[0x2000..<volume.count]), at: 0x2000)
        #expect(try Disk.find(in: MemorySource(bytes))?.table?.scheme == .gpt)
        bytes.set([UInt8](repeating: 0, count: 512), at: 0)
        #expect(try Disk.find(in: MemorySource(bytes))?.parts.map(\.kind) == [.qnx6])
        bytes = try PartitionTests.disk("label: gpt\nstart=2048, size=1024\n", sectors: 8192)
        bytes.set(FATImage().bytes, at: 0)
        #expect(try Disk.find(in: MemorySource(bytes))?.parts.map(\.kind) == [.fat12])
    }

    /// With nothing else on the disk, the backup tells what was there.
    @Test(.enabled(if: PartitionTests.hasTool, "no sfdisk"), arguments: [512, 2048])
    func aDiskWhoseBeginningWasWipedHasItsBackup(count: Int) throws {
        var bytes = try PartitionTests.disk("label: gpt\nstart=2048, size=1024\n", sectors: 8192)
        let whole = try #require(try Disk.find(in: MemorySource(bytes)))
        bytes.set([UInt8](repeating: 0, count: count), at: 0)
        let found = try #require(try Disk.find(in: MemorySource(bytes)))
        #expect(found.table?.partitions == whole.table?.partitions)
        #expect(found.table?.faults.count == (count > 512 ? 1 : 0))
        // Something else that begins there is not overlooked for it.
        bytes[0] = 1
        #expect(try Disk.find(in: MemorySource(bytes)) == nil || count == 512)
    }

    // MARK: Parts

    /// What nobody knows is a file; an IFS in a partition is that partition's tree.
    @Test func whatIsInAPartitionCountsAndNotItsType() throws {
        let image = ImageBuilder([.file("inside", "text")]).build().bytes
        let noise = SplitMix64.noise(4096)
        let disk = DiskImage([(0x0c, 20, noise), (0xb3, 40, image), (0x83, 200, [1])])
        let found = try #require(try Disk.find(in: disk.source))
        #expect(found.parts.map(\.kind) == [nil, .ifs, nil])
        #expect(found.parts.allSatisfy { $0.failure == nil })
        let volume = try #require(found.volume())
        #expect(try volume.names() == ["p1-unknown.img", "p2-ifs", "p3-unknown.img"])
        let raw = try #require(try volume.node(at: "p1-unknown.img"))
        #expect(try volume.contents(of: raw) == noise)
        #expect(try volume.node(at: "p2-ifs/inside") != nil)
    }

    /// A boot sector or a superblock that is not known any more leaves a partition that is unknown, or an
    /// IFS in the place of the file system that holds it: the type tells that something is missing.
    @Test func aFileSystemThatTheTableNamesIsMissed() throws {
        let image = ImageBuilder([.file("inside", "text")]).build().bytes
        let disk = DiskImage([
            (0x0c, 20, SplitMix64.noise(4096)), (0xb3, 40, SplitMix64.noise(4096) + image),
            (0x83, 200, [1]), (0x4d, 300, FATImage().bytes),
        ])
        let found = try #require(try Disk.find(in: disk.source))
        #expect(found.parts.map(\.kind) == [nil, .ifs, nil, .fat12])
        let lines = [
            "start of partition 1 at 0x2800: found nothing that is known, expected a FAT file system,"
                + " as its type 0c says",
            "start of partition 2 at 0x5000: found an image and no file system around it, expected a QNX"
                + " file system, as its type b3 says",
        ]
        #expect(found.parts.compactMap { $0.missingFileSystem?.description } == lines)
        #expect(found.check(in: disk.source).map(\.description) == lines)
    }

    /// An image that begins where the partition does needs no file system, whatever the type.
    @Test func aPartitionThatIsAnImageMissesNone() throws {
        let image = ImageBuilder([.file("inside", "text")]).build().bytes
        let disk = DiskImage([(0x0c, 20, image), (0xb3, 40, image)])
        let found = try #require(try Disk.find(in: disk.source))
        #expect(found.parts.map(\.kind) == [.ifs, .ifs])
        #expect(found.check(in: disk.source).map(\.description) == [])
    }

    /// Behind a loader as well, but not at any distance: what nobody knows is not read through.
    @Test(arguments: [
        (0, true), (0x60000, true), (4 << 20 - 16, true), (4 << 20, false), (9 << 20, false),
    ])
    func anImageIsLookedForInTheFirstMegabytes(place: Int, isFound: Bool) throws {
        let image = ImageBuilder([.file("inside", "text")]).build().bytes
        var head = DiskImage(sectors: 1)
        head.add(0x83, at: 64, [], sectors: 200_000_000)
        let source = SparseSource(
            100 << 30, [(0, head.bytes), (UInt64(64 * 512 + place), image)])
        let disk = try #require(try Disk.find(in: source))
        #expect(disk.parts.map(\.kind) == [isFound ? .ifs : nil])
        #expect(source.readCount < 7 << 20)
    }

    /// A disk that was cut is one by what is known on it; a partition that ran on is as long as what is
    /// there. Without anything known, the sector is no table.
    @Test func ofACutDiskThereIsWhatIsThere() throws {
        var fat = FATImage(bits: 12)
        fat.addFile("FILE", [1, 2, 3])
        var image = DiskImage([(0x0c, 64, fat.bytes)])
        image.add(0x83, at: 600, [], sectors: 1 << 20)
        let disk = try #require(try Disk.find(in: image.source))
        #expect(disk.parts.map(\.kind) == [.fat12, nil])
        #expect(disk.parts[1].bytes.byteCount == (1000 - 600) * 512)
        #expect(disk.table?.faults.count == 1)
        #expect(disk.check(in: image.source).count == 1)
        image.bytes.set([UInt8](repeating: 0, count: 512), at: 64 * 512)
        #expect(try Disk.find(in: image.source) == nil)
    }

    /// Of very many that nobody knows, less is read of each.
    @Test func manyUnknownPartitionsAreNotReadThrough() throws {
        var table = DiskImage(sectors: 1)
        table.add(0x05, at: 64, [], sectors: 200_000_000)
        var pieces: [(offset: UInt64, bytes: [UInt8])] = [(0, table.bytes)]
        for index in 0..<200 {
            var link = DiskImage(sectors: 1)
            link.add(0x83, at: 1, [], sectors: 99_999)
            if index < 199 { link.add(0x05, at: 100_000 * (index + 1), [], sectors: 100_000) }
            pieces.append((UInt64(64 + 100_000 * index) * 512, link.bytes))
        }
        let source = SparseSource(100 << 30, pieces)
        let disk = try #require(try Disk.find(in: source))
        #expect(disk.parts.count == 200 && disk.parts.allSatisfy { $0.volume == nil })
        // The ends of all are looked at for superblocks, by each size of sectors, and 64 MiB for images.
        #expect(source.readCount < 256 << 20)
    }

    /// What a partition holds and cannot be opened is a file, and why is told with its place in the
    /// whole.
    @Test func whatCannotBeOpenedIsAFileWithItsReason() throws {
        var small = SmallQNX6()
        small.blockSizeField = 65536
        let volume = small.build()
        let disk = DiskImage([(0xb3, 40, volume), (0xb3, 400, SmallQNX6().build())])
        let found = try #require(try Disk.find(in: disk.source))
        #expect(found.parts.map(\.kind) == [.qnx6, .qnx6])
        #expect(found.parts[0].volume == nil && found.parts[1].volume != nil)
        let failure = try #require(found.parts[0].failure)
        guard case .unsupported(let place, let what, _) = failure else {
            Issue.record("\(failure)")
            return
        }
        #expect(place.offset == 40 * 512 + 0x2000 + 48 && what.contains("65536"), "\(failure)")
        #expect(try found.volume()?.names() == ["p1-unknown.img", "p2-qnx6"])
        #expect(try found.volume(.number)?.names() == ["p1-unknown.img", "p2"])
    }

    @Test func anErrorSaysWhereOnTheDisk() throws {
        var small = SmallQNX6()
        small.nodes[3] = SmallQNX6.Node(mode: 0o100644, size: 9, pointers: [300])
        small.directory(1, in: 1, [(2, .short(".boot")), (3, .short("bad"))])
        let disk = DiskImage([(0xb3, 40, small.build())])
        let volume = try #require(try Disk.find(in: disk.source)?.volume())
        let node = try #require(try volume.node(at: "p1-qnx6/bad"))
        let failure = #expect(throws: FormatError.self) {
            try volume.bytes(of: node, at: 0, count: 9)
        }
        // Inode 3 stands in block 1; its pointers follow 36 bytes.
        let place = 40 * 512 + 0x3000 + 512 + 2 * 128 + 36
        #expect(failure?.place.offset == UInt64(place))
        #expect(failure?.place.field.hasPrefix("p1-qnx6: qnx6 ") == true, "\(failure!)")
    }

    /// Partitions that lie over one another are opened a few times, and not as often as a table says.
    @Test func partitionsOverOneAnotherAreNotOpenedWithoutEnd() throws {
        var image = DiskImage(sectors: 300)
        for _ in 0..<3 { image.add(0x83, at: 1, [], sectors: 290) }
        image.add(0x05, at: 10, [], sectors: 290)
        for index in 0..<5 {
            var link = DiskImage(sectors: 1)
            link.bytes += [UInt8](repeating: 0, count: 512)
            link.add(0x83, at: 1, [], sectors: 288 - index)
            if index < 4 { link.add(0x05, at: index + 1, [], sectors: 1) }
            image.bytes.set(Array(link.bytes.prefix(512)), at: (10 + index) * 512)
        }
        let disk = try #require(try Disk.find(in: image.source))
        #expect(disk.table?.faults == [])
        #expect(disk.parts.map { $0.partition?.number } == [1, 2, 3, 5, 6, 7, 8, 9])
        // Three times 290 sectors and once 288: more would be over four times the disk.
        #expect(
            disk.parts.map { $0.failure == nil } == [Bool](repeating: true, count: 4)
                + [Bool](repeating: false, count: 4))
        #expect(try disk.volume()?.names().count == 8)
    }

    // MARK: Size

    /// Beyond 2 TiB sectors of 4,096 bytes, or a GPT, still count.
    @Test func aDiskOfManyTerabytesIsOpenedAtOnce() throws {
        var head = DiskImage(sectors: 1, sectorSize: 4096)
        head.add(0xb3, at: 0x3000_0000, [], sectors: 100)
        let volume = SmallQNX6().build()
        let source = SparseSource(
            16 << 40, [(0, head.bytes), (0x3000_0000 << 12 as UInt64, volume)])
        let disk = try #require(try Disk.find(in: source))
        #expect(disk.parts.map(\.kind) == [.qnx6])
        #expect(disk.parts[0].partition?.offset == 0x3000_0000 << 12)
        #expect(try disk.volume()?.names() == ["p1-qnx6"])
        #expect(source.readCount < 2 << 20)
    }

    @Test(.enabled(if: PartitionTests.hasTool, "no sfdisk"))
    func aSparseFileOfThreeTerabytesIsOpenedAtOnce() throws {
        let folder = try ScratchFolder()
        let path = folder.path + "/disk"
        try PartitionTests.make(
            """
            label: gpt
            start=2048, size=200G
            start=4400000000, size=2048
            """, at: path, size: 3 << 40)
        let volume = SmallQNX6().build()
        let file = open(path, O_RDWR)
        pwrite(file, volume, volume.count, 4_400_000_000 * 512)
        let disk = try #require(try Disk.find(in: FileSource(taking: file)))
        #expect(disk.parts.map(\.kind) == [nil, .qnx6])
        let tree = try #require(disk.volume())
        #expect(try tree.names() == ["p1-unknown.img", "p2-qnx6"])
        let raw = try #require(try tree.node(at: "p1-unknown.img"))
        #expect(try tree.attributes(of: raw)?.byteCount == 200 << 30)
        #expect(try tree.bytes(of: raw, at: 100 << 30, count: 3) == [0, 0, 0])
    }

    // MARK: None

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
