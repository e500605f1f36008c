import Foundation
import TestSupport
import Testing

/// `--verify`: every sum and digest that an image has, and what is said of those it has not.
struct VerifyTests {
    private func verify(_ bytes: some Collection<UInt8>, _ arguments: [String] = []) throws
        -> Child.Outcome
    {
        let folder = try TemporaryFolder()
        try folder.write(Array(bytes), to: "x.ifs")
        return try dumpifs(["--verify"] + arguments + ["x.ifs"], in: folder)
    }

    private func builder(_ packing: Packing = .none, isLong: Bool = false) -> ImageBuilder {
        ImageBuilder([.file("a", SplitMix64.noise(5000)), .file("b", "text")]).with {
            $0.packing = packing
            $0.hasStartupDigest = isLong
            $0.hasImageDigest = isLong
        }
    }

    private static let all = [
        "startup cksum", "startup sha512", "image cksum", "image sha512", "packed cksum",
        "packed sha512", "packed crc32",
    ]

    /// The lines without the values of good sums.
    private func verdicts(_ lines: [String]) -> [String] {
        lines.map { line in line.replacing(/: good \([0-9a-fx]+\)$/, with: ": good") }
    }

    /// The lines where these sums are good and the others absent.
    private func lines(good: [String]) -> [String] {
        Self.all.map { $0 + (good.contains($0) ? ": good" : ": absent") }
    }

    @Test func aSumIsAbsentOnlyWhereThereIsNoPlaceForIt() throws {
        let both = ["startup cksum", "image cksum"]
        let cases: [(ImageBuilder, [String])] = [
            (.bare([.file("a", "x")]), ["image cksum"]),
            (
                .bare([.file("a", "x")]).with { $0.hasImageDigest = true },
                [
                    "image cksum", "image sha512",
                ]
            ),
            (builder(), both), (builder(.ucl()), both + ["packed cksum"]),
            (builder(.lzo()), both + ["packed cksum"]),
            (builder(.zlib()), both + ["packed cksum", "packed crc32"]),
            (builder(isLong: true), both + ["startup sha512", "image sha512"]),
            (builder(.ucl(), isLong: true), Self.all.dropLast()),
            (builder(.zlib(), isLong: true), Self.all),
            (builder(.lzo()).with { $0.isBigEndian = true }, both + ["packed cksum"]),
        ]
        for (builder, good) in cases {
            let outcome = try verify(builder.build().bytes)
            expectSuccess(outcome)
            #expect(verdicts(outcome.lines) == lines(good: good))
        }
    }

    @Test(arguments: Fixtures.goldenCases)
    func theVendorsSumsAreGood(_ name: String) throws {
        let outcome = try dumpifs(["--verify", Fixtures.golden(name, "expected.ifs").path])
        expectSuccess(outcome)
        #expect(outcome.lines.count == 7)
        #expect(verdicts(outcome.lines).contains("image cksum: good"))
    }

