import Format
import TestSupport
import Testing

struct TrailerTests {
    /// An image, and the sums that it has.
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let sums: [String]
        let change: @Sendable (inout ImageBuilder) -> Void
        var testDescription: String { name }

        init(
            _ name: String, _ sums: String,
            _ change: @escaping @Sendable (inout ImageBuilder) -> Void
        ) {
            self.name = name
            self.sums = sums.split(separator: ",").map { String($0.drop { $0 == " " }) }
            self.change = change
        }
    }

    static let cases = [
        Case("v1", "startup cksum, image cksum") { _ in },
        Case("bare", "image cksum") { $0.hasStartup = false },
        Case("v2", "startup cksum, startup sha512, image cksum, image sha512") {
            $0.hasStartupDigest = true
            $0.hasImageDigest = true
        },
        Case("v2 startup", "startup cksum, startup sha512, image cksum") {
            $0.hasStartupDigest = true
        },
        Case("v2 image", "startup cksum, image cksum, image sha512") { $0.hasImageDigest = true },
        Case("bare v2", "image cksum, image sha512") {
            $0.hasStartup = false
            $0.hasImageDigest = true
        },
        Case("ucl", "startup cksum, image cksum, packed cksum") { $0.packing = .ucl(level: 1) },
        Case(
            "lzo v2",
            "startup cksum, startup sha512, image cksum, image sha512, packed cksum, packed sha512"
        ) {
            $0.packing = .lzo(isFast: true)
            $0.hasStartupDigest = true
            $0.hasImageDigest = true
        },
        Case(
            "zlib, v2 outside",
            "startup cksum, startup sha512, image cksum, packed cksum, packed sha512, packed crc32"
        ) {
            $0.packing = .zlib()
            $0.hasStartupDigest = true
        },
        Case("data-only ucl", "startup cksum, image cksum, packed cksum") {
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

    /// The sums that are not absent, each with its word.
    private static func sums(_ bytes: [UInt8]) throws -> [String] {
        try IFS.Image.only(in: bytes).checkSums().filter { $0.verdict != .absent }
            .map { "\($0.region) \($0.method) \($0.word)" }
    }

    /// The case's sums, bad where they are of one of the regions.
    private static func expected(_ example: Case, bad: [String] = []) -> [String] {
        example.sums.map { sum in
            sum + (bad.contains { sum.hasPrefix($0) } ? " bad" : " good")
        }
    }

    @Test(arguments: cases, ByteOrder.allCases)
    func theSumsOfAWholeImageAreGood(example: Case, order: ByteOrder) throws {
        #expect(try Self.sums(Self.built(example, order).bytes) == Self.expected(example))
    }

    @Test(arguments: cases, ByteOrder.allCases)
    func aChangedByteOfTheStartupSpoilsItsSumsAlone(example: Case, order: ByteOrder) throws {
        let image = Self.built(example, order)
        guard let startup = image.startupOffset else { return }
        var bytes = image.bytes
        bytes[startup + 12] ^= 0x40
        #expect(try Self.sums(bytes) == Self.expected(example, bad: ["startup"]))
    }

    @Test(arguments: cases.prefix(6), ByteOrder.allCases)
    func aChangedByteOfTheImageSpoilsItsSumsAlone(example: Case, order: ByteOrder) throws {
        let image = Self.built(example, order)
        var bytes = image.bytes
        bytes[image.storedOffset + image.plain.count - 2000] ^= 0x01
        #expect(try Self.sums(bytes) == Self.expected(example, bad: ["image"]))
    }

    @Test(arguments: cases.suffix(4))
    func aChangedByteOfAPackedStreamSpoilsItsSumsAndThoseOfWhatItUnpacksTo(
        example: Case
    ) throws {
        let image = Self.built(example, .little)
        var bytes = image.bytes
        bytes[bytes.count - 400] ^= 0x01
        #expect(try Self.sums(bytes) == Self.expected(example, bad: ["image", "packed"]))
    }

    /// The gzip stream's own sum stands before the padding and the outer trailer.
    @Test func aChangedSumOfAGzipStreamIsBadAndItsBytesAreRead() throws {
        let image = ImageBuilder([.file("a", SplitMix64.text(70_000))]).with {
            $0.packing = .zlib()
        }.build()
        let stream = Packer.deflated(image.plain)
        var bytes = image.bytes
        bytes[image.storedOffset + stream.count - 8] ^= 1
        #expect(
            try Self.sums(bytes) == [
                "startup cksum good", "image cksum good", "packed cksum bad", "packed crc32 bad",
            ])
    }

    /// What a raw zlib stream has is an Adler-32; it is judged in the same place.
    @Test func aZlibStreamsSumIsJudgedToo() throws {
        let image = ImageBuilder([.file("a", SplitMix64.text(70_000))]).with {
            $0.packing = .zlib(isGzip: false)
        }.build()
        #expect(try Self.sums(image.bytes).last == "packed adler32 good")
        let stream = Packer.deflated(image.plain, isGzip: false)
        var bytes = image.bytes
        bytes[image.storedOffset + stream.count - 1] ^= 1
        #expect(try Self.sums(bytes).last == "packed adler32 bad")
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
        #expect(cut.checkSums().map(\.word).prefix(3) == ["good", "absent", "bad"])
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
