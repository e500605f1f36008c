import TestSupport
import Testing

@testable import Format

/// The images of a disk: where they are looked for, and what that may cost.
struct DiskImagesTests {
    private static func image(_ name: String) -> [UInt8] {
        ImageBuilder([.file(name, "x")]).build().bytes
    }

    private static func images(_ bytes: [UInt8]) throws -> Disk.InnerImages {
        let disk = try #require(try Disk.find(in: MemorySource(bytes)))
        return try disk.images(in: MemorySource(bytes))
    }

    /// What a test holds against: part, path, name of the file inside.
    private static func seen(_ images: Disk.InnerImages) -> [String] {
        images.found.map { found in
            let inside = found.image.directory.path(of: found.image.directory.entries[1])
            return [
                found.part.map { "\($0)" } ?? "-", found.path.map { printable($0) } ?? "-",
                printable(inside),
            ].joined(separator: " ")
        }
    }

    @Test func filesAreSearchedByTheirNamesAndBytesEverywhere() throws {
        var fat = FATImage(bits: 12)
        fat.addFile("X       IFS", Self.image("one"))
        fat.addFile("OTHER   BIN", Self.image("two"))
        fat.addFile("TEXT    IFS", Array("no image".utf8))
        let folder = fat.addFolder("SUB")
        fat.addFile(
            "IFS-A   BIN", [UInt8](repeating: 7, count: 100) + Self.image("three"), to: folder)
        let raw = Self.image("four") + Self.image("five")
        var disk = DiskImage([(0x0c, 64, fat.bytes), (0x83, 300, raw)])
        disk.bytes.set(Self.image("six"), at: 900 * 512)
        #expect(
            try Self.seen(Self.images(disk.bytes)) == [
                "0 SUB/IFS-A.BIN three", "0 X.IFS one", "1 - four", "1 - five", "- - six",
            ])
    }

    /// Places of images in bytes are those of the disk; of images in files, those of the file.
    @Test func placesCountFromTheDiskOrTheFile() throws {
        var fat = FATImage(bits: 12)
        fat.addFile("X       IFS", Self.image("one"))
        let raw = [UInt8](repeating: 7, count: 40) + Self.image("two")
        let disk = DiskImage([(0x0c, 64, fat.bytes), (0x83, 300, raw)])
        let found = try Self.images(disk.bytes).found
        #expect(found.map(\.image.headerOffset) == [0, 300 * 512 + 40])
        // What is in a partition ends there at the latest.
        #expect(found[1].image.file.byteCount == 301 * 512 + UInt64(raw.count / 512 * 512))
        #expect(found.allSatisfy { $0.image.missingByteCount == 0 })
    }

    /// In QNX 6 and QNX 4 the loaders' own places are searched, whatever the files are called.
    @Test func loadersPlacesAreSearched() throws {
        let image = Self.image("qnx")
        var six = SmallQNX6()
        six.nodes[3] = SmallQNX6.Node(mode: 0o100644)
        six.file(3, image)
        six.directory(2, in: 1, [(3, .short("any"))])
        #expect(try Self.seen(Self.images(six.build())) == ["0 .boot/any qnx"])
        // An empty `.boot` and `.altboot` are no images.
        #expect(try Self.seen(Self.images(SmallQNX4().build())) == [])
    }

    /// A partition with a file system that cannot be opened is bytes.
    @Test func aBrokenFileSystemIsSearchedAsBytes() throws {
        var six = SmallQNX6().build()
        six.set(Self.image("inside"), at: 0x3000 + 100 * 512)
        six[0x2000 + 48] ^= 0xff
        six[six.count - 0x1000 + 48] ^= 0xff
        let disk = DiskImage([(0xb3, 64, six)])
        let found = try Disk.find(in: disk.source)
        #expect(found?.parts[0].failure != nil)
        #expect(try Self.seen(Self.images(disk.bytes)) == ["0 - inside"])
    }

    /// Bytes are searched once, however many partitions have them.
    @Test func bytesInSeveralPartitionsAreSearchedOnce() throws {
        var disk = DiskImage([(0x83, 64, Self.image("one"))])
        disk.add(0x83, at: 60, [], sectors: 100)
        disk.add(0x83, at: 64, [], sectors: 400)
        #expect(try Self.seen(Self.images(disk.bytes)) == ["0 - one"])
        let found = try #require(try Disk.find(in: disk.source))
        let stretches = found.rawStretches(UInt64(disk.bytes.count))
        let ends = stretches.map(\.range.upperBound)
        #expect(stretches.map(\.range.lowerBound) == [0] + ends.dropLast())
        #expect(ends.last == UInt64(disk.bytes.count))
        #expect(stretches.allSatisfy { $0.end >= $0.range.upperBound })
    }

    /// Many names of the same bytes are not worth many times the work.
    @Test func namesOfTheSameBytesAreBounded() throws {
        var fat = FATImage(bits: 12, clusterCount: 400, rootSlots: 512)
        let image = Self.image("one") + [UInt8](repeating: 0, count: 60_000)
        fat.addFile("A       IFS", image)
        for number in 100..<400 {
            fat.addSlot(FATImage.slot("B\(number)    IFS", start: 2, size: image.count))
        }
        let found = try Self.images(fat.bytes)
        #expect(found.found.count > 3 && found.found.count < 20)
        #expect(found.failures.map { "\($0.error)" }.first?.contains("files of images") == true)
    }

    /// A name that leads to the same file again shows no image again.
    @Test func aLinkIsNoSecondImage() throws {
        let image = Self.image("linked")
        var six = SmallQNX6()
        six.nodes[3] = SmallQNX6.Node(mode: 0o100644, linkCount: 2)
        six.file(3, image)
        six.directory(
            1, in: 1, [(2, .short(".boot")), (3, .short("b.ifs")), (3, .short("a.ifs"))])
        #expect(try Self.seen(Self.images(six.build())) == ["0 a.ifs linked"])
    }

    /// What cannot be read is told, and does not hide the rest.
    @Test func whatCannotBeReadIsToldOnceOfEachPart() throws {
        var fat = FATImage(bits: 12)
        fat.addFile("A       IFS", Self.image("one") + SplitMix64.noise(2000))
        let broken = fat.addFolder("SUB")
        _ = fat.addFolder("SUB2")
        fat.addFile("Z       IFS", Self.image("two"))
        fat.bytes.set(UInt16(9999), at: try #require(broken.entry) + 26)
        fat.link(3, to: 0)
        let disk = DiskImage([(0x0c, 64, fat.bytes)])
        let found = try Self.images(disk.bytes)
        #expect(Self.seen(found).contains("0 Z.IFS two"))
        #expect(found.failures.count == 1 && found.failures.first?.part == 0)
    }

    /// No damage of a disk's bytes does worse than to hide images.
    @Test func damageIsSurvived() throws {
        var fat = FATImage(bits: 12)
        fat.addFile("X       IFS", Self.image("one"))
        let folder = fat.addFolder("SUB")
        fat.addFile("Y       IFS", Self.image("two"), to: folder)
        let whole = DiskImage(
            [
                (0x0c, 64, fat.bytes), (0xb3, 200, SmallQNX6().build()),
                (0x4d, 560, SmallQNX4().build()), (0x83, 700, Self.image("raw")),
            ]
        ).bytes
        var random = SplitMix64(seed: 0x51c3)
        for _ in 0..<24 {
            var bytes = whole
            for _ in 0..<8 {
                let place = [
                    446 + Int.random(in: 0..<64, using: &random),
                    Int.random(in: 64 * 512..<72 * 512, using: &random),
                    Int.random(in: 200 * 512..<240 * 512, using: &random),
                    Int.random(in: 560 * 512..<570 * 512, using: &random),
                    Int.random(in: 700 * 512..<701 * 512, using: &random),
                ].randomElement(using: &random)!
                bytes[place] = UInt8.random(in: 0...255, using: &random)
            }
            let source = MemorySource(bytes)
            guard let disk = try? Disk.find(in: source) else { continue }
            _ = try disk.images(in: source)
            _ = disk.check(in: source)
        }
    }
}
