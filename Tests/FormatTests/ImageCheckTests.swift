import Format
import Foundation
import TestSupport
import Testing

/// What a check says: nothing of sound images, and one line for one fault.
struct ImageCheckTests {
    private static func lines(_ bytes: some Collection<UInt8>) throws -> [String] {
        try IFS.Image.only(in: Array(bytes)).check().map(\.description)
    }

    private static func hex(_ value: some BinaryInteger) -> String {
        "0x" + String(value, radix: 16)
    }

    /// An image with a startup and some files, all sums in order.
    private static func builder(_ order: ByteOrder = .little) -> ImageBuilder {
        ImageBuilder([
            .file("a", SplitMix64.noise(500)), .file("b", "text"), .symlink("c", to: "a"),
        ]).with { $0.isBigEndian = order == .big }
    }

    // MARK: Sound images

    @Test(arguments: Fixtures.goldenCases)
    func aGoldenImageHasNoFault(name: String) throws {
        #expect(try Self.lines(Fixtures.goldenImage(name)) == [])
    }

    /// The image of 6.6 has three files below a link, as its target's system would not show them.
    @Test(
        .enabled(if: Fixtures.hasShared, "no shared images here"),
        arguments: Fixtures.sharedImages())
    func aRealImageHasNoFaultButThoseItIsKnownFor(name: String) throws {
        let expected = "expected nothing below a symbolic link, which wins"
        let known =
            name == "armle-6.6-ucl.ifs"
            ? [
                "dirent.path at 0x320: found 'etc/system/config/images', \(expected)",
                "dirent.path at 0x374: found 'etc/system/config/img.conf', \(expected)",
                "dirent.path at 0x20c: found 'etc/system/config/scaling.conf', \(expected)",
            ] : []
        #expect(try Self.lines(Fixtures.bytes(Fixtures.sharedImage(name))) == known)
    }

    @Test(
        arguments: [Packing.none, .zlib(), .zlib(isGzip: false), .lzo(), .ucl()],
        ByteOrder.allCases)
    func whatTheBuilderMakesHasNoFault(packing: Packing, order: ByteOrder) throws {
        var builder = Self.builder(order)
        builder.packing = packing
        builder.prefix = [1, 2, 3, 4]
        builder.bootInodes = [2]
        #expect(try Self.lines(builder.build().bytes) == [])
        builder.hasStartupDigest = true
        builder.hasImageDigest = true
        #expect(try Self.lines(builder.build().bytes) == [])
        let bare = ImageBuilder.bare(builder.entries).with { $0.isBigEndian = order == .big }
        #expect(try Self.lines(bare.build().bytes) == [])
    }

    // MARK: Sums

    /// One more in the lowest byte of a word makes the sum one more, and what is needed one less.
    private static func raise(
        _ bytes: inout [UInt8], _ word: Int, _ order: ByteOrder, by step: UInt8 = 1
    ) {
        bytes[order == .big ? word + 3 : word] &+= step
    }

