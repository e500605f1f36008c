import Format
import Foundation
import TestSupport
import Testing

/// Volumes of other makers, by other readers' listings and by the trees that they were made of.
struct QNX6VolumeTests {
    @Test(
        .enabled(if: Fixtures.hasShared, "no ../shared/images"),
        arguments: ["qnx6-le.img", "qnx6-be.img"])
    func realVolumesAreAsListed(name: String) throws {
        let source = MemorySource(try Fixtures.bytes(Fixtures.sharedImage(name)))
        #expect(try QNX6.isFound(in: source))
        let volume = try QNX6Volume(source)
        try MadeQNXVolume.expect(volume, toBeAs: Fixtures.sharedListing(name))
        let superblock = volume.superblock
        #expect(volume.statistics.byteCount == UInt64(superblock.blockCount) * 1024)
        #expect(volume.statistics.freeByteCount == UInt64(superblock.freeBlockCount) * 1024)
        let used = superblock.inodeCount - superblock.freeInodeCount
        #expect(volume.statistics.nodeCount == UInt64(used))
        #expect(try volume.walk().count + 1 <= Int(used) + 10)
    }

    @Test(.enabled(if: Fixtures.hasShared, "no ../shared/images"))
    func otherImagesAreNoVolumes() throws {
        for name in ["qnx4.img", "disk-mbr.img"] {
            let file = try Fixtures.sharedImage(name)
            let source = try FileSource(taking: open(file.path, O_RDONLY))
            #expect(try !QNX6.isFound(in: source), "\(name)")
            #expect(throws: FormatError.self) { try QNX6Volume(source) }
        }
    }

    @Test(
        .enabled(if: MadeQNXVolume.has("make-qnx6"), "no ../shared/tools"),
        arguments: [512, 1024, 2048, 4096, 8192, 16384, 32768].map { ($0, false) }
            + [(512, true), (4096, true), (32768, true)])
    func volumesOfEveryBlockSizeAreTheirTrees(blockSize: Int, isBigEndian: Bool) throws {
        let made = try MadeQNXVolume()
        try made.fillWithDemo()
        try made.make(
            "make-qnx6", ["--block-size", "\(blockSize)"] + (isBigEndian ? ["--big-endian"] : []))
        let source = try made.source()
        let volume = try QNX6Volume(source)
        #expect(volume.superblock.blockSize == blockSize)
        #expect(volume.superblock.order == (isBigEndian ? .big : .little))
        try made.expectSame(volume, besides: [".boot"])
        #expect(QNX6Check.findings(in: source) == [])
    }

    @Test(.enabled(if: MadeQNXVolume.has("make-qnx6"), "no ../shared/tools"))
    func threeLevelsOfPointersAreFollowed() throws {
        let made = try MadeQNXVolume()
        try made.write("small", [1, 2, 3])
        // More than 16 * 128 * 128 blocks of 512 bytes; mostly a hole of the host's.
        let size = 135 << 20
        let file = open(made.tree + "/large", O_RDWR | O_CREAT, 0o644)
        defer { close(file) }
        ftruncate(file, off_t(size))
        for place in stride(from: 0, to: size, by: 7_654_321) {
            let noise = SplitMix64.noise(3000, seed: UInt64(place))
            pwrite(file, noise, noise.count, off_t(place))
        }
        try made.make("make-qnx6", ["--block-size", "512"])
        let volume = try QNX6Volume(made.source())
        let node = try #require(try volume.node(at: "large"))
        var expected = [UInt8](repeating: 0, count: 1 << 20)
        // From the first level to the last; pieces of noise among them.
        for place in [0, 7_600_000, 61_200_000, 130_000_000, size - 99_999] {
            let count = pread(file, &expected, expected.count, off_t(place))
            let found = try volume.bytes(of: node, at: UInt64(place), count: 1 << 20)
            #expect(difference(found, expected[..<count]) == nil, "from \(place) on")
        }
    }

