import Format
import TestSupport
import Testing

/// What the tree shows of an image's entries: section 6 of the description of mounts.
struct VolumeTests {
    typealias Problem = IFS.Finding.Problem

    private static func volume(_ entries: [ImageEntry]) throws -> IFS.ImageVolume {
        try IFS.ImageVolume(IFS.Image.only(in: ImageBuilder(entries).build().bytes))
    }

    private static func attributes(
        _ volume: IFS.ImageVolume, _ path: String
    ) throws -> Attributes {
        let node = try #require(try volume.node(at: path), "no \(path)")
        return try #require(volume.attributes(of: node))
    }

    private static func text(_ volume: IFS.ImageVolume, _ path: String) throws -> String {
        let node = try #require(try volume.node(at: path), "no \(path)")
        return try String(decoding: volume.contents(of: node), as: UTF8.self)
    }

    private static func paths(_ volume: IFS.ImageVolume) throws -> [String] {
        try volume.walk().map(\.path).sorted()
    }

    // MARK: Lawful entries

    @Test func everyKindShowsItsAttributes() throws {
        let volume = try Self.volume([
            .directory("etc", permissions: 0o1777).with {
                $0.user = 3
                $0.group = 4
                $0.modified = 0xffff_fff0
            },
            .file("etc/motd", "hello\n", permissions: 0o6755), .symlink("tmp", to: "/dev/shmem"),
            .device("fifo", type: 1), .device("char", type: 2, dev: 9, rdev: 0x3c05),
            .device("block", type: 6, rdev: 0xffff), .device("socket", type: 12),
            .file("empty"),
        ])
        #expect(volume.findings == [])
        let directory = try Self.attributes(volume, "etc")
        #expect(directory.kind == .directory && directory.permissions == 0o1777)
        #expect(directory.user == 3 && directory.group == 4 && directory.byteCount == 0)
        #expect(directory.modified == 0xffff_fff0, "seconds are unsigned")
        let file = try Self.attributes(volume, "etc/motd")
        #expect(file.kind == .file && file.permissions == 0o6755 && file.byteCount == 6)
        #expect(file.linkCount == 1)
        #expect(try Self.text(volume, "etc/motd") == "hello\n")
        let link = try Self.attributes(volume, "tmp")
        #expect(link.kind == .symlink && link.byteCount == 10 && link.permissions == 0o777)
        #expect(volume.target(of: link.node) == Array("/dev/shmem".utf8))
        #expect(try Self.attributes(volume, "fifo").kind == .fifo)
        let device = try Self.attributes(volume, "char")
        #expect(device.kind == .characterDevice && device.device == (15, 5))
        #expect(try Self.attributes(volume, "block").kind == .blockDevice)
        #expect(try Self.attributes(volume, "block").device == (63, 1023))
        #expect(try Self.attributes(volume, "socket").kind == .socket)
        #expect(try Self.attributes(volume, "empty").byteCount == 0)
        #expect(volume.target(of: file.node) == nil)
    }

    @Test func theRootIsNodeOneAndItsOwnParent() throws {
        let volume = try Self.volume([.file("a", "x")])
        let root = try #require(volume.attributes(of: .root))
        #expect(root.node.rawValue == 1 && root.kind == .directory && root.permissions == 0o755)
        #expect(volume.parent(of: .root) == .root)
        #expect(try volume.node(at: "") == .root)
    }

    @Test func anImageWithoutRootRecordHasOneAllTheSame() throws {
        for entries in [[], [ImageEntry.file("a/b", "x")]] {
            let image = try IFS.Image.only(
                in: ImageBuilder(entries).with {
                    $0.root = nil
                    $0.directorySlack = 40
                }.build().bytes)
            let volume = try IFS.ImageVolume(image)
            let root = try #require(volume.attributes(of: .root))
            #expect(root.kind == .directory && root.permissions == 0o555)
            #expect(try Self.paths(volume) == (entries.isEmpty ? [] : ["a", "a/b"]))
        }
    }

