import Format
import Mkifs
import TestSupport
import Testing

/// Images laid out anew without holes.
struct CompactionTests {
    private func compacted(_ bytes: [UInt8], isForced: Bool = false) throws -> [UInt8] {
        try built(RevisedPlan(compacting: IFS.Image.only(in: bytes), isForced: isForced).plan)
    }

    /// Compacts, and looks at what all compact images have in common.
    private func expectCompact(
        _ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> [UInt8] {
        let image = try IFS.Image.only(in: bytes)
        let found = try compacted(bytes)
        let result = try IFS.Image.only(in: found)
        #expect(
            try differences(result.tree(), image.tree()) == [], sourceLocation: sourceLocation)
        #expect(result.paths == image.paths, sourceLocation: sourceLocation)
        #expect(result.check() == image.check(), sourceLocation: sourceLocation)
        #expect(
            result.checkSums().allSatisfy { $0.word != "bad" }, sourceLocation: sourceLocation)
        #expect(found.count <= bytes.count, sourceLocation: sourceLocation)
        #expect(
            result.header.imageSize <= image.header.imageSize, sourceLocation: sourceLocation)
        for (entry, other) in zip(result.directory.entries, image.directory.entries)
        where other.inode & 0x2000_0000 != 0 {
            #expect(entry == other, sourceLocation: sourceLocation)
        }
        #expect(try difference(compacted(found), found) == nil, sourceLocation: sourceLocation)
        return found
    }

    @Test(arguments: Fixtures.allImages)
    func anImageIsNoLargerAndHasTheSameTree(name: String) throws {
        _ = try expectCompact(Fixtures.image(name))
    }

    /// Every other file but bootstrap executables, the script and names of files with several.
    private func removed(_ image: IFS.Image) -> [Int] {
        let inodes = Dictionary(grouping: image.directory.entries, by: \.inode)
        let files = image.directory.entries.indices.dropFirst().filter { record in
            let entry = image.directory.entries[record]
            guard case .file(_, let size) = entry.kind, size > 0 else { return false }
            return entry.inode & 0x2000_0000 == 0 && inodes[entry.inode]?.count == 1
                && entry.inode != image.header.scriptInode
        }
        return files.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
    }

    @Test(arguments: Fixtures.allImages)
    func holesOfRemovedFilesAreClosed(name: String) throws {
        let bytes = try Fixtures.image(name)
        var revision = Revision()
        revision.removed = removed(try .only(in: bytes))
        _ = try expectCompact(revised(bytes, revision))
    }

    /// Directory, data and a sum.
    @Test(arguments: [Packing.none, .lzo(), .ucl(), .zlib()])
    func anImageOfPlainFilesHasNothingButTheirBytes(packing: Packing) throws {
        let entries = (0..<30).map {
            ImageEntry.file("f\($0)", SplitMix64.noise(1000 + 37 * $0, seed: UInt64($0)))
        }
        let bytes = ImageBuilder(entries).with { $0.packing = packing }.build().bytes
        var revision = Revision()
        revision.removed = removed(try .only(in: bytes))
        let found = try expectCompact(revised(bytes, revision))
        let header = try IFS.Image.only(in: found).header
        let data = (0..<30).filter { $0 % 2 == 1 }.reduce(0) { $0 + 1000 + 37 * $1 }
        #expect(Int(header.imageSize) == (Int(header.directoryEnd) + data + 3) & ~3 + 4)
        #expect(found.count < bytes.count - 15_000)
    }

    /// An image that mkifs makes of the same files is the measure.
    @Test(arguments: [Release.v66, .v80])
    func anImageWithProgramsIsAsSmallAsMkifsMakesIt(release: Release) throws {
        func made(_ numbers: [Int]) throws -> [UInt8] {
            let root = Plan.Entry([], .directory, mode: 0o40755, inode: 1)
            var plan = Plan(release, .little, root: root)
            plan.range.start = 0x40_0000
            let program = Plan.Program(
                .bytes(SmallELF.movable.bytes), ELFLayout.Rules(release))
            for number in numbers {
                let isProgram = number % 3 == 0
                let text = Content.bytes(SplitMix64.text(number * 97 % 5000))
                var entry = Plan.Entry(
                    Array("p\(1000 + number)".utf8), isProgram ? .program(program) : .file(text),
                    mode: 0o100755, inode: UInt32(number + 2))
                if isProgram { entry.place = .inOrder(unit: 4096) }
                plan.entries.append(entry)
            }
            return try built(plan)
        }
        let whole = try made(Array(1...40))
        let image = try IFS.Image.only(in: whole)
        var revision = Revision()
        revision.removed = (10...30).compactMap { image.lastRecord(at: "p\(1000 + $0)") }
        let holed = try revised(whole, revision)
        let found = try expectCompact(holed)
        let expected = try made(Array(1...9) + Array(31...40))
        #expect(found.count <= expected.count)
        #expect(found.count + 100_000 < holed.count)
        #expect(try difference(compacted(expected), expected) == nil)
    }

    /// A file on a page may have been asked to be on one.
    @Test func whatIsOnAPageStaysOnOne() throws {
        let bytes = ImageBuilder.bare([
            .file("a", SplitMix64.noise(9000)),
            .file("b", SplitMix64.noise(100)).with { $0.alignment = 4096 }, .file("c", "text"),
        ]).build().bytes
        var revision = Revision()
        revision.removed = [1]
        let image = try IFS.Image.only(in: expectCompact(revised(bytes, revision)))
        let record = try #require(image.lastRecord(at: "b"))
        guard case .file(let offset, _) = image.directory.entries[record].kind else { return }
        #expect(offset == 4096)
    }

    /// What was moved together is not in the directory's way.
    @Test func theDirectoryOfACompactImageCanGrow() throws {
        let bytes = ImageBuilder.bare((0..<20).map { .file("f\($0)", SplitMix64.noise(500)) })
            .build().bytes
        var revision = Revision()
        revision.removed = [2, 5, 9]
        let found = try expectCompact(revised(bytes, revision))
        revision = Revision()
        revision.added = (0..<200).map {
            Revision.Node(Array("n\($0)".utf8), .directory, mode: 0o40755)
        }
        let result = try IFS.Image.only(in: revised(found, revision))
        #expect(result.check() == [])
        #expect(result.paths.count == 218)
    }

    @Test func whatStandsBehindAnImageIsInTheWay() throws {
        let bytes = ImageBuilder([.file("a", "text"), .file("b", "text")]).build().bytes
        let signature = SplitMix64.noise(280)
        #expect(throws: MkifsError.self) { try compacted(bytes + signature) }
        #expect(try compacted(bytes + signature, isForced: true).suffix(280) == signature[...])
    }
}
