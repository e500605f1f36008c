import CLZO
import CUCL
import Format
import TestSupport
import Testing

/// LZO and UCL images, packed by liblzo2 and libucl.
struct BlockTests {
    /// Sizes around the ends of blocks.
    static let sizes = [
        172, 1000, 0x10000 - 4, 0x10000, 0x10004, 0x20000, 0x20000 + 8, 0x30000 - 4, 0x40000,
    ]

    @Test(arguments: PackedImages.blockPackings, sizes)
    func anImageOfAnySizeUnpacks(packing: Packing, size: Int) throws {
        let built = PackedImages.image(unpackedTo: size, packing).build()
        try #require(built.plain.count == size)
        let image = try IFS.Image.only(in: built.bytes)
        #expect(readingProblem(image.contents, built.plain) == nil)
        #expect(image.compression.rawValue == packing.code)
    }

    @Test(arguments: PackedImages.blockPackings)
    func bytesOfEveryKindUnpack(packing: Packing) throws {
        let kinds: [(Int) -> [UInt8]] = [
            { SplitMix64.noise($0) }, { [UInt8](repeating: 0, count: $0) }, PackedImages.mixed,
            { count in (0..<count).map { UInt8(truncatingIfNeeded: $0 / 3) } },
        ]
        for kind in kinds {
            let built = PackedImages.image(unpackedTo: 300_000, packing, kind).build()
            let image = try IFS.Image.only(in: built.bytes)
            #expect(readingProblem(image.contents, built.plain) == nil)
            #expect(image.checkSums().map(\.word)[2] == "good")
        }
    }

