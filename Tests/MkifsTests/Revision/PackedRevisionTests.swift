import Mkifs
import TestSupport
import Testing

@testable import Format

/// Packed images that are changed: method and blocks stay, as far as nothing in them has changed.
struct PackedRevisionTests {
    /// The packed blocks of an image, by walking over their lengths.
    private func blocks(_ image: IFS.Image, _ bytes: [UInt8]) -> [[UInt8]] {
        var blocks: [[UInt8]] = []
        var place = Int(image.storedOffset)
        while true {
            let count = Int(bytes[place]) << 8 | Int(bytes[place + 1])
            guard count > 0 else { return blocks }
            blocks.append(Array(bytes[(place + 2)..<(place + 2 + count)]))
            place += 2 + count
        }
    }

    /// The file of most bytes before the last, and its place.
    private func victim(_ image: IFS.Image) -> (record: Int, range: Range<Int>)? {
        var found: (record: Int, range: Range<Int>)?
        for (record, entry) in image.directory.entries.enumerated() {
            guard case .file(let offset, let size) = entry.kind, size > 0,
                entry.inode & 0xa000_0000 == 0, entry.inode != image.header.scriptInode
            else { continue }
            found = (record, Int(offset)..<(Int(offset) + Int(size)))
        }
        return found
    }

    static let packed = Fixtures.allImages.filter { name in
        guard let image = try? IFS.Image.only(in: Fixtures.image(name)) else { return false }
        return image.compression == .lzo || image.compression == .ucl
    }

    @Test(arguments: packed)
    func blocksWithoutAChangeAreCopied(name: String) throws {
        let bytes = try Fixtures.image(name)
        let image = try IFS.Image.only(in: bytes)
        guard let (record, range) = victim(image) else { return }
        var node = try #require(Revision.Node(record, of: image))
        let data = try image.data(of: image.directory.entries[record]).map { ~$0 }
        node.kind = .file(.new(.bytes(data)))
        var revision = Revision()
        revision.changed = [node]
        let found = try revised(bytes, revision)
        let result = try IFS.Image.only(in: found)
        #expect(result.checkSums().allSatisfy { $0.word != "bad" })
        #expect(result.compression == image.compression)
        let old = blocks(image, bytes)
        let new = blocks(result, found)
        // Those of the file and of the trailer, and their neighbours where a stretch is two blocks.
        let touched = Set(
            range.map { $0 >> 16 } + [Int(image.header.imageSize - 1) >> 16]
        ).count
        #expect(Set(new).subtracting(old).count <= 2 * touched)
        #expect(try result.data(of: result.directory.entries[record]) == data)
    }

    /// Images of a packer that mkifs is not: what is copied shows.
    static let foreign: [ImageBuilder] = [
        (Packing.lzo(isFast: true), [Int]()), (.ucl(level: 1), []),
        (.ucl(level: 1), [0xf000, 0x1000, 0x8000]), (.lzo(isFast: true), [100, 0x10000, 5000]),
    ].map { packing, lengths in
        ImageBuilder(
            (0..<12).map { .file("f\($0)", SplitMix64.text(50_000 + $0, seed: UInt64($0))) }
        ).with {
            $0.packing = packing
            $0.blockLengths = lengths
        }
    }

    @Test(arguments: foreign)
    func aForeignStreamIsTheSameWithoutAChange(builder: ImageBuilder) throws {
        let bytes = builder.build().bytes
        #expect(try difference(revised(bytes, Revision()), bytes) == nil)
    }

    @Test(arguments: foreign)
    func ofAForeignStreamOnlyChangedBlocksArePackedAnew(builder: ImageBuilder) throws {
        let built = builder.build()
        let image = try IFS.Image.only(in: built.bytes)
        for size in [50_005, 1, 80_000] {
            var node = try image.node("f5")
            let data = SplitMix64.noise(size, seed: 99)
            node.kind = .file(.new(.bytes(data)))
            var revision = Revision()
            revision.changed = [node]
            let found = try revised(built.bytes, revision)
            let result = try IFS.Image.only(in: found)
            #expect(result.check() == [])
            let (old, new) = (try image.plainBytes(), try result.plainBytes())
            let stream = Set(blocks(result, found))
            var start = 0
            for block in built.blocks {
                let range = start..<(start + block.plainCount)
                start = range.upperBound
                guard range.upperBound < min(old.count, new.count), old[range] == new[range] else {
                    continue
                }
                let packed = Array(built.bytes[block.offset..<(block.offset + block.packedCount)])
                #expect(stream.contains(packed))
            }
        }
    }

