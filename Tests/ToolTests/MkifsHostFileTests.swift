import Foundation
import TestSupport
import Testing

/// Host files and what becomes of them: F065, F073 to F075, F077 to F080, F112 to F115, F133 to F139.
struct MkifsHostFileTests {
    /// A board with a file `hello`.
    private func board() throws -> Board {
        let board = try Board()
        try board.write("hello\n", to: "hello")
        return board
    }

    @Test func relativeNamesBeginWhereCdSays() throws {
        let board = try board()
        try board.write("below", to: "sub/hello")
        try board.write("searched", to: "sub/deep/other")
        let image = try board.image(
            "[cd=sub] a=./hello\nb=./hello\n[cd=\(board.folder.path("sub"))]\nc=./hello\n"
                + "[search=deep] d=other\n")
        let texts = try ["a", "b", "c", "d"].map { try image.text($0) }
        #expect(texts == ["below", "hello\n", "below", "searched"])
    }

    // MARK: Sums

    private static let sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"

    /// The sum is that of the cksum command.
    @Test func aFileOfTheExpectedCksumIsTaken() throws {
        let board = try board()
        let told = try Child(["cksum", board.folder.path("hello")]).run().text
        let sum = try #require(told.split(separator: " ").first)
        #expect(sum == "3015617425")
        #expect(try board.image("[cksum=\(sum)] a=./hello\n").text("a") == "hello\n")
        #expect(
            try board.complaints("[cksum=3015617426] a=./hello\n") == [
                "error: './hello': found cksum 3015617425, expected 3015617426", "mkifs: 1 error",
            ])
    }

    @Test func aFileOfTheExpectedSHA256IsTaken() throws {
        let board = try board()
        for digits in [Self.sha256, Self.sha256.uppercased()] {
            #expect(try board.image("[sha256=\(digits)] a=./hello\n").text("a") == "hello\n")
        }
        let other = Self.sha256.replacingOccurrences(of: "5891", with: "5890")
        #expect(
            try board.complaints("[sha256=\(other)] a=./hello\n") == [
                "error: './hello': found SHA-256 \(Self.sha256), expected \(other)",
                "mkifs: 1 error",
            ])
        // It is the host's file that is meant, not what a filter makes of it.
        _ = try board.image("[sha256=\(Self.sha256) filter=\"tr a-z A-Z\"] a=./hello\n")
    }

    /// The right sum, written in ways that are refused.
    private static let wrongDigits: [String] = [
        "0x\(sha256)", "0x\(sha256.dropFirst(2))", "\(sha256.dropLast())", "\(sha256)0",
        "\(sha256.dropLast())g", "\(sha256.prefix(32)):\(sha256.suffix(32))",
        "\(sha256.prefix(32))-\(sha256.suffix(31))", "",
    ]

    @Test(arguments: wrongDigits)
    func aSHA256WithPrefixDelimitersOrOtherLengthIsRefused(_ digits: String) throws {
        let found = try board().complaints("[sha256=\(digits)] a=./hello\n")
        #expect(found.first?.hasPrefix("error: sha256: found '") == true)
        #expect(found.count == 2)
    }

    @Test func everyFileOfADirectoryIsHeldAgainstTheSum() throws {
        let board = try Board()
        try board.write("hello\n", to: "tree/one")
        try board.write("other\n", to: "tree/two")
        let found = try board.complaints("[sha256=\(Self.sha256)] /=./tree\n")
        #expect(
            found.count == 2 && found[0].hasPrefix("error: './tree/two': found SHA-256") == true)
    }

    // MARK: filter=

    @Test func aFilterReadsTheFileAndItsOutputIsStored() throws {
        let board = try board()
        let image = try board.image(
            "[filter=\"tr a-z A-Z\"] a=./hello\nb=./hello\n[filter=\"cat; echo $X\"] c=./hello\n"
        ) {
            $0.environment["X"] = "behind"
        }
        let texts = try ["a", "b", "c"].map { try image.text($0) }
        #expect(texts == ["HELLO\n", "hello\n", "hello\nbehind\n"])
        #expect(try image["a"]["mode"].text == "0644")
    }

    @Test func aFilterOfNoneEndsTheOneBefore() throws {
        let board = try board()
        let image = try board.image(
            "[filter=\"tr a-z A-Z\"]\na=./hello\n[filter=none] b=./hello\nc=./hello\n"
                + "[filter=none]\nd=./hello\n")
        let texts = try ["a", "b", "c", "d"].map { try image.text($0) }
        #expect(texts == ["HELLO\n", "hello\n", "HELLO\n", "hello\n"])
    }

    @Test(arguments: ["exit 7", "no-such-program-anywhere", "kill -9 $$"])
    func aFilterThatFailsEndsTheBuild(_ command: String) throws {
        let found = try board().complaints("[filter=\"\(command)\"] a=./hello\n")
        #expect(found.contains { $0.contains("./hello") }, "\(found)")
    }

    // MARK: Links

    /// A board with links to a file, to a directory and to nowhere.
    private func linked() throws -> Board {
        let board = try board()
        try board.write("in", to: "tree/sub/file")
        for (name, target) in [
            ("tree/link", "../hello"), ("tree/folder", "sub"), ("dangling", "nowhere"),
        ] {
            symlink(target, board.folder.path(name))
        }
        return board
    }

    @Test(arguments: ["", "[+followlink]\n"])
    func linksAreFollowedUnlessToldOtherwise(_ line: String) throws {
        let image = try linked().image(line + "/=./tree\nnamed=./tree/link\n/d=./tree/folder\n")
        #expect(
            image.files.sorted() == ["d/file", "folder/file", "link", "named", "sub/file"])
        #expect(try image["link"]["type"].text == "file" && image.text("named") == "hello\n")
    }

    @Test func linksThatAreNotFollowedAreStored() throws {
        let image = try linked().image(
            "[-followlink]\n/=./tree\nnamed=./tree/link\nx=./dangling\n/d=./tree/folder\n")
        let links = image.entries.filter { $0["type"].text == "symlink" }
            .compactMap { entry in entry["path"].text.map { [$0, entry["target"].text ?? ""] } }
        #expect(
            links.sorted { $0[0] < $1[0] } == [
                ["d", "sub"], ["folder", "sub"], ["link", "../hello"], ["named", "../hello"],
                ["x", "nowhere"],
            ])
        #expect(try image["link"]["mode"].text == "0777")
    }

    // MARK: optional

    @Test(arguments: ["", "[+optional] "], ["6.4", "7.0"])
    func aMissingFileIsAWarning(_ attribute: String, _ profile: String) throws {
        let board = try board()
        let outcome = try board.build(
            "\(attribute)none\n\(attribute)b=./none\nc=./hello\n", ["--profile", profile])
        #expect(outcome.end == .exit(0))
        #expect(
            outcome.complaints.filter { !$0.hasPrefix(" ") }.map {
                $0.drop { $0 != " " }.dropFirst()
            } == ["warning: host file 'none' missing", "warning: host file './none' missing"])
        #expect(try board.made().files == ["c"])
    }

    @Test func aMissingFileThatIsNotOptionalIsAnError() throws {
        let board = try board()
        let error = "error: host file 'none' not available"
        #expect(try board.complaints("[-optional] none\n") == [error, "mkifs: 1 error"])
        #expect(try board.complaints("[-optional]\nnone\n") == [error, "mkifs: 1 error"])
        #expect(try board.complaints("none\n", ["--profile", "8.0"]) == [error, "mkifs: 1 error"])
        // All that is missing is told in one run.
        #expect(try board.complaints("[-optional]\nnone\n./two\n").last == "mkifs: 2 errors")
    }

    @Test(arguments: [
        ("startup-none", "procnto", "plain", "startup-none"),
        ("startup-board", "procnto-none", "plain", "procnto-none"),
        ("startup-board", "procnto", "none", "none.boot"),
    ])
    func aMissingBootFileIsAlwaysAnError(
        _ startup: String, _ procnto: String, _ bootfile: String, _ missing: String
    ) throws {
        let text = Board.boot(
            "virtual=x86_64,\(bootfile) +optional", startup: "[+optional] \(startup)",
            procnto: "[+optional] \(procnto)")
        for lines in [text, "[+optional]\n" + text] {
            let found = try Board().complaints(lines)
            #expect(found.first == "error: host file '\(missing)' not available")
        }
    }

    @Test func aLinkToNowhereThatIsFollowedIsAMissingFile() throws {
        let board = try linked()
        #expect(
            try board.complaints("[-optional +followlink] x=./dangling\n").first
                == "error: host file './dangling' not available")
        let outcome = try board.build("[+optional +followlink] x=./dangling\n")
        #expect(outcome.end == .exit(0) && outcome.complaints.count == 3)
        symlink("nowhere", board.folder.path("tree/sub/gone"))
        #expect(
            try board.complaints("[-optional] /=./tree\n").first
                == "error: host file './tree/folder/gone' not available")
    }

    // MARK: search=

    @Test func theSearchedDirectoryIsNotStored() throws {
        let board = try board()
        try board.write("1", to: "one/tool")
        try board.write("2", to: "two/tool")
        try board.write("3", to: "two/other")
        let image = try board.image("[search=nowhere:one:two]\ntool\nother\n")
        #expect(image.files.sorted() == ["other", "tool"])
        #expect(try image.text("tool") == "1" && image.text("other") == "3")
    }

    @Test func theUsualSearchPathCanBeRestored() throws {
        let board = try board()
        try board.write("usual", to: "target/x86_64/bin/tool")
        try board.write("mine", to: "one/tool")
        let text = "[search=one]\na=tool\n[search=${MKIFS_PATH}]\nb=tool\n"
        let image = try board.image(text)
        #expect(try image.text("a") == "mine" && image.text("b") == "usual")
        let given = try board.image(text) { $0.environment["MKIFS_PATH"] = "sub:one" }
        #expect(try given.text("b") == "mine")
    }

    @Test func theCurrentDirectoryCanComeFirst() throws {
        let board = try board()
        try board.write("usual", to: "target/x86_64/bin/hello")
        try board.write("more", to: "target/x86_64/bin/more")
        let image = try board.image(
            "a=hello\n[search=.:${MKIFS_PATH}]\nb=hello\nmore\n[search=${MKIFS_PATH}:.] c=hello\n")
        let texts = try ["a", "b", "more", "c"].map { try image.text($0) }
        #expect(texts == ["usual", "hello\n", "more", "usual"])
    }

    @Test func withoutATargetTheHintSaysSo() throws {
        let board = try board()
        let outcome = try mkifs(["-l", "[-optional] tool", "/dev/null", "a.ifs"], in: board.folder)
        let found = try #require(outcome.complaints.first)
        #expect(found.hasSuffix("error: host file 'tool' not available; QNX_TARGET is not set"))
    }

    // MARK: type=

    @Test func anEntryIsAFileALinkADirectoryOrAFIFO() throws {
        let board = try board()
        try board.directory("tree", mode: 0o710)
        try board.write("x", to: "tree/inside")
        let image = try board.image(
            """
            a=./hello
            [type=file] b=./hello
            [type=link] l="../what ever"
            [type=dir] d=./tree
            [type=dir] plain
            [type=fifo] /tmp/pipe
            """)
        func type(_ path: String) throws -> String? { try image[path]["type"].text }
        #expect(try type("a") == "file" && type("b") == "file")
        #expect(try type("l") == "symlink" && image["l"]["target"].text == "../what ever")
        #expect(try type("d") == "directory" && type("plain") == "directory")
        #expect(try type("tmp/pipe") == "fifo")
        #expect(image.paths.count == 7, "\(image.paths)")
    }

    @Test(arguments: ["link", "dir", "fifo"])
    func onlyAFileHasAText(_ type: String) throws {
        let found = try Board().complaints("[type=\(type)] a={\ntext\n}\n")
        #expect(
            found == ["error: found a text, and 'type=\(type)' has none", "mkifs: 1 error"])
    }

    @Test func anEmptyDirectoryHasTheHostsOwnerAndMode() throws {
        let board = try Board()
        try board.directory("tree", mode: 0o2770)
        try board.write("x", to: "tree/inside")
        let node = try board.folder.node("tree")
        let image = try board.image("[type=dir dperms=*] d=./tree\n[type=dir] plain\n")
        #expect(image.paths == ["", "plain", "d"])
        #expect(try image["d"]["mode"].text == "0" + String(node.permissions, radix: 8))
        #expect(try image["d"]["uid"].number == UInt64(node.user))
        #expect(try image["d"]["gid"].number == UInt64(node.group))
        let plain = try image["plain"]
        #expect(plain["mode"].text == "0755")
        #expect(plain["uid"].number == 0 && plain["gid"].number == 0)
    }

    @Test func aPipeOfTheHostBecomesOne() throws {
        let board = try Board()
        try board.directory("tree")
        mkfifo(board.folder.path("tree/pipe"), 0o640)
        #expect(try board.image("/=./tree\n")["pipe"]["type"].text == "fifo")
    }
}
