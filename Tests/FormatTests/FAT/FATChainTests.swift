import Format
import Foundation
import TestSupport
import Testing

/// Chains that do not lead where they should: told, and never followed for ever.
struct FATChainTests {
    /// A volume with a file of six clusters from 2 on, and what its chain then becomes.
    private static func volume(
        bits: Int = 12, _ change: (inout FATImage) -> Void
    ) throws -> (FAT.Volume, NodeID, [UInt8]) {
        var image = FATImage(bits: bits, clusterCount: bits == 16 ? 4100 : 60)
        let data = SplitMix64.noise(6 * 512)
        image.addFile("FILE", data)
        change(&image)
        let volume = try FAT.Volume(MemorySource(image.bytes))
        return (volume, try #require(try volume.node(at: "FILE")), data)
    }

    static let damages: [(Int, Int, String)] = [
        (5, 0, "the mark of a free cluster"), (5, 0xff7, "the mark of a bad cluster"),
        (5, 1, "1"), (5, 62, "62"), (5, 0xff6, "4086"), (5, 0xfff, "the end of the chain"),
        (5, 0xff8, "the end of the chain"), (5, 2, "cluster 2, which the chain has passed"),
        (5, 4, "cluster 4, which the chain has passed"),
        (5, 5, "cluster 5, which the chain has passed"),
    ]

    @Test(arguments: damages)
    func whatABrokenChainLeadsToIsReadAndTheRestIsAnError(
        cluster: Int, value: Int, found: String
    ) throws {
        let (volume, node, data) = try Self.volume { $0.link(cluster, to: value) }
        #expect(try volume.bytes(of: node, at: 0, count: 4 * 512) == Array(data.prefix(4 * 512)))
        #expect(try volume.bytes(of: node, at: 2047, count: 1) == [data[2047]])
        for offset in [2048, 2047, 0, 6 * 512 - 1] {
            do {
                _ = try volume.bytes(of: node, at: UInt64(offset), count: 6 * 512 - offset)
                Issue.record("read from \(offset) on")
            } catch {
                guard case .corrupt(let place, let text, _) = error else {
                    Issue.record("\(error)")
                    continue
                }
                #expect(text == found)
                #expect(place == Place("table entry of cluster \(cluster)", 512 + 7))
            }
        }
        #expect(try volume.bytes(of: node, at: 6 * 512, count: 9) == [])
        #expect(!volume.check().isEmpty)
    }

    @Test(arguments: [0, 1, 62, 0xfff])
    func aFileThatBeginsNowhereIsAnError(start: Int) throws {
        var image = FATImage()
        let entry = image.addFile("FILE", [1, 2, 3])
        image.bytes.set(UInt16(start), at: entry + 26)
        let volume = try FAT.Volume(MemorySource(image.bytes))
        let node = try #require(try volume.node(at: "FILE"))
        #expect(
            throws: FormatError.corrupt(
                Place("directory entry.first cluster", UInt64(entry + 26)), found: "\(start)",
                expected: "a cluster from 2 through 61")
        ) { try volume.contents(of: node) }
    }

    /// Every way a chain of seven clusters can turn back, against a plain walk.
    @Test(arguments: [12, 16, 32])
    func everyLoopIsToldWhereItCloses(bits: Int) throws {
        for length in 1...9 {
            for target in 0..<length {
                var image = FATImage(bits: bits, clusterCount: bits == 16 ? 4100 : 60)
                let data = SplitMix64.noise(length * 512, seed: UInt64(length))
                image.addFile("FILE", data)
                let first = bits == 32 ? 3 : 2
                image.link(first + length - 1, to: first + target)
                image.bytes.set(UInt32(40 * 512), at: image.rootStart + 28)
                if bits == 32 { image.bytes.set(UInt32(40 * 512), at: image.place(2) + 28) }
                let volume = try FAT.Volume(MemorySource(image.bytes))
                let node = try #require(try volume.node(at: "FILE"))
                #expect(try volume.bytes(of: node, at: 0, count: data.count) == data)
                let end = UInt64(data.count)
                #expect(throws: FormatError.self) { try volume.bytes(of: node, at: end, count: 1) }
                #expect(volume.check().contains { $0.description.contains("has passed") })
            }
        }
    }

