import Format
import Foundation
import Mkifs
import TestSupport
import Testing

/// What `--buildfile` prints around the entries: the script, the image's attributes, the boot section.
struct BuildfileScriptTests {
    // MARK: The script

    /// The words, variables and modifiers of a printed script.
    private func commands(_ text: Printed) throws -> [(line: CommandLines.Line, ScriptModifiers)] {
        let (line, attributes) = try #require(text.entries.first { $0.attributes.isScript })
        var (scope, diagnostics) = (AttributeScope(.v70), Mkifs.Diagnostics())
        var section = AttributeScope.Section(of: attributes)
        let source = try #require(line.inline).text
        let lines = CommandLines(parsing: source, &diagnostics).lines
        let read = lines.map { line in
            (line, scope.enterScript(line, in: &section, { _ in nil }, &diagnostics))
        }
        #expect(diagnostics.kept == [])
        return read
    }

    private func bytes(_ word: Word) throws -> [UInt8] { try word.expanded { _ in nil } }

    private func expectSameScript(_ image: [UInt8]) throws {
        let script = IFS.Script(try IFS.Image.only(in: image).scriptData())
        let lines = try commands(Printed(image))
        #expect(lines.count == script.commands.count)
        for ((line, modifiers), command) in zip(lines, script.commands) {
            let words = try line.words.map(bytes)
            switch command {
            case .external(let how, let path, let arguments, let environment):
                #expect(words == [path] + arguments.dropFirst())
                #expect(
                    try line.assignments.map { try $0.name + [0x3d] + bytes($0.value) }
                        == environment)
                let base = path.split(separator: 0x2f).last.map(Array.init)
                #expect((modifiers.argv0 ?? base) == arguments.first)
                #expect((line.background != nil) == how.isBackground)
                #expect(modifiers.isSession == how.isSession)
                #expect(modifiers.priority?.level == (how.hasPriority ? how.priority : nil))
                #expect(modifiers.processor == (how.hasCPU ? how.cpu : nil))
            case .displayMessage(let text):
                #expect(words == [Array("display_msg".utf8), text.dropLast()])
            case .waitfor(let path, let tenths), .reopen(let path, let tenths):
                #expect(words.dropFirst() == [path, Array("\(tenths / 10).\(tenths % 10)".utf8)])
            case .symlink(let target, let path): #expect(words.dropFirst() == [target, path])
            case .partition, .unknown: Issue.record("not expected here")
            }
        }
    }

    @Test(arguments: Fixtures.goldenCases.filter { $0.contains("boot") || $0 == "script" })
    func theScriptIsReadAsTheSameCommands(_ name: String) throws {
        try expectSameScript(Fixtures.goldenImage(name))
    }

    @Test func wordsOfAScriptAreBytes() throws {
        var builder = ImageBuilder.bare()
        let strange = "}{ \\}\" ${X} #&=[]\t"
        builder.addScript(
            ScriptBytes.external(
                "x", ["x", strange, "", "?", "&"], ["V=\(strange)"], .init(flags: 0x20))
                + ScriptBytes.displayMessage(strange + "\n")
                + ScriptBytes.waitfor(strange, tenths: 7)
                + ScriptBytes.terminator)
        var image = builder.build().bytes
        // A byte that is no UTF-8.
        image[try #require(image.lastIndex(of: UInt8(ascii: "?")))] = 0xff
        try expectSameScript(image)
    }

    @Test func whatIsLostOfACommandIsSaid() throws {
        var builder = ImageBuilder.bare()
        builder.addScript(
            [
                ScriptBytes.external("x", ["x", "a\nb"]), ScriptBytes.record(77, [0]),
                ScriptBytes.displayMessage("no end"),
                ScriptBytes.external("x", ["x"], [], .init(flags: 0x80)),
                ScriptBytes.external("x", ["x", "&"]), ScriptBytes.external("x", ["x", "&", "y"]),
            ].flatMap { $0 } + [0xff, 0x7f, 0, 0])
        let text = try Printed(builder.build().bytes)
        #expect(text.outcome.end == .exit(1) && text.messages == [])
        let lead = "dumpifs: x.ifs: 'proc/boot/.script': "
        let reasons = [
            "no word of a line can hold a newline", "its type 77 is unknown, and it is a comment",
            "its text gets a newline at the end", "a buildfile cannot call it critical",
            "its last argument, '&', reads as 'do not wait'",
        ]
        let complaints = text.outcome.complaints
        #expect(
            complaints.dropLast()
                == reasons.enumerated().map {
                    lead + "command \($0 + 1) of the script is not what it was: \($1)"
                }[...])
        #expect(complaints.last?.hasPrefix(lead + "the script breaks off: ") == true)
        #expect(text.comments.filter { $0.hasPrefix("# 'proc/boot/.script': ") }.count == 6)
    }

    // MARK: The image

    /// Numbers as the vendor's listing of the case shows them: `image_paddr` less `preboot_size`,
    /// more `paddr_bias`; and what the case's own buildfile says.
    static let images: [(String, String?)] = [
        ("boot-armle", "[image=0x80100000 mount=/]"),
        ("boot-armle-biased", "[image=0x80008000 mount=/]"),
        ("boot-armle-chain", "[image=0x80100000 chain=0x81000000 mount=/]"),
        ("boot-armle-lzo", "[image=0x80100000 compress=2 mount=/]"),
        ("boot-armle-notloaded", "[image=0x80100000 mount=/]"),
        ("boot-armle-rom", "[image=0x10000000 ram=0x80000000 mount=/]"),
        ("boot-armle-ucl", "[image=0x80100000 compress=3 mount=/]"),
        ("boot-ppcbe", "[+bigendian image=0x100000 mount=/]"),
        ("boot-ppcbe-zlib", "[+bigendian image=0x100000 compress=1 mount=/]"),
        ("boot-x86-image", "[image=0x1400000 mount=/]"), ("bigendian", "[+bigendian]"),
        ("compress-lzo", "[compress=2]"), ("compress-ucl", "[compress=3]"), ("plain", nil),
    ]

    @Test(arguments: images)
    func theImagesAttributesAreThoseItWasMadeWith(_ name: String, _ line: String?) throws {
        let text = try Printed(Fixtures.goldenImage(name))
        let found = text.outcome.lines.prefix { !$0.hasPrefix("[search=") }
            .filter { !$0.hasPrefix("#") }
        #expect(found == (line.map { [$0] } ?? []))
    }

    @Test func wideAddressesAndOddMountPointsAreTheImagesToo() throws {
        let builder = ImageBuilder([.file("a")]).with {
            $0.prefix = [UInt8](repeating: 0, count: 0x20)
            $0.imageAddress = 0x20
            $0.addressOffset = 0x12_0000_0000
            $0.mountpoint = Array("/a b\"]\\${X}#\n".utf8) + [0xff]
        }
        let text = try Printed(builder.build().bytes)
        #expect(text.messages == [])
        #expect(text.image.range?.start == 0x12_0000_0000)
        #expect(text.image.mount == builder.mountpoint)
    }

    /// Without the mark of a comment the section is one, and mkifs finds the programs in it.
    @Test func theBootSectionIsACommentThatCanBeTakenUp() throws {
        let text = try Printed(Fixtures.goldenImage("boot-armle"))
        #expect(!text.entries.contains { $0.attributes.virtual != nil })
        let start = try #require(text.comments.firstIndex { $0.hasPrefix("# [virtual=") })
        let end = try #require(text.comments[start...].firstIndex(of: "# }"))
        let section = text.comments[start...end].map { String($0.dropFirst(2)) + "\n" }.joined()
        let read = Printed(reading: Array(section.utf8))
        #expect(read.messages == [])
        let (line, attributes) = try #require(read.entries.first)
        #expect(attributes.virtual?.cpu == Array("armle".utf8))
        var diagnostics = Mkifs.Diagnostics()
        let lines = CommandLines(parsing: try #require(line.inline).text, &diagnostics).lines
        #expect(
            try lines.map { try $0.words.map { String(decoding: try bytes($0), as: UTF8.self) } }
                == [["startup-armle", "-v", "-D74"], ["procnto"]])
    }

    // MARK: The command

    /// The whole text for a case; `Tests/Fixtures/printed/README.md` says how it is renewed.
    @Test func aPersonCanReadIt() throws {
        let outcome = try dumpifs(["--buildfile", "expected.ifs"]) {
            $0.folder = Fixtures.golden("boot-armle-chain", "expected.ifs")
                .deletingLastPathComponent()
        }
        expectSuccess(outcome)
        let expected = try Fixtures.bytes(
            Fixtures.folder.appendingPathComponent("printed/boot-armle-chain.build"))
        #expect(outcome.text == String(decoding: expected, as: UTF8.self))
    }

    @Test func ofSeveralImagesTheOneAskedForIsPrinted() throws {
        let folder = try TemporaryFolder()
        let images = ["a", "b"].map { ImageBuilder.bare([.file($0)]).build().bytes }
        try folder.write(images[0] + images[1], to: "x.ifs")
        let second = try dumpifs(["--buildfile", "--image=2", "x.ifs"], in: folder)
        #expect(second.end == .exit(0) && second.lines.last == "b=b")
        #expect(second.lines.first == "# image 2 of 2 in x.ifs, as a buildfile")
        #expect(second.lines.contains("#     dumpifs -x -d tree --image 2 IMAGE"))
        let behind = try dumpifs(["--buildfile", "--offset=1", "x.ifs"], in: folder)
        #expect(behind.lines.last == "b=b")
    }

    @Test(.enabled(if: Terminal.isHere, "no script(1) here"))
    func aTerminalIsNotCommanded() throws {
        let folder = try TemporaryFolder()
        try folder.write(ImageBuilder.bare([.file("a\u{1b}b")]).build().bytes, to: "x.ifs")
        let text = try Terminal.dumpifs("--buildfile x.ifs", in: folder)
        #expect(text.hasSuffix("\na\\x1bb=a\\x1bb\n"))
    }
}
