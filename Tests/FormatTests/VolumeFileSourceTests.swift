import TestSupport
import Testing

@testable import Format

/// A volume's file as a source of bytes.
struct VolumeFileSourceTests {
    /// A FAT12 with a file whose clusters lie apart and out of order, and a directory.
    private static func volume() throws -> (FAT.Volume, contents: [UInt8]) {
        var image = FATImage(bits: 12)
        let contents = SplitMix64.noise(1700)
        image.addFile("A       BIN", contents)
        // Clusters 2 to 5, one after the other: the second and the third change places.
        let (one, two) = (image.place(3), image.place(4))
        let (second, third) = (
            Array(image.bytes[one..<one + 512]), Array(image.bytes[two..<two + 512])
        )
        image.bytes.set(third, at: one)
        image.bytes.set(second, at: two)
        image.link(2, to: 4)
        image.link(4, to: 3)
        image.link(3, to: 5)
        _ = image.addFolder("SUB")
        return (try FAT.Volume(MemorySource(image.bytes)), contents)
    }

    @Test func aFileInPiecesIsReadFromAnyByteOn() throws {
        let (volume, contents) = try Self.volume()
        let node = try #require(try volume.lookup(Array("a.bin".utf8), in: .root))
        let source = try #require(try VolumeFileSource(volume, node))
        #expect(source.byteCount == 1700)
        for (offset, count) in [(0, 1700), (0, 5000), (500, 30), (1023, 2), (1699, 10)] {
            let found = try source.prefix(count, at: UInt64(offset))
            #expect(difference(found, contents.dropFirst(offset).prefix(count)) == nil)
        }
        #expect(try source.prefix(1, at: 1700) == [] && source.prefix(1, at: .max) == [])
    }

    @Test func whatIsNoFileIsNoSource() throws {
        let (volume, _) = try Self.volume()
        let folder = try #require(try volume.lookup(Array("sub".utf8), in: .root))
        #expect(try VolumeFileSource(volume, folder) == nil)
        #expect(try VolumeFileSource(volume, .root) == nil)
        #expect(try VolumeFileSource(volume, NodeID(rawValue: 999_999)) == nil)
    }

    @Test func aBrokenChainIsAnErrorOfTheFile() throws {
        var image = FATImage(bits: 12)
        image.addFile("A       BIN", SplitMix64.noise(1700))
        image.link(3, to: 0)
        let volume = try FAT.Volume(MemorySource(image.bytes))
        let node = try #require(try volume.lookup(Array("a.bin".utf8), in: .root))
        let source = try #require(try VolumeFileSource(volume, node))
        #expect(try source.prefix(512, at: 0).count == 512)
        #expect(throws: FormatError.self) { try source.prefix(1700, at: 0) }
    }
}