    /// A directory that only a path of the image names is there.
    @Test func parentsThatAreNotListedAreMadeUp() throws {
        let image = ImageBuilder([.file("usr/lib/a/b/c.so", "x"), .file("usr/lib/d", "y")]).with {
            $0.root?.modified = 1234
        }
        let volume = try IFS.ImageVolume(IFS.Image.only(in: image.build().bytes))
        #expect(volume.findings == [])
        #expect(
            try Self.paths(volume) == [
                "usr", "usr/lib", "usr/lib/a", "usr/lib/a/b", "usr/lib/a/b/c.so", "usr/lib/d",
            ])
        for path in ["usr", "usr/lib", "usr/lib/a", "usr/lib/a/b"] {
            let parent = try Self.attributes(volume, path)
            #expect(parent.kind == .directory && parent.permissions == 0o555)
            #expect(parent.user == 0 && parent.group == 0 && parent.modified == 1234)
            #expect(volume.entry(of: parent.node) == nil)
        }
    }

    @Test func aDirectoryListedAfterItsContentsKeepsItsOwnAttributes() throws {
        let volume = try Self.volume([
            .file("a/b/c", "x"), .directory("a", permissions: 0o700),
            .directory("a/b", permissions: 0o701),
        ])
        #expect(try Self.attributes(volume, "a").permissions == 0o700)
        #expect(try Self.attributes(volume, "a/b").permissions == 0o701)
        #expect(try Self.text(volume, "a/b/c") == "x")
    }

    @Test func childrenAreSortedByTheirBytes() throws {
        let names = ["b", "a-b", "a", "a.b", "ab", "A", "é", "\u{1}", "~", "a/z", "a b"]
        let volume = try Self.volume(
            names.map { $0 == "a" ? .directory($0) : .file($0, $0) })
        let found = try volume.list(.root).map(\.name)
        let expected = names.filter { !$0.contains("/") }.map { Array($0.utf8) }
        #expect(found == expected.sorted { $0.lexicographicallyPrecedes($1) })
        let directory = try #require(try volume.node(at: "a"))
        #expect(try volume.list(directory).map(\.name) == [[0x7a]])
    }

    @Test func entriesGoOnFromAnyIndexAndStopWhenTold() throws {
        let volume = try Self.volume((0..<10).map { .file("f\($0)", "x") })
        for first in 0...12 {
            var seen: [Int] = []
            volume.entries(of: .root, from: first) { index, name, _ in
                #expect(Array(name) == Array("f\(index)".utf8))
                seen.append(index)
                return seen.count < 3
            }
            #expect(seen == Array((first..<max(first, min(10, first + 3)))))
        }
        volume.entries(of: .root, from: -1) { _, _, _ in
            Issue.record("no entry stands before the first")
            return false
        }
    }

    @Test func directoriesCountTheirSubdirectories() throws {
        let volume = try Self.volume([
            .directory("a"), .directory("a/b"), .file("a/c/d", "x"), .file("e", "x"),
        ])
        #expect(try #require(volume.attributes(of: .root)).linkCount == 3)
        #expect(try Self.attributes(volume, "a").linkCount == 4)
        #expect(try Self.attributes(volume, "a/b").linkCount == 2)
        #expect(try Self.attributes(volume, "a/c").linkCount == 2)
    }

    @Test func theSameBytesGiveTheSameNodes() throws {
        let entries = RandomTree.entries(count: 300, seed: 3)
        let first = try Self.volume(entries).walk()
        let second = try Self.volume(entries).walk()
        #expect(first.map(\.path) == second.map(\.path))
        #expect(first.map(\.node) == second.map(\.node))
        #expect(Set(first.map(\.node.rawValue)).isDisjoint(with: [0, 1]))
    }

    @Test func parentsLeadBackToTheRoot() throws {
        let volume = try Self.volume([.file("a/b/c/d", "x")])
        var node = try #require(try volume.node(at: "a/b/c"))
        for path in ["a/b", "a", ""] {
            node = try #require(volume.parent(of: node))
            #expect(try volume.node(at: path) == node)
        }
    }

    @Test func nodesThatDoNotExistHaveNothing() throws {
        let volume = try Self.volume([.file("a", "x")])
        for raw in [0, 3, 4, 1 << 32, UInt64.max] {
            let node = NodeID(rawValue: raw)
            #expect(volume.attributes(of: node) == nil && volume.parent(of: node) == nil)
            #expect(volume.target(of: node) == nil && volume.entry(of: node) == nil)
            #expect(volume.lookup(Array("a".utf8), in: node) == nil)
            #expect(try volume.list(node).isEmpty)
            #expect(try volume.bytes(of: node, at: 0, count: 10) == [])
        }
        let file = try #require(try volume.node(at: "a"))
        #expect(volume.lookup(Array("a".utf8), in: file) == nil)
        #expect(try volume.list(file).isEmpty)
        #expect(try volume.bytes(of: .root, at: 0, count: 10) == [])
        for name in ["", ".", "..", "b", "aa", "a\0", "A"] {
            #expect(volume.lookup(Array(name.utf8), in: .root) == nil)
        }
    }

    @Test func readsEndAtTheFilesEnd() throws {
        let volume = try Self.volume([.file("a", "0123456789"), .file("b", "next")])
        let node = try #require(try volume.node(at: "a"))
        for (offset, count, found) in [
            (0, 4, "0123"), (4, 100, "456789"), (9, 1, "9"), (10, 5, ""), (1 << 40, 5, ""),
        ] as [(UInt64, Int, String)] {
            #expect(try volume.bytes(of: node, at: offset, count: count) == Array(found.utf8))
        }
    }

    @Test func statisticsCountBytesAndNodes() throws {
        let volume = try Self.volume([.file("a/b", "x"), .directory("c")])
        #expect(volume.statistics.nodeCount == 4)
        #expect(volume.statistics.freeByteCount == 0)
        #expect(volume.statistics.byteCount == UInt64(volume.image.header.imageSize))
    }

    // MARK: Odd entries

    static let oddNames = [
        "/", "//", "/a", "a/", "a//b", ".", "..", "a/.", "a/..", "./a", "../a", "a/./b", "a/../b",
    ]

    @Test(arguments: oddNames)
    func aNameThatCannotBeAPathIsLeftOut(name: String) throws {
        for odd in [ImageEntry.file(name, "x"), .directory(name), .symlink(name, to: "y")] {
            let volume = try Self.volume([.file("good", "1"), odd, .file("z", "2")])
            #expect(try Self.paths(volume) == ["good", "z"])
            #expect(volume.findings.map(\.problem) == [.oddName])
            #expect(volume.findings.map(\.path) == [Array(name.utf8)])
        }
    }

    @Test func anEmptyNameThatIsNoDirectoryIsLeftOut() throws {
        for odd in [
            ImageEntry.file("", "x"), .symlink("", to: "/"), .device("", type: 1),
        ] {
            let volume = try Self.volume([odd, .file("a", "1")])
            #expect(try Self.paths(volume) == ["a"])
            #expect(volume.findings.map(\.problem) == [.oddName])
            #expect(volume.attributes(of: .root)?.permissions == 0o755)
        }
    }

    @Test func namesThatOnlyLookOddAreShown() throws {
        let names = ["...", ".a", "a.", "..a", "a/...", " ", "\u{7f}", "a\\b", "con"]
        let volume = try Self.volume(names.map { .file($0, "x") })
        #expect(volume.findings == [])
        #expect(try Self.paths(volume) == (names + ["a"]).sorted())
    }

    /// A dot is the byte before the slash.
    @Test func slashesAreFoundWhereverTheyStand() throws {
        let names = (1...17).map { String(repeating: ".", count: $0 - 1) + "n" }
        let paths = names.flatMap { directory in names.map { directory + "/" + $0 } }
        let volume = try Self.volume(paths.map { .file($0, "x") })
        #expect(volume.findings == [])
        #expect(try Self.paths(volume) == (names + paths).sorted())
    }

    @Test func namesThatAreNoUTF8AreBytes() throws {
        let name: [UInt8] = [0xff, 0x80, 0x41]
        let volume = try Self.volume([ImageEntry(path: name, .file([1]), mode: 0x81a4)])
        let node = try #require(volume.lookup(name, in: .root))
        #expect(try volume.contents(of: node) == [1])
        #expect(try volume.list(.root).map(\.name) == [name])
    }

    @Test func namesOfMoreThan255BytesAreLeftOut() throws {
        let long = String(repeating: "n", count: 255)
        let volume = try Self.volume([
            .file(long, "x"), .file("d/" + long, "x"), .file(long + "n", "x"),
            .file("e/" + long + "n/f", "x"),
        ])
        #expect(try Self.paths(volume) == ["d", "d/" + long, long].sorted())
        #expect(volume.findings.map(\.problem) == [.oddName, .oddName])
    }

    @Test func pathsOfMoreThan1023BytesAreLeftOut() throws {
        let part = String(repeating: "p", count: 199) + "/"
        let long = String(repeating: part, count: 5) + String(repeating: "q", count: 23)
        try #require(long.utf8.count == 1023)
        let volume = try Self.volume([.file(long, "x"), .file(long + "q", "x")])
        #expect(volume.findings.map(\.problem) == [.longPath])
        #expect(try Self.text(volume, long) == "x")
        #expect(try volume.node(at: long + "q") == nil)
    }

    /// What lies below a file or a symbolic link of the image is left out.
    @Test func entriesBelowWhatIsNoDirectoryAreLeftOut() throws {
        for (above, problem) in [
            (ImageEntry.file("a", "file"), Problem.belowFile),
            (.device("a", type: 1), .belowFile), (.device("a", type: 5), .belowFile),
            (.symlink("a", to: "b"), .belowSymlink),
        ] {
            for entries in [
                [above, .file("a/x", "1"), .file("a/x/y", "2"), .directory("a/z")],
                [.file("a/x", "1"), .file("a/x/y", "2"), .directory("a/z"), above],
            ] {
                let volume = try Self.volume(entries + [.file("a-b", "3"), .file("b/c", "4")])
                #expect(try Self.paths(volume) == ["a", "a-b", "b", "b/c"])
                #expect(volume.findings.map(\.problem) == [problem, problem, problem])
                #expect(
                    Set(volume.findings.map { String(decoding: $0.path, as: UTF8.self) })
                        == ["a/x", "a/x/y", "a/z"])
            }
        }
    }

    @Test func aHiddenEntryMakesNoParents() throws {
        let volume = try Self.volume([.symlink("a", to: "b"), .file("a/b/c/d", "1")])
        #expect(try Self.paths(volume) == ["a"])
    }

    /// Of entries with the same path the last is shown.
    @Test func ofEqualPathsTheLastOneIsShown() throws {
        let volume = try Self.volume([
            .file("a", "first"), .file("b", "b"), .file("a", "second"), .directory("c"),
            .file("c", "file"), .file("a", "third"), .directory(""),
            .directory("", permissions: 0o700),
        ])
        #expect(try Self.text(volume, "a") == "third")
        #expect(try Self.text(volume, "c") == "file")
        #expect(volume.attributes(of: .root)?.permissions == 0o700)
        #expect(try Self.paths(volume) == ["a", "b", "c"])
        #expect(volume.findings.map(\.problem) == Array(repeating: .duplicate, count: 5))
    }

    @Test func whatLiesBelowADuplicateGoesByTheLastOne() throws {
        let hidden = try Self.volume([.directory("a"), .file("a/b", "x"), .file("a", "file")])
        #expect(try Self.paths(hidden) == ["a"])
        #expect(Set(hidden.findings.map(\.problem)) == [.duplicate, .belowFile])
        let shown = try Self.volume([.file("a", "file"), .file("a/b", "x"), .directory("a")])
        #expect(try Self.paths(shown) == ["a", "a/b"])
        #expect(shown.findings.map(\.problem) == [.duplicate])
    }

    @Test func entriesWithInodeZeroAreNotShown() throws {
        let void = ImageEntry.file("gone", "x").with { $0.inode = 0 }
        let volume = try Self.volume([void, .file("a", "1")])
        #expect(try Self.paths(volume) == ["a"])
        #expect(volume.findings.map(\.problem) == [.void])
        let older = try Self.volume([.file("gone", "old"), void])
        #expect(try Self.text(older, "gone") == "old", "a void entry hides none")
        let below = try Self.volume([
            .symlink("l", to: "x").with { $0.inode = 0 }, .file("l/a", "1"),
        ])
        #expect(try Self.paths(below) == ["l", "l/a"])
    }

    @Test func entriesOfUnknownTypeAreLeftOut() throws {
        let volume = try Self.volume([
            ImageEntry(path: Array("odd".utf8), .directory, mode: 0x3000 | 0o644),
            ImageEntry(path: Array("none".utf8), .directory, mode: 0o644), .file("odd/x", "1"),
        ])
        #expect(try Self.paths(volume) == ["odd", "odd/x"])
        #expect(volume.findings.map(\.problem) == [.unknownType, .unknownType])
    }

    @Test func aNamedSpecialShowsAsAnEmptyFileThatNobodyCanWrite() throws {
        let volume = try Self.volume([
            .device("special", type: 5, dev: 1, rdev: 2, permissions: 0o4777)
        ])
        let special = try Self.attributes(volume, "special")
        #expect(special.kind == .file && special.byteCount == 0)
        #expect(special.permissions & 0o222 == 0 && special.permissions & 0o555 == 0o555)
        #expect(try volume.bytes(of: special.node, at: 0, count: 10) == [])
        #expect(volume.entry(of: special.node)?.mode == (0x5000 as UInt32) | 0o4777)
    }

    @Test(
        arguments: [(0, 0xffff_ffff), (0xffff_fff0, 100), (0x10_0000, 10), (5, 0x10_0000)]
            as [(UInt32, UInt32)])
    func dataOutsideTheImageIsAnErrorWhenItIsRead(offset: UInt32, size: UInt32) throws {
        let volume = try Self.volume([
            .file("outside", "x").with {
                $0.offset = offset
                $0.size = size
            }, .file("inside", "y"),
        ])
        #expect(volume.findings.map(\.problem) == [.outside])
        let attributes = try Self.attributes(volume, "outside")
        #expect(attributes.byteCount == UInt64(size))
        #expect(throws: FormatError.self) {
            try volume.bytes(of: attributes.node, at: UInt64(size) - 5, count: 5)
        }
        let entry = try #require(volume.entry(of: attributes.node))
        #expect(throws: FormatError.self) { try volume.image.data(of: entry) }
        #expect(try Self.text(volume, "inside") == "y")
    }

    @Test func anEmptyFileMayLieAnywhere() throws {
        let volume = try Self.volume([.file("a").with { $0.offset = .max }])
        #expect(volume.findings == [])
        #expect(try Self.text(volume, "a") == "")
    }

    @Test func aBrokenDirectoryIsNoVolumeUnlessAPartOfItIsWanted() throws {
        let bytes = ImageBuilder([
            .file("a", "x"), ImageEntry(path: [], .record([25, 0, 0, 0]), mode: 0),
            .file("b", "y"),
        ]).build().bytes
        let image = try IFS.Image.only(in: bytes)
        let broken = try #require(image.directory.broken)
        #expect(throws: broken) { try IFS.ImageVolume(image) }
        #expect(try Self.paths(IFS.ImageVolume(image, partial: true)) == ["a"])
    }

    // MARK: Hard links

    @Test func entriesWithTheSameInodeAndDataAreOneFile() throws {
        let volume = try Self.volume([
            .file("b", "shared"), ImageEntry(path: Array("a".utf8), .hardLink(0), mode: 0x81a4),
            ImageEntry(path: Array("d/c".utf8), .hardLink(0), mode: 0x81a4), .file("e", "other"),
        ])
        let first = try Self.attributes(volume, "a")
        #expect(first.linkCount == 3 && first.byteCount == 6)
        for path in ["b", "d/c"] {
            #expect(try Self.attributes(volume, path) == first)
            #expect(try Self.text(volume, path) == "shared")
        }
        #expect(try volume.list(.root).filter { $0.node == first.node }.count == 2)
        #expect(try Self.attributes(volume, "e").linkCount == 1)
    }

    @Test func otherDataOrAnotherInodeIsAnotherFile() throws {
        let volume = try Self.volume([
            .file("a", "12345678").with { $0.inode = 7 },
            .file("b", "12345678").with { $0.inode = 7 },
            ImageEntry(path: Array("c".utf8), .hardLink(0), mode: 0x81a4).with { $0.inode = 8 },
            ImageEntry(path: Array("d".utf8), .hardLink(0), mode: 0x81a4).with { $0.size = 4 },
            .file("e").with { $0.inode = 9 }, .file("f").with { $0.inode = 9 },
        ])
        let nodes = try volume.list(.root).map(\.node)
        #expect(Set(nodes).count == 6)
        for node in nodes { #expect(volume.attributes(of: node)?.linkCount == 1) }
        #expect(try Self.text(volume, "d") == "1234")
    }

    @Test func aLinkBelowAFileIsNotCounted() throws {
        let volume = try Self.volume([
            .file("a", "x"), ImageEntry(path: Array("a/b".utf8), .hardLink(0), mode: 0x81a4),
        ])
        #expect(try Self.attributes(volume, "a").linkCount == 1)
    }
}
