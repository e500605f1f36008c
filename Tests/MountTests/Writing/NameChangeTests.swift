import Foundation
import TestSupport
import Testing

/// Names that come, go and move on a writable mount.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct NameChangeTests {
    private func mode(_ path: Word) throws -> mode_t { try Calls.status(path).st_mode }

    private func failure(
        _ path: Word, _ call: (UnsafePointer<CChar>) -> Int32
    ) -> Int32? {
        path.withCString { path in Calls.failure { call(path) }?.code }
    }

    @Test func everyKindOfNodeIsMadeWithTheModeThatTheMaskLeaves() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let script: Word = """
            cd "$1"
            umask 027
            mkdir -m 1777 sticky; mkdir plain; touch file; ln -s "a target" link; mkfifo fifo
            python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
            """
        let made = try shell(script, mount.path)
        #expect(made.status == 0, "\(made)")
        #expect(try mode(mount / "sticky") == 0o041777)
        #expect(try mode(mount / "plain") == 0o040750)
        #expect(try mode(mount / "file") == 0o100640)
        #expect(try mode(mount / "link") == 0o120777)
        #expect(try mode(mount / "fifo") == 0o010640)
        #expect(try mode(mount / "socket") == 0o140750)
        #expect(try Calls.target(mount / "link") == Array("a target".utf8))
        #expect(try Calls.status(mount / "link").st_size == 8)
    }

    @Test(.needsRoot) func devicesKeepTheirNumbers() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let made = try shell("cd $1; mknod c c 4095 1048575; mknod b b 63 1023", mount.path)
        #expect(made.status == 0, "\(made)")
        let shown = try shell("cd $1; stat -c '%A %t %T' c b", mount.path).lines
        #expect(shown == ["crw-r--r-- fff fffff", "brw-r--r-- 3f 3ff"])
    }

    @Test func unlinkAndRmdirTakeWhatIsTheirs() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        try mount.write("file", [1])
        #expect(failure(mount / "directory") { mkdir($0, 0o755) } == nil)
        try mount.write("directory/inner", [1])
        #expect(failure(mount / "file") { rmdir($0) } == ENOTDIR)
        #expect(failure(mount / "directory") { unlink($0) } == EISDIR)
        #expect(failure(mount / "directory") { rmdir($0) } == ENOTEMPTY)
        #expect(failure(mount / "none") { unlink($0) } == ENOENT)
        #expect(failure(mount / "none") { rmdir($0) } == ENOENT)
        #expect(failure(mount / "directory/inner") { unlink($0) } == nil)
        #expect(failure(mount / "directory") { rmdir($0) } == nil)
        #expect(failure(mount / "file") { unlink($0) } == nil)
        #expect(try mount.names() == [])
        #expect(try Calls.status(mount.path).st_nlink == 3)
    }

    /// What the file system refuses, its caller is told in the words of the system.
    @Test(arguments: [
        ("full", ENOSPC), ("quota", EDQUOT), ("disk", EIO), ("unknown", EOPNOTSUPP),
        ("read-only", EROFS), ("long", ENAMETOOLONG), ("large", EFBIG), ("range", EOVERFLOW),
        ("replaced", EIO),
    ])
    func aRefusalReachesItsCaller(name: String, errno: Int32) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = mount / Word(name)
        #expect(failure(path) { mkdir($0, 0o755) } == errno)
        #expect(failure(path) { symlink("x", $0) } == errno)
        #expect(failure(path) { mkfifo($0, 0o644) } == errno)
        #expect(failure(path) { creat($0, 0o644) } == errno)
        #expect(try mount.names() == [])
        let said = try mount.mount.unmount().errorText
        let line = "cannot keep a change: Read-only file system\n"
        #expect(said == (name == "disk" ? String(repeating: line, count: 4) : ""))
    }

    @Test func whatIsThereIsNotMadeAgain() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("there", [1, 2])
        #expect(failure(path) { mkdir($0, 0o755) } == EEXIST)
        #expect(failure(path) { symlink("x", $0) } == EEXIST)
        #expect(failure(path) { mkfifo($0, 0o755) } == EEXIST)
        #expect(failure(path) { open($0, O_CREAT | O_EXCL | O_CLOEXEC, 0o644) } == EEXIST)
        #expect(failure(path / "below") { mkdir($0, 0o755) } == ENOTDIR)
        #expect(failure(mount / "none/below") { mkdir($0, 0o755) } == ENOENT)
        #expect(try Calls.contents(path) == [1, 2])
    }

    /// A directory lists names of up to 255 bytes, and longer ones are not made.
    @Test func aNameOf256BytesIsRefused() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let long = Word([UInt8](repeating: 0x78, count: 256))
        try mount.write("file", [1])
        try mount.write(Samples.longName, [1])
        try mount.write(Samples.strangeName, [1])
        #expect(failure(mount / long) { creat($0, 0o644) } == ENAMETOOLONG)
        #expect(failure(mount / long) { mkdir($0, 0o755) } == ENAMETOOLONG)
        #expect(failure(mount / long) { symlink("x", $0) } == ENAMETOOLONG)
        #expect(mount.rename("file", long)?.code == ENAMETOOLONG)
        #expect(try Set(mount.names()) == ["file", Samples.longName, Samples.strangeName])
    }

    /// The format keeps no links that are made later.
    @Test func aFurtherLinkIsNotSupported() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", [1])
        let code = (mount / "link").withCString { new in failure(path) { link($0, new) } }
        #expect(code == EOPNOTSUPP)
        #expect(try mount.names() == ["file"])
    }

    // MARK: rename

    @Test func renameMovesAndReplaces() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        try mount.write("a", [1])
        try mount.write("b", [2, 2])
        #expect(failure(mount / "d") { mkdir($0, 0o755) } == nil)
        let node = try Calls.status(mount / "a").st_ino
        #expect(mount.rename("a", "b") == nil)
        #expect(try mount.names() == ["b", "d"])
        #expect(try Calls.contents(mount / "b") == [1])
        #expect(mount.rename("b", "d/c") == nil)
        #expect(try mount.names() == ["d"])
        #expect(try Calls.status(mount / "d/c").st_ino == node)
        #expect(failure(mount / "b") { access($0, F_OK) } == ENOENT)
    }

    @Test func renameRefusesWhatCannotBe() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let made = try shell("cd $1; mkdir -p d/e empty; echo 1 > f; echo 2 > g", mount.path)
        #expect(made.status == 0, "\(made)")
        let cases: [(Word, Word, UInt32, Int32)] = [
            ("none", "x", 0, ENOENT), ("f", "none/x", 0, ENOENT), ("f", "g/x", 0, ENOTDIR),
            ("f", "empty", 0, EISDIR), ("empty", "f", 0, ENOTDIR),
            ("empty", "d", 0, ENOTEMPTY), ("d", "d/e/x", 0, EINVAL),
            ("f", "g", Linux.noReplace, EEXIST), ("f", "none", Linux.exchange, ENOENT),
            ("d", "d/e", Linux.exchange, EINVAL),
            ("f", "g", Linux.noReplace | Linux.exchange, EINVAL),
            ("f", "g", Linux.whiteout, EINVAL), ("f", "g", 64, EINVAL),
        ]
        for (name, new, flags, code) in cases {
            #expect(mount.rename(name, new, flags)?.code == code, "\(name) \(new) \(flags)")
        }
        #expect(try Calls.contents(mount / "g") == Array("2\n".utf8))
    }

    @Test func renameObeysItsFlags() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let made = try shell("cd $1; mkdir -p d/e; echo f > f; echo > d/e/x", mount.path)
        #expect(made.status == 0, "\(made)")
        #expect(mount.rename("f", "new", Linux.noReplace) == nil)
        #expect(mount.rename("new", "d/e", Linux.exchange) == nil)
        #expect(try Calls.contents(mount / "d/e") == Array("f\n".utf8))
        #expect(try Calls.names(mount / "new") == ["x"])
        #expect(try Calls.status(mount / "d").st_nlink == 2)
        #expect(try Calls.status(mount / "new/..").st_ino == Calls.status(mount.path).st_ino)
    }
}
