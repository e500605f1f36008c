internal import Glibc

/// Threads that leave signals to the one that serves.
public enum QuietThread {
    /// Starts a thread that nobody waits for; false if it cannot be started.
    @discardableResult
    public static func run(_ body: @escaping @Sendable () -> Void) -> Bool {
        guard let thread = start(body) else { return false }
        pthread_detach(thread)
        return true
    }

    private final class Task: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Starts a thread, which somebody joins or detaches; nil if it cannot be started.
    static func start(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
        let task = Unmanaged.passRetained(Task(body))
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { task in
                var all = sigset_t()
                sigfillset(&all)
                pthread_sigmask(SIG_BLOCK, &all, nil)
                task.map { Unmanaged<Task>.fromOpaque($0).takeRetainedValue().body() }
                return nil
            }, task.toOpaque())
        if failure == 0 { return thread }
        task.release()
        return nil
    }
}
