import Format
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Mkifs

/// A machine that a boot program is compiled for.
struct BootMachine: Sendable, CustomStringConvertible {
    var triple: String
    var machine: UInt16
    var isBigEndian = false
    /// Whether every lld of today links for it.
    var isCommon = true

    var description: String { triple }
    var target: LinkerTarget { LinkerTarget(machine: machine, isBigEndian: isBigEndian) }

    static let all = [
        BootMachine(triple: "armv7-none-eabi", machine: 40),
        BootMachine(triple: "thumbv7-none-eabi", machine: 40),
        BootMachine(triple: "armebv7-none-eabi", machine: 40, isBigEndian: true, isCommon: false),
        BootMachine(triple: "powerpc-none-eabi", machine: 20, isBigEndian: true),
        BootMachine(triple: "i386-none-elf", machine: 3),
        BootMachine(triple: "aarch64-none-elf", machine: 183),
        BootMachine(triple: "x86_64-none-elf", machine: 62),
        BootMachine(triple: "mips-none-elf", machine: 8, isBigEndian: true),
        BootMachine(triple: "mipsel-none-elf", machine: 8),
    ]

    /// What there is in a boot program: text of three kinds, read-only data, data with pointers,
    /// common data and BSS, a weak symbol that nobody has, and those that the linker supplies.
    static let source = """
        extern int missing(void) __attribute__((weak));
        extern char _btext[], _etext[], _edata[], _end[];
        char room[] = "ddpvbskr";
        static const char words[] = "read only";
        const char *const table[2] __attribute__((section(".rodata.1.a"))) = {words, words + 5};
        int shared;
        static int counter;
        __attribute__((aligned(64))) int twice(int value) { return value * 2; }
        int (*pointer)(int) = twice;
        char *ends[4] = {_btext, _etext, _edata, _end};
        int (*absent)(void) = missing;
        __attribute__((section(".text.startup"))) int first(void) { return 3; }
        __attribute__((noinline)) int call(int value)
        {
            counter += value;
            return pointer(value) + first();
        }
        void _start(void)
        {
            shared = call((int)(room[0]) + table[1][0]);
            if (missing) missing();
            for (;;) {}
        }
        """

    /// The objects compiled so far, by the command and the program.
    private static let objects = Mutex<[String: [UInt8]]>([:])

    /// Compiles a program into a file in `scratch`.
    func compile(
        _ source: String = source, _ option: String = "-fno-pic", in scratch: ScratchDirectory
    ) throws -> [UInt8] {
        let line =
            "clang --target=\(triple) -c -ffreestanding \(option) -fcommon -O1 -Wno-everything"
            + " -o - -x c -"
        let key = line + source
        if let known = Self.objects.withLock({ $0[key] }) {
            return try scratch.file(holding: known)
        }
        let code = open(text(try scratch.file(holding: Array(source.utf8))), O_RDONLY | O_CLOEXEC)
        defer { close(code) }
        let object = try Shell.output(
            of: ShellCommand(Array(line.utf8), environment: LinkingHost.environment), input: code)
        Self.objects.withLock { $0[key] = object }
        return try scratch.file(holding: object)
    }
}

/// A linker alone in PATH.
struct HostLinker: Sendable, CustomStringConvertible {
    var name: String
    var path: String

    var description: String { path }

    /// Those in PATH, one of those that are the same file.
    static let all: [HostLinker] = {
        let names = BootMachine.all.flatMap { $0.target.prefixes.map { $0 + "-ld" } }
        var files: Set<String> = []
        return (["ld", "ld.lld"] + names).flatMap { name in
            LinkingHost.programs(name).map { HostLinker(name: name, path: $0) }
        }.filter {
            files.insert(URL(fileURLWithPath: $0.path).resolvingSymlinksInPath().path).inserted
        }
    }()

    /// Gives `body` an environment in whose PATH this linker is, and what it needs of others' none.
    func alone<Result>(_ body: ([[UInt8]]) throws -> Result) throws -> Result {
        let scratch = try ScratchDirectory(environment: LinkingHost.environment)
        let folder = text(scratch.path)
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder)/\(name)", withDestinationPath: path)
        return try withExtendedLifetime(scratch) { try body(LinkingHost.environment(path: folder)) }
    }

    /// The machines that it links for.
    var machines: [BootMachine] {
        BootMachine.all.filter { machine in
            // A linker that cannot has no cases; that the common ones can is a test of its own.
            (try? alone { try DefaultLinker(for: machine.target, environment: $0) }) != nil
        }
    }
}

/// A linked program, with its symbols.
struct LinkedProgram {
    let file: ELFFile
    let symbols: [String: UInt64]

    init(_ file: ELFFile) throws {
        self.file = file
        var symbols: [String: UInt64] = [:]
        let wide = file.header.is64Bit
        for table in file.sections where table.type == 2 {
            let names = file.sections[Int(table.link)]
            let size = wide ? 24 : 16
            for index in 0..<Int(table.size) / size {
                let at = table.offset + UInt64(index * size)
                let name = try Self.number(4, at: at, file)
                let value = try Self.number(wide ? 8 : 4, at: at + (wide ? 8 : 4), file)
                let bytes = try file.source.prefix(256, at: names.offset + name)
                symbols[text(bytes.prefix { $0 != 0 })] = value
            }
        }
        self.symbols = symbols
    }

    /// The load segments.
    var loads: [ELF.Header.Segment] { file.header.segments.filter { $0.type == 1 } }

    /// A symbol's value.
    subscript(_ name: String) -> UInt64 {
        get throws { try #require(symbols[name], "no symbol \(name)") }
    }

    /// The bytes in the file that are loaded at an address.
    func bytes(_ count: UInt64, at address: UInt64) throws -> [UInt8] {
        let load = try #require(
            loads.first {
                address >= $0.virtualAddress
                    && address + count <= $0.virtualAddress + $0.fileSize
            }, "nothing loaded at \(hex(address))")
        return try file.source.bytes(
            count, at: load.offset + address - load.virtualAddress, "program")
    }

    /// The pointer that is loaded at an address.
    func pointer(at address: UInt64) throws -> UInt64 {
        let bytes = try bytes(file.header.is64Bit ? 8 : 4, at: address)
        return Self.value(of: bytes, file)
    }

    /// The 32-bit number that is loaded at an address.
    func word(at address: UInt64) throws -> UInt64 {
        Self.value(of: try bytes(4, at: address), file)
    }

    private static func number(
        _ count: UInt64, at offset: UInt64, _ file: ELFFile
    ) throws -> UInt64 {
        value(of: try file.source.bytes(count, at: offset, "symbol"), file)
    }

    private static func value(of bytes: [UInt8], _ file: ELFFile) -> UInt64 {
        (file.header.order == .big ? bytes : bytes.reversed()).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
