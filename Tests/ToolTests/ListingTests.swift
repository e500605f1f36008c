import Foundation
import TestSupport
import Testing

/// The text that the vendor's dumpifs of 6.x prints.
struct ListingTests {
    @Test func thereAreThirtyThreeGoldenCases() {
        #expect(Fixtures.goldenCases.count == 33)
    }

    @Test(arguments: Fixtures.goldenCases)
    func listsAsTheVendorsToolDoes(_ name: String) throws {
        let outcome = try golden([], name)
        expectSuccess(outcome)
        let expected = try Fixtures.bytes(Fixtures.golden(name, "expected.list"))
        #expect(difference(outcome.output, expected) == nil)
    }

    @Test(arguments: Fixtures.goldenCases)
    func listsVerboselyAsTheVendorsToolDoes(_ name: String) throws {
        let outcome = try golden(["-v"], name)
        expectSuccess(outcome)
        let expected = try Fixtures.bytes(Fixtures.golden(name, "expected.list-v"))
        #expect(difference(outcome.output, expected) == nil)
    }

    @Test func everyFieldOfTheHeadersShows() throws {
        let folder = try TemporaryFolder()
        let builder = ImageBuilder([.file("a", "x").with { $0.modified = 0x5f00_0001 }]).with {
            $0.prefix = [UInt8](repeating: 7, count: 0x40)
            $0.flags2 = 1
            $0.physicalBias = 0x1000
            $0.bootInodes = [0x2000_0002, 0, 0xa000_0003]
            $0.scriptInode = 9
            $0.chainAddress = 0xbeef
            $0.mountpoint = Array("/kit".utf8)
            $0.imagePatches = [
                .init(0x2c, [UInt8](UInt32(0x77), isBigEndian: false)),
                .init(0x54, [UInt8](UInt32(0x12), isBigEndian: false)),
            ]
        }
        let image = builder.build()
        try folder.write(image.bytes, to: "x.ifs")
        let outcome = try dumpifs(["-v", "x.ifs"], in: folder)
        expectSuccess(outcome)
        // 0x40 of prefix, 256 of header, 16 of program and 4 of trailer, up to a multiple of 8.
        try #require(image.storedOffset == 0x158 && image.plain.count == 0xac)
        let imageWord = image.plain.integer(UInt32.self, at: 0xa8)
        let startupWord = image.bytes.integer(UInt32.self, at: 0x154)
        #expect(
            outcome.text == """
                   Offset     Size  Name
                        0       40  *.boot
                       40      100  Startup-header flags1=0x1 flags2=0x1 paddr_bias=0x1000
                                       preboot_size=0x40
                                       image_paddr=0x80000000 stored_size=0x1c4
                                       startup_size=0x118 imagefs_size=0xac
                                       ram_paddr=0x80000000 ram_size=0x1c4
                                       startup_vaddr=0x80001100
                      140       18  startup.*
                      158       5c  Image-header mountpoint=/kit
                                       flags=0x4 chain=0xbeef script=9 boot=536870914,-1610612733 \
                spare=0x77,0,0,0,0,0,0,0,0,0 mntflg=0x12
                      1b8       44  Image-directory
                     ----     ----  Root-dirent
                                       gid=0 uid=0 mode=0755 ino=1 mtime=0
                      1fc        1  a
                                       gid=0 uid=0 mode=0644 ino=2 mtime=5f000001
                Checksums: image=0x\(String(imageWord, radix: 16)) \
                startup=0x\(String(startupWord, radix: 16))

                """)
    }

    @Test func devicesShowTheirNumbersAndNoSize() throws {
        let folder = try TemporaryFolder()
        let kinds: [(String, UInt32)] = [
            ("fifo", 1), ("tty", 2), ("special", 5), ("disk", 6), ("socket", 12),
        ]
        let image = ImageBuilder.bare(
            kinds.map {
                .device("dev/\($0.0)", type: $0.1, dev: 3, rdev: 0x402, permissions: 0o620)
            }
        ).build()
        try folder.write(image.bytes, to: "x.ifs")
        let lines = try dumpifs(["x.ifs"], in: folder).lines
        let expected = kinds.map { "     ----     ----  dev/\($0.0) dev=3 rdev=1026" }
        #expect(Array(lines[4..<9]) == expected)
    }

    @Test func anEntryWithoutInodeIsMarked() throws {
        let folder = try TemporaryFolder()
        let image = ImageBuilder.bare([
            .file("bin/gone", "data").with { $0.inode = 0 }, .file("bin/here", "data"),
        ]).build()
        try folder.write(image.bytes, to: "x.ifs")
        let outcome = try dumpifs(["x.ifs"], in: folder)
        #expect(outcome.end == .exit(0))
        #expect(outcome.lines[4].hasSuffix("        4  bin/gone (void)"))
        #expect(outcome.lines[5].hasSuffix("        4  bin/here"))
        #expect(
            outcome.complaints == [
                "dumpifs: x.ifs: 'bin/gone': its inode number is 0: removed, or run and not to be"
                    + " run again"
            ])
    }

    @Test func ofALongTrailerTheSumShowsAndNotTheDigest() throws {
        let folder = try TemporaryFolder()
        let image = ImageBuilder([.file("a", "x")]).with {
            $0.hasImageDigest = true
            $0.hasStartupDigest = true
        }.build()
        try folder.write(image.bytes, to: "x.ifs")
        let outcome = try dumpifs(["x.ifs"], in: folder)
        expectSuccess(outcome)
        let words = [
            image.plain.integer(UInt32.self, at: image.plain.count - 4),
            image.bytes.integer(UInt32.self, at: image.storedOffset - 4),
        ].map { String($0, radix: 16) }
        #expect(outcome.lines.last == "Checksums: image=0x\(words[0]) startup=0x\(words[1])")
        #expect(outcome.lines[1].contains("flags1=0x21 "))
    }

    // MARK: What is chosen

    @Test func namesRestrictTheListingToLastComponents() throws {
        let outcome = try golden(["expected.ifs", "procnto", "Root-dirent"], "boot-armle")
        expectSuccess(outcome)
        #expect(
            outcome.lines == [
                "   Offset     Size  Name", "     ----     ----  Root-dirent",
                "     2000     3000  proc/boot/procnto",
            ])
    }

    @Test(arguments: [
        ("*.boot", "        0      200  *.boot"),
        ("Startup-header", "      200      100  Startup-header flags1=0x1 flags2=0 paddr_bias=0"),
        ("startup.*", "      300     1008  startup.*"),
        ("Image-header", "     1308       5c  Image-header mountpoint=/"),
        ("Image-directory", "     1364      1cc  Image-directory"),
    ])
    func theStructuresHaveNamesToo(_ name: String, _ line: String) throws {
        let outcome = try golden(["expected.ifs", name], "boot-armle-prefixed")
        expectSuccess(outcome)
        #expect(outcome.lines == ["   Offset     Size  Name", line])
    }

    @Test func ofSeveralImagesTheFirstIsListedAndTheOthersNamed() throws {
        let folder = try TemporaryFolder()
        let first = ImageBuilder([.file("one", "1")]).build().bytes
        let second = ImageBuilder([.file("two", "2")]).build().bytes
        let third = ImageBuilder.bare([.file("three", "3")]).build().bytes
        let gap = [UInt8](repeating: 0xff, count: 64)
        try folder.write(first + gap + second + third, to: "x.ifs")
        let outcome = try dumpifs(["x.ifs"], in: folder)
        #expect(outcome.end == .exit(0))
        #expect(outcome.lines.contains { $0.hasSuffix("  one") })
        #expect(!outcome.lines.contains { $0.hasSuffix("  two") })
        let places = [first.count + 64, first.count + 64 + second.count]
        #expect(
            outcome.complaints
                == zip(places, 2...).map {
                    "dumpifs: x.ifs: another image at 0x\(String($0, radix: 16)) (--image \($1))"
                })
    }

    @Test(.enabled(if: Tool.has("md5sum"), "no md5sum here"))
    func theDigestsAreThoseOfMd5sum() throws {
        let folder = try TemporaryFolder()
        expectSuccess(try golden(["-d", folder.path("out"), "expected.ifs"], "compress-ucl"))
        let outcome = try golden(["-m", "expected.ifs"], "compress-ucl")
        expectSuccess(outcome)
        let listed = outcome.lines.map { Array($0.split(separator: " ").suffix(2)) }
        #expect(listed.count > 3)
        for words in listed {
            var sum = Child(["md5sum", String(words[0])])
            sum.folder = folder.url.appendingPathComponent("out")
            #expect(try sum.run().lines == ["\(words[1])  \(words[0])"])
        }
    }

    @Test func digestsStandBehindThePathsOfFilesOnly() throws {
        let outcome = try golden(["-mvv", "expected.ifs"], "plain")
        expectSuccess(outcome)
        let empty = "d41d8cd98f00b204e9800998ecf8427e"
        #expect(outcome.lines.contains { $0.hasSuffix("        0  empty \(empty)") })
        let plain = try golden(["-vv", "expected.ifs"], "plain")
        #expect(outcome.lines.count == plain.lines.count)
        let changed = zip(outcome.lines, plain.lines).filter { $0 != $1 }
        #expect(changed.allSatisfy { $0.hasPrefix($1 + " ") && $0.count == $1.count + 33 })
    }

    @Test func reservedFieldsMayBeAnythingAndZIsAccepted() throws {
        let folder = try TemporaryFolder()
        let image = ImageBuilder([.file("a", "x")]).with {
            $0.zeroHalf = 1
            $0.zeroWord = 0x3000_0013
            $0.addressOffset = 0x1_0000_0000
        }.build()
        try folder.write(image.bytes, to: "x.ifs")
        let outcome = try dumpifs(["-z", "x.ifs"], in: folder)
        expectSuccess(outcome)
        #expect(try dumpifs(["x.ifs"], in: folder).output == outcome.output)
    }

    // MARK: Odd names

    static let oddNames = [
        Array("line\nbreak".utf8), Array("\u{1b}]0;title\u{7}".utf8), [0x66, 0xff, 0xfe],
        Array("caf\u{e9}".utf8),
    ]

    private func oddImage(in folder: TemporaryFolder) throws {
        let entries = Self.oddNames.map { name in
            ImageEntry.file("", "data").with { $0.path = name }
        }
        try folder.write(ImageBuilder.bare(entries).build().bytes, to: "x.ifs")
    }

    @Test func intoAPipeOrFileNamesGoAsTheyAre() throws {
        let folder = try TemporaryFolder()
        try oddImage(in: folder)
        let outcome = try dumpifs(["x.ifs"], in: folder)
        expectSuccess(outcome)
        for name in Self.oddNames {
            #expect(outcome.output.firstRange(of: name + [10]) != nil)
        }
    }

    @Test(.enabled(if: Terminal.isHere, "no script(1) here"))
    func toATerminalNoControlCharacterGoes() throws {
        let folder = try TemporaryFolder()
        try oddImage(in: folder)
        let shown = try Terminal.dumpifs("x.ifs", in: folder)
        #expect(shown.contains("  line\\x0abreak\n"))
        #expect(shown.contains("  \\x1b]0;title\\x07\n"))
        #expect(shown.contains("  f\\xff\\xfe\n"))
        #expect(shown.contains("  caf\u{e9}\n"))
    }

    @Test(.enabled(if: Terminal.isHere, "no script(1) here"))
    func toATerminalAScriptSendsOnlyItsNewlines() throws {
        let folder = try TemporaryFolder()
        var builder = ImageBuilder.bare()
        builder.addScript(
            ScriptBytes.displayMessage("red \u{1b}[31m\n")
                + ScriptBytes.external("/bin/a\u{9b}b", ["a\u{9b}b", "\u{1b}c"])
                + ScriptBytes.terminator)
        try folder.write(builder.build().bytes, to: "x.ifs")
        let shown = try Terminal.dumpifs("-vv x.ifs", in: folder)
        #expect(shown.contains("display_msg 'red \\x1b[31m\n'\n"))
        #expect(!shown.unicodeScalars.contains { $0 == "\u{1b}" || $0 == "\u{9b}" })
    }

    private func golden(_ arguments: [String], _ name: String) throws -> Child.Outcome {
        try dumpifs(arguments.contains("expected.ifs") ? arguments : arguments + ["expected.ifs"]) {
            $0.folder = Fixtures.golden(name, "expected.ifs").deletingLastPathComponent()
        }
    }
}
