import Foundation
import TestSupport
import Testing

/// `dumpifs --plan` takes an image apart, and `mkifs --plan` puts it together.
struct PlanTests {
    private func takeApart(
        _ image: [UInt8], _ arguments: [String] = []
    ) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.write(image, to: "old.ifs")
        expectSuccess(try dumpifs(arguments + ["--plan", "out", "old.ifs"], in: folder))
        return folder
    }

    @Test(arguments: Fixtures.goldenCases)
    func anImageThatIsTakenApartComesTogetherAgain(_ name: String) throws {
        let image = try Fixtures.goldenImage(name)
        let folder = try takeApart(image)
        expectSuccess(try mkifs(["--plan", "out/plan", "new.ifs"], in: folder))
        #expect(try difference(folder.bytes("new.ifs"), image) == nil)
    }

    @Test(.enabled(if: Fixtures.hasShared, "no shared images"), arguments: Fixtures.sharedImages())
    func aRealImageComesTogetherAgain(_ name: String) throws {
        let folder = try TemporaryFolder()
        let path = try Fixtures.sharedImage(name).path
        _ = try dumpifs(["--plan", "out", path], in: folder)
        expectSuccess(try mkifs(["--plan", "out/plan", "new.ifs"], in: folder))
        #expect(
            try difference(folder.bytes("new.ifs"), Fixtures.bytes(URL(fileURLWithPath: path)))
                == nil)
    }

    @Test func thePartsOfAnImageAreFilesByTheirPaths() throws {
        let folder = try takeApart(try Fixtures.goldenImage("boot-x86-prefixed"))
        let tree = try Node.tree(folder.path("out"))
        let files = tree.filter { $0.value.type == S_IFREG }.keys.sorted()
        #expect(
            files == [
                "parts/prefix", "parts/startup", "parts/tree/proc/boot/.script",
                "parts/tree/proc/boot/daemon", "parts/tree/proc/boot/libdemo.so.3",
                "parts/tree/proc/boot/procnto", "parts/tree/proc/boot/readme.txt",
                "parts/tree/proc/boot/tool-raw", "plan",
            ])
        let readme = try Fixtures.bytes(
            Fixtures.folder.appendingPathComponent("inputs/data/readme.txt"))
        #expect(try folder.bytes("out/parts/tree/proc/boot/readme.txt") == readme)
    }

    @Test func aPlanThatIsChangedMakesAnotherImage() throws {
        let folder = try takeApart(ImageBuilder([.file("etc/motd", "hello")]).build().bytes)
        var text = String(decoding: try folder.bytes("out/plan"), as: UTF8.self)
        text = text.replacingOccurrences(
            of: "file etc/motd mode=0644", with: "file etc/issue mode=0600")
        try folder.write(Array(text.utf8), to: "out/plan")
        try folder.write(Array("HELLO".utf8), to: "out/parts/tree/etc/motd")
        expectSuccess(try mkifs(["--plan", "out/plan", "new.ifs"], in: folder))
        expectSuccess(try dumpifs(["--verify", "new.ifs"], in: folder))
        expectSuccess(try dumpifs(["-d", "tree", "new.ifs"], in: folder))
        #expect(try folder.node("tree/etc/issue").text == "HELLO")
        #expect(try folder.node("tree/etc/issue").permissions == 0o600)
    }

    @Test func onlyTheChosenImageOfSeveralIsTakenApart() throws {
        let images = ["one", "two"].map { ImageBuilder([.file("a", $0)]).build().bytes }
        let folder = try TemporaryFolder()
        try folder.write(images[0] + [0, 0, 0, 0] + images[1], to: "old.ifs")
        let outcome = try dumpifs(["--image", "2", "--plan", "out", "old.ifs"], in: folder)
        #expect(outcome.end == .exit(0))
        expectSuccess(try mkifs(["--plan", "out/plan", "new.ifs"], in: folder))
        #expect(try folder.bytes("new.ifs") == images[1])
    }

    @Test func aDirectoryThatIsInUseIsLeftAlone() throws {
        let folder = try takeApart(ImageBuilder([.file("a", "x")]).build().bytes)
        let before = try Node.tree(folder.path("out"))
        expectFailure(
            try dumpifs(["--plan", "out", "old.ifs"], in: folder),
            saying: [
                "dumpifs: out: found a directory that has files, expected an empty one, or none"
            ])
        #expect(try Node.tree(folder.path("out")) == before)
        expectFailure(
            try dumpifs(["--plan", "old.ifs", "old.ifs"], in: folder),
            saying: ["dumpifs: old.ifs: cannot use as a directory: Not a directory"])
        expectFailure(
            try dumpifs(["--plan", "new", "--json", "old.ifs"], in: folder),
            saying: ["dumpifs: options '--json' and '--plan' do not go together"])
    }

    @Test func namesThatLeadOutStayInside() throws {
        let paths = ["../up", "/top", "a", "a/b", "a", "..", ".", "x//y", "new\nline"]
        let image = ImageBuilder(paths.map { .file($0, "evil") }).build().bytes
        let folder = try TemporaryFolder()
        try folder.write(image, to: "old.ifs")
        let before = try Node.tree(folder.path(""))
        let outcome = try dumpifs(["--plan", "out", "old.ifs"], in: folder)
        #expect(outcome.end == .exit(0))
        let after = try Node.tree(folder.path("")).filter { !$0.key.hasPrefix("out") }
        #expect(after.keys == before.keys || Set(after.keys) == Set(before.keys))
        #expect(after["old.ifs"] == before["old.ifs"])
        expectSuccess(try mkifs(["--plan", "out/plan", "new.ifs"], in: folder))
        #expect(try folder.bytes("new.ifs") == image)
    }

    @Test func anImageThatCannotComeBackIsOneLine() throws {
        let folder = try TemporaryFolder()
        let broken = ImageBuilder([.file("a", "x").with { $0.mode = 0xf1a4 }])
        try folder.write(broken.build().bytes, to: "old.ifs")
        let outcome = try dumpifs(["--plan", "out", "old.ifs"], in: folder)
        #expect(outcome.end == .exit(1))
        #expect(
            outcome.complaints.last
                == "dumpifs: old.ifs: dirent at 0x78: found a record of mode 0xf1a4 that mkifs does"
                + " not write, expected one of a known type, its texts one behind the other")
        #expect(try folder.names() == ["old.ifs"])
    }

    // MARK: mkifs

    @Test(
        .enabled(
            if: Tool.isRoot && Tool.has("python3"),
            "needs root, as the cases were made, and python3"),
        arguments: Fixtures.goldenCases)
    func thePlanOfABuildfileIsPrintedAndMakesTheVendorsImage(_ name: String) throws {
        let folder = try TemporaryFolder()
        let inputs = try GoldenInputs()
        let build = Fixtures.golden(name, "case.build").path
        let printed = try mkifs(["--profile", "6.4", "-nn", "--print-plan", build], in: folder) {
            $0.environment = inputs.environment
        }
        #expect(printed.end == .exit(0), "\(printed.complaints)")
        try folder.write(printed.output, to: "case.plan")
        let outcome = try mkifs(["--plan", "case.plan", "new.ifs"], in: folder) {
            $0.environment = inputs.environment
        }
        #expect(outcome.end == .exit(0), "\(outcome.complaints)")
        #expect(try difference(folder.bytes("new.ifs"), Fixtures.goldenImage(name)) == nil)
        let again = try mkifs(["--plan", "--print-plan", "case.plan"], in: folder)
        #expect(again.output == printed.output)
    }

    @Test func aPlanIsAllOfAnImage() throws {
        let folder = try takeApart(ImageBuilder([.file("a", "x")]).build().bytes)
        for words in [["-l", "b", "out/plan", "new.ifs"], ["out/plan", "out", "new.ifs"]] {
            expectFailure(
                try mkifs(["--plan"] + words, in: folder),
                saying: [
                    "mkifs: a plan is all of an image: '--plan' takes no directory and no '-l'"
                ])
        }
    }

    @Test func aPlanWithFaultsMakesNoImageAndSaysWhere() throws {
        let folder = try TemporaryFolder()
        try folder.write(Array("ifsfs-plan 1\nimage release=7.0 order=litle\n".utf8), to: "p")
        let outcome = try mkifs(["--plan", "p", "new.ifs"], in: folder)
        expectFailure(
            outcome,
            saying: [
                "p:2:25: error: order: found 'litle', expected one of little, big;"
                    + " did you mean 'little'?",
                "    image release=7.0 order=litle",
                "                            ^", "mkifs: 1 error",
            ])
        #expect(try folder.names() == ["p"])
    }
}
