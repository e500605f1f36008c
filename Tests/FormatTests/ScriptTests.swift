import Format
import TestSupport
import Testing

/// Records are those of `union script_cmd` in the vendor's `sys/image.h`.
struct ScriptTests {
    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func anExternalCommandHasItsFields() {
        let bytes = ScriptBytes.external(
            "/bin/devc-ser", ["devc-ser", "-e", "-b115200"], ["TZ=utc", "A="],
            .init(flags: 0xef, cpu: 3, partition: 2, policy: 2, priority: 20))
        #expect(bytes[12] == UInt8(ascii: "/"), "the path follows twelve bytes of head")
        let script = IFS.Script(bytes + ScriptBytes.terminator)
        guard
            case .external(let how, let path, let arguments, let variables)? = script.commands.first
        else {
            Issue.record("\(script)")
            return
        }
        #expect(how.cpu == 3 && how.flags == 0xef && how.partition == 2)
        #expect(how.policy == 2 && how.priority == 20)
        #expect(path == Self.bytes("/bin/devc-ser"))
        #expect(arguments == ["devc-ser", "-e", "-b115200"].map(Self.bytes))
        #expect(variables == ["TZ=utc", "A="].map(Self.bytes))
        #expect(script.commands.count == 1 && script.broken == nil)
    }

    /// The flags as the vendor's header gives them, one at a time.
    @Test(arguments: [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80] as [UInt8])
    func eachFlagHasItsOwnMeaning(flag: UInt8) {
        let script = IFS.Script(ScriptBytes.external("a", ["a"], [], .init(flags: flag)))
        guard case .external(let how, _, _, _)? = script.commands.first else {
            Issue.record("\(script)")
            return
        }
        let meanings = [
            how.hasPartition, how.isSession, how.hasPriority, how.hasCPU, false, how.isBackground,
            how.isDebug, how.isCritical,
        ]
        for (bit, meaning) in meanings.enumerated() where bit != 4 {
            #expect(meaning == (flag == 1 << bit))
        }
    }

    @Test func theOtherCommandsHaveTheirFields() {
        let bytes =
            ScriptBytes.waitfor("/dev/ser1", tenths: 0x1234)
            + ScriptBytes.reopen("/dev/console", tenths: 50)
            + ScriptBytes.displayMessage("Welcome\n")
            + ScriptBytes.displayMessage("")
            + ScriptBytes.symlink("../../libc.so.3", "/usr/lib/ldqnx.so.2")
            + ScriptBytes.partition("Drivers", id: 1, budget: 20, critical: 1000)
            + ScriptBytes.record(99, [1, 2, 3, 4])
        let script = IFS.Script(bytes + ScriptBytes.terminator)
        #expect(
            script.commands == [
                .waitfor(path: Self.bytes("/dev/ser1"), tenths: 0x1234),
                .reopen(path: Self.bytes("/dev/console"), tenths: 50),
                .displayMessage(Self.bytes("Welcome\n")),
                .displayMessage([]),
                .symlink(
                    target: Self.bytes("../../libc.so.3"), path: Self.bytes("/usr/lib/ldqnx.so.2")),
                .partition(name: Self.bytes("Drivers"), id: 1, budget: 20, critical: 1000),
                .unknown(type: 99, payload: [1, 2, 3, 4]),
            ])
        #expect(script.broken == nil)
    }

    @Test func whatStandsBehindTheTerminatorIsNoCommand() {
        let message = ScriptBytes.displayMessage("a")
        #expect(IFS.Script(message + [0, 0, 9, 9] + message).commands.count == 1)
        #expect(IFS.Script([]).commands.isEmpty)
        #expect(IFS.Script([0, 0, 0, 0]).broken == nil)
    }

    @Test func aScriptWithoutTerminatorEndsWithItsBytes() {
        let script = IFS.Script(ScriptBytes.displayMessage("a"))
        #expect(script.commands.count == 1 && script.broken == nil)
    }

    /// The kernel advances by `RUP(size, 4)`.
    @Test func aSizeThatIsNoWholeWordIsRoundedUp() {
        var first = ScriptBytes.displayMessage("abcde")
        first[0] = 10
        let script = IFS.Script(first + ScriptBytes.displayMessage("x") + [0, 0])
        #expect(
            script.commands == [
                .displayMessage(Self.bytes("abcde")), .displayMessage(Self.bytes("x")),
            ])
    }

    @Test(arguments: [1, 2, 3] as [UInt8])
    func aRecordWithoutRoomForItsHeadBreaksTheScript(size: UInt8) {
        let good = ScriptBytes.displayMessage("a")
        let script = IFS.Script(good + [size, 0, 3, 0, 0, 0, 0, 0])
        #expect(script.commands.count == 1)
        #expect(
            script.broken
                == .corrupt(
                    Place("script command.size", 8), found: "\(size)", expected: "0, or 4 or more"))
    }

    @Test func aRecordLongerThanTheScriptBreaksIt() {
        let script = IFS.Script([12, 1, 3, 0, 0x41, 0, 0, 0])
        #expect(script.commands.isEmpty)
        #expect(script.broken == .truncated(Place("script command", 0), needed: 268, available: 8))
    }

    /// Records whose fields do not end in them.
    static let endless: [[UInt8]] = [
        ScriptBytes.record(0, [0, 0, 0, 0]),
        ScriptBytes.record(0, [0, 0, 0, 0, 0, 0, 1, 0, 0x41, 0, 0x41, 0x41]),
        ScriptBytes.record(0, [0, 0, 0, 0, 0, 0, 200, 200, 0x41, 0, 0, 0]),
        ScriptBytes.record(1, [1, 0, 0x41, 0x41]),
        ScriptBytes.record(1, []),
        ScriptBytes.record(2, [1, 0, 0x41, 0x41]),
        ScriptBytes.record(3, []),
        ScriptBytes.record(3, [0x41, 0x41, 0x41, 0x41]),
        ScriptBytes.record(4, [0x41, 0, 0x41, 0x41]),
        ScriptBytes.record(5, [0, 20, 0, 0]),
        ScriptBytes.record(5, [0, 20, 0, 0, 1, 0x41, 0x41, 0x41]),
    ]

    @Test(arguments: endless)
    func aRecordThatCannotHoldItsFieldsBreaksTheScript(record: [UInt8]) {
        let good = ScriptBytes.displayMessage("a")
        let script = IFS.Script(good + record + good)
        #expect(script.commands.count == 1)
        guard case .truncated(let place, _, _)? = script.broken else {
            Issue.record("\(script)")
            return
        }
        #expect(place == Place("script command", 8))
    }

    @Test func bytesCutAtEveryLengthNeverTrap() {
        let whole =
            ScriptBytes.external("/bin/a", ["a", "b"], ["C=d"])
            + ScriptBytes.partition("p", id: 1, budget: 2, critical: 3)
            + ScriptBytes.symlink("a", "b")
        for count in 0...whole.count {
            #expect(IFS.Script(Array(whole.prefix(count))).commands.count <= 3)
        }
    }
}
