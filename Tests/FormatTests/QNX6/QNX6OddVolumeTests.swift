import Format
import TestSupport
import Testing

/// Volumes that few have, and those that nobody should: put together by `SmallQNX6`.
struct QNX6OddVolumeTests {
    private static func open(_ small: SmallQNX6) throws -> QNX6Volume {
        try QNX6Volume(MemorySource(small.build()))
    }

    /// A volume with one file, `file`, of inode 3.
    private static func withFile(
        isBigEndian: Bool = false, _ change: (inout SmallQNX6) -> Void
    ) throws -> QNX6Volume {
        var small = SmallQNX6()
        if isBigEndian {
            small.isBigEndian = true
            small.directory(2, in: 1, [])
        }
        small.directory(1, in: 1, [(2, .short(".boot")), (3, .short("file"))])
        change(&small)
        return try open(small)
    }

    private static let file = NodeID(rawValue: 3)

    // MARK: Superblocks

    @Test func theNewerSuperblockCounts() throws {
        var small = SmallQNX6()
        for (serials, isFirst) in [
            ([2, 1], true), ([1, 2], false), ([5, 5], true), ([.max, 0], true), ([0, .max], false),
        ] as [([UInt64], Bool)] {
            small.serials = serials
            let volume = try Self.open(small)
            #expect(volume.superblock.serial == serials.max())
            #expect(volume.superblocks.isFirstActive == isFirst)
        }
    }

    @Test(arguments: [0, 1])
    func eitherSuperblockIsEnough(damaged: Int) throws {
        let small = SmallQNX6()
        var bytes = small.build()
        let places = [small.start, small.secondSuperblock]
        bytes[places[damaged] + 100] ^= 1
        #expect(try QNX6.isFound(in: MemorySource(bytes)))
        let volume = try QNX6Volume(MemorySource(bytes))
        #expect(volume.superblock.serial == (damaged == 0 ? 1 : 2))
        #expect(try volume.lookup(Array(".boot".utf8), in: .root) == NodeID(rawValue: 2))
        bytes[places[1 - damaged] + 100] ^= 1
        #expect(try QNX6.isFound(in: MemorySource(bytes)))
        let error = #expect(throws: FormatError.self) { try QNX6Volume(MemorySource(bytes)) }
        #expect(error?.place == Place("qnx6 superblock.checksum", UInt64(small.start + 4)))
    }

    @Test func theSecondSuperblockIsFoundThroughTheBootBlock() throws {
        let small = SmallQNX6()
        var bytes = small.build()
        bytes[small.start] = 0
        // So far from the end that nobody looks there.
        bytes += [UInt8](repeating: 0, count: 1 << 20)
        #expect(throws: FormatError.self) { try QNX6Volume(MemorySource(bytes)) }
        bytes.set([0xeb, 0x10, 0x90, 0] as [UInt8], at: 0)
        bytes.set(UInt32(small.secondSuperblock / 1024), at: 12)
        let volume = try QNX6Volume(MemorySource(bytes))
        #expect(!volume.superblocks.isFirstActive)
    }

    @Test(arguments: [false, true], [false, true])
    func aVolumeMayLackItsBootArea(isAudi: Bool, hasFirst: Bool) throws {
        var small = SmallQNX6()
        small.start = 0
        small.isAudi = isAudi
        var bytes = small.build()
        if !hasFirst { bytes[0] = 0 }
        let volume = try QNX6Volume(MemorySource(bytes))
        #expect(volume.superblock.layout == (isAudi ? .audi : .standard))
        #expect(volume.superblocks.isFirstActive == hasFirst)
        #expect(try volume.list(.root).map(\.name) == [Array(".boot".utf8)])
        #expect(volume.statistics.byteCount == 256 * 512)
        #expect(volume.statistics.freeNodeCount == 14)
    }

