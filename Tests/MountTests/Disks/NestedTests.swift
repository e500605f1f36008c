import Foundation
import TestSupport
import Testing

/// Images in the files of a disk, mounted with `nested`.
@Suite(
    .needsFuse, .enabled(if: Card.hasAll, "no ../shared/tools, mkfs.fat or mtools"),
    .timeLimit(.minutes(20)))
struct NestedTests {
    private static let image = ImageBuilder([
        .directory("etc"), .file("etc/motd", SplitMix64.text(90_000)), .symlink("sh", to: "ksh"),
    ]).with { $0.packing = .lzo(isFast: true) }.build().bytes

    /// A FAT card with the image in its root, and a QNX 6 that boots from it.
    private func card(_ scratch: Scratch) throws -> Word {
        let file = try scratch.file("board.ifs", Self.image)
        let card = try Card.make(
            scratch,
            [
                Card.Part(sector: 2048, count: 32768, type: "6", contents: .fat(["-F16"])),
                Card.Part(sector: 36864, count: 16384, type: "b3", contents: .qnx6([])),
            ])
        try Card.must(
            """
            mcopy -i "$1@@1048576" "$2" ::/QNX.IFS
            mkdir "$3"; mkdir "$3/boot"; cp "$2" "$3/boot/board.ifs"; echo no > "$3/boot/other.ifs"
            "$4" "$3" "$5" --size 8388608 > /dev/null
            dd if="$5" of="$1" bs=512 seek=36864 conv=notrunc status=none
            """, card, file, scratch / "tree", try #require(Card.tool("make-qnx6")),
            scratch / "qnx6")
        return card
    }

    /// With nested, what is inside an image in a file of a disk is a directory beside it.
    @Test func anImageInAFileHasADirectoryBesideIt() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let card = try card(scratch)
        let alone = try scratch.mount(scratch / "board.ifs", at: "alone")
        let mount = try scratch.mount(card, "nested")
        for path: Word in ["p1-fat16/QNX.IFS", "p2-qnx6/boot/board.ifs"] {
            let directory = mount / (path + ".d")
            #expect(try Set(Calls.tree(directory)) == Set(Calls.tree(alone.path)))
            #expect(try Calls.contents(directory / "etc/motd") == SplitMix64.text(90_000))
            #expect(try Calls.contents(mount / path) == Self.image)
            let (status, other) = try (
                Calls.status(directory / "etc/motd"), Calls.status(alone / "etc/motd")
            )
            #expect(status.st_mode == other.st_mode && status.st_size == other.st_size)
        }
        #expect(try !Calls.names(mount / "p2-qnx6/boot").contains("other.ifs.d"))
        let names = try Calls.names(mount / "p2-qnx6/boot")
        #expect(names == ["board.ifs", "board.ifs.d", "other.ifs"])
        let links = try Calls.status(mount / "p2-qnx6/boot").st_nlink
        try mount.unmount()
        let plain = try scratch.mount(card)
        #expect(try Calls.names(plain / "p2-qnx6/boot") == ["board.ifs", "other.ifs"])
        #expect(try Calls.status(plain / "p2-qnx6/boot").st_nlink == links - 1)
    }

    /// One partition, and one directory in an image of it, can be the root.
    @Test func aDirectoryInAnImageCanBeTheRoot() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(
            card(scratch), "nested,partition=1,subdir=QNX.IFS.d/etc")
        #expect(try Calls.names(mount.path) == ["motd"])
    }
}
