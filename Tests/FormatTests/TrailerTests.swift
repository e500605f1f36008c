import Format
import TestSupport
import Testing

struct TrailerTests {
    /// An image, and the words that `checkSums` says of startup, image and packed stream, each
    /// first of the sum and then of the digest.
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let words: [String]
        let change: @Sendable (inout ImageBuilder) -> Void
        var testDescription: String { name }

        init(
            _ name: String, _ words: String, _ change: @escaping @Sendable (inout ImageBuilder) -> Void
        ) {
            self.name = name
            self.words = words.split(separator: " ").map(String.init)
            self.change = change
        }
    }

    static let cases = [
        Case("v1", "good absent good absent absent absent") { _ in },
        Case("bare", "absent absent good absent absent absent") { $0.hasStartup = false },
        Case("v2", "good good good good absent absent") {
            $0.hasStartupDigest = true
            $0.hasImageDigest = true
        },
        Case("v2 startup", "good good good absent absent absent") { $0.hasStartupDigest = true },
        Case("v2 image", "good absent good good absent absent") { $0.hasImageDigest = true },
        Case("bare v2", "absent absent good good absent absent") {
            $0.hasStartup = false
            $0.hasImageDigest = true
        },
        Case("ucl", "good absent good absent good absent") { $0.packing = .ucl(level: 1) },
        Case("lzo v2", "good good good good good good") {
            $0.packing = .lzo(isFast: true)
            $0.hasStartupDigest = true
            $0.hasImageDigest = true
        },
        Case("zlib, v2 outside", "good good good absent good good") {
            $0.packing = .zlib()
            $0.hasStartupDigest = true
        },
        Case("data-only ucl", "good absent good absent good absent") {
            $0.packing = .ucl(level: 1)
            $0.hasStartup = false
        },
    ]

    private static func built(_ example: Case, _ order: ByteOrder) -> BuiltImage {
        var builder = ImageBuilder([.file("a", SplitMix64.text(70_000, seed: 9))])
        builder.isBigEndian = order == .big
        builder.prefix = [1, 2, 3, 4]
        example.change(&builder)
        return builder.build()
    }

    private static func words(_ bytes: [UInt8]) throws -> [String] {
        try IFS.Image.only(in: bytes).checkSums().map(\.word)
    }

    @Test(arguments: cases, ByteOrder.allCases)
    func theSumsOfAWholeImageAreGood(example: Case, order: ByteOrder) throws {
        let checks = try IFS.Image.only(in: Self.built(example, order).bytes).checkSums()
        #expect(checks.map(\.word) == example.words)
        #expect(
            checks.map { "\($0.region) \($0.method)" } == [
                "startup cksum", "startup sha512", "image cksum", "image sha512", "packed cksum",
                "packed sha512",
            ])
    }

    private static func spoilt(_ words: [String], _ regions: [Int]) -> [String] {
        words.enumerated().map { index, word in
            regions.contains(index / 2) && word == "good" ? "bad" : word
        }
    }

    @Test(arguments: cases, ByteOrder.allCases)
    func aChangedByteSpoilsTheSumsOfItsRegionAlone(example: Case, order: ByteOrder) throws {
        let image = Self.built(example, order)
        if let startup = image.startupOffset {
            var bytes = image.bytes
            bytes[startup + 12] ^= 0x40
            #expect(try Self.words(bytes) == Self.spoilt(example.words, [0]))
        }
        guard image.blocks.isEmpty, example.name.prefix(4) != "zlib" else { return }
        var bytes = image.bytes
        bytes[image.storedOffset + image.plain.count - 2000] ^= 0x01
        #expect(try Self.words(bytes) == Self.spoilt(example.words, [1]))
    }

    @Test(arguments: ["ucl", "lzo v2"])
    func aChangedByteOfAPackedStreamSpoilsItsSums(name: String) throws {
        let example = try #require(Self.cases.first { $0.name == name })
        let image = Self.built(example, .little)
        let last = try #require(image.blocks.last)
        var bytes = image.bytes
        bytes[last.offset + 40] ^= 0x01
        #expect(try Self.words(bytes) == Self.spoilt(example.words, [1, 2]))
    }

    @Test func aBadSumSaysWhatIsStoredAndWhatTheBytesGive() throws {
        let image = ImageBuilder.bare([.file("a", "xxxx")]).build()
        let sum = image.plain.integer(UInt32.self, at: image.plain.count - 4)
        var bytes = image.bytes
        bytes[bytes.count - 8] = bytes[bytes.count - 8] &+ 1
        let check = try IFS.Image.only(in: bytes).checkSums()[2]
        #expect(check.verdict == .bad(stored: hex(sum), computed: hex(sum - 1)))
    }

    @Test func aBadDigestSaysBothDigests() throws {
        let image = ImageBuilder.bare([.file("a", "xxxx")]).with { $0.hasImageDigest = true }
            .build()
        let end = image.bytes.count
        var bytes = image.bytes
        bytes[end - 68] ^= 1
        let check = try IFS.Image.only(in: bytes).checkSums()[3]
        #expect(
            check.verdict
                == .bad(
                    stored: hexDigits(bytes[(end - 68)..<(end - 4)]),
                    computed: hexDigits(image.bytes[(end - 68)..<(end - 4)])))
    }

    @Test func regionsThatTheFileDoesNotHoldAreBad() throws {
        let image = ImageBuilder([.file("a", SplitMix64.text(70_000, seed: 9))]).build()
        let cut = try IFS.Image.only(in: Array(image.bytes.dropLast(4)))
        #expect(
            cut.checkSums().map(\.word) == ["good", "absent", "bad", "absent", "absent", "absent"])
        #expect(cut.missingByteCount == 4)
    }

    @Test(arguments: ByteOrder.allCases)
    func theStoredWordsAreThoseOfTheTrailers(order: ByteOrder) throws {
        let isBig = order == .big
        let built = ImageBuilder([.file("a", "x")]).with { $0.isBigEndian = isBig }.build()
        let image = try IFS.Image.only(in: built.bytes)
        let startup = built.bytes.integer(
            UInt32.self, at: built.storedOffset - 4, isBigEndian: isBig)
        #expect(try image.startupChecksum() == startup)
        let word = built.plain.count - 4
        #expect(
            try image.imageChecksum(.big)
                == built.plain.integer(UInt32.self, at: word, isBigEndian: true))
        #expect(
            try image.imageChecksum(.little) == built.plain.integer(UInt32.self, at: word))
        let bare = try IFS.Image.only(in: ImageBuilder.bare().build().bytes)
        #expect(try bare.startupChecksum() == nil)
    }
}
