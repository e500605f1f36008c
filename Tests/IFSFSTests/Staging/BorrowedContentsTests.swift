import Format
import Foundation
import TestSupport
import Testing

@testable import IFSFS

/// Large files of which only the pieces that are changed come to the stage.
struct BorrowedContentsTests {
    private static let piece = 4096
    private static let bytes = SplitMix64.noise(10 * piece + 100)
    private let image: StagedImage

    init() throws {
        let entries: [ImageEntry] = [.file("large", Self.bytes), .file("small", Array("s".utf8))]
        image = try StagedImage(ImageBuilder(entries).build().bytes) {
            $0.pieceSize = UInt64(Self.piece)
        }
    }

    private func node(_ image: StagedImage? = nil) throws -> NodeID {
        try (image ?? self.image).fileSystem.lookup("large", in: .root).node
    }

    private func write(_ bytes: [UInt8], at offset: Int) throws {
        let node = try node()
        try bytes.withUnsafeBytes { bytes throws in
            try image.fileSystem.write(bytes, to: node, at: UInt64(offset))
        }
    }

    private func resize(to count: Int) throws {
        var change = AttributeChange()
        change.byteCount = UInt64(count)
        _ = try image.fileSystem.change(node(), change)
    }

    /// What the file of the stage has, zeros where it has nothing.
    private func stagedBytes() throws -> [UInt8] {
        let name =
            String(decoding: image.stage.path, as: UTF8.self) + "/data/\(try node().rawValue)"
        return Array(try Data(contentsOf: URL(fileURLWithPath: name)))
    }

    /// The file has these bytes: now, on another mount after a kill, and in the image that is made.
    private func expect(_ bytes: [UInt8], _ location: SourceLocation = #_sourceLocation) throws {
        let now = try image.fileSystem.bytes(node(), count: 100_000)
        #expect(now.firstDifference(from: bytes) == nil, sourceLocation: location)
        let next = try image.afterKill()
        let then = try next.fileSystem.bytes(node(next), count: 100_000)
        #expect(then.firstDifference(from: bytes) == nil, sourceLocation: location)
        #expect(try next.commit.run() == .written, sourceLocation: location)
        let saved = try VolumeFileSystem(StagedImage.open(image.path).volume)
        let found = try saved.bytes(
            saved.lookup("large", in: .root).node, count: 100_000)
        #expect(found.firstDifference(from: bytes) == nil, sourceLocation: location)
    }

    /// A small change brings one piece to the stage.
    @Test func aSmallChangeBringsOnePiece() throws {
        try write([1, 2, 3], at: 5 * Self.piece + 7)
        var expected = Self.bytes
        expected.replaceSubrange((5 * Self.piece + 7)..<(5 * Self.piece + 10), with: [1, 2, 3])
        let staged = try stagedBytes()
        let range = (5 * Self.piece)..<(6 * Self.piece)
        #expect(staged.count == expected.count && staged[range] == expected[range])
        #expect(staged[..<range.lowerBound].allSatisfy { $0 == 0 })
        #expect(staged[range.upperBound...].allSatisfy { $0 == 0 })
        try expect(expected)
    }

    @Test func changesAcrossPiecesAndBehindTheEndAreRead() throws {
        var expected = Self.bytes
        for offset in [0, 3 * Self.piece - 1, 9 * Self.piece, 10 * Self.piece + 99] {
            try write([7, 8, 9], at: offset)
            expected += [UInt8](repeating: 0, count: max(0, offset + 3 - expected.count))
            expected.replaceSubrange(offset..<(offset + 3), with: [7, 8, 9])
        }
        try expect(expected)
    }

    /// The more is there the more comes: many small changes do not each wait for the disk.
    @Test func manyChangesBringEverything() throws {
        for place in (0..<11).reversed() { try write([UInt8(place)], at: place * Self.piece) }
        var expected = Self.bytes
        for place in 0..<11 { expected[place * Self.piece] = UInt8(place) }
        #expect(try stagedBytes() == expected)
        try expect(expected)
    }

    /// What was cut off does not come back from the image when the file grows again.
    @Test func aFileThatGrowsAgainHasZeros() throws {
        try write([1], at: 0)
        try resize(to: 2 * Self.piece + 5)
        try resize(to: 8 * Self.piece)
        var expected = Array(Self.bytes[..<(2 * Self.piece + 5)])
        expected[0] = 1
        expected += [UInt8](repeating: 0, count: 8 * Self.piece - expected.count)
        try expect(expected)
    }

    @Test func aWriteBehindACutLeavesZerosBetween() throws {
        try resize(to: 6 * Self.piece)
        try resize(to: 3 * Self.piece)
        try write([5], at: 7 * Self.piece)
        let zeros = [UInt8](repeating: 0, count: 4 * Self.piece)
        try expect(Array(Self.bytes[..<(3 * Self.piece)]) + zeros + [5])
    }

    @Test(arguments: [Allocation.punchHole, .zero(keepsSize: true)])
    func aHoleIsNotFilledFromTheImage(mode: Allocation) throws {
        let range = (2 * Self.piece + 3)..<(6 * Self.piece + 1)
        try image.fileSystem.allocate(
            UInt64(range.lowerBound)..<UInt64(range.upperBound), of: node(), mode)
        var expected = Self.bytes
        for place in range { expected[place] = 0 }
        try expect(expected)
    }

    /// The same bytes written again are no change.
    @Test func theSameBytesAreNoChange() throws {
        let before = try image.bytes()
        try write(Array(Self.bytes[5000..<6000]), at: 5000)
        #expect(try image.commit.run() == .unchanged)
        #expect(try image.bytes() == before)
    }

    /// A file that is open and has no name any more keeps what it has from an image that is replaced.
    @Test func aFileWithoutANameKeepsItsBytes() throws {
        let node = try node()
        try image.fileSystem.open(node)
        try write([4], at: Self.piece)
        try image.fileSystem.remove(Array("large".utf8), from: .root, isDirectory: false)
        #expect(try image.commit.run() == .written)
        var expected = Self.bytes
        expected[Self.piece] = 4
        #expect(
            try image.fileSystem.bytes(node, count: 100_000).firstDifference(from: expected) == nil)
        image.fileSystem.close(node)
    }
}
