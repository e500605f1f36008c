import Format
import TestSupport
import Testing

struct ScannerTests {
    private static let entries: [ImageEntry] = [
        .directory("etc"), .file("etc/motd", "hello\n"), .file("noise", SplitMix64.noise(3000)),
    ]
    private static let paths = ["", "etc", "etc/motd", "noise"]

    // MARK: Where images are found

    static let offsets = [0, 1, 3, 8, 255, 4096, 65_537, (1 << 20) - 3, (1 << 20) - 1, 1 << 20]

    @Test(arguments: offsets, [Packing.none, .ucl(level: 1), .zlib(), .lzo(isFast: true)])
    func aBootableImageIsFoundAnywhere(offset: Int, packing: Packing) throws {
        for isBig in [false, true] {
            let built = ImageBuilder(Self.entries).with {
                $0.packing = packing
                $0.isBigEndian = isBig
            }.build()
            let file = SplitMix64.noise(offset) + built.bytes + SplitMix64.noise(100)
            let image = try IFS.Image.only(in: file)
            #expect(image.paths == Self.paths)
            #expect(image.headerOffset == UInt64(offset))
            #expect(image.storedOffset == UInt64(offset + built.storedOffset))
            #expect(image.end == UInt64(offset + built.bytes.count))
            #expect(image.displacement == 0 && image.missingByteCount == 0)
            #expect(image.startup?.order == (isBig ? .big : .little))
            #expect(image.header.order == (isBig ? .big : .little))
        }
    }

    @Test(arguments: offsets)
    func aBareImageIsFoundAnywhere(offset: Int) throws {
        for isBig in [false, true] {
            let built = ImageBuilder.bare(Self.entries).with { $0.isBigEndian = isBig }.build()
            let image = try IFS.Image.only(in: SplitMix64.noise(offset) + built.bytes + [7, 7])
            #expect(image.paths == Self.paths)
            #expect(image.headerOffset == UInt64(offset) && image.startup == nil)
            #expect(image.start == UInt64(offset) && image.storedOffset == UInt64(offset))
            #expect(image.end == UInt64(offset + built.bytes.count))
        }
    }

    @Test func zerosBeforeAnImageDoNotHideIt() throws {
        for order in [false, true] {
            let built = ImageBuilder(Self.entries).with { $0.isBigEndian = order }.build()
            for count in 1...9 {
                let file = [UInt8](repeating: 0, count: count) + built.bytes
                #expect(try IFS.Image.only(in: file).headerOffset == UInt64(count))
            }
        }
    }

    /// Of a sparse file of terabytes only the data are searched; a mark can begin in a hole.
    @Test(.timeLimit(.minutes(20)), arguments: [0, 1, 4096])
    func holesAreNotSearched(shift: Int) throws {
        let place = UInt64(5 << 40) - UInt64(shift)
        let built = ImageBuilder(Self.entries).with { $0.isBigEndian = true }.build()
        let file = HoledSource(byteCount: 9 << 40, at: place, built.bytes)
        var scanner = IFS.Scanner(file)
        let image = try #require(try scanner.next())
        #expect(image.paths == Self.paths && image.headerOffset == place)
        #expect(try scanner.next() == nil)
    }

    /// Bytes in memory in a source of zeros, which tells where they are but for zeros before them.
    private struct HoledSource: ByteSource {
        let byteCount: UInt64
        let place: UInt64
        let bytes: [UInt8]

        init(byteCount: UInt64, at place: UInt64, _ bytes: [UInt8]) {
            self.byteCount = byteCount
            self.place = place
            self.bytes = bytes
        }

        func read(
            into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
        ) throws(FormatError) -> Int {
            let count = Int(clamping: min(UInt64(buffer.count), byteCount - min(offset, byteCount)))
            for index in 0..<count {
                let position = offset + UInt64(index)
                let inside = position >= place && position - place < UInt64(bytes.count)
                buffer[index] = inside ? bytes[Int(position - place)] : 0
            }
            return count
        }

