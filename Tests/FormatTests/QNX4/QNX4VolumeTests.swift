import Format
import Foundation
import TestSupport
import Testing

/// Volumes of other makers, by other readers' listings and by the trees that they were made of.
struct QNX4VolumeTests {
    /// What a volume has besides its tree.
    private static let own: Set<String> = [
        ".bitmap", ".inodes", ".boot", ".altboot", ".longfilenames",
    ]

    @Test(.enabled(if: Fixtures.hasShared, "no ../shared/images"))
    func theRealVolumeIsAsListed() throws {
        let source = MemorySource(try Fixtures.bytes(Fixtures.sharedImage("qnx4.img")))
        #expect(try QNX4.isFound(in: source))
        let volume = try QNX4Volume(source)
        try MadeQNXVolume.expect(volume, toBeAs: Fixtures.sharedListing("qnx4.img"))
        // 1,024 blocks, of which the format's description counts 53 in use.
        #expect(volume.statistics.byteCount == 1024 * 512)
        #expect(volume.statistics.freeByteCount == (1024 - 53) * 512)
        #expect(QNX4Check.findings(in: source) == [])
    }

    @Test(.enabled(if: Fixtures.hasShared, "no ../shared/images"))
    func otherImagesAreNoVolumes() throws {
        for name in ["qnx6-le.img", "qnx6-be.img", "disk-mbr.img"] {
            let file = try Fixtures.sharedImage(name)
            let source = try FileSource(taking: open(file.path, O_RDONLY))
            #expect(try !QNX4.isFound(in: source), "\(name)")
            #expect(throws: FormatError.self) { try QNX4Volume(source) }
        }
        #expect(try !QNX4.isFound(in: MemorySource([])))
    }

    /// A tree of what the format can hold.
    private static func fill(_ made: MadeQNXVolume) throws {
        try made.write("empty", [])
        try made.write("one", [1])
        try made.write("large", SplitMix64.noise(300_000, seed: 7))
        try made.write("directory/exact-sixteen-ch", SplitMix64.noise(512, seed: 1))
        try made.write("directory/a name of more than sixteen", SplitMix64.noise(513, seed: 2))
        try made.write("directory/deeper/" + String(repeating: "n", count: 48), [48])
        try made.write("directory/deeper/" + String(repeating: "n", count: 49), [49])
        try made.write("directory/deeper/" + String(repeating: "n", count: 251) + ".txt", [255])
        for index in 0..<300 { try made.write("many/file\(index)", Array("\(index)".utf8)) }
        let files = FileManager.default
        try files.createSymbolicLink(
            atPath: made.tree + "/link", withDestinationPath: "directory/deeper")
        try files.linkItem(atPath: made.tree + "/one", toPath: made.tree + "/directory/one too")
        chmod(made.tree + "/empty", 0o4751)
        chmod(made.tree + "/directory/deeper", 0o750)
    }

    @Test(
        .enabled(if: MadeQNXVolume.has("make-qnx4"), "no ../shared/tools"),
        arguments: [[], ["--fragment", "1"], ["--fragment", "3"]] as [[String]])
    func madeVolumesAreTheirTrees(options: [String]) throws {
        let made = try MadeQNXVolume()
        try Self.fill(made)
        // The maker does not count the gaps that it leaves.
        try made.make("make-qnx4", options + ["--blocks", "4096"])
        let source = try made.source()
        let volume = try QNX4Volume(source)
        try made.expectSame(volume, besides: Self.own)
        let large = try #require(try volume.node(at: "large"))
        let bytes = try source.bytes(64, at: large.rawValue * 64, "record")
        let record = try QNX4.InodeRecord(parsing: bytes.span.bytes, at: 0)
        #expect(record.extentCount == (options.isEmpty ? 1 : options[1] == "1" ? 586 : 196))
        let findings = QNX4Check.findings(in: source).map(\.description)
        // The maker leaves gaps between its pieces, and marks them as used.
        let others = findings.filter { !$0.hasPrefix("qnx4 bitmap") || !$0.contains("marked used") }
        #expect(others == [])
        #expect(findings.isEmpty == options.isEmpty)
    }

    @Test(.enabled(if: MadeQNXVolume.has("make-qnx4"), "no ../shared/tools"))
    func readsAtAnyPlaceAreThoseOfTheFile() throws {
        let made = try MadeQNXVolume()
        let bytes = SplitMix64.noise(100_000, seed: 3)
        try made.write("file", bytes)
        try made.make("make-qnx4", ["--fragment", "2", "--blocks", "1024"])
        let volume = try QNX4Volume(made.source())
        let node = try #require(try volume.node(at: "file"))
        var random = SplitMix64(seed: 4)
        for _ in 0..<300 {
            let start = Int(random.next() % 100_100)
            let count = Int(random.next() % 5000)
            let expected = bytes[min(start, bytes.count)..<min(start + count, bytes.count)]
            let found = try volume.bytes(of: node, at: UInt64(start), count: count)
            #expect(difference(found, expected) == nil, "\(count) from \(start) on")
        }
    }

    @Test(.enabled(if: MadeQNXVolume.has("make-qnx4"), "no ../shared/tools"))
    func thousandsOfFilesAreFoundFast() throws {
        let made = try MadeQNXVolume()
        for index in 0..<1200 {
            let tail = index % 2 == 0 ? "" : String(repeating: "-", count: 10 + index % 90)
            try made.write("many/\(index)\(tail)", Array("\(index)".utf8))
        }
        try made.make("make-qnx4")
        let volume = try QNX4Volume(made.source())
        let directory = try #require(try volume.node(at: "many"))
        let names = try volume.list(directory)
        #expect(names.count == 1200)
        let start = Measure.threadSeconds
        for (name, node) in names { #expect(try volume.lookup(name, in: directory) == node) }
        #expect(Measure.threadSeconds - start < 5)
    }

    /// Linux shows what stands for a long name, so there are none here.
    @Test(.enabled(if: QNXKernelListing.isHere, "no ../shared/tools/kernel-read, or no qemu"))
    func linuxSeesTheSame() throws {
        let made = try MadeQNXVolume()
        try made.write("large", SplitMix64.noise(100_000, seed: 7))
        try made.write("directory/a name of more than sixteen", [1, 2])
        try made.write("directory/" + String(repeating: "n", count: 48), [48])
        try FileManager.default.createSymbolicLink(
            atPath: made.tree + "/link", withDestinationPath: "directory")
        try made.make("make-qnx4", ["--fragment", "1", "--blocks", "1024"])
        let volume = try QNX4Volume(made.source())
        try QNXKernelListing(made.image, "qnx4").expectSame(volume)
    }
}
