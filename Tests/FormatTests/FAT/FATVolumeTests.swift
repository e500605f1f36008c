import Format
import TestSupport
import Testing

/// Volumes put together by hand, and what they show.
struct FATVolumeTests {
    private static func volume(
        _ image: FATImage, _ options: FAT.Options = .init()
    ) throws -> FAT.Volume {
        try FAT.Volume(MemorySource(image.bytes), options)
    }

    private static func names(_ volume: FAT.Volume, _ node: NodeID = .root) throws -> [String] {
        try volume.list(node).map { String(decoding: $0.name, as: UTF8.self) }
    }

    private static func contents(_ volume: FAT.Volume, _ path: String) throws -> [UInt8] {
        let node = try #require(try volume.node(at: path), "\(path)")
        return try volume.contents(of: node)
    }

    static let shapes: [(Int, Int, Int, Int)] = [
        (12, 512, 1, 60), (12, 1024, 2, 300), (12, 4096, 1, 90), (16, 512, 1, 4100),
        (16, 512, 4, 4200), (32, 512, 1, 200), (32, 512, 1, 66000), (32, 4096, 2, 100),
    ]

    @Test(arguments: shapes)
    func filesAndDirectoriesAreThere(
        bits: Int, sectorSize: Int, perCluster: Int, count: Int
    ) throws {
        var image = FATImage(
            bits: bits, sectorSize: sectorSize, sectorsPerCluster: perCluster, clusterCount: count)
        let long = SplitMix64.noise(5 * sectorSize * perCluster + 17)
        let exact = SplitMix64.noise(2 * sectorSize * perCluster, seed: 2)
        image.addFile("LONG    BIN", long)
        image.addFile("EXACT   BIN", exact)
        image.addFile("EMPTY   BIN")
        let sub = image.addFolder("SUB")
        image.addFile("INNER   TXT", [1, 2, 3], to: sub)
        let deep = image.addFolder("DEEP", to: sub)
        let volume = try Self.volume(image)
        #expect(try Self.names(volume) == ["LONG.BIN", "EXACT.BIN", "EMPTY.BIN", "SUB"])
        #expect(try Self.contents(volume, "LONG.BIN") == long)
        #expect(try Self.contents(volume, "EXACT.BIN") == exact)
        #expect(try Self.contents(volume, "EMPTY.BIN") == [])
        #expect(try Self.contents(volume, "SUB/INNER.TXT") == [1, 2, 3])
        let (one, two) = (try volume.node(at: "SUB"), try volume.node(at: "SUB/DEEP"))
        let (subNode, deepNode) = (try #require(one), try #require(two))
        #expect(try volume.parent(of: deepNode) == subNode)
        #expect(try volume.parent(of: subNode) == .root && volume.parent(of: .root) == .root)
        #expect(try volume.attributes(of: .root)?.linkCount == 3)
        #expect(try volume.attributes(of: subNode)?.linkCount == 3)
        #expect(try volume.attributes(of: deepNode)?.linkCount == 2)
        #expect(try Self.names(volume, deepNode) == [])
        #expect(subNode.rawValue == UInt64(try #require(sub.entry)) / 32 + 2)
        #expect(deepNode.rawValue == UInt64(try #require(deep.entry)) / 32 + 2)
        // Three files; the chain of the longest has 6 clusters, directories one each.
        let used = 6 + 2 + 1 + 2 + (bits == 32 ? 1 : 0)
        #expect(
            volume.statistics
                == VolumeStatistics(
                    byteCount: UInt64(count * image.clusterSize),
                    freeByteCount: UInt64((count - used) * image.clusterSize), nodeCount: 7,
                    longestName: 765))
        #expect(volume.check() == Self.smallFAT32(bits, count))
    }

    /// The one fault of a FAT32 volume with too few clusters; none of others.
    private static func smallFAT32(_ bits: Int, _ count: Int) -> [FAT.Fault] {
        guard bits == 32, count < 65525 else { return [] }
        let image = FATImage(bits: 32, clusterCount: count)
        guard let volume = try? volume(image) else { return [] }
        return volume.check()
    }

    @Test func attributesAreLinuxs() throws {
        var image = FATImage()
        image.addFile("PLAIN", [1])
        image.addFile("FIXED", [1], attributes: 0x21)
        image.addSlot(FATImage.slot("DIR", attributes: 0x11, start: image.allocate(1)[0]))
        let volume = try Self.volume(image, .init(timeOffset: 3600))
        func attributes(_ path: String) throws -> Attributes {
            let node = try #require(try volume.node(at: path))
            return try #require(try volume.attributes(of: node))
        }
        let plain = try attributes("PLAIN")
        #expect(plain.kind == .file && plain.permissions == 0o755 && plain.byteCount == 1)
        #expect(plain.user == 0 && plain.group == 0 && plain.linkCount == 1)
        // 2024-02-29 12:34:56, and an hour less in UTC.
        #expect(plain.modified == 1_709_210_096 - 3600)
        #expect(try attributes("FIXED").permissions == 0o555)
        #expect(try attributes("DIR").permissions == 0o755)
        #expect(try attributes("DIR").kind == .directory)
        let root = try #require(try volume.attributes(of: .root))
        #expect(root.modified == 0 && root.permissions == 0o755 && root.kind == .directory)
    }

