import Foundation
import TestSupport
import Testing

/// What a bootfile says of the image that it begins, F168-F177.
///
/// The startup program is one page. So the startup area, 256 bytes of header, the page and 4 bytes of
/// sum, rounded up to 8, takes 0x1108 bytes where nothing comes before it.
struct MkifsBootfileTests {
    private func image(_ bootfile: String, run: UInt64 = 0x40_0100, _ more: String = "")
        throws -> WorkshopImage
    {
        let shop = try Workshop()
        try shop.writeBootFiles(bootfile, runAddress: run)
        return try shop.image(Workshop.boot() + more)
    }

    // MARK: Attributes and code

    @Test func attributesStandBetweenBracketsOverSeveralLinesWithComments() throws {
        let image = try image(
            """
            [
                len=0x40   # room for a wrapper
                # default_image=16m
                default_image=8m
            ]
            """, run: 0x80_0140)
        #expect(image.startup["image_paddr"].number == 0x80_0040)
        #expect(image.report["header_offset"].number == 0x40)
    }

    @Test func whatFollowsTheWordBootIsTheCodeBeforeTheImage() throws {
        let image = try image("[default_image=4m]\nbootCODE", run: 0x40_0104)
        #expect(image.bytes.prefix(4) == Array("CODE".utf8)[...])
        #expect(image.report["header_offset"].number == 4)
        #expect(image.startup["preboot_size"].number == 4)
        #expect(image.startup["image_paddr"].number == 0x40_0004)
    }

    @Test func codeWithoutAttributesIsCodeAsWell() throws {
        let shop = try Workshop()
        try shop.writeBootFiles("boot12345678", runAddress: 0x40_0108)
        let image = try shop.image("[image=4m]\n" + Workshop.boot())
        #expect(image.bytes.prefix(8) == Array("12345678".utf8)[...])
    }

    @Test func codeIsPaddedToWholeWords() throws {
        let image = try image("[default_image=4m]boot12345", run: 0x40_0108)
        #expect(image.bytes.prefix(8) == Array("12345\0\0\0".utf8)[...])
        #expect(image.startup["preboot_size"].number == 8)
    }

    @Test func theCodeMayStandInTheExecutableSectionOfAnELFFile() throws {
        let shop = try Workshop()
        try shop.writeBootFiles(runAddress: 0x40_0140)
        let text = Array("[len=0x40 default_image=4m]bootREAL".utf8)
        try shop.write(
            HostProgram {
                $0.sections = [
                    .init(name: ".note", flags: 0, bytes: Array("[len=0x80]bootNOTE".utf8)),
                    .init(name: ".text", flags: 6, bytes: text),
                    .init(name: ".text.2", flags: 6, bytes: Array("[len=0x100]bootLATE".utf8)),
                ]
            }, to: "kit.boot")
        let image = try shop.image(Workshop.boot())
        #expect(image.bytes.prefix(5) == Array("REAL\0".utf8)[...])
        #expect(image.startup["preboot_size"].number == 0x40)
    }

    @Test func lengthIsTheLeastSizeOfTheCode() throws {
        let image = try image("[default_image=4m len=0x180]bootCODE", run: 0x40_0280)
        #expect(image.report["header_offset"].number == 0x180)
        #expect(image.bytes[4..<0x180].allSatisfy { $0 == 0 })
        #expect(image.startup["image_paddr"].number == 0x40_0180)
        // 0x180 + 0x100 + 0x1000 + 4, rounded up to 8, without the 0x180.
        #expect(image.startup["startup_size"].number == 0x1108)
    }

    @Test func codeLongerThanTheLengthWins() throws {
        let code = String(repeating: "x", count: 0x48)
        let image = try image("[default_image=4m len=0x40]boot" + code, run: 0x40_0148)
        #expect(image.startup["preboot_size"].number == 0x48)
    }

    @Test func roomWithoutCodeIsZeros() throws {
        let image = try image("[default_image=4m len=0x180]", run: 0x40_0280)
        #expect(image.bytes.prefix(0x180).allSatisfy { $0 == 0 })
        #expect(image.bytes[0x180..<0x184] == [0xeb, 0x7e, 0xff, 0x00])
    }

    // MARK: Addresses

    @Test func whatIsNotLoadedCountsInTheFileAlone() throws {
        let image = try image("[default_image=4m len=0x180 notloaded=0x40]bootX", run: 0x40_0240)
        #expect(image.report["header_offset"].number == 0x180)
        #expect(image.startup["preboot_size"].number == 0x140)
        #expect(image.startup["image_paddr"].number == 0x40_0140)
        // 0x140 + 0x100 + 0x1000 + 4, rounded up to 8, without the 0x140.
        #expect(image.startup["startup_size"].number == 0x1108)
        #expect(UInt64(image.bytes.count) == 0x180 + (image.startup["stored_size"].number ?? 0))
        #expect(try image.address("proc/boot/procnto") % 0x1000 == 0)
    }

