import Foundation
import TestSupport
import Testing

/// How mkifs says no: place, what was found, what was expected, and nothing left behind.
struct MkifsRefusalTests {
    // MARK: Lines of the buildfile

    @Test func allErrorsAreToldInOneRun() throws {
        try Workshop().expectRefusal(
            """
            [uid=x] a={
            }
            [+script] go={
            [pri=high] one
            }
            [+script] go={
            two
            }
            ../up={
            }
            x={
            1
            }
            x={
            2
            }
            [-optional] none
            none-either

            """,
            saying: "b.build:1:6: error: uid: found 'x', expected '*' or a number",
            "    [uid=x] a={",
            "         ^",
            "b.build:4:6: error: pri: found 'high', expected '*', or a number and at most one of "
                + "f, r and o", "    [pri=high] one", "         ^",
            "b.build:6:1: error: a script has the name 'go' already", "    [+script] go={", "    ^",
            "b.build:17:13: error: host file 'none' not available; QNX_TARGET is not set",
            "    [-optional] none", "                ^",
            "b.build:18:1: warning: host file 'none-either' missing; QNX_TARGET is not set",
            "    none-either", "    ^",
            "b.build:9:1: error: '../up': a path in an image has no '..'", "    ../up={", "    ^",
            "b.build:14:1: error: 'x' is in the image already, from b.build:11:1; '+dupignore' keeps "
                + "the first", "    x={", "    ^", "mkifs: 6 errors")
    }

