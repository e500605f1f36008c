import Foundation
import TestSupport
import Testing

/// What `-vv` and `-vvv` add: the commands of scripts, and the headers of ELF files.
struct ScriptListingTests {
    private let indent = String(repeating: " ", count: 23)

    private func listing(_ level: String, _ builder: ImageBuilder) throws -> Child.Outcome {
        let folder = try TemporaryFolder()
        try folder.write(builder.build().bytes, to: "x.ifs")
        return try dumpifs([level, "x.ifs"], in: folder)
    }

    @Test func theVendorsCompilerGivesTheseLines() throws {
        let outcome = try dumpifs([
            "-vv", Fixtures.golden("script", "expected.ifs").path, "startup-script",
        ])
        expectSuccess(outcome)
        let environment = "PATH=/proc/boot:/bin LD_LIBRARY_PATH=/lib"
        let expected = [
            "display_msg 'Welcome to board 74\n'",
            "procmgr_symlink '../../proc/boot/libc.so.3' '/usr/lib/ldqnx.so.2'",
            "\(environment) slogger &", "waitfor 5.0 /dev/slog", "waitfor 2.5 /dev/ser1",
            "reopen 5.0 /dev/ser1", "reopen 5.0 /dev/console",
            "[ priority=20f ] \(environment) devc-ser -e -b115200 &",
            "[ argv0=other priority=9r ] \(environment) tool -x quoted arg 'single arg'",
            "[ cpu=1 ] \(environment) worker", "\(environment) worker2 a b",
            "[ +session ] \(environment) sh -l &", "\(environment) TZ=est05edt04 sh -c done",
            "display_msg 'second\n'", "\(environment) waitfor /a/b",
        ].map { indent + $0 + "\n" }.joined()
        let header = """
               Offset     Size  Name
                  4e5      30c  startup-script
                                   gid=75 uid=74 mode=01755 ino=2 mtime=0

            """
        #expect(outcome.text == header + expected)
    }

    @Test func everyModifierAndCommandHasItsForm() throws {
        typealias S = ScriptBytes
        var builder = ImageBuilder.bare()
        builder.addScript(
            [
                S.partition("apps", id: 1, budget: 30, critical: 500),
                S.external(
                    "/bin/a", ["b", "-x"], ["V=1"],
                    .init(flags: 0x6f, cpu: 2, partition: 1, policy: 2, priority: 10)),
                S.external("c", ["c"], [], .init(flags: 0x04, policy: 0, priority: 9)),
                S.external("d", ["d"], [], .init(flags: 0x04, policy: 3, priority: 8)),
                S.record(77, [1, 2, 3, 4]), S.terminator,
            ].flatMap { $0 })
        let outcome = try listing("-vv", builder)
        expectSuccess(outcome)
        #expect(
            outcome.lines.suffix(6).dropLast()
                == [
                    "sched_aps apps 30 500",
                    "[ argv0=b +session +debug priority=10r cpu=2 sched_aps=apps ] V=1 /bin/a -x &",
                    "[ priority=9 ] c", "[ priority=8o ] d", "Unknown type 77",
                ].map { indent + $0 })
    }

    @Test func aScriptThatBreaksOffIsShownUpToThere() throws {
        var builder = ImageBuilder.bare()
        builder.addScript(ScriptBytes.displayMessage("hi\n") + [0xff, 0x7f, 0, 0])
        let outcome = try listing("-vv", builder)
        #expect(outcome.lines.contains(indent + "display_msg 'hi"))
        #expect(outcome.lines.contains { $0.hasPrefix(indent + "unreadable: ") })
    }

    // MARK: ELF

    /// An ELF header with one segment, each field with a value of its own.
    private func elf(is64Bit: Bool, isBigEndian: Bool) -> [UInt8] {
        var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, is64Bit ? 2 : 1, isBigEndian ? 2 : 1, 1]
        bytes += [UInt8](repeating: 0, count: 9)
        func half(_ value: UInt16) { bytes.append(value, isBigEndian: isBigEndian) }
        func word(_ value: UInt32) { bytes.append(value, isBigEndian: isBigEndian) }
        func address(_ value: UInt32) {
            is64Bit ? bytes.append(UInt64(value), isBigEndian: isBigEndian) : word(value)
        }
        half(3)
        half(is64Bit ? 183 : 20)
        word(1)
        address(0x1234)
        address(is64Bit ? 64 : 52)
        address(0x9000)
        word(0xabc)
        half(is64Bit ? 64 : 52)
        half(is64Bit ? 56 : 32)
        for value: UInt16 in [1, 40, 7, 6] { half(value) }
        word(1)
        if is64Bit { word(5) }
        for value: UInt32 in [0x10, 0x20, 0x30, 0x40, 0x50] { address(value) }
        if !is64Bit { word(5) }
        address(0x1000)
        return bytes
    }

    private static let kinds = [(false, true), (true, false)]

    @Test(arguments: kinds)
    func anELFFileIsNamedOnALineOfItsOwn(_ is64Bit: Bool, _ isBigEndian: Bool) throws {
        let name = is64Bit ? "ELF64LE ET_DYN EM_AARCH64" : "ELF32BE ET_DYN EM_PPC"
        let file = elf(is64Bit: is64Bit, isBigEndian: isBigEndian)
        let builder = ImageBuilder.bare([.file("lib/it.so", file)])
        let outcome = try listing("-vv", builder)
        expectSuccess(outcome)
        #expect(outcome.lines[outcome.lines.count - 2] == indent + "----- it.so - \(name) -----")
    }

    @Test(arguments: kinds)
    func threeTimesVerboseTheFieldsOfAnELFFileShow(_ is64Bit: Bool, _ isBigEndian: Bool) throws {
        let file = elf(is64Bit: is64Bit, isBigEndian: isBigEndian)
        let outcome = try listing("-vvv", ImageBuilder.bare([.file("lib/it.so", file)]))
        expectSuccess(outcome)
        let first = try #require(outcome.lines.firstIndex { $0.hasPrefix("-----") })
        #expect(
            outcome.lines[first..<(outcome.lines.count - 1)] == [
                is64Bit
                    ? "----- it.so - ELF64LE ET_DYN EM_AARCH64 -----"
                    : "----- it.so - ELF32BE ET_DYN EM_PPC -----",
                "e_flags=0xabc", "e_entry=0x1234", "e_phoff=\(is64Bit ? "0x40" : "0x34")",
                "e_phentsize=\(is64Bit ? 56 : 32)", "e_phnum=1", "e_shoff=0x9000",
                "e_shentsize=40", "e_shnum=7", "e_shstrndx=6",
                "segment 0: p_type=0x1 p_offset=0x10 p_vaddr=0x20 p_paddr=0x30 p_filesz=0x40"
                    + " p_memsz=0x50 p_flags=0x5 p_align=0x1000",
                "----------",
            ])
    }

    @Test func onceVerboseNeitherShows() throws {
        let outcome = try dumpifs(["-v", Fixtures.golden("boot-armle", "expected.ifs").path])
        #expect(!outcome.text.contains("ELF32") && !outcome.text.contains("display_msg"))
    }

    @Test func whileExtractingOnlyTwiceVerboseLists() throws {
        let folder = try TemporaryFolder()
        let image = Fixtures.golden("boot-armle", "expected.ifs").path
        let once = try dumpifs(["-xv", image], in: folder)
        #expect(!once.text.contains("Offset"))
        let twice = try dumpifs(["-xvv", image], in: folder)
        #expect(twice.text.hasSuffix(try dumpifs(["-vv", image]).text))
    }
}
