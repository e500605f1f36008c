internal import CFuse
internal import Format
internal import Glibc
internal import IFSFS
internal import Synchronization

/// What the callbacks work with: the file system, and replies in libfuse's terms. Immutable but for
/// the one word that tells the parent of the start.
final class Server: Sendable {
    let fileSystem: any FileSystem
    /// Notes each request, where somebody wants to know.
    let clock: IdleClock?
    private let report: @Sendable (String) -> Void
    /// Where a byte tells the waiting parent that the mount answers; -1 when nobody waits.
    private let startPipe = Mutex<Int32>(-1)
    private let isEnding = Atomic(false)

    /// Names and attributes never change under a read-only mount: a year, in seconds.
    static let timeout: Double = 365 * 86400

    init(
        _ fileSystem: any FileSystem, _ clock: IdleClock? = nil,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.fileSystem = fileSystem
        self.clock = clock
        self.report = report
    }

    /// Remembers where to tell that the mount answers.
    func onStart(writing descriptor: Int32) { startPipe.withLock { $0 = descriptor } }

    /// Starts a thread in which the file system prepares itself; nil if it cannot be started.
    func startPreparing() -> pthread_t? {
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { server in
                // Signals are for the thread that serves.
                var all = sigset_t()
                sigfillset(&all)
                pthread_sigmask(SIG_BLOCK, &all, nil)
                guard let server else { return nil }
                Unmanaged<Server>.fromOpaque(server)._withUnsafeGuaranteedRef { server in
                    server.fileSystem.prepare { !server.isEnding.load(ordering: .relaxed) }
                }
                return nil
            }, Unmanaged.passUnretained(self).toOpaque())
        return failure == 0 ? thread : nil
    }

    /// Ends that thread.
    func endPreparing(_ thread: pthread_t?) {
        isEnding.store(true, ordering: .relaxed)
        if let thread { pthread_join(thread, nil) }
    }

    /// Tells it.
    func didStart() {
        startPipe.withLock { descriptor in
            guard descriptor >= 0 else { return }
            var byte: UInt8 = 1
            _ = write(descriptor, &byte, 1)
            close(descriptor)
            descriptor = -1
        }
    }

    /// Runs one operation and replies with its error if it throws.
    func answer(
        _ request: fuse_req_t?, _ operation: () throws(FileSystemError) -> Void
    ) {
        clock?.touch()
        do throws(FileSystemError) {
            try fileSystem.verify()
            try operation()
        } catch {
            if case .format(let cause) = error { report("\(cause)") }
            fuse_reply_err(request, error.errno)
        }
    }

    /// A node's attributes as `stat` has them.
    static func status(_ attributes: Attributes) -> stat {
        var status = stat()
        status.st_ino = ino_t(attributes.node.rawValue)
        status.st_mode = attributes.kind.rawValue | attributes.permissions
        status.st_nlink = nlink_t(attributes.linkCount)
        status.st_uid = attributes.user
        status.st_gid = attributes.group
        let (major, minor) = attributes.device
        status.st_rdev = dev_t(major & 0xfff) << 8 | dev_t(minor & 0xff) | dev_t(minor >> 8) << 20
        status.st_size = off_t(clamping: attributes.byteCount)
        status.st_blksize = 4096
        status.st_blocks = blkcnt_t(
            clamping: attributes.byteCount / 512 + (attributes.byteCount % 512 == 0 ? 0 : 1))
        let time = timespec(tv_sec: Int(clamping: attributes.modified), tv_nsec: 0)
        status.st_mtim = time
        status.st_ctim = time
        status.st_atim = time
        return status
    }

    /// A node as the answer to a look-up.
    static func entry(_ attributes: Attributes) -> fuse_entry_param {
        var entry = fuse_entry_param()
        entry.ino = fuse_ino_t(attributes.node.rawValue)
        entry.attr = status(attributes)
        entry.attr_timeout = timeout
        entry.entry_timeout = timeout
        return entry
    }
}