        func dataStart(from offset: UInt64) -> UInt64 {
            let first = place + UInt64(bytes.prefix { $0 == 0 }.count)
            if offset < first { return first }
            return offset - place < UInt64(bytes.count) ? offset : byteCount
        }
    }

    @Test func theBootPrefixBelongsToTheImageBehindIt() throws {
        let built = ImageBuilder(Self.entries).with { $0.prefix = SplitMix64.noise(0x3f8) }.build()
        let file = SplitMix64.noise(1000) + built.bytes
        let image = try IFS.Image.only(in: file)
        #expect(image.start == 1000)
        #expect(image.headerOffset == 1000 + 0x3f8)
        let cut = try IFS.Image.only(in: Array(file.dropFirst(1100)))
        #expect(cut.start == 0, "a prefix that begins before the file")
    }

    @Test func severalImagesAreFoundInOrder() throws {
        let first = ImageBuilder(Self.entries).build().bytes
        let second = ImageBuilder.bare([.file("second", "2")]).build().bytes
        let third = ImageBuilder([.file("third", "3")]).with {
            $0.packing = .ucl(level: 1)
            $0.prefix = [1, 2, 3, 4]
        }.build().bytes
        let fourth = Wrap.hbcifs(
            ImageBuilder.bare([.file("fourth", "4")]).build().plain, .lzo(isFast: true))
        let file = first + second + SplitMix64.noise(77) + third + [0xff] + fourth + [0, 0]
        let found = try IFS.Scanner.images(in: file).images
        #expect(found.map { $0.paths.last } == ["noise", "second", "third", "fourth"])
        #expect(found.map(\.end).last == UInt64(file.count - 2))
        let late = try IFS.Scanner.images(in: file, from: UInt64(first.count)).images
        #expect(late.map { $0.paths.last } == ["second", "third", "fourth"])
        let none = try IFS.Scanner.images(in: file, from: UInt64(file.count) + 5)
        #expect(none.images.isEmpty)
    }

    @Test func anImageInsideAnAcceptedOneIsNotAnotherOne() throws {
        let inner = ImageBuilder(Self.entries).build().bytes
        let outer = ImageBuilder([.file("inner.ifs", inner), .file("text", "imagefs imagefs")])
            .build().bytes
        let image = try IFS.Image.only(in: outer)
        #expect(image.paths == ["", "inner.ifs", "text"])
        let bare = ImageBuilder.bare([.file("inner.ifs", inner)]).build().bytes
        #expect(try IFS.Image.only(in: bare).paths == ["", "inner.ifs"])
    }

    // MARK: Deviations that are read

    @Test func fieldsThatShouldBeZeroMayBeOthers() throws {
        let built = ImageBuilder(Self.entries).with {
            $0.flags2 = 1
            $0.zeroHalf = 0x1234
            $0.zeroWord = 0x3000_0013
            $0.addressOffset = 0x1000_0000
            $0.info = SplitMix64.noise(192)
        }.build()
        let image = try IFS.Image.only(in: built.bytes)
        #expect(image.paths == Self.paths)
        #expect(image.startup?.flags2 == 1 && image.startup?.zeroWord == 0x3000_0013)
    }

    /// The header is looked for at the place itself, then behind it.
    @Test(arguments: [0, 4, 8, 100, 4000, 5000, 100_000, 1 << 20, (1 << 20) + 1])
    func aStartupSizeThatIsTooSmallIsMadeUpFor(missing: Int) throws {
        let built = ImageBuilder(Self.entries).with {
            $0.program = Array("imagefs stands in the startup's own data imagefs\0".utf8)
            $0.program += SplitMix64.noise(missing + 2000)
        }.build()
        var bytes = built.bytes
        let size = bytes.integer(UInt32.self, at: 32)
        bytes.set((size - UInt32(missing)) & ~3, at: 32)
        let image = try IFS.Image.only(in: bytes)
        #expect(image.paths == Self.paths)
        #expect(image.storedOffset == UInt64(built.storedOffset))
        #expect(image.displacement == UInt64((missing + 3) & ~3))
    }

