import Foundation
import TestSupport
import Testing

/// The grammar of buildfiles as an image shows it, F026 to F050. `Tests/MkifsTests` has the rest.
struct MkifsGrammarTests {
    // MARK: Lines

    @Test func aLineHasAttributesAFileBothOrNeither() throws {
        let image = try Board().image(
            "\n   \t\n[uid=7]\n\n[gid=8] a={\n}\nb={\n}\n# only a comment\n[type=link] c = x")
        #expect(image.files.sorted() == ["a", "b", "c"])
        #expect(try image["a"]["uid"].number == 7 && image["a"]["gid"].number == 8)
        #expect(try image["b"]["uid"].number == 7 && image["b"]["gid"].number == UInt64(getgid()))
    }

    @Test(arguments: ["", "\n\n", "# nothing\n", "[uid=1]\n"])
    func aBuildfileWithoutFilesIsAnEmptyImage(_ text: String) throws {
        #expect(try Board().image(text).paths == [""])
    }

    @Test func aCommentRunsToTheEndOfItsLine() throws {
        let board = try Board()
        try board.write("x", to: "one")
        let image = try board.image(
            "#[uid=1]\n[uid=2 # uid=3]\ngid=4 ] one=./one # two=./two ] {\n  # a={\n")
        #expect(image.files == ["one"])
        #expect(try image["one"]["uid"].number == 2 && image["one"]["gid"].number == 4)
    }

    @Test func aHashInsideAWordIsPartOfIt() throws {
        let board = try Board()
        try board.write("x", to: "a#b")
        let image = try board.image("a#b=./a#b\nc=./a#b #comment\n")
        #expect(image.files.sorted() == ["a#b", "c"])
    }

    @Test func aBackslashAtTheEndJoinsLines() throws {
        let board = try Board()
        try board.write("x", to: "one")
        let image = try board.image("[uid=1 \\\ngid=2] target=\\\n./one\n[type=link] lo\\\nng=y\n")
        #expect(image.files.sorted() == ["long", "target"])
        #expect(try image["target"]["gid"].number == 2)
    }

    // MARK: Attributes

    @Test func aBracketHasSeveralAttributes() throws {
        let image = try Board().image(
            "[uid=3 gid=4\tperms=0751\n  mtime=2000-01-01-00:00:00] a={\n}")
        let entry = try image["a"]
        #expect(entry["uid"].number == 3 && entry["gid"].number == 4)
        #expect(entry["mode"].text == "0751" && entry["mtime"].number == 946_684_800)
    }