    @Test(arguments: ByteOrder.allCases)
    func aWrongSumIsNamedWithItsPlaceAndBothValues(order: ByteOrder) throws {
        let isBig = order == .big
        let built = Self.builder(order).build()
        let end = built.bytes.count
        for (region, word, trailer) in [
            ("startup", 256, built.storedOffset - 4), ("image", end - 8, end - 4),
        ] {
            var bytes = built.bytes
            let stored = bytes.integer(UInt32.self, at: trailer, isBigEndian: isBig)
            Self.raise(&bytes, word, order)
            #expect(
                try Self.lines(bytes) == [
                    "\(region) trailer.cksum at \(Self.hex(trailer)): found \(Self.hex(stored)),"
                        + " expected \(Self.hex(stored &- 1))"
                ])
        }
    }

    @Test(arguments: ByteOrder.allCases)
    func aWrongSumOfWhatIsPackedIsThePackedOnesAlone(order: ByteOrder) throws {
        let built = Self.builder(order).with { $0.packing = .ucl() }.build()
        var bytes = built.bytes
        let place = bytes.count - 4
        let stored = bytes.integer(UInt32.self, at: place, isBigEndian: order == .big)
        bytes.set(stored ^ 0x100, at: place, isBigEndian: order == .big)
        #expect(
            try Self.lines(bytes) == [
                "packed trailer.cksum at \(Self.hex(place)): found \(Self.hex(stored ^ 0x100)),"
                    + " expected \(Self.hex(stored))"
            ])
    }

    /// The checksum word is made good again, so that the digest is all that is wrong.
    @Test(arguments: [("startup", Packing.none), ("image", .none), ("packed", .lzo())])
    func aWrongDigestIsNamedWithBothValues(region: String, packing: Packing) throws {
        let built = Self.builder().with {
            $0.packing = packing
            $0.hasStartupDigest = true
            $0.hasImageDigest = packing == .none
        }.build()
        var bytes = built.bytes
        let end = region == "startup" ? built.storedOffset : bytes.count
        bytes[end - 68] ^= 0x80
        let word = bytes.integer(UInt32.self, at: end - 4)
        let isSet = bytes[end - 68] & 0x80 != 0
        bytes.set(isSet ? word &- 0x80 : word &+ 0x80, at: end - 4)
        let digest = bytes[(end - 68)..<(end - 4)].map { String(format: "%02x", $0) }
        let first = String(format: "%02x", bytes[end - 68] ^ 0x80)
        #expect(
            try Self.lines(bytes) == [
                "\(region) trailer.sha512 at \(Self.hex(end - 68)): found \(digest.joined()),"
                    + " expected \(first + digest.dropFirst().joined())"
            ])
    }

    @Test func aWrongSumOfAGzipStreamIsNamed() throws {
        let built = Self.builder().with { $0.packing = .zlib() }.build()
        let stream = Packer.deflated(built.plain)
        let crc = built.storedOffset + stream.count - 8
        var bytes = built.bytes
        bytes[crc] ^= 1
        let lines = try Self.lines(bytes)
        #expect(lines.count == 2)
        #expect(lines.first?.hasPrefix("packed trailer.cksum at ") == true)
        #expect(
            lines.last?.hasPrefix("deflate stream at ") == true
                && lines.last?.hasSuffix(": found incorrect data check, expected deflate data")
                    == true,
            "\(lines)")
    }

    /// What stands in the way of several sums is one line, beside the sum of what is packed.
    @Test func aBlockThatCannotBeUnpackedIsNamedOnce() throws {
        let built = ImageBuilder([.file("a", SplitMix64.text(200_000))]).with {
            $0.packing = .ucl()
            $0.hasImageDigest = true
        }.build()
        var bytes = built.bytes
        let block = built.blocks[1]
        for index in 0..<200 { bytes[block.offset + index] = 0xff }
        let lines = try Self.lines(bytes)
        #expect(lines.count == 2)
        #expect(lines.contains { $0.hasPrefix("packed trailer.cksum at ") })
        let place = Self.hex(block.offset)
        #expect(
            lines.contains { $0.hasPrefix("packed block 1 at \(place): found a match ") },
            "\(lines)")
    }

    // MARK: Sizes and headers

    @Test func aMissingTailIsOneLineAndOneForEachFileThatItCuts() throws {
        let built = Self.builder().build()
        let end = built.bytes.count
        #expect(
            try Self.lines(built.bytes.dropLast(4)) == [
                "end of the file at \(Self.hex(end - 4)): found 4 bytes of the image missing,"
                    + " expected its end at \(Self.hex(end))"
            ])
        let b = (built.recordOffsets[2] + built.storedOffset + 24, built.dataOffsets[1])
        #expect(
            try Self.lines(built.bytes.dropLast(6)) == [
                "end of the file at \(Self.hex(end - 6)): found 6 bytes of the image missing,"
                    + " expected its end at \(Self.hex(end))",
                "dirent.offset at \(Self.hex(b.0)): found 'b' from \(Self.hex(b.1)) to"
                    + " \(Self.hex(b.1 + 4)), expected an end at"
                    + " \(Self.hex(built.plain.count - 6)) at most",
            ])
    }

    @Test(arguments: ByteOrder.allCases)
    func sizesThatContradictEachOtherAreNamed(order: ByteOrder) throws {
        let isBig = order == .big
        let built = Self.builder(order).build()
        /// The lines where words of the startup header, by offset, are others.
        func lines(_ words: [(Int, UInt32)], tail: Int = 0) throws -> [String] {
            let patches = words.map {
                ImageBuilder.Patch($0.0, [UInt8]($0.1, isBigEndian: isBig))
            }
            let bytes = Self.builder(order).with { $0.startupPatches = patches }.build().bytes
            return try Self.lines(bytes + [UInt8](repeating: 0, count: tail))
        }
        let (size, image) = (UInt32(built.bytes.count), UInt32(built.plain.count))
        #expect(
            try lines([(36, size + 4)], tail: 4) == [
                "startup header.stored_size at 0x24: found \(Self.hex(size + 4)), expected"
                    + " \(Self.hex(size)), startup_size + imagefs_size"
            ])
        #expect(
            try lines([(36, size + 4), (44, image + 4)], tail: 4) == [
                "image header.image_size at \(Self.hex(built.storedOffset + 8)): found"
                    + " \(Self.hex(image)), expected \(Self.hex(image + 4)), the startup header's"
                    + " imagefs_size"
            ])
        #expect(
            try lines([(48, isBig ? 0x40_0000 : 0x40)]) == [
                "startup header.preboot_size at 0x30: found 0x40, expected 0x0 at most, the bytes"
                    + " before the header"
            ])
    }

    @Test func anImageThatDoesNotFollowItsStartupIsNamed() throws {
        let built = Self.builder().build()
        let bytes = built.bytes
        let moved =
            bytes[..<built.storedOffset] + [UInt8](repeating: 0, count: 8)
            + bytes[built.storedOffset...]
        #expect(
            try Self.lines(moved) == [
                "startup header.startup_size at 0x20: found \(Self.hex(built.storedOffset)),"
                    + " expected \(Self.hex(built.storedOffset + 8)), where the image header stands"
            ])
    }

    @Test func byteOrdersThatDifferAreNamed() throws {
        let (little, big) = (Self.builder(.little).build(), Self.builder(.big).build())
        try #require(little.plain.count == big.plain.count)
        let place = Self.hex(little.storedOffset + 7)
        #expect(
            try Self.lines(little.bytes[..<little.storedOffset] + big.plain) == [
                "image header.flags at \(place): found big-endian, expected little-endian, as the"
                    + " startup header"
            ])
        #expect(
            try Self.lines(big.bytes[..<big.storedOffset] + little.plain) == [
                "image header.flags at \(place): found little-endian, expected big-endian, as the"
                    + " startup header"
            ])
    }

    @Test(arguments: ByteOrder.allCases)
    func offsetsOfTheDirectoryThatAreNotItsOwnAreNamed(order: ByteOrder) throws {
        var builder = Self.builder(order)
        builder.mountpoint = Array("/a/long/name".utf8)
        builder.imagePatches = [.init(88, Array("/\0".utf8))]
        var built = builder.build()
        #expect(
            try Self.lines(built.bytes) == [
                "image header.dir_offset at \(Self.hex(built.storedOffset + 16)): found 0x68,"
                    + " expected 0x5c, the end of the header"
            ])
        built = Self.builder(order).with { $0.directorySlack = 8 }.build()
        #expect(
            try Self.lines(built.bytes) == [
                "image header.hdr_dir_size at \(Self.hex(built.storedOffset + 12)): found"
                    + " \(Self.hex(built.directoryEnd)), expected"
                    + " \(Self.hex(built.directoryEnd - 8)), the end of the directory"
            ])
    }

    @Test(arguments: ByteOrder.allCases)
    func inodesOfTheHeaderThatAreNotThereAreNamed(order: ByteOrder) throws {
        let builder = Self.builder(order)
        var built = builder.with { $0.bootInodes = [2, 99, 0, 0x8000_0002] }.build()
        #expect(
            try Self.lines(built.bytes) == [
                "image header.boot_ino[1] at \(Self.hex(built.storedOffset + 24)): found inode 0x63,"
                    + " expected one of the directory's",
                "image header.boot_ino[3] at \(Self.hex(built.storedOffset + 32)): found inode"
                    + " 0x80000002, expected one of the directory's",
            ])
        built = builder.with { $0.scriptInode = 77 }.build()
        #expect(
            try Self.lines(built.bytes) == [
                "image header.script_ino at \(Self.hex(built.storedOffset + 36)): found inode 0x4d,"
                    + " expected one of the directory's"
            ])
    }

    /// Inside a packed image places count from the image header in what it unpacks to.
    @Test func insideAPackedImagePlacesCountFromTheImageHeader() throws {
        let builder = Self.builder().with {
            $0.scriptInode = 77
            $0.packing = .ucl()
            $0.prefix = [UInt8](repeating: 0, count: 64)
        }
        #expect(
            try Self.lines(builder.build().bytes) == [
                "image header.script_ino at 0x24: found inode 0x4d, expected one of the directory's"
            ])
    }
}
