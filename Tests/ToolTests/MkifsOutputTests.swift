import Foundation
import TestSupport
import Testing

/// Where mkifs reads and writes, and what it says: F009 to F014, F022 to F025.
struct MkifsOutputTests {
    private static let text = "[uid=0 gid=0]\na={\nhello\n}\nb={\nworld\n}\n"

    // MARK: -v

    @Test func withoutVNothingIsSaid() throws {
        let board = try Board()
        let outcome = try board.build(Board.boot() + Self.text)
        expectSuccess(outcome)
        #expect(outcome.output == [])
    }

    @Test func eachVSaysMore() throws {
        let board = try Board()
        try board.write("data", to: "file")
        let text = Board.boot() + "[search=.] file\n"
        let said = try (1...4).map { count in
            let outcome = try board.build(text, ["-" + String(repeating: "v", count: count)])
            #expect(outcome.end == .exit(0) && outcome.output == [])
            return outcome.complaints
        }
        let names = said[0].map { $0.split(separator: " ").last.map(String.init) ?? "" }
        let boot = board.folder.path("target/x86_64/boot/sys")
        #expect(
            names == [
                "Target=Host", "Startup-header", "\(boot)/startup-board", "Image-header",
                "Image-directory", "proc/boot/file=./file", "proc/boot/procnto=\(boot)/procnto",
                "Image-trailer",
            ])
        // The sums are those of zlib's crc32.
        #expect(said[1].contains { $0.hasSuffix("proc/boot/file=./file (2918445923)") })
        #expect(said[1].count == said[0].count)
        #expect(said[2].count { $0.hasPrefix("Execute: cp ") } == 2)
        #expect(said[3].count > said[2].count)
    }

    @Test func fourVsShowTheEntryAddress() throws {
        let board = try Board()
        let outcome = try board.build(Board.boot(), ["-vvvv"])
        #expect(outcome.end == .exit(0))
        let address = try #require(try board.made().startup["startup_vaddr"].number)
        #expect(address == 0x40_0100)
        #expect(outcome.complaints.contains("Entry address: 0x400100"))
        let line = outcome.complaints.first { $0.contains("/startup-board (") }
        #expect(line?.split(separator: " ").prefix(3).last == "400100")
    }

    @Test func aListingHasAddressesSizesAndNames() throws {
        let outcome = try Board().build(Self.text, ["-v"])
        #expect(
            outcome.complaints == [
                "  Offset   Size    Entry   Ramoff Target=Host",
                "       0     5c     ----      --- Image-header",
                "      5c     68     ----      --- Image-directory",
                "      c4      6     ----      --- a", "      ca      6     ----      --- b",
                "      d0      4     ----      --- Image-trailer",
            ])
    }

    // MARK: Operands

    private func expected(_ board: Board, _ text: String = text) throws -> [UInt8] {
        try board.image(text, ["-nn"]).bytes
    }

    @Test(arguments: [[], ["-"], ["-", "-"]] as [[String]])
    func aBuildfileComesThroughAPipeOrAFile(_ operands: [String]) throws {
        let board = try Board()
        let expected = try expected(board)
        let build = board.folder.url.appendingPathComponent("a.build")
        for input in [Child.Input.piped(build), .file(build)] {
            let outcome = try board.run(["-nn"] + operands) { $0.input = input }
            expectSuccess(outcome)
            #expect(outcome.output == expected)
        }
    }

    @Test(arguments: [["a.build"], ["a.build", "-"]])
    func anImageGoesToStandardOutput(_ operands: [String]) throws {
        let board = try Board()
        let expected = try expected(board)
        let outcome = try board.run(["-nn"] + operands)
        expectSuccess(outcome)
        #expect(outcome.output == expected)
        // A file that already has something is written to from where it stands.
        let appended = try board.run(["-nn"] + operands) {
            let script = "exec >out; printf before; \"$@\" && printf behind"
            $0.words = ["sh", "-c", script, "sh"].map { Array($0.utf8) } + $0.words
        }
        expectSuccess(appended)
        #expect(
            try board.folder.bytes("out")
                == Array("before".utf8) + expected + Array("behind".utf8))
        let bootable = Board.boot()
        try board.write(bootable, to: "a.build")
        #expect(try board.run(["-nn"] + operands).output == self.expected(board, bootable))
    }

    @Test func inSixAnImageNeedsABuildfile() throws {
        let board = try Board()
        try board.directory("tree")
        for operands in [["tree", "a.ifs"], ["tree"]] {
            let outcome = try board.run(["--profile", "6.4"] + operands)
            expectFailure(outcome, saying: ["mkifs: tree: found a directory, expected a buildfile"])
        }
        #expect(try board.folder.names() == ["target", "tree"])
    }

    @Test func aDirectoryIsAddedToTheBuildfile() throws {
        let board = try Board()
        try board.write("deep", to: "tree/etc/deep/file", mode: 0o640)
        symlink("deep", board.folder.path("tree/etc/link"))
        try board.write(Self.text, to: "a.build")
        expectSuccess(try board.run(["a.build", "tree", "a.ifs"]))
        let image = try board.made()
        #expect(
            Set(image.paths) == [
                "", "a", "b", "etc", "etc/deep", "etc/deep/file", "etc/link", "etc/link/file",
            ])
        #expect(try image["etc/deep/file"]["mode"].text == "0640")
        let output = try board.run(["-n", "a.build", "tree"])
        expectSuccess(output)
        #expect(try board.folder.bytes("a.ifs").count == output.output.count)
    }

    @Test func ofABootableImageTheDirectoryHasNoPrefix() throws {
        let board = try Board()
        try board.write("x", to: "tree/file")
        try board.write(Board.boot(), to: "a.build")
        expectSuccess(try board.run(["a.build", "tree", "a.ifs"]))
        #expect(try board.made().files.sorted() == ["file", "proc/boot/procnto"])
    }

    /// Under whatever name a line has found a file of the directory, its entry is the line's.
    @Test(arguments: ["tree", "./tree", "tree/../tree", "/"])
    func whatALineNamesIsNotTakenInAgain(spelling: String) throws {
        let board = try Board()
        for name in ["named", "other", "etc/conf", "whole/a/b"] {
            try board.write(name, to: "tree/" + name)
        }
        symlink("named", board.folder.path("tree/same"))
        let search = spelling == "/" ? board.folder.path("tree") : spelling
        let text = """
            [uid=7 gid=0 search=\(search)] bin/x = named
            [type=dir uid=9 dperms=0700] etc
            [uid=8 search=\(search)] w = whole

            """
        try board.write(text, to: "a.build")
        expectSuccess(try board.run(["a.build", "tree", "a.ifs"]))
        let image = try board.made()
        #expect(
            image.paths.filter { !$0.isEmpty }.sorted() == [
                "bin/x", "etc", "etc/conf", "other", "same", "w", "w/a", "w/a/b",
            ])
        #expect(try image["bin/x"]["uid"].number == 7 && image["w/a/b"]["uid"].number == 8)
        #expect(try image["etc"]["uid"].number == 9 && image["etc"]["mode"].text == "0700")
    }

    @Test(.enabled(if: geteuid() == 0, "only root makes devices"))
    func devicesOfADirectoryAreDevicesOfTheImage() throws {
        let board = try Board()
        try board.write("x", to: "tree/file")
        for (name, major, minor) in [("null", 1, 3), ("far", 63, 1023), ("none", 64, 0)] {
            let made = try Child([
                "mknod", board.folder.path("tree/" + name), "c", "\(major)", "\(minor)",
            ]).run()
            guard made.end == .exit(0) else { return }
        }
        let outcome = try board.run(["tree", "a.ifs"]) { $0.input = .closed }
        #expect(outcome.end == .exit(0))
        #expect(
            outcome.complaints == [
                "tree:1:1: warning: 'tree/none' is a special file; left out"
            ])
        let image = try board.made()
        #expect(image.paths.filter { !$0.isEmpty }.sorted() == ["far", "file", "null"])
        #expect(try image["null"]["rdev"].number == 1 << 10 | 3)
        #expect(try image["far"]["rdev"].number == 63 << 10 | 1023)
    }

    @Test(arguments: [["tree"], ["tree", "-"]])
    func aDirectoryAloneIsAnImageOfItsOwn(_ operands: [String]) throws {
        let board = try Board()
        try board.write("x", to: "tree/file")
        // A pipe that never ends would be waited for.
        let outcome = try board.run(["-n"] + operands) { $0.input = .closed }
        expectSuccess(outcome)
        try board.folder.write(outcome.output, to: "a.ifs")
        #expect(try board.made().files == ["file"])
        expectSuccess(try board.run(["-n", "tree", "b.ifs"]) { $0.input = .closed })
        #expect(try board.folder.bytes("b.ifs") == outcome.output)
    }

    @Test func tooManyOperandsAreRefused() throws {
        let outcome = try Board().run(["a", "b", "c", "d"])
        expectFailure(
            outcome,
            saying: [
                "mkifs: found 4 operands, expected a buildfile, a directory and an image at most"
            ])
    }

    @Test func theMiddleOneOfThreeIsADirectory() throws {
        let board = try Board()
        try board.write(Self.text, to: "a.build")
        let outcome = try board.run(["a.build", "none", "a.ifs"])
        expectFailure(
            outcome, saying: ["none:1:1: error: found no directory", "mkifs: 1 error"])
        #expect(try board.folder.names() == ["a.build", "target"])
    }

    // MARK: Help

    @Test(arguments: [["-?"], ["-v?"], ["a.build", "-?", "--profile", "6.4"]])
    func aQuestionMarkGetsTheHelp(_ words: [String]) throws {
        let outcome = try Board().run(words)
        expectSuccess(outcome)
        #expect(outcome.lines.first == "mkifs: make a QNX IFS image from a buildfile")
        #expect(try outcome.output == Board().run(["--help"]).output)
    }

    // MARK: The output file

    @Test func aNewImageHasTheModeOfTheUmask() throws {
        let board = try Board()
        let outcome = try board.build(Self.text) {
            $0.words =
                ["sh", "-c", "umask 027; exec \"$@\"", "sh"].map { Array($0.utf8) } + $0.words
        }
        expectSuccess(outcome)
        #expect(try board.folder.node("a.ifs").permissions == 0o640)
    }

    @Test func anImageInThePlaceOfAnotherKeepsItsMode() throws {
        let board = try Board()
        try board.write("old", to: "a.ifs", mode: 0o604)
        let image = try board.image(Self.text, ["-nn"])
        #expect(try board.folder.node("a.ifs").permissions == 0o604)
        // The link stays, and what it leads to is new.
        try board.write("old", to: "real", mode: 0o600)
        symlink("real", board.folder.path("link"))
        expectSuccess(try board.run(["-nn", "a.build", "link"]))
        #expect(try board.folder.node("link").type == S_IFLNK)
        #expect(try board.folder.node("real").contents == image.bytes)
    }

    @Test func anImageGoesIntoAPipeOfAName() throws {
        let board = try Board()
        let image = try board.image(Self.text, ["-nn"])
        mkfifo(board.folder.path("pipe"), 0o600)
        let outcome = try board.run(["-nn", "a.build", "pipe"]) {
            let script = "cat pipe >copy & \"$@\"; status=$?; wait; exit $status"
            $0.words = ["sh", "-c", script, "sh"].map { Array($0.utf8) } + $0.words
        }
        expectSuccess(outcome)
        #expect(try board.folder.bytes("copy") == image.bytes)
        #expect(try board.folder.node("pipe").type == S_IFIFO)
    }

    @Test func outputThatIsLostIsAnError() throws {
        let board = try Board()
        try board.write(Self.text, to: "a.build")
        let full = try board.run(["a.build", "/dev/full"])
        #expect(full.end == .exit(1) && full.complaints.count == 1)
        #expect(full.complaints.first?.hasSuffix("No space left on device") == true)
        let nowhere = try board.run(["a.build", "no/such/place.ifs"])
        expectFailure(
            nowhere, saying: ["mkifs: no/such/place.ifs: cannot make: No such file or directory"])
        let folder = try board.run(["a.build", "target", "target"])
        expectFailure(folder, saying: ["mkifs: target: cannot open: Is a directory"])
        let closed = try board.run(["a.build"]) {
            $0.words = ["sh", "-c", "exec \"$@\" >&-", "sh"].map { Array($0.utf8) } + $0.words
        }
        #expect(closed.end == .exit(1) && closed.complaints.count == 1)
    }

    @Test(.enabled(if: Tool.canMountPrivately, "needs a mount of its own"))
    func aFullFileSystemLeavesTheOldImage() throws {
        let board = try Board()
        try board.write([UInt8](repeating: 1, count: 200_000), to: "large")
        try board.write("big=./large\n", to: "a.build")
        try board.directory("small")
        let script = """
            mount -t tmpfs -o size=64k none small && echo old >small/a.ifs
            "$@" a.build small/a.ifs; echo $?; cat small/a.ifs; ls small
            mount -o remount,ro small; "$@" -l 'x={' a.build small/b.ifs; echo $?; ls small
            """
        let outcome = try board.run([]) {
            $0.words =
                ["unshare", Tool.isRoot ? "-m" : "-rm", "sh", "-c", script, "sh"]
                .map { Array($0.utf8) } + $0.words
        }
        #expect(outcome.lines == ["1", "old", "a.ifs", "1", "a.ifs"])
        #expect(
            outcome.complaints.first?.hasSuffix("No space left on device") == true)
    }

    // MARK: Failures

    /// Buildfiles that fail, each at another step.
    private static let failing = [
        "[uid=x] a\n", "a=\"b\" c d\n", "[-optional] none\n", "a={\nno end\n",
        "[filter=false] x=./file\n", "[filter=\"no-such-program\"] x=./file\n",
        "[cksum=1] x=./file\n", "[image=,1] \nx=./file\n", "[image==4]\nx=./file\n",
        "[virtual=x86_64,none] b={\n}\n", "[virtual=x86_64,plain] b={\n}\n",
        "[virtual=x86_64,plain] b={\nstartup-board\n}\n",
        "[virtual=x86_64,fails] b={\nstartup-board\nprocnto\n}\n",
        "[linker=false]\n[virtual=x86_64,plain] b={\nstartup-board\n}\n",
        "[ram=1m +compress]\na={\n}\n", "x=./broken\n",
    ]

    @Test(arguments: failing)
    func aFailureIsOneOfStatusAndLeavesNothing(_ text: String) throws {
        let board = try Board()
        try board.write("contents", to: "file")
        try board.write(Array(Board.procnto.bytes.prefix(70)), to: "broken")
        try board.write("[filter=\"exit 3\"]", to: "target/x86_64/boot/sys/fails.boot")
        try board.directory("scratch")
        let before = try board.folder.names()
        let outcome = try board.build(text) {
            $0.environment["TMPDIR"] = board.folder.path("scratch")
        }
        #expect(outcome.end == .exit(1))
        #expect(outcome.output == [] && !outcome.complaints.isEmpty)
        #expect(outcome.complaints.last?.hasPrefix("mkifs: ") == true)
        #expect(try board.folder.names() == (before + ["a.build"]).sorted())
        #expect(try Node.tree(board.folder.path("scratch")).count == 1, "\(text)")
        // An image that was there before stays.
        try board.write("old", to: "a.ifs")
        #expect(try board.build(text).end == .exit(1))
        #expect(try board.folder.bytes("a.ifs") == Array("old".utf8))
    }

    @Test func onStandardOutputAFailureLeavesNothingEither() throws {
        let board = try Board()
        try board.write("[filter=false] x=./file\n", to: "a.build")
        try board.write("contents", to: "file")
        let outcome = try board.run(["a.build"])
        #expect(outcome.end == .exit(1) && outcome.output == [])
    }

    @Test func successIsStatusZeroThoughThereAreWarnings() throws {
        let outcome = try Board().build("none\n" + Self.text)
        #expect(outcome.end == .exit(0))
        #expect(outcome.complaints.first == "a.build:1:1: warning: host file 'none' missing")
    }
}
