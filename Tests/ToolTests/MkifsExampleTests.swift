import Foundation
import TestSupport
import Testing

/// The example systems of the vendor's manuals, F036 and F203-F205, with stand-ins for the host files.
@Suite(.enabled(if: Fixtures.hasShared, "no ../shared/examples"))
struct MkifsExampleTests {
    /// A target folder with stand-ins: a startup program and a procnto for an image at `base`,
    /// libraries by name and SONAME, programs by name.
    private func shop(
        _ cpu: String, machine: UInt16, is64Bit: Bool, base: UInt64, bootfile: (String, String),
        startup: String, libraries: [String: String], programs: [String]
    ) throws -> Workshop {
        var shop = try Workshop()
        shop.environment["QNX_TARGET"] = shop.folder.path("target")
        func set(_ program: inout HostProgram) {
            (program.machine, program.is64Bit) = (machine, is64Bit)
        }
        let folder = "target/\(cpu)"
        try shop.write(bootfile.1, to: "\(folder)/boot/sys/\(bootfile.0).boot")
        var first = HostProgram.program(at: base + 0x100, HostProgram.placeHolder)
        set(&first)
        try shop.write(first, to: "\(folder)/boot/sys/\(startup)")
        var kernel = HostProgram.ordinary(at: base + 0x3000)
        kernel.loads[0].bytes += HostProgram.placeHolder
        set(&kernel)
        try shop.write(kernel, to: "\(folder)/boot/sys/procnto-smp-instr")
        for (name, soname) in libraries {
            try shop.write(.library(soname, change: set), to: "\(folder)/lib/\(name)")
        }
        for name in programs { try shop.write(.ordinary(change: set), to: "\(folder)/bin/\(name)") }
        return shop
    }

    /// The image of an example, and what there was to say.
    private func image(_ name: String, in shop: Workshop) throws -> (WorkshopImage, [String]) {
        let shared = try #require(Fixtures.shared)
        let outcome = try shop.run([
            "-l", "[linker=\"(;2;)cp %i %o\"]",
            shared.appendingPathComponent("examples/\(name).build").path, "b.ifs",
        ])
        #expect(outcome.end == .exit(0), "\(outcome.complaints)")
        return (try shop.built(), outcome.complaints)
    }

    /// The links of an image, by path.
    private func links(_ image: WorkshopImage) -> [String: String] {
        var links: [String: String] = [:]
        for entry in image.entries {
            if let text = entry["target"].text { links[entry["path"].text ?? ""] = text }
        }
        return links
    }

    private func files(_ image: WorkshopImage) -> Set<String> {
        Set(image.paths).subtracting(links(image).keys)
    }

    private func x86(_ libraries: [String: String], _ programs: [String]) throws -> Workshop {
        try shop(
            "x86_64", machine: 62, is64Bit: true, base: 0x40_0000,
            bootfile: ("bios", "[default_image=4m]"), startup: "startup-x86",
            libraries: libraries.merging([
                "libc.so": "libc.so.4", "ldqnx-64.so.2": "ldqnx-64.so.2",
            ]) { $1 }, programs: programs)
    }

    // MARK: Systems

