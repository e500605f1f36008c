import Format
import Foundation
import TestSupport
import Testing

struct ScriptTextTests {
    /// A command's record, its line in a buildfile, and its line in `dumpifs -vv`.
    struct Line: Sendable, CustomTestStringConvertible {
        let record: [UInt8]
        let buildfile: String
        let listing: String
        var testDescription: String { listing }

        init(_ record: [UInt8], _ buildfile: String, _ listing: String) {
            self.record = record
            self.buildfile = buildfile
            self.listing = listing
        }
    }

    static let lines = [
        Line(ScriptBytes.external("slogger", ["slogger"]), "slogger", "slogger"),
        Line(
            ScriptBytes.external("slogger", ["slogger"], [], .init(flags: 0x20)), "slogger &",
            "slogger &"),
        Line(
            ScriptBytes.external("/bin/sh", ["sh", "-c", "done"], ["TZ=est05edt04", "A=b"]),
            "TZ=est05edt04 A=b /bin/sh -c done", "TZ=est05edt04 A=b /bin/sh -c done"),
        Line(
            ScriptBytes.external(
                "tool", ["other", "x"], ["V=1"],
                .init(flags: 0x6f, cpu: 1, partition: 0, policy: 2, priority: 10)),
            "[argv0=other +session +debug pri=10r cpu=1 sched_aps=System] V=1 tool x &",
            "[ argv0=other +session +debug priority=10r cpu=1 sched_aps=System ] V=1 tool x &"),
        Line(
            ScriptBytes.external("a", ["a"], [], .init(flags: 4, policy: 1, priority: 9)),
            "[pri=9f] a", "[ priority=9f ] a"),
        Line(
            ScriptBytes.external("a", ["a"], [], .init(flags: 4, policy: 3, priority: 9)),
            "[pri=9o] a", "[ priority=9o ] a"),
        Line(
            ScriptBytes.external("a", ["a"], [], .init(flags: 4, policy: 0, priority: 63)),
            "[pri=63] a", "[ priority=63 ] a"),
        Line(
            ScriptBytes.external("a", ["a"], [], .init(flags: 1, partition: 7)),
            "[sched_aps=7] a", "[ sched_aps=7 ] a"),
        Line(
            ScriptBytes.external("waitfor", ["waitfor", "/a/b"]), "[+external] waitfor /a/b",
            "waitfor /a/b"),
        Line(
            ScriptBytes.external("display_msg", ["x", "y"], [], .init(flags: 2)),
            "[argv0=x +session +external] display_msg y", "[ argv0=x +session ] display_msg y"),
        Line(
            ScriptBytes.waitfor("/dev/slog", tenths: 50), "waitfor /dev/slog 5.0",
            "waitfor 5.0 /dev/slog"),
        Line(
            ScriptBytes.waitfor("/dev/ser1", tenths: 25), "waitfor /dev/ser1 2.5",
            "waitfor 2.5 /dev/ser1"),
        Line(
            ScriptBytes.reopen("/dev/console", tenths: 65535), "reopen /dev/console 6553.5",
            "reopen 6553.5 /dev/console"),
        Line(
            ScriptBytes.displayMessage("Welcome to board 74\n"),
            "display_msg \"Welcome to board 74\"", "display_msg 'Welcome to board 74\n'"),
        Line(
            ScriptBytes.displayMessage("second\n"), "display_msg second", "display_msg 'second\n'"),
        Line(ScriptBytes.displayMessage(""), "display_msg", "display_msg ''"),
        Line(ScriptBytes.displayMessage(" \n"), "display_msg \" \"", "display_msg ' \n'"),
        Line(
            ScriptBytes.symlink("../../libc.so.3", "/usr/lib/ldqnx.so.2"),
            "procmgr_symlink ../../libc.so.3 /usr/lib/ldqnx.so.2",
            "procmgr_symlink '../../libc.so.3' '/usr/lib/ldqnx.so.2'"),
        Line(
            ScriptBytes.partition("Drivers", id: 1, budget: 20, critical: 1000),
            "sched_aps Drivers 20 1000", "sched_aps Drivers 20 1000"),
        Line(
            ScriptBytes.record(99, [1, 0xab, 0, 0]), "# unknown command type 99: 01ab0000",
            "Unknown type 99"),
    ]

    @Test(arguments: lines)
    func eachCommandHasItsLines(line: Line) {
        let script = IFS.Script(line.record + ScriptBytes.terminator)
        #expect(script.buildfileLines == [line.buildfile])
        #expect(script.listingLines == [line.listing])
    }

