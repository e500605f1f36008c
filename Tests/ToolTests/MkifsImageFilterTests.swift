import Foundation
import TestSupport
import Testing

/// The program that a bootfile sends the finished image through, F178 and F179.
struct MkifsImageFilterTests {
    private func shop(_ bootfile: String, run: UInt64 = 0x40_0100) throws -> Workshop {
        let shop = try Workshop()
        try shop.writeBootFiles(bootfile, runAddress: run)
        return shop
    }

    @Test func codesStandForArgumentsOffsetAndFile() throws {
        let shop = try shop(
            #"[default_image=4m len=0x180 filter="sh note %a %s %i"]"#, run: 0x40_0280)
        try shop.write(
            """
            echo "$# $1 $2 $3" > log
            test -s "$4" && printf MARK | dd of="$4" conv=notrunc 2> dd.log
            """, to: "note")
        let image = try shop.image(Workshop.boot("\"x86,kit -a  b\""))
        #expect(try shop.text("log") == "4 -a b 0x180\n")
        #expect(image.bytes.prefix(4) == Array("MARK".utf8)[...])
        #expect(image.report["header_offset"].number == 0x180)
    }

    @Test func theOffsetCountsWhatIsNotLoaded() throws {
        let shop = try shop(
            #"[default_image=4m len=0x180 notloaded=0x40 filter="echo %s > log"]"#, run: 0x40_0240)
        _ = try shop.image(Workshop.boot())
        #expect(try shop.text("log") == "0x180\n")
    }

    @Test func withTwoFilesTheFirstIsReadAndTheSecondBecomesTheImage() throws {
        let shop = try shop(#"[default_image=4m filter="sh turn %I %i"]"#)
        try shop.write("head -c 4 \"$1\" | od -An -tx1 > log; echo made > \"$2\"", to: "turn")
        expectSuccess(try shop.run(Workshop.boot()))
        #expect(try shop.text("log") == " eb 7e ff 00\n")
        #expect(try shop.text("b.ifs") == "made\n")
        #expect(
            try shop.folder.names()
                == ["b.build", "b.ifs", "kit.boot", "log", "procnto", "startup", "turn"])
    }

    @Test func theResultHasTheModeOfAnyOtherImage() throws {
        let shop = try shop(#"[default_image=4m filter="cat %I > %i"]"#)
        _ = try shop.image(Workshop.boot())
        let filtered = try shop.folder.node("b.ifs").permissions
        try FileManager.default.removeItem(atPath: shop.folder.path("b.ifs"))
        _ = try shop.image("x={\n}\n")
        #expect(try shop.folder.node("b.ifs").permissions == filtered)
    }

    @Test func theFilterWorksOnAnImageForStandardOutputAsWell() throws {
        let shop = try shop(#"[default_image=4m filter="tr '\\000' x < %I > %i"]"#)
        try shop.write(Workshop.boot(), to: "b.build")
        let outcome = try shop.run(["b.build"])
        expectSuccess(outcome)
        #expect(!outcome.output.contains(0) && outcome.output.count > 0x2000)
        #expect(try shop.temporary.names() == [])
    }

    @Test func itsCommandIsShownAtTheThirdV() throws {
        let shop = try shop(#"[default_image=4m filter="true %s"]"#)
        let outcome = try shop.run(Workshop.boot(), ["-vvv"])
        #expect(outcome.complaints.contains("Execute: true 0x0"))
    }

    // MARK: How it says no

    @Test func aFilterThatFailsLeavesNothing() throws {
        for command in ["false", "kill -9 $$"] {
            let shop = try shop("[default_image=4m filter=\"\(command)\"]")
            let end = command == "false" ? "exit status 1" : "signal 9"
            try shop.expectRefusal(
                Workshop.boot(),
                saying:
                    "mkifs: image filter: command '\(command)': found \(end), expected exit status 0"
            )
        }
    }

    @Test func aFilterThatCopiesAndFailsLeavesNothing() throws {
        let shop = try shop(#"[default_image=4m filter="cp %I %i; exit 3 #"]"#)
        try shop.write(Workshop.boot(), to: "b.build")
        let before = try shop.folder.names()
        let outcome = try shop.run(["b.build", "b.ifs"])
        #expect(outcome.end == .exit(1) && outcome.complaints.count == 1)
        #expect(outcome.complaints[0].hasSuffix("found exit status 3, expected exit status 0"))
        #expect(try shop.folder.names() == before)
    }

    @Test func aFilterThatMakesNothingIsRefused() throws {
        let shop = try shop(#"[default_image=4m filter="true %I"]"#)
        try shop.write(Workshop.boot(), to: "b.build")
        let before = try shop.folder.names()
        let outcome = try shop.run(["b.build", "b.ifs"])
        #expect(outcome.end == .exit(1) && outcome.complaints.count == 1)
        #expect(outcome.complaints[0].hasSuffix("found an empty file behind it, expected an image"))
        #expect(try shop.folder.names() == before)
    }
}
