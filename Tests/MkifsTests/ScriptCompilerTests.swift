import Format
import Mkifs
import TestSupport
import Testing

/// Lines of a script section become the records that the process manager runs.
struct ScriptCompilerTests {
    private func record(_ text: String) -> [UInt8] {
        let compiled = Compilation(text)
        #expect(compiled.messages == [])
        return compiled.compiler.records
    }

    @Test func anExternalCommandHasAllItsFields() {
        #expect(
            record("[pri=20f cpu=1 +session +debug argv0=x] A=1 /bin/tool -v &")
                == ScriptBytes.external(
                    "/bin/tool", ["x", "-v"], ["A=1"],
                    .init(flags: 0x6e, cpu: 1, policy: 1, priority: 20)))
    }

    @Test(
        arguments: [
            ("waitfor /dev/a", ScriptBytes.waitfor("/dev/a", tenths: 50)),
            ("waitfor /dev/a 4", ScriptBytes.waitfor("/dev/a", tenths: 40)),
            ("waitfor /dev/a 2.5", ScriptBytes.waitfor("/dev/a", tenths: 25)),
            ("waitfor /dev/a .5", ScriptBytes.waitfor("/dev/a", tenths: 5)),
            ("waitfor /dev/a 5.", ScriptBytes.waitfor("/dev/a", tenths: 50)),
            ("waitfor /dev/a 2.50", ScriptBytes.waitfor("/dev/a", tenths: 25)),
            ("waitfor /dev/a 6553.5", ScriptBytes.waitfor("/dev/a", tenths: 65_535)),
            ("reopen", ScriptBytes.reopen("/dev/console", tenths: 50)),
            ("reopen /dev/a", ScriptBytes.reopen("/dev/a", tenths: 50)),
            ("reopen /dev/a 1", ScriptBytes.reopen("/dev/a", tenths: 10)),
            ("reopen 5.5 /dev/a", ScriptBytes.reopen("/dev/a", tenths: 55)),
            ("reopen 1 2", ScriptBytes.reopen("1", tenths: 20)),
            ("display_msg", ScriptBytes.displayMessage("")),
            ("display_msg a   \"b  c\"", ScriptBytes.displayMessage("a b  c\n")),
            ("display_msg a &", ScriptBytes.displayMessage("a &\n")),
            ("display_msg &", ScriptBytes.displayMessage("&\n")),
            ("display_msg & a", ScriptBytes.displayMessage("& a\n")),
            ("display_msg \"\"", ScriptBytes.displayMessage("\n")),
            ("procmgr_symlink ../a /b", ScriptBytes.symlink("../a", "/b")),
            ("sched_aps A", ScriptBytes.partition("A", id: 1, budget: 0, critical: 0)),
            ("sched_aps A 20", ScriptBytes.partition("A", id: 1, budget: 20, critical: 0)),
            ("sched_aps A 20% 5ms", ScriptBytes.partition("A", id: 1, budget: 20, critical: 5)),
            (
                "sched_aps A 100 1000",
                ScriptBytes.partition("A", id: 1, budget: 100, critical: 1000)
            ),
        ])
    func aBuiltInHasItsRecord(line: String, expected: [UInt8]) {
        #expect(record(line) == expected)
    }

    @Test(arguments: ["waitfor", "reopen", "display_msg", "procmgr_symlink", "sched_aps"])
    func externalMakesABuiltInAProgram(name: String) {
        #expect(record("[+external] \(name)") == ScriptBytes.external(name, [name]))
        #expect(
            record("[+external]\n[-external] display_msg\n\(name)")
                == ScriptBytes.displayMessage("") + ScriptBytes.external(name, [name]))
    }

    @Test(
        arguments: [
            ("/bin/a", "a"), ("a", "a"), ("/bin/a/", "a"), ("/", "/"), ("[argv0=] /bin/a", "a"),
            ("[argv0=b] /bin/a", "b"),
        ])
    func aProgramIsCalledByTheLastNameOfItsPath(line: String, name: String) {
        guard case .external(_, _, let arguments, _)? = Compilation(line).commands.first else {
            Issue.record("no command")
            return
        }
        #expect(arguments.map(text) == [name])
    }

    @Test func modifiersAloneHoldForTheLinesThatFollow() {
        let compiled = Compilation("[pri=10r] a\nb\n[pri=9]\nc\n[pri=*] d\ne\n[pri=*]\nf")
        #expect(
            compiled.lines == [
                "[ priority=10r ] a", "b", "[ priority=9 ] c", "d", "[ priority=9 ] e", "f",
            ])
    }

    @Test func eachSectionBeginsWithoutModifiers() {
        #expect(Compilation("[pri=9]\na", "b").lines == ["[ priority=9 ] a", "b"])
    }

    @Test func variablesAloneHoldForAllThatFollows() {
        let compiled = Compilation("a\nB=1 A=2\nb\nB=3\nC=4 c\nd", "e")
        #expect(compiled.lines == ["a", "B=1 A=2 b", "B=3 A=2 C=4 c", "B=3 A=2 d", "B=3 A=2 e"])
        #expect(compiled.globals.strings.map(text) == ["B=3", "A=2"])
    }

    /// The line's own stands behind the one of all lines, as the 6.4 tool has it.
    @Test func aVariableOfBothKindsIsGivenTwice() {
        #expect(Compilation("A=1\nA=2 a").lines == ["A=1 A=2 a"])
    }

    @Test func wordsAreExpandedWhereTheyStand() {
        let compiled = Compilation(
            "${A} ${B}x \\${A}\nA=1 B=${A}\nC=${B} ${A}y [z${A}]\n[argv0=${A}] c",
            environment: ["A": "env", "B": "b"])
        #expect(
            compiled.lines == [
                "env bx ${A}", "A=1 B=env C=env 1y [z1]", "[ argv0=1 ] A=1 B=env c",
            ])
    }

    @Test func aVariableMayNameABuiltIn() {
        #expect(
            Compilation("${A} /dev/x 1", environment: ["A": "waitfor"]).compiler.records
                == ScriptBytes.waitfor("/dev/x", tenths: 10))
    }

    @Test func partitionsAreNumberedThroughAllSections() {
        let compiled = Compilation(
            "sched_aps A 20\n[sched_aps=A] a",
            "sched_aps B 30 10\n[sched_aps=B] b\n"
                + "[sched_aps=System] c")
        #expect(
            compiled.compiler.records
                == ScriptBytes.partition("A", id: 1, budget: 20, critical: 0)
                + ScriptBytes.external("a", ["a"], [], .init(flags: 1, partition: 1))
                + ScriptBytes.partition("B", id: 2, budget: 30, critical: 10)
                + ScriptBytes.external("b", ["b"], [], .init(flags: 1, partition: 2))
                + ScriptBytes.external("c", ["c"], [], .init(flags: 1, partition: 0)))
        #expect(compiled.messages == [])
    }

    @Test func eightPartitionsAreNotTooMany() {
        let lines = (1...8).map { "sched_aps P\($0) 12\n" }.joined()
        #expect(Compilation(lines).messages == [])
        #expect(
            Compilation(lines, "sched_aps P9").messages == [
                "s:1:11: error: found a further partition 'P9', expected 8 at most"
            ])
    }

    @Test func theFileEndsWithATerminator() {
        #expect(Compilation().compiler.file == [0, 0, 0, 0])
        #expect(Compilation("reopen").compiler.file.suffix(4) == [0, 0, 0, 0])
    }
}
