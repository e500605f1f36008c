import Format
import Mkifs
import TestSupport
import Testing

/// What a changed image keeps and what it moves, rule by rule.
struct RevisionRuleTests {
    /// A data-only image, opened.
    private func image(_ entries: [ImageEntry]) throws -> (bytes: [UInt8], image: IFS.Image) {
        let bytes = ImageBuilder.bare(entries).build().bytes
        return (bytes, try .only(in: bytes))
    }

    private func result(
        _ bytes: [UInt8], _ change: (IFS.Image, inout Revision) throws -> Void
    ) throws -> IFS.Image {
        var revision = Revision()
        try change(.only(in: bytes), &revision)
        return try .only(in: revised(bytes, revision))
    }

    private func new(_ path: String, _ text: String) -> Revision.Node {
        Revision.Node(
            Array(path.utf8), .file(.new(.bytes(Array(text.utf8)))), mode: 0o100644)
    }

    /// A file's place and size.
    private func extent(_ path: String, _ image: IFS.Image) throws -> [UInt32] {
        let record = try #require(image.lastRecord(at: path))
        guard case .file(let offset, let size) = image.directory.entries[record].kind else {
            return []
        }
        return [offset, size]
    }

    private func text(_ path: String, _ image: IFS.Image) throws -> String {
        let record = try #require(image.lastRecord(at: path))
        return String(decoding: try image.data(of: image.directory.entries[record]), as: UTF8.self)
    }

    // MARK: Places

    @Test func aFileThatHasGrownStaysWhereTheNextIsFarEnough() throws {
        let (bytes, old) = try image([
            .file("a", "12345"), .file("b", "x").with { $0.alignment = 64 }, .file("c", "y"),
        ])
        let found = try result(bytes) { image, revision in
            var node = try image.node("a")
            node.kind = .file(.new(.bytes(Array("1234567890".utf8))))
            revision.changed = [node]
        }
        #expect(try extent("a", found) == [extent("a", old)[0], 10])
        #expect(found.header.imageSize == old.header.imageSize)
    }

