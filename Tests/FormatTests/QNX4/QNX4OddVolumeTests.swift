import Format
import TestSupport
import Testing

/// Volumes that few have, and those that nobody should: put together by `SmallQNX4`.
struct QNX4OddVolumeTests {
    private static func open(_ small: SmallQNX4) throws -> QNX4Volume {
        try QNX4Volume(MemorySource(small.build()))
    }

    /// Where a record stands in the volume.
    private static func offset(_ block: Int, _ index: Int) -> UInt64 {
        UInt64((block - 1) * 512 + index * 64)
    }

    /// The node of a record.
    private static func node(_ block: Int, _ index: Int) -> NodeID {
        NodeID(rawValue: UInt64((block - 1) * 8 + index))
    }

    @Test func theVolumesOwnFilesAreInItsRoot() throws {
        let volume = try Self.open(SmallQNX4())
        let names = try volume.list(.root).map { String(decoding: $0.name, as: UTF8.self) }
        #expect(names == [".bitmap", ".inodes", ".boot", ".altboot"])
        let nodes = try volume.list(.root).map(\.node)
        #expect(nodes == [Self.node(4, 2), Self.node(2, 1), Self.node(2, 2), Self.node(2, 3)])
        #expect(try volume.contents(of: nodes[0]).count == 8)
        #expect(try volume.contents(of: nodes[1]).starts(with: Array("IamTHE".utf8)))
        #expect(try volume.contents(of: nodes[2]) == [])
        #expect(volume.statistics.byteCount == 64 * 512)
        #expect(volume.statistics.freeByteCount == 59 * 512)
        #expect(try volume.parent(of: .root) == .root)
    }

