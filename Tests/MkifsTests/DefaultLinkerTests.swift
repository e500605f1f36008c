import Format
import Foundation
import TestSupport
import Testing

@testable import Mkifs

/// Boot programs linked with what the host has.
@Suite(
    .enabled(if: LinkingHost.has("clang") && LinkingHost.has("ld.lld"), "no clang, or no ld.lld"))
struct DefaultLinkerTests {
    /// One program to link, with one linker.
    struct Case: Sendable, CustomStringConvertible {
        var machine: BootMachine
        var linker: HostLinker
        var description: String { "\(machine) with \(linker)" }
    }

    static let cases = HostLinker.all.flatMap { linker in
        linker.machines.map { Case(machine: $0, linker: linker) }
    }

    /// Links the test's program; a linker that says anything has failed.
    private func link(
        _ test: Case, source: String = BootMachine.source, option: String = "-fno-pic",
        _ change: (inout LinkRequest) -> Void = { _ in }
    ) throws -> LinkedProgram {
        let scratch = try ScratchDirectory(environment: LinkingHost.environment)
        let object = try test.machine.compile(source, option, in: scratch)
        var request = LinkRequest(
            input: object, output: try scratch.file(), headerAddress: 0x10_2000,
            textAddress: 0x10_3000, machine: test.machine.machine,
            isBigEndian: test.machine.isBigEndian, kind: .bootstrap)
        change(&request)
        try test.linker.alone { environment in
            let line = try DefaultLinker(for: test.machine.target, environment: environment)
                .command(for: request, LinkingHost.elf(object), in: scratch)
            let said = try Shell.output(
                of: ShellCommand(
                    line + Array(" 2>&1 || :".utf8), environment: LinkingHost.environment),
                input: STDIN_FILENO)
            #expect(text(said) == "")
        }
        if LinkingHost.has("readelf") {
            let readelf = "readelf -aW \(text(request.output)) 2>&1 | grep -iE 'error|warning'"
            let complaints = try Shell.run(
                ShellCommand(Array(readelf.utf8), environment: LinkingHost.environment))
            #expect(complaints == .exited(1))
        }
        return try LinkedProgram(LinkingHost.elf(request.output))
    }

    /// Two segments, the first at the address asked for, the second on a page of its own.
    private func checkSegments(_ program: LinkedProgram, text: UInt64, page: UInt64 = 0x1000) throws
    {
        let loads = program.loads
        try #require(loads.count == 2)
        #expect(loads[0].virtualAddress == text)
        #expect(loads.map(\.flags) == [5, 6])
        let end = loads[0].virtualAddress + loads[0].memorySize
        #expect(loads[1].virtualAddress == (end + page - 1) & ~(page - 1))
        #expect(loads[1].memorySize > loads[1].fileSize)
        for load in loads {
            #expect(load.alignment == page)
            #expect(load.offset % page == load.virtualAddress % page)
            #expect(load.offset >= program.file.headersEnd)
        }
        // What ARM and MIPS have beside them describes what is loaded already.
        let others = program.file.header.segments.map(\.type).filter { $0 != 1 }
        #expect(Set(others).isSubset(of: [0x7000_0000, 0x7000_0001, 0x7000_0003]))
        #expect(Set(others).count == others.count)
    }

    /// What the compiler left to the linker.
    private func checkValues(_ program: LinkedProgram, text: UInt64) throws {
        let wordSize: UInt64 = program.file.header.is64Bit ? 8 : 4
        #expect(program.file.header.type == 2)
        #expect(try program.file.header.entry == program["_start"])
        #expect(try program.pointer(at: program["pointer"]) == program["twice"])
        #expect(try program.pointer(at: program["absent"]) == 0)
        #expect(try program["_btext"] == text)
        for (index, name) in ["_btext", "_etext", "_edata", "_end"].enumerated() {
            let place = try program["ends"] + UInt64(index) * wordSize
            #expect(try program.pointer(at: place) == program[name])
        }
        let word = try program.pointer(at: program["table"] + wordSize)
        #expect(try program.bytes(5, at: word) == Array("only\0".utf8))
        #expect(try program.bytes(9, at: program["room"]) == Array("ddpvbskr\0".utf8))
        #expect(try program["first"] < program["twice"])
        let data = try #require(program.loads.last)
        #expect(try program["_edata"] == data.virtualAddress + data.fileSize)
        #expect(try program["_end"] == data.virtualAddress + data.memorySize)
        #expect(try (program["_edata"]..<program["_end"]).contains(program["shared"]))
    }

    @Test(arguments: cases)
    func aBootstrapHasItsHeadersOnAPageOfTheirOwn(_ test: Case) throws {
        let program = try link(test)
        try checkSegments(program, text: 0x10_3000)
        try checkValues(program, text: 0x10_3000)
        #expect(program.loads[0].offset == 0x1000)
        #expect(program.file.header.machine == test.machine.machine)
    }