    @Test(
        .enabled(if: MadeQNXVolume.has("make-qnx6"), "no ../shared/tools"),
        arguments: [false, true])
    func thousandsOfFilesAreFoundFast(isBigEndian: Bool) throws {
        let made = try MadeQNXVolume()
        let count = isBigEndian ? 300 : 1500
        for index in 0..<count {
            // Every other name is a long one, some as long as a host has them.
            let tail = index % 2 == 0 ? "" : String(repeating: "-", count: 24 + index % 200)
            try made.write("many/\(index)\(tail)", Array("\(index)".utf8))
        }
        try made.make("make-qnx6", isBigEndian ? ["--big-endian"] : [])
        let volume = try QNX6Volume(made.source())
        let directory = try #require(try volume.node(at: "many"))
        let names = try volume.list(directory)
        #expect(names.count == count)
        let start = Measure.threadSeconds
        for (name, node) in names { #expect(try volume.lookup(name, in: directory) == node) }
        #expect(try volume.lookup(Array("no such name".utf8), in: directory) == nil)
        #expect(Measure.threadSeconds - start < 5)
        try made.expectSame(volume, besides: [".boot"])
    }

    @Test(.enabled(if: QNXKernelListing.isHere, "no ../shared/tools/kernel-read, or no qemu"))
    func linuxSeesTheSame() throws {
        let made = try MadeQNXVolume()
        try made.fillWithDemo()
        try made.make("make-qnx6")
        let volume = try QNX6Volume(made.source())
        try QNXKernelListing(made.image, "qnx6").expectSame(volume)
    }

    /// A listing can be taken up at any place where it was left.
    @Test func listingsGoOnFromAnySlot() throws {
        var small = SmallQNX6()
        for number in 3..<9 { small.file(number, [UInt8(number)]) }
        small.directory(
            1, in: 1, [(2, .short(".boot"))] + (3..<9).map { (UInt32($0), .short("f\($0)")) })
        let volume = try QNX6Volume(MemorySource(small.build()))
        var slots: [Int] = []
        try volume.entries(of: .root, from: 0) { slot, _, _ in
            slots.append(slot)
            return true
        }
        #expect(slots.count == 7)
        for (index, slot) in slots.enumerated() {
            var rest: [Int] = []
            try volume.entries(of: .root, from: slot) { slot, _, _ in
                rest.append(slot)
                return true
            }
            #expect(rest == Array(slots[index...]))
            try volume.entries(of: .root, from: slot) { found, _, _ in
                #expect(found == slot)
                return false
            }
        }
    }

    @Test func attributesBeyondPOSIXAreExtendedAttributes() throws {
        var small = SmallQNX6()
        func values(_ small: SmallQNX6) throws -> [String: String] {
            let volume = try QNX6Volume(MemorySource(small.build()))
            return try Dictionary(
                uniqueKeysWithValues: volume.extendedAttributeNames(of: .root).map {
                    ($0, printable(try volume.extendedAttribute($0, of: .root) ?? []))
                })
        }
        var expected = [
            "qnx6.created": "11", "qnx6.accessed": "13", "qnx6.changed": "14",
            "qnx6.blocksize": "512", "qnx6.serial": "2",
            "qnx6.uuid": "766f6c756d6500000000000000000000",
        ]
        #expect(try values(small) == expected)
        small.flags = 0x104
        expected["qnx6.uuid"] = nil
        expected["qnx6.label"] = "volume"
        #expect(try values(small) == expected)
        let volume = try QNX6Volume(MemorySource(small.build()))
        let boot = NodeID(rawValue: 2)
        let names = ["qnx6.created", "qnx6.accessed", "qnx6.changed"]
        #expect(try volume.extendedAttributeNames(of: boot) == names)
        #expect(try volume.extendedAttribute("qnx6.serial", of: boot) == nil)
        #expect(try volume.attributes(of: boot)?.modified == 12)
        #expect(try volume.attributes(of: boot)?.user == 1000)
        #expect(try volume.attributes(of: boot)?.group == 2000)
    }
}