    /// Clusters in an order by chance, too many for a map to keep all, read in pieces by chance.
    @Test func aFileInManyPiecesIsReadFromAnywhere() throws {
        let (count, size) = (60_000, 512)
        var image = FATImage(bits: 16, clusterCount: 65_000)
        var random = SplitMix64(seed: 5)
        var clusters: [Int] = []
        // Some stretches, some single clusters.
        var blocks = (0..<600).map { $0 * 100 + 2 }
        blocks.shuffle(using: &random)
        for (index, block) in blocks.enumerated() {
            let part = Array(block..<(block + 100))
            clusters += index % 3 == 0 ? part : part.shuffled(using: &random)
        }
        for (one, other) in zip(clusters, clusters.dropFirst()) { image.link(one, to: other) }
        image.link(clusters[count - 1], to: image.end)
        image.addSlot(FATImage.slot("FILE", start: clusters[0], size: count * size - 100))
        for (index, cluster) in clusters.enumerated() {
            image.bytes.set(UInt32(index), at: image.place(cluster))
            image.bytes.set(UInt32(index), at: image.place(cluster) + 508)
        }
        let volume = try FAT.Volume(MemorySource(image.bytes))
        let node = try #require(try volume.node(at: "FILE"))
        for _ in 0..<300 {
            let index = Int(random.next() % UInt64(count - 300))
            let length = Int(random.next() % 200) + 1
            let bytes = try volume.bytes(of: node, at: UInt64(index * size), count: length * size)
            for part in 0..<length {
                #expect(bytes.integer(UInt32.self, at: part * size) == UInt32(index + part))
                #expect(bytes.integer(UInt32.self, at: part * size + 508) == UInt32(index + part))
            }
        }
        #expect(try volume.bytes(of: node, at: UInt64(count * size - 200), count: 999).count == 100)
        #expect(volume.check() == [])
    }

