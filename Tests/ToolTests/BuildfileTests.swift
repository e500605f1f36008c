import Format
import Foundation
import Mkifs
import TestSupport
import Testing

/// `--buildfile`: text that mkifs reads as what the image's directory says.
struct BuildfileTests {
    // MARK: The directory's entries

    /// What stands in a directory, or comes of a buildfile's line.
    struct Facts: Equatable {
        var path: [UInt8]
        var type: EntryType
        var mode: UInt16
        var user: UInt32
        var group: UInt32
        var modified: UInt32
        /// A file's path on the host, or a link's text.
        var source: [UInt8]?
        var isScript = false
        var isRaw = false
    }

    /// The entries of an image that a buildfile can hold, the usual root left out.
    private func stored(_ image: IFS.Image) throws -> [Facts] {
        try image.directory.entries.compactMap { entry in
            var facts = Facts(
                path: Array(image.directory.path(of: entry)), type: .file,
                mode: UInt16(entry.mode & 0o7777), user: entry.user, group: entry.group,
                modified: entry.modified)
            switch entry.kind {
            case .file:
                facts.isScript = entry == image.script
                facts.source = facts.isScript ? nil : facts.path
                facts.isRaw = try image.data(of: entry).starts(with: [0x7f, 0x45, 0x4c, 0x46])
            case .directory: facts.type = .dir
            case .symlink:
                facts.type = .link
                facts.source = Array(image.directory.target(of: entry))
            default: facts.type = .fifo
            }
            let isUsual =
                facts.mode == 0o755 && (facts.user, facts.group, facts.modified) == (0, 0, 0)
            return facts.path.isEmpty && isUsual ? nil : facts
        }
    }

    /// What mkifs makes of a text that is run through `-nn`.
    private func read(_ text: Printed) -> [Facts] {
        text.entries.map { line, attributes in
            let isDirectory = attributes.type == .dir
            let permissions =
                isDirectory ? attributes.directoryPermissions : attributes.permissions
            #expect(permissions.mask == 0 && !attributes.isOptional && !attributes.autolink)
            #expect(attributes.prefix == [] && attributes.search == [UInt8(ascii: ".")])
            let words = line.words.compactMap { try? $0.expanded { _ in nil } }
            return Facts(
                path: words[0] == [0x2f] ? [] : words[0], type: attributes.type,
                mode: permissions.applied(to: 0o7777), user: Self.id(attributes.user),
                group: Self.id(attributes.group), modified: Self.seconds(attributes.time),
                source: words.dropFirst().first, isScript: attributes.isScript,
                isRaw: attributes.isRaw)
        }
    }

    private static func id(_ owner: Owner) -> UInt32 {
        if case .id(let id) = owner { id } else { .max }
    }

    private static func seconds(_ time: FileTime) -> UInt32 {
        if case .seconds(let seconds) = time { seconds } else { 0 }
    }

    /// Holds a file's buildfile against its image.
    private func expectSameDirectory(_ bytes: [UInt8]) throws {
        let text = try Printed(bytes)
        #expect(text.messages == [])
        #expect(text.outcome.end == .exit(0))
        #expect(text.outcome.complaints == [])
        #expect(read(text) == (try stored(IFS.Image.only(in: bytes))))
    }

    @Test(arguments: Fixtures.goldenCases)
    func everyLineSaysWhatTheDirectoryDoes(_ name: String) throws {
        try expectSameDirectory(Fixtures.goldenImage(name))
    }

    @Test(
        .enabled(if: Fixtures.hasShared, "no ../shared/images"), arguments: Fixtures.sharedImages())
    func soDoesEveryLineOfARealImage(_ name: String) throws {
        let bytes = try Fixtures.bytes(Fixtures.sharedImage(name))
        let text = try Printed(bytes)
        #expect(text.messages == [] && text.outcome.end == .exit(0))
        let image = try IFS.Image.only(in: bytes)
        // What lies below a link and is no file needs nothing extracted, and has a line.
        let lost = try IFS.ImageVolume(image).findings.filter {
            if case .file = $0.entry.kind { true } else { $0.problem != .belowSymlink }
        }
        let paths = Set(lost.map(\.path))
        #expect(read(text) == (try stored(image).filter { !paths.contains($0.path) }))
        #expect(text.comments.count { $0.hasPrefix("# '") } == lost.count)
    }

