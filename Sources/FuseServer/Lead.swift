internal import Glibc
internal import Synchronization

/// Which of several threads takes the requests.
///
/// The leader may answer a request itself as long as it is quick. Where one is not, for a lock that
/// somebody holds or a slow disk, the deputy takes the lead after some milliseconds: no request waits
/// for good behind one that waits for it.
///
/// Unchecked: what changes is atomic or under the mutex.
final class Lead: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    /// Where the deputy waits, and where all others do.
    private let deputy = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let others = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    private let mostThreads: Int
    private var body: @Sendable () -> Void = {}
    private var threads: [pthread_t] = []
    private var threadCount = 0
    private var waiting = 0
    private var hasDeputy = false
    private var isOver = false

    /// Counts the leaders.
    private var terms: UInt64 = 0
    /// Whose turn it is; 0 while nobody leads.
    private let current = Atomic<UInt64>(0)
    /// What the leader is at: another number for each request, 0 between them.
    private let task = Atomic<UInt64>(0)
    private let taskCount = Atomic<UInt64>(0)
    /// The leader sleeps until something comes; then so may the deputy.
    private let isResting = Atomic(false)
    private let deputySleeps = Atomic(false)

    /// Nanoseconds that a request may take before the deputy takes over: between once and twice that.
    private static let limit = 5_000_000

    /// As many threads as are needed, `mostThreads` at most.
    init(mostThreads: Int) {
        self.mostThreads = mostThreads
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(deputy, &attributes)
        pthread_cond_init(others, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(others)
        pthread_cond_destroy(deputy)
        pthread_mutex_destroy(mutex)
        others.deallocate()
        deputy.deallocate()
        mutex.deallocate()
    }

    /// Runs `body`, which takes the lead again and again until there is none to take, in threads that
    /// no signal interrupts; returns when all have ended, or false if none can be started.
    func serve(_ body: @escaping @Sendable () -> Void) -> Bool {
        let hasStarted = locked {
            self.body = body
            callAnother()
            return threadCount > 0
        }
        while let thread = locked({ threads.popLast() }) { pthread_join(thread, nil) }
        locked { self.body = {} }
        return hasStarted
    }

    /// Waits for the lead; nil at the end.
    func take() -> UInt64? {
        locked {
            while !isOver, current.load(ordering: .relaxed) != 0 {
                if hasDeputy {
                    waiting += 1
                    pthread_cond_wait(others, mutex)
                    waiting -= 1
                } else {
                    hasDeputy = true
                    watch()
                    hasDeputy = false
                }
            }
            guard !isOver else { return nil }
            terms += 1
            current.store(terms, ordering: .relaxed)
            if !hasDeputy { callAnother() }
            return terms
        }
    }

    /// Whether the lead was neither given up nor taken over.
    func isHeld(in term: UInt64) -> Bool { current.load(ordering: .relaxed) == term }

    /// Lets another thread take the lead.
    func giveUp(_ term: UInt64) {
        locked {
            guard isHeld(in: term) else { return }
            current.store(0, ordering: .relaxed)
            if hasDeputy { pthread_cond_signal(deputy) } else { callAnother() }
        }
    }

    /// Answers a request that should be quick.
    func watched(_ answer: () -> Void) {
        let mine = taskCount.wrappingAdd(1, ordering: .relaxed).newValue
        task.store(mine, ordering: .relaxed)
        answer()
        _ = task.compareExchange(expected: mine, desired: 0, ordering: .relaxed)
    }

    /// Sleeps until something comes.
    func resting(_ sleep: () -> Void) {
        isResting.store(true, ordering: .sequentiallyConsistent)
        sleep()
        isResting.store(false, ordering: .sequentiallyConsistent)
        if deputySleeps.load(ordering: .sequentiallyConsistent) {
            locked { _ = pthread_cond_signal(deputy) }
        }
    }

    /// Ends it for all threads.
    func end() {
        locked {
            isOver = true
            pthread_cond_signal(deputy)
            pthread_cond_broadcast(others)
        }
    }

    /// The deputy waits until the lead is free or has to be taken over; looks at nothing else.
    private func watch() {
        deputySleeps.store(true, ordering: .sequentiallyConsistent)
        if isResting.load(ordering: .sequentiallyConsistent) { pthread_cond_wait(deputy, mutex) }
        deputySleeps.store(false, ordering: .sequentiallyConsistent)
        let seen = task.load(ordering: .relaxed)
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        time.tv_nsec += Self.limit
        if time.tv_nsec >= 1_000_000_000 {
            time.tv_nsec -= 1_000_000_000
            time.tv_sec += 1
        }
        guard !isOver, current.load(ordering: .relaxed) != 0,
            pthread_cond_timedwait(deputy, mutex, &time) == ETIMEDOUT,
            seen != 0, task.load(ordering: .relaxed) == seen
        else { return }
        current.store(0, ordering: .relaxed)
    }

    /// One that waits, or a new one.
    private func callAnother() {
        guard !isOver else { return }
        if waiting > 0 {
            pthread_cond_signal(others)
        } else if threadCount < mostThreads, let new = QuietThread.start(body) {
            threads.append(new)
            threadCount += 1
        }
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }
}
