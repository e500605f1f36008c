import Format
import Testing
import ToolSupport

/// How a command line is read; what comes of it is tested through the tools themselves.
struct OptionTableTests {
    private let table = OptionTable(
        tool: "tool", summary: "does things", usage: ["tool [OPTION]... FILE"],
        options: [
            .init("a", "all", "a flag of both kinds"), .init("b", nil, "a flag"),
            .init("o", "out", argument: "FILE", words: .files, "an option with a value"),
            .init(nil, "count", argument: "N", "a number"),
        ])

    private func words(_ options: OptionTable.Parsed) -> [String] {
        options.options.map { $0.id + ($0.value.map { "=\($0)" } ?? "") }
    }

    @Test(
        arguments: [
            (["-a", "-b"], ["all", "b"], []), (["-ab"], ["all", "b"], []),
            (["-abofile"], ["all", "b", "out=file"], []),
            (["-abo", "file"], ["all", "b", "out=file"], []),
            (["-o-a"], ["out=-a"], []), (["-o", "-a"], ["out=-a"], []),
            (["-o", "--"], ["out=--"], []),
            (["--out=x=y", "--out="], ["out=x=y", "out="], []),
            (["--out", "--all"], ["out=--all"], []),
            (["x", "-b", "y"], ["b"], ["x", "y"]), (["--", "-b", "--"], [], ["-b", "--"]),
            (["-", "-a", "-"], ["all"], ["-", "-"]), ([""], [], [""]),
            (["-aaa"], ["all", "all", "all"], []),
        ] as [([String], [String], [String])])
    func wordsAreOptionsValuesOrOperands(
        _ line: [String], _ options: [String], _ operands: [String]
    ) throws {
        let parsed = try table.parse(line.map { Argument($0) })
        #expect(words(parsed) == options)
        #expect(parsed.operands.map(\.text) == operands)
    }

    @Test func aValueKeepsBytesThatAreNoText() throws {
        let value: [UInt8] = [0xff, 0xfe]
        for line in [
            [Argument("-o"), Argument(bytes: value)], [Argument(bytes: Array("-o".utf8) + value)],
            [Argument(bytes: Array("--out=".utf8) + value)],
        ] {
            #expect(try table.parse(line).value("out")?.bytes == value)
        }
    }

    @Test func theLastValueCountsAndAllAreKept() throws {
        let parsed = try table.parse(["-o", "1", "--out=2", "-a", "-a"])
        #expect(parsed.value("out") == "2" && parsed.values("out") == ["1", "2"])
        #expect(parsed.count("all") == 2 && parsed.has("all") && !parsed.has("b"))
    }

    @Test(
        arguments: [
            ("0", 0), ("007", 7), ("18446744073709551615", UInt64.max), ("0x10", 16),
            ("0xFFff", 0xffff),
        ] as [(String, UInt64)])
    func numbersAreDecimalOrHexadecimal(_ text: String, _ number: UInt64) throws {
        #expect(try table.parse(["--count", Argument(text)]).number("count") == number)
    }

    @Test(arguments: ["", "x", "-1", "1.5", "0x", "0xg", "1 ", "18446744073709551616"])
    func whatIsNoNumberIsAnError(_ text: String) throws {
        let parsed = try table.parse(["--count", Argument(text)])
        let expected = ToolError(
            "option '--count': found '\(text)', expected a whole number from 0 on")
        #expect(throws: expected) { try parsed.number("count") }
    }

    @Test(arguments: [
        ("verfy", "verify"), ("verrify", "verify"), ("evrify", "verify"), ("veryfy", "verify"),
        ("jobs", "jobs"), ("job", "jobs"), ("joobs", "jobs"),
    ])
    func aWordNearAKnownOneIsUnderstood(_ word: String, _ known: String) {
        let said = suggestion(for: word, among: ["version", "verify", "jobs"]) { "--" + $0 }
        #expect(said == "; did you mean '--\(known)'?")
    }

    @Test(arguments: ["", "x", "frobnicate", "ver"])
    func aWordFarFromAllIsNot(_ word: String) {
        #expect(suggestion(for: word, among: ["version", "verify", "jobs"]) == "")
    }

    @Test func longNamesOfTheHelpStandOnLinesOfTheirOwn() {
        let lines = table.help.split(separator: "\n", omittingEmptySubsequences: false).map(
            String.init)
        #expect(lines[0] == "tool: does things" && lines[2] == "usage: tool [OPTION]... FILE")
        #expect(lines.contains("  -a, --all             a flag of both kinds"))
        #expect(lines.contains("  -o, --out FILE        an option with a value"))
        let long = lines.firstIndex(of: "      --generate-completion-script SHELL")
        #expect(
            long.map { lines[$0 + 1].hasPrefix(String(repeating: " ", count: 24) + "print") }
                == true)
    }
}