    @Test func theConsoleSystemHasKernelDriverAndShell() throws {
        let shop = try x86(["libgcc_s.so.1": "libgcc_s.so.1"], ["devc-con", "esh"])
        let (image, complaints) = try image("console", in: shop)
        #expect(complaints == [])
        #expect(
            files(image)
                == Set(
                    [
                        "procnto-smp-instr", ".script", "libc.so.4", "libgcc_s.so.1",
                        "ldqnx-64.so.2", "devc-con", "esh",
                    ].map { "proc/boot/" + $0 }))
        #expect(
            links(image) == [
                "proc/boot/libc.so": "libc.so.4", "proc/boot/libgcc_s.so": "libgcc_s.so.1",
                "proc/boot/ldqnx-64.so": "ldqnx-64.so.2",
                "usr/lib/ldqnx-64.so.2": "/proc/boot/ldqnx-64.so.2",
            ])
        #expect(image.startup["machine"].number == 62)
        #expect(image.startup["image_paddr"].number == 0x40_0000)
        #expect(image.startup["startup_vaddr"].number == 0x40_0100)
        #expect(image.startup["boot_arguments"]["arguments"].texts == ["startup-x86"])
        let kernel = try image["proc/boot/procnto-smp-instr"]["boot_arguments"]
        #expect(kernel["environment"].texts == ["PATH=/proc/boot"])
        #expect(
            try commands(image)
                == ["devc-con -n9 &", "reopen 5.0 /dev/con1", "[ +session ] esh &"])
    }

    @Test func theDiskSystemIsPackedAndReadsTheSame() throws {
        let drivers = ["libcam.so": "libcam.so.2", "cam-disk.so": "cam-disk.so"]
        let shop = try x86(
            drivers.merging(["io-blk.so": "io-blk.so", "fs-qnx6.so": "fs-qnx6.so"]) { $1 },
            ["devc-con", "esh", "ls", "devb-eide"])
        let (image, complaints) = try image("disk", in: shop)
        #expect(complaints == [])
        // UCL, and the startup before it plain.
        #expect((image.startup["flags1"].number ?? 0) & 0x1c == 0x0c)
        #expect(image.bytes.firstRange(of: Array("startup-x86\0".utf8)) != nil)
        #expect(image.bytes.count < 40_000)
        #expect(
            files(image)
                == Set(
                    [
                        "procnto-smp-instr", ".script", "libc.so.4", "libcam.so.2", "cam-disk.so",
                        "io-blk.so", "fs-qnx6.so", "devc-con", "esh", "ls", "devb-eide",
                    ].map { "proc/boot/" + $0 }))
        #expect(links(image)["proc/boot/libcam.so"] == "libcam.so.2")
        #expect(
            try commands(image) == [
                "devc-con -e &", "devb-eide &", "reopen 5.0 /dev/con1",
                "[ +session ] PATH=/proc/boot esh &",
            ])
    }

    @Test func theNetworkSystemHasItsHostsLinksAndVariables() throws {
        let shop = try shop(
            "armle-v7", machine: 40, is64Bit: false, base: 0x1f_0000, bootfile: ("raw", "[]"),
            startup: "startup-my_board",
            libraries: [
                "libc.so.4": "libc.so.4", "libgcc_s.so.1": "libgcc_s.so.1",
                "ldqnx.so.2": "ldqnx.so.2",
            ], programs: ["pci-server", "io-pkt-v4-hc", "ifconfig", "fs-nfs3"])
        // As an SDK has it.
        try FileManager.default.createSymbolicLink(
            atPath: shop.folder.path("target/armle-v7/lib/libc.so"),
            withDestinationPath: "libc.so.4")
        let (image, _) = try image("network", in: shop)
        #expect(image.startup["image_paddr"].number == 0x1f_0000)
        #expect(
            image.startup["boot_arguments"]["arguments"].texts
                == ["startup-my_board", "-v", "-Nmy_board-5", "-D0x800003f8^0.9600"])
        let kernel = try image["proc/boot/procnto-smp-instr"]["boot_arguments"]
        #expect(
            kernel["environment"].texts == [
                "PATH=/proc/boot:/bin:/usr/bin:/sbin", "LD_LIBRARY_PATH=/proc/boot:/lib:/usr/lib",
            ])
        #expect(
            try image.text("etc/hosts")
                == "127.0.0.1       localhost\n192.168.1.1     ra\n192.168.1.111   my_board-5\n")
        let links = links(image)
        #expect(links["tmp"] == "/dev/shmem" && links["dev/con1"] == "/dev/ser1")
        #expect(links["proc/boot/libc.so"] == "libc.so.4")
        #expect(
            files(image)
                == Set(
                    [
                        "procnto-smp-instr", "startup-script", "libc.so.4", "libgcc_s.so.1",
                        "ldqnx.so.2", "pci-server", "io-pkt-v4-hc", "ifconfig", "fs-nfs3",
                    ].map { "proc/boot/" + $0 } + ["etc/hosts"]))
        let lines = try commands(image)
        #expect(lines.count == 15)
        #expect(lines[0] == "procmgr_symlink '../../proc/boot/ldqnx.so.2' '/usr/lib/ldqnx.so.2'")
        #expect(lines[1] == "pci-server &" && lines[2] == "waitfor 5.0 /dev/pci")
        #expect(lines[6] == "waitfor 360.0 /my_system/usr/sbin/slogger2")
        // One variable for all commands behind it.
        #expect(lines[8] == "TZ=est05edt04 slogger2 &" && lines[14] == "TZ=est05edt04 tinit")
        #expect(!lines[5].contains("TZ="))
    }

    @Test func anAttributeAloneHoldsForAllFilesBehindIt() throws {
        let names = ["tool", "esh", "pwm", "pfm", "libone.so", "libtwo.so", "my_app", "libc.so"]
        let shop = try shop(
            "x86_64", machine: 62, is64Bit: true, base: 0, bootfile: ("none", ""), startup: "none",
            libraries: [
                "libone.so": "libone.so", "libtwo.so": "libtwo.so", "libc.so": "libc.so.4",
            ],
            programs: names.filter { !$0.hasPrefix("lib") })
        let (image, complaints) = try image("scoping", in: shop)
        #expect(complaints == [])
        // 0x80000000 in its number marks a file that was laid out.
        let raw = image.entries.filter {
            $0["type"].text == "file" && ($0["ino"].number ?? 0) & 0x8000_0000 == 0
        }
        #expect(Set(raw.compactMap { $0["path"].text }) == ["tool", "pwm", "pfm", "my_app"])
        for name in ["tool", "pwm", "pfm", "my_app"] {
            let host = try shop.folder.bytes("target/x86_64/bin/\(name)")
            #expect(difference(try image.contents(name), host) == nil)
        }
    }

    /// The script's commands as the listing has them.
    private func commands(_ image: WorkshopImage) throws -> [String] {
        let lines = try image.listing().lines
        let script = try #require(
            lines.firstIndex { $0.hasSuffix("script") && !$0.contains("script=") })
        return lines[(script + 2)...].prefix { $0.hasPrefix(String(repeating: " ", count: 23)) }
            .map { String($0.drop { $0 == " " }) }
    }
}
