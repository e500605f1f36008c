import Format
import Foundation
import Mkifs
import TestSupport
import Testing

/// The plan of an image, laid out, is the image again.
struct ImagePlanTests {
    @Test(arguments: Fixtures.allImages)
    func anImageComesOutOfItsPlanAsItWas(name: String) throws {
        let bytes = try Fixtures.image(name)
        let plan = try Plan(IFS.Image.only(in: bytes))
        #expect(try difference(built(plan), bytes) == nil)
    }

    @Test(arguments: Fixtures.allImages)
    func anImageComesOutOfTheTextOfItsPlanAsItWas(name: String) throws {
        let bytes = try Fixtures.image(name)
        let folder = try PartsFolder()
        let text = try folder.text(of: Plan(IFS.Image.only(in: bytes)))
        let plan = try folder.plan(text)
        #expect(try difference(built(plan), bytes) == nil)
    }

    // MARK: Odd images

    /// A lawful image, or one that a reader puts up with, and what its plan has.
    struct Odd: Sendable, CustomTestStringConvertible {
        let name: String
        var image = ImageBuilder([.file("a", SplitMix64.noise(1000)), .file("b", "second")])
        /// Extents, hard links and remains of the plan.
        var counts = [0, 0, 0]
        var tail: [UInt8] = []

        var testDescription: String { name }

        init(_ name: String, _ counts: [Int] = [0, 0, 0], _ change: (inout Odd) -> Void) {
            self.name = name
            self.counts = counts
            change(&self)
        }
    }

    static let odd: [Odd] = [
        Odd("nothing but a root") { $0.image = ImageBuilder() },
        Odd("no file at all") {
            $0.image = .bare([.directory("z"), .symlink("y", to: "z"), .device("x", type: 1)])
        },
        Odd("names of one file", [0, 2, 0]) {
            $0.image.entries += [.named("c", 0), .named("d/e", 0)]
        },
        Odd("numbers that two files have", [1, 0, 0]) {
            $0.image.entries[0].inode = 7
            $0.image.entries[1].inode = 7
            $0.image.entries.append(.named("c", 0))
        },
        Odd("a number that a directory has as well", [1, 0, 0]) {
            $0.image.entries[0].inode = 7
            $0.image.entries += [.directory("d").with { $0.inode = 7 }, .named("c", 0)]
        },
        Odd("two files with the same data", [1, 0, 0]) {
            $0.image.entries.append(.named("c", 0).with { $0.inode = 9 })
        },
        Odd("a file inside another", [1, 0, 0]) {
            let start = $0.image.build().dataOffsets[0]
            $0.image.entries[1].offset = UInt32(start + 100)
            $0.image.entries[1].size = 50
            $0.counts[2] = 1
        },
        Odd("a file that reaches into the next", [1, 0, 1]) { $0.image.entries[0].size = 1003 },
        Odd("a file inside the directory", [1, 0, 1]) { $0.image.entries[1].offset = 20 },
        Odd("a file behind the end of the image", [1, 0, 1]) {
            $0.image.entries[1].offset = 0xffff_fff0
        },
        Odd("empty files anywhere") {
            $0.image.entries += [
                .file("c").with { $0.offset = 0 }, .file("d").with { $0.offset = 0xffff_ffff },
                .file("e").with { $0.offset = 20 },
            ]
        },
        Odd("void entries and entries that come twice", [1, 0, 0]) {
            $0.image.entries += [
                .file("a", "other"), .named("gone", 1).with { $0.inode = 0 }, .directory("a"),
            ]
        },
        Odd("names of any bytes, above the root, or none") {
            $0.image.entries += [
                ImageEntry(path: [0xff, 0x0a, 0x22], .file([1]), mode: 0o100644),
                .file("../up", "x"), .file("/top", "y"), .file("", "z"), .directory("."),
            ]
        },
        Odd("longer records, and room behind the directory") {
            $0.image.entries[0].extraPadding = 8
            $0.image.directorySlack = 400
        },
        Odd("bytes between files, and far from them", [0, 0, 3]) {
            $0.image.entries[1].alignment = 32768
            let (first, second) = ($0.image.build().dataOffsets[0], $0.image.build().dataOffsets[1])
            $0.image.imagePatches = [
                .init(first + 1000, [1]), .init(first + 6000, [0, 2, 0, 3]),
                .init(first + 20000, [4]), .init(second - 1, [5]),
            ]
        },
        Odd("headers with a value everywhere") {
            $0.image.prefix = SplitMix64.noise(512)
            $0.image.flags2 = 0x81
            $0.image.physicalBias = 0x4000_0000
            $0.image.addressOffset = 0x1_0000_0000
            $0.image.zeroHalf = 0x1234
            $0.image.zeroWord = 0x5678_9abc
            $0.image.info = [3, 0, 8, 0, 1, 2, 3, 4]
            $0.image.ramAddress = 0x1000
            $0.image.chainAddress = 0x8_0000
            $0.image.bootInodes = [2, 3, 4, 5]
            $0.image.mountpoint = Array("/a b/c".utf8)
        },
        Odd("big-endian, with digests") {
            $0.image.isBigEndian = true
            $0.image.hasImageDigest = true
            $0.image.hasStartupDigest = true
        },
        Odd("bytes behind the image") { $0.tail = SplitMix64.noise(100) },
        Odd("a bare image in a file") {
            $0.image = .bare([.file("a", "x")])
            $0.tail = [0, 0, 0]
        },
    ]