    @Test func theSearchEndsWithTheStoredImage() throws {
        let built = ImageBuilder(Self.entries).build()
        var bytes = built.bytes
        bytes.set(Array("IMAGEFS".utf8), at: built.storedOffset)
        bytes += ImageBuilder.bare([.file("other", "x")]).build().bytes
        let found = try IFS.Scanner.images(in: bytes)
        #expect(found.images.map(\.paths) == [["", "other"]])
        #expect(found.images.first?.startup == nil)
    }

    /// A tail that is not there is reported; the rest is read.
    @Test(arguments: [1, 4, 100, 2000], [true, false])
    func aCutFileIsReadAsFarAsItGoes(missing: Int, isBootable: Bool) throws {
        let built = ImageBuilder(Self.entries).with { $0.hasStartup = isBootable }.build()
        let image = try IFS.Image.only(in: Array(built.bytes.dropLast(missing)))
        #expect(image.missingByteCount == UInt64(missing))
        #expect(image.paths == Self.paths)
        let file = try #require(image.directory.entries.last)
        if missing > 8 {
            #expect(throws: FormatError.self) { try image.data(of: file) }
        } else {
            #expect(try image.data(of: file).count == 3000)
        }
        #expect(try image.data(of: image.directory.entries[2]) == Array("hello\n".utf8))
    }

    @Test func aStoredSizeWithBytesBehindTheImageIsLawful() throws {
        let built = ImageBuilder(Self.entries).with {
            $0.startupPatches = [.init(36, [0, 0, 1, 0])]
        }.build()
        let image = try IFS.Image.only(in: built.bytes + [1, 2, 3])
        #expect(image.end == 0x10000)
        #expect(image.paths == Self.paths)
    }

    // MARK: What is no image

    @Test func textsAndMarksInOtherDataAreRefused() throws {
        var random = SplitMix64(seed: 12)
        let marks: [[UInt8]] = [
            [0xeb, 0x7e, 0xff, 0x00], [0x00, 0xff, 0x7e, 0xeb], Array("imagefs".utf8),
            Array("imagefs\0".utf8), Array("hbcifs\0".utf8),
            [0xeb, 0x7e, 0xff, 0x00, 1, 0, 1, 0, 0, 1], Array("imagefs\u{4}".utf8),
        ]
        for _ in 0..<20 {
            var file: [UInt8] = []
            for _ in 0..<100 { file += marks.randomElement(using: &random)! + random.noise(50) }
            let found = try IFS.Scanner.images(in: file)
            #expect(found.images.isEmpty)
            #expect(found.refusal != nil)
        }
    }

    @Test func filesWithoutAnyMarkHaveNoRefusal() throws {
        for file in [[], [0xeb], SplitMix64.text(3000), [UInt8](repeating: 0, count: 3 << 20)] {
            let found = try IFS.Scanner.images(in: file)
            #expect(found.images.isEmpty && found.refusal == nil)
        }
    }

    /// The text alone is no image: a directory that starts with the root's record belongs to it.
    @Test(
        arguments: [
            (7, [0x20]), (16, [0x60]), (12, [0x5c, 0]), (8, [1, 0, 0, 0]),
            (0x5c, [32]), (0x5c + 4, [0, 0, 0, 0]), (0x5c + 9, [0x80]), (0x5c + 24, [0x41]),
        ] as [(Int, [UInt8])])
    func aBareImageThatBreaksARuleIsRefused(offset: Int, bytes: [UInt8]) throws {
        var file = ImageBuilder.bare(Self.entries).build().bytes
        file.set(bytes, at: offset)
        let found = try IFS.Scanner.images(in: file)
        #expect(found.images.isEmpty)
        #expect(found.refusal != nil)
    }