    @Test func whatIsNoNodeReadsAsNothing() throws {
        var image = FATImage()
        let label = image.addSlot(FATImage.slot("LABEL", attributes: 0x08))
        image.addFile("A", [1, 2, 3])
        let sub = image.addFolder("SUB")
        let volume = try Self.volume(image)
        let inFile = image.place(2) / 32 + 2
        let dot = image.place(sub.clusters[0]) / 32 + 2
        for number in [0, 2, label / 32 + 2, inFile, dot, 1 << 47, Int.max] {
            let node = NodeID(rawValue: UInt64(number))
            #expect(try volume.attributes(of: node) == nil, "\(number)")
            #expect(try volume.list(node).isEmpty && volume.parent(of: node) == nil)
            #expect(try volume.bytes(of: node, at: 0, count: 10) == [])
            #expect(try volume.lookup([0x41], in: node) == nil)
            #expect(try volume.extendedAttributeNames(of: node) == [])
        }
        let file = try #require(try volume.node(at: "A"))
        #expect(try volume.list(file).isEmpty && volume.target(of: file) == nil)
        let directory = try #require(try volume.node(at: "SUB"))
        #expect(try volume.bytes(of: directory, at: 0, count: 9) == [])
    }

    @Test func labelsDeletedEntriesAndWhatIsBehindTheEndAreNotListed() throws {
        var image = FATImage()
        image.addSlot(FATImage.slot("MY LABEL", attributes: 0x08))
        image.addFile("A", [1])
        let gone = image.addFile("GONE", [2], long: "gone for good")
        image.bytes[gone] = 0xe5
        let folder = image.addFolder("LABELDIR")
        if let entry = folder.entry { image.bytes[entry + 11] = 0x18 }
        image.addFile("Z", [3])
        image.addSlot([UInt8](repeating: 0, count: 32))
        image.addFile("BEHIND", [4])
        let volume = try Self.volume(image)
        #expect(try Self.names(volume) == ["A", "Z"])
        #expect(try volume.extendedAttribute("fat.label", of: .root) == Array("MY LABEL".utf8))
        #expect(volume.statistics.nodeCount == 3)
    }

    @Test func listingsGoOnFromAnyIndex() throws {
        var image = FATImage()
        for number in 0..<9 {
            let entry = image.addFile(
                "F\(number)", [1], long: number % 2 == 0 ? "file \(number)" : nil)
            if number == 4 { image.bytes[entry] = 0xe5 }
        }
        let volume = try Self.volume(image)
        var all: [(Int, String)] = []
        try volume.entries(of: .root, from: 0) { index, name, _ in
            all.append((index, String(decoding: name, as: UTF8.self)))
            return true
        }
        #expect(all.map(\.0) == [1, 2, 4, 5, 8, 10, 11, 13])
        for start in 0...20 {
            var part: [String] = []
            try volume.entries(of: .root, from: start) { _, name, _ in
                part.append(String(decoding: name, as: UTF8.self))
                return part.count < 2
            }
            #expect(part == all.filter { $0.0 >= start }.prefix(2).map(\.1))
        }
    }

    // MARK: Extended attributes

    @Test func extendedAttributesTellWhatPOSIXDoesNot() throws {
        var image = FATImage()
        let entry = image.addFile("A       TXT", [1], attributes: 0x27)
        image.bytes[entry + 13] = 150
        image.bytes.set(UInt16(1 << 11 | 2 << 5 | 3), at: entry + 14)
        image.bytes.set(UInt16(1 << 9 | 12 << 5 | 31), at: entry + 16)
        image.addFile("B")
        let volume = try Self.volume(image)
        func text(_ name: String, _ node: NodeID) throws -> String? {
            try volume.extendedAttribute(name, of: node).map { String(decoding: $0, as: UTF8.self) }
        }
        let (a, b) = (try volume.list(.root)[0].node, try volume.list(.root)[1].node)
        let names = ["fat.attributes", "fat.shortname", "fat.created"]
        #expect(try volume.extendedAttributeNames(of: a) == names)
        #expect(try volume.extendedAttributeNames(of: b) == Array(names.prefix(2)))
        #expect(try volume.extendedAttributeNames(of: .root) == ["fat.serial", "fat.type"])
        #expect(try text("fat.attributes", a) == "RHSA" && text("fat.shortname", a) == "A.TXT")
        #expect(try text("fat.created", a) == "1981-12-31 01:02:07.50")
        #expect(try text("fat.attributes", b) == "A")
        #expect(try text("fat.serial", .root) == "1234-ABCD" && text("fat.type", .root) == "FAT12")
        #expect(try text("fat.created", .root) == nil && text("fat.none", a) == nil)
        image.bytes.set(Array("BOOT LABEL ".utf8), at: 43)
        let labelled = try Self.volume(image)
        #expect(try labelled.extendedAttribute("fat.label", of: .root) == Array("BOOT LABEL".utf8))
    }
}