    @Test func partitionsAreCalledByTheirNames() {
        let script = IFS.Script(
            ScriptBytes.partition("Drivers", id: 1, budget: 20, critical: 0)
                + ScriptBytes.external("a", ["a"], [], .init(flags: 1, partition: 1)))
        #expect(script.buildfileLines.last == "[sched_aps=Drivers] a")
        #expect(script.listingLines.last == "[ sched_aps=Drivers ] a")
    }

    /// Words that the grammar would split, cut or expand if they stood bare; what is not quoted is
    /// escaped once for the line and once more for the inline file.
    static let words: [(String, String)] = [
        ("a b", "\"a b\""), ("", "\"\""), ("tab\there", "\"tab\there\""), ("#x", "\"#x\""),
        ("a\"b", "\"a\\\\\"b\""), ("a\\b", "a\\\\\\\\b"), ("${V}", "\\\\${V\\}"), ("{}", "{\\}"),
        ("&", "\"&\""), ("a=b", "a=b"), ("é", "é"), ("a\rb", "\"a\rb\""),
        ("a \u{301}b", "\"a \u{301}b\""), ("$\u{301}", "\\\\$\u{301}"),
    ]

    @Test(arguments: words)
    func wordsOfABuildfileAreQuotedWhereTheyMust(word: String, quoted: String) {
        let script = IFS.Script(ScriptBytes.external("cmd", ["cmd", word]))
        #expect(script.buildfileLines == ["cmd " + quoted])
    }

    /// A line that starts with a bracket would be read as attributes.
    @Test func aCommandThatStartsWithABracketIsQuoted() {
        let script = IFS.Script(
            ScriptBytes.external("[", ["[", "-e", "x"])
                + ScriptBytes.external("a", ["b]c"], [], .init(flags: 2)))
        #expect(script.buildfileLines == ["\"[\" -e x", "[argv0=\"b]c\" +session] a"])
    }

    /// The executable form of the format's description; it stands among the shared files.
    private static let model = Fixtures.shared?.appendingPathComponent("golden/model")

    /// The model compiles what the script's text says, and the records must be those of the script.
    /// Skipped where the shared files or python3 are absent.
    @Test(
        .enabled(if: model.map(Fixtures.exists) ?? false, "no ../shared/golden/model"),
        .timeLimit(.minutes(20)), arguments: 0..<8 as Range<UInt64>)
    func compilingTheTextGivesTheSameRecords(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let records = (0..<60).flatMap { _ in Self.randomRecord(&random) }
        let text = IFS.Script(records).buildfileLines.joined(separator: "\n")
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("script-\(UInt64.random(in: 0...UInt64.max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let buildfile = folder.appendingPathComponent("case.build")
        let output = folder.appendingPathComponent("out.ifs")
        try Data("[+script] .script = {\n\(text)\n}\n".utf8).write(to: buildfile)
        let process = try Process.run(
            #require(Self.model), arguments: ["-nn", buildfile.path, output.path])
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        let image = try IFS.Image.only(in: Fixtures.bytes(output))
        let compiled = try image.data(of: #require(image.script))
        #expect(difference(compiled, records + ScriptBytes.terminator) == nil, "\(text)")
    }

    private static func randomRecord(_ random: inout SplitMix64) -> [UInt8] {
        let path = word(&random, prefix: "/bin/")
        switch random.next() % 6 {
        case 0: return ScriptBytes.waitfor(path, tenths: UInt16(random.next() % 65536))
        case 1: return ScriptBytes.reopen(path, tenths: UInt16(random.next() % 65536))
        case 2: return ScriptBytes.displayMessage(word(&random) + "\n")
        case 3: return ScriptBytes.symlink(word(&random), path)
        default:
            let base = path.split(separator: "/").last.map(String.init) ?? ""
            let count = Int(random.next() % 4)
            let arguments = (0..<count).map { _ in word(&random) }
            let name = random.next() % 4 == 0 ? word(&random) : base
            let flags = UInt8(truncatingIfNeeded: random.next()) & 0x6e
            return ScriptBytes.external(
                path, [name] + arguments,
                random.next() % 4 == 0 ? ["V=" + word(&random), "W=x"] : [],
                .init(
                    flags: flags, cpu: flags & 8 == 0 ? 0 : UInt8(random.next() % 8),
                    policy: flags & 4 == 0 ? 0 : UInt8(random.next() % 4),
                    priority: flags & 4 == 0 ? 0 : UInt8(random.next() % 63 + 1)))
        }
    }

    private static func word(_ random: inout SplitMix64, prefix: String = "") -> String {
        let letters = Array("abcXYZ019_-.:,@%+'`()<>|;*?!~^ \t\"\\$#&[]{}=")
        let count = Int(random.next() % 9) + 1
        return prefix
            + String((0..<count).map { _ in letters[Int(random.next() % UInt64(letters.count))] })
    }
}
