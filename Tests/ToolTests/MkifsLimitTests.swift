import Foundation
import TestSupport
import Testing

/// Limits of images, and the numbers in what is said of them.
struct MkifsLimitTests {
    /// 92 bytes of header, 28 of the root's record, 36 of the file's, 4 of the directory's end, 4096
    /// of the file, 4 of sum: 0x10a4.
    private func shop() throws -> Workshop {
        let shop = try Workshop()
        try shop.write([UInt8](repeating: 1, count: 4096), to: "a")
        return shop
    }

    @Test(arguments: [
        ("image=,4k", "image area of 0x10a4 bytes exceeds 0x1000 maximum size"),
        ("image=-0x1000", "image area of 0x10a4 bytes from 0x0 on exceeds 0x1000 end address"),
        (
            "image=0x100-0x1000",
            "image area of 0x10a4 bytes from 0x100 on exceeds 0x1000 end address"
        ),
        ("image==4k", "image size of 0x10a4 bytes exceeds the total size of 0x1000"),
        ("image=,8k%64k", "image area of 0x10000 bytes exceeds 0x2000 maximum size"),
    ])
    func anImageBeyondItsRangeIsRefused(_ attribute: String, _ message: String) throws {
        try shop().expectRefusal(
            "[\(attribute)]\n./a\n", saying: "b.build:1:8: error: \(message)", "    [\(attribute)]",
            "           ^", "mkifs: 1 error")
    }

    @Test(arguments: ["image=,0x10a4", "image=-0x10a4", "image==0x10a4"])
    func anImageMayFillItsRange(_ attribute: String) throws {
        #expect(try shop().image("[\(attribute)]\n./a\n").bytes.count == 0x10a4)
    }

    @Test(arguments: [
        ("ram=2m,4k", "RAM area of 0x1148 bytes exceeds 0x1000 maximum size"),
        (
            "ram=2m-0x201000",
            "RAM area of 0x1148 bytes from 0x200000 on exceeds 0x201000 end address"
        ),
        ("ram=2m=4k", "RAM size of 0x1148 bytes exceeds the total size of 0x1000"),
    ])
    func theRAMOfASplitImageHasItsLimits(_ attribute: String, _ message: String) throws {
        let shop = try Workshop()
        try shop.writeBootFiles("[]", runAddress: 0x20_0100, procnto: 0x10_3000)
        // The startup area of 0x1108 bytes, and 64 bytes of procnto's data.
        try shop.expectRefusal(
            "[image=1m]\n[\(attribute)]\n" + Workshop.boot(), ["--profile", "6.6"],
            saying: "b.build:2:6: error: \(message)", "    [\(attribute)]", "         ^",
            "mkifs: 1 error")
    }

    @Test func aSplitImageCannotBePacked() throws {
        let shop = try Workshop()
        try shop.writeBootFiles("[]", runAddress: 0x20_0100, procnto: 0x10_3000)
        try shop.expectRefusal(
            "[image=1m ram=2m]\n[+compress]\n" + Workshop.boot(),
            saying:
                "b.build:2:2: error: a split image, one with RAM of its own, cannot be compressed",
            "    [+compress]", "     ^", "mkifs: 1 error")
    }

    @Test func aChainIsAnAddressOf32Bits() throws {
        try Workshop().expectRefusal(
            "[chain=0x100000000] a={\n}\n",
            saying:
                "b.build:1:8: error: chain: found '0x100000000', expected a number from 0 through "
                + "4294967295", "    [chain=0x100000000] a={", "           ^", "mkifs: 1 error")
    }

    @Test func aPathFitsIntoItsRecord() throws {
        let name = String(repeating: "x", count: 65_600)
        try Workshop().expectRefusal(
            "[prefix=\(name)]\na={\n}\n",
            saying:
                "b.build:2:1: error: '\(name.prefix(64))...': found a directory record of 65636 "
                + "bytes, expected 65535 at most", "    a={", "    ^", "mkifs: 1 error")
    }

    @Test func aLinkFitsIntoItsRecord() throws {
        let text = String(repeating: "y", count: 65_600)
        let shop = try Workshop()
        let outcome = try shop.run("[type=link] a=\(text)\n")
        #expect(outcome.end == .exit(1))
        #expect(
            outcome.complaints.first
                == "b.build:1:13: error: 'a...': found a directory record of 65632 bytes, expected "
                + "65535 at most")
    }

    @Test func aFileIsSmallerThanFourGibibytes() throws {
        let shop = try Workshop()
        try shop.write("", to: "big")
        truncate(shop.folder.path("big"), 5 << 30)
        try shop.expectRefusal(
            "x=./big\n",
            saying: "b.build:1:3: error: './big': found 5368709120 bytes, expected less than 4 GiB",
            "    x=./big", "      ^", "mkifs: 1 error")
    }

    @Test func soIsAnImage() throws {
        let shop = try Workshop()
        for name in ["one", "two"] {
            try shop.write("", to: name)
            truncate(shop.folder.path(name), 3 << 30)
        }
        // 92 and 28 bytes, two records of 36, 4, the files, 4.
        try shop.expectRefusal(
            "./one\n./two\n",
            saying: "mkifs: image: found \(200 + (6 << 30)) bytes, expected less than 4 GiB")
    }

    @Test func codeBeforeTheImageHasItsLimit() throws {
        let shop = try Workshop()
        try shop.writeBootFiles("[default_image=4m]boot" + String(repeating: "x", count: 65_536))
        let outcome = try shop.run(Workshop.boot())
        #expect(outcome.end == .exit(1))
        #expect(
            outcome.complaints.first
                == "./kit.boot:1:19: error: found 65536 bytes of code, expected 65532 at most")
    }

    @Test func commandLinesFitIntoTheirRoom() throws {
        let shop = try Workshop()
        try shop.writeBootFiles()
        let word = String(repeating: "w", count: 1010)
        let text = Workshop.boot().replacingOccurrences(
            of: "    startup", with: "    startup \(word)")
        let outcome = try shop.run(text)
        #expect(outcome.end == .exit(1))
        // 8 bytes of head, the two words with their ends, and one more end.
        #expect(
            outcome.complaints.first
                == "b.build:4:5: error: ./startup: boot arguments at 0x0: found 1028 bytes of 2 "
                + "strings, expected 1024 bytes and 127 strings of a kind at most")
    }

    @Test func aScriptHasItsLimit() throws {
        let shop = try Workshop()
        let line = "one " + String(repeating: "a", count: 60_000) + "\n"
        let lines = String(repeating: line, count: 20)
        let outcome = try shop.run("[+script] go={\n\(lines)}\n")
        #expect(outcome.end == .exit(1))
        #expect(try shop.folder.names() == ["b.build"])
        #expect(
            outcome.complaints.first?.contains("up to here the scripts take ") == true,
            "\(outcome.complaints.first?.prefix(200) ?? "")")
    }
}
