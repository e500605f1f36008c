internal import Glibc
internal import Synchronization

/// When a mount was last asked for something.
final class IdleClock: Sendable {
    private let lastRequest = Atomic(IdleClock.now)

    /// Notes a request.
    func touch() { lastRequest.store(Self.now, ordering: .relaxed) }

    /// Milliseconds since the last request.
    var idle: Int { Self.now - lastRequest.load(ordering: .relaxed) }

    /// Milliseconds of a clock that nobody sets.
    private static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}

/// Ends a mount that nobody has used for a while.
///
/// A thread looks at the time of the last request. When that is long enough ago the mount is taken
/// away, never lazily: what is open or somebody's working directory keeps it, and the clock starts
/// anew.
final class IdleTimer: Sendable {
    /// In milliseconds.
    private let limit: Int
    private let mount: Mount
    private let clock: IdleClock

    /// A timer over `mount`, with a limit in seconds.
    init(_ mount: Mount, _ clock: IdleClock, seconds limit: Int) {
        self.mount = mount
        self.clock = clock
        self.limit = limit * 1000
    }

    /// Starts the thread, which ends with the process.
    func start() {
        QuietThread.run { self.watch() }
    }

    private func watch() {
        while let mount = mount.current {
            let left = limit - clock.idle
            if left > 0 {
                var rest = timespec(tv_sec: left / 1000, tv_nsec: left % 1000 * 1_000_000)
                nanosleep(&rest, nil)
            } else if mount.remove() != nil {
                clock.touch()
            }
        }
    }
}