    @Test func attributesAreThoseOfTheRecord() throws {
        var small = SmallQNX4()
        let data = small.block([1, 2, 3])
        small.put(
            SmallQNX4.inode("file", 0o102751, size: 3, [(data, 1)], linkCount: 7, status: 0x03), 4,
            6)
        let volume = try Self.open(small)
        let node = try #require(try volume.node(at: "file"))
        #expect(node == Self.node(4, 6))
        let expected = Attributes(
            node: node, kind: .file, permissions: 0o2751, user: 1000, group: 2000, modified: 12,
            byteCount: 3, linkCount: 7)
        #expect(try volume.attributes(of: node) == expected)
        let values = try volume.extendedAttributeNames(of: node).map {
            "\($0)=" + printable(try volume.extendedAttribute($0, of: node) ?? [])
        }
        #expect(
            values == [
                "qnx4.created=11", "qnx4.accessed=13", "qnx4.changed=14", "qnx4.status=0x3",
            ])
    }

    @Test func everyTypeIsShown() throws {
        var small = SmallQNX4()
        small.put(SmallQNX4.inode("fifo", 0o010644), 4, 6)
        small.put(SmallQNX4.inode("device", 0o020600), 4, 7)
        let volume = try Self.open(small)
        let fifo = try #require(try volume.node(at: "fifo"))
        #expect(try volume.attributes(of: fifo)?.kind == .fifo)
        let device = try #require(try volume.node(at: "device"))
        let found = try #require(try volume.attributes(of: device))
        #expect(found.kind == .characterDevice && found.device == (0, 0))
    }

    @Test func whatIsNoFileReadsAsNothing() throws {
        let volume = try Self.open(SmallQNX4())
        for number in [0, 2, 8, 31, 64 * 8, 64 * 8 + 7, 1 << 35, .max] as [UInt64] {
            let node = NodeID(rawValue: number)
            #expect(try volume.attributes(of: node) == nil, "\(number)")
            #expect(try volume.contents(of: node) == [] && volume.list(node).isEmpty)
            #expect(try volume.target(of: node) == nil && volume.parent(of: node) == nil)
            #expect(try volume.extendedAttributeNames(of: node) == [])
        }
    }

    // MARK: Extents

    private static func withFile(_ record: [UInt8], _ small: SmallQNX4) throws -> QNX4Volume {
        var small = small
        small.put(record, 4, 6)
        return try open(small)
    }

    @Test func chainsOfExtentsAreFollowed() throws {
        var small = SmallQNX4()
        let data = SplitMix64.noise(5 * 512, seed: 1)
        let blocks = (0..<5).map { small.block(Array(data[($0 * 512)..<(($0 + 1) * 512)])) }
        // Out of order: 2, 0, 4, then 1 and 3 in a second block; one extent is empty.
        let first = (blocks[2], UInt32(1))
        let last = small.block(
            SmallQNX4.extents([(blocks[1], 1), (blocks[3], 1)], previous: 12, first: first))
        let middle = small.block(
            SmallQNX4.extents(
                [(blocks[0], 1), (0, 0), (blocks[4], 1)], next: last, first: first))
        let volume = try Self.withFile(
            SmallQNX4.inode(
                "file", 0o100644, size: 2300, [first], extentBlock: middle, extentCount: 6), small)
        let node = Self.node(4, 6)
        let order = [2, 0, 4, 1, 3].flatMap { data[($0 * 512)..<(($0 + 1) * 512)] }
        #expect(difference(try volume.contents(of: node), order[..<2300]) == nil)
        #expect(try volume.bytes(of: node, at: 1500, count: 100) == Array(order[1500..<1600]))
    }

    @Test func aChainThatLoopsEnds() throws {
        var small = SmallQNX4()
        let data = small.block([1])
        let number = UInt32(small.next)
        let block = small.block(SmallQNX4.extents([(data, 1)], next: number, first: (data, 1)))
        let volume = try Self.withFile(
            SmallQNX4.inode(
                "file", 0o100644, size: 100 << 20, [(data, 1)], extentBlock: block,
                extentCount: 65535), small)
        // It has as many extents as the record counts, each of them the same block.
        let node = Self.node(4, 6)
        #expect(try volume.bytes(of: node, at: 65534 * 512, count: 1) == [1])
        #expect(throws: FormatError.self) { try volume.bytes(of: node, at: 65535 * 512, count: 1) }
        let findings = QNX4Check.findings(in: MemorySource(Self.bytes(small, block)))
        #expect(findings.count < 20)
    }

    private static func bytes(_ small: SmallQNX4, _ block: UInt32) -> [UInt8] {
        var small = small
        small.put(
            SmallQNX4.inode(
                "file", 0o100644, size: 100, [(block - 1, 1)], extentBlock: block,
                extentCount: 65535), 4, 6)
        return small.build()
    }

    @Test func aChainThatEndsBeforeItsTimeIsCorrupt() throws {
        var small = SmallQNX4()
        let data = small.block([1])
        let block = small.block(SmallQNX4.extents([(data, 1)], first: (data, 1)))
        let volume = try Self.withFile(
            SmallQNX4.inode(
                "file", 0o100644, size: 1500, [(data, 1)], extentBlock: block, extentCount: 3),
            small)
        #expect(
            throws: FormatError.corrupt(
                Place("qnx4 extent block.xblk_next_xblk", Self.offset(Int(block), 0)),
                found: "block 0, with 1 extents to come", expected: "1 through 64")
        ) { try volume.contents(of: Self.node(4, 6)) }
    }

    @Test func aBlockWithoutTheMarkIsNoneOfAChain() throws {
        var small = SmallQNX4()
        let data = small.block([1])
        let volume = try Self.withFile(
            SmallQNX4.inode(
                "file", 0o100644, size: 1000, [(data, 1)], extentBlock: data, extentCount: 2),
            small)
        #expect(
            throws: FormatError.corrupt(
                Place("qnx4 extent block.xblk_signature", Self.offset(Int(data), 0) + 496),
                found: "'\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00'", expected: "'IamXblk'")
        ) { try volume.contents(of: Self.node(4, 6)) }
    }

    @Test(arguments: [(60, 6), (65, 1), (1, .max), (.max, .max), (0, 1)] as [(UInt32, UInt32)])
    func extentsOutsideTheVolumeAreCorrupt(start: UInt32, count: UInt32) throws {
        let volume = try Self.withFile(
            SmallQNX4.inode("file", 0o100644, size: 1000, [(start, count)]), SmallQNX4())
        let error = #expect(throws: FormatError.self) {
            try volume.contents(of: Self.node(4, 6))
        }
        #expect(error?.place.offset == Self.offset(4, 6) + 20)
    }

    @Test func aSizeThatExtentsDoNotReachIsCorrupt() throws {
        var small = SmallQNX4()
        let data = small.block([1])
        let volume = try Self.withFile(
            SmallQNX4.inode("file", 0o100644, size: 513, [(data, 1)]), small)
        let node = Self.node(4, 6)
        #expect(try volume.bytes(of: node, at: 0, count: 512).count == 512)
        #expect(
            throws: FormatError.corrupt(
                Place("qnx4 inode record.di_size", Self.offset(4, 6) + 16), found: "513 bytes",
                expected: "at most the 1 blocks of its extents")
        ) { try volume.contents(of: node) }
    }

    // MARK: Directories

    private static func withDirectories(
        _ change: (inout SmallQNX4, Int, Int) -> Void
    ) throws -> QNX4Volume {
        var small = SmallQNX4()
        let a = small.directory("a", at: (4, 6), in: (2, 0), linkCount: 3)
        let b = small.directory("b", at: (a, 2), in: (4, 6))
        change(&small, a, b)
        return try open(small)
    }

    private static let system = [".bitmap", ".inodes", ".boot", ".altboot"]

    @Test func aDirectoryInsideItselfIsAnErrorAndLeftOut() throws {
        let targets: [(Int, Int)] = [(2, 0), (4, 6), (6, 2)]
        for (block, index) in targets {
            var last = 0
            let volume = try Self.withDirectories { small, _, b in
                small.put(SmallQNX4.link("loop", UInt32(block), UInt8(index)), b, 2)
                last = b
            }
            #expect(last == 7)
            #expect(try volume.walk().map(\.path) == Self.system + ["a", "a/b"])
            let node = try #require(try volume.node(at: "a/b"))
            #expect(throws: FormatError.self) { try volume.lookup(Array("loop".utf8), in: node) }
        }
    }

    @Test func theDotsOfDinitLeadToTheParentsFirstRecord() throws {
        let volume = try Self.withDirectories { small, a, b in
            small.put(SmallQNX4.link("..", UInt32(a), 0), b, 1)
        }
        let inner = try #require(try volume.node(at: "a/b"))
        #expect(try volume.parent(of: inner) == volume.node(at: "a"))
    }

    @Test func aSubdirectoryHasOneName() throws {
        let volume = try Self.withDirectories { small, _, _ in
            small.put(SmallQNX4.link("again", 4, 6), 4, 7)
        }
        #expect(try volume.walk().map(\.path) == Self.system + ["a", "a/b"])
        #expect(throws: FormatError.self) { try volume.lookup(Array("again".utf8), in: .root) }
    }

    @Test func namesThatAreNoneAreLeftOut() throws {
        var small = SmallQNX4()
        let directory = small.directory("d", at: (4, 6), in: (2, 0))
        small.put(SmallQNX4.inode("a/b", 0o100644), directory, 2)
        small.put(SmallQNX4.inode("busy", 0o100644, status: 0x04), directory, 3)
        small.put(SmallQNX4.link("free", 2, 5), directory, 4)
        small.put(SmallQNX4.link("outside", 65, 0), directory, 5)
        small.put(SmallQNX4.link("index", 4, 8), directory, 6)
        small.put(SmallQNX4.inode("sixteen bytes ok", 0o100644), directory, 7)
        let volume = try Self.open(small)
        let node = Self.node(4, 6)
        #expect(try volume.list(node).map(\.name) == [Array("sixteen bytes ok".utf8)])
        for name in ["free", "outside", "index"] {
            #expect(throws: FormatError.self) { try volume.lookup(Array(name.utf8), in: node) }
        }
        #expect(try volume.lookup(Array("busy".utf8), in: node) == nil)
        #expect(try volume.lookup(Array("..".utf8), in: node) == nil)
    }

    /// The block of a long name counts only if it says that it is this record's.
    @Test func aLongNameBelongsToItsRecord() throws {
        for (owner, index, status, isLong) in [
            (4, 6, 1, true), (4, 5, 1, false), (5, 6, 1, false), (4, 6, 0, false),
        ] as [(UInt32, UInt8, UInt8, Bool)] {
            var small = SmallQNX4()
            let long = String(repeating: "n", count: 505)
            let name = small.block(
                [UInt8](owner, isBigEndian: false) + [index, status] + Array(long.utf8))
            small.put(SmallQNX4.link("nnnn~00000006", 2, 2, long: name), 4, 6)
            let volume = try Self.open(small)
            let shown = isLong ? long : "nnnn~00000006"
            #expect(try volume.list(.root).last?.name == Array(shown.utf8))
            #expect(try volume.node(at: shown) == Self.node(2, 2))
            #expect(try volume.node(at: isLong ? "nnnn~00000006" : long) == nil)
        }
    }

    @Test func aDirectoryLargerThanItsVolumeIsCorrupt() throws {
        let volume = try Self.withFile(
            SmallQNX4.inode("d", 0o040755, size: 64 * 512 + 64, [(4, 1)]), SmallQNX4())
        #expect(
            throws: FormatError.corrupt(
                Place("qnx4 inode record.di_size", Self.offset(4, 6) + 16),
                found: "a directory of 32832 bytes", expected: "no more than the volume has")
        ) { try volume.list(Self.node(4, 6)) }
    }

    // MARK: The root block

    /// Bytes of the root block to change, and where the error says that.
    @Test(
        arguments: [
            (0, 0x2e, 0), (15, 1, 0), (63, 0x20, 63), (51, 0x80, 50), (20, 65, 20), (48, 0, 20),
        ] as [(Int, UInt8, UInt64)])
    func aRootBlockThatIsNoneIsCorrupt(place: Int, byte: UInt8, field: UInt64) throws {
        var bytes = SmallQNX4().build()
        bytes[512 + place] = byte
        let source = MemorySource(bytes)
        // By its name and mode a volume is known, wherever its root directory is.
        #expect(try QNX4.isFound(in: source) == (field == 20))
        let error = #expect(throws: FormatError.self) { try QNX4Volume(source) }
        #expect(error?.place.offset == 512 + field)
        #expect(QNX4Check.findings(in: source).count == 1)
    }

    @Test func withoutABitmapNothingIsFree() throws {
        var small = SmallQNX4()
        small.put([UInt8](repeating: 0, count: 64), 4, 2)
        let volume = try Self.open(small)
        #expect(volume.statistics.freeByteCount == 0)
        #expect(volume.statistics.byteCount == 64 * 512)
    }
}
