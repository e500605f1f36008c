import Foundation
import TestSupport
import Testing

/// Disks over time: handles across mounts, and files that change under a mount.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct DiskLifeTests {
    private static func number(_ path: Word) throws -> UInt64 {
        UInt64(try Calls.status(path).st_ino)
    }

    /// Inode numbers and file handles of a disk are good at every mount of the same bytes.
    @Test(
        .needsRoot, .enabled(if: Card.hasAll, "no ../shared/tools, mkfs.fat or mtools"),
        arguments: ["", "partition=1", "partition=2", "partition=5"])
    func handlesAreGoodAtTheNextMount(option: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let card = try Card.make(scratch)
        let options = option.isEmpty ? "ro" : Word(option)
        let before = try scratch.mount(card, options)
        let nodes = try ([""] + Calls.tree(before.path)).enumerated().filter { index, path in
            index % 7 == 0 || path.bytes.count < 12
        }.map { _, path in
            try (path: path, handle: NodeHandle(before / path), inode: Self.number(before / path))
        }
        try before.unmount()
        let mount = try scratch.mount(card, options)
        for node in nodes.reversed() {
            try node.handle.open(in: mount.path, Linux.pathOnly) { descriptor throws in
                var found = stat()
                #expect(
                    fstat(descriptor, &found) == 0 && UInt64(found.st_ino) == node.inode,
                    "\(node.path)")
                guard found.st_mode & S_IFMT == S_IFDIR else { return }
                let above = try Calls.status("/proc/self/fd/\(descriptor)/..")
                let parent = node.path.bytes.isEmpty ? mount.path : mount / node.path / ".."
                #expect(try UInt64(above.st_ino) == Self.number(parent) || node.path.bytes.isEmpty)
            }
        }
        #expect(nodes.count > 5)
    }

    /// Once the file of a disk was written, truncated, replaced or removed, what reaches the server is an
    /// input/output error, and one line says so.
    @Test(arguments: ChangeTests.Change.allCases)
    func aDiskThatHasChangedIsReadNoMore(change: ChangeTests.Change) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (builder, _) = Samples.large(1_300_000, .none)
        let card = try scratch.file(
            "card.img", DiskBytes([(0x0c, 64, builder.build().bytes)]).bytes)
        let mount = try scratch.mount(card)
        try Calls.open(mount / "p1-ifs/file") { descriptor throws in
            let before = try Calls.bytes(of: descriptor, at: 0, count: 4096)
            usleep(20_000)
            try change.make(of: card)
            for _ in 0..<2 {
                #expect(throws: ChangeTests.inputOutput) {
                    try Calls.bytes(of: descriptor, at: 1_200_000, count: 4096)
                }
            }
            #expect(try Calls.bytes(of: descriptor, at: 0, count: 4096) == before)
        }
        #expect(throws: ChangeTests.inputOutput) { try Calls.names(mount.path) }
        #expect(
            try mount.unmount().errorText
                == "mount.ifs: \(card): the file has changed since it was mounted;"
                + " nothing is read from it any more\n")
    }

    @Test func aDiskThatCameThroughAPipeStays() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = ImageBuilder([.file("inside", "an IFS\n")]).build().bytes
        let card = try scratch.file("card.img", DiskBytes([(0x0c, 64, image)]).bytes)
        let point = try scratch.directory("m")
        let started = try shell(
            "cat \"$2\" | \"$1\" - \"$3\"; rm \"$2\"", Machine.tool("mount.ifs"), card, point)
        #expect(started.description == "status 0")
        #expect(try Calls.contents(point / "p1-ifs/inside") == Array("an IFS\n".utf8))
    }
}
