import Format
import Mkifs
import TestSupport
import Testing

/// Images of another maker, changed: what was not touched is as it was.
struct RevisionTests {
    /// An image, and the same with the changes that a test makes.
    struct Case {
        let bytes: [UInt8]
        let image: IFS.Image
        var tree: [String: Shown]
        var revision = Revision()
        /// Places in the unpacked image where the changed one may differ.
        var allowed: [Range<Int>] = []

        init(_ name: String) throws {
            bytes = try Fixtures.image(name)
            image = try .only(in: bytes)
            tree = try image.tree()
        }

        /// Records of files that are no programs, boot files, script or one of several names.
        var files: [String] {
            let entries = image.directory.entries
            let inodes = Dictionary(grouping: entries, by: \.inode)
            return image.paths.enumerated().filter { record, path in
                let entry = entries[record]
                guard case .file(_, let size) = entry.kind, size > 0 else { return false }
                return entry.inode & 0xa000_0000 == 0 && inodes[entry.inode]?.count == 1
                    && entry.inode != image.header.scriptInode
                    && image.lastRecord(at: path) == record
            }.map(\.element)
        }

        var nextInode: UInt32 {
            (image.directory.entries.map { $0.inode & 0x1fff_ffff }.max() ?? 0) + 1
        }

        /// The result, after what all results have in common was looked at.
        func result(sourceLocation: SourceLocation = #_sourceLocation) throws -> IFS.Image {
            let found = try revised(bytes, revision)
            let result = try IFS.Image.only(in: found)
            #expect(
                differences(try result.tree(), tree) == [], sourceLocation: sourceLocation)
            #expect(
                result.check() == (image.check().isEmpty ? [] : result.check()),
                sourceLocation: sourceLocation)
            #expect(
                result.checkSums().allSatisfy { $0.word != "bad" }, sourceLocation: sourceLocation)
            if image.header.flags & 0x08 != 0, image.isSortedBehindBootstraps {
                #expect(result.isSortedBehindBootstraps, sourceLocation: sourceLocation)
            }
            for (entry, path) in zip(image.directory.entries, image.paths)
            where entry.inode & 0x2000_0000 != 0 {
                let record = try #require(result.lastRecord(at: path))
                #expect(
                    result.directory.entries[record].kind == entry.kind,
                    sourceLocation: sourceLocation)
            }
            let isInELF = bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46])
            #expect(
                isInELF
                    || found.prefix(Int(image.headerOffset))
                        == bytes.prefix(Int(image.headerOffset)),
                sourceLocation: sourceLocation)
            return result
        }
    }

    static let images = Fixtures.allImages

    @Test(arguments: Fixtures.allImages)
    func withoutAChangeAnImageIsTheSame(name: String) throws {
        let bytes = try Fixtures.image(name)
        #expect(try difference(revised(bytes, Revision()), bytes) == nil)
    }

    @Test(arguments: Fixtures.allImages)
    func withoutAChangeWhatStandsAroundAnImageIsTheSame(name: String) throws {
        let bytes =
            try SplitMix64.noise(1024, seed: 3) + Fixtures.image(name) + SplitMix64.noise(999)
        #expect(try difference(revised(bytes, Revision()), bytes) == nil)
    }

    @Test(arguments: images)
    func aChangeOfTheSameSizeTouchesNothingElse(name: String) throws {
        var one = try Case(name)
        guard let path = one.files.last else { return }
        var node = try one.image.node(path)
        let old = try #require(one.tree[path])
        let new = old.bytes.map { ~$0 }
        node.kind = .file(.new(.bytes(new)))
        node.modified = 0x1234_5678
        one.revision.changed = [node]
        one.tree[path]?.bytes = new
        one.tree[path]?.modified = 0x1234_5678
        let result = try one.result()
        let record = try #require(one.image.lastRecord(at: path))
        let entry = one.image.directory.entries[record]
        #expect(result.directory.entries[record].kind == entry.kind)
        guard case .file(let offset, let size) = entry.kind else { return }
        let mtime = Int(one.image.header.directoryOffset + entry.recordOffset) + 20
        let end = Int(one.image.header.imageSize)
        try expectEqual(
            result, one.image,
            but: [
                mtime..<(mtime + 4), Int(offset)..<(Int(offset) + Int(size)),
                (end - one.image.header.trailerSize)..<end,
            ])
    }

    @Test(arguments: images)
    func aFileThatGrowsFindsRoom(name: String) throws {
        for factor in [1, 200_000] {
            var one = try Case(name)
            guard let path = one.files.first else { return }
            var node = try one.image.node(path)
            let new = try #require(one.tree[path]).bytes + SplitMix64.text(factor, seed: 5)
            node.kind = .file(.new(.bytes(new)))
            one.revision.changed = [node]
            one.tree[path]?.bytes = new
            _ = try one.result()
        }
    }

    @Test(arguments: images)
    func aFileThatShrinksStays(name: String) throws {
        var one = try Case(name)
        guard let path = one.files.first else { return }
        var node = try one.image.node(path)
        let new = Array(try #require(one.tree[path]).bytes.dropLast(1))
        node.kind = .file(.new(.bytes(new)))
        one.revision.changed = [node]
        one.tree[path]?.bytes = new
        let result = try one.result()
        let record = try #require(one.image.lastRecord(at: path))
        guard case .file(let offset, _) = one.image.directory.entries[record].kind, new.count > 0
        else { return }
        #expect(
            result.directory.entries[record].kind
                == .file(offset: offset, size: UInt32(new.count)))
    }

    @Test(arguments: images)
    func aRemovedFileLeavesZeros(name: String) throws {
        var one = try Case(name)
        guard let path = one.files.first, let record = one.image.lastRecord(at: path) else {
            return
        }
        one.revision.removed = [record]
        one.tree[path] = nil
        let result = try one.result()
        guard case .file(let offset, let size) = one.image.directory.entries[record].kind else {
            return
        }
        let plain = try result.plainBytes()
        let range = Int(offset)..<(Int(offset) + Int(size))
        let isShared = one.image.directory.entries.enumerated().contains { other, entry in
            guard case .file(let start, let count) = entry.kind, other != record else {
                return false
            }
            return Int(start) < range.upperBound && range.lowerBound < Int(start) + Int(count)
        }
        guard !isShared, range.upperBound <= plain.count - result.header.trailerSize else { return }
        #expect(plain[range].allSatisfy { $0 == 0 })
    }

    @Test(arguments: images)
    func removingAllFilesButFixedOnesLeavesAShortImage(name: String) throws {
        var one = try Case(name)
        for path in one.files {
            one.revision.removed.append(try #require(one.image.lastRecord(at: path)))
            one.tree[path] = nil
        }
        guard !one.revision.isEmpty else { return }
        let result = try one.result()
        guard try Plan(one.image).remains.isEmpty else { return }
        let (before, after) = (dataEnd(one.image), dataEnd(result))
        #expect(
            result.header.imageSize
                == (before == after
                    ? one.image.header.imageSize
                    : (after + 3) & ~3 + UInt32(result.header.trailerSize)))
    }

    /// Where the last file of an image ends, or the directory.
    private func dataEnd(_ image: IFS.Image) -> UInt32 {
        image.directory.entries.map { entry -> UInt32 in
            guard case .file(let offset, let size) = entry.kind, size > 0 else { return 0 }
            return offset + size
        }.reduce(image.header.directoryEnd) { max($0, $1) }
    }

    @Test(arguments: images)
    func newEntriesComeLastOrInOrder(name: String) throws {
        var one = try Case(name)
        let text = SplitMix64.text(70_000, seed: 9)
        let nodes = [
            Revision.Node(Array("zz/new".utf8), .file(.new(.bytes(text))), mode: 0o100640, user: 5),
            Revision.Node(Array("aa".utf8), .directory, mode: 0o40711, group: 6, modified: 7),
            Revision.Node(Array("aa/link".utf8), .symlink(target: [0x78]), mode: 0o120777),
            Revision.Node(
                Array("mm".utf8), .device(device: 1, rawDevice: 2), mode: 0o20600),
            Revision.Node(Array("aa/empty".utf8), .file(.new(.bytes([]))), mode: 0o100600),
        ]
        one.revision.added = nodes
        let isSorted = one.image.header.flags & 0x08 != 0
        let order = isSorted ? [1, 4, 2, 3, 0] : [0, 1, 2, 3, 4]
        for (step, index) in order.enumerated() {
            let node = nodes[index]
            var shown = Shown(
                mode: node.mode, user: node.user, group: node.group, modified: node.modified,
                inode: one.nextInode + UInt32(step))
            if index == 0 { shown.bytes = text }
            if index == 2 { shown.target = [0x78] }
            if index == 3 { shown.device = [1, 2] }
            one.tree[String(decoding: node.path, as: UTF8.self)] = shown
        }
        do {
            let result = try one.result()
            if !isSorted {
                #expect(result.paths.suffix(5) == ["zz/new", "aa", "aa/link", "mm", "aa/empty"])
            }
        } catch MkifsError.refused(let text) {
            #expect(text.contains("works at its place only"))
        }
    }

    @Test(arguments: images)
    func removingWhatWasAddedGivesTheSameImage(name: String) throws {
        let bytes = try Fixtures.image(name)
        let image = try IFS.Image.only(in: bytes)
        let path = Array("zzz".utf8)
        let content = Revision.FileContent.new(.bytes(SplitMix64.text(5000)))
        var revision = Revision()
        revision.added = [Revision.Node(path, .file(content), mode: 0o100644)]
        guard try RevisionRoom(image).directoryGrowth >= 36 else { return }
        let larger = try revised(bytes, revision)
        let again = try IFS.Image.only(in: larger)
        let hasMoved = zip(image.directory.entries, again.directory.entries).contains {
            $0.kind != $1.kind
        }
        revision = Revision()
        revision.removed = [try #require(again.lastRecord(at: "zzz"))]
        let smaller = try revised(larger, revision)
        if !hasMoved, image.header.flags & 0x08 == 0 {
            #expect(difference(smaller, bytes) == nil)
        }
        #expect(try differences(IFS.Image.only(in: smaller).tree(), image.tree()) == [])
    }

    @Test(arguments: images)
    func aRenamedFileKeepsItsNumberAndItsBytes(name: String) throws {
        for newName in ["a", "zz"] {
            var one = try Case(name)
            guard let path = one.files.first else { return }
            var node = try one.image.node(path)
            node.path = Array(newName.utf8)
            one.revision.changed = [node]
            one.tree[newName] = one.tree.removeValue(forKey: path)
            _ = try one.result()
        }
    }

    @Test(arguments: images)
    func attributesOfEveryEntryCanChange(name: String) throws {
        var one = try Case(name)
        for (record, path) in one.image.paths.enumerated()
        where one.image.lastRecord(at: path) == record {
            var node = try #require(Revision.Node(record, of: one.image))
            guard one.image.directory.entries[record].inode != 0 else { continue }
            node.mode ^= 0o111
            (node.user, node.group, node.modified) = (77, 88, 99)
            one.revision.changed.append(node)
            one.tree[path]?.mode ^= 0o111
            one.tree[path]?.user = 77
            one.tree[path]?.group = 88
            one.tree[path]?.modified = 99
        }
        let result = try one.result()
        let start = Int(one.image.header.directoryEnd)
        let end = Int(one.image.header.imageSize)
        try expectEqual(
            result, one.image,
            but: [
                Int(one.image.header.directoryOffset)..<start,
                (end - one.image.header.trailerSize)..<end,
            ])
    }

    /// Everything of two unpacked images but some places.
    private func expectEqual(
        _ found: IFS.Image, _ expected: IFS.Image, but ranges: [Range<Int>],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var (one, other) = (try found.plainBytes(), try expected.plainBytes())
        try #require(one.count == other.count, sourceLocation: sourceLocation)
        for range in ranges {
            one.set([UInt8](repeating: 0, count: range.count), at: range.lowerBound)
            other.set([UInt8](repeating: 0, count: range.count), at: range.lowerBound)
        }
        #expect(difference(one, other) == nil, sourceLocation: sourceLocation)
    }
}