    @Test(arguments: [Packing.zlib(), .ucl(), .lzo()])
    func sizesFollowWhenAPackedImageShrinksAndGrows(packing: Packing) throws {
        let builder = ImageBuilder([
            .file("a", SplitMix64.text(300_000)), .file("b", SplitMix64.text(200_000, seed: 2)),
        ]).with { $0.packing = packing }
        let bytes = builder.build().bytes
        let image = try IFS.Image.only(in: bytes)
        var revision = Revision()
        revision.removed = [2]
        let smaller = try revised(bytes, revision)
        let small = try IFS.Image.only(in: smaller)
        #expect(small.check() == [])
        #expect(small.header.imageSize < 310_000)
        #expect(small.startup?.imagefsSize == small.header.imageSize)
        #expect(small.startup.map { Int($0.storedSize) } == smaller.count)
        #expect(
            small.startup.map { $0.ramSize - $0.imagefsSize }
                == image.startup.map { $0.ramSize - $0.imagefsSize })
        revision = Revision()
        let text = SplitMix64.text(400_000, seed: 7)
        revision.added = [Revision.Node([0x63], .file(.new(.bytes(text))), mode: 0o100644)]
        let larger = try revised(bytes, revision)
        let large = try IFS.Image.only(in: larger)
        #expect(large.check() == [])
        #expect(large.startup.map { Int($0.storedSize) } == larger.count)
        #expect(try large.data(of: large.directory.entries[3]) == text)
        #expect(
            UInt64(larger.count)
                <= (try RevisionRoom(image).mostBytes(
                    added: 400_000, touched: 0, count: 1, growth: 36)))
    }

    /// What nothing has changed is known to be the image's own, with the zeros between its files, and
    /// need not be unpacked to see that. Zeros where a file was are others.
    @Test func zerosBetweenFilesAreKnownToBeTheSame() throws {
        let built = ImageBuilder(
            (0..<900).map { number in
                .file("f\(number)", SplitMix64.text(300 + number % 7, seed: UInt64(number)))
                    .with { $0.alignment = 64 }
            }
        ).with { $0.packing = .lzo(isFast: true) }.build()
        let image = try IFS.Image.only(in: built.bytes)
        let blocks = try #require(image.contents as? IFS.BlockSource)
        func extent(_ path: String) throws -> Range<UInt64> {
            let record = try #require(image.lastRecord(at: path))
            guard case .file(let offset, let size) = image.directory.entries[record].kind else {
                throw FormatError.truncated(Place(path, 0), needed: 1, available: 0)
            }
            return UInt64(offset)..<(UInt64(offset) + UInt64(size))
        }
        var node = try image.node("f500")
        node.kind = .file(.new(.bytes(SplitMix64.noise(200))))
        var revision = Revision()
        revision.changed = [node]
        revision.removed = [try #require(image.lastRecord(at: "f700"))]
        let plan = try RevisedPlan(image, revision).plan
        let contents = try Layout.image(of: plan, Toolbox(environment: [])).image.contents()
        let (first, last) = (try extent("f0").lowerBound, try extent("f899").upperBound)
        let (changed, removed) = (try extent("f500"), try extent("f700"))
        #expect(contents.takes(first..<changed.lowerBound, from: blocks))
        #expect(contents.takes(changed.upperBound..<removed.lowerBound, from: blocks))
        #expect(contents.takes(removed.upperBound..<last, from: blocks))
        #expect(!contents.takes(changed.lowerBound..<(changed.lowerBound + 1), from: blocks))
        for place in removed { #expect(!contents.takes(place..<(place + 1), from: blocks)) }
    }
}