    @Test func theBiasPartsPhysicalFromVirtualAddresses() throws {
        let image = try image(
            "[default_image=0x80008000 paddr_bias=-0x80000000]", run: 0x8000_8100)
        #expect(image.startup["paddr_bias"].number == 0x8000_0000)
        #expect(image.startup["image_paddr"].number == 0x8000)
        #expect(image.startup["ram_paddr"].number == 0x8000)
        #expect(image.startup["startup_vaddr"].number == 0x8000_8100)
        // Physical addresses of segments are biased as well, those that are run at are not.
        let program = try image.contents("proc/boot/procnto")
        let place = try image.address("proc/boot/procnto")
        #expect(UInt64(program.integer(UInt32.self, at: 52 + 8)) == 0x8000_b000)
        let offset = UInt64(program.integer(UInt32.self, at: 52 + 4))
        #expect(UInt64(program.integer(UInt32.self, at: 52 + 12)) == place + offset)
    }

    @Test func pagesAreOfTheSizeThatTheBootfileSays() throws {
        let shop = try Workshop()
        try shop.writeBootFiles("[default_image=4m pagesize=64k]", procnto: 0x43_0000)
        try shop.write(.ordinary(), to: "tool")
        try shop.write("echo $1 $2 >> log; cp \"$3\" \"$4\"", to: "link")
        let image = try shop.image(Workshop.boot(linker: "sh link %h %t %i %o") + "tool\n")
        #expect(image.startup["startup_size"].number == 0x1_0108)
        for path in ["proc/boot/procnto", "proc/boot/tool"] {
            #expect(try image.address(path) % 0x1_0000 == 0)
        }
        #expect(try shop.text("log") == "400100 400100\n420000 430000\n")
    }

    @Test func fourKibibytesAreAPageUnlessToldOtherwise() throws {
        let shop = try Workshop()
        try shop.writeBootFiles()
        try shop.write(.ordinary(), to: "tool")
        try shop.write("echo $1 $2 >> log; cp \"$3\" \"$4\"", to: "link")
        let image = try shop.image(Workshop.boot(linker: "sh link %h %t %i %o") + "tool\n")
        #expect(try image.address("proc/boot/tool") % 0x1000 == 0)
        #expect(try shop.text("log") == "400100 400100\n402000 403000\n")
    }

    @Test(arguments: [
        // 0x1108 of startup area and less than 0xef8 of directory lie between address and files.
        ("vboot=0xfe000000", "fe000000 fe001000"),
        ("vboot=0xfe000000 +rsvd_vaddr", "fe002000 fe003000"),
        ("vboot=0xfe000000 -rsvd_vaddr", "fe000000 fe001000"),
        ("vboot=0xfe000800", "fe001000 fe002000"),
    ])
    func bootExecutablesAreLinkedAtTheirVirtualAddress(
        _ attribute: String, _ expected: String
    ) throws {
        let shop = try Workshop()
        try shop.writeBootFiles("[default_image=4m \(attribute)]")
        try shop.write("echo $1 $2 >> log; cp \"$3\" \"$4\"", to: "link")
        let image = try shop.image(Workshop.boot(linker: "sh link %h %t %i %o"))
        #expect(try shop.text("log") == "400100 400100\n\(expected)\n")
        #expect(image.startup["image_paddr"].number == 0x40_0000)
    }

    @Test func theNextBootExecutableLiesBehindTheFirst() throws {
        let shop = try Workshop()
        try shop.writeBootFiles("[default_image=4m vboot=0xfe000000]")
        try shop.write("echo $1 >> log; cp \"$2\" \"$3\"", to: "link")
        _ = try shop.image(
            Workshop.boot(linker: "sh link %h %i %o").replacingOccurrences(
                of: "    procnto\n", with: "    procnto\n    procnto -2\n"), ["--profile", "6.6"])
        let addresses = try shop.text("log").split(separator: "\n").map { UInt64($0, radix: 16) }
        #expect(addresses.count == 3 && addresses[1] == 0xfe00_0000)
        let second = try #require(addresses[2])
        #expect(second > 0xfe00_0000 && second % 0x1000 == 0)
    }

    // MARK: Defaults

