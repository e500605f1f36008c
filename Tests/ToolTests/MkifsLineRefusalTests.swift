import Foundation
import TestSupport
import Testing

/// What single lines are refused for: names, links, buildfiles in buildfiles, and boot programs that
/// are not where they run.
struct MkifsLineRefusalTests {
    @Test func aLinkHasAText() throws {
        try Workshop().expectRefusal(
            "[type=link] a\n",
            saying: "b.build:1:13: error: a link has no text; write 'link = text'",
            "    [type=link] a", "                ^", "mkifs: 1 error")
    }

    @Test func aTargetHasAName() throws {
        try Workshop().expectRefusal(
            "${NONE}=b\n", saying: "b.build:1:1: error: the name of the target is empty",
            "    ${NONE}=b", "    ^", "mkifs: 1 error")
    }

    @Test func theRootIsADirectory() throws {
        try Workshop().expectRefusal(
            "/={\n}\n",
            saying: "b.build:1:1: error: the root of the image is a directory and nothing else",
            "    /={", "    ^", "mkifs: 1 error")
    }

    @Test func aBuildfileCannotTakeInItself() throws {
        let shop = try Workshop()
        let outcome = try shop.run("[+include search=.] ./b.build\n", ["--profile", "8.0"])
        #expect(outcome.end == .exit(1))
        #expect(
            outcome.complaints.first?.hasSuffix("error: more than 20 buildfiles include each other")
                == true, "\(outcome.complaints)")
    }

    @Test func aDirectoryAndAFileOfOnePathAreTwoThings() throws {
        try Workshop().expectRefusal(
            "[type=dir] etc\netc={\n}\n",
            saying: "b.build:2:1: error: 'etc' is in the image already, from b.build:1:12; "
                + "'+dupignore' keeps the first", "    etc={", "    ^", "mkifs: 1 error")
    }

    @Test func theSameEntryTwiceIsOne() throws {
        let image = try Workshop().image("etc/x={\n1\n}\netc/x={\n1\n}\n")
        #expect(image.paths == ["etc/x"])
    }

    // MARK: Boot programs

    @Test func aStartupThatWasLinkedForElsewhereIsRefused() throws {
        let shop = try Workshop()
        try shop.writeBootFiles()
        try shop.write(.program(at: 0x10_0000, [1, 2, 3]), to: "startup")
        try shop.expectRefusal(
            Workshop.boot(),
            saying: "b.build:4:5: error: ./startup: ELF header.e_entry at 0x0: found 0x100000, "
                + "expected a place in the startup program, which runs from 0x400100 on",
            "        startup", "        ^", "mkifs: 1 error")
    }

    @Test func aStartupFarFromWhereItRunsIsRefused() throws {
        let shop = try Workshop()
        try shop.writeBootFiles()
        try shop.write(.program(at: 0xf000_0000, [1, 2, 3]), to: "startup")
        try shop.expectRefusal(
            Workshop.boot(),
            saying:
                "b.build:4:5: error: ./startup: ELF segment at 0x1000: found a startup segment of "
                + "3 bytes at 0xf0000000, expected one within 0x4000000 bytes from 0x400100 on",
            "        startup", "        ^", "mkifs: 1 error")
    }
}
