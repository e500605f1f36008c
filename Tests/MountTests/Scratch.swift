import Foundation
import TestSupport
import Testing

/// What the tests in this folder need of the machine.
enum Machine {
    /// Whether `/dev/fuse` can be opened.
    static let hasFuse: Bool = {
        let descriptor = open("/dev/fuse", O_RDWR | O_CLOEXEC)
        if descriptor >= 0 { close(descriptor) }
        return descriptor >= 0
    }()

    static let isRoot = geteuid() == 0

    /// A folder of tools that are built for something else than use, such as under a sanitizer; nil
    /// where those of `make build` are tested.
    static let otherTools: String? = ProcessInfo.processInfo.environment["IFSFS_TOOLS"]

    /// A tool as `make build` has made it, or one of `otherTools`.
    static func tool(_ name: String) -> Word {
        let folder = otherTools ?? Fixtures.root.appendingPathComponent(".build/release").path
        return Word("\(folder)/\(name)")
    }

    /// Whether a command is installed.
    static func has(_ command: Word) -> Bool {
        // Where nothing can be run, nothing is installed.
        (try? shell("command -v \"$1\"", command).status) == 0
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips where nothing can be mounted.
    static var needsFuse: Self { .enabled(if: Machine.hasFuse, "/dev/fuse cannot be opened") }

    /// Skips what only the superuser may try.
    static var needsRoot: Self { .enabled(if: Machine.isRoot, "only root may try this") }
}

/// A temporary directory of one test, with all that is mounted in it. The test calls `end` in a
/// `defer`: it unmounts, ends the servers, and removes the directory.
final class Scratch {
    /// Without symbolic links, so that it is what mount tables show.
    let path: Word
    private var mounts: [Mount] = []

    init() throws {
        var template = Array((NSTemporaryDirectory() + "/ifsfs.XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil, let real = realpath(template, nil) else {
            throw Failure("cannot make a temporary directory")
        }
        defer { free(real) }
        path = Word(String(cString: real))
        // Other users have to come as far as the mounts.
        _ = path.withCString { chmod($0, 0o755) }
    }

    /// A path in the directory.
    static func / (scratch: Scratch, name: Word) -> Word { scratch.path / name }

    /// Writes a file, perhaps in another directory.
    @discardableResult
    func file(_ name: Word, _ bytes: [UInt8], in folder: Word? = nil) throws -> Word {
        let path = (folder ?? path) / name
        let descriptor = path.withCString {
            open($0, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        }
        guard descriptor >= 0 else { throw Failure("cannot make \(path)") }
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes {
                write(descriptor, $0.baseAddress, $0.count)
            }
            guard count > 0 else { throw Failure("cannot write \(path)") }
            done += count
        }
        return path
    }

    /// Writes an image.
    @discardableResult
    func image(_ builder: ImageBuilder, _ name: Word = "x.ifs") throws -> Word {
        try file(name, builder.build().bytes)
    }

    /// A copy of the tool for other users, who may not come as far as the project.
    func toolForOthers() throws -> Word {
        let copy = try directory("tool") / "mount.ifs"
        let copied = try run(["cp", Machine.tool("mount.ifs"), copy])
        guard copied.status == 0 else { throw Failure("cannot copy the tool: \(copied)") }
        return copy
    }

    /// Makes a directory if it is not there.
    @discardableResult
    func directory(_ name: Word) throws -> Word {
        let path = self / name
        guard path.withCString({ mkdir($0, 0o755) }) == 0 || errno == EEXIST else {
            throw Failure("cannot make \(path)")
        }
        return path
    }

    /// What came of an attempt to mount.
    enum Attempt {
        case mounted(Mount)
        case refused(Finished)
    }

    /// Mounts an image on the directory `name` by a server in the foreground, and waits until it
    /// answers. After `deadline` seconds the server is killed, so that no call hangs for ever.
    func mount(
        _ image: Word, _ options: Word..., at name: Word = "m", deadline: Double = 120
    ) throws -> Mount {
        switch try attempt(image, options, at: name, deadline: deadline) {
        case .mounted(let mount): return mount
        case .refused(let finished): throw Failure("cannot mount \(image): \(finished)")
        }
    }

    /// Does as `mount`, but a refusal is an answer.
    func attempt(
        _ image: Word, _ options: [Word] = [], at name: Word = "m", deadline: Double = 120
    ) throws -> Attempt {
        var words: [Word] = [Machine.tool("mount.ifs"), "-F", image, try directory(name)]
        for option in options { words += ["-o", option] }
        return try attempt(words, at: name, deadline: deadline)
    }

    /// Does as `attempt` with the command line of any server.
    func attempt(_ words: [Word], at name: Word, deadline: Double = 120) throws -> Attempt {
        let point = try directory(name)
        let before = try MountLine.on(point).count
        let mount = Mount(point, try Running(words), deadline)
        mounts.append(mount)
        let outcome = try within(deadline) { () -> Attempt? in
            if try MountLine.on(point).count > before { return .mounted(mount) }
            return mount.server.poll().map { .refused($0) }
        }
        guard let outcome else { throw Failure("\(words): no answer within \(deadline) s") }
        if case .mounted = outcome { _ = try Calls.status(point) }
        return outcome
    }

    /// Mounts what a builder makes.
    func mount(_ builder: ImageBuilder, _ options: Word...) throws -> Mount {
        let list = Word(Array(options.map(\.bytes).joined(separator: [UInt8(ascii: ",")])))
        return try options.isEmpty ? mount(image(builder)) : mount(image(builder), list)
    }

    /// Unmounts everything, the servers with it, and removes the directory. A server that does not
    /// end as it should is an issue of the test.
    func end() {
        for mount in mounts.reversed() { mount.end() }
        let prefix = path.bytes + [UInt8(ascii: "/")]
        // No mount table, nothing to unmount.
        for line in ((try? MountLine.all()) ?? []).reversed()
        where line.point.bytes.starts(with: prefix) {
            forceUnmount(line.point)
        }
        for daemon in Daemon.all(where: { $0.bytes.starts(with: prefix) })
        where !daemon.endsWithin(60) {
            Issue.record("a server stayed and was killed: \(daemon.commandLine)")
            kill(daemon.id, SIGKILL)
        }
        guard (try? MountLine.all().contains { $0.point.bytes.starts(with: prefix) }) == false
        else {
            Issue.record("something is still mounted below \(path)")
            return
        }
        _ = try? run(["chmod", "-R", "u+rwx", path])  // rm says what it could not do.
        if (try? run(["rm", "-rf", "--one-file-system", path]).status) != 0 {
            Issue.record("cannot remove \(path)")
        }
    }
}

/// Unmounts with `fusermount3 -u`. For an instant, a process that another test starts holds what this
/// test has closed: a busy mount is tried again.
func unmount(_ point: Word) throws {
    let done = try within(60) { () -> Finished? in
        let finished = try run(["fusermount3", "-u", point], deadline: 60)
        return finished.status == 0 ? finished : nil
    }
    guard done != nil else { throw Failure("cannot unmount \(point)") }
}

/// Unmounts, lazily where nothing else helps.
func forceUnmount(_ point: Word) {
    let ways: [[Word]] = [
        ["fusermount3", "-u", point], ["umount", point], ["fusermount3", "-uz", point],
        ["umount", "-l", point],
    ]
    for way in ways where (try? run(way, deadline: 60).status) == 0 { return }
}

/// A mounted image, and the server behind it.
final class Mount {
    let path: Word
    let server: Running
    private let guardian: Watchdog.Ward

