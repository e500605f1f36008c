import Format
import Foundation
import TestSupport
import Testing

/// What the check finds, and that it finds nothing in sound volumes.
struct QNX6CheckTests {
    /// A sound volume: a file of two names, a directory, a long name.
    private static func sound() -> SmallQNX6 {
        var small = SmallQNX6()
        let name = String(repeating: "n", count: 30)
        small.longNames = [name]
        small.file(3, SplitMix64.noise(1000, seed: 3))
        small.nodes[3]?.linkCount = 2
        small.nodes[4] = SmallQNX6.Node(mode: 0o040755, linkCount: 2)
        small.nodes[1]?.linkCount = 4
        let sum = name.utf8.reduce(UInt32(0)) { sum, byte in
            (sum >> 1 + UInt32(byte)) ^ (sum & 1 == 1 ? 0x8000_0000 : 0)
        }
        small.directory(
            1, in: 1,
            [
                (2, .short(".boot")), (3, .short("one")), (3, .long(0, sum: sum)),
                (4, .short("directory")),
            ])
        small.directory(4, in: 1, [])
        return small
    }

    private static func findings(_ small: SmallQNX6) -> [String] { findings(small.build()) }

    private static func findings(_ bytes: [UInt8]) -> [String] {
        QNX6Check.findings(in: MemorySource(bytes)).map(\.description)
    }

    /// The block that `sound` gave its root first.
    private static let unusedBlock = 10

