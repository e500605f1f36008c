import Mkifs
import Testing

/// How characters become words (`buildfile` grammar: tokens).
struct WordTests {
    @Test(
        arguments: [
            ("a b", ["a", "b"]), ("a=b", ["a", "b"]), ("a = b", ["a", "b"]), ("a\tb", ["a", "b"]),
            ("a b\r\n", ["a", "b"]), ("a =", ["a"]), ("=a", ["a"]),
            (".ssh-server.sh=x", [".ssh-server.sh", "x"]),
            ("/x=${QNX_TARGET}/y", ["/x", "${QNX_TARGET}/y"]),
            ("a#b", ["a#b"]), ("a #b", ["a"]), ("a b# #c", ["a", "b#"]), ("#a\nb", ["b"]),
            ("# c \\\nb", ["b"]), ("a\"#\"", ["a#"]),
            ("\"name with space\"=one", ["name with space", "one"]),
            ("\"a=b\" c", ["a=b", "c"]), ("a\" \"b\"=\"c", ["a b=c"]), ("\"\" b", ["", "b"]),
            ("\"a\\\"b\"", ["a\"b"]), ("a\\\"b", ["a\"b"]), ("\"a\\\\\"", ["a\\"]),
            ("a\\\\b", ["a\\b"]), ("a\\b", ["a\\b"]), ("a\\ b", ["a\\", "b"]),
            ("a\\=b", ["a\\", "b"]),
            ("a\\#b", ["a\\#b"]), ("a\\", ["a\\"]), ("a\\\\", ["a\\"]),
            ("a\\\nb", ["ab"]), ("a \\\n b", ["a", "b"]), ("\\\na", ["a"]), ("\"a\\\nb\"", ["ab"]),
            ("a\\\r\n", ["a\\"]),
            ("\\${A}", ["${A}"]), ("$A", ["$A"]), ("$", ["$"]), ("a$", ["a$"]),
            ("\"${A}\"", ["${A}"]),
            ("[]a]b", ["a]b"]), ("a[b", ["a[b"]),
        ] as [(String, [String])])
    func ofALineInABuildfile(_ line: String, _ words: [String]) throws {
        let reading = Reading(line)
        #expect(reading.messages == [])
        #expect(try #require(reading.file.lines.first).words.map(\.text) == words)
    }

    @Test(
        arguments: [
            ("[a=b\tc=d\r\ne=f\n]x", ["a=b", "c=d", "e=f"]),
            ("[a=b #c=d]\n e=f]", ["a=b", "e=f"]), ("[a=b#c]", ["a=b#c"]),
            ("[filter=\"a b\"]", ["filter=a b"]), ("[a=\"]\"]", ["a=]"]), ("[a=\\]]", ["a=]"]),
            ("[a=\"x\ny\"]", ["a=x\ny"]), ("[a=b\\\nc]", ["a=bc"]), ("[a=\\}]", ["a=\\}"]),
            ("[a=b=c]", ["a=b=c"]), ("[a=]", ["a="]), ("[prefix=\"\"]", ["prefix="]),
            ("[+a -b ?+c ?d=e]", ["+a", "-b", "?+c", "?d=e"]), ("[]", []),
            ("[a=${B}]", ["a=${B}"]), ("[\"a=b c\"]", ["a=b c"]), ("[+a${B}]", ["+a${B}"]),
            ("[${A}]", ["${A}"]), ("[?${A}]", ["?${A}"]), ("[${A}=b]", ["${A}=b"]),
        ] as [(String, [String])])
    func ofAnAttributeList(_ line: String, _ attributes: [String]) throws {
        let reading = Reading(line)
        #expect(reading.messages == [])
        let list = try #require(reading.file.lines.first?.attributes)
        #expect(list.attributes.map(\.text) == attributes)
    }

    @Test(
        arguments: [
            ("a b=c d", ["a", "b=c", "d"]), ("x --a=\"b c\"", ["x", "--a=b c"]),
            ("x 'single arg'", ["x", "'single", "arg'"]), ("x a\\ b", ["x", "a\\", "b"]),
            ("display_msg \" \"", ["display_msg", " "]), ("a b\r", ["a", "b"]),
            ("a \\] b", ["a", "\\]", "b"]), ("a { b", ["a", "{", "b"]),
        ] as [(String, [String])])
    func ofACommand(_ line: String, _ words: [String]) throws {
        let (lines, messages) = commandLines(line)
        #expect(messages == [])
        #expect(try #require(lines.first).words.map(\.text) == words)
    }

    @Test func aQuoteWithoutASecondOneEndsWithItsLine() {
        let reading = Reading("a=\"b c\nd")
        #expect(reading.file.lines.map(\.text) == ["a,b c", "d"])
        #expect(
            reading.messages == [
                "a.build:1:3: warning: '\"' has no second one; it ends with the line"
            ])
        #expect(!reading.diagnostics.hasErrors)
    }

    @Test func aWordKnowsWhereEachPartStands() throws {
        let word = try #require(Reading("\n  x = a\"b\"c${D${E}}").file.lines.first?.words.last)
        #expect(word.mark == SourceMark(file: "a.build", line: 2, column: 7))
        let columns = word.fragments.map { fragment in
            switch fragment {
            case .literal(let literal): literal.mark.column
            case .reference(let reference): reference.mark.column
            }
        }
        #expect(columns == [7, 9, 11, 12])
    }

    @Test func columnsCountBytes() throws {
        let word = try #require(Reading("ä=b").file.lines.first?.words.last)
        #expect(word.mark.column == 4)
    }
}
