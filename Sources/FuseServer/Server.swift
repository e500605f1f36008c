internal import CFuse
internal import Format
internal import Glibc
internal import IFSFS
internal import Synchronization

/// What the callbacks work with: the file system, and replies in libfuse's terms. Immutable but for
/// the one word that tells the parent of the start.
final class Server: Sendable {
    let fileSystem: any FileSystem
    /// The same if it can be changed, and is to be.
    let writable: (any WritableFileSystem)?
    /// Notes each request, where somebody wants to know.
    let clock: IdleClock?
    private let report: @Sendable (String) -> Void
    /// Where a byte tells the waiting parent that the mount answers; -1 when nobody waits.
    private let startPipe = Mutex<Int32>(-1)
    private let isEnding = Atomic(false)

    /// Names and attributes never change but through the kernel: a year, in seconds.
    static let timeout: Double = 365 * 86400

    /// Bytes of the longest name that a directory shows.
    static let longestName = 255

    init(
        _ fileSystem: any FileSystem, isWritable: Bool, _ clock: IdleClock? = nil,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.fileSystem = fileSystem
        writable = isWritable ? fileSystem as? any WritableFileSystem : nil
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
            if let line = Self.line(error) { report(line) }
            fuse_reply_err(request, error.errno)
        }
    }

    /// What the errno does not tell.
    private static func line(_ error: FileSystemError) -> String? {
        switch error {
        case .format(let cause): "\(cause)"
        case .disk(let code) where code != error.errno:
            "cannot keep a change: \(systemMessage(code))"
        default: nil
        }
    }
}
