import Foundation
import TestSupport
import Testing

/// Boot files as the SDKs have them: relocatable, and linked for their place without any `linker=`.
@Suite(.enabled(if: Tool.has("clang") && Tool.has("ld.lld"), "needs clang and ld.lld"))
struct MkifsCompiledBootTests {
    struct Machine: Sendable, CustomStringConvertible {
        var triple: String
        /// As `virtual=` names it.
        var cpu: String
        var machine: UInt64
        var isBigEndian = false
        var pointerSize = 4
        var elf: String

        var description: String { cpu }
    }

    static let machines = [
        Machine(
            triple: "armv7-none-eabi", cpu: "armle-v7", machine: 40, elf: "ELF32LE ET_EXEC EM_ARM"),
        Machine(
            triple: "powerpc-none-eabi", cpu: "ppcbe", machine: 20, isBigEndian: true,
            elf: "ELF32BE ET_EXEC EM_PPC"),
        Machine(triple: "i386-none-elf", cpu: "x86", machine: 3, elf: "ELF32LE ET_EXEC EM_386"),
        Machine(
            triple: "aarch64-none-elf", cpu: "aarch64le", machine: 183, pointerSize: 8,
            elf: "ELF64LE ET_EXEC EM_AARCH64"),
        Machine(
            triple: "x86_64-none-elf", cpu: "x86_64", machine: 62, pointerSize: 8,
            elf: "ELF64LE ET_EXEC EM_X86_64"),
    ]

    /// A program that knows, behind 16 marked bytes, where these bytes are and where it begins. The
    /// command line has room behind its place-holder, and so have those of the data.
    private func source(_ mark: String) -> String {
        """
        char boot_args[512] = "ddpvbskr";
        void _start(void);
        static int cleared[300];
        struct { char text[16]; void *self; void (*entry)(void); } marked = {
            "<<<\(mark)>>>", &marked, _start};
        static const char constant[] = "read only";
        const char *volatile text = constant;
        void _start(void) {
            for (int index = 0; ; index++) cleared[index % 300] += text[index % 8] + boot_args[index % 9];
        }
        """
    }

    private func compile(_ name: String, _ machine: Machine, in shop: Workshop) throws {
        let code = try shop.write(source(name), to: name + ".c")
        let outcome = try Child([
            "clang", "--target=\(machine.triple)", "-c", "-ffreestanding", "-fno-pic", "-O1",
            "-Wno-everything", "-o", shop.folder.path(name), code,
        ]).run()
        expectSuccess(outcome)
    }

    private func shop(_ machine: Machine, _ bootfile: String = "[default_image=16m]")
        throws -> Workshop
    {
        let shop = try Workshop()
        for name in ["startup", "procnto"] { try compile(name, machine, in: shop) }
        try shop.write(bootfile, to: "kit.boot")
        return shop
    }

    private func text(_ machine: Machine) -> String {
        """
        [search=.]
        [virtual=\(machine.cpu),kit] .bootstrap = {
            startup -v -D8250
            PATH=/proc/boot:/bin LD_LIBRARY_PATH=/lib procnto -vv
        }
        [+script] .script = {
            display_msg hello
        }

        """
    }

