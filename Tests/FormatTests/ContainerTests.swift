import Format
import TestSupport
import Testing

/// Harman's container; offsets are those of section 3.4 of the format's description.
struct ContainerTests {
    private static let plain = ImageBuilder.bare([
        .file("data", SplitMix64.text(300_000)), .symlink("link", to: "data"),
    ]).build().plain
    private static let packings: [Packing] = [.lzo(isFast: true), .lzo(), .ucl(level: 1)]

    @Test(arguments: packings, [0, 1, 4099])
    func theImageInsideIsUnpackedWhole(packing: Packing, offset: Int) throws {
        let file = SplitMix64.noise(offset) + Wrap.hbcifs(Self.plain, packing) + [1, 2, 3]
        let image = try IFS.Image.only(in: file)
        #expect(image.headerOffset == UInt64(offset) && image.start == UInt64(offset))
        #expect(image.storedOffset == UInt64(offset) + 64)
        #expect(image.end == UInt64(file.count - 3))
        #expect(image.compression.rawValue == packing.code)
        let container = try #require(image.container)
        #expect(container.unpackedSize == UInt32(Self.plain.count))
        #expect(container.packedSize == UInt32(file.count - offset - 67))
        #expect(readingProblem(image.contents, Self.plain) == nil)
        #expect(image.startup == nil)
        #expect(image.checkSums().map(\.word).filter { $0 != "absent" } == ["good"])
    }

    /// Bytes that make the container none, and a word of the reason.
    @Test(
        arguments: [
            (26, [2], "compression"), (26, [4], "compression"), (8, [0, 0, 0, 0], "unpacked size"),
            (8, [0xff, 0xff, 0xff, 0x7f], "unpacked size"), (12, [0, 0, 0, 0], "size"),
            (12, [1, 0, 0, 0x10], "packed size"), (12, [0xff, 0xff, 0x0f, 0], "stream"),
            (80, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "stream"),
        ] as [(Int, [UInt8], String)], [Packing.lzo(isFast: true), .ucl(level: 1)])
    func aBrokenContainerIsRefused(broken: (Int, [UInt8], String), packing: Packing) throws {
        var file = Wrap.hbcifs(Self.plain, packing)
        file.set(broken.1, at: broken.0)
        let found = try IFS.Scanner.images(in: file)
        #expect(found.images.isEmpty)
        let refusal = try #require(found.refusal)
        #expect(refusal.place.field.hasSuffix(broken.2), "\(refusal)")
    }

    @Test func theUnusedHalfOfTheCompressionDoesNotMatter() throws {
        var file = Wrap.hbcifs(Self.plain, .ucl(level: 1))
        file[26] = 0xa3
        file[27] = 9
        #expect(try IFS.Image.only(in: file).compression == .ucl)
    }

    @Test(arguments: [1, 63, 64, 65, 1000])
    func aCutContainerIsRefused(missing: Int) throws {
        let file = Wrap.hbcifs(Self.plain, .lzo(isFast: true))
        for count in [missing, file.count - missing] {
            #expect(try IFS.Scanner.images(in: Array(file.prefix(count))).images.isEmpty)
        }
    }
}