    @Test func blocksLargerThan32KAreRefusedByName() throws {
        var small = SmallQNX6()
        small.blockSizeField = 65536
        let source = MemorySource(small.build())
        #expect(
            throws: FormatError.unsupported(
                Place("qnx6 superblock.blocksize", 0x2030), found: "65536",
                expected: "a power of two from 512 to 32768")
        ) { try QNX6Volume(source) }
        #expect(try QNX6.isFound(in: source))
    }

    /// A volume of which the end is missing is read as far as it goes.
    @Test func aVolumeCutOffIsReadAsFarAsItGoes() throws {
        var small = SmallQNX6()
        small.directory(1, in: 1, [(2, .short(".boot")), (3, .short("one")), (4, .short("two"))])
        small.file(3, Array("first".utf8))
        small.file(4, SplitMix64.noise(1024))
        let end = UInt64(small.secondSuperblock)
        let last = small.dataStart + (small.next - 1) * 512
        let bytes = small.build()
        // Without the second superblock alone nothing is missing.
        #expect(try QNX6Volume(MemorySource(Array(bytes[..<Int(end)]))).cutOff == nil)
        let source = MemorySource(Array(bytes[..<(last + 100)]))
        let volume = try QNX6Volume(source)
        let cutOff = FormatError.truncated(
            Place("qnx6 volume", 0), needed: end, available: UInt64(last + 100))
        #expect(volume.cutOff == cutOff)
        #expect(QNX6Check.findings(in: source).last == cutOff)
        #expect(try volume.list(.root).count == 3)
        let one = try #require(try volume.lookup(Array("one".utf8), in: .root))
        #expect(try volume.contents(of: one) == Array("first".utf8))
        let two = try #require(try volume.lookup(Array("two".utf8), in: .root))
        var room = [UInt8](repeating: 0, count: 512)
        #expect(try room.withUnsafeMutableBytes { try volume.read(two, into: $0, at: 0) } == 512)
        #expect(room == Array(SplitMix64.noise(1024)[..<512]))
        #expect(
            throws: FormatError.truncated(
                Place("qnx6 block", UInt64(last)), needed: 512, available: 100)
        ) { try room.withUnsafeMutableBytes { try volume.read(two, into: $0, at: 512) } }
    }

    // MARK: Files

    @Test(arguments: [false, true])
    func fiveLevelsOfPointersAreFollowed(isBigEndian: Bool) throws {
        let volume = try Self.withFile(isBigEndian: isBigEndian) { small in
            var pointer = small.block(Array("deep".utf8))
            // In the last place of each level: the last block that the second pointer reaches.
            for _ in 0..<5 {
                pointer = small.pointerBlock(
                    [UInt32](repeating: SmallQNX6.unused, count: 127) + [pointer])
            }
            small.nodes[3] = SmallQNX6.Node(
                mode: 0o100644, size: 1 << 45, pointers: [SmallQNX6.unused, pointer], depth: 5)
        }
        let place = (UInt64(1) << 45) - 512
        #expect(try volume.bytes(of: Self.file, at: place, count: 4) == Array("deep".utf8))
        #expect(
            try volume.bytes(of: Self.file, at: place - 8, count: 10).suffix(2) == Array("de".utf8))
        #expect(
            try volume.bytes(of: Self.file, at: 0, count: 5000)
                == [UInt8](repeating: 0, count: 5000))
        #expect(try volume.bytes(of: Self.file, at: 1 << 45, count: 1) == [])
        #expect(try volume.attributes(of: Self.file)?.byteCount == 1 << 45)
    }

    @Test(arguments: [UInt32.max, UInt32.max - 1])
    func holesReadAsZeros(hole: UInt32) throws {
        let noise = SplitMix64.noise(512, seed: 1)
        let volume = try Self.withFile { small in
            let pointers = [small.block(noise), hole, hole, small.block(noise), hole]
            small.nodes[3] = SmallQNX6.Node(mode: 0o100644, size: 2500, pointers: pointers)
        }
        let zeros = [UInt8](repeating: 0, count: 512)
        let whole = Array((noise + zeros + zeros + noise + zeros)[..<2500])
        #expect(difference(try volume.contents(of: Self.file), whole) == nil)
        #expect(try volume.bytes(of: Self.file, at: 500, count: 20) == Array(whole[500..<520]))
        #expect(try volume.bytes(of: Self.file, at: 1530, count: 20) == Array(whole[1530..<1550]))
        #expect(try volume.bytes(of: Self.file, at: 2490, count: 20) == Array(whole[2490...]))
    }

    @Test func missingPointerBlocksAreHoles() throws {
        let volume = try Self.withFile { small in
            let data = small.block([7])
            let lower = small.pointerBlock([SmallQNX6.unused, data])
            let upper = small.pointerBlock([SmallQNX6.unused, lower])
            small.nodes[3] = SmallQNX6.Node(
                mode: 0o100644, size: 200_000, pointers: [upper], depth: 2)
        }
        let bytes = try volume.contents(of: Self.file)
        #expect(bytes.indices.filter { bytes[$0] != 0 } == [129 * 512] && bytes.count == 200_000)
    }

    @Test func depthSixIsCorrupt() throws {
        let volume = try Self.withFile { small in
            small.nodes[3] = SmallQNX6.Node(mode: 0o100644, size: 1, pointers: [9], depth: 6)
        }
        #expect(
            throws: FormatError.corrupt(
                Place("qnx6 inode.filelevels", 0x3000 + 512 + 256 + 100),
                found: "6 in inode 3", expected: "0 through 5")
        ) { try volume.attributes(of: Self.file) }
        #expect(throws: FormatError.self) { try volume.lookup(Array("file".utf8), in: .root) }
        #expect(try volume.list(.root).map(\.name) == [Array(".boot".utf8)])
    }

    @Test(
        arguments: [(16 * 512 + 1, 0), (16 * 128 * 512 + 1, 1), (1 << 63, 5)]
            as [(UInt64, UInt8)])
    func aSizeThatPointersDoNotReachIsCorrupt(size: UInt64, depth: UInt8) throws {
        let volume = try Self.withFile { small in
            small.nodes[3] = SmallQNX6.Node(mode: 0o100644, size: size, depth: depth)
        }
        #expect(
            throws: FormatError.corrupt(
                Place("qnx6 inode.size", 0x3000 + 512 + 256), found: "\(size) in inode 3",
                expected: "bytes that 16 pointers, \(depth) levels deep, reach")
        ) { try volume.attributes(of: Self.file) }
    }

    @Test(arguments: [0, 1] as [UInt8])
    func aPointerBehindTheLastBlockIsCorrupt(depth: UInt8) throws {
        var block: UInt32 = 0
        let volume = try Self.withFile { small in
            block = small.pointerBlock([256])
            small.nodes[3] = SmallQNX6.Node(
                mode: 0o100644, size: 10, pointers: [depth == 0 ? 256 : block], depth: depth)
        }
        let place =
            depth == 0
            ? Place("qnx6 inode.block_ptr", 0x3000 + 512 + 256 + 36)
            : Place("qnx6 pointer block", 0x3000 + 512 * UInt64(block))
        #expect(
            throws: FormatError.corrupt(place, found: "block 256", expected: "less than 256")
        ) { try volume.contents(of: Self.file) }
        #expect(try volume.attributes(of: Self.file)?.byteCount == 10)
    }

    @Test func everyTypeIsShown() throws {
        var small = SmallQNX6()
        let modes: [(UInt16, NodeKind, UInt32)] = [
            (0o010644, .fifo, 0o644), (0o140755, .socket, 0o755),
            (0o020600, .characterDevice, 0o600),
            (0o060600, .blockDevice, 0o600), (0o050666, .file, 0o444), (0o104755, .file, 0o4755),
        ]
        var entries: [(UInt32, SmallQNX6.Name)] = [(2, .short(".boot"))]
        for (index, (mode, _, _)) in modes.enumerated() {
            small.nodes[3 + index] = SmallQNX6.Node(mode: mode)
            entries.append((UInt32(3 + index), .short("node\(index)")))
        }
        small.directory(1, in: 1, entries)
        let volume = try Self.open(small)
        for (index, (_, kind, permissions)) in modes.enumerated() {
            let node = try #require(try volume.node(at: "node\(index)"))
            let found = try #require(try volume.attributes(of: node))
            #expect(found.kind == kind && found.permissions == permissions)
            #expect(found.device == (0, 0) && found.byteCount == 0)
        }
    }

    @Test func aTypeThatIsNoneIsCorrupt() throws {
        let volume = try Self.withFile { small in
            small.nodes[3] = SmallQNX6.Node(mode: 0o170644)
        }
        #expect(throws: FormatError.self) { try volume.attributes(of: Self.file) }
        #expect(try volume.list(.root).count == 1)
    }

    @Test func encryptedFilesAndTreesOfNamesAreRefusedByName() throws {
        let volume = try Self.withFile { small in
            small.file(3, [1])
            small.nodes[3]?.key = 4
            small.nodes[2]?.extendedMode = 0x8000_0000
        }
        let record = UInt64(0x3000 + 512)
        #expect(
            throws: FormatError.unsupported(
                Place("qnx6 inode.key", record + 256 + 104),
                found: "an encrypted file, inode 3", expected: "one in the clear")
        ) { try volume.contents(of: Self.file) }
        #expect(
            throws: FormatError.unsupported(
                Place("qnx6 inode.extmode", record + 128 + 108),
                found: "a B-tree as directory 2", expected: "a list of entries")
        ) { try volume.list(NodeID(rawValue: 2)) }
    }

    @Test func whatIsNoneOfTheVolumesReadsAsNothing() throws {
        let volume = try Self.withFile { $0.file(3, [1]) }
        for number in [0, 4, 16, 17, 1 << 32, .max] as [UInt64] {
            let node = NodeID(rawValue: number)
            #expect(try volume.attributes(of: node) == nil)
            #expect(try volume.contents(of: node) == [])
            #expect(try volume.target(of: node) == nil && volume.parent(of: node) == nil)
            #expect(try volume.list(node).isEmpty)
            #expect(try volume.extendedAttributeNames(of: node) == [])
        }
        #expect(try volume.list(Self.file).isEmpty)
        #expect(try volume.lookup([0x61], in: Self.file) == nil)
        #expect(try volume.contents(of: .root) == [])
    }

    // MARK: Directories

    private static func withDirectories(_ change: (inout SmallQNX6) -> Void) throws -> QNX6Volume {
        var small = SmallQNX6()
        for number in 3...5 { small.nodes[number] = SmallQNX6.Node(mode: 0o040755, linkCount: 2) }
        small.directory(1, in: 1, [(2, .short(".boot")), (3, .short("a"))])
        small.directory(3, in: 1, [(4, .short("b"))])
        small.directory(4, in: 3, [(5, .short("c"))])
        small.directory(5, in: 4, [])
        change(&small)
        return try open(small)
    }

    @Test func aDirectoryInsideItselfIsAnErrorAndLeftOut() throws {
        for loop in 1...5 where loop != 2 {
            let volume = try Self.withDirectories { small in
                small.directory(5, in: 4, [(UInt32(loop), .short("loop"))])
            }
            #expect(try volume.walk().map(\.path) == [".boot", "a", "a/b", "a/b/c"])
            let deepest = NodeID(rawValue: 5)
            #expect(throws: FormatError.self) { try volume.lookup(Array("loop".utf8), in: deepest) }
            #expect(try volume.parent(of: deepest) == NodeID(rawValue: 4))
        }
    }

    @Test func aSubdirectoryHasOneName() throws {
        let volume = try Self.withDirectories { small in
            small.directory(1, in: 1, [(3, .short("a")), (3, .short("a2")), (2, .short(".boot"))])
        }
        #expect(try volume.walk().map(\.path) == ["a", ".boot", "a/b", "a/b/c"])
        #expect(throws: FormatError.self) { try volume.lookup(Array("a2".utf8), in: .root) }
        #expect(try volume.lookup(Array("a".utf8), in: .root) == NodeID(rawValue: 3))
    }

    @Test func namesThatAreNoneAreLeftOut() throws {
        var small = SmallQNX6()
        small.longNames = [String(repeating: "n", count: 100), String(repeating: "/", count: 30)]
        small.file(3, [1])
        small.directory(
            1, in: 1,
            [
                (3, .raw(Array("a/b".utf8))), (3, .raw([0x61, 0])), (3, .length(28)),
                (3, .length(0xfe)), (3, .long(2, sum: 0)), (3, .long(1, sum: 0)),
                (3, .long(.max, sum: 0)), (9, .short("free")), (17, .short("outside")),
                (3, .long(0, sum: 0)), (0, .short("removed")), (3, .length(0)), (3, .short("file")),
            ])
        let volume = try Self.open(small)
        let long = [UInt8](repeating: UInt8(ascii: "n"), count: 100)
        // A wrong sum keeps no name from being shown.
        #expect(try volume.list(.root).map(\.name) == [long, Array("file".utf8)])
        #expect(try volume.lookup(long, in: .root) == Self.file)
        #expect(throws: FormatError.self) { try volume.lookup(Array("free".utf8), in: .root) }
        #expect(
            throws: FormatError.corrupt(
                Place("qnx6 directory entry.inode", 0x3000 + 13 * 512 + 10 * 32),
                found: "inode 17 for 'outside'",
                expected: "one that is in use, and in no other directory")
        ) { try volume.lookup(Array("outside".utf8), in: .root) }
        #expect(try volume.lookup(Array("removed".utf8), in: .root) == nil)
        #expect(try volume.lookup(Array(".".utf8), in: .root) == nil)
    }

    @Test func aDirectoryLargerThanItsVolumeIsCorrupt() throws {
        let volume = try Self.withDirectories { small in
            let hole = small.pointerBlock([])
            small.nodes[5]?.pointers = [hole]
            small.nodes[5]?.depth = 1
            small.nodes[5]?.size = 512 * 257
        }
        #expect(
            throws: FormatError.corrupt(
                Place("qnx6 inode.size", 0x3000 + 512 + 4 * 128),
                found: "a directory of 131584 bytes", expected: "no more than the volume has")
        ) { try volume.list(NodeID(rawValue: 5)) }
    }

    @Test func aRootThatIsNoDirectoryIsCorrupt() {
        var small = SmallQNX6()
        small.nodes[1]?.mode = 0o100644
        #expect(throws: FormatError.self) { try Self.open(small) }
        small.nodes[1] = nil
        #expect(throws: FormatError.self) { try Self.open(small) }
    }
}