    @Test func ownersModesAndTimesAreOnTheLineWhereTheyDiffer() throws {
        func file(_ name: String, _ mode: UInt32, _ owner: UInt32, _ time: UInt32) -> ImageEntry {
            .file(name, permissions: mode).with {
                $0.user = owner
                $0.group = owner / 2
                $0.modified = time
            }
        }
        // 2000-02-29, 1970 but for a second, the last second that there is, 2100-03-01.
        let builder = ImageBuilder.bare([
            file("a", 0o644, 0, 951_868_799),
            file("b", 0o7777, .max, 0), file("c", 0, 8, .max), file("d", 0o644, 0, 951_868_799),
            file("e", 0o4755, 0, 1), file("f", 0o644, 0, 4_107_542_400),
            file("g", 0o644, 0, 951_868_799), .directory("h", permissions: 0o2711),
            .device("i", type: 1, permissions: 0o600), .symlink("j", to: "").with { $0.user = 3 },
        ]).with { $0.root = .directory("", permissions: 0o700) }
        let bytes = builder.build().bytes
        try expectSameDirectory(bytes)
        let lines = try Printed(bytes).outcome.lines
        for line in [
            "[search=. prefix=\"\" -optional -autolink uid=0 gid=0 perms=0644 dperms=0700]",
            "[mtime=2000-02-29-23:59:59] a=a",
            "[uid=4294967295 gid=2147483647 perms=07777] b=b",
            "[uid=8 gid=4 perms=00 mtime=2106-02-07-06:28:15] c=c",
            "[perms=04755 mtime=1970-01-01-00:00:01] e=e", "[mtime=2100-03-01-00:00:00] f=f",
            "[type=dir] /", "[type=dir dperms=02711] h", "[type=fifo perms=0600] i",
            "[type=link uid=3 perms=0777] j=\"\"",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
    }

    @Test func aTimeThatMostHaveIsSaidOnceAndNoneIsSaidThen() throws {
        let builder = ImageBuilder.bare(
            (0..<3).map { number in .file("\(number)").with { $0.modified = 86400 } }
                + [.file("none")])
        let bytes = builder.build().bytes
        try expectSameDirectory(bytes)
        let lines = try Printed(bytes).outcome.lines
        #expect(lines.contains { $0.hasSuffix(" dperms=0755 mtime=1970-01-02-00:00:00]") })
        #expect(lines.contains("0=0") && lines.contains("[mtime=1970-01-01-00:00:00] none=none"))
    }

    // MARK: Names

    static let names: [String] = [
        " ", "a b", "\tx", "a=b", "=", "#", "#a", "a#b", "\"", "a\"b\"", "\\", "a\\", "\\\\n", "$",
        "${PATH}", "$${}", "[", "[a]", "]", "{", "{ }", "}", "{a", "-x", "+raw", "*", "a\r",
        "\u{b}a",
        "\u{c}", "\u{1b}[31m", "é", "a\u{301}", "?uid=1", "'a'", "&", "[type=dir] x", "C:x", "/{",
        "dir/{x", "dir/ ", "dir/#", "dir/[x", "\u{85}", "\u{2028}", ";", "`x`",
    ]

    @Test(arguments: names)
    func aNameOfAnyCharactersIsReadAsItIs(_ name: String) throws {
        let path = name.hasPrefix("/") ? String(name.dropFirst()) : name
        try expectSameDirectory(
            ImageBuilder.bare([
                .file(path), .symlink("link", to: name), .symlink("l-" + path, to: path),
            ]).build().bytes)
        try expectSameDirectory(ImageBuilder.bare([.directory(path)]).build().bytes)
        try expectSameDirectory(ImageBuilder.bare([.device(path, type: 1)]).build().bytes)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func soIsANameOfAnyBytes(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let alphabet = Array(" \t\r=#\"\\$[]{}a".utf8) + (1...255)
        func name() -> [UInt8] {
            (0..<Int.random(in: 1...12, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0x61
            }.filter { $0 != 0x0a && $0 != 0x2f } + [0x61]
        }
        let entries = (0..<40).map { number in
            let path = Array("\(number)".utf8) + name()
            return number % 2 == 0
                ? ImageEntry(path: path, .file([]), mode: 0x8000 | 0o644)
                : ImageEntry(path: path, .symlink(name()), mode: 0xa000 | 0o777)
        }
        try expectSameDirectory(ImageBuilder.bare(entries).build().bytes)
    }

    // MARK: What a buildfile cannot say

    @Test func whatNoLineCanSayIsACommentAndAWarning() throws {
        let builder = ImageBuilder.bare([
            .device("tty", type: 2, rdev: 1026, permissions: 0o620), .device("disk", type: 6),
            .device("socket", type: 12), .device("special", type: 5), .file("two\nlines"),
            .symlink("l", to: "a\nb"), .file("twice"), .file("twice"),
            .file("void").with { $0.inode = 0 }, .file("last"),
        ])
        let text = try Printed(builder.build().bytes)
        #expect(text.messages == [] && text.outcome.end == .exit(0))
        #expect(read(text).map(\.path) == [Array("twice".utf8), Array("last".utf8)])
        let reasons = [
            ("tty", "a character device, for which a buildfile has no type"),
            ("disk", "a block device, for which a buildfile has no type"),
            ("socket", "a socket, for which a buildfile has no type"),
            ("special", "a named special, for which a buildfile has no type"),
            ("two\\x0alines", "a newline in its name, which no buildfile can hold"),
            ("l", "a newline in its target, which no buildfile can hold"),
            ("twice", "a later entry has the same path and wins"),
            ("void", "its inode number is 0: removed, or run and not to be run again"),
        ]
        #expect(
            Set(text.outcome.complaints) == Set(reasons.map { "dumpifs: x.ifs: '\($0)': \($1)" }))
        let comments = text.comments.filter { $0.hasPrefix("# '") }
        #expect(comments.count == reasons.count)
        for (comment, (name, reason)) in zip(comments, reasons) {
            #expect(comment.hasPrefix("# '\(name)': \(reason)"))
        }
        #expect(comments[0].hasSuffix("; uid 0, gid 0, mode 0620, rdev 1026"))
    }

    @Test func whatLiesBelowALinkHasALineUnlessItsFileWouldBeMissing() throws {
        let builder = ImageBuilder.bare([
            .symlink("etc", to: "/base"), .symlink("etc/a", to: "b"), .directory("etc/d"),
            .device("etc/f", type: 1), .file("etc/file"),
        ])
        let text = try Printed(builder.build().bytes)
        #expect(text.messages == [] && text.outcome.end == .exit(0))
        #expect(
            read(text).map { String(decoding: $0.path, as: UTF8.self) }
                == ["etc", "etc/a", "etc/d", "etc/f"])
        #expect(
            text.comments.last == "# 'etc/file': it lies below a symbolic link, which wins")
    }

