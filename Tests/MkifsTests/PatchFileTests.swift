import Mkifs
import TestSupport
import Testing

/// What a patch file's lines mean.
struct PatchFileTests {
    private static func read(_ bytes: [UInt8]) -> (file: PatchFile, messages: [String]) {
        var diagnostics = Diagnostics()
        let file = PatchFile(parsing: SourceText(name: "p", bytes: bytes), &diagnostics)
        return (file, diagnostics.kept.map(\.description))
    }

    private func matches(_ line: String, _ path: String, isDirectory: Bool = false) -> Bool {
        let (file, messages) = Self.read(Array(line.utf8))
        #expect(messages == [])
        return file.values(for: Array(path.utf8), isDirectory: isDirectory) != nil
    }

    @Test func aLineSetsAllThree() {
        let file = Self.read(Array("f:/etc:passwd:74:075:4755".utf8)).file
        let values = file.values(for: Array("etc/passwd".utf8), isDirectory: false)
        #expect(values?.user == 74 && values?.group == 75 && values?.permissions == 0o4755)
    }

    @Test func theLargestValuesAreTaken() {
        let file = Self.read(Array("f:/:a:4294967295:0:07777".utf8)).file
        let values = file.values(for: Array("a".utf8), isDirectory: false)
        #expect(values?.user == .max && values?.permissions == 0o7777)
    }

    @Test func theLastLineThatMatchesWins() {
        let text = "fr:/:*:1:1:1\nf:/bin:sh:2:2:2\nf:/bin:ls:3:3:3\n"
        let file = Self.read(Array(text.utf8)).file
        #expect(file.values(for: Array("bin/sh".utf8), isDirectory: false)?.user == 2)
        #expect(file.values(for: Array("bin/cat".utf8), isDirectory: false)?.user == 1)
    }

    @Test(arguments: ["", "\n\n", "# f:/:*:0:0:0", "#", " \t\r\n", "# a\r\n\r\n"])
    func commentsAndEmptyLinesSayNothing(text: String) {
        let (file, messages) = Self.read(Array(text.utf8))
        #expect(messages == [] && file.values(for: [0x61], isDirectory: false) == nil)
    }

