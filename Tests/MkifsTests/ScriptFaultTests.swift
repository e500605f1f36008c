import Format
import Mkifs
import TestSupport
import Testing

/// What is said of lines that are wrong.
struct ScriptFaultTests {
    @Test(
        arguments: [
            ("waitfor", "1:1: error: 'waitfor' has no path; write 'waitfor path [seconds]'"),
            ("waitfor \"\"", "1:9: error: 'waitfor': found '', expected a path"),
            (
                "waitfor 5 /dev/a",
                "1:9: error: found '5', expected a path; write 'waitfor path [seconds]'"
            ),
            (
                "waitfor a 4s",
                "1:11: error: 'waitfor': found '4s', expected seconds such as 5 or 2.5"
            ),
            (
                "waitfor a .",
                "1:11: error: 'waitfor': found '.', expected seconds such as 5 or 2.5"
            ),
            (
                "reopen a -1",
                "1:10: error: 'reopen': found '-1', expected seconds such as 5 or 2.5"
            ),
            ("reopen \"\"", "1:8: error: 'reopen': found '', expected a path"),
            (
                "procmgr_symlink a",
                "1:1: error: 'procmgr_symlink': found 1 word, expected 2; "
                    + "write 'procmgr_symlink text path'"
            ),
            (
                "procmgr_symlink a b c",
                "1:21: error: 'procmgr_symlink': found 3 words, expected 2; "
                    + "write 'procmgr_symlink text path'"
            ),
            ("procmgr_symlink a \"\"", "1:19: error: 'procmgr_symlink': found '', expected a path"),
            (
                "sched_aps",
                "1:1: error: 'sched_aps' has no name; write 'sched_aps name budget [milliseconds]'"
            ),
            ("sched_aps \"\"", "1:11: error: found '', expected a name of 1 through 15 bytes"),
            (
                "sched_aps abcdefghijklmnop",
                "1:11: error: found 'abcdefghijklmnop', expected a name of 1 through 15 bytes"
            ),
            ("sched_aps System", "1:11: error: there is a partition 'System' already"),
            ("sched_aps A 101", "1:13: error: found '101', expected percent from 0 through 100"),
            ("sched_aps A %", "1:13: error: found '%', expected percent from 0 through 100"),
            ("sched_aps A 5ms", "1:13: error: found '5ms', expected percent from 0 through 100"),
            (
                "sched_aps A 5 1001",
                "1:15: error: found '1001', expected milliseconds from 0 through 1000"
            ),
            (
                "sched_aps A 99999999999999999999999",
                "1:13: error: found '99999999999999999999999', expected percent from 0 through 100"
            ),
            ("${A} b", "1:1: error: found '${A}', expected a command"),
            ("&", "1:1: error: found '&', expected a command"),
            ("a b\0c", "1:3: error: found a zero byte in 'b\\x00c', expected text"),
        ])
    func aMistakeIsNamed(line: String, message: String) {
        let compiled = Compilation(line)
        #expect(compiled.messages == ["s:" + message])
        #expect(compiled.commands == [])
    }

