import Mkifs
import Testing

/// How references are replaced by values.
struct ExpansionTests {
    private func expand(_ line: String, _ values: [String: String]) throws -> String {
        let reading = Reading(line)
        let word = try #require(reading.file.lines.first?.words.first)
        return text(try word.expanded(variables(values)))
    }

    @Test(
        arguments: [
            ("${A}", "1"), ("x${A}y", "x1y"), ("${NONE}", ""), ("${B}", "<1>"), ("${C1}", "one"),
            ("${C${A}}", "one"), ("${C${A}}${A}", "one1"), ("${${N}}", "1"), ("\"${A}\"", "${A}"),
            ("\\${A}", "${A}"), ("$A", "$A"), ("${S}", "a b=c"), ("${Q}", "\"x\"\\"), ("${}", ""),
            ("${D}", "$ $x"), ("${A\"}", ""),
        ])
    func aReferenceIsItsValue(_ word: String, _ result: String) throws {
        let values = [
            "A": "1", "B": "<${A}>", "C1": "one", "N": "A", "S": "a b=c", "Q": "\"x\"\\",
            "D": "$ $x",
        ]
        #expect(try expand(word, values) == result)
    }

    @Test(
        arguments: [
            ("${A/b", "1/b", "/"), ("${A[b", "1[b", "["), ("${A]b", "1]b", "]"),
            ("${A$b", "1$b", "$"), ("${A\\b", "1\\b", "\\"),
        ])
    func aNameEndsBeforeWhatItCannotHold(_ word: String, _ result: String, _ end: String) throws {
        #expect(try expand(word, ["A": "1"]) == result)
        #expect(
            Reading(word).messages == [
                "a.build:1:1: warning: '${' has no '}'; the name ends before '\(end)'"
            ])
    }

    @Test func aNameEndsWithItsLine() throws {
        #expect(Reading("${A b\n${B\nc").file.lines.map(\.text) == ["${A},b", "${B}", "c"])
        #expect(try expand("${A", ["A": "1"]) == "1")
    }

    @Test func aBlankInAValueMakesNoSecondWord() throws {
        #expect(Reading("${A} b").file.lines.first?.words.count == 2)
        #expect(try expand("${A} b", ["A": "x y"]) == "x y")
    }

    /// V0 holds a reference to V1 and so on; the last one is text.
    private func chain(_ count: Int) -> [String: String] {
        Dictionary(
            uniqueKeysWithValues: (0..<count).map {
                ("V\($0)", $0 == count - 1 ? "end" : "${V\($0 + 1)}")
            })
    }

    @Test func aChainOfTwentyValuesIsFollowed() throws {
        #expect(try expand("${V0}", chain(20)) == "end")
    }

    @Test func aChainOfTwentyOneIsAnError() {
        #expect {
            try expand("x${V0}", chain(21))
        } throws: {
            "\($0)" == "a.build:1:2: error: the value of 'V20' comes after 20 others in a chain"
                + "; does a variable refer to itself?"
        }
    }

    @Test(arguments: [["A": "${A}"], ["A": "x${B}", "B": "${A}"], ["A": "${A${A}}"]])
    func anEndlessChainIsAnError(_ values: [String: String]) {
        #expect(throws: Diagnostic.self) { try expand("${A}", values) }
    }

    @Test func valuesThatMultiplyAreRefused() {
        let values = Dictionary(
            uniqueKeysWithValues: (0..<19).map {
                ("V\($0)", String(repeating: "${V\($0 + 1)}", count: 50))
            })
        #expect {
            try expand("${V0}", values)
        } throws: {
            "\($0)".contains("more than 16777216 bytes are drawn in")
        }
    }

    @Test func twentyReferencesInEachOtherAreRead() {
        let nested = String(repeating: "${", count: 20) + "A" + String(repeating: "}", count: 20)
        #expect(Reading(nested).messages == [])
    }

    @Test func moreAreAnErrorAndTheNextLineIsRead() {
        let nested = String(repeating: "${", count: 21) + "A" + String(repeating: "}", count: 21)
        let reading = Reading("a \(nested)\nb")
        #expect(reading.file.lines.map(\.text) == ["b"])
        #expect(reading.messages == ["a.build:1:43: error: more than 20 '${' inside each other"])
    }

    @Test func deepNestingInAValueIsAnErrorAtItsReference() {
        let nested = String(repeating: "${", count: 30)
        #expect {
            try expand("ab${A}", ["A": nested])
        } throws: {
            "\($0)"
                == "a.build:1:3: error: the value of 'A': more than 20 '${' inside each other"
        }
    }
}
