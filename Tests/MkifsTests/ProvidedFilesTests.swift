import Format
import Mkifs
import TestSupport
import Testing

/// Plans of buildfiles whose files are in memory.
struct ProvidedFilesTests {
    private func plan(_ text: String, _ files: [String: [UInt8]] = [:]) throws -> Plan {
        var options = BuildOptions(.v64)
        options.environment = [Array("MKIFS_PATH".utf8): Array("/h".utf8)]
        options.files = .provided { files[MkifsTests.text($0)] }
        var build = Build(options, Toolbox(environment: []))
        build.resolver.add(SourceText(name: "a.build", bytes: Array(text.utf8)))
        return try build.plan()
    }

    /// What stops a plan.
    private func refusal(_ text: String, _ files: [String: [UInt8]] = [:]) -> String? {
        do {
            _ = try plan(text, files)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func filesAreFoundWhereTheyAreProvided() throws {
        let plan = try plan("a\nb=c/d\n", ["/h/a": [1, 2], "c/d": [3]])
        let contents = plan.entries.map { entry -> [UInt8] in
            if case .file(.bytes(let bytes)) = entry.kind { bytes } else { [] }
        }
        #expect(contents == [[1, 2], [3]])
    }

    @Test func theHostIsNotAskedForProvidedFiles() {
        #expect(
            refusal("[-optional] /etc/passwd\n")
                == "a.build:1:13: error: host file '/etc/passwd' not available")
        #expect(
            refusal("[-optional] /etc\n")
                == "a.build:1:13: error: host file '/etc' not available")
    }

    /// A `~` stands for the zero byte.
    @Test(arguments: [
        ("a~b={\n}\n", "a.build:1:1: error: found a zero byte in 'a\\x00b', expected text"),
        ("[type=dir] ~\n", "a.build:1:12: error: found a zero byte in '\\x00', expected text"),
        (
            "[prefix=~] a={\n}\n",
            "a.build:1:12: error: found a zero byte in '\\x00/a', expected text"
        ),
        ("[type=link] a=b~\n", "a.build:1:13: error: found a zero byte in 'b\\x00', expected text"),
        ("[mount=~]\n", "mount: found a zero byte in '\\x00', expected a path"),
    ])
    func textsEndAtAZeroByteAndSoHaveNone(_ text: String, _ expected: String) {
        #expect(refusal(String(text.map { $0 == "~" ? "\0" : $0 })) == expected)
    }

    @Test func aLinkersCommandIsCheckedBeforeItIsRun() {
        let object: [UInt8] =
            [0x7f, 0x45, 0x4c, 0x46, 1, 1, 1] + [UInt8](repeating: 0, count: 9)
            + [1, 0, 40, 0, 1, 0, 0, 0] + [UInt8](repeating: 0, count: 16)
            + [52, 0, 32, 0, 0, 0, 40, 0, 0, 0, 0, 0]
        #expect(
            refusal("[linker=\"ld %x\"] object\n", ["/h/object": object])
                == "a.build:1:18: error: linker command 'ld %x' at byte 4: found '%x', expected a code: "
                + "%h %t %d %o %i %^o %^i %n %^n %(...%) %[M...%]")
    }

    /// Code that is copied lets a file lie anywhere, data in place is congruent with its address: here
    /// that moves it beyond the page that the layout in advance has.
    @Test func aProgramIsAsLargeAsWhatIsUsedInPlace() throws {
        var program: [UInt8] =
            [0x7f, 0x45, 0x4c, 0x46, 1, 1, 1] + [UInt8](repeating: 0, count: 9)
            + [2, 0, 40, 0, 1, 0, 0, 0] + [UInt8](repeating: 0, count: 4) + [52, 0, 0, 0]
            + [UInt8](repeating: 0, count: 8) + [52, 0, 32, 0, 1, 0, 40, 0, 0, 0, 0, 0]
        for word in [1, 84, 0x1_0054, 0, 4, 0xfac, 6, 0x1000] as [UInt32] {
            program.append(word, isBigEndian: false)
        }
        program += [1, 2, 3, 4]
        let text = "[code=copy] program\n"
        let plan = try plan(text, ["/h/program": program])
        var sink = MemorySink()
        _ = try Layout.image(of: plan, Toolbox(environment: [])).write(to: &sink)
        // Record of the file: behind the header's 92 bytes and the root's 28.
        let offset = sink.bytes.integer(UInt32.self, at: 120 + 24)
        let size = sink.bytes.integer(UInt32.self, at: 120 + 28)
        let header = Int(offset) + 52
        let data = sink.bytes.integer(UInt32.self, at: header + 4)
        #expect(data + 0xfac > 0x1000)
        #expect(sink.bytes.integer(UInt32.self, at: header + 16) == 0xfac)
        #expect(size == 0x2000)
        #expect(Array(sink.bytes[Int(offset + data)...].prefix(4)) == [1, 2, 3, 4])
    }

    /// The program is linked by no one here: its addresses are those where it runs, and for what is
    /// written those of the RAM.
    @Test func codeThatIsWrittenMayRunFarFromABootstrapExecutable() throws {
        let boot = "image=0x10000000 ram=0x1000000"
        let text = """
            [\(boot) linker="(;2;)ld %i"]
            [virtual=x86,b] boot={
            startup
            procnto
            }

            """
        var program = SmallELF(is64Bit: false, type: 2)
        program.segments = [
            .init(type: 1, flags: 5, offset: 0x1000, address: 0x1000_3000, fileSize: 0x100),
            .init(type: 1, flags: 7, offset: 0x2000, address: 0x100_0000, fileSize: 0x100),
        ]
        var startup = SmallELF(is64Bit: false, type: 2)
        startup.segments = [
            .init(type: 1, flags: 5, offset: 0x1000, address: 0x100_0100, fileSize: 0x1000)
        ]
        var startupBytes = startup.bytes
        startupBytes.set(UInt32(0x100_0100), at: 24)
        let files = [
            "/h/b.boot": Array("[pagesize=4k]".utf8), "/h/startup": startupBytes,
            "/h/procnto": program.bytes,
        ]
        var plan = try plan(text, files)
        if case .program(var executable)? = plan.startup {
            executable.link = nil
            plan.startup = .program(executable)
        }
        if case .program(var executable) = plan.entries[0].kind {
            executable.link = nil
            plan.entries[0].kind = .program(executable)
        }
        #expect(throws: Never.self) { try Layout.image(of: plan, Toolbox(environment: [])) }
    }

    @Test func aLinkToALibraryIsNotMadeOverAnotherEntryOfItsName() throws {
        let library = SmallELF.library(named: "libx.so.1").bytes
        let plan = try plan("[type=fifo] x\nx=l\n", ["/h/l": library])
        #expect(plan.entries.map { MkifsTests.text($0.path) } == ["x", "libx.so.1"])
    }
}
