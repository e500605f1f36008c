import Foundation
import TestSupport
import Testing

/// Patch files, F206-F208.
struct MkifsPatchTests {
    private static let text = """
        [uid=7 gid=8 perms=0640 dperms=0711]
        [type=dir] usr
        [type=dir] usr/bin
        usr/bin/tool={
        }
        usr/bin/deep/tool={
        }
        usr/hosts={
        }
        [type=link] usr/link=hosts

        """

    /// Mode, owner and group of each path after these rules; only what they changed.
    private func changes(_ rules: String...) throws -> [String: String] {
        let shop = try Workshop()
        try shop.write(rules.joined(separator: "\n") + "\n", to: "rules")
        func values(_ image: WorkshopImage) -> [String: String] {
            var found: [String: String] = [:]
            for entry in image.entries {
                let owner = "\(entry["uid"].number ?? 0):\(entry["gid"].number ?? 0)"
                found[entry["path"].text ?? ""] = "\(entry["mode"].text ?? "") \(owner)"
            }
            return found
        }
        let plain = values(try shop.image(Self.text))
        return values(try shop.image(Self.text, ["-p", "rules"])).filter {
            plain[$0.key] != $0.value
        }
    }

    @Test func aFileOfTheFolderIsChanged() throws {
        #expect(
            try changes("f:/usr/bin:tool:1:2:0755") == ["usr/bin/tool": "0755 1:2"])
    }

    @Test func commentsAndEmptyLinesAreLeftOut() throws {
        #expect(
            try changes("# f:/usr:*:1:1:0777", "", "f:/usr:hosts:1:2:0600")
                == ["usr/hosts": "0600 1:2"])
    }

    @Test func aRecursiveRuleReachesWhatIsBelow() throws {
        #expect(
            try changes("fr:/usr:tool:1:2:0500")
                == ["usr/bin/tool": "0500 1:2", "usr/bin/deep/tool": "0500 1:2"])
    }

    @Test func directoriesHaveRulesOfTheirOwn() throws {
        #expect(try changes("d:/usr:bin:1:2:0750") == ["usr/bin": "0750 1:2"])
        #expect(
            try changes("dr:/:*:1:2:0755")["usr"] == "0755 1:2")
    }

    @Test func aRuleOfTheWrongKindChangesNothing() throws {
        #expect(try changes("f:/usr:bin:1:2:0750", "d:/usr/bin:tool:1:2:0755") == [:])
    }

    @Test func patternsAreThoseOfNames() throws {
        #expect(
            try changes("fr:/:[th]o*:1:2:0400")
                == [
                    "usr/bin/tool": "0400 1:2", "usr/bin/deep/tool": "0400 1:2",
                    "usr/hosts": "0400 1:2",
                ])
    }

    @Test func theLastRuleOfAPathWins() throws {
        #expect(
            try changes("f:/usr:hosts:1:2:0600", "f:/usr:*:3:4:0644")["usr/hosts"] == "0644 3:4")
    }

    @Test func aPatchStandsAboveTheBuildfile() throws {
        let shop = try Workshop()
        try shop.write("f:/:x:0:0:0644\n", to: "rules")
        let image = try shop.image("[uid=5 gid=6 perms=0777] x={\n}\n", ["-p", "rules"])
        #expect(try image.mode("x") == "0644")
        #expect(try image["x"]["uid"].number == 0 && image["x"]["gid"].number == 0)
    }

    @Test func theStickyBitOfAProgramStaysAsItIs() throws {
        let shop = try Workshop()
        try shop.write(.ordinary(), to: "tool")
        try shop.write("f:/:tool:0:0:01644\n", to: "rules")
        let image = try shop.image("tool=./tool\n", ["--profile", "6.4", "-p", "rules"])
        #expect(try image.mode("tool") == "0644")
    }

    @Test func brokenLinesAreNamedAllAtOnce() throws {
        let shop = try Workshop()
        try shop.write("d:/:*:0:0\n# fine\nx:/:*:0:0:0755\nf:/:*:-1:0:0999\n", to: "rules")
        let outcome = try shop.run("a={\n}\n", ["-p", "rules"])
        expectFailure(
            outcome,
            saying: [
                "rules:1:1: error: found 5 fields, expected 6: type:path:pattern:uid:gid:perms",
                "    d:/:*:0:0", "    ^",
                "rules:3:1: error: type: found 'x', expected d, dr, f or fr",
                "    x:/:*:0:0:0755", "    ^",
                "rules:4:7: error: uid: found '-1', expected a decimal number from 0 through 4294967295",
                "    f:/:*:-1:0:0999", "          ^", "mkifs: 3 errors",
            ])
        #expect(try shop.folder.names() == ["b.build", "rules"])
    }

    @Test func aPatchFileThatIsNotThereIsNamed() throws {
        try Workshop().expectRefusal(
            "a={\n}\n", ["-p", "none"],
            saying: "mkifs: none: cannot open: No such file or directory")
    }
}