    @Test func aMissingOptionalFileIsOneWarningEach() throws {
        let shop = try Workshop()
        let outcome = try shop.run("[search=.] one\n[search=. +optional] two=three\nx={\n}\n")
        #expect(outcome.end == .exit(0))
        #expect(
            outcome.complaints == [
                "b.build:1:12: warning: host file 'one' missing", "    [search=.] one",
                "               ^",
                "b.build:2:26: warning: host file 'three' missing",
                "    [search=. +optional] two=three", "                             ^",
            ])
        #expect(try shop.built().paths == ["x"])
    }

    @Test func ofSeveralLinesOfTheCommandLineTheRightOneIsShown() throws {
        try Workshop().expectRefusal(
            "a={\n}\n", ["-l", "[gid=1]", "-l", "[uid=x]"],
            saying: "-l:2:6: error: uid: found 'x', expected '*' or a number", "    [uid=x]",
            "         ^", "mkifs: 1 error")
    }

    @Test func physicalIsRefused() throws {
        try Workshop().expectRefusal(
            "[physical=x86,kit] boot={\n}\n",
            saying:
                "b.build:1:1: error: 'physical=' has never been implemented by any release; write "
                + "'virtual='", "    [physical=x86,kit] boot={", "    ^", "mkifs: 1 error")
    }

    @Test func aSecondBootSectionIsRefused() throws {
        let shop = try Workshop()
        try shop.writeBootFiles()
        try shop.expectRefusal(
            Workshop.boot() + "[virtual=x86,kit] again={\nstartup\n}\n",
            saying: "b.build:7:1: error: only one bootstrap file is allowed in an image",
            "    [virtual=x86,kit] again={", "    ^", "mkifs: 1 error")
    }

    @Test func theBootSectionComesFirst() throws {
        let shop = try Workshop()
        try shop.writeBootFiles()
        try shop.expectRefusal(
            "a={\n}\n" + Workshop.boot(),
            saying:
                "b.build:5:1: error: the bootstrap file stands behind other files; it is the first "
                + "file of a buildfile", "    [virtual=x86,kit] boot = {", "    ^", "mkifs: 1 error"
        )
    }

    @Test func aBootSectionWithoutAProgramIsRefused() throws {
        let shop = try Workshop()
        try shop.writeBootFiles()
        try shop.expectRefusal(
            "[search=. virtual=x86,kit] boot={\nPATH=/bin\n}\n",
            saying:
                "b.build:1:1: error: no startup program found while creating a bootable image; the "
                + "first command of the section is the startup program",
            "    [search=. virtual=x86,kit] boot={", "    ^", "mkifs: 1 error")
    }

    @Test func bootProgramsThatAreMissingAreErrorsWhateverOptionalSays() throws {
        let shop = try Workshop()
        try shop.writeBootFiles()
        try shop.expectRefusal(
            "[+optional]\n[search=. virtual=x86,kit] boot={\nnone\nneither\n}\n",
            saying: "b.build:3:1: error: host file 'none' not available", "    none", "    ^",
            "b.build:4:1: error: host file 'neither' not available", "    neither", "    ^",
            "mkifs: 2 errors")
    }

    @Test func bootProgramsAreELFFiles() throws {
        let shop = try Workshop()
        try shop.writeBootFiles()
        try shop.write("text", to: "startup")
        try shop.write("text", to: "procnto")
        try shop.expectRefusal(
            Workshop.boot(),
            saying:
                "b.build:4:5: error: './startup': found no ELF file, expected the startup program",
            "        startup", "        ^",
            "b.build:5:5: error: './procnto': found no ELF file, expected a bootstrap executable",
            "        procnto", "        ^", "mkifs: 2 errors")
    }

    @Test func fourBootstrapExecutablesAreTheLimit() throws {
        let shop = try Workshop()
        try shop.writeBootFiles("[default_image=4m vboot=0xfe000000]")
        let names = (1...5).map { "boot\($0)" }
        for name in names { try shop.write(.ordinary(), to: name) }
        let lines = names.map { "    \($0)\n" }.joined()
        let text = Workshop.boot().replacingOccurrences(of: "    procnto\n", with: lines)
        try shop.expectRefusal(
            text, saying: "b.build:9:5: error: maximum of 4 bootstrap files; -N allows more",
            "        boot5", "        ^", "mkifs: 1 error")
        let warned = try shop.run(text, ["-N"])
        #expect(warned.end == .exit(0))
        #expect(
            warned.complaints.first
                == "b.build:9:5: warning: the image header names the first 4 bootstrap files only")
        expectSuccess(try shop.run(text, ["-NN"]))
    }

    // MARK: Files of the host

    @Test func aDamagedProgramIsNamedWithItsLine() throws {
        let shop = try Workshop()
        try shop.write(Array("\u{7f}ELF12".utf8), to: "one")
        var two = HostProgram.ordinary().bytes
        two.removeSubrange(0x1010...)
        try shop.write(two, to: "two")
        let outcome = try shop.run("./one\nx=./two\n")
        #expect(outcome.end == .exit(1))
        #expect(
            outcome.complaints.first
                == "b.build:1:1: error: ./one: ELF header at 0x0: found no whole header, expected 52 "
                + "or 64 bytes")
        #expect(try shop.folder.names() == ["b.build", "one", "two"])
    }

    @Test func specialFilesAreRefusedByNameAndLeftOutOfFolders() throws {
        let shop = try Workshop()
        try shop.expectRefusal(
            "x=/dev/null\n",
            saying: "b.build:1:3: error: '/dev/null': found a special file, expected a file or a "
                + "directory", "    x=/dev/null", "      ^", "mkifs: 1 error")
        try shop.write("a", to: "tree/file")
        let socket = try Child([
            "python3", "-c", "import socket,sys;socket.socket(1).bind(sys.argv[1])",
            shop.folder.path("tree/socket"),
        ]).run()
        guard socket.end == .exit(0) else { return }
        let outcome = try shop.run("t=./tree\n")
        #expect(outcome.end == .exit(0))
        #expect(
            outcome.complaints.first
                == "b.build:1:3: warning: './tree/socket' is a special file; left out")
        #expect(try shop.built().paths.sorted() == ["t", "t/file"])
    }

    @Test func aFolderThatLeadsBackToItselfIsNamed() throws {
        let shop = try Workshop()
        try shop.write("a", to: "tree/sub/file")
        try FileManager.default.createSymbolicLink(
            atPath: shop.folder.path("tree/sub/up"), withDestinationPath: "..")
        try shop.expectRefusal(
            "t=./tree\n",
            saying: "b.build:1:3: error: './tree/sub/up' leads back to a directory above it",
            "    t=./tree", "      ^", "mkifs: 1 error")
    }

    @Test func everyFaultOfAFolderIsTold() throws {
        let shop = try Workshop()
        try shop.write("a", to: "tree/file")
        for name in ["a", "b"] {
            try FileManager.default.createSymbolicLink(
                atPath: shop.folder.path("tree/" + name), withDestinationPath: "nowhere")
        }
        try shop.expectRefusal(
            "[-optional search=.] t=tree\n",
            saying: "b.build:1:24: error: host file './tree/a' not available",
            "    [-optional search=.] t=tree", "                           ^",
            "b.build:1:24: error: host file './tree/b' not available",
            "    [-optional search=.] t=tree", "                           ^", "mkifs: 2 errors")
    }

    @Test func digestsThatDifferAreToldWithBoth() throws {
        let shop = try Workshop()
        try shop.write("hello\n", to: "file")
        let wrong = String(repeating: "0", count: 64)
        try shop.expectRefusal(
            "[cksum=5] ./file\n[sha256=\(wrong)] x=./file\n",
            saying: "b.build:1:11: error: './file': found cksum 3015617425, expected 5",
            "    [cksum=5] ./file", "              ^",
            "b.build:2:77: error: './file': found SHA-256 "
                + "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03, expected \(wrong)",
            "    \(String("[sha256=\(wrong)] x=./file".dropFirst(6)))",
            "    \(String(repeating: " ", count: 70))^", "mkifs: 2 errors")
    }

    @Test func aFileThatShrinksWhileItIsReadIsNamed() throws {
        let shop = try Workshop()
        try shop.write([UInt8](repeating: 65, count: 3000), to: "long")
        try shop.write("x", to: "other")
        let outcome = try shop.run("./long\n[filter=\"truncate -s 1 long; cat\"] ./other\n")
        expectFailure(
            outcome, saying: ["mkifs: './long', byte at 0x0: found 1 bytes, expected 3000"])
        #expect(try shop.folder.names() == ["b.build", "long", "other"])
        #expect(try shop.temporary.names() == [])
    }

    @Test func filtersThatFailAreToldEach() throws {
        let shop = try Workshop()
        try shop.write("x", to: "file")
        try shop.expectRefusal(
            "[filter=\"exit 3\"] ./file\n[filter=\"kill -9 $$\"] y=./file\n",
            saying:
                "b.build:1:19: error: ./file: command 'exit 3': found exit status 3, expected exit "
                + "status 0", "    [filter=\"exit 3\"] ./file", "                      ^",
            "b.build:2:25: error: ./file: command 'kill -9 $$': found signal 9, expected exit status 0",
            "    [filter=\"kill -9 $$\"] y=./file", "                            ^",
            "mkifs: 2 errors")
    }

    // MARK: Ordinary users

    /// Runs mkifs as an ordinary user, from a copy that this user can reach.
    private func runAsUser(_ text: String, in shop: Workshop) throws -> Child.Outcome {
        try shop.write(text, to: "b.build")
        let copy = shop.folder.path(".tool/mkifs")
        mkdir(shop.folder.path(".tool"), 0o755)
        expectSuccess(try Child(["cp", Tool.mkifs, copy]).run())
        var child = Child(Tool.asUser + [copy, "b.build", "out/b.ifs"])
        child.folder = shop.folder.url
        child.environment["TMPDIR"] = shop.temporary.url.path
        return try child.run()
    }

    @Test(.enabled(if: Tool.canBeUser, "needs setpriv to be an ordinary user"))
    func filesThatMayNotBeReadAreToldEach() throws {
        let shop = try Workshop()
        try shop.write("secret", to: "one", mode: 0)
        try shop.write("secret", to: "two", mode: 0)
        mkdir(shop.folder.path("out"), 0o777)
        chmod(shop.folder.path("out"), 0o777)
        let outcome = try runAsUser("./one\n./two\n", in: shop)
        expectFailure(
            outcome,
            saying: [
                "b.build:1:1: error: './one', byte at 0x0: cannot read: Permission denied",
                "    ./one", "    ^",
                "b.build:2:1: error: './two', byte at 0x0: cannot read: Permission denied",
                "    ./two", "    ^",
                "mkifs: 2 errors",
            ])
        #expect(try Node.tree(shop.folder.path("out")).count == 1)
    }

    @Test(.enabled(if: Tool.canBeUser, "needs setpriv to be an ordinary user"))
    func aFolderThatMayNotBeWrittenIsNamed() throws {
        let shop = try Workshop()
        mkdir(shop.folder.path("out"), 0o755)
        chmod(shop.folder.path("out"), 0o555)
        let outcome = try runAsUser("a={\n}\n", in: shop)
        expectFailure(outcome, saying: ["mkifs: out/b.ifs: cannot make: Permission denied"])
    }

    @Test func aFolderThatIsNotThereIsNamed() throws {
        let shop = try Workshop()
        try shop.write("a={\n}\n", to: "b.build")
        let outcome = try shop.run(["b.build", "none/b.ifs"])
        expectFailure(
            outcome, saying: ["mkifs: none/b.ifs: cannot make: No such file or directory"])
    }
}
