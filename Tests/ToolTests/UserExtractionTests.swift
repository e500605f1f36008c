import Foundation
import TestSupport
import Testing

/// Extraction by an ordinary user.
@Suite(.enabled(if: Tool.canBeUser, "neither an ordinary user nor setpriv here"))
struct UserExtractionTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func extract(
        _ entries: [ImageEntry], _ arguments: [String] = []
    ) throws -> Child.Outcome {
        try folder.write(ImageBuilder.bare(entries).build().bytes, to: "x.ifs")
        return try dumpifsAsUser(arguments + ["-d", "out", "x.ifs"], in: folder)
    }

    @Test func theFilesAreTheUsersWhateverTheImageSays() throws {
        let entries = [ImageEntry.file("f", "x"), .directory("d"), .symlink("l", to: "f")]
        expectSuccess(
            try extract(
                entries.map { entry in
                    entry.with {
                        $0.user = 12
                        $0.group = 34
                        $0.modified = 1_000_000
                    }
                }))
        let own = try folder.node("out").user
        if Tool.isRoot { #expect(own == 65534) }
        for path in ["f", "d", "l"] {
            let node = try folder.node("out/\(path)")
            #expect(node.user == own && node.modified == 1_000_000)
        }
    }

    @Test func aDirectoryThatNobodyMayWriteIsFilledFirst() throws {
        let entries: [ImageEntry] = [
            .directory("d", permissions: 0o555), .file("d/f", "x"),
            .directory("d/e", permissions: 0o000), .file("d/e/g", "y"),
        ]
        expectSuccess(try extract(entries))
        #expect(try folder.node("out/d").permissions == 0o555)
        #expect(try folder.node("out/d/e").permissions == 0)
        #expect(try folder.node("out/d/f").text == "x")
        chmod(folder.path("out/d/e"), 0o755)
        #expect(try folder.node("out/d/e/g").text == "y")
    }

    @Test func suchADirectoryIsFilledAgain() throws {
        let entries: [ImageEntry] = [
            .directory("d", permissions: 0o555), .file("d/f", "x"),
            .directory("d/e", permissions: 0o311), .file("d/e/g", "y"),
        ]
        expectSuccess(try extract(entries))
        expectSuccess(try extract(entries.reversed()))
        #expect(try folder.node("out/d").permissions == 0o555)
        #expect(try folder.node("out/d/e").permissions == 0o311)
    }

    @Test func oneThatTheImageDoesNotListIsNotOpenedUp() throws {
        expectSuccess(try extract([.file("d/f", "x")]))
        chmod(folder.path("out/d"), 0o555)
        expectFailure(
            try extract([.file("d/f", "x")]),
            saying: ["dumpifs: out/d/f: cannot replace: Permission denied"])
        #expect(try folder.node("out/d").permissions == 0o555)
    }

    @Test func whatWasExtractedCanBeRemovedAgain() throws {
        expectSuccess(try extract([.file("proc/boot/f", "x"), .file("bin/sh", "y")]))
        var remover = Child(Tool.asUser + ["rm", "-r", "out"])
        remover.folder = folder.url
        expectSuccess(try remover.run())
    }

    @Test func setIDBitsCanBePreservedForOneself() throws {
        let entries: [ImageEntry] = [.file("f", "x", permissions: 0o4755)]
        expectSuccess(try extract(entries, ["--preserve"]))
        #expect(try folder.node("out/f").permissions == 0o4755)
    }

    @Test func devicesAreLeftOutEvenWhenTheyAreToBePreserved() throws {
        let outcome = try extract(
            [.device("tty", type: 2), .device("fifo", type: 1), .file("f", "x")], ["--preserve"])
        #expect(outcome.end == .exit(0))
        #expect(
            outcome.complaints == [
                "dumpifs: tty: a device or socket, left out (--preserve as root makes it)"
            ])
        #expect(try Set(Node.tree(folder.path("out")).keys) == ["", "fifo", "f"])
    }

    @Test func whereTheUserMayNotWriteEachFileIsTold() throws {
        mkdir(folder.path("out"), 0o555)
        chmod(folder.path("out"), 0o555)
        let outcome = try extract([.file("a", "x"), .file("b", "y"), .file("d/e", "z")])
        expectFailure(
            outcome,
            saying: [
                "dumpifs: out/d: cannot make 'd': Permission denied",
                "dumpifs: out/a: cannot make: Permission denied",
                "dumpifs: out/b: cannot make: Permission denied",
            ])
    }

    @Test func anImageThatMayNotBeReadIsTold() throws {
        try folder.write(ImageBuilder.bare([.file("a", "x")]).build().bytes, to: "x.ifs")
        chmod(folder.path("x.ifs"), 0)
        expectFailure(
            try dumpifsAsUser(["x.ifs"], in: folder),
            saying: ["dumpifs: x.ifs: cannot open: Permission denied"])
    }
}
