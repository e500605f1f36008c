import Foundation
import TestSupport
import Testing

/// What every tool does around its own work: options, help, exit statuses and broken output.
struct CommandLineTests {
    static let tools = ["dumpifs", "mkifs", "mount.ifs", "umount.ifs"]

    private func run(_ tool: String, _ arguments: [String]) throws -> Child.Outcome {
        try Child([Tool.path(tool)] + arguments).run()
    }

    private static let image = Fixtures.golden("boot-armle", "expected.ifs").path

    @Test(arguments: tools)
    func helpGoesToStandardOutput(_ tool: String) throws {
        let outcome = try run(tool, ["--help"])
        expectSuccess(outcome)
        #expect(outcome.lines.first?.hasPrefix("\(tool): ") == true)
        #expect(outcome.text.contains("\nusage: \(tool) "))
        // The options fit a terminal of usual width.
        for line in outcome.lines where line.hasPrefix("  ") {
            #expect(line.count <= 80, "\(line)")
        }
        #expect(try run(tool, ["a", "b", "--help", "c"]).output == outcome.output)
    }

    @Test(arguments: tools)
    func theVersionIsOneLine(_ tool: String) throws {
        let outcome = try run(tool, ["--version"])
        expectSuccess(outcome)
        #expect(outcome.lines.count == 1)
        #expect(outcome.text.wholeMatch(of: /[a-z.]+ \(IFSFS\) [0-9]+\.[0-9]+\.[0-9]+\n/) != nil)
        #expect(outcome.text.hasPrefix("\(tool) "))
    }

    @Test(arguments: [
        (["--verfiy", "x"], "unknown option '--verfiy'; did you mean '--verify'?"),
        (["--jsno", "x"], "unknown option '--jsno'; did you mean '--json'?"),
        (["--image=1", "--ofset=2", "x"], "unknown option '--ofset'; did you mean '--offset'?"),
        (["--frobnicate", "x"], "unknown option '--frobnicate'; 'dumpifs --help' lists them"),
        (["-q", "x"], "unknown option '-q'; 'dumpifs --help' lists them"),
        (["-xq", "x"], "unknown option '-q'; 'dumpifs --help' lists them"),
        (["--json=yes", "x"], "option '--json' takes no value"),
        (["--json", "-x", "x"], "options '--json' and '-x' do not go together"),
        (["-mu", "y", "--json", "x"], "options '--json' and '-u' do not go together"),
        (["--buildfile", "-x", "x"], "options '--buildfile' and '-x' do not go together"),
        (["--json", "x", "--buildfile"], "options '--buildfile' and '--json' do not go together"),
        (
            ["--verify", "--buildfile", "x"],
            "options '--buildfile' and '--verify' do not go together"
        ),
        (["--image"], "option '--image' needs a value, N"),
        (["x", "-d"], "option '-d' needs a value, DIR"),
        (["-xvu"], "option '-u' needs a value, FILE"),
        ([], "no image named; 'dumpifs --help' shows the usage"),
        (["-xv"], "no image named; 'dumpifs --help' shows the usage"),
        (
            ["--generate-completion-script", "tcsh"],
            "no completions for 'tcsh'; expected bash, zsh or fish"
        ),
    ])
    func aWrongCommandLineIsOneLineAndStatusOne(_ words: [String], _ line: String) throws {
        let outcome = try dumpifs(words)
        expectFailure(outcome, saying: ["dumpifs: " + line])
        #expect(outcome.output == [])
    }

    @Test(arguments: [
        (["--profil=7.0"], "unknown option '--profil'; did you mean '--profile'?"),
        (["--depfil", "x"], "unknown option '--depfil'; did you mean '--depfile'?"),
        (["-q", "x"], "unknown option '-q'; 'mkifs --help' lists them"),
        (["-vvq", "x"], "unknown option '-q'; 'mkifs --help' lists them"),
        (["--check=yes", "x"], "option '--check' takes no value"),
        (["x", "-l"], "option '-l' needs a value, LINE"),
        (["-vr"], "option '-r' needs a value, ROOT"),
        (["--profile"], "option '--profile' needs a value, RELEASE"),
        (
            ["--profile", "6.5", "x"],
            "profile: found '6.5', expected one of 6.4, 6.6, 7.0, 7.1, 8.0"
        ),
        (["-t", "efs", "x"], "option '-t': found 'efs', expected 'ifs'"),
        (["/no/such"], "/no/such: cannot open: No such file or directory"),
        (
            ["--generate-completion-script", "tcsh"],
            "no completions for 'tcsh'; expected bash, zsh or fish"
        ),
    ])
    func aWrongCommandLineOfMkifsIsOneLineToo(_ words: [String], _ line: String) throws {
        let outcome = try mkifs(words)
        expectFailure(outcome, saying: ["mkifs: " + line])
        #expect(outcome.output == [])
    }

    @Test func theProfileCanBeAVariable() throws {
        let outcome = try mkifs(["/dev/null"]) { $0.environment["MKIFS_PROFILE"] = "9" }
        expectFailure(
            outcome,
            saying: ["mkifs: profile: found '9', expected one of 6.4, 6.6, 7.0, 7.1, 8.0"])
        let told = try mkifs(["--profile", "8.0", "/dev/null"]) {
            $0.environment["MKIFS_PROFILE"] = "9"
        }
        expectSuccess(told)
    }