    @Test(arguments: ["f:/:a:0:0:644\r\n", "f:/:a:0:0:644 \t", "f:/:a:0:0:644"])
    func theEndOfALineMayHaveBlanks(line: String) { #expect(matches(line, "a")) }

    @Test func typesAreKeptApart() {
        #expect(matches("f:/:*:0:0:0", "a") && !matches("f:/:*:0:0:0", "a", isDirectory: true))
        #expect(matches("d:/:*:0:0:0", "a", isDirectory: true) && !matches("d:/:*:0:0:0", "a"))
        #expect(matches("dr:/:*:0:0:0", "a/b", isDirectory: true))
    }

    @Test(
        arguments: [
            ("/", "a", true, true), ("/", "a/b", false, true), ("//", "/a", true, true),
            ("/usr/bin", "usr/bin/a", true, true), ("usr/bin/", "/usr//bin/a", true, true),
            ("/usr/bin", "usr/bin/a/b", false, true), ("/usr", "usr", false, false),
            ("/usr", "usrx/a", false, false), ("/usr/bin", "usr/a", false, false),
            ("/bin", "usr/bin/a", false, false), ("/", "", false, false), ("/", "/", false, false),
        ])
    func aLineWorksBelowItsPath(folder: String, path: String, direct: Bool, recursive: Bool) {
        #expect(matches("f:\(folder):*:0:0:0", path) == direct)
        #expect(matches("fr:\(folder):*:0:0:0", path) == recursive)
    }

    @Test(
        arguments: [
            ("*", ["a", ".x", "a b"], []), ("a", ["a"], ["b", "aa", "A"]),
            ("?", ["a", "*"], ["", "ab"]), ("a?c", ["abc"], ["ac", "abbc"]),
            ("*.so", ["a.so", ".so"], ["a.so.1", "so"]), ("lib*.so.*", ["liba.so.2"], ["liba.so"]),
            ("a*b*c", ["abc", "aXbXc", "abbcc"], ["acb", "ab"]), ("**", ["", "a"], []),
            ("[abc]", ["a", "c"], ["d", "ab"]), ("[a-c]x", ["bx"], ["dx", "-x"]),
            ("[!a-c]", ["d", "-"], ["a", "b"]), ("[^a]", ["b", "^"], ["a"]),
            ("[]a]", ["]", "a"], ["b"]), ("[!]a]", ["b"], ["]", "a"]),
            ("[a-]", ["a", "-"], ["b"]), ("[-a]", ["a", "-"], ["b"]),
            ("[*?]", ["*", "?"], ["a"]), ("[\\]]", ["]"], ["\\"]), ("[\\\\]", ["\\"], ["]"]),
            ("[a-\\c]", ["b"], ["\\"]), ("\\*", ["*"], ["a"]), ("\\a", ["a"], ["\\a"]),
            ("a]", ["a]"], ["a"]), ("[a][b]", ["ab"], ["a"]), ("*[0-9]", ["a1", "7"], ["a"]),
        ] as [(String, [String], [String])])
    func aPatternMeansItsNames(pattern: String, good: [String], bad: [String]) {
        for name in good where !name.isEmpty {
            #expect(matches("f:/d:\(pattern):0:0:0", "d/" + name), "\(name)")
        }
        for name in bad where !name.isEmpty {
            #expect(!matches("f:/d:\(pattern):0:0:0", "d/" + name), "\(name)")
        }
    }

    @Test(
        arguments: [
            ("x", "1:1: error: found 1 field, expected 6: type:path:pattern:uid:gid:perms"),
            (
                "  # x",
                "1:1: error: found 1 field, expected 6: type:path:pattern:uid:gid:perms; "
                    + "a comment's '#' stands in the first column"
            ),
            (
                "f:/:a:0:0:0:0",
                "1:1: error: found 7 fields, expected 6: type:path:pattern:uid:gid:perms"
            ),
            ("x:/:a:0:0:0", "1:1: error: type: found 'x', expected d, dr, f or fr"),
            ("rd:/:a:0:0:0", "1:1: error: type: found 'rd', expected d, dr, f or fr"),
            ("f::a:0:0:0", "1:3: error: path: found '', expected a directory such as '/usr/bin'"),
            ("f:/::0:0:0", "1:5: error: pattern: found '', expected a file's name such as '*.so'"),
            (
                "f:/:a/b:0:0:0",
                "1:5: error: pattern: found 'a/b', expected a file's name such as '*.so'"
            ),
            (
                "f:/:a[b:0:0:0",
                "1:5: error: pattern: found '[b', expected a ']' that ends the set; "
                    + "a '[' itself is written '\\['"
            ),
            (
                "f:/:[b-a]:0:0:0",
                "1:5: error: pattern: found 'b-a', expected a range from the lower to the higher byte"
            ),
            (
                "f:/:a\\:0:0:0",
                "1:5: error: pattern: found '\\', expected a character behind the backslash"
            ),
            (
                "f:/:a:root:0:0",
                "1:7: error: uid: found 'root', expected a decimal number from 0 through 4294967295"
            ),
            (
                "f:/:a:0::0",
                "1:9: error: gid: found '', expected a decimal number from 0 through 4294967295"
            ),
            (
                "f:/:a:0:4294967296:0",
                "1:9: error: gid: found '4294967296', "
                    + "expected a decimal number from 0 through 4294967295"
            ),
            (
                "f:/:a:0:0:",
                "1:11: error: perms: found '', expected an octal number from 0 through 07777"
            ),
            (
                "f:/:a:0:0:8",
                "1:11: error: perms: found '8', expected an octal number from 0 through 07777"
            ),
            (
                "f:/:a:0:0:10000",
                "1:11: error: perms: found '10000', expected an octal number from 0 through 07777"
            ),
            (
                "f:/:a:0:0:+7",
                "1:11: error: perms: found '+7', expected an octal number from 0 through 07777"
            ),
        ])
    func aMalformedLineIsNamed(line: String, message: String) {
        #expect(Self.read(Array(line.utf8)).messages == ["p:" + message])
    }

    @Test func everyMalformedLineIsNamedAndTheOthersCount() {
        let (file, messages) = Self.read(Array("x\nf:/:a:1:1:1\nq:y:z:z:z:z\n".utf8))
        #expect(messages.map { $0.prefix(6) } == ["p:1:1:", "p:3:1:"])
        #expect(file.values(for: [0x61], isDirectory: false)?.user == 1)
    }

    @Test(.timeLimit(.minutes(20)))
    func noBytesTrap() {
        var random = SplitMix64(seed: 0x51c6)
        let pieces = [
            "f:", "dr:", "/", ":", "*", "?", "[", "]", "-", "\\", "a", "0", "!", "\n", "#",
            "\u{e4}",
        ]
        for _ in 0..<5000 {
            let text = (0..<Int(random.next() % 40)).map { _ in
                pieces[Int(random.next() % UInt64(pieces.count))]
            }
            let file = Self.read(Array(text.joined().utf8)).file
            _ = file.values(for: Array("/a/aa".utf8), isDirectory: random.next() % 2 == 0)
            _ = Self.read(random.noise(Int(random.next() % 60)))
        }
    }

    @Test(.timeLimit(.minutes(20)))
    func aPatternOfManyRunsIsTriedInTime() {
        let pattern = String(repeating: "*a", count: 2000) + "b"
        #expect(!matches("f:/:\(pattern):0:0:0", String(repeating: "a", count: 10_000)))
    }
}