    init(_ path: Word, _ server: Running, _ deadline: Double) {
        self.path = path
        self.server = server
        guardian = Watchdog.watch(server.id, deadline)
    }

    /// A path in the mount.
    static func / (mount: Mount, name: Word) -> Word { mount.path / name }

    /// Unmounts, and waits until the server is gone; what it said and how it ended.
    @discardableResult
    func unmount() throws -> Finished {
        try MountTests.unmount(path)
        return try wait()
    }

    /// Waits until the server has ended of itself.
    @discardableResult
    func wait() throws -> Finished {
        let finished = try server.wait(60)
        guardian.release()
        return finished
    }

    fileprivate func end() {
        defer { guardian.release() }
        if guardian.hasBitten { Issue.record("the deadline of the mount on \(path) has passed") }
        guard server.poll() == nil else { return }
        do {
            let finished = try unmount()
            if finished.status != 0 { Issue.record("the server ended with \(finished)") }
        } catch {
            Issue.record(error)
            forceUnmount(path)
            server.end()
        }
    }
}

/// Kills servers that have had their time: whoever waits for their answers gets an error then.
final class Watchdog: @unchecked Sendable {
    /// A server being watched. Unchecked: the watchdog's lock guards what changes.
    final class Ward: @unchecked Sendable {
        fileprivate let id: pid_t
        fileprivate let end: Date
        fileprivate var isReleased = false
        fileprivate var wasKilled = false

        fileprivate init(_ id: pid_t, _ end: Date) {
            self.id = id
            self.end = end
        }

        var hasBitten: Bool { Watchdog.shared.lock.withLock { wasKilled } }

        /// The server is known to have ended; its number may be another's soon.
        func release() { Watchdog.shared.lock.withLock { isReleased = true } }
    }

    private static let shared = Watchdog()
    private let lock = NSLock()
    private var wards: [Ward] = []

    private init() {
        Thread.detachNewThread { [self] in
            while true {
                usleep(100_000)
                lock.withLock { look() }
            }
        }
    }

    private func look() {
        for ward in wards where !ward.isReleased && ward.end < Date() {
            kill(ward.id, SIGKILL)
            ward.wasKilled = true
            ward.isReleased = true
        }
        wards.removeAll(where: \.isReleased)
    }

    static func watch(_ id: pid_t, _ seconds: Double) -> Ward {
        let ward = Ward(id, Date().addingTimeInterval(seconds))
        shared.lock.withLock { shared.wards.append(ward) }
        return ward
    }
}