    @Test func wordsOfTheCommandLineAreShownEscaped() throws {
        let evil = "\u{1b}[31m\n"
        for words in [
            ["--\(evil)"], [evil], ["--profile", evil], ["-t", evil], ["-l", evil + "[x"],
        ] {
            let outcome = try mkifs(words)
            #expect(outcome.end == .exit(1) && outcome.output == [])
            #expect(!outcome.errors.contains { $0 < 0x20 && $0 != 0x0a }, "\(words)")
        }
        for words in [
            ["--\(evil)"], ["-\(evil)"], ["--image=\(evil)", "x"],
            ["--generate-completion-script=\(evil)"],
        ] {
            let outcome = try dumpifs(words)
            #expect(outcome.end == .exit(1) && outcome.complaints.count == 1)
            #expect(!outcome.errors.dropLast().contains { $0 < 0x20 }, "\(words)")
        }
    }

    @Test func lettersMayBeJoinedAndStandBehindOperands() throws {
        let folder = try TemporaryFolder()
        for words in [
            ["-xvd", "out", Self.image], ["-x", "-v", "-dout", Self.image],
            [Self.image, "-v", "-d", "out"], ["-vd", "out", "--", Self.image],
        ] {
            let outcome = try dumpifs(words, in: folder)
            expectSuccess(outcome)
            #expect(outcome.lines.first == "Extracted proc")
            try FileManager.default.removeItem(atPath: folder.path("out"))
        }
    }

    @Test func calledByAnotherNameTheToolBoxNamesItsTools() throws {
        let folder = try TemporaryFolder()
        for (program, name) in [(Tool.dumpifs, "frob"), (Tool.mountIFS, "frob")] {
            symlink(program, folder.path(name))
            let outcome = try Child([folder.path(name)]).run()
            #expect(outcome.end == .exit(1) && outcome.complaints.count == 1)
            #expect(
                outcome.complaints.first?.contains("called as 'frob', expected one of: ") == true)
            unlink(folder.path(name))
        }
        symlink(Tool.dumpifs, folder.path("dumpifs"))
        expectSuccess(try Child([folder.path("dumpifs"), Self.image]).run())
    }

    // MARK: Output that cannot be written

    private static let writers = [
        [image], ["-vv", image], ["--json", image], ["--verify", image], ["-m", image],
        ["--help"], ["--version"], ["--generate-completion-script", "zsh"],
    ]

    @Test(arguments: writers)
    func outputThatIsLostFails(_ words: [String]) throws {
        let outcome = try dumpifs(words) {
            $0.words =
                ["sh", "-c", "exec \"$0\" \"$@\" > /dev/full"].map { Array($0.utf8) } + $0.words
        }
        expectFailure(
            outcome, saying: ["dumpifs: cannot write the output: No space left on device"])
    }

    @Test(arguments: [
        ["/dev/null"], ["--help"], ["--version"], ["-?"], ["--generate-completion-script", "fish"],
    ])
    func outputOfMkifsThatIsLostFails(_ words: [String]) throws {
        let outcome = try mkifs(words) {
            $0.words =
                ["sh", "-c", "exec \"$0\" \"$@\" > /dev/full"].map { Array($0.utf8) } + $0.words
        }
        #expect(outcome.end == .exit(1) && outcome.complaints.count == 1)
        #expect(outcome.complaints.first?.hasSuffix(": No space left on device") == true)
    }

    @Test(arguments: writers)
    func aReaderThatGoesAwayEndsTheToolQuietly(_ words: [String]) throws {
        // As every filter: by the signal, or where that is ignored, by an error.
        let end = try Child.whileNoneStarts {
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            close(ends[0])
            return ends[1]
        }
        defer { close(end) }
        let killed = try dumpifs(words) { $0.output = end }
        #expect(killed.end == .signal(SIGPIPE) && killed.complaints == [])
        let told = try dumpifs(words) {
            let script = "trap '' PIPE; exec \"$0\" \"$@\""
            $0.words = ["sh", "-c", script].map { Array($0.utf8) } + $0.words
            $0.output = end
        }
        expectFailure(told, saying: ["dumpifs: cannot write the output: Broken pipe"])
    }

    @Test func withoutStandardOutputAnErrorIsTold() throws {
        let outcome = try dumpifs([]) {
            $0.words = ["sh", "-c", "exec \"$0\" \"$1\" >&-", Tool.dumpifs, Self.image].map {
                Array($0.utf8)
            }
        }
        #expect(outcome.end == .exit(1) && outcome.complaints.count == 1)
    }

    @Test func withoutStandardErrorTheStatusIsTheSame() throws {
        for (image, status) in [(Self.image, 0), ("/no/such", 1)] as [(String, Int32)] {
            let outcome = try Child([
                "sh", "-c", "exec \"$0\" \"$1\" 2>&-", Tool.dumpifs, image,
            ]).run()
            #expect(outcome.end == .exit(status))
        }
    }

    @Test(arguments: ["C", "C.UTF-8", "POSIX"])
    func theLanguageOfTheUserChangesNothing(_ locale: String) throws {
        let plain = try dumpifs(["-vvv", Self.image])
        let other = try dumpifs(["-vvv", Self.image]) {
            $0.environment["LC_ALL"] = locale
            $0.environment["TZ"] = "Pacific/Auckland"
        }
        #expect(plain.output == other.output)
    }
}
