internal import CFuse
internal import Format
internal import Glibc
internal import Synchronization

/// SIGHUP, SIGINT and SIGTERM for a file system that can be changed: the kernel hands over what it
/// holds before the loop ends.
///
/// libfuse's own handlers end the loop at once, and what programs have put into maps of files would
/// be lost. So a thread waits for a signal, has the kernel write while the loop goes on serving, and
/// ends the loop then.
///
/// Unchecked: nothing changes but what is atomic, and a session may be ended from any thread.
final class EndingSignals: @unchecked Sendable {
    private static let numbers = [SIGHUP, SIGINT, SIGTERM]
    /// Counts the signals that have come.
    nonisolated(unsafe) private static let arrivals: UnsafeMutablePointer<sem_t> = {
        let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
        return semaphore
    }()
    private static let count: @convention(c) (Int32) -> Void = { _ in sem_post(arrivals) }

    private let session: OpaquePointer
    private let server: Server
    private let loop: RequestLoop
    private let isOver = Atomic(false)
    private let thread = Mutex<pthread_t?>(nil)

    /// Takes the signals that are not ignored. To be called in the thread that serves, before
    /// libfuse sets its handlers: those that it finds it leaves alone.
    static func take() {
        _ = arrivals
        for number in numbers { cfuse_exchange_handler(number, SIG_DFL, count) }
    }

    /// Gives them up, when the mount has ended and its changes are about to be saved. Who asks once more
    /// that it end is not heard from now on, nor is it told that nobody reads what it says; SIGINT breaks
    /// off what it does.
    static func leave() {
        for number in [SIGHUP, SIGTERM] { cfuse_exchange_handler(number, count, SIG_IGN) }
        cfuse_exchange_handler(SIGINT, count, SIG_DFL)
        cfuse_exchange_handler(SIGPIPE, SIG_DFL, SIG_IGN)
    }

    /// The signals of a session, taken before; starts to wait for them.
    init(
        _ session: OpaquePointer, _ server: Server, _ loop: RequestLoop
    ) throws(MountError) {
        self.session = session
        self.loop = loop
        self.server = server
        guard let started = QuietThread.start({ [self] in watch() }) else {
            throw MountError("cannot start a thread")
        }
        thread.withLock { $0 = started }
    }

    /// Waits no more. To be called when the loop has ended.
    func stop() {
        isOver.store(true, ordering: .relaxed)
        sem_post(Self.arrivals)
        if let thread = thread.withLock({ $0 }) { pthread_join(thread, nil) }
    }

    private func watch() {
        while sem_wait(Self.arrivals) != 0 {}
        guard !isOver.load(ordering: .relaxed) else { return }
        handOver()
        loop.end()
    }

    /// Has the kernel write what it holds of open files. It does so, and waits, before it drops
    /// pages; syncfs(2) would not wait for the answers.
    private func handOver() {
        for node in server.openNodes {
            fuse_lowlevel_notify_inval_inode(session, fuse_ino_t(node.rawValue), 0, 0)
        }
    }
}
