internal import Dispatch
internal import Synchronization

/// Has the new image made ahead of time whenever nothing has changed for a while.
public final class BackgroundPacker: Sendable {
    private let commit: ImageCommit
    /// Microseconds.
    private let delay: UInt64
    private let isStopped = Atomic(false)
    private let end = DispatchSemaphore(value: 0)

    /// Waits `delay` seconds for the next change before it begins.
    public init(_ commit: ImageCommit, delay: Double) {
        self.commit = commit
        self.delay = UInt64(clamping: Int((delay * 1e6).rounded()))
    }

    /// Looks on until it is stopped.
    public func run() {
        let step = min(max(delay / 4, 20_000), 1_000_000)
        var (seen, done) = (commit.changeCount, UInt64?.none)
        var quiet: UInt64 = 0
        while !isStopped.load(ordering: .relaxed) {
            let deadline = DispatchTime.now() + .microseconds(Int(clamping: step))
            if end.wait(timeout: deadline) == .success { return }
            let changes = commit.changeCount
            quiet = changes == seen ? quiet &+ step : 0
            seen = changes
            guard quiet >= delay, done != changes else { continue }
            // What failed fails again, until something changes.
            done = changes
            commit.packAhead { [self] in !isStopped.load(ordering: .relaxed) }
        }
    }

    /// Begins nothing more, and ends what is under way.
    public func stop() {
        isStopped.store(true, ordering: .relaxed)
        end.signal()
    }
}