    @Test(arguments: odd)
    func anOddImageComesOutAsItWas(odd: Odd) throws {
        let bytes = odd.image.build().bytes + odd.tail
        let plan = try Plan(IFS.Image.only(in: bytes))
        #expect(try difference(built(plan), bytes) == nil)
        let kinds = plan.entries.map(\.kind.name)
        let counts = [
            kinds.count { $0 == "extent" }, kinds.count { $0 == "hardLink" }, plan.remains.count,
        ]
        #expect(counts == odd.counts)
        let folder = try PartsFolder()
        let again = try folder.plan(folder.text(of: plan))
        #expect(try difference(built(again), bytes) == nil)
    }

    @Test func ofSeveralImagesOnlyTheChosenOneComesBack() throws {
        let first = ImageBuilder([.file("a", "one")]).with { $0.prefix = [1, 2, 3, 4] }
        let second = ImageBuilder([.file("b", "two")])
        let (head, rest) = (first.build().bytes, second.build().bytes)
        let images = try IFS.Scanner.images(in: MemorySource(head + [0, 0, 0, 0] + rest)).images
        let found = try images.map { try built(Plan($0, within: $0.start..<$0.end)) }
        #expect(found == [head, rest])
    }

    /// A plan with one more file.
    private func enlarged(_ image: ImageBuilder) throws -> Plan {
        var plan = try Plan(IFS.Image.only(in: image.build().bytes))
        let kind = Plan.Kind.file(.bytes([7]))
        plan.entries.append(Plan.Entry(Array("b".utf8), kind, mode: 0o100600, inode: 9))
        return plan
    }

    @Test func whatComesToAPlanLaterIsPlacedBehindWhatIsThere() throws {
        let old = ImageBuilder([.file("a", "one")]).with { $0.directorySlack = 100 }
        let image = try IFS.Image.only(in: built(enlarged(old)))
        let entries = image.directory.entries
        #expect(image.paths == ["", "a", "b"])
        #expect(try entries.map { try image.data(of: $0) } == [[], Array("one".utf8), [7]])
        #expect(image.checkSums().allSatisfy { $0.word != "bad" })
    }

    @Test func aDirectoryThatGrowsOverDataIsRefused() throws {
        let plan = try enlarged(ImageBuilder([.file("a", "one")]))
        let error = try #require(throws: MkifsError.self) { try built(plan) }
        #expect(
            error.description
                == "part of the image at 0xa0: found 3 bytes from 0xa0 on,"
                + " expected bytes between 0xc0 and 0xc8")
    }

    @Test func aPackedImageCanBecomeAPlainOne() throws {
        let packed = ImageBuilder([.file("a", SplitMix64.text(100_000))])
        var plan = try Plan(IFS.Image.only(in: packed.with { $0.packing = .ucl() }.build().bytes))
        plan.encoding = IFS.Encoding(.none)
        #expect(try difference(built(plan), packed.build().bytes) == nil)
    }

    // MARK: What a plan cannot hold

    struct Refused: Sendable {
        let image: ImageBuilder
        var cut = 0
        let message: String
    }

    static let refused = [
        Refused(
            image: ImageBuilder([.file("a", "x").with { $0.mode = 0xf1a4 }]),
            message: "dirent at 0x78: found a record of mode 0xf1a4 that mkifs does not write,"
                + " expected one of a known type, its texts one behind the other"),
        Refused(
            image: ImageBuilder([.file("a", "x")]).with { $0.imagePatches = [.init(90, [1])] },
            message: "image header at 0x118: found bytes behind the mount point,"
                + " expected zeros up to dir_offset"),
        Refused(
            image: ImageBuilder([.file("a", SplitMix64.noise(100))]), cut: 50,
            message: "image at 0x0: found 494 bytes, expected 544"),
        Refused(
            image: ImageBuilder([.file("a", "x")]).with { $0.root = .file("z", "y") },
            message:
                "root dirent at 0x5c: found another entry, expected the root, which comes first"
        ),
    ]

    /// What looks at the records alone finds the same as who makes a plan of them.
    @Test(arguments: 0..<20)
    func whatCannotBeChangedIsKnownWithoutAPlan(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let built = ImageBuilder.bare([
            .file("a", "x"), .directory("d"), .symlink("d/link", to: "target"),
            .device("dev", type: 2), .symlink("l", to: ""),
        ]).build()
        var refusedCount = 0
        for _ in 0..<200 {
            var bytes = built.bytes
            let place = Int(random.next() % UInt64(built.directoryEnd))
            bytes[place] = UInt8(truncatingIfNeeded: random.next())
            guard let image = try? IFS.Image.only(in: bytes) else { continue }
            let slow = Result { () throws(MkifsError) in _ = try Plan(image) }
            let quick = Result { () throws(MkifsError) in try RevisedPlan.check(image) }
            switch (slow, quick) {
            case (.success, .success): break
            case (.failure(let one), .failure(let other)):
                #expect(one == other)
                refusedCount += 1
            default: Issue.record("byte \(place): \(slow), \(quick)")
            }
        }
        #expect(refusedCount > 0)
    }

    @Test(arguments: refused)
    func whatAPlanCannotGiveBackIsRefused(refused: Refused) throws {
        let bytes = refused.image.build().bytes
        let image = try IFS.Image.only(in: Array(bytes.dropLast(refused.cut)))
        let error = try #require(throws: MkifsError.self) { try Plan(image) }
        #expect(error.description == refused.message)
    }
}

extension ImageEntry {
    /// One more name of the builder's nth entry.
    fileprivate static func named(_ path: String, _ entry: Int) -> ImageEntry {
        ImageEntry(path: Array(path.utf8), .hardLink(entry), mode: 0o100644)
    }
}

extension Plan.Kind {
    /// The case.
    fileprivate var name: String {
        String("\(self)".prefix { $0 != "(" })
    }
}