    @Test func aSecondBracketOfALineIsRefused() throws {
        #expect(
            try Board().complaints("[uid=5] [gid=5] f={\n}\n").first?.hasPrefix("error: ") == true)
    }

    @Test func aFlagHasBothPolarities() throws {
        let board = try Board()
        try board.write("x", to: "file")
        symlink("file", board.folder.path("link"))
        let image = try board.image(
            "[+followlink] a=./link\n[-followlink] b=./link\n[-followlink]\nc=./link\n"
                + "[+followlink]\nd=./link\n")
        let types = try ["a", "b", "c", "d"].map { try image[$0]["type"].text }
        #expect(types == ["file", "symlink", "symlink", "file"])
    }

    @Test(arguments: ["[uid = 5] a={\n}\n", "[uid= 5] a={\n}\n", "[uid =5] a={\n}\n"])
    func aBlankAtTheEqualsSignOfAnAttributeIsRefused(_ text: String) throws {
        let found = try Board().complaints(text)
        #expect(
            found.first?.hasPrefix("error: ") == true && found.last?.hasPrefix("mkifs: ") == true)
    }

    @Test func aConditionalAttributeOverridesNeitherPolarity() throws {
        let board = try Board()
        try board.write("x", to: "file")
        symlink("file", board.folder.path("link"))
        func type(_ lines: String) throws -> String? {
            try board.image(lines + "a=./link\n")["a"]["type"].text
        }
        #expect(try type("[?-followlink]\n") == "symlink")
        #expect(try type("[+followlink]\n[?-followlink]\n") == "file")
        #expect(try type("[-followlink]\n[?+followlink]\n") == "symlink")
        #expect(try board.image("[uid=4]\n[?uid=5]\na={\n}\n")["a"]["uid"].number == 4)
        #expect(try board.image("[?uid=5]\na={\n}\n")["a"]["uid"].number == 5)
    }

    // MARK: Scope

    @Test func anAttributeBeforeAFileHoldsForItAlone() throws {
        let image = try Board().image("[uid=5] a={\n}\nb={\n}\n[uid=6 type=link] c=x")
        #expect(try image["a"]["uid"].number == 5)
        #expect(try image["b"]["uid"].number == UInt64(getuid()))
    }

    @Test func anAttributeAloneHoldsForAllThatFollow() throws {
        let image = try Board().image("a={\n}\n[uid=5]\nb={\n}\nc={\n}\n[uid=6]\nd={\n}\n")
        let users = try ["b", "c", "d"].map { try image[$0]["uid"].number }
        #expect(users == [5, 5, 6])
        #expect(try image["a"]["uid"].number == UInt64(getuid()))
    }

    /// The vendor's example: `esh` is processed, and what follows is raw again.
    @Test func aLinesOwnAttributeLeavesWhatHoldsForTheOthers() throws {
        let board = try Board()
        for name in ["chkfsys", "esh", "pwm"] {
            try board.write(ELFStandIn(.executable).bytes, to: name, mode: 0o755)
        }
        let image = try board.image("[search=.]\n[+raw]\nchkfsys\n[-raw] esh\npwm\n")
        // A program that was laid out says so in its inode number.
        let isProcessed = try ["chkfsys", "esh", "pwm"].map {
            try #require(try image[$0]["ino"].number) & 0x8000_0000 != 0
        }
        #expect(isProcessed == [false, true, false])
        #expect(try image.contents("pwm") == ELFStandIn(.executable).bytes)
    }

    // MARK: File specifications

    @Test func aPathAloneIsStoredByItsBaseName() throws {
        let board = try Board()
        let path = try board.write("x", to: "release/data1")
        #expect(try board.image("\(path)\n").files == ["data1"])
        #expect(try board.image("release/data1\n").files == ["data1"])
        #expect(try board.image("[prefix=etc/conf] \(path)\n").files == ["etc/conf/data1"])
        #expect(
            try board.image(Board.boot() + "\(path)\n").files.sorted()
                == ["proc/boot/data1", "proc/boot/procnto"])
    }

    @Test func aRelativePathIsLookedForInTheSearchPath() throws {
        let board = try Board()
        try board.write("second", to: "two/sub/file")
        try board.write("here", to: "file")
        let image = try board.image("[search=one:two/sub] file\n[search=two] deep=sub/file\n")
        #expect(try image.text("file") == "second" && image.text("deep") == "second")
        // A name without a slash is not one of the current directory.
        let found = try board.complaints("[-optional search=one] file\n")
        #expect(found.first == "error: host file 'file' not available")
        #expect(try board.image("./file\n").text("file") == "here")
    }

    @Test func aTargetNamesTheFile() throws {
        let board = try Board()
        try board.write("x", to: "host")
        let image = try board.image(
            "[prefix=p]\na/b=./host\n/c/d=./host\n./e=./host\n//f//g=./host\n")
        #expect(image.files.sorted() == ["c/d", "f/g", "p/a/b", "p/e"])
    }

    @Test(arguments: ["../a=./host\n", "/a/../../b=./host\n"])
    func aTargetOutsideTheImageIsRefused(_ text: String) throws {
        let board = try Board()
        try board.write("x", to: "host")
        #expect(
            try board.complaints(text).first?.hasSuffix("a path in an image has no '..'") == true)
    }

    @Test func aDirectoryBringsAllThatIsInIt() throws {
        let board = try Board()
        try board.write("1", to: "release/one")
        try board.write("2", to: "release/sub/two")
        try board.write("3", to: "release/sub/deep/three")
        let names = ["one", "sub", "sub/deep", "sub/deep/three", "sub/two"]
        func paths(_ line: String) throws -> [String] {
            try board.image(line).paths.filter { !$0.isEmpty }.sorted()
        }
        #expect(try paths("[prefix=p] ./release\n") == ["p"] + names.map { "p/" + $0 })
        #expect(try paths("[prefix=p] /=./release\n") == names)
        #expect(
            try paths("[prefix=p] /product=./release\n")
                == ["product"] + names.map { "product/" + $0 })
        #expect(try board.image("/=./release\n").text("sub/deep/three") == "3")
    }

    @Test func hundredsOfFilesAndNestedLinksCome() throws {
        let board = try Board()
        for index in 0..<400 {
            try board.write("\(index)", to: "tree/d\(index % 7)/e\(index % 5)/f \(index)")
        }
        symlink("../d1", board.folder.path("tree/d0/up"))
        symlink("e3", board.folder.path("tree/d1/again"))
        let image = try board.image("/=./tree\n")
        let found = try image.extracted()
        for index in 0..<400 {
            #expect(
                found["d\(index % 7)/e\(index % 5)/f \(index)"]?.text == "\(index)", "\(index)")
        }
        #expect(found["d0/up/again/f 8"]?.text == "8")
        let kept = try board.image("[-followlink] /=./tree\n")
        #expect(try kept["d0/up"]["target"].text == "../d1")
        #expect(kept.files.count == 402)
    }

    @Test func aDirectoryThatLeadsBackIsRefused() throws {
        let board = try Board()
        try board.write("x", to: "tree/sub/file")
        symlink("..", board.folder.path("tree/sub/loop"))
        let found = try board.complaints("/=./tree\n")
        #expect(
            found.first == "error: './tree/sub/loop' leads back to a directory above it")
    }

    // MARK: Inline files

    @Test func anInlineFileIsKeptAsItStands() throws {
        let text = "  # two blanks\n\n\t[uid=5] ${HOME\\} \"q\" a=b\n{ open\n"
        let image = try Board().image(
            "a = {\n\(text)}\nb={\n}\nc={\nno newline}\nd={\nx\n} # behind\n")
        #expect(try image.text("a") == text.replacing("\\", with: ""))
        #expect(try image.text("b") == "" && image.text("c") == "no newline")
        #expect(try image.text("d") == "x\n")
    }

    @Test(arguments: ["a={ text\n}\n", "a={text\n}\n", "a={}\n"])
    func textBehindTheOpeningBraceIsRefused(_ text: String) throws {
        #expect(try Board().complaints(text).first?.hasPrefix("error: ") == true)
    }

    @Test func anInlineFileWithoutAnEndIsRefused() throws {
        let outcome = try Board().build("x={\n}\na={\ntext\n")
        #expect(outcome.end == .exit(1))
        #expect(outcome.complaints.first?.hasPrefix("a.build:3:") == true)
    }

    @Test func aBackslashInAnInlineFileTakesTheNextCharacterAsItIs() throws {
        let image = try Board().image("a={\n\\} \\\\ \\{ \\n \\# \\\"\n}\n")
        #expect(try image.text("a") == "} \\ { n # \"\n")
    }

    // MARK: Words

    @Test func aQuotedNameMayHaveBlanks() throws {
        let board = try Board()
        try board.write("x", to: "my file")
        try board.write("y", to: "a=b")
        let image = try board.image(
            "\"my file\"=\"./my file\"\n/etc/\"a \\\"b\\\"\"=./my\" \"file\n\"e=q\"=\"./a=b\"\n"
                + "\"./my file\"\n")
        #expect(image.files.sorted() == ["e=q", "etc/a \"b\"", "my file"])
        #expect(try image.text("my file") == "x" && image.text("e=q") == "y")
    }

    @Test func blanksMayStandAroundTheEqualsSignOfAFile() throws {
        let board = try Board()
        try board.write("x", to: "host")
        let image = try board.image(
            "a = ./host\nb\t=./host\nc= ./host\n[type=link] /tmp = /dev/shmem\nd = {\nin\n}\n")
        #expect(image.files.sorted() == ["a", "b", "c", "d", "tmp"])
        #expect(try image["tmp"]["target"].text == "/dev/shmem" && image.text("d") == "in\n")
    }

    @Test func aNameMayFollowTheBracketAtOnce() throws {
        let image = try Board().image("[uid=5]a={\n}\n[type=dir]/usr/bin\n[-big_pages]b={\n}\n")
        #expect(image.paths.sorted() == ["", "a", "b", "usr/bin"])
        #expect(try image["a"]["uid"].number == 5)
    }

    @Test func aQuotedValueMayHaveBlanks() throws {
        let board = try Board()
        try board.write("contents", to: "host")
        let image = try board.image(
            "[filter=\"sed -e s/con/pre/ -e 's/$/ end]/'\" uid=4] a=./host\n"
                + "[prefix=\"x y\"] b={\n}\n")
        #expect(try image.text("a") == "pretents end]")
        #expect(try image["a"]["uid"].number == 4 && image.files.contains("x y/b"))
    }

    // MARK: Variables

    @Test func variablesAreReplacedInNamesAndPaths() throws {
        let board = try Board()
        try board.write("x", to: "dir/sub/file")
        symlink("file", board.folder.path("dir/sub/link"))
        let text = """
            [mount=/${M}]
            [cd=${D}/sub] one=./file
            [search=${D}/${S}] two=file
            [prefix=${P}/q] three=./dir/sub/file
            [-followlink] ${P}/${F}=./${D}/${S}/link
            /${F}.x=./dir/${S}/file
            """
        let image = try board.image(text) {
            $0.environment.merge(["M": "mnt", "D": "dir", "S": "sub", "P": "pre", "F": "four"]) {
                $1
            }
        }
        #expect(image.header["mountpoint"].text == "/mnt")
        #expect(image.files.sorted() == ["four.x", "one", "pre/four", "pre/q/three", "two"])
        #expect(try image["pre/four"]["target"].text == "file")
    }

    @Test func aVariableWithoutAValueIsEmpty() throws {
        let board = try Board()
        let image = try board.image("[uid=1${NO_SUCH_VARIABLE}2] a${NO_SUCH_VARIABLE}b={\n}\n")
        #expect(try image["ab"]["uid"].number == 12)
        let found = try board.complaints("${NO_SUCH_VARIABLE}={\n}\n")
        #expect(found.first == "error: the name of the target is empty")
    }

    @Test func variablesNestAndChain() throws {
        let image = try Board().image("${A${B}}={\n}\n${C}={\n}\n") {
            $0.environment.merge(["AB1": "nested", "B": "B1", "C": "x${D}", "D": "chained"]) { $1 }
        }
        #expect(image.files.sorted() == ["nested", "xchained"])
    }
}
