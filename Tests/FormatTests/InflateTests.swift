import Format
import TestSupport
import Testing

/// zlib images, packed by zlib.
struct InflateTests {
    private static let size = 4_700_000
    private static let built = PackedImages.image(
        unpackedTo: size, .zlib(level: 1), PackedImages.mixed
    ).build()

    @Test(arguments: PackedImages.zlibPackings, [172, 1000, 0x10_0000 - 4, 0x10_0000, 0x10_0004])
    func anImageOfAnySizeUnpacks(packing: Packing, size: Int) throws {
        let built = PackedImages.image(unpackedTo: size, packing).build()
        let image = try IFS.Image.only(in: built.bytes)
        #expect(readingProblem(image.contents, built.plain) == nil)
        #expect(image.checkSums().filter { $0.word == "bad" } == [])
    }

    @Test func itReadsBackwards() throws {
        let image = try IFS.Image.only(in: Self.built.bytes)
        for start in stride(from: Self.size - 30_000, to: 0, by: -30_000) {
            let found = try image.contents.bytes(30_000, at: UInt64(start), "plain bytes")
            #expect(difference(found, Self.built.plain[start..<(start + 30_000)]) == nil)
        }
    }

    /// The stream is walked once as far as reads reach; what lies before is decoded from the point
    /// nearest to it, not from the start.
    @Test func aByteThatWasPassedIsDecodedFromTheNearestPoint() throws {
        let source = CountingSource(Self.built.bytes)
        let image = try IFS.Image.only(in: source, .init(cacheLimit: 0))
        _ = try image.contents.bytes(1, at: UInt64(Self.size - 1), "byte")
        _ = source.takeReads()
        let place = 3 << 20
        #expect(
            try image.contents.bytes(1, at: UInt64(place), "byte") == [Self.built.plain[place]])
        let read = source.takeReads().reduce(0) { $0 + $1.count }
        #expect(read < 1_300_000, "one unit of 1 MiB, and what was read ahead of it")
    }

    /// Bytes before the damage read right, those behind it give an error.
    @Test func aStreamDamagedInTheMiddleReadsRightUpToTheDamage() throws {
        var bytes = Self.built.bytes
        // Stored blocks of noise survive such changes, so the damage is long.
        let middle = (Self.built.storedOffset + bytes.count) / 2
        for place in middle..<(middle + 70_000) { bytes[place] = 0xff }
        let image = try IFS.Image.only(in: bytes)
        var firstBad: Int?
        for start in stride(from: 0, to: Self.size - 10_000, by: 10_000) {
            let found = try? image.contents.bytes(10_000, at: UInt64(start), "plain bytes")
            let expected = Self.built.plain[start..<(start + 10_000)]
            let isRight = found.map { difference($0, expected) == nil } ?? false
            if !isRight, firstBad == nil { firstBad = start }
        }
        let end = try #require(firstBad)
        #expect(end > Self.size / 4 && end < Self.size * 3 / 4)
        #expect(throws: FormatError.self) {
            try image.contents.bytes(1, at: UInt64(Self.size - 1), "byte")
        }
        #expect(image.checkSums().filter { $0.region == .packed }.map(\.word).contains("bad"))
    }

    @Test(arguments: stride(from: 0.02, to: 1, by: 0.06).map { $0 })
    func aStreamThatIsCutReadsRightUpToTheCut(part: Double) throws {
        let stored = Self.built.bytes.count - Self.built.storedOffset
        let cut = Self.built.storedOffset + Int(Double(stored) * part)
        let image = try IFS.Image.only(in: Array(Self.built.bytes.prefix(cut)))
        var starts = Array(stride(from: 0, to: Self.size - 20_000, by: 20_000))
        var random = SplitMix64(seed: 8)
        starts.shuffle(using: &random)
        var good: [Int] = []
        for start in starts.prefix(60) {
            do {
                let found = try image.contents.bytes(20_000, at: UInt64(start), "plain bytes")
                #expect(difference(found, Self.built.plain[start..<(start + 20_000)]) == nil)
                good.append(start)
            } catch {}
        }
        let reach = good.max() ?? 0
        #expect(starts.prefix(60).filter { $0 < reach }.count == max(0, good.count - 1))
        #expect(Double(reach) < Double(Self.size) * (part + 0.2))
    }

    @Test func aStreamShorterThanItsSizeGivesAnErrorBehindItsEnd() throws {
        for size in [2000, 1 << 20, (1 << 20) + 4] {
            let built = PackedImages.image(unpackedTo: size, .zlib()).with {
                $0.startupPatches = [
                    .init(44, [UInt8](UInt32(size + (2 << 20)), isBigEndian: false))
                ]
            }.build()
            let image = try IFS.Image.only(in: built.bytes)
            #expect(try image.contents.bytes(UInt64(size), at: 0, "bytes") == built.plain)
            for place in [size, size + 5, size + (1 << 20) + 5] {
                #expect(throws: FormatError.self) {
                    try image.contents.bytes(1, at: UInt64(place), "byte")
                }
            }
        }
    }

    @Test func aStreamLongerThanItsSizeIsReadUpToIt() throws {
        let built = PackedImages.image(unpackedTo: 3 << 20, .zlib()).with {
            $0.startupPatches = [.init(44, [UInt8](UInt32(2 << 20), isBigEndian: false))]
        }.build()
        let image = try IFS.Image.only(in: built.bytes)
        #expect(image.contents.byteCount == 2 << 20)
        #expect(readingProblem(image.contents, Array(built.plain.prefix(2 << 20))) == nil)
        #expect(image.checkSums().contains { $0.method == .crc32 && $0.word == "bad" })
    }

    /// Streams that zlib refuses at once, and one that wants a dictionary.
    @Test(
        arguments: [
            [0x1f, 0x8b, 0x07], [0x78, 0x9d], [0, 0, 0, 0], [0x78, 0xbb, 1, 2, 3, 4],
            [0x1f, 0x8b, 0x08, 0xe0],
        ] as [[UInt8]])
    func otherStreamsAreNoImage(head: [UInt8]) throws {
        let built = PackedImages.image(unpackedTo: 5000, .zlib()).build()
        var bytes = built.bytes
        bytes.set(head, at: built.storedOffset)
        let found = try IFS.Scanner.images(in: bytes)
        #expect(found.images.isEmpty)
        #expect(found.refusal != nil)
    }
}
