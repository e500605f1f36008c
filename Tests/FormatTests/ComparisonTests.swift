import TestSupport
import Testing

@testable import Format

/// Sources that are compared, and read in pieces, by several threads at a time.
struct ComparisonTests {
    private static let bytes = SplitMix64.noise(5 << 20 | 77)

    @Test(arguments: [0, 1, 65_535, 65_536, 1 << 20, 3 << 20 | 5, bytes.count - 1])
    func theFirstDifferenceIsFound(place: Int) throws {
        var other = Self.bytes
        // Later ones do not count, whoever finds them first.
        for place in stride(from: place, to: other.count, by: 700_000) { other[place] ^= 0x40 }
        let (one, two) = (MemorySource(Self.bytes), MemorySource(other))
        #expect(try one.firstDifference(from: two) == UInt64(place))
        #expect(try two.firstDifference(from: one) == UInt64(place))
    }

    @Test(arguments: [0, 1, 65_536, 1 << 20, 2 << 20 | 9])
    func whatEndsFirstDiffersThere(count: Int) throws {
        let one = MemorySource(Self.bytes)
        let other = WindowSource(one, from: 0, count: UInt64(count))
        #expect(try one.firstDifference(from: other) == UInt64(count))
        #expect(try other.firstDifference(from: one) == UInt64(count))
        #expect(try one.firstDifference(from: one) == nil)
    }

    /// What both have from the same place is not read.
    @Test func sharedBytesAreNotRead() throws {
        let shared = CountingSource(Self.bytes)
        func source(_ middle: UInt8) throws -> AssembledSource {
            try AssembledSource(
                [
                    AssembledSource.Part(at: 0, WindowSource(shared, from: 0, count: 2 << 20)),
                    AssembledSource.Part(at: 2 << 20, MemorySource([middle])),
                    AssembledSource.Part(
                        at: 2 << 20 | 1, WindowSource(shared, from: 2 << 20 | 1, count: 2 << 20)),
                ], byteCount: 4 << 20 | 1)
        }
        #expect(try source(1).firstDifference(from: source(1)) == nil)
        let read = shared.takeReads().reduce(0) { $0 + $1.count }
        #expect(read <= 4 * 65_536)
        #expect(try source(1).firstDifference(from: source(2)) == 2 << 20)
    }

    /// The same bytes of another place are read.
    @Test func bytesOfAnotherPlaceAreCompared() throws {
        let shared = CountingSource(Self.bytes)
        let one = WindowSource(shared, from: 0, count: 1 << 20)
        let other = WindowSource(shared, from: 1 << 20, count: 1 << 20)
        #expect(try one.firstDifference(from: other) != nil)
    }

    private struct Failing: ByteSource {
        let byteCount: UInt64 = 4 << 20
        let place: UInt64

        func read(
            into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
        ) throws(FormatError) -> Int {
            guard offset + UInt64(buffer.count) <= place else {
                throw .io(Place("byte", place), errno: 5)
            }
            buffer.initializeMemory(as: UInt8.self, repeating: 0)
            return buffer.count
        }
    }

    /// A failure counts unless there is a difference before it.
    @Test func aFailureIsThrown() throws {
        let zeros = MemorySource([UInt8](repeating: 0, count: 4 << 20))
        #expect(throws: FormatError.self) {
            try zeros.firstDifference(from: Failing(place: 3 << 20))
        }
        var bytes = [UInt8](repeating: 0, count: 4 << 20)
        bytes[1000] = 1
        let found = try MemorySource(bytes).firstDifference(from: Failing(place: 3 << 20))
        #expect(found == 1000)
    }

    @Test(arguments: [0, 1, 1 << 20, 1 << 20 | 1, 4 << 20, 5 << 20 | 77])
    func piecesComeInOrder(count: Int) throws {
        var pieces = PieceReader(
            WindowSource(MemorySource(Self.bytes), from: 0, count: UInt64(count)))
        var found: [UInt8] = []
        while let piece = try pieces.next() { found += piece }
        #expect(found == Array(Self.bytes[..<count]))
    }

    @Test func aPieceThatCannotBeReadIsAnError() throws {
        var pieces = PieceReader(Failing(place: 2 << 20))
        #expect(throws: FormatError.self) { while try pieces.next() != nil {} }
    }

    /// Of packed blocks that are the same nothing is unpacked, with zeros between the files or not.
    /// Here that shows, since one of them cannot be unpacked.
    @Test func samePackedBlocksAreNotUnpacked() throws {
        var built = ImageBuilder([.file("a", SplitMix64.text(300_000))])
            .with { $0.packing = .lzo(isFast: true) }.build()
        let block = built.blocks[1]
        for place in block.offset..<(block.offset + block.packedCount) { built.bytes[place] = 0xff }
        let old = try #require(IFS.Image.only(in: built.bytes).contents as? IFS.BlockSource)
        let new = try IFS.Image.only(in: built.bytes).contents
        let gap: Range<UInt64> = 70_000..<70_003
        func expected(_ ranges: [Range<UInt64>]) throws -> AssembledSource {
            let rest = WindowSource(old, from: gap.upperBound, count: .max)
            return try AssembledSource(
                [
                    AssembledSource.Part(
                        at: 0, WindowSource(old, from: 0, count: gap.lowerBound)),
                    AssembledSource.Part(at: gap.upperBound, rest),
                ], byteCount: old.byteCount,
                zeros: AssembledSource.Zeros(source: old, ranges: ranges))
        }
        let containing: [Range<UInt64>] = [gap, 69_999..<70_004, 70_000..<80_000]
        for known in containing {
            #expect(
                try new.firstDifference(from: expected([10..<20, known, 90_000..<90_001])) == nil)
        }
        let others: [[Range<UInt64>]] = [
            [], [70_001..<70_003], [70_000..<70_002], [10..<20, 70_003..<70_010],
        ]
        for unknown in others {
            #expect(throws: FormatError.self) {
                try new.firstDifference(from: expected(unknown))
            }
        }
    }
}
