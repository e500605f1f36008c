internal import CFuse
internal import Format
internal import Glibc
internal import IFSFS
internal import Synchronization

/// What the callbacks work with: the file system, and replies in libfuse's terms. Immutable but for
/// what is told of the start and the end, and which files are open.
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
    /// How often each file is open.
    private let openCounts = Mutex<[NodeID: Int]>([:])

    /// Names and attributes never change but through the kernel: a year, in seconds.
    static let timeout: Double = 365 * 86400

    /// Bytes of the longest name that a directory shows: as many as every Linux takes. Source:
    /// `FUSE_NAME_MAX` in its fs/fuse/fuse_i.h, which is 1024 or more.
    static let longestName = 1024
    /// Bytes of the longest name that can be made.
    static let longestNewName = 255

    init(
        _ fileSystem: any FileSystem, isWritable: Bool, _ clock: IdleClock? = nil,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.fileSystem = fileSystem
        writable = isWritable ? fileSystem as? any WritableFileSystem : nil
        self.clock = clock
        self.report = report
    }

    /// What serves, from before the first request on.
    nonisolated(unsafe) var session: OpaquePointer?

    /// Has the kernel ask for them again.
    func forgetAttributes(of node: NodeID) {
        guard let session else { return }
        fuse_lowlevel_notify_inval_inode(session, fuse_ino_t(node.rawValue), -1, 0)
    }

    /// Remembers where to tell that the mount answers.
    func onStart(writing descriptor: Int32) { startPipe.withLock { $0 = descriptor } }

    /// Starts a thread in which the file system prepares itself; nil if it cannot be started.
    func startPreparing() -> pthread_t? {
        QuietThread.start { [self] in
            fileSystem.prepare { !isEnding.load(ordering: .relaxed) }
        }
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

    /// The files that are open.
    var openNodes: [NodeID] { openCounts.withLock { Array($0.keys) } }

    /// Notes that a file was opened.
    func didOpen(_ node: NodeID) { openCounts.withLock { $0[node, default: 0] += 1 } }

    /// Notes that it was closed.
    func didClose(_ node: NodeID) {
        openCounts.withLock { counts in
            counts[node] = counts[node].flatMap { $0 > 1 ? $0 - 1 : nil }
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
