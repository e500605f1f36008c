import Foundation
import TestSupport
import Testing

/// `ifsctl check`, and what all of ifsctl has in common: its command line and its exit status.
struct IfsctlCheckTests {
    private static func check(_ bytes: some Collection<UInt8>) throws -> Child.Outcome {
        let folder = try TemporaryFolder()
        try folder.write(Array(bytes), to: "x.ifs")
        return try ifsctl(["check", "x.ifs"], in: folder)
    }

    /// An image whose startup's sum is one more than it should be, and the line that says so.
    private static func wrong(_ start: Int = 0) -> (bytes: [UInt8], line: String) {
        let built = ImageBuilder([.file("a", "x")]).build()
        var bytes = built.bytes
        let word = bytes.integer(UInt32.self, at: built.storedOffset - 4)
        bytes[260] &+= 1
        func hex(_ value: some BinaryInteger) -> String { "0x" + String(value, radix: 16) }
        return (
            bytes,
            "startup trailer.cksum at \(hex(start + built.storedOffset - 4)): found \(hex(word)),"
                + " expected \(hex(word &- 1))"
        )
    }

    // MARK: Findings

    @Test(arguments: Fixtures.goldenCases)
    func aSoundImageIsStatusZeroAndNoWord(_ name: String) throws {
        let outcome = try ifsctl(["check", Fixtures.golden(name, "expected.ifs").path])
        expectSuccess(outcome)
        #expect(outcome.output == [])
    }

    @Test func eachFindingIsOneLineBehindTheFilesNameAndTheStatusIsOne() throws {
        let (bytes, line) = Self.wrong()
        var outcome = try Self.check(bytes)
        #expect(outcome.end == .exit(1) && outcome.complaints == [])
        #expect(outcome.text == "x.ifs: \(line)\n")
        let odd = ImageBuilder([.file("a", "x"), .file("a", "y"), .file("../b\n", "z")]).build()
        outcome = try Self.check(odd.bytes)
        #expect(outcome.end == .exit(1) && outcome.lines.count == 2)
        #expect(outcome.lines.allSatisfy { $0.hasPrefix("x.ifs: dirent.path at 0x") })
        #expect(outcome.lines.contains { $0.contains("found '../b\\x0a', expected names of") })
    }

    @Test func ofSeveralImagesEachLineSaysWhich() throws {
        let sound = ImageBuilder([.file("s", "sound")]).build().bytes
        let (bytes, line) = Self.wrong(sound.count)
        let outcome = try Self.check(sound + bytes)
        #expect(outcome.end == .exit(1))
        #expect(outcome.text == "x.ifs: image 2: \(line)\n")
        let both = try Self.check(bytes + bytes)
        #expect(both.lines.map { $0.prefix(16) } == ["x.ifs: image 1: ", "x.ifs: image 2: "])
        #expect(try Self.check(sound + sound).end == .exit(0))
    }

