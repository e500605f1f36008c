import Format
import TestSupport
import Testing

/// Commands of a startup script as records.
struct ScriptWriterTests {
    /// Bytes by the tables of section "script" in the vendor's header.
    @Test(
        arguments: [
            (
                .waitfor(path: Array("/dev/x".utf8), tenths: 0x0132),
                [16, 0, 1, 0, 0x32, 1] + Array("/dev/x".utf8) + [0, 0, 0, 0]
            ),
            (.reopen(path: [0x2f], tenths: 50), [8, 0, 2, 0, 50, 0, 0x2f, 0]),
            (.displayMessage([]), [8, 0, 3, 0, 0, 0, 0, 0]),
            (
                .symlink(target: [0x61], path: [0x62, 0x63]),
                [12, 0, 4, 0, 0x61, 0, 0x62, 0x63, 0, 0, 0, 0]
            ),
            (
                .partition(name: [0x61], id: 2, budget: 30, critical: 0x102),
                [12, 0, 5, 0, 0, 30, 2, 1, 2, 0x61, 0, 0]
            ),
            (
                .external(
                    .init(cpu: 1, flags: 0x2e, partition: 3, policy: 2, priority: 10),
                    path: [0x70], arguments: [[0x61], []], environment: [[0x56, 0x3d]]),
                [20, 0, 0, 0, 1, 0x2e, 3, 0, 2, 10, 2, 1, 0x70, 0, 0x61, 0, 0, 0x56, 0x3d, 0]
            ),
        ] as [(IFS.Script.Command, [UInt8])])
    func aCommandIsARecord(command: IFS.Script.Command, record: [UInt8]) throws {
        #expect(try command.record() == record)
        #expect(IFS.Script(record).commands == [command])
    }

    @Test(arguments: Fixtures.allImages)
    func aScriptComesOutAsItWas(name: String) throws {
        let image = try IFS.Image.only(in: Fixtures.image(name))
        let data = try image.scriptData()
        guard !data.isEmpty else { return }
        var written: [UInt8] = []
        for command in IFS.Script(data).commands { written += try command.record() }
        #expect(difference(written + IFS.Script.terminator, data) == nil)
    }

    @Test func whatARecordCannotHoldIsRefused() throws {
        let long = IFS.Script.Command.displayMessage([UInt8](repeating: 0x61, count: 65_531))
        #expect(
            throws: FormatError.unsupported(
                Place("script command.size", 0), found: "65536 bytes",
                expected: "65,535 at most")
        ) { try long.record() }
        let many = IFS.Script.Command.external(
            .init(), path: [0x61], arguments: [[UInt8]](repeating: [], count: 256),
            environment: [])
        #expect(
            throws: FormatError.unsupported(
                Place("script command.argc", 0), found: "256 strings", expected: "255 at most")
        ) { try many.record() }
    }
}