    /// One byte flipped at `offset`; nothing but these sums may be bad then.
    private func expectBad(
        _ image: BuiltImage, at offset: Int, _ bad: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var bytes = image.bytes
        bytes[offset] ^= 0x10
        let outcome = try verify(bytes)
        #expect(outcome.end == .exit(1), sourceLocation: sourceLocation)
        #expect(outcome.complaints == [], sourceLocation: sourceLocation)
        let found = verdicts(outcome.lines).filter {
            !$0.hasSuffix(": good") && !$0.hasSuffix(": absent")
        }
        #expect(
            found.map { String($0.prefix { $0 != ":" }) } == bad, sourceLocation: sourceLocation)
    }

    @Test func aFlippedByteOfTheStartupIsFound() throws {
        let image = builder().build()
        try expectBad(image, at: 260, ["startup cksum"])
        try expectBad(image, at: image.storedOffset - 1, ["startup cksum"])
        let long = builder(isLong: true).build()
        try expectBad(long, at: 260, ["startup cksum", "startup sha512"])
        try expectBad(long, at: long.storedOffset - 68, ["startup cksum", "startup sha512"])
        try expectBad(long, at: long.storedOffset - 1, ["startup cksum"])
    }

    @Test func aFlippedByteOfTheImageIsFound() throws {
        let image = builder().build()
        try expectBad(image, at: image.storedOffset + image.dataOffsets[0] + 9, ["image cksum"])
        let long = builder(isLong: true).build()
        let end = long.bytes.count
        try expectBad(long, at: end - 100, ["image cksum", "image sha512"])
        try expectBad(long, at: end - 68, ["image cksum", "image sha512"])
        try expectBad(long, at: end - 1, ["image cksum"])
    }

    @Test func aFlippedByteOfWhatIsPackedIsFound() throws {
        let image = builder(.ucl(), isLong: true).build()
        let end = image.bytes.count
        try expectBad(image, at: end - 1, ["packed cksum"])
        try expectBad(image, at: end - 68, ["packed cksum", "packed sha512"])
        // Noise is packed as it is, so that a byte of it unpacks to one wrong byte.
        try expectBad(
            image, at: image.storedOffset + 3000,
            ["image cksum", "image sha512", "packed cksum", "packed sha512"])
        let zlib = builder(.zlib()).build()
        try expectBad(
            zlib, at: zlib.bytes.count - 4 - 8, ["packed cksum", "packed crc32"])
    }

    @Test func aBadSumShowsWhatIsStoredAndWhatTheBytesGive() throws {
        let image = builder().build()
        var bytes = image.bytes
        let stored = bytes.integer(UInt32.self, at: image.storedOffset - 4)
        bytes[260] &+= 1
        let outcome = try verify(bytes)
        let (found, given) = (String(stored, radix: 16), String(stored &- 1, radix: 16))
        #expect(
            outcome.lines[0] == "startup cksum: bad: stored 0x\(found), the bytes give 0x\(given)")
        #expect(
            Array(verdicts(outcome.lines).dropFirst())
                == Array(lines(good: ["image cksum"]).dropFirst()))
    }

    @Test func aGoodSumShowsItsValue() throws {
        let image = builder(isLong: true).build()
        let tail = image.bytes.suffix(68).map { String(format: "%02x", $0) }.joined()
        let word = String(
            image.bytes.integer(UInt32.self, at: image.bytes.count - 4), radix: 16)
        let outcome = try verify(image.bytes)
        #expect(outcome.lines[2] == "image cksum: good (0x\(word))")
        #expect(outcome.lines[3] == "image sha512: good (\(tail.prefix(128)))")
    }

    @Test func aBadDigestShowsBothDigests() throws {
        let image = builder(isLong: true).build()
        var bytes = image.bytes
        let place = bytes.count - 68
        let digest = Array(bytes[place..<(place + 64)])
        bytes[place + 63] ^= 0xff
        let outcome = try verify(bytes)
        func text(_ digest: [UInt8]) -> String {
            digest.map { String(format: "%02x", $0) }.joined()
        }
        let stored = text(digest.dropLast() + [digest[63] ^ 0xff])
        #expect(
            outcome.lines[3]
                == "image sha512: bad: stored \(stored), the bytes give \(text(digest))")
    }

    @Test func ofSeveralImagesEachIsCheckedAndNumbered() throws {
        let good = builder().build().bytes
        var bad = ImageBuilder.bare([.file("z", "data")]).build()
        bad.bytes[bad.dataOffsets[0]] ^= 1
        let outcome = try verify(good + bad.bytes)
        #expect(outcome.end == .exit(1))
        #expect(outcome.lines.count == 14)
        #expect(verdicts(outcome.lines)[0] == "image 1: startup cksum: good")
        #expect(outcome.lines[9].hasPrefix("image 2: image cksum: bad: "))
        let first = try verify(good + bad.bytes, ["--image", "1"])
        #expect(first.end == .exit(0))
        #expect(first.lines == Array(outcome.lines.prefix(7)))
    }

    @Test(arguments: [(Packing.none, "image cksum"), (.ucl(), "packed cksum")])
    func aCutImageIsNotGood(_ packing: Packing, _ bad: String) throws {
        let image = builder(packing).build().bytes
        let outcome = try verify(image.dropLast(4))
        expectFailure(
            outcome,
            saying: [
                "dumpifs: x.ifs: 4 bytes of the image are missing: its headers promise"
                    + " 0x\(String(image.count, radix: 16)), the file ends at"
                    + " 0x\(String(image.count - 4, radix: 16))"
            ])
        #expect(outcome.lines.contains { $0.hasPrefix("\(bad): bad: ") })
    }

    @Test(
        .enabled(if: Fixtures.hasShared, "no shared images here"),
        arguments: Fixtures.sharedImages())
    func theSumsOfRealImagesAreGood(_ name: String) throws {
        let outcome = try dumpifs(["--verify", Fixtures.sharedImage(name).path])
        #expect(outcome.end == .exit(0))
        #expect(verdicts(outcome.lines).contains("image cksum: good"))
        let hasDigest = verdicts(outcome.lines).contains("image sha512: good")
        #expect(hasDigest == name.contains("sha512"))
    }
}
