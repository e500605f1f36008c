import Mkifs
import Testing

/// How words and attributes make lines, in buildfiles and in sections.
struct LineTests {
    @Test(
        arguments: [
            ("", []), (" \n\t\r\n# x\n", []), ("a\nb", ["a", "b"]), ("a\n\n  b = c", ["a", "b,c"]),
            ("[uid=5] a", ["[uid=5],a"]), ("[uid=5]\na", ["[uid=5]", "a"]),
            ("[uid=5\ngid=6] a", ["[uid=5|gid=6],a"]), ("[type=dir]/usr", ["[type=dir],/usr"]),
            ("[-big_pages]name=x", ["[-big_pages],name,x"]), ("[+a] # c\nb", ["[+a]", "b"]),
            ("[] a", ["[],a"]), ("[]", ["[]"]),
            (
                "[virtual=aarch64le,raw -compress] boot = {\n}",
                ["[virtual=aarch64le,raw|-compress],boot,{}"]
            ),
            ("[uid=0 gid=0 type=dir dperms=0755] /", ["[uid=0|gid=0|type=dir|dperms=0755],/"]),
            ("[type=link] /etc/ssh = /dev/shmem", ["[type=link],/etc/ssh,/dev/shmem"]),
            ("a={\nb\n}\nc", ["a,{b\n}", "c"]), ("a {\nb}\nc", ["a,{b}", "c"]),
            (".ssh-server.sh={\nx\n}", [".ssh-server.sh,{x\n}"]),
            ("/etc/esh = {\n}\n", ["/etc/esh,{}"]), ("a={ # c\nb\n}", ["a,{b\n}"]),
            ("a \"{\"\nb}", ["a,{b}"]), ("a ./{", ["a,./{"]),
            ("a={\r\nb\r\n}\r\nc", ["a,{b\r\n}", "c"]),
        ] as [(String, [String])])
    func aBuildfileIsLines(_ text: String, _ lines: [String]) {
        let reading = Reading(text)
        #expect(reading.messages == [])
        #expect(reading.file.lines.map(\.text) == lines)
    }

    @Test(
        arguments: [
            ("# kept\n", "# kept\n"), ("\\}\\{", "}{"), ("\\\\", "\\"), ("\\a\\\n", "a\n"),
            ("  \tx { y\n", "  \tx { y\n"), ("$\\{A\\} \"b", "${A} \"b"),
        ])
    func inlineTextLosesOneLevelOfBackslashes(_ written: String, _ text: String) throws {
        let inline = try #require(Reading("a={\n\(written)}\n").file.lines.first?.inline)
        #expect(MkifsTests.text(inline.text.bytes) == text)
    }

    @Test func theFirstBraceEndsTheTextAndTakesOneCharacterAlong() {
        let reading = Reading("a={\nx ${B}yz\n}\nc")
        #expect(reading.file.lines.map(\.text) == ["a,{x ${B}", "z", "}", "c"])
        #expect(
            reading.messages == [
                "a.build:2:7: warning: 'y' right behind '}' is dropped"
                    + "; a '}' inside the text is written '\\}'",
                "a.build:3:1: warning: '}' closes nothing and is taken for a file's name"
                    + "; a '}' inside the text is written '\\}'",
            ])
    }

    @Test func bytesOfInlineTextKnowTheirLine() throws {
        let inline = try #require(Reading("\na={\nb\\}\\\nc\n}").file.lines.first?.inline)
        #expect(inline.mark == SourceMark(file: "a.build", line: 2, column: 3))
        #expect(text(inline.text.bytes) == "b}\nc\n")
        let places = inline.text.bytes.indices.map { inline.text.mark(at: $0) }
        #expect(places.map(\.line) == [3, 3, 3, 4, 4])
        #expect(places.map(\.column) == [1, 3, 5, 1, 2])
    }

    @Test func anErrorInASectionHasTheBuildfilesLine() {
        let reading = Reading("[+script] s = {\n\n  a \\} b\n  [pri=x] c\n}\n")
        #expect(
            check(reading).kept.map(\.description) == [
                "a.build:4:8: error: pri: found 'x', expected '*', or a number and at most one of"
                    + " f, r and o"
            ])
    }

    @Test(
        arguments: [
            ("a", ["a"]), ("startup-x -v\nA=1\n", ["startup-x,-v", "$A=1"]),
            ("A=1 B=2 procnto-smp-instr -v", ["$A=1,$B=2,procnto-smp-instr,-v"]),
            ("A=\"x y\" B= c", ["$A=x y,$B=,c"]), ("A=${B} c", ["$A=${B},c"]), ("a B=1", ["a,B=1"]),
            ("1A=2", ["1A=2"]), ("./a=b", ["./a=b"]), ("_A9=2", ["$_A9=2"]), ("${A}=b", ["${A}=b"]),
            ("a &", ["a,<&>"]), ("a&", ["a&"]), ("a & b", ["a,&,b"]), ("a \"&\"", ["a,<&>"]),
            ("&", ["&"]), ("A=1 &", ["$A=1,&"]), ("[pri=5] a", ["[pri=5],a"]),
            ("[pri=5]\na", ["[pri=5]", "a"]), ("[+session] A=1 a b &", ["[+session],$A=1,a,b,<&>"]),
            ("a \\\n  b # c\n# d", ["a,b"]), ("a = b", ["a,=,b"]), ("a {\nb", ["a,{", "b"]),
        ] as [(String, [String])])
    func aSectionIsLines(_ text: String, _ expected: [String]) {
        let (lines, messages) = commandLines(text)
        #expect(messages == [])
        #expect(lines.map(\.text) == expected)
    }

    @Test func aLineOfTheCommandLineHasItsOwnNameAndNumber() {
        var diagnostics = Diagnostics()
        let source = SourceText(name: "-l", bytes: Array("a b c".utf8), firstLine: 3)
        let file = BuildFile(parsing: source, &diagnostics)
        #expect(file.lines.isEmpty)
        #expect(diagnostics.kept.first?.mark == SourceMark(file: "-l", line: 3, column: 5))
        #expect(source.line(3).map { text($0) } == "a b c" && source.line(2) == nil)
    }
}
