import Foundation
import TestSupport
import Testing

/// Images and directories made to lead an extraction astray: nothing outside the target may change,
/// and nothing said may command a terminal.
struct HostileImageTests {
    /// A folder with a target `out` and, beside it, a directory that must stay as it is.
    private final class Site {
        let folder = try! TemporaryFolder()
        private var before: [String: Node] = [:]

        init(_ image: BuiltImage) throws {
            try folder.write(image.bytes, to: "x.ifs")
            mkdir(folder.path("out"), 0o755)
            mkdir(folder.path("sentinel"), 0o755)
            try folder.write(Array("precious".utf8), to: "sentinel/file")
            symlink("file", folder.path("sentinel/link"))
            before = try outside()
        }

        convenience init(_ entries: [ImageEntry]) throws {
            try self.init(ImageBuilder.bare(entries).build())
        }

        /// Everything but the target.
        private func outside() throws -> [String: Node] {
            try Node.tree(folder.path(""), except: "out")
        }

        /// Extracts into the target and checks that nothing else changed and that every line said is
        /// one of printable text.
        func extract(
            _ arguments: [String] = [], sourceLocation: SourceLocation = #_sourceLocation
        ) throws -> Child.Outcome {
            let outcome = try dumpifs(arguments + ["-d", "out", "x.ifs"], in: folder)
            #expect(try outside() == before, sourceLocation: sourceLocation)
            let said = outcome.errors.filter { $0 != 10 }
            #expect(!said.contains { $0 < 0x20 || $0 == 0x7f }, sourceLocation: sourceLocation)
            #expect(
                outcome.complaints.allSatisfy { $0.hasPrefix("dumpifs: ") },
                sourceLocation: sourceLocation)
            return outcome
        }