    /// Noise makes the packer split blocks, as mkifs does: into 0xf000 and 0x1000 where LZO stores it,
    /// and 0xe000 and 0x2000 where UCL does.
    @Test(arguments: [Packing.lzo(isFast: true), .ucl(level: 1)])
    func noiseIsStoredInSplitBlocksAndFound(packing: Packing) throws {
        let built = PackedImages.image(unpackedTo: 400_000, packing) { SplitMix64.noise($0) }
            .build()
        try #require(
            built.blocks.prefix(2).map(\.plainCount)
                == (packing == .ucl(level: 1) ? [0xe000, 0x2000] : [0xf000, 0x1000]))
        let image = try IFS.Image.only(in: built.bytes)
        #expect(readingProblem(image.contents, built.plain) == nil)
    }

    static let splits: [[Int]] = [
        [0x10000, 0xe000, 0x2000], [0x8000], [0x1000, 0x1000], [0x10000, 0x10000, 0x10000, 0x4000],
        [0x10000, 1, 0xffff], [0xffff], [1000, 0x10000, 70], Array(repeating: 0x1000, count: 80),
        [0xf000, 0x1000, 0xe000, 0x2000, 0xd000, 0x3000],
    ]

    @Test(arguments: splits, [Packing.lzo(isFast: true), .ucl(level: 1)])
    func splitBlocksAreFoundFromEverySide(lengths: [Int], packing: Packing) throws {
        let built = PackedImages.image(unpackedTo: 300_000, packing, blockLengths: lengths).build()
        let starts = Array(stride(from: 0, to: 299_000, by: 997))
        var random = SplitMix64(seed: 5)
        for order in [starts, starts.reversed(), starts.shuffled(using: &random)] {
            let image = try IFS.Image.only(in: built.bytes)
            for start in order {
                let found = try image.contents.bytes(1000, at: UInt64(start), "plain bytes")
                #expect(difference(found, built.plain[start..<(start + 1000)]) == nil)
            }
        }
    }

    /// Blocks may be short so that there are as many as the size needs, while the last one is whole
    /// or the sizes agree by chance: only the lengths learnt in order are true then.
    @Test func asManyBlocksAsTheSizeNeedsAreNoProofByThemselves() throws {
        let built = PackedImages.image(
            unpackedTo: 0x28000, .ucl(level: 1), blockLengths: [0xc000, 0x10000, 0xc000]
        ).build()
        try #require(built.blocks.count == 3)
        let image = try IFS.Image.only(in: built.bytes)
        #expect(readingProblem(image.contents, built.plain, step: 5000) == nil)
    }

    // MARK: What is decoded

    private static let blockCount = 40

    /// A file whose image has 40 blocks, and the reads of more than a length since it was opened.
    private static func counted(
        _ lengths: [Int] = [], cacheLimit: Int = 64 << 20
    ) throws -> (image: IFS.Image, built: BuiltImage, blocksRead: () -> [Int]) {
        let built = PackedImages.image(
            unpackedTo: blockCount * 0x10000 - 500, .lzo(isFast: true), blockLengths: lengths
        ).build()
        let source = CountingSource(built.bytes)
        let image = try IFS.Image.only(in: source, .init(cacheLimit: cacheLimit))
        let places = Dictionary(
            uniqueKeysWithValues: built.blocks.enumerated().map { (UInt64($1.offset), $0) })
        _ = source.takeReads()
        return (image, built, { source.takeReads().compactMap { places[$0.offset] } })
    }

    /// Of an LZO or UCL image, opening unpacks only the blocks that the directory lies in.
    @Test func openingReadsTheFirstBlockAlone() throws {
        let built = PackedImages.image(unpackedTo: 0x40000, .lzo(isFast: true)).build()
        let source = CountingSource(built.bytes)
        var scanner = IFS.Scanner(source)
        _ = try scanner.next()
        let blocks = Set(built.blocks.map { UInt64($0.offset) })
        #expect(source.takeReads().map(\.offset).filter(blocks.contains).count == 1)
    }

    @Test func aByteFarAwayCostsItsOwnBlockAndTheLast() throws {
        let (image, built, blocksRead) = try Self.counted()
        let place = 25 * 0x10000 + 17
        #expect(try image.contents.bytes(1, at: UInt64(place), "byte") == [built.plain[place]])
        #expect(blocksRead().sorted() == [25, 39])
        _ = try image.contents.bytes(1, at: UInt64(place + 0x10000), "byte")
        #expect(blocksRead() == [26])
        _ = try image.contents.bytes(0x10000, at: UInt64(place), "bytes")
        #expect(blocksRead() == [], "what was decoded is kept")
    }

    @Test func ofAPreparedImageAByteFarAwayCostsItsOwnBlock() throws {
        let (image, built, blocksRead) = try Self.counted()
        image.prepare { true }
        #expect(blocksRead() == [39])
        let place = 25 * 0x10000 + 17
        #expect(try image.contents.bytes(1, at: UInt64(place), "byte") == [built.plain[place]])
        #expect(blocksRead() == [25])
    }

    /// The cache is for those who read a block in parts.
    @Test func aBlockThatIsReadWholeIsNotKept() throws {
        let (image, built, blocksRead) = try Self.counted()
        image.prepare { true }
        _ = blocksRead()
        func read(_ count: Int, at place: Int) throws -> [Int] {
            let found = try image.contents.bytes(UInt64(count), at: UInt64(place), "bytes")
            #expect(difference(found, built.plain[place..<(place + count)]) == nil)
            return blocksRead()
        }
        let start = 20 * 0x10000
        #expect(try read(0x30000, at: start + 5) == [20, 21, 22, 23])
        #expect(try read(0x30000, at: start + 5) == [21, 22])
        #expect(try read(0xffff, at: start + 0x10000) == [21])
        #expect(try read(0x20000, at: start + 0x10000) == [22])
    }

    @Test(arguments: [Packing.lzo(isFast: true), .ucl(level: 1)])
    func aDamagedBlockThatIsReadWholeGivesAnError(packing: Packing) throws {
        let built = PackedImages.image(unpackedTo: 0x48000, packing).build()
        var bytes = built.bytes
        let block = built.blocks[2]
        for index in block.offset..<(block.offset + block.packedCount) { bytes[index] = 0 }
        let image = try IFS.Image.only(in: bytes)
        #expect(throws: FormatError.self) {
            try image.contents.bytes(0x48000, at: 0, "plain bytes")
        }
        #expect(throws: FormatError.self) {
            try image.contents.bytes(0x10000, at: 0x20000, "plain bytes")
        }
        let whole = try image.contents.bytes(0x10000, at: 0x30000, "plain bytes")
        #expect(difference(whole, built.plain[0x30000..<0x40000]) == nil)
    }

    @Test func aSplitImageIsLearntUpToTheByteAskedFor() throws {
        let (image, built, blocksRead) = try Self.counted([0x8000, 0x8000])
        let place = 10 * 0x10000 + 17
        #expect(try image.contents.bytes(1, at: UInt64(place), "byte") == [built.plain[place]])
        #expect(Set(blocksRead()).isSubset(of: Set(0...11).union([Self.blockCount])))
        _ = try image.contents.bytes(1, at: 5, "byte")
        _ = try image.contents.bytes(1, at: UInt64(place - 0x10000), "byte")
        #expect(blocksRead() == [])
    }

    // MARK: Cache and threads

    /// A cache that holds twice what four streams are in gives up hardly a block that one is in.
    @Test func fourStreamsInTurnHardlyUnpackABlockTwice() throws {
        let (image, built, blocksRead) = try Self.counted(cacheLimit: 8 << 16)
        _ = try image.contents.bytes(1, at: UInt64(39 * 0x10000), "last byte")
        _ = blocksRead()
        for step in 0..<36 {
            for stream in 0..<4 {
                let place = stream * 9 * 0x10000 + 0x10000 + step * 0x4000
                let found = try image.contents.bytes(0x4000, at: UInt64(place), "bytes")
                #expect(difference(found, built.plain[place..<(place + 0x4000)]) == nil)
            }
        }
        let blocks = blocksRead()
        #expect(Set(blocks) == Set(1...36) && blocks.count <= 40, "\(blocks.sorted())")
    }

    @Test(
        arguments: [0, 64 << 10, 1 << 20],
        [Packing.lzo(isFast: true), .ucl(level: 1), .zlib(level: 1)])
    func anImageLargerThanTheCacheReadsRight(limit: Int, packing: Packing) throws {
        let built = PackedImages.image(unpackedTo: 2_500_000, packing, PackedImages.mixed).build()
        let image = try IFS.Image.only(in: built.bytes, .init(cacheLimit: limit))
        #expect(readingProblem(image.contents, built.plain, step: 300_000) == nil)
        var random = SplitMix64(seed: 6)
        for _ in 0..<60 {
            let start = Int(random.next() % 2_490_000)
            let found = try image.contents.bytes(9000, at: UInt64(start), "plain bytes")
            #expect(difference(found, built.plain[start..<(start + 9000)]) == nil)
        }
    }

    /// Whole blocks, split blocks, and blocks that are learnt while others are read.
    @Test(
        arguments: [[], [0x8000], [0xe000, 0x2000, 0x10000, 7]] as [[Int]],
        [Packing.lzo(isFast: true), .ucl(level: 1), .zlib(level: 1)])
    func eightThreadsReadTheSameBytes(lengths: [Int], packing: Packing) throws {
        let built = PackedImages.image(
            unpackedTo: 3_000_000, packing, blockLengths: lengths, PackedImages.mixed
        ).build()
        for limit in [256 << 10, 64 << 20] {
            let image = try IFS.Image.only(in: built.bytes, .init(cacheLimit: limit))
            let problems = Threads.run(8) { thread -> String? in
                var random = SplitMix64(seed: UInt64(thread))
                for _ in 0..<(limit < 1 << 20 ? 40 : 200) {
                    let start = Int(random.next() % 2_900_000)
                    let count = Int(random.next() % 90_000) + 1
                    do {
                        let found = try image.contents.prefix(count, at: UInt64(start))
                        let problem = difference(found, built.plain[start..<(start + count)])
                        if let problem { return problem }
                    } catch {
                        return "\(count) bytes at \(start): \(error)"
                    }
                }
                return nil
            }
            #expect(problems.compactMap { $0 } == [])
        }
    }

    // MARK: Streams that are not as they should be

    @Test(arguments: [Packing.lzo(isFast: true), .ucl(level: 1)], [0x20000, 0x20010, 0x1fff0])
    func aStreamWithoutEndMarkReadsRight(packing: Packing, size: Int) throws {
        let built = PackedImages.image(unpackedTo: size, packing).with { $0.endMark = [] }.build()
        let image = try IFS.Image.only(in: built.bytes)
        #expect(readingProblem(image.contents, built.plain) == nil)
    }

    @Test(arguments: [Packing.lzo(isFast: true), .ucl(level: 1)])
    func whatFollowsTheEndMarkDoesNotMatter(packing: Packing) throws {
        let built = PackedImages.image(unpackedTo: 0x20010, packing).with {
            $0.streamTail = Array("0000".utf8) + SplitMix64.noise(999)
        }.build()
        let image = try IFS.Image.only(in: built.bytes)
        #expect(readingProblem(image.contents, built.plain) == nil)
        #expect(image.checkSums().map(\.word)[4] == "good")
    }

    /// Cut anywhere, the blocks that are whole read right and the others give an error.
    @Test(arguments: [[], [0x8000]] as [[Int]], [Packing.lzo(isFast: true), .ucl(level: 1)])
    func aStreamThatIsCutReadsRightUpToTheCut(lengths: [Int], packing: Packing) throws {
        let built = PackedImages.image(
            unpackedTo: 0x48000, packing, blockLengths: lengths, PackedImages.mixed
        ).build()
        let first = try #require(built.blocks.first)
        let end = first.offset + first.packedCount
        for cut in stride(from: end, to: built.bytes.count, by: 1201) {
            let image = try IFS.Image.only(in: Array(built.bytes.prefix(cut)))
            let whole = built.blocks.prefix { $0.offset + $0.packedCount <= cut }
            let count = whole.reduce(0) { $0 + $1.plainCount }
            for start in stride(from: 0, to: built.plain.count - 4000, by: 4000).reversed() {
                let found = try? image.contents.bytes(4000, at: UInt64(start), "plain bytes")
                let expected = built.plain[start..<(start + 4000)]
                if start + 4000 <= count {
                    #expect(found.map { difference($0, expected) == nil } ?? false)
                } else {
                    #expect(found == nil)
                }
            }
        }
    }

    @Test(arguments: [Packing.lzo(isFast: true), .ucl(level: 1)])
    func aStreamThatEndsBeforeItsSizeGivesAnError(packing: Packing) throws {
        let image = try Self.image(packing, claiming: 0x50000)
        #expect(try image.contents.bytes(100, at: 0x1ff00, "plain bytes").count == 100)
        #expect(throws: FormatError.self) {
            try image.contents.bytes(1, at: 0x30000, "plain bytes")
        }
        #expect(throws: FormatError.self) {
            try image.contents.bytes(1, at: 0x20000, "plain bytes")
        }
    }

    /// An image of 0x20000 bytes whose startup header promises another number.
    private static func image(_ packing: Packing, claiming size: UInt32) throws -> IFS.Image {
        let built = PackedImages.image(unpackedTo: 0x20000, packing).with {
            $0.startupPatches = [.init(44, [UInt8](size, isBigEndian: false))]
        }.build()
        return try IFS.Image.only(in: built.bytes)
    }

    /// An image of one good block, which holds header and directory, and the blocks given; its
    /// startup header promises 1 MiB.
    private static func image(followedBy blocks: [UInt8]) throws -> IFS.Image {
        let built = ImageBuilder([.file("a", SplitMix64.text(2000))]).with {
            $0.packing = .ucl(level: 1)
            $0.endMark = blocks + [0, 0]
            $0.startupPatches = [.init(44, [UInt8](UInt32(0x10_0000), isBigEndian: false))]
        }.build()
        return try IFS.Image.only(in: built.bytes)
    }

    private static func block(_ plain: [UInt8]) -> [UInt8] {
        let packed = Packer.block(plain[...], .ucl(level: 1))
        return [UInt8](UInt16(packed.count), isBigEndian: true) + packed
    }

    /// No packer makes blocks of a few bytes; a chain of very many is refused.
    @Test func aChainOfVeryManyBlocksIsRefused() throws {
        let tiny = Array(repeatElement(Self.block([0x41]), count: 100_000).joined())
        let image = try Self.image(followedBy: tiny)
        let error = #expect(throws: FormatError.self) {
            try image.contents.bytes(1, at: 0x8_0000, "plain bytes")
        }
        #expect("\(String(describing: error))".contains("blocks"))
    }

    @Test func aBlockOfNoBytesGivesAnError() throws {
        let image = try Self.image(followedBy: Self.block([]) + Self.block([1, 2, 3]))
        #expect(try image.contents.bytes(2000, at: 0, "plain bytes").count == 2000)
        #expect(throws: FormatError.self) {
            try image.contents.bytes(1, at: 0x1000, "plain bytes")
        }
        #expect(throws: FormatError.self) {
            try image.contents.bytes(1, at: 0xf_0000, "plain bytes")
        }
        #expect(throws: FormatError.self) {
            try image.contents.bytes(0x10_0000, at: 0, "plain bytes")
        }
    }
}