    /// The pointers behind a program's mark, and where the mark is in the file.
    private func marked(
        _ name: String, _ machine: Machine, in bytes: [UInt8]
    ) throws -> (place: Int, pointers: [UInt64]) {
        let place = try #require(
            bytes.firstRange(of: Array("<<<\(name)>>>".utf8))?.lowerBound, "\(name) is not there")
        let pointers = (0..<2).map { index in
            let offset = place + 16 + index * machine.pointerSize
            return machine.pointerSize == 8
                ? bytes.integer(UInt64.self, at: offset, isBigEndian: machine.isBigEndian)
                : UInt64(
                    bytes.integer(UInt32.self, at: offset, isBigEndian: machine.isBigEndian))
        }
        return (place, pointers)
    }

    @Test(arguments: machines)
    func theStartupIsLinkedForWhereItIsCopied(_ machine: Machine) throws {
        let shop = try shop(machine)
        let image = try shop.image(text(machine))
        #expect(image.startup["machine"].number == machine.machine)
        #expect(image.report["byte_order"].text == (machine.isBigEndian ? "big" : "little"))
        #expect(image.startup["image_paddr"].number == 0x100_0000)
        // The header is at 16 MiB, and so is the file's first byte: addresses are places.
        let (place, pointers) = try marked("startup", machine, in: image.bytes)
        #expect(pointers[0] == 0x100_0000 + UInt64(place))
        #expect(pointers[1] == image.startup["startup_vaddr"].number)
        #expect(pointers[1] >= 0x100_0100)
        #expect(pointers[1] < 0x100_0000 + (image.startup["startup_size"].number ?? 0))
    }

    @Test(arguments: machines)
    func procntoIsLinkedForItsPlaceInTheImage(_ machine: Machine) throws {
        let shop = try shop(machine)
        let image = try shop.image(text(machine))
        let (place, pointers) = try marked("procnto", machine, in: image.bytes)
        #expect(pointers[0] == 0x100_0000 + UInt64(place))
        let address = try image.address("proc/boot/procnto")
        #expect(address % 0x1000 == 0)
        // A page of headers, and behind it the text.
        #expect(pointers[1] >= address + 0x1000)
        let listing = try image.listing("-vvv")
        #expect(listing.lines.contains { $0.hasSuffix("----- procnto - \(machine.elf) -----") })
    }

    @Test(arguments: machines)
    func theCommandLinesAreInPlace(_ machine: Machine) throws {
        let image = try shop(machine).image(text(machine))
        let startup = image.startup["boot_arguments"]
        #expect(startup["arguments"].texts == ["startup", "-v", "-D8250"])
        #expect(startup["environment"].texts == [])
        let procnto = try image["proc/boot/procnto"]["boot_arguments"]
        #expect(procnto["arguments"].texts == ["procnto", "-vv"])
        #expect(
            procnto["environment"].texts == ["PATH=/proc/boot:/bin", "LD_LIBRARY_PATH=/lib"])
        #expect(image.bytes.firstRange(of: Array("ddpvbskr".utf8)) == nil)
    }

    @Test(arguments: machines)
    func behindAPrefixAndWithAVirtualAddressAllMoves(_ machine: Machine) throws {
        let shop = try shop(
            machine, "[default_image=16m len=0x180 vboot=0x70000000 +rsvd_vaddr]")
        let image = try shop.image(text(machine))
        let start = try marked("startup", machine, in: image.bytes)
        #expect(start.pointers[0] == 0x100_0000 + UInt64(start.place))
        #expect(image.startup["image_paddr"].number == 0x100_0180)
        let (place, pointers) = try marked("procnto", machine, in: image.bytes)
        let file =
            image.imageOffset + Int(try #require(image["proc/boot/procnto"]["offset"].number))
        // Above 0x70000000 are startup area and directory, rounded up to a page.
        let end = UInt64(image.imageOffset) + (image.header["hdr_dir_size"].number ?? 0)
        let run = 0x7000_0000 + (end + 0xfff) & ~0xfff
        #expect(pointers[1] >= run + 0x1000 && pointers[1] < run + 0x2000)
        #expect(pointers[0] % 0x1000 == UInt64(place - file) % 0x1000)
        #expect(try image["proc/boot/procnto"]["boot_arguments"]["arguments"].texts.count == 2)
    }

    @Test(arguments: machines)
    func aPackedImageHasAPlainStartup(_ machine: Machine) throws {
        let shop = try shop(machine)
        let image = try shop.image("[+compress]\n" + text(machine))
        let (place, pointers) = try marked("startup", machine, in: image.bytes)
        #expect(pointers[0] == 0x100_0000 + UInt64(place))
        #expect(image.startup["flags1"].number.map { $0 & 0x1c } == 0x0c)
        #expect(try image["proc/boot/procnto"]["boot_arguments"]["arguments"].texts.count == 2)
    }

    @Test(arguments: machines)
    func aROMImageHasItsDataInRAM(_ machine: Machine) throws {
        let shop = try shop(machine)
        let image = try shop.image("[image=16m ram=32m]\n" + text(machine))
        let (place, pointers) = try marked("startup", machine, in: image.bytes)
        #expect(pointers[0] == 0x200_0000 + UInt64(place))
        #expect(image.startup["ram_paddr"].number == 0x200_0000)
        let procnto = try marked("procnto", machine, in: image.bytes).pointers
        // Text is used where it lies, data where it is copied to.
        #expect(procnto[1] >= 0x100_0000 && procnto[1] < 0x200_0000)
        #expect(procnto[0] >= 0x200_0000 && procnto[0] < 0x300_0000)
    }
}