        func tree() throws -> [String: Node] { try Node.tree(folder.path("out")) }
    }

    static let badPaths = [
        "/etc/passwd", "../sentinel/file", "a/../../sentinel/new", "..", ".", "a/..", "a/./b",
        "a//b", "a/", "//", "/",
    ]

    @Test(arguments: badPaths)
    func aNameThatLeadsOutIsRefusedAndTheRestExtracted(_ path: String) throws {
        let site = try Site([.file(path, "evil"), .file("good", "good")])
        for arguments in [[], ["-b"]] {
            let outcome = try site.extract(arguments)
            #expect(outcome.end == .exit(0))
            #expect(outcome.complaints == ["dumpifs: x.ifs: '\(path)': its name cannot be a path"])
            #expect(try Set(site.tree().keys) == ["", "good"])
        }
        #expect(try site.extract(["-f", path]).end == .exit(1))
    }

    @Test(arguments: [0x4000, 0xa000, 0x1000] as [UInt32])
    func norIsOneThatIsNoFile(_ type: UInt32) throws {
        for path in Self.badPaths {
            let entry: ImageEntry =
                switch type {
                case 0x4000: .directory(path, permissions: 0o777)
                case 0xa000: .symlink(path, to: "../sentinel/file")
                default: .device(path, type: 1)
                }
            let site = try Site([entry, .file("good", "good")])
            #expect(try site.extract().end == .exit(0))
            #expect(try Set(site.tree().keys) == ["", "good"])
        }
    }

    @Test func nothingGoesThroughALinkOfTheImage() throws {
        let site = try Site([
            .symlink("link", to: "../sentinel"), .file("link/file", "evil"),
            .file("link/new", "evil"), .directory("link/sub"),
            .symlink("to", to: "../sentinel/new"),
            .file("to", "a file in the link's place"),
        ])
        let outcome = try site.extract()
        #expect(outcome.end == .exit(0))
        #expect(
            outcome.complaints
                == [
                    "'to': a later entry has the same path and wins",
                    "'link/file': it lies below a symbolic link, which wins",
                    "'link/new': it lies below a symbolic link, which wins",
                    "'link/sub': it lies below a symbolic link, which wins",
                ].map { "dumpifs: x.ifs: \($0)" })
        #expect(try Set(site.tree().keys) == ["", "link", "to"])
        #expect(try site.folder.node("out/to").type == S_IFREG)
    }

    @Test func norInTwoGoes() throws {
        let site = try Site([
            .symlink("link", to: "../sentinel"), .symlink("f", to: "../sentinel/new"),
        ])
        #expect(try site.extract().end == .exit(0))
        let second = ImageBuilder.bare([.file("link/file", "evil"), .file("f", "fine")]).build()
        let other = try Site(second)
        try FileManager.default.removeItem(atPath: other.folder.path("out"))
        rename(site.folder.path("out"), other.folder.path("out"))
        let outcome = try other.extract()
        expectFailure(
            outcome,
            saying: ["dumpifs: out/link: 'link' is there and no directory; it is not followed"])
        #expect(try other.folder.node("out/link").type == S_IFLNK)
        #expect(try other.folder.node("out/f").text == "fine")
    }

    @Test(arguments: ["../sentinel", "../sentinel/file", "nowhere", "."])
    func aLinkThatSomeoneLeftIsNotFollowed(_ target: String) throws {
        let site = try Site([
            .directory("dir", permissions: 0o777), .file("dir/file", "evil"), .file("file", "mine"),
            .file("made/up/file", "evil"), .device("pipe", type: 1), .symlink("own", to: "x"),
        ])
        for name in ["dir", "file", "made", "pipe", "own"] {
            symlink(target, site.folder.path("out/\(name)"))
        }
        let outcome = try site.extract()
        expectFailure(
            outcome,
            saying: ["dir", "made"].map {
                "dumpifs: out/\($0): '\($0)' is there and no directory; it is not followed"
            })
        #expect(try site.folder.node("out/dir").text == target)
        #expect(try site.folder.node("out/file").text == "mine")
        #expect(try site.folder.node("out/pipe").type == S_IFIFO)
        #expect(try site.folder.node("out/own").text == "x")
    }

    @Test func aChosenPathGoesThroughNoLinkEither() throws {
        let site = try Site([.file("dir/sub/file", "evil")])
        symlink("../sentinel", site.folder.path("out/dir"))
        let outcome = try site.extract(["-f", "dir/sub/file"])
        expectFailure(
            outcome,
            saying: [
                "dumpifs: out/dir/sub/file: 'dir' is there and no directory; it is not followed"
            ])
    }

    @Test func aDeviceLeftInTheTargetIsReplacedAndNotWrittenTo() throws {
        let site = try Site([.file("pipe", "data")])
        mkfifo(site.folder.path("out/pipe"), 0o600)
        expectSuccess(try site.extract())
        #expect(try site.folder.node("out/pipe").text == "data")
    }

    @Test func whatLiesBelowAFileIsRefused() throws {
        let site = try Site([
            .file("f", "file"), .file("f/g", "evil"), .device("p", type: 1), .file("p/q"),
        ])
        let outcome = try site.extract()
        #expect(outcome.end == .exit(0))
        #expect(
            outcome.complaints
                == ["f/g", "p/q"].map {
                    "dumpifs: x.ifs: '\($0)': it lies below an entry that is no directory"
                })
        #expect(try Set(site.tree().keys) == ["", "f", "p"])
    }

    // MARK: Odd names

    @Test func namesOfAnyBytesAreMadeAndShownEscaped() throws {
        let names: [[UInt8]] = [
            Array("line\nbreak".utf8), Array("\u{1b}[2J\u{7}".utf8), [0xff, 0xfe],
            Array("-rf".utf8), Array(" ".utf8), Array("caf\u{e9}".utf8), [0x61, 0xc2, 0x9b],
        ]
        let site = try Site(names.map { name in ImageEntry.file("", "x").with { $0.path = name } })
        let outcome = try site.extract(["-v"])
        expectSuccess(outcome)
        #expect(
            Set(outcome.lines)
                == Set(
                    [
                        "line\\x0abreak", "\\x1b[2J\\x07", "\\xff\\xfe", "-rf", " ", "caf\u{e9}",
                        "a\\xc2\\x9b",
                    ].map { "Extracted \($0)" }))
        let out = Array(site.folder.path("out").utf8) + [0x2f]
        for name in names { #expect(try Node(out + name).text == "x") }
    }

    @Test func messagesAboutOddNamesAreOneLineOfText() throws {
        let evil = Array("a\n\u{1b}]0;x\u{7}\u{c2}".utf8)
        let entries: [ImageEntry] = [
            .device("", type: 2), .file("", "x").with { $0.inode = 0 }, .file("", "below"),
            .file("", "out").with { $0.size = 0x7fff_ffff },
        ]
        let paths = [evil + [1], evil + [2], evil + [1, 0x2f, 3], evil + [4]]
        let site = try Site(
            zip(entries, paths).map { entry, path in entry.with { $0.path = path } })
        let outcome = try site.extract(["-f", "no\u{1b}[31m\nsuch"])
        #expect(outcome.complaints.count == 4)
        let listing = try dumpifs(["-u", "no/\u{1b}[31m", "x.ifs"], in: site.folder)
        #expect(listing.complaints.last?.contains("no/\\x1b[31m: cannot make") == true)
    }

    @Test func namesAreAsLongAsTheHostAllowsAndNoLonger() throws {
        let longest = String(repeating: "n", count: 255)
        let path = (0..<10).map { String(repeating: "p", count: $0 == 0 ? 100 : 99) }
            .joined(separator: "/")
        let deep = Array(repeating: "d", count: 500).joined(separator: "/")
        let site = try Site([
            .file(longest, "longest"), .file(longest + "n", "too long"), .file(path, "path"),
            .file(deep, "deep"), .directory("dir/" + longest),
        ])
        let outcome = try site.extract()
        #expect(path.utf8.count == 1000 && deep.utf8.count == 999)
        #expect(
            outcome.complaints == ["dumpifs: x.ifs: '\(longest)n': its name cannot be a path"])
        #expect(try site.folder.node("out/\(longest)").text == "longest")
        #expect(try site.folder.node("out/\(path)").text == "path")
        #expect(try site.folder.node("out/\(deep)").text == "deep")
        #expect(try site.folder.node("out/dir/\(longest)").type == S_IFDIR)
    }

    /// A record's size is 16 bits, so 65,000 bytes are the longest path that an image can hold.
    @Test(arguments: [510, 600, 32_000])
    func depthAloneIsNoTrouble(_ depth: Int) throws {
        let deep = Array(repeating: "d", count: depth).joined(separator: "/")
        let site = try Site(["a", "b"].map { ImageEntry.file("\($0)/\(deep)", "deep") })
        let outcome = try site.extract()
        #expect(outcome.end == .exit(0))
        // More than 1023 bytes are no path.
        #expect(outcome.complaints.count == (depth > 512 ? 2 : 0))
        #expect(try site.tree().count == (depth > 512 ? 1 : 2 * depth + 3))
    }

    @Test func whatADirectoryHoldsIsMadeWithoutGoingThereAnew() throws {
        let deep = Array(repeating: "d", count: 500).joined(separator: "/")
        let site = try Site((0..<4000).map { ImageEntry.file("\(deep)/\($0)") })
        let outcome = try site.extract()
        expectSuccess(outcome)
        // Two million steps from the top down would take about ten seconds.
        #expect(outcome.seconds < 5, "\(outcome.seconds)")
    }

    @Test func manyDirectoriesTakeFewDescriptors() throws {
        let entries = (0..<400).map { ImageEntry.file("d\($0)/e\($0)/f", "x") }
        let folder = try TemporaryFolder()
        try folder.write(ImageBuilder.bare(entries).build().bytes, to: "x.ifs")
        var child = Child([
            "sh", "-c", "ulimit -n 40; exec \"$@\"", "sh", Tool.dumpifs, "-d", "out", "x.ifs",
        ])
        child.folder = folder.url
        expectSuccess(try child.run())
        #expect(try Node.tree(folder.path("out")).count == 1201)
    }

    @Test func claimsOfHugeFilesTakeNeitherMemoryNorTime() throws {
        let entries = (0..<2000).map { index in
            ImageEntry.file("f\(index)", "x").with { $0.size = 0xffff_ff00 }
        }
        let site = try Site(entries)
        let outcome = try site.extract()
        #expect(outcome.end == .exit(1))
        #expect(outcome.complaints.count == 4000)
        #expect(outcome.seconds < 10)
        #expect(try Set(site.tree().keys) == [""])
    }
}
