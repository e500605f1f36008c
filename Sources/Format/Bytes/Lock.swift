internal import Glibc

/// A value that one thread at a time may use, as with `Mutex`; whoever waits for long sleeps.
///
/// `Mutex` is a futex with priority inheritance on Linux. Once one thread waits, such a futex is
/// handed from waiter to waiter, each of which must first be scheduled: where a lock is taken
/// several times for each block, the threads queue up behind one another and spin meanwhile. With
/// four streams that cost twice the processor time of decoding.
@safe package struct Lock<Value>: ~Copyable, @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let value: UnsafeMutablePointer<Value>

    /// `PTHREAD_MUTEX_ADAPTIVE_NP`: whoever waits tries some hundred times before it sleeps.
    private static var adaptive: Int32 { 3 }

    /// A lock around a value.
    package init(_ value: sending Value) {
        unsafe mutex = .allocate(capacity: 1)
        unsafe self.value = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        var attributes = pthread_mutexattr_t()
        unsafe pthread_mutexattr_init(&attributes)
        unsafe pthread_mutexattr_settype(&attributes, Self.adaptive)
        unsafe pthread_mutex_init(mutex, &attributes)
        unsafe pthread_mutexattr_destroy(&attributes)
        unsafe self.value.initialize(to: value)
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
        unsafe value.deinitialize(count: 1)
        unsafe value.deallocate()
    }

    /// Runs `body` while no other thread has the value.
    package borrowing func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try unsafe body(&value.pointee)
    }
}