    @Test func aFileThatHasGrownGoesToTheFirstHoleThatFits() throws {
        let (bytes, old) = try image([
            .file("a", "12345678"), .file("b", "1234"),
            .file("c", String(repeating: "c", count: 40)),
            .file("d", "end"),
        ])
        let found = try result(bytes) { image, revision in
            var node = try image.node("a")
            node.kind = .file(.new(.bytes(Array("123456789012345".utf8))))
            revision.changed = [node]
            revision.removed = [try #require(image.lastRecord(at: "c"))]
        }
        // The directory has shrunk by the record of c, but that is less than the file needs.
        #expect(try extent("b", found) == extent("b", old))
        #expect(try extent("d", found) == extent("d", old))
        let place = try extent("a", found)[0]
        #expect(try place < extent("d", old)[0])
        #expect(found.header.imageSize == old.header.imageSize)
        #expect(found.check() == [])
    }

    @Test func whatIsInTheWayOfTheDirectoryMovesToTheFirstHoleOrTheEnd() throws {
        let (bytes, old) = try image([.file("a", "first"), .file("b", "second")])
        let found = try result(bytes) { _, revision in revision.added = [new("c", "third")] }
        #expect(try text("a", found) == "first")
        #expect(try text("b", found) == "second")
        #expect(try text("c", found) == "third")
        #expect(try extent("a", found)[0] >= old.header.imageSize - 4)
        #expect(found.check() == [])
    }

    @Test func bytesOfNobodyStayAndAreNotOverwritten() throws {
        let builder = ImageBuilder.bare([
            .file("a", "first"), .file("b", "last").with { $0.alignment = 256 },
        ])
        let offset = builder.build().dataOffsets[1] - 16
        let bytes = builder.with { $0.imagePatches = [.init(offset, [7, 8, 9])] }.build().bytes
        let found = try result(bytes) { image, revision in
            revision.removed = [1, 2]
            revision.added = [new("c", "new")]
        }
        let plain = try found.plainBytes()
        #expect(Array(plain[offset..<(offset + 3)]) == [7, 8, 9])
        #expect(plain[(offset + 3)..<(plain.count - 4)].allSatisfy { $0 == 0 })
        #expect(found.check() == [])
    }

    @Test func bytesOfNobodyAreInTheDirectorysWay() throws {
        let builder = ImageBuilder.bare([
            .file("a", "first"), .file("b", "last").with { $0.alignment = 64 },
        ])
        let built = builder.build()
        let offset = built.dataOffsets[0] + 8
        let bytes = builder.with { $0.imagePatches = [.init(offset, [7])] }.build().bytes
        let error = try #require(throws: MkifsError.self) {
            try result(bytes) { _, revision in revision.added = [new("cccc", "new")] }
        }
        let start = built.directoryOffset
        #expect(
            error.description
                == "image directory: found \(built.directoryEnd - start + 40) bytes, expected"
                + " \(offset - start) at most, for at 0x\(String(offset, radix: 16)) bytes begin"
                + " that belong to no file; fewer entries or shorter paths fit")
    }

    @Test func aBootstrapFileIsInTheDirectorysWay() throws {
        let bytes = try Fixtures.goldenImage("boot-armle")
        let image = try IFS.Image.only(in: bytes)
        let room = try RevisionRoom(image)
        let boot = try #require(image.directory.entries.first { $0.inode & 0x2000_0000 != 0 })
        guard case .file(let offset, _) = boot.kind else { return }
        #expect(room.directoryGrowth <= UInt64(offset - image.header.directoryEnd))
        var revision = Revision()
        revision.added = (0..<(room.directoryGrowth / 40 + 1)).map {
            new(String(1000 + $0), "x")
        }
        let size =
            room.directoryGrowth / 40 * 40 + 40
            + UInt64(image.header.directoryEnd - image.header.directoryOffset)
        let error = try #require(throws: MkifsError.self) { try revised(bytes, revision) }
        let limit =
            room.directoryGrowth
            + UInt64(image.header.directoryEnd - image.header.directoryOffset)
        #expect(
            error.description.hasPrefix(
                "image directory: found \(size) bytes, expected \(limit) at most, for at 0x"))
        #expect(
            error.description.hasSuffix(
                " begins, which works at its place only; fewer entries or shorter paths fit"))
        revision.added.removeLast()
        #expect(try IFS.Image.only(in: revised(bytes, revision)).check() == [])
    }

    // MARK: Names

    @Test func theOtherNameOfAFileHasItsBytesStill() throws {
        let (bytes, _) = try image([
            .file("a", "text"), ImageEntry(path: [0x62], .hardLink(0), mode: 0o100644),
        ])
        let found = try result(bytes) { _, revision in revision.removed = [1] }
        #expect(try text("b", found) == "text")
        #expect(found.check() == [])
    }

    @Test func allNamesOfAFileGetItsNewBytes() throws {
        let (bytes, old) = try image([
            .file("a", "text"), ImageEntry(path: [0x62], .hardLink(0), mode: 0o100644),
        ])
        let found = try result(bytes) { image, revision in
            revision.changed = try ["a", "b"].map { path in
                var node = try image.node(path)
                node.kind = .file(.new(.bytes(Array("other text".utf8))))
                return node
            }
        }
        #expect(try text("a", found) == "other text")
        #expect(try extent("a", found) == extent("b", found))
        #expect(found.directory.entries.map(\.inode) == old.directory.entries.map(\.inode))
        #expect(found.check() == [])
    }

    @Test func aNameWithOtherBytesIsAFileOfItsOwn() throws {
        let (bytes, _) = try image([
            .file("a", "text"), ImageEntry(path: [0x62], .hardLink(0), mode: 0o100644),
        ])
        let found = try result(bytes) { image, revision in
            var node = try image.node("a")
            node.kind = .file(.new(.bytes(Array("own".utf8))))
            revision.changed = [node]
        }
        #expect(try text("a", found) == "own")
        #expect(try text("b", found) == "text")
        #expect(found.directory.entries.map(\.inode) == [1, 3, 2])
        #expect(found.check() == [])
    }

    @Test func whatARemovedFileHidGoesWithIt() throws {
        let (bytes, _) = try image([
            .file("a", "hidden"), .file("f/x", "below a file"), .file("f", "file"),
            .file("a", "shown"), .file("b", "kept"),
        ])
        let found = try result(bytes) { image, revision in
            revision.removed = [4, 3]
        }
        #expect(found.paths == ["", "b"])
        #expect(found.check() == [])
    }

    @Test func whatARenamedEntryHidMovesWithIt() throws {
        let (bytes, _) = try image([
            .file("d/a", "hidden"), .directory("d"), .file("d/a", "shown"), .file("d/a/x", "below"),
            .symlink("d/s", to: "x"), .file("d/s/y", "below"),
        ])
        let found = try result(bytes) { image, revision in
            revision.changed = try ["d", "d/a", "d/s"].map { path in
                var node = try image.node(path)
                node.path = Array("e".utf8) + node.path.dropFirst()
                return node
            }
        }
        #expect(found.paths == ["", "e/a", "e", "e/a", "e/a/x", "e/s", "e/s/y"])
        #expect(try text("e/a", found) == "shown")
    }

    @Test func aNewFileInThePlaceOfARemovedOneIsThatFile() throws {
        let (bytes, old) = try image([.file("a", "one"), .file("b", "two")])
        let found = try result(bytes) { _, revision in
            revision.removed = [1]
            revision.added = [new("a", "new")]
        }
        #expect(found.paths == old.paths)
        #expect(found.directory.entries[1].inode == old.directory.entries[1].inode)
        #expect(try extent("a", found) == extent("a", old))
        #expect(try text("a", found) == "new")
    }

    @Test func theListsMustAgree() throws {
        let (bytes, image) = try image([.file("a", "one"), .file("b", "two")])
        func message(_ change: (inout Revision) throws -> Void) throws -> String {
            var revision = Revision()
            try change(&revision)
            return try #require(throws: MkifsError.self) { try revised(bytes, revision) }
                .description
        }
        #expect(
            try message { $0.removed = [0] }
                == "record 0: expected one of 1 through 2 of the image")
        #expect(
            try message { $0.added = [new("x\0y", "x")] }
                == "'x\\x00y': found a zero byte in a path, expected text")
        #expect(try message { $0.removed = [1, 1] } == "'a': found two changes, expected one")
        #expect(
            try message { $0.added = [new("a", "x")] } == "'a': found two entries, expected one")
        #expect(
            try message {
                var node = try image.node("a")
                node.path = [0x62]
                $0.changed = [node]
            } == "'b': found two entries, expected one")
    }

    // MARK: Contents

    @Test func bytesThatARemovedFileHadAreTakenOver() throws {
        let (bytes, old) = try image([.file("a", "the same"), .file("b", "other")])
        var revision = Revision()
        revision.removed = [1]
        revision.added = [new("c", "the same")]
        revision = try revision.recognizing(old)
        guard case .file(.record(1)) = revision.added[0].kind else {
            Issue.record("not recognized")
            return
        }
        let found = try IFS.Image.only(in: revised(bytes, revision))
        #expect(try extent("c", found) == extent("a", old))
        #expect(found.paths == ["", "b", "c"])
    }

    @Test func aFileWrittenAnewWithItsOwnBytesIsUnchanged() throws {
        let (bytes, old) = try image([.file("a", "the same"), .file("b", "the same")])
        var revision = Revision()
        revision.removed = [2]
        var node = try old.node("b")
        (node.record, node.kind) = (nil, .file(.new(.bytes(Array("the same".utf8)))))
        revision.added = [node]
        #expect(try difference(revised(bytes, revision.recognizing(old)), bytes) == nil)
    }

    @Test func aScriptOfTextIsCompiled() throws {
        let bytes = try Fixtures.goldenImage("boot-armle")
        let found = try result(bytes) { image, revision in
            let record = try #require(
                image.directory.entries.lastIndex { $0.inode == image.header.scriptInode })
            var node = try #require(Revision.Node(record, of: image))
            node.kind = .file(.new(.bytes(Array("display_msg hello\nwaitfor /dev/x 3\n".utf8))))
            revision.changed = [node]
        }
        let script = IFS.Script(try found.scriptData())
        #expect(script.broken == nil)
        #expect(script.listingLines == ["display_msg 'hello\n'", "waitfor 3.0 /dev/x"])
        #expect(found.check() == [])
    }

    @Test func anImageWhoseScriptIsRemovedHasNone() throws {
        let bytes = try Fixtures.goldenImage("boot-armle")
        let found = try result(bytes) { image, revision in
            revision.removed = image.directory.entries.indices.filter {
                image.directory.entries[$0].inode == image.header.scriptInode
            }
        }
        #expect(found.header.scriptInode == 0)
        #expect(found.check() == [])
    }

    @Test func aScriptThatIsNeitherTextNorRecordsIsRefused() throws {
        let bytes = try Fixtures.goldenImage("boot-armle")
        let error = try #require(throws: MkifsError.self) {
            try result(bytes) { image, revision in
                let record = try #require(
                    image.directory.entries.lastIndex { $0.inode == image.header.scriptInode })
                var node = try #require(Revision.Node(record, of: image))
                node.kind = .file(.new(.bytes([1, 0, 0, 0])))
                revision.changed = [node]
            }
        }
        #expect(error.description.contains("script command.size"))
    }

    @Test func aBootstrapFileCannotBeExchanged() throws {
        let bytes = try Fixtures.goldenImage("boot-armle")
        let error = try #require(throws: MkifsError.self) {
            try result(bytes) { image, revision in
                let record = try #require(
                    image.directory.entries.firstIndex { $0.inode & 0x2000_0000 != 0 })
                var node = try #require(Revision.Node(record, of: image))
                node.kind = .file(.new(.bytes([1, 2, 3])))
                revision.changed = [node]
            }
        }
        #expect(error.description.contains("found another bootstrap executable"))
    }

    @Test func aBootstrapFileCanBePatched() throws {
        let bytes = try Fixtures.goldenImage("boot-armle")
        let found = try result(bytes) { image, revision in
            let record = try #require(
                image.directory.entries.firstIndex { $0.inode & 0x2000_0000 != 0 })
            var node = try #require(Revision.Node(record, of: image))
            var data = try image.data(of: image.directory.entries[record])
            data[data.count - 5] ^= 1
            node.kind = .file(.new(.bytes(data)))
            revision.changed = [node]
        }
        let image = try IFS.Image.only(in: bytes)
        #expect(found.directory.entries.map(\.inode) == image.directory.entries.map(\.inode))
        #expect(found.directory.entries.map(\.kind) == image.directory.entries.map(\.kind))
        #expect(found.check() == [])
    }
}
