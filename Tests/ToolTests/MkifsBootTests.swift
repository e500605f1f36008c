import Foundation
import TestSupport
import Testing

/// Boot sections, bootfiles and scripts: F126 to F128, F130 to F132, F140 to F150.
struct MkifsBootTests {
    /// A board with a bootfile for another processor as well.
    private func board() throws -> Board {
        let board = try Board()
        for (name, bytes) in [
            ("startup-board", Board.startup.bytes), ("procnto", Board.procnto.bytes),
        ] {
            try board.write(bytes, to: "target/armle/boot/sys/\(name)", mode: 0o755)
        }
        try board.write(
            "[vboot=0xfe000000 len=0x40]", to: "target/armle/boot/sys/plain.boot")
        try board.write("of arm", to: "target/armle/bin/which")
        try board.write("of x86", to: "target/x86_64/bin/which")
        return board
    }

    /// The processor whose bootfile was taken: that of armle has a prefix.
    private func processor(_ image: MadeImage) -> String {
        image.startup["preboot_size"].number == 0x40 ? "armle" : "x86_64"
    }

    /// A startup program for an image with a prefix of 64 bytes.
    private func writeShiftedStartup(_ board: Board) throws {
        var startup = Board.startup
        startup.address = 0x40_0140
        try board.write(startup.bytes, to: "target/armle/boot/sys/startup-board")
    }

    // MARK: virtual=

    @Test(arguments: ["armle,plain", "armle/plain"])
    func virtualChoosesProcessorAndBootfile(_ value: String) throws {
        let board = try board()
        try writeShiftedStartup(board)
        let image = try board.image(Board.boot("virtual=\(value)") + "which\n${PROCESSOR}={\n}\n")
        #expect(processor(image) == "armle")
        #expect(try image.text("proc/boot/which") == "of arm")
        #expect(image.files.contains("proc/boot/armle"))
    }

