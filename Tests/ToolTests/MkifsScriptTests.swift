import Foundation
import TestSupport
import Testing

/// The records of the process manager's script, F151-F167. Fields by their offsets: 4 processor,
/// 5 flags, 6 partition, 8 policy, 9 priority, 10 and 11 numbers of strings, which begin at 12.
struct MkifsScriptTests {
    /// The records of a script with these lines, without the terminator.
    private func records(_ lines: String...) throws -> [[UInt8]] {
        let text = "[+script] go = {\n" + lines.joined(separator: "\n") + "\n}\n"
        let image = try Workshop().image(text)
        var rest = try image.contents("go")[...]
        #expect(rest.suffix(4) == [0, 0, 0, 0])
        var records: [[UInt8]] = []
        while true {
            let size = Int(rest[rest.startIndex]) | Int(rest[rest.startIndex + 1]) << 8
            if size == 0 { return records }
            try #require(size % 4 == 0 && size <= rest.count)
            records.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
    }

    /// The zero-ended texts of a record from an offset on, the padding left out.
    private func texts(_ record: [UInt8], from offset: Int = 12) -> [String] {
        record[offset...].split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    // MARK: Modifiers

    @Test func modifiersBeforeACommandAreItsAlone() throws {
        let records = try records("[+session] one", "two")
        #expect(records.map { $0[5] } == [0x02, 0])
    }

    @Test func modifiersAloneHoldForAllCommandsBehindThem() throws {
        let records = try records("zero", "[+session pri=9]", "one", "[-session] two", "three")
        #expect(records.map { $0[5] } == [0, 0x06, 0x04, 0x06])
    }

    @Test func anAmpersandSendsACommandToTheBackground() throws {
        let records = try records("one &", "two")
        #expect(records.map { $0[5] } == [0x20, 0])
        #expect(texts(records[0]) == ["one", "one"])
    }

    @Test func argv0IsTheNameThatACommandIsTold() throws {
        let records = try records("[argv0=login] /bin/sh -c x", "/bin/sh")
        #expect(records.map { $0[10] } == [3, 1])
        #expect(
            records.map { texts($0) } == [["/bin/sh", "login", "-c", "x"], ["/bin/sh", "sh"]])
    }

    @Test(
        arguments: [
            ("pri=20", 0, 20), ("pri=20f", 1, 20), ("pri=20r", 2, 20), ("pri=20o", 3, 20),
            ("pri=0", 0, 0), ("pri=255r", 2, 255),
        ] as [(String, UInt8, UInt8)])
    func priorityAndPolicyAreInTheRecord(
        _ modifier: String, _ policy: UInt8, _ priority: UInt8
    ) throws {
        let record = try records("[\(modifier)] one")[0]
        #expect(record[5] == 0x04)
        #expect(record[8] == policy && record[9] == priority)
    }

    @Test func aBuiltInsNameIsACommandWithExternal() throws {
        let records = try records("[+external] waitfor /dev/x", "waitfor /dev/x")
        #expect(records.map { $0[2] } == [0, 1])
        #expect(texts(records[0]) == ["waitfor", "waitfor", "/dev/x"])
    }

    @Test(
        arguments: [("cpu=2", 0x08, 2), ("CPU=1", 0x08, 1), ("cpu=0", 0x08, 0), ("cpu=*", 0, 0)]
            as [(String, UInt8, UInt8)])
    func aProcessorIsAskedForByItsNumber(
        _ modifier: String, _ flags: UInt8, _ processor: UInt8
    ) throws {
        let record = try records("[\(modifier)] one")[0]
        #expect(record[5] == flags && record[4] == processor)
    }

    @Test func aCommandRunsInThePartitionThatAModifierNames() throws {
        let records = try records("sched_aps apps 30", "[sched_aps=apps] one", "two")
        #expect(records[1][5] == 0x01 && records[1][6] == 1)
        #expect(records[2][5] == 0 && records[2][6] == 0)
    }

    // MARK: Built-in commands

    @Test func aMessageIsItsWordsAndANewline() throws {
        let records = try records(#"display_msg "two  blanks" and 'one'"#, "display_msg")
        #expect(records.map { $0[2] } == [3, 3])
        #expect(texts(records[0], from: 4) == ["two  blanks and 'one'\n"])
        #expect(texts(records[1], from: 4) == [])
    }

    @Test func aSymbolicLinkIsItsTextAndItsPath() throws {
        let record = try records("procmgr_symlink ../../proc/boot/libc.so /usr/lib/ldqnx.so.2")[0]
        #expect(record[2] == 4)
        #expect(
            texts(record, from: 4) == ["../../proc/boot/libc.so", "/usr/lib/ldqnx.so.2"])
    }

    @Test(
        arguments: [
            ("reopen", "/dev/console", 50), ("reopen /dev/ser1", "/dev/ser1", 50),
            ("reopen /dev/ser1 2", "/dev/ser1", 20), ("reopen 2.5 /dev/ser1", "/dev/ser1", 25),
        ] as [(String, String, UInt16)])
    func reopenHasAPathAndATime(_ line: String, _ path: String, _ tenths: UInt16) throws {
        let record = try records(line)[0]
        #expect(record[2] == 2)
        #expect(record.integer(UInt16.self, at: 4) == tenths)
        #expect(texts(record, from: 6) == [path])
    }

    @Test(
        arguments: [
            ("waitfor /dev/x", 50), ("waitfor /dev/x 360", 3600), ("waitfor /dev/x 2.5", 25),
            ("waitfor /dev/x 0", 0),
        ] as [(String, UInt16)])
    func waitforCountsTenthsOfASecond(_ line: String, _ tenths: UInt16) throws {
        let record = try records(line)[0]
        #expect(record[2] == 1)
        #expect(record.integer(UInt16.self, at: 4) == tenths)
        #expect(texts(record, from: 6) == ["/dev/x"])
    }

    @Test func partitionsAreNumberedInTheirOrder() throws {
        let records = try records("sched_aps apps 30 500", "sched_aps net 20%")
        #expect(records[0][2...8] == [5, 0, 0, 30, 0xf4, 0x01, 1])
        #expect(records[1][2...8] == [5, 0, 0, 20, 0, 0, 2])
        #expect(records.map { texts($0, from: 9) } == [["apps"], ["net"]])
    }

    // MARK: Variables and comments

    @Test func aVariableOnItsOwnLineIsForAllCommandsBehindIt() throws {
        let records = try records("zero", "TZ=UTC HOME=/", "one", "TZ=est05edt04", "two")
        #expect(records.map { $0[11] } == [0, 2, 2])
        #expect(texts(records[1]) == ["one", "one", "TZ=UTC", "HOME=/"])
        #expect(Set(texts(records[2])) == ["two", "TZ=est05edt04", "HOME=/"])
    }

    @Test func aVariableBeforeACommandIsItsAlone() throws {
        let records = try records("A=1 B=2 one x", "two")
        #expect(records.map { $0[11] } == [2, 0])
        #expect(texts(records[0]) == ["one", "one", "x", "A=1", "B=2"])
        #expect(texts(records[1]) == ["two", "two"])
    }

    @Test func commentsAreLeftOut() throws {
        let records = try records("# one", "  # two", "one # three", "two#three")
        #expect(records.map { texts($0) } == [["one", "one"], ["two#three", "two#three"]])
    }

    @Test func theListingSaysWhatTheTextSaid() throws {
        let image = try Workshop().image(
            """
            [+script] go = {
                display_msg hello
                [pri=20f +session] A=1 devc-con -n9 &
                waitfor /dev/con1 2.5
                reopen /dev/con1
            }

            """)
        let lines = try image.listing().lines.map { $0.drop { $0 == " " } }
        for line in [
            "display_msg 'hello", "[ +session priority=20f ] A=1 devc-con -n9 &",
            "waitfor 2.5 /dev/con1", "reopen 5.0 /dev/con1",
        ] {
            #expect(lines.contains { $0 == line }, "\(line)")
        }
    }
}