    @Test func aCutImageIsAFinding() throws {
        let bytes = ImageBuilder([.file("a", "x")]).build().bytes
        let outcome = try Self.check(bytes.dropLast(4))
        #expect(outcome.end == .exit(1) && outcome.complaints == [])
        #expect(
            outcome.lines == [
                "x.ifs: end of the file at 0x\(String(bytes.count - 4, radix: 16)): found 4 bytes of"
                    + " the image missing, expected its end at 0x\(String(bytes.count, radix: 16))"
            ])
    }

    @Test(
        .enabled(if: Fixtures.hasShared, "no shared images here"),
        arguments: Fixtures.sharedImages())
    func realImagesHaveWhatTheyAreKnownFor(_ name: String) throws {
        let outcome = try ifsctl(["check", Fixtures.sharedImage(name).path])
        let count = name == "armle-6.6-ucl.ifs" ? 3 : 0
        #expect(outcome.end == .exit(count == 0 ? 0 : 1))
        #expect(outcome.lines.count == count && outcome.complaints == [])
    }

    // MARK: Trouble

    @Test(arguments: ["list", "check"])
    func whatCannotBeLookedAtIsStatusTwo(_ command: String) throws {
        let folder = try TemporaryFolder()
        try folder.write(Array("no image".utf8), to: "text")
        try folder.write(Wrap.mifs([1, 2, 3]), to: "mifs")
        for (word, line) in [
            ("text", "text: no IFS image found"),
            ("none", "none: cannot open: No such file or directory"),
            (".", ".: cannot read: Is a directory"),
        ] {
            let outcome = try ifsctl([command, word], in: folder)
            #expect(outcome.end == .exit(2) && outcome.output == [])
            #expect(outcome.complaints.count == 1)
            #expect(outcome.complaints.first?.hasPrefix("ifsctl: \(word): ") == true)
            if word != "." { #expect(outcome.complaints == ["ifsctl: \(line)"]) }
        }
        let closed = try ifsctl([command, "-"]) { $0.input = .closed }
        #expect(closed.end == .exit(2) && closed.complaints.count == 1)
        let container = try ifsctl([command, "mifs"], in: folder)
        #expect(container.end == .exit(2) && container.complaints.count == 1)
    }

    @Test(arguments: ["list", "check"])
    func outputThatIsLostIsTrouble(_ command: String) throws {
        let folder = try TemporaryFolder()
        try folder.write(Self.wrong().bytes, to: "x.ifs")
        for words in [[command, "x.ifs"], ["--help"], ["--version"]] {
            let outcome = try ifsctl(words, in: folder) {
                $0.words =
                    ["sh", "-c", "exec \"$0\" \"$@\" > /dev/full"].map { Array($0.utf8) } + $0.words
            }
            expectFailure(
                outcome, status: 2,
                saying: ["ifsctl: cannot write the output: No space left on device"])
        }
    }

    // MARK: The command line

    @Test(arguments: [
        ([], "found no subcommand, expected one; 'ifsctl --help' tells more"),
        (["list"], "missing expected argument '<file>'; 'ifsctl --help' tells more"),
        (["check"], "missing expected argument '<file>'; 'ifsctl --help' tells more"),
        (["list", "a", "b"], "unexpected argument 'b'; 'ifsctl --help' tells more"),
        (["frob"], "unexpected argument 'frob'; 'ifsctl --help' tells more"),
        (["list", "--jso", "x"], "unknown option '--jso'; did you mean '--json'?"),
        (["check", "--frob", "x"], "unknown option '--frob'; 'ifsctl --help' tells more"),
        (["--frob"], "unknown option '--frob'; 'ifsctl --help' tells more"),
    ])
    func aWrongCommandLineIsOneLineAndStatusTwo(_ words: [String], _ line: String) throws {
        let outcome = try ifsctl(words)
        expectFailure(outcome, status: 2, saying: ["ifsctl: " + line])
        #expect(outcome.output == [])
    }

    @Test func wordsOfTheCommandLineAreShownEscaped() throws {
        for words in [["list", "a", "\u{1b}[31m\n"], ["--\u{1b}\n"], ["\u{1b}\nx"]] {
            let outcome = try ifsctl(words)
            #expect(outcome.end == .exit(2) && outcome.complaints.count == 1)
            #expect(!outcome.errors.dropLast().contains { $0 < 0x20 }, "\(words)")
        }
    }

    @Test func helpAndVersionGoToStandardOutput() throws {
        let help = try ifsctl(["--help"])
        expectSuccess(help)
        for word in ["USAGE: ifsctl", "list", "check"] { #expect(help.text.contains(word)) }
        #expect(help.lines.allSatisfy { $0.count <= 80 })
        for words in [["list", "--help"], ["help", "list"]] {
            let outcome = try ifsctl(words)
            expectSuccess(outcome)
            #expect(outcome.text.contains("USAGE: ifsctl list <file> [--json]"))
        }
        let check = try ifsctl(["check", "--help"])
        expectSuccess(check)
        #expect(check.text.contains("USAGE: ifsctl check <file>"))
        let version = try ifsctl(["--version"])
        expectSuccess(version)
        #expect(
            version.text.wholeMatch(of: /ifsctl \(IFSFS\) [0-9]+\.[0-9]+\.[0-9]+\n/) != nil)
        #expect(try version.text.dropFirst(7) == dumpifs(["--version"]).text.dropFirst(8))
    }
}
