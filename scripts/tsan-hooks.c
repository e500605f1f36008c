/*
 * What the thread sanitizer must be told of the mutex of Swift's standard library, which comes
 * without instrumentation. Its quick ways are inlined into our code and seen there; the slow ones,
 * taken when threads meet, are not, and all that such a mutex guards would be reported.
 *
 * scripts/tsan links this with --wrap for the two functions.
 */
#define LOCK_SLOW(prefix) prefix##$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF
#define UNLOCK_SLOW(prefix) prefix##$s15Synchronization12_MutexHandleV11_unlockSlowyyF
#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *self

void __tsan_acquire(void *address);
void __tsan_release(void *address);

SWIFT void LOCK_SLOW(__real_)(unsigned thread, SELF);
SWIFT void UNLOCK_SLOW(__real_)(SELF);

SWIFT void LOCK_SLOW(__wrap_)(unsigned thread, SELF) {
    LOCK_SLOW(__real_)(thread, self);
    __tsan_acquire(self);
}

SWIFT void UNLOCK_SLOW(__wrap_)(SELF) {
    __tsan_release(self);
    UNLOCK_SLOW(__real_)(self);
}