    @Test func aSoundVolumeHasNothingButTheBlocksThatTheMakerLeft() {
        // The root's first block is nobody's since the directory was made anew.
        #expect(
            Self.findings(Self.sound())
                == [
                    "qnx6 bitmap at 0x3001: found block 10 marked used, expected free, as nothing has them"
                ])
    }

    @Test(
        .enabled(if: Fixtures.hasShared, "no ../shared/images"),
        arguments: ["qnx6-le.img", "qnx6-be.img"])
    func realVolumesAreSound(name: String) throws {
        #expect(try Self.findings(Fixtures.bytes(Fixtures.sharedImage(name))) == [])
    }

    /// What another checker finds a fault in, this one does.
    @Test(.enabled(if: MadeQNXVolume.has("check-qnx6"), "no ../shared/tools"))
    func theOtherCheckerAgrees() throws {
        let made = try MadeQNXVolume()
        try made.fillWithDemo()
        try made.make("make-qnx6")
        let bytes = try Fixtures.bytes(URL(fileURLWithPath: made.image))
        let found = try QNX6.Superblocks(MemorySource(bytes))
        let start = Int(found.dataStart)
        let table = start + Int(found.active.inodes.pointers[0]) * 1024
        let bitmap = start + Int(found.active.bitmap.pointers[0]) * 1024
        // A bit of the bitmap, a link count, a pointer of the root, a size, a mode.
        for (place, mask) in [
            (bitmap + 30, 4), (table + 34, 1), (table + 36, 1), (table + 33, 0xc0),
        ] {
            var changed = bytes
            changed[place] ^= UInt8(mask)
            try Data(changed).write(to: URL(fileURLWithPath: made.image))
            let other = try MadeQNXVolume.run("check-qnx6", [made.image])
            #expect(other.status != 0)
            #expect(Self.findings(changed) != [], "byte \(place)")
        }
    }

    /// Faults by their change of the sound volume, and a part of the finding.
    static let faults: [(String, @Sendable (inout SmallQNX6) -> Void)] = [
        (
            "nlink at 0x3322: found 3 in inode 3, expected 2",
            { $0.nodes[3]?.linkCount = 3 }
        ),
        (
            "nlink at 0x3422: found 1 in inode 5, expected a name that leads to it",
            { $0.nodes[5] = SmallQNX6.Node(mode: 0o010644) }
        ),
        (
            "found block 12 of inode 5, expected a block that nothing else has",
            { $0.nodes[5] = SmallQNX6.Node(mode: 0o100644, size: 9, pointers: [12]) }
        ),
        (
            "found block 300 of inode 5, expected less than 256",
            { $0.nodes[5] = SmallQNX6.Node(mode: 0o100644, size: 9, pointers: [300]) }
        ),
        (
            "expected '..', inode 1",
            { $0.directory(4, in: 3, []) }
        ),
        (
            "found directory 4 for 'again', expected one that no other name leads to",
            { $0.directory(4, in: 1, [(4, .short("again"))]) }
        ),
        (
            "found inode 9 for 'free', expected one that is in use",
            { $0.directory(4, in: 1, [(9, .short("free"))]) }
        ),
        (
            "found 'same', expected a name that no other entry has",
            { $0.directory(4, in: 1, [(3, .short("same")), (3, .short("same"))]) }
        ),
        (
            "found 'a/b', expected a name without slash and zero",
            { $0.directory(4, in: 1, [(3, .short("a/b"))]) }
        ),
        (
            "checksum at 0x504c: found 0x0, expected 0x",
            { $0.directory(4, in: 1, [(3, .long(0, sum: 0))]) }
        ),
        (
            "found long name 1, expected one of the long-name file",
            { $0.directory(4, in: 1, [(3, .long(1, sum: 0))]) }
        ),
        (
            "found an encrypted name, expected one in the clear",
            { $0.directory(4, in: 1, [(3, .length(0xfe))]) }
        ),
        (
            "found a name of length 100, expected 1 through 27, or 255",
            { $0.directory(4, in: 1, [(3, .length(100))]) }
        ),
        (
            "found 7 in inode 5, expected 0 through 5",
            { $0.nodes[5] = SmallQNX6.Node(mode: 0o100644, size: 9, depth: 7) }
        ),
        (
            "found no directory as inode 2, expected that of /.boot",
            { $0.nodes[2] = nil }
        ),
    ]

    @Test(arguments: faults.indices)
    func eachFaultIsTold(index: Int) {
        var small = Self.sound()
        let (text, change) = Self.faults[index]
        change(&small)
        let found = Self.findings(small)
        #expect(found.contains { $0.contains(text) }, "\(found)")
        for line in found { #expect(!line.contains("\n")) }
    }

    @Test func theBitmapAndTheCountsAreHeldAgainstTheBlocks() {
        let small = Self.sound()
        var bytes = small.build()
        // Of the bitmap's 256 bits: blocks 11 to 13 free, 200 used.
        bytes[0x3001] = 0x07 | bytes[0x3001] & 0xc0
        bytes[0x3000 + 25] = 1
        let found = Self.findings(bytes)
        #expect(
            found.contains { $0.contains("found blocks 11 through 13 marked free") }, "\(found)")
        #expect(found.contains { $0.contains("found block 200 marked used") }, "\(found)")
        #expect(found.contains { $0.contains("free_blocks at 0x2040") }, "\(found)")
        bytes = small.build()
        bytes[0x2000 + 56] ^= 1
        SmallQNX6.sum(&bytes, at: 0x2000)
        #expect(Self.findings(bytes).contains { $0.contains("free_inodes at 0x2038") })
    }

    @Test func bothSumsAreChecked() {
        let small = Self.sound()
        for (place, offset) in [(small.start, "0x2004"), (small.secondSuperblock, "0x23004")] {
            var bytes = small.build()
            bytes[place + 5] ^= 1
            let found = Self.findings(bytes)
            #expect(found.contains { $0.hasPrefix("qnx6 superblock.checksum at \(offset)") })
            #expect(found.count == 2)
        }
        #expect(Self.findings([UInt8](repeating: 0, count: 100_000)).count == 1)
        #expect(Self.findings([]).count == 1)
    }

    @Test func aThousandFindingsAreTold() {
        var small = Self.sound()
        small.directory(4, in: 1, (0..<1500).map { (UInt32(100 + $0), .short("n\($0)")) })
        small.nodes[4]?.pointers = []
        var blocks: [UInt32] = []
        for start in 0..<94 { blocks.append(UInt32(16 + start)) }
        let pointer = small.pointerBlock(blocks)
        small.nodes[4]?.pointers = [pointer]
        small.nodes[4]?.depth = 1
        #expect(Self.findings(small).count == 1000)
    }

    /// Counts of a superblock cost no more than what the volume has, however large they are: here a
    /// table that comes to one block again and again.
    @Test func aTableOfVeryManyInodesIsNotGoneThrough() {
        var small = Self.sound()
        let own = UInt32(small.next)
        _ = small.pointerBlock([UInt32](repeating: own, count: 128))
        var first = small.pointerBlock([1, 2, 3, 4])
        for _ in 0..<2 { first = small.pointerBlock([first]) }
        var bytes = small.build()
        bytes.set(UInt32(1) << 26, at: 0x2000 + 52)
        bytes.set(UInt64(1) << 33, at: 0x2000 + 72)
        bytes.set(first, at: 0x2000 + 80)
        for slot in 1..<16 { bytes.set(own, at: 0x2000 + 80 + 4 * slot) }
        bytes[0x2000 + 72 + 72] = 3
        SmallQNX6.sum(&bytes, at: 0x2000)
        let start = Measure.threadSeconds
        let found = Self.findings(bytes)
        #expect(found.contains { $0.contains("a block that nothing else has") }, "\(found)")
        #expect(Measure.threadSeconds - start < 1)
    }

    /// Trees of pointers that all lead to the same blocks: each is gone through once.
    @Test func aTreeThatLeadsBackToItselfEnds() {
        var small = Self.sound()
        var pointer = small.block([1])
        for _ in 0..<5 { pointer = small.pointerBlock([UInt32](repeating: pointer, count: 128)) }
        for number in 5...16 {
            small.nodes[number] = SmallQNX6.Node(
                mode: 0o100644, size: 1 << 40, pointers: [UInt32](repeating: pointer, count: 16),
                depth: 5)
        }
        let start = Measure.threadSeconds
        // Of many pointers to the same block one line.
        #expect((17...60).contains(Self.findings(small).count))
        #expect(Measure.threadSeconds - start < 5)
    }
}