    @Test func defaultsHoldWhereTheBuildfileSaysNothing() throws {
        #expect(
            try image("[default_image=8m]", run: 0x80_0100).startup["image_paddr"].number
                == 0x80_0000)
        let shop = try Workshop()
        try shop.writeBootFiles("[default_image=8m]", runAddress: 0x1_0100)
        let image = try shop.image("[image=64k]\n" + Workshop.boot())
        #expect(image.startup["image_paddr"].number == 0x1_0000)
    }

    @Test func aDefaultOfRAMMakesTheImageOneForROM() throws {
        let shop = try Workshop()
        try shop.writeBootFiles(
            "[default_image=0x10000000 default_ram=0x80000000]", runAddress: 0x8000_0100,
            procnto: 0x1000_3000)
        let image = try shop.image("[data=copy]\n" + Workshop.boot(), ["--profile", "6.6"])
        #expect(image.startup["image_paddr"].number == 0x1000_0000)
        #expect(image.startup["ram_paddr"].number == 0x8000_0000)
        #expect(image.startup["startup_vaddr"].number == 0x8000_0100)
        #expect((image.header["flags"].number ?? 0) & 0x02 != 0)
    }

    @Test func limitsOfADefaultAreKept() throws {
        let shop = try Workshop()
        try shop.writeBootFiles("[default_image=4m,4k]")
        let outcome = try shop.run(Workshop.boot())
        #expect(outcome.end == .exit(1))
        #expect(
            outcome.complaints.first { $0.contains("exceeds") }?.hasSuffix("0x1000 maximum size")
                == true)
    }

    @Test func aConditionalAttributeLeavesAloneWhatTheBuildfileSays() throws {
        let bootfile = #"[default_image=4m attr="?mount=/kit" attr="?chain=0x1000"]"#
        let shop = try Workshop()
        try shop.writeBootFiles(bootfile)
        let image = try shop.image("[mount=/own]\n" + Workshop.boot())
        #expect(image.header["mountpoint"].text == "/own")
        #expect(image.header["chain_paddr"].number == 0x1000)
    }

    @Test func anUnconditionalAttributeComesBehindTheBuildfilesOwn() throws {
        let shop = try Workshop()
        try shop.writeBootFiles(#"[default_image=4m attr="mount=/kit"]"#)
        let image = try shop.image("[mount=/own]\n" + Workshop.boot())
        #expect(image.header["mountpoint"].text == "/kit")
    }

    @Test(arguments: [("?-bigendian", "big"), ("-bigendian", "little")])
    func theByteOrderOfTheBuildfileStandsAgainstADefault(
        _ attribute: String, _ order: String
    ) throws {
        let shop = try Workshop()
        try shop.writeBootFiles("[default_image=4m attr=\"\(attribute)\"]")
        let image = try shop.image("[+bigendian]\n" + Workshop.boot())
        #expect(image.report["byte_order"].text == order)
    }

    @Test(arguments: [(0x1_1940, 0x1_0000), (0xd67c, 0x1000)])
    func bigPagesAlignAFileToTheLargestPageThatItsTextFills(
        _ size: Int, _ alignment: UInt64
    ) throws {
        let shop = try Workshop()
        try shop.writeBootFiles("[default_image=4m pagesizes=4k,64k,1m +big_pages]")
        try shop.write(.ordinary(textSize: size), to: "tool")
        let address = try shop.image(Workshop.boot() + "tool\n").address("proc/boot/tool")
        #expect(address % alignment == 0)
        #expect(alignment == 0x1_0000 || address < 0x40_8000, "no larger page was meant")
    }

    @Test func pageSizesAloneAlignNothing() throws {
        let shop = try Workshop()
        try shop.writeBootFiles("[default_image=4m pagesizes=4k,64k]")
        try shop.write(.ordinary(textSize: 0x1_1940), to: "tool")
        let address = try shop.image(Workshop.boot() + "tool\n").address("proc/boot/tool")
        #expect(address < 0x40_8000 && address % 0x1000 == 0)
    }

    // MARK: How it says no

    @Test func codeWithoutItsSignatureIsRefused() throws {
        let shop = try Workshop()
        try shop.writeBootFiles("[default_image=4m] code")
        try shop.expectRefusal(
            Workshop.boot(),
            saying: "./kit.boot:1:20: error: cannot find the boot signature; the letters 'boot' "
                + "stand before the code", "    [default_image=4m] code",
            "                       ^", "mkifs: 1 error")
    }

    @Test func anUnknownAttributeOfABootfileIsNamed() throws {
        let shop = try Workshop()
        try shop.writeBootFiles("[default_imag=4m\n +big_page len=70000]")
        try shop.expectRefusal(
            Workshop.boot(),
            saying:
                "./kit.boot:1:2: error: unknown bootfile attribute 'default_imag'; did you mean "
                + "'default_image'?", "    [default_imag=4m", "     ^",
            "./kit.boot:2:2: error: unknown bootfile attribute '+big_page'; did you mean "
                + "'+big_pages'?", "     +big_page len=70000]", "     ^",
            "./kit.boot:2:16: error: len: found '70000', expected a number from 0 through 65532",
            "     +big_page len=70000]", "                   ^", "mkifs: 3 errors")
    }

    @Test func anELFFileWithoutCodeIsNoBootfile() throws {
        let shop = try Workshop()
        try shop.writeBootFiles()
        try shop.write(HostProgram { $0.sections = [.init(name: "a", bytes: [1])] }, to: "kit.boot")
        try shop.expectRefusal(
            Workshop.boot(),
            saying:
                "b.build:3:1: error: ./kit.boot: ELF header.e_shoff at 0x0: found no executable "
                + "section, expected one that holds the bootfile", "    [virtual=x86,kit] boot = {",
            "    ^", "mkifs: 1 error")
    }

    @Test func aBootfileThatIsNotThereIsNamed() throws {
        let shop = try Workshop()
        try shop.writeBootFiles()
        try shop.expectRefusal(
            Workshop.boot("x86,other"),
            saying: "b.build:3:1: error: host file 'other.boot' not available",
            "    [virtual=x86,other] boot = {", "    ^", "mkifs: 1 error")
    }
}
