import Foundation
import TestSupport
import Testing

/// Nothing changes what is mounted.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct ReadOnlyTests {
    /// A call that would change something; gives what the system call gives.
    struct Change: Sendable {
        let name: String
        let call: @Sendable (Word) -> Int32

        init(_ name: String, _ call: @escaping @Sendable (Word) -> Int32) {
            self.name = name
            self.call = call
        }
    }

    /// Calls `body` with two paths in a directory.
    private static func two(
        _ root: Word, _ first: Word, _ second: Word,
        _ body: (UnsafePointer<CChar>, UnsafePointer<CChar>) -> Int32
    ) -> Int32 {
        (root / first).withCString { first in
            (root / second).withCString { second in body(first, second) }
        }
    }

    private static func one(
        _ root: Word, _ name: Word, _ body: (UnsafePointer<CChar>) -> Int32
    ) -> Int32 {
        (root / name).withCString(body)
    }

    private static func opening(_ flags: Int32) -> @Sendable (Word) -> Int32 {
        { root in
            one(root, "etc/motd") { path in
                let descriptor = open(path, flags | O_CLOEXEC)
                if descriptor >= 0 { close(descriptor) }
                return descriptor
            }
        }
    }

    /// Runs `body` with a descriptor of a file that is open for reading.
    private static func opened(
        _ root: Word, _ body: (Int32) -> Int32
    ) -> Int32 {
        (try? Calls.open(root / "etc/motd") { body($0) }) ?? 0  // 0: no error, so the test fails.
    }

    static let changes: [Change] = [
        Change("open O_WRONLY", opening(O_WRONLY)),
        Change("open O_RDWR", opening(O_RDWR)),
        Change("open O_WRONLY|O_APPEND", opening(O_WRONLY | O_APPEND)),
        Change("open O_RDONLY|O_TRUNC", opening(O_RDONLY | O_TRUNC)),
        Change("open O_CREAT") {
            one($0, "new") { open($0, O_CREAT | O_RDONLY | O_CLOEXEC, 0o644) }
        },
        Change("open O_TMPFILE") {
            one($0, "bin") { open($0, Linux.temporaryFile | O_RDWR | O_CLOEXEC, 0o644) }
        },
        Change("creat") { one($0, "new") { creat($0, 0o644) } },
        Change("mkdir") { one($0, "new") { mkdir($0, 0o755) } },
        Change("rmdir") { one($0, "empty") { rmdir($0) } },
        Change("unlink") { one($0, "etc/motd") { unlink($0) } },
        Change("rename") { two($0, "etc/motd", "etc/new") { rename($0, $1) } },
        Change("rename over") { two($0, "etc/motd", "etc/hosts") { rename($0, $1) } },
        Change("link") { two($0, "etc/motd", "new") { link($0, $1) } },
        Change("symlink") { one($0, "new") { symlink("target", $0) } },
        Change("mknod") { one($0, "new") { mknod($0, S_IFREG | 0o644, 0) } },
        Change("mkfifo") { one($0, "new") { mkfifo($0, 0o644) } },
        Change("chmod") { one($0, "etc/motd") { chmod($0, 0o600) } },
        Change("fchmod") { opened($0) { fchmod($0, 0o600) } },
        Change("chown") { one($0, "etc/motd") { chown($0, 1, 1) } },
        Change("lchown") { one($0, "bin/link1") { lchown($0, 1, 1) } },
        Change("fchown") { opened($0) { fchown($0, 1, 1) } },
        Change("truncate") { one($0, "etc/motd") { truncate($0, 0) } },
        Change("utimensat") { one($0, "etc/motd") { utimensat(AT_FDCWD, $0, nil, 0) } },
        Change("futimens") { opened($0) { futimens($0, nil) } },
        Change("access W_OK") { one($0, "etc/motd") { access($0, W_OK) } },
        Change("setxattr") { one($0, "etc/motd") { setxattr($0, "user.x", "1", 1, 0) } },
        Change("removexattr") { one($0, "etc/motd") { removexattr($0, "user.x") } },
        Change("bind a socket") { root in
            one(root, "new") { path in
                let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
                defer { close(socket) }
                var address = sockaddr_un()
                address.sun_family = sa_family_t(AF_UNIX)
                _ = withUnsafeMutableBytes(of: &address.sun_path) { room in
                    strncpy(room.baseAddress!, path, room.count - 1)
                }
                return withUnsafePointer(to: &address) { address in
                    address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                    }
                }
            }
        },
    ]

    /// Every call that would change something fails, because the file system is read-only.
    @Test func everyChangeIsRefusedAsReadOnly() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.ordinary)
        for change in Self.changes {
            let failure = Calls.failure { change.call(mount.path) }
            #expect(failure == SystemError(code: EROFS), "\(change.name)")
        }
        #expect(try Calls.contents(mount / "etc/motd") == Array("a needle in the hay\n".utf8))
        #expect(throws: SystemError(code: ENOENT)) { try Calls.status(mount / "new") }
    }

    /// What cannot become a new image is shown read-only, with the reason.
    @Test(
        arguments: [
            ("rw,uid=5", "uid= shows what the image does not say"),
            ("rw,umask=022", "umask= shows what the image does not say"),
            ("rw,subdir=etc", "subdir= shows what the image does not say"),
        ] as [(Word, String)])
    func whatCannotBeSavedIsReadOnlyAndSaysSo(options: Word, reason: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.ordinary, options)
        #expect(try #require(MountLine.on(mount.path).last).superOptions.contains("ro"))
        let failure = Calls.failure { (mount / "new").withCString { mkdir($0, 0o755) } }
        #expect(failure == SystemError(code: EROFS))
        let said = try mount.unmount().errorText
        #expect(said == "mount.ifs: \(scratch / "x.ifs"): mounted read-only: \(reason)\n")
    }

    /// A mount that root has remounted for writing refuses changes all the same.
    ///
    /// Root can have the kernel ask for changes; the server refuses them all the same.
    @Test(.needsRoot)
    func remountedForWritingItStillRefuses() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.ordinary)
        #expect(try run(["mount", "-i", "-o", "remount,rw", mount.path]).status == 0)
        // Opening changes nothing; libfuse does not know O_TMPFILE.
        let others = Self.changes.filter { change in
            !["open O_WRONLY", "open O_RDWR", "open O_TMPFILE", "access"].contains {
                change.name.hasPrefix($0)
            }
        }
        #expect(others.count == Self.changes.count - 5)
        for change in others {
            let failure = Calls.failure { change.call(mount.path) }
            #expect(failure == SystemError(code: EROFS), "\(change.name)")
        }
        let written = Calls.failure {
            (try? Calls.open(mount / "etc/motd", O_WRONLY) { Int32(write($0, "x", 1)) }) ?? 0
        }
        #expect(written == SystemError(code: EROFS))
        #expect(try Calls.contents(mount / "etc/motd") == Array("a needle in the hay\n".utf8))
    }

    @Test func aMapThatIsWrittenToIsRefused() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.ordinary)
        try Calls.open(mount / "etc/motd") { descriptor throws in
            let map = mmap(nil, 20, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
            #expect(map == MAP_FAILED && errno == EACCES)
        }
    }

    /// The image file itself is never changed.
    @Test func theImageIsTheSameAfterAllOfIt() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.ordinary)
        let (before, bytes) = try (Calls.status(image), Calls.contents(image))
        let mount = try scratch.mount(image)
        for path in try Calls.tree(mount.path) {
            _ = Calls.failure { (mount / path).withCString { chmod($0, 0o777) } }
            _ = try? Calls.contents(mount / path)  // Directories have none.
        }
        try mount.unmount()
        let after = try Calls.status(image)
        #expect(difference(try Calls.contents(image), bytes) == nil)
        #expect(after.st_mtim.tv_sec == before.st_mtim.tv_sec)
        #expect(after.st_mtim.tv_nsec == before.st_mtim.tv_nsec)
    }
}
