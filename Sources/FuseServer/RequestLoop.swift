internal import CFuse
internal import Glibc
internal import Synchronization

/// Takes the requests of a file system that can be changed, and answers them.
///
/// One thread leads: it takes a request and answers it itself where that is quick, as most are that
/// copying tools wait for one after the other; to wake another thread for each would cost more than the
/// answers. While requests come in quick succession it looks for the next one before it sleeps. For a
/// request that may take long it gives up the lead first.
///
/// Unchecked: a session may be asked from any thread.
final class RequestLoop: @unchecked Sendable {
    private let session: OpaquePointer
    private let descriptor: Int32
    /// A pipe, which has something to read at the end.
    private let ending: (reading: Int32, writing: Int32)
    private let lead: Lead
    private let failure = Atomic<Int32>(0)

    /// A loop over a session that is mounted; nil if the system lets none be made.
    init?(_ session: OpaquePointer, mostThreads: Int) {
        let descriptor = fuse_session_fd(session)
        // Between a look and the taking, a request may be withdrawn.
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 else { return nil }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        self.session = session
        self.descriptor = descriptor
        ending = (ends[0], ends[1])
        lead = Lead(mostThreads: mostThreads)
    }

    deinit {
        close(ending.reading)
        close(ending.writing)
    }

    /// Ends the loop, from any thread, once what was taken is answered.
    func end() {
        fuse_session_exit(session)
        var byte: UInt8 = 1
        _ = write(ending.writing, &byte, 1)
    }

    /// Serves until the file system is unmounted or `end` was called. Returns 0, or the negative
    /// number of the error that ended it.
    func run() -> Int32 {
        lead.serve { [self] in work() } ? failure.load(ordering: .relaxed) : -EAGAIN
    }

    private func work() {
        var buffer = fuse_buf()
        defer { free(buffer.mem) }
        var patience = Patience()
        while let term = lead.take() {
            while lead.isHeld(in: term) {
                let count = receive(&buffer, &patience)
                guard count > 0 else {
                    failure.store(count, ordering: .relaxed)
                    end()
                    return lead.end()
                }
                if Self.isQuick(buffer) {
                    lead.watched { fuse_session_process_buf(session, &buffer) }
                } else {
                    lead.giveUp(term)
                    fuse_session_process_buf(session, &buffer)
                }
            }
        }
    }

    /// Waits for a request; returns its length, 0 at the end, or the negative number of an error.
    private func receive(_ buffer: inout fuse_buf, _ patience: inout Patience) -> Int32 {
        while fuse_session_exited(session) == 0 {
            let start = Patience.now
            repeat {
                let count = fuse_session_receive_buf(session, &buffer)
                if count != -EAGAIN, count != -EINTR { return count }
            } while patience.lasts(since: start)
            lead.resting(sleep)
            patience.learn(slept: start)
        }
        return 0
    }

    /// Until there is a request or the end.
    private func sleep() {
        var both = [descriptor, ending.reading].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        while poll(&both, 2, -1) < 0, errno == EINTR {}
    }

    /// Whether a request needs no more than memory, and perhaps a short write. The operation is the
    /// second word of what the kernel sends. Source: Linux `include/uapi/linux/fuse.h`.
    private static func isQuick(_ request: fuse_buf) -> Bool {
        guard let start = request.mem, request.size >= 8 else { return true }
        return switch start.load(fromByteOffset: 4, as: UInt32.self) {
        // WRITE
        case 16: request.size <= 64 << 10
        // READ, FSYNC, READDIR, FSYNCDIR, FALLOCATE, READDIRPLUS
        case 15, 20, 28, 30, 43, 44: false
        default: true
        }
    }
}

/// How long a thread looks for the next request before it sleeps: as long as others came lately.
private struct Patience {
    private var isGiven = Self.isUseful

    /// Nanoseconds that requests of one program are apart at most, while it does nothing else.
    private static let gap: UInt64 = 200_000

    /// With one processor, who asks could not go on meanwhile.
    private static let isUseful = sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1

    /// Whether to look once more.
    func lasts(since start: UInt64) -> Bool { isGiven && Self.now &- start < Self.gap }

    /// Something came after a sleep, which takes its time to begin and to end.
    mutating func learn(slept start: UInt64) {
        isGiven = Self.isUseful && Self.now &- start < 2 * Self.gap
    }

    /// Nanoseconds of the monotonic clock.
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}