    /// A file of nearly 4 GiB, of which only a few bytes are stored.
    @Test func aFileOfMoreThan2GiBIsReadToItsEnd() throws {
        let folder = try ScratchFolder()
        let path = folder.path + "/image"
        let (clusters, size) = (131_072, UInt32.max)
        var image = FATImage(
            bits: 32, sectorsPerCluster: 64, clusterCount: clusters + 10, storedClusters: 1)
        image.addSparse("HUGE", start: 3, count: clusters, size: size)
        let descriptor = open(path, O_RDWR | O_CREAT, 0o600)
        try #require(descriptor >= 0)
        #expect(pwrite(descriptor, image.bytes, image.bytes.count, 0) == image.bytes.count)
        let start = image.dataStart + image.clusterSize
        for offset in [Int(size) - 4, 1 << 31, (1 << 31) - 2] {
            #expect(pwrite(descriptor, [1, 2, 3, 4] as [UInt8], 4, off_t(start + offset)) == 4)
        }
        ftruncate(descriptor, off_t(start + (clusters + 9) * image.clusterSize))
        let volume = try FAT.Volume(FileSource(taking: descriptor))
        let node = try #require(try volume.node(at: "HUGE"))
        #expect(try volume.attributes(of: node)?.byteCount == UInt64(size))
        #expect(try volume.bytes(of: node, at: UInt64(size) - 4, count: 99) == [1, 2, 3, 4])
        #expect(
            try volume.bytes(of: node, at: (1 << 31) - 3, count: 8) == [0, 1, 2, 3, 4, 3, 4, 0])
        #expect(volume.check() == [])
    }

    // MARK: Directories

    private static func names(_ volume: FAT.Volume, _ node: NodeID) -> ([String], FormatError?) {
        var names: [String] = []
        do throws(FormatError) {
            try volume.entries(of: node, from: 0) { _, name, _ in
                names.append(String(decoding: name, as: UTF8.self))
                return true
            }
            return (names, nil)
        } catch {
            return (names, error)
        }
    }

    @Test(arguments: [12, 16, 32])
    func aDirectoryThatLoopsIsListedUpToTheLoop(bits: Int) throws {
        var image = FATImage(bits: bits, clusterCount: bits == 16 ? 4100 : 60)
        let folder = image.addFolder("DIR", clusters: 3)
        for number in 0..<46 { image.addFile("F\(number)", to: folder) }
        image.link(folder.clusters[2], to: folder.clusters[1])
        let volume = try FAT.Volume(MemorySource(image.bytes))
        let node = try #require(try volume.node(at: "DIR"))
        let (names, error) = Self.names(volume, node)
        #expect(names == (0..<46).map { "F\($0)" })
        #expect(error?.description.contains("which the chain has passed") == true)
        #expect(try volume.lookup(Array("f45".utf8), in: node) != nil)
        let fault = try #require(error)
        #expect(throws: fault) { try volume.lookup(Array("F46".utf8), in: node) }
        #expect(volume.check().contains { $0.description.contains("has passed") })
    }

    @Test func anEndMarkBeforeTheLoopEndsTheListing() throws {
        var image = FATImage()
        let folder = image.addFolder("DIR", clusters: 2)
        image.addFile("F", to: folder)
        image.link(folder.clusters[1], to: folder.clusters[0])
        let volume = try FAT.Volume(MemorySource(image.bytes))
        let node = try #require(try volume.node(at: "DIR"))
        #expect(Self.names(volume, node).0 == ["F"] && Self.names(volume, node).1 == nil)
        #expect(!volume.check().isEmpty)
    }

    /// A directory that is its own child, or its parent's parent, would be a tree without end.
    @Test func aDirectoryIsInOnePlaceOnly() throws {
        var image = FATImage()
        let one = image.addFolder("ONE")
        let two = image.addFolder("TWO", to: one)
        image.addSlot(FATImage.slot("SELF", attributes: 0x10, start: two.clusters[0]), to: two)
        image.addSlot(FATImage.slot("UP", attributes: 0x10, start: one.clusters[0]), to: two)
        image.addFile("X", [1], to: two)
        let volume = try FAT.Volume(MemorySource(image.bytes))
        let paths = ["ONE", "ONE/TWO", "ONE/TWO/SELF", "ONE/TWO/UP", "ONE/TWO/X"]
        for path in paths { #expect(try volume.node(at: path) != nil) }
        for path in ["ONE/TWO/SELF", "ONE/TWO/UP"] {
            let node = try #require(try volume.node(at: path))
            #expect(try volume.attributes(of: node)?.kind == .directory)
            let (names, error) = Self.names(volume, node)
            #expect(names == [])
            #expect(error?.description.contains("which another chain has") == true)
        }
        #expect(volume.statistics.nodeCount == 6)
    }

    @Test func aDirectoryOfMoreThan65536EntriesIsAnErrorBehindThem() throws {
        var image = FATImage(bits: 16, sectorsPerCluster: 8, clusterCount: 5000)
        let folder = image.addFolder("BIG", clusters: 520)
        for _ in 0..<65534 { image.addSlot([UInt8](repeating: 0xe5, count: 32), to: folder) }
        image.addFile("LATE", to: folder)
        let volume = try FAT.Volume(MemorySource(image.bytes))
        let node = try #require(try volume.node(at: "BIG"))
        let (names, error) = Self.names(volume, node)
        #expect(names == [] && error?.description.contains("more than 65536 entries") == true)
    }

    @Test func aRootThatIsNowhereIsNoVolume() throws {
        for start in [0, 1, 62, 0x0fff_ffff] as [UInt32] {
            var image = FATImage(bits: 32, clusterCount: 60)
            image.bytes.set(start, at: 44)
            #expect(throws: FormatError.self) { try FAT.Volume(MemorySource(image.bytes)) }
        }
    }

    @Test func theTableThatTheFlagsNameIsRead() throws {
        var image = FATImage(bits: 32, clusterCount: 60)
        let data = SplitMix64.noise(1000)
        image.addFile("FILE", data)
        image.link(3, to: 0, inCopy: 0)
        #expect(throws: FormatError.self) {
            let volume = try FAT.Volume(MemorySource(image.bytes))
            let node = try #require(try volume.node(at: "FILE"))
            _ = try volume.contents(of: node)
        }
        image.bytes.set(UInt16(0x81), at: 40)
        let volume = try FAT.Volume(MemorySource(image.bytes))
        let node = try #require(try volume.node(at: "FILE"))
        #expect(try volume.contents(of: node) == data)
    }
}