    /// A bootable image need not list its root.
    @Test func aRootIsNotWantedBehindAStartupHeader() throws {
        let built = ImageBuilder(Self.entries).with { $0.root = nil }.build()
        #expect(try IFS.Image.only(in: built.bytes).paths == Array(Self.paths.dropFirst()))
    }

    @Test func aPackedImageThatDoesNotStartWithAnImageHeaderIsRefused() throws {
        for packing in [Packing.ucl(level: 1), .lzo(isFast: true), .zlib()] {
            let built = ImageBuilder(Self.entries).with {
                $0.packing = packing
                $0.imagePatches = [.init(0, Array("IMAGEFS".utf8))]
            }.build()
            let found = try IFS.Scanner.images(in: built.bytes)
            #expect(found.images.isEmpty)
            #expect(found.refusal?.place.field == "image header.signature")
        }
    }

    /// What is said of a file without image: a header that failed says more than a text.
    @Test func aBrokenHeaderIsABetterReasonThanAText() throws {
        var file = Array("imagefs is what tools search for".utf8) + SplitMix64.noise(50)
        var image = ImageBuilder(Self.entries).build().bytes
        image.set([0x20], at: 6)
        image.set([0, 0, 0, 0], at: 44)
        file += image.prefix(300)
        let found = try IFS.Scanner.images(in: file)
        #expect(found.images.isEmpty)
        #expect(found.refusal?.place.field == "startup header.imagefs_size")
    }

    // MARK: Bounds

    /// Each false header sends a search for `imagefs` through the file, unless it is remembered.
    @Test(arguments: [0, 1 << 16])
    func manyFalseHeadersCostAWalkOrTwoAndNotOneEach(texts: Int) throws {
        var file = [UInt8](repeating: 0x55, count: 24 << 20)
        for index in 0..<texts { file.set(Array("imagefs".utf8), at: file.count - 8 - 250 * index) }
        let header = ImageBuilder(Self.entries).build().bytes.prefix(256)
        let count = 20_000
        for index in 0..<count {
            var head = Array(header)
            // Startup areas that end earlier and earlier.
            head.set(UInt32(0x10_0000 + 308 * (count - index)), at: 32)
            head.set(UInt32(0x2000_0000), at: 36)
            file.set(head, at: 300 * index)
        }
        let start = Measure.threadSeconds
        #expect(try IFS.Scanner.images(in: file).images.isEmpty)
        #expect(Measure.threadSeconds - start < 2)
    }

    /// Packed data is looked at by false headers only so many times.
    @Test func manyFalsePackedHeadersAreGivenUpOn() throws {
        let built = PackedImages.image(unpackedTo: 600_000, .ucl(level: 1)).with {
            // A directory that ends behind the stream: everything is decoded before it is refused.
            $0.imagePatches = [
                .init(8, [0, 0, 0, 2]), .init(12, [0, 0, 0xf0, 0]), .init(16, [0x5c, 0, 0, 0]),
            ]
        }.build()
        let header = Array(built.bytes.prefix(256))
        let count = 5000
        var file: [UInt8] = []
        for index in 0..<count {
            var head = header
            head.set(UInt32(256 * (count - index)), at: 32)
            head.set(UInt32(256 * (count - index) + built.bytes.count), at: 36)
            head.set(UInt32(0x0200_0000), at: 44)
            file += head
        }
        file += built.bytes[built.storedOffset...]
        let start = Measure.threadSeconds
        #expect(try IFS.Scanner.images(in: file).images.isEmpty)
        #expect(Measure.threadSeconds - start < 5)
    }

    /// The scan's own speed, on what flash dumps are full of.
    @Test(arguments: [0x00, 0xff, 0x55] as [UInt8])
    func anEmptyFlashIsScannedFast(value: UInt8) throws {
        let file = [UInt8](repeating: value, count: 64 << 20)
        let start = Measure.threadSeconds
        #expect(try IFS.Scanner.images(in: file).images.isEmpty)
        #expect(Measure.threadSeconds - start < 3, "64 MiB")
    }
}
