import Mkifs
import Testing

/// What is said of a fault, and how it is shown.
struct DiagnosticTests {
    @Test func anErrorNamesPlaceFaultAndRemedy() {
        let source = SourceText(
            name: "board.build", bytes: Array("\n[uid=0 perm=0644] x\n".utf8))
        let reading = Reading(source.bytes, name: "board.build")
        let diagnostic = check(reading).kept.first
        #expect(
            diagnostic?.description
                == "board.build:2:8: error: unknown attribute 'perm'; did you mean 'perms'?")
        #expect(
            diagnostic?.rendered(from: source) == """
                board.build:2:8: error: unknown attribute 'perm'; did you mean 'perms'?
                    [uid=0 perm=0644] x
                           ^
                """)
    }

    @Test(
        arguments: [
            ("\ta\tb c d\r", "     a b c d", "         ^"), ("ä b c", "    ä b c", "        ^"),
            ("a\u{1} b c", "    a\\x01 b c", "            ^"),
        ])
    func theCaretStandsUnderTheThirdWord(_ line: String, _ shown: String, _ caret: String) {
        let reading = Reading(line)
        let lines = reading.diagnostics.kept.first?.rendered(from: reading.source)
            .split(separator: "\n").map(String.init)
        #expect(lines?.dropFirst() == [shown, caret])
    }

    @Test func ofALongLineAWindowIsShown() {
        let line =
            String(repeating: "x", count: 1000) + " y z " + String(repeating: "w", count: 1000)
        let reading = Reading(line)
        let shown = reading.diagnostics.kept.first?.rendered(from: reading.source)
        #expect((shown?.count ?? 0) < 500 && shown?.contains("x y z w") == true)
    }

    @Test func aLongWordIsCutInAMessage() {
        let reading = Reading("a b " + String(repeating: "c", count: 100_000))
        #expect((reading.messages.first?.count ?? 0) < 200)
    }

    @Test func aHundredErrorsAreKeptAndTheOthersCounted() {
        let reading = Reading(String(repeating: "a b c\n", count: 250))
        #expect(reading.messages.count == 100 && reading.diagnostics.count(of: .error) == 250)
        #expect {
            try reading.diagnostics.throwErrors()
        } throws: {
            "\($0)".hasSuffix("\nand 150 more")
        }
    }

    @Test func aWarningIsNoError() throws {
        var diagnostics = Diagnostics()
        let mark = SourceMark(file: "f", line: 1, column: 2)
        diagnostics.add(Diagnostic(.warning, at: mark, "odd"))
        try diagnostics.throwErrors()
        #expect(diagnostics.kept.map(\.description) == ["f:1:2: warning: odd"])
        diagnostics.add(Diagnostic(at: mark, "wrong", hint: "do right"))
        #expect {
            try diagnostics.throwErrors()
        } throws: {
            "\($0)" == "f:1:2: error: wrong; do right"
        }
    }
}