    @Test func lostExtendedAttributesAreACommentBeforeTheLine() throws {
        var built = ImageBuilder.bare([.file("a"), .file("b")]).build().bytes
        // The root's record is the first, of 28 bytes; the file's extattr_offset is its second half.
        built[0x5c + 28 + 2] = 4
        let text = try Printed(built)
        let reason = "'a': its extended attributes are left out; a buildfile has none"
        #expect(text.outcome.complaints == ["dumpifs: x.ifs: " + reason])
        #expect(text.outcome.lines.suffix(3) == ["# " + reason, "a=a", "b=b"])
    }

    @Test func aDirectoryThatBreaksOffIsPrintedUpToThereAndStatusOne() throws {
        let whole = ImageBuilder.bare([.file("a"), .file("b")]).build().bytes
        var broken = whole
        // The size of the last record, which is the third.
        broken[0x5c + 28 + 36] = 3
        let text = try Printed(broken)
        #expect(text.outcome.end == .exit(1) && text.messages == [])
        #expect(read(text).map(\.path) == [Array("a".utf8)])
        #expect(text.comments.last?.hasPrefix("# the directory breaks off: dirent.size") == true)
    }

    @Test func aFileThatCannotBeReadIsACommentAndStatusOne() throws {
        let built = ImageBuilder([
            .file("big", SplitMix64.noise(0x20000)), .file("late", SplitMix64.text(100)),
        ]).with { $0.packing = .ucl() }.build()
        var bytes = built.bytes
        let last = try #require(built.blocks.last)
        for place in 0..<40 { bytes[last.offset + 2 + place] = 0 }
        let text = try Printed(bytes)
        #expect(text.outcome.end == .exit(1) && text.messages == [])
        #expect(read(text).map(\.path) == [Array("big".utf8)])
        #expect(text.comments.last?.hasPrefix("# 'late': unreadable: ") == true)
        #expect(text.outcome.complaints.count == 1)
    }

    // MARK: A second judge

    /// The executable form of the format's description; it stands among the shared files.
    private static let model = Fixtures.shared?.appendingPathComponent("golden/model")

    /// What it builds of the extracted files has the same entries. mkifs of 6.4, which it follows,
    /// gives the sticky bit to whatever can be executed.
    @Test(
        .enabled(if: model.map(Fixtures.exists) ?? false, "no ../shared/golden/model"),
        arguments: Fixtures.goldenCases)
    func theModelBuildsTheSameTree(_ name: String) throws {
        let folder = try TemporaryFolder()
        let path = Fixtures.golden(name, "expected.ifs").path
        try folder.write(try dumpifs(["--buildfile", path]).output, to: "x.build")
        expectSuccess(try dumpifs(["-x", "-d", "tree", path], in: folder))
        var child = Child([try #require(Self.model).path, "-nn", "../x.build", "../new.ifs"])
        child.folder = URL(fileURLWithPath: folder.path("tree"))
        #expect(try child.run().end == .exit(0))
        func tree(_ bytes: [UInt8]) throws -> [[UInt8]: Facts] {
            var tree: [[UInt8]: Facts] = [:]
            for var facts in try stored(IFS.Image.only(in: bytes)) {
                facts.mode &= 0o6777
                tree[facts.path] = facts
            }
            return tree
        }
        #expect(try tree(folder.bytes("new.ifs")) == tree(Fixtures.goldenImage(name)))
    }
}