    @Test(
        arguments: [
            ("x86_64,plain", "armle", "x86_64"), ("plain", "armle", "armle"),
            ("plain", nil, "x86_64"),
        ] as [(String, String?, String)])
    func theProcessorIsThatOfVirtualElseOfTheEnvironment(
        _ value: String, _ variable: String?, _ expected: String
    ) throws {
        let board = try board()
        try writeShiftedStartup(board)
        let image = try board.image(Board.boot("virtual=\(value)") + "which\n") {
            $0.environment["PROCESSOR"] = variable
        }
        #expect(processor(image) == expected)
        #expect(
            try image.text("proc/boot/which") == (expected == "armle" ? "of arm" : "of x86"))
    }

    @Test func withoutABootSectionTheProcessorIsThatOfTheEnvironment() throws {
        let board = try board()
        #expect(try board.image("which\n").text("which") == "of x86")
        let image = try board.image("which\n${CPU_BASE}={\n}\n${PROCESSOR_BASE}x={\n}\n") {
            $0.environment["PROCESSOR"] = "armle"
        }
        #expect(try image.text("which") == "of arm")
        #expect(image.files.sorted() == ["arm", "armx", "which"])
    }

    @Test func argumentsBehindTheBootfileReachTheFilter() throws {
        let board = try Board()
        try board.write(
            "[len=0x80 vboot=0xfe000000 filter=\"echo %s %a >told; cp %i seen\"]",
            to: "target/x86_64/boot/sys/told.boot")
        var startup = Board.startup
        startup.address = 0x40_0180
        try board.write(startup.bytes, to: "target/x86_64/boot/sys/startup-board")
        let image = try board.image(Board.boot("virtual=\"x86_64,told -a  -b 7\""))
        #expect(
            String(decoding: try board.folder.bytes("told"), as: UTF8.self) == "0x80 -a -b 7\n")
        #expect(try board.folder.bytes("seen") == image.bytes)
        // A filter that works from one file to another.
        try board.write(
            "[len=0x80 vboot=0xfe000000 filter=\"(printf before; cat %I) >%i\"]",
            to: "target/x86_64/boot/sys/told.boot")
        _ = try board.image(Board.boot("virtual=x86_64,told"), ["-nn"])
        #expect(try board.folder.bytes("a.ifs").prefix(6).elementsEqual("before".utf8))
        #expect(!(try board.folder.names().contains { $0.hasSuffix(".input") }))
    }

    private static let stock = [
        "binary", "elf", "raw", "srec", "bios", "uefi", "multiboot", "kpi",
    ]

    @Test(arguments: stock)
    func aBootfileIsFoundByItsNameOrMissedByIt(_ name: String) throws {
        let board = try Board()
        let text = Board.boot("virtual=x86_64,\(name)")
        #expect(
            try board.complaints(text).first == "error: host file '\(name).boot' not available")
        try board.write("[vboot=0xfe000000]", to: "target/x86_64/boot/sys/\(name).boot")
        _ = try board.image(text)
    }

    @Test func aBootfileOfABadProcessorIsMissed() throws {
        #expect(
            try Board().complaints(Board.boot("virtual=riscv,plain")).first
                == "error: host file 'plain.boot' not available")
    }

    @Test func physicalIsRefusedWithAWayOut() throws {
        let outcome = try Board().build(Board.boot("physical=x86_64,plain"))
        #expect(outcome.end == .exit(1))
        #expect(outcome.complaints.first?.hasSuffix("; write 'virtual='") == true)
    }

    // MARK: Prefix

    @Test func withABootSectionFilesLieBelowProcBoot() throws {
        let board = try Board()
        try board.write("x", to: "file")
        let text = "a={\n}\n./file\n[type=link] l=x\n/abs={\n}\n[prefix=etc] b={\n}\n"
        #expect(
            try board.image(Board.boot() + text).files.sorted() == [
                "abs", "etc/b", "proc/boot/a", "proc/boot/file", "proc/boot/l",
                "proc/boot/procnto",
            ])
        #expect(
            try board.image(text).files.sorted() == ["a", "abs", "etc/b", "file", "l"])
    }

    // MARK: Boot programs

    @Test func theFirstProgramIsTheStartup() throws {
        let board = try Board()
        try board.write(
            ELFStandIn(.executable) {
                $0.address = 0x40_0100
                $0.text = Array("startup text".utf8) + ELFStandIn.placeHolder
            }.bytes, to: "target/x86_64/boot/sys/startup-board")
        let image = try board.image(Board.boot(startup: "startup-board -v -D 8250"))
        #expect(image.files == ["proc/boot/procnto"])
        #expect(image.bytes[256...].starts(with: "startup text".utf8))
        #expect(image.startup["startup_vaddr"].number == 0x40_0100)
        #expect(
            image.startup["boot_arguments"]["arguments"].texts
                == ["startup-board", "-v", "-D", "8250"])
    }

    @Test func theOthersAreBootExecutablesInTheirOrder() throws {
        let board = try Board()
        try board.write(
            ELFStandIn(.executable).bytes, to: "target/x86_64/boot/sys/helper", mode: 0o755)
        let image = try board.image(Board.boot(procnto: "helper\n    procnto -v"))
        let helper = try #require(try image["proc/boot/helper"]["ino"].number)
        let procnto = try #require(try image["proc/boot/procnto"]["ino"].number)
        #expect(helper & 0xa000_0000 == 0xa000_0000 && procnto & 0xa000_0000 == 0xa000_0000)
        #expect(image.header["boot_ino"].numbers == [helper, procnto, 0, 0])
        #expect(
            try image["proc/boot/procnto"]["boot_arguments"]["arguments"].texts
                == ["procnto", "-v"])
    }

    @Test func variablesBeforeProcntoAreItsEnvironment() throws {
        let board = try Board()
        let image = try board.image(
            Board.boot(
                procnto: "GLOBAL=1\n    PATH=/proc/boot:/bin LD_LIBRARY_PATH=/lib procnto -v"))
        let arguments = try image["proc/boot/procnto"]["boot_arguments"]
        #expect(arguments["arguments"].texts == ["procnto", "-v"])
        #expect(
            arguments["environment"].texts
                == ["GLOBAL=1", "PATH=/proc/boot:/bin", "LD_LIBRARY_PATH=/lib"])
        #expect(image.startup["boot_arguments"]["environment"].texts == [])
    }

    @Test func moreThanFourBootExecutablesNeedN() throws {
        let board = try Board()
        for index in 1...5 {
            try board.write(
                ELFStandIn(.executable).bytes, to: "target/x86_64/boot/sys/p\(index)", mode: 0o755)
        }
        let text = Board.boot(procnto: (1...5).map { "p\($0)" }.joined(separator: "\n"))
        #expect(try board.complaints(text).first?.hasPrefix("error: maximum of 4") == true)
        let warned = try board.build(text, ["-N"])
        #expect(warned.end == .exit(0) && !warned.complaints.isEmpty)
        #expect(try board.image(text, ["-NN"]).files.count == 5)
    }

    @Test(arguments: ["a={\n}\n", "[type=link] l=x\n", "[+script] s={\n}\n", "[type=dir] d\n"])
    func theBootSectionIsTheFirstFile(_ line: String) throws {
        let found = try Board().complaints(line + Board.boot())
        #expect(
            found.first?.hasPrefix("error: the bootstrap file stands behind other files") == true)
    }

    @Test func thereIsOneBootSection() throws {
        let found = try Board().complaints(Board.boot() + Board.boot())
        #expect(found.first?.hasPrefix("error: only one bootstrap file is allowed") == true)
    }

    @Test func aBootSectionWithoutAProgramIsRefused() throws {
        let found = try Board().complaints("[virtual=x86_64,plain] b={\n# nothing\n}\n").joined()
        #expect(found.contains("no startup program found while creating a bootable image"))
    }

    @Test func aBootProgramLinkedForAnotherPlaceIsRefused() throws {
        let board = try Board()
        // Without vboot= it runs where it lies.
        try board.write("", to: "target/x86_64/boot/sys/plain.boot")
        let found = try board.complaints(Board.boot()).joined()
        #expect(
            found.contains(
                "found an address of 0x100000, expected 0x402000 or higher, where the file runs"),
            "\(found)")
    }

    @Test func aBootSectionMayBeAFile() throws {
        let board = try Board()
        try board.write("startup-board\nprocnto -v\n", to: "boot.txt")
        let image = try board.image(
            "[linker=\"(;2;)cp %i %o\"]\n[virtual=x86_64,plain] .bootstrap=./boot.txt\n")
        #expect(image.files == ["proc/boot/procnto"])
    }

    // MARK: Scripts

    @Test func aScriptIsStoredAsRecords() throws {
        let image = try Board().image(
            "[+script] .script={\n  display_msg hello world\n  A=1 tool -x &\n}\n")
        let script = try image.contents(".script")
        // The first record: its length, and type 3 for display_msg.
        #expect(script.integer(UInt16.self, at: 0) >= 16 && script[2] == 3)
        #expect(script.suffix(4).elementsEqual([0, 0, 0, 0]))
        #expect(image.report["script"]["path"].text == ".script")
        #expect(
            image.report["script"]["lines"].texts == [
                "display_msg \"hello world\"", "A=1 tool -x &",
            ])
        #expect(image.header["script_ino"].number == (try image[".script"]["ino"].number))
        let plain = try Board().image(".script={\n  display_msg hello world\n}\n")
        #expect(try plain.text(".script") == "  display_msg hello world\n")
        #expect(plain.header["script_ino"].number == 0)
    }

    @Test func scriptsBecomeOneFileOfTheFirstName() throws {
        let board = try Board()
        try board.write("display_msg of the host\n", to: "commands")
        let image = try board.image(
            "[+script] first={\ndisplay_msg one\n}\nfile={\n}\n[+script] second={\ndisplay_msg two\n}\n"
                + "[+script] third=./commands\n")
        #expect(image.files.sorted() == ["file", "first"])
        #expect(
            image.report["script"]["lines"].texts
                == ["display_msg one", "display_msg two", "display_msg \"of the host\""])
    }

    @Test func twoScriptsOfOneNameAreRefused() throws {
        let found = try Board().complaints(
            "[+script] a={\ndisplay_msg one\n}\n[+script] a={\ndisplay_msg two\n}\n")
        #expect(found == ["error: a script has the name 'a' already", "mkifs: 1 error"])
    }
}