    @Test(arguments: cases, [0x10_0108, 0x4008_0101, 0x10_0ff4] as [UInt64])
    func aStartupBeginsWhereTheStartupHeaderEnds(_ test: Case, _ address: UInt64) throws {
        let program = try link(test) {
            $0.kind = .startup
            $0.headerAddress = address
            $0.textAddress = address
        }
        try checkSegments(program, text: address)
        try checkValues(program, text: address)
        // Text lies at its own alignment, not at that of the text behind it.
        let alignment: UInt64 = test.machine.machine == 3 || test.machine.machine == 62 ? 1 : 4
        if address % alignment == 0, alignment == 4 { #expect(try program["first"] == address) }
        #expect(try program["twice"] % 64 == 0)
    }

    @Test(arguments: cases.filter { $0.machine.machine != 8 })
    func aProgramMayFindItsDataThroughATable(_ test: Case) throws {
        let program = try link(test, option: "-fPIC")
        try checkSegments(program, text: 0x10_3000)
        try checkValues(program, text: 0x10_3000)
    }

    @Test(arguments: cases)
    func sectionsOfOtherNamesGoWhereTheyBelong(_ test: Case) throws {
        let others = """
            __attribute__((section(".boot_code"))) void code(void) {}
            __attribute__((section(".config"))) const volatile int constant = 1;
            __attribute__((section(".mydata"))) volatile int data = 1;
            """
        let program = try link(test, source: BootMachine.source + "\n" + others)
        try checkSegments(program, text: 0x10_3000)
        let (text, data) = (program.loads[0], program.loads[1])
        let code = try program["code"]
        #expect((text.virtualAddress..<text.virtualAddress + text.memorySize).contains(code))
        #expect(try (text.virtualAddress..<data.virtualAddress).contains(program["first"]))
        #expect(try program.word(at: program["constant"]) == 1)
        #expect(try program["data"] > data.virtualAddress)
        #expect(try program.word(at: program["data"]) == 1)
    }

    @Test(arguments: cases)
    func dataGoesWhereItIsAskedFor(_ test: Case) throws {
        for address: UInt64 in [0x8010_0000, 0x8000] {
            let program = try link(test) { $0.dataAddress = address }
            try checkValues(program, text: 0x10_3000)
            #expect(program.loads.map(\.virtualAddress) == [0x10_3000, address])
        }
    }

    @Test(arguments: cases)
    func pagesMayBeLarger(_ test: Case) throws {
        let program = try link(test) {
            $0.pageSize = 0x10000
            $0.headerAddress = 0x20_0000
            $0.textAddress = 0x21_0000
        }
        try checkSegments(program, text: 0x21_0000, page: 0x10000)
        try checkValues(program, text: 0x21_0000)
        #expect(program.loads[0].offset == 0x10000)
    }

    @Test(arguments: cases)
    func constantsAreBehindTheTextButOnARM(_ test: Case) throws {
        let program = try link(test)
        let table = try program["table"]
        if test.machine.machine == 40 {
            let data = program.loads[1].virtualAddress
            #expect(try (data..<program["room"]).contains(table))
            let unwinding = try #require(
                program.file.header.segments.first { $0.type == 0x7000_0001 })
            #expect(try unwinding.virtualAddress == program["__exidx_start"])
            #expect(
                try unwinding.virtualAddress + unwinding.memorySize == program["__exidx_end"])
        } else {
            #expect(try (program["_etext"]..<program.loads[1].virtualAddress).contains(table))
        }
    }

    /// Lists between marks, which a linker that sorted its input would tear apart.
    @Test(arguments: cases)
    func listsOfConstantsKeepTheirOrder(_ test: Case) throws {
        let lists = """
            #define PUT(name, place) \\
                __attribute__((section(".rodata" place))) const volatile int name = 1;
            PUT(a, ".3.a") PUT(b, ".2.a") PUT(c, "_mod_start")
            __attribute__((section(".rodata_mod"))) volatile int d = 1;
            PUT(e, "_mod_end") PUT(f, ".10.a")
            """
        let program = try link(test, source: BootMachine.source + "\n" + lists)
        let places = try ["a", "b", "c", "d", "e", "f"].map { try program[$0] }
        #expect(places == places.sorted())
    }

    @Test(arguments: cases)
    func aProgramNeedsNoData(_ test: Case) throws {
        let program = try link(test, source: "void _start(void) { for (;;) {} }")
        #expect(program.loads[0].virtualAddress == 0x10_3000)
    }

    @Test(arguments: cases)
    func anUnknownSymbolIsAnError(_ test: Case) throws {
        let scratch = try ScratchDirectory(environment: LinkingHost.environment)
        for source in ["void other(void); void _start(void) { other(); }", "void main(void) {}"] {
            let object = try test.machine.compile(source, in: scratch)
            let request = LinkRequest(
                input: object, output: try scratch.file(), headerAddress: 0x10_2000,
                textAddress: 0x10_3000, machine: test.machine.machine,
                isBigEndian: test.machine.isBigEndian, kind: .bootstrap)
            try test.linker.alone { environment in
                let line = try DefaultLinker(for: test.machine.target, environment: environment)
                    .command(for: request, LinkingHost.elf(object), in: scratch)
                let command = ShellCommand(
                    line + Array(" 2>/dev/null".utf8), environment: LinkingHost.environment)
                #expect(throws: LinkingError.failed(command.line, .exited(1))) {
                    try Shell.perform(command)
                }
            }
        }
    }

    // MARK: Finding

    @Test(arguments: BootMachine.all.filter(\.isCommon))
    func lldAloneIsEnough(_ machine: BootMachine) throws {
        let lld = try #require(HostLinker.all.first { $0.name == "ld.lld" })
        try lld.alone { environment in
            let found = try DefaultLinker(for: machine.target, environment: environment)
            #expect(text(found.path).hasSuffix("/ld.lld"))
            #expect(found.emulation == machine.target.emulations.first)
        }
    }

    /// A linker that links for these formats. A shell writes it: a program that is open for writing
    /// in a child of another test does not run.
    private func script(_ formats: String, _ name: String, in folder: String) throws {
        let line = """
            mkdir -p '\(folder)' && cat >'\(folder)/\(name)' <<'E' && chmod +x '\(folder)/\(name)'
            #!/bin/sh
            case " \(formats) " in *" $2 "*) exit 0;; esac
            exit 1
            E

            """
        try Shell.perform(ShellCommand(Array(line.utf8), environment: LinkingHost.environment))
    }

    /// Linkers in folders 1 and 2 of PATH, what each links for, and which is taken for ARM.
    @Test(
        arguments: [
            (["1/ld.lld": "armelf_linux_eabi", "2/ld": "armelf"], "2/ld", "armelf"),
            (["1/ld": "elf_x86_64", "2/ld": "armelf"], "2/ld", "armelf"),
            (["1/ld": "elf_x86_64", "2/ld.lld": "armelf"], "2/ld.lld", "armelf"),
            (
                ["1/ld": "armelf", "1/ld.lld": "armelf", "2/arm-none-eabi-ld": "armelf"],
                "2/arm-none-eabi-ld", "armelf"
            ),
            (
                ["1/arm-none-eabi-ld": "armelf", "2/ntoarmv7-ld": "armnto"], "2/ntoarmv7-ld",
                "armnto"
            ),
            (["1/ntoarmv7-ld": "something"], "1/ntoarmv7-ld", nil),
            (["1/ld.lld-9": "armelf", "1/ld.lld-18": "armelf"], "1/ld.lld-18", "armelf"),
        ] as [([String: String], String, String?)])
    func theNearestLinkerIsTaken(
        _ linkers: [String: String], _ expected: String, _ emulation: String?
    ) throws {
        let scratch = try ScratchDirectory(environment: LinkingHost.environment)
        let root = text(scratch.path)
        for (name, formats) in linkers {
            try script(formats, String(name.dropFirst(2)), in: "\(root)/\(name.prefix(1))")
        }
        let environment = LinkingHost.environment(path: "\(root)/1:\(root)/2")
        let target = LinkerTarget(machine: 40, isBigEndian: false)
        let found = try DefaultLinker(for: target, environment: environment)
        #expect(text(found.path) == "\(root)/\(expected)")
        #expect(found.emulation == emulation)
        withExtendedLifetime(scratch) {}
    }

    @Test(
        arguments: [
            (
                183, false,
                "no linker in PATH for AARCH64, little endian; looked for ntoaarch64-ld, "
                    + "aarch64-linux-gnu-ld, aarch64-none-elf-ld, aarch64-elf-ld, ld, ld.lld;"
                    + " install lld or give linker="
            ),
            (
                20, true,
                "no linker in PATH for PPC, big endian; looked for ntoppc-ld, powerpc-linux-gnu-ld,"
                    + " powerpc-eabi-ld, powerpc-elf-ld, ld, ld.lld; install lld or give linker="
            ),
            (4, true, "no linker known for machine 4, big endian; give linker="),
        ] as [(UInt16, Bool, String)])
    func aMissingLinkerIsNamed(
        _ machine: UInt16, _ isBigEndian: Bool, _ expected: String
    ) {
        let environment = LinkingHost.environment(path: "/no/such/folder:")
        let error = #expect(throws: LinkingError.self) {
            try DefaultLinker(
                for: LinkerTarget(machine: machine, isBigEndian: isBigEndian),
                environment: environment)
        }
        #expect(error?.description == expected)
    }

    @Test func modulesAreLinkedFromBesideTheFile() throws {
        let scratch = try ScratchDirectory(environment: LinkingHost.environment)
        let machine = BootMachine.all[0]
        let object = try machine.compile(in: scratch)
        let request = LinkRequest(
            input: object, output: Array("out".utf8), headerAddress: 0, textAddress: 0x1000,
            machine: 40, isBigEndian: false, kind: .bootstrap, modules: [Array("aps".utf8)])
        let lld = try #require(HostLinker.all.first { $0.name == "ld.lld" })
        let line = try lld.alone {
            try DefaultLinker(for: machine.target, environment: $0)
                .command(for: request, LinkingHost.elf(object), in: scratch)
        }
        let folder = text(scratch.path)
        #expect(
            text(line).hasSuffix(
                #" -o"out" "\#(text(object))" -L"\#(folder)" -uinit_aps -lmod_aps"#))
    }
}