    @Test func allMistakesAreNamedInOneRun() {
        let compiled = Compilation("waitfor\nA=1\nsched_aps A 1x y\n[pri=x] a ${A\nreopen")
        #expect(
            compiled.messages == [
                "s:4:11: warning: '${' has no '}'; the name ends before '\\x0a'",
                "s:1:1: error: 'waitfor' has no path; write 'waitfor path [seconds]'",
                "s:3:13: error: found '1x', expected percent from 0 through 100",
                "s:3:16: error: found 'y', expected milliseconds from 0 through 1000",
                "s:4:6: error: pri: found 'x', expected '*', or a number and at most one of f, r and o",
            ])
    }

    @Test func budgetsBeyondTheWholeAreRefusedOnce() {
        #expect(
            Compilation("sched_aps A 60\nsched_aps B 50%\nsched_aps C 1").messages == [
                "s:2:13: error: the budgets of all partitions come to 110%, expected 100% at most"
            ])
    }

    @Test func theSameNameTwiceIsRefused() {
        #expect(
            Compilation("sched_aps A 1", "sched_aps A 1").messages == [
                "s:1:11: error: there is a partition 'A' already"
            ])
    }

    /// The command runs where its parent does.
    @Test func anUnknownPartitionIsWarnedOfOnce() {
        let compiled = Compilation("[+session SCHED_APS=A] a\n[sched_aps=A]\nb\nsched_aps A 1\nc")
        #expect(
            compiled.messages == [
                "s:1:21: warning: no partition 'A' is defined so far; the command runs in its "
                    + "parent's; write 'sched_aps name budget' on a line before it"
            ])
        #expect(
            compiled.lines == ["[ +session ] a", "b", "sched_aps A 1 0", "[ sched_aps=A ] c"])
    }

    @Test(
        arguments: [
            (
                "[pri=9] waitfor a",
                "1:1: warning: 'waitfor' is built in: modifiers have no effect on it"
            ),
            (
                "A=1 B=2 reopen",
                "1:1: warning: 'reopen' is built in: 'A' has no effect on it; "
                    + "on a line of its own a variable holds for the commands that follow"
            ),
            (
                "waitfor a &",
                "1:11: warning: 'waitfor' is built in: it is waited for with '&' as well"
            ),
            (
                "waitfor a 1 b c",
                "1:13: warning: 'waitfor': 'b' and what follows it is ignored; "
                    + "write 'waitfor path [seconds]'"
            ),
            (
                "sched_aps A 1 2 3",
                "1:17: warning: 'sched_aps': '3' and what follows it is ignored; "
                    + "write 'sched_aps name budget [milliseconds]'"
            ),
            (
                "waitfor a 2.55",
                "1:11: warning: 'waitfor': '2.55' becomes 2.5; "
                    + "times are tenths of a second, up to 6553.5"
            ),
            (
                "reopen a 99999999999999999999",
                "1:10: warning: 'reopen': '99999999999999999999' becomes 6553.5; "
                    + "times are tenths of a second, up to 6553.5"
            ),
            (
                "reopen 5.0",
                "1:8: warning: '5.0' is taken for the path; write 'reopen /dev/console 5.0'"
            ),
        ])
    func whatHasNoEffectIsWarnedOf(line: String, message: String) {
        let compiled = Compilation(line)
        #expect(compiled.messages == ["s:" + message])
        #expect(compiled.commands.count == 1)
    }

    @Test(arguments: ["[pri=9]\nwaitfor a", "[-external] waitfor a", "display_msg a &"])
    func whatIsMeantForOthersOrHasAnEffectIsNot(text: String) {
        #expect(Compilation(text).messages == [])
    }

    @Test func argumentsAndVariablesHaveTheirLimits() {
        let words = String(repeating: " x", count: 255)
        #expect(
            Compilation("command\(words)").messages == [
                "s:1:517: error: found 256 arguments, expected 255 at most"
            ])
        let globals = (0..<255).map { "A\($0)=\n" }.joined()
        #expect(
            Compilation(globals, "A=1 a").messages == [
                "s:1:1: error: found 256 variables, expected 255 at most"
            ])
    }

    @Test func moreThanTheOldKernelTakesIsWarnedOf() {
        let words = String(repeating: " x", count: 98)
        #expect(Compilation("A=1 a\(words)").messages == [])
        let compiled = Compilation("A=1 a\(words) x")
        #expect(compiled.commands.count == 1)
        #expect(
            compiled.messages == [
                "s:1:5: warning: found 100 arguments and 1 variables; "
                    + "the process manager of 6.4 takes 100 in all"
            ])
    }

    @Test func aRecordIsAtMostWhatItsSizeCanSay() {
        let long = String(repeating: "x", count: 65_527)
        #expect(Compilation("display_msg \(long.dropLast())").messages == [])
        #expect(
            Compilation("display_msg \(long)xxx").messages == [
                "s:1:1: error: the command with its variables: found 65536 bytes, expected 65,535 at most"
            ])
        #expect(
            Compilation("A=\(long.dropLast(100))\nb \(long.dropFirst(60_000))").messages == [
                "s:2:1: error: the command with its variables: found 70976 bytes, expected 65,535 at most"
            ])
        let messages = Compilation("a \(long)\(long)").messages
        #expect(messages.count == 1 && messages[0].hasPrefix("s:1:3: error: found more than 65535"))
    }

    @Test func allVariablesTogetherAreAtMostARecord() {
        let half = String(repeating: "x", count: 32_764)
        let compiled = Compilation("A=\(half)x\nB=\(half)\nC=\nD=\nB=\(half.dropLast(6))\nC=y")
        #expect(compiled.globals.byteCount == 65_535 - 6 + 4)
        #expect(
            compiled.messages == [
                "s:3:1: error: with 'C' the variables of all commands have more than 65535 bytes",
                "s:4:1: error: with 'D' the variables of all commands have more than 65535 bytes",
            ])
    }

    @Test func aScriptIsAtMostWhatIsReadBack() {
        let big = String(repeating: "x", count: 60_000)
        let compiled = Compilation("A=\(big)\n" + String(repeating: "a\n", count: 100_000))
        #expect(compiled.diagnostics.count(of: .error) == 1)
        #expect(compiled.commands.count == 18)
    }

    /// Work is bounded by what a record holds, not by what its references could draw in.
    @Test(
        .timeLimit(.minutes(20)),
        arguments: ["${A} ", "${A}${A}", "\na ${A}", "\nB=${A}${A}", "\n[argv0=${A}] a"])
    func referencesToALargeValueAreReadInTime(piece: String) {
        let compiled = Compilation(
            "a " + String(repeating: piece, count: 50_000),
            environment: ["A": String(repeating: "x", count: 100_000)])
        #expect(compiled.diagnostics.hasErrors && compiled.compiler.records.count < 2 << 20)
    }

    @Test(.timeLimit(.minutes(20)))
    func manyVariablesAreSetInTime() {
        let text = (0..<60_000).map { "V\($0)=\n" }.joined()
        #expect(Compilation(text).diagnostics.hasErrors)
    }

    @Test(.timeLimit(.minutes(20)))
    func noLinesTrap() {
        let pieces = [
            "waitfor ", "reopen ", "display_msg ", "procmgr_symlink ", "sched_aps ",
            "[sched_aps=a] ",
            "[pri=9r cpu=1]", "[+external] ", "\n", "&", "A=1 ", "A=${B} ", "${A} ", "a ", "5 ",
            "1.5 ", "100% ", "5ms ", "\"\" ", "\\\n", "\0", "\u{e4}", "[argv0=${A}]", "? ",
        ]
        var random = SplitMix64(seed: 0x51c7)
        for _ in 0..<3000 {
            let text = (0..<Int(random.next() % 40)).map { _ in
                pieces[Int(random.next() % UInt64(pieces.count))]
            }
            let compiled = Compilation(text.joined(), environment: ["B": "${A}x"])
            #expect(IFS.Script(compiled.compiler.file).commands == compiled.commands)
        }
    }
}
