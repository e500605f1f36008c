import Foundation
import TestSupport
import Testing

/// Ordinary commands at work on a mount.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct CommandTests {
    /// Runs `body` on a mount of the ordinary sample, and on its scratch directory.
    private func withMount(
        _ builder: ImageBuilder = Samples.ordinary, _ body: (Scratch, Mount) throws -> Void
    ) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        try body(scratch, scratch.mount(builder))
    }

    /// What `sha256sum` prints of the files of the ordinary sample.
    private var sums: [String] {
        Samples.ordinary.entries.compactMap { entry -> String? in
            var body = entry.body
            if case .hardLink(let other) = body { body = Samples.ordinary.entries[other].body }
            guard case .file(let bytes) = body else { return nil }
            let digits = SHA2.sha256(bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            return digits.joined() + "  ./" + String(decoding: entry.path, as: UTF8.self)
        }
    }

    @Test func lsShowsEverythingWithoutComplaint() throws {
        try withMount(Samples.everyKind) { _, mount in
            let listed = try run(["ls", "-lRi", mount.path])
            #expect(listed.status == 0 && listed.errorText == "", "\(listed)")
            #expect(listed.lines.contains { $0.contains(" crw-rw-rw- ") && $0.contains(" 5, ") })
            let all = try run(["ls", "-laR", "--full-time", "-Z", mount.path])
            #expect(all.status == 0, "\(all)")
        }
    }

    @Test func findSeesEveryKind() throws {
        try withMount(Samples.everyKind) { _, mount in
            for (letter, type) in [
                ("f", 0o100000), ("d", 0o040000), ("l", 0o120000), ("p", 0o010000),
                ("c", 0o020000), ("b", 0o060000), ("s", 0o140000),
            ] as [(Word, UInt32)] {
                let found = try run(["find", mount.path, "-type", letter, "-printf", "."])
                let expected = Samples.kinds.filter { $0.mode & 0o170000 == type }
                #expect(found.output.count == expected.count, "\(letter)")
            }
        }
    }

    @Test func sha256sumReadsWhatTheImageHolds() throws {
        try withMount { _, mount in
            let found = try shell("cd \"$1\"; find . -type f -exec sha256sum {} +", mount.path)
            #expect(found.status == 0 && found.lines.sorted() == sums.sorted())
        }
    }

    @Test func grepFindsTheNeedle() throws {
        try withMount { _, mount in
            let found = try run(["grep", "-rl", "needle", mount.path])
            #expect(found.status == 0)
            #expect(
                found.lines.sorted()
                    == ["\(mount.path)/etc/again", "\(mount.path)/etc/motd"].sorted())
        }
    }

    static let copies: [(name: String, script: Word)] = [
        ("cp -a", "cp -a \"$1\" \"$2\""),
        ("tar", "mkdir \"$2\"; tar -C \"$1\" -cf - . | tar -C \"$2\" -xpf -"),
        ("rsync -aH", "rsync -aH \"$1/\" \"$2\""),
    ]

    /// What cp, tar and rsync copy from a mount is the same tree.
    @Test(arguments: copies.map(\.name))
    func aCopyIsTheSameTree(name: String) throws {
        let script = try #require(Self.copies.first { $0.name == name }?.script)
        try withMount { scratch, mount in
            let copy = scratch / "copy"
            let copied = try shell(script, mount.path, copy)
            #expect(copied.status == 0 && copied.errorText == "", "\(copied)")
            #expect(
                try run(["diff", "-r", "--no-dereference", mount.path, copy]).description
                    == "status 0")
            for path in try Calls.tree(mount.path) {
                let (found, expected) = try (Calls.status(copy / path), Calls.status(mount / path))
                #expect(found.st_mode == expected.st_mode, "\(path)")
                #expect(found.st_mtim.tv_sec == expected.st_mtim.tv_sec, "\(path)")
            }
        }
    }

    @Test(.needsRoot)
    func aCopyByRootHasEveryKindAndOwner() throws {
        try withMount(Samples.everyKind) { scratch, mount in
            let copied = try run(["cp", "-a", mount.path, scratch / "copy"])
            #expect(copied.status == 0 && copied.errorText == "", "\(copied)")
            for kind in Samples.kinds {
                let found = try Calls.status(scratch / "copy" / kind.path)
                let isLink = found.st_mode & S_IFMT == S_IFLNK  // Linux gives them no modes.
                #expect(found.st_mode == kind.mode || isLink, "\(kind.path)")
                #expect(found.st_uid == kind.user && found.st_gid == kind.group, "\(kind.path)")
            }
            let first = try Calls.status(scratch / "copy/first")
            #expect(first.st_ino == (try Calls.status(scratch / "copy/second").st_ino))
        }
    }

    @Test func noExtendedAttributeIsNoTrouble() throws {
        try withMount { _, mount in
            let found = try run(["getfattr", "-d", "-m", "-", mount / "etc/motd"])
            #expect(found.output.isEmpty)
        }
    }
}
