/*
 * What the thread sanitizer must be told of Swift's standard library, which comes without
 * instrumentation. scripts/tsan links this with --wrap for each function.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The mutex: its quick ways are inlined into our code and seen there; the slow ones, taken when
 * threads meet, are not, and all that such a mutex guards would be reported.
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

/*
 * The reference count: what a thread did with an object before it let go of it comes before the end of
 * the object, whoever lets go last. That order lies in the count, which only the library touches. A
 * lock makes it sure which release is the last; the end itself is outside the lock, for it releases
 * what the object held.
 */
#define COUNT_LOCKS 256
static atomic_flag count_locks[COUNT_LOCKS];

void __real_swift_release(void *object);
size_t swift_retainCount(void *object);

__attribute__((preserve_most)) void __wrap_swift_release(void *object) {
    /* Null, and what is a value and no object. */
    if ((intptr_t)object <= 0) {
        __real_swift_release(object);
        return;
    }
    atomic_flag *lock = &count_locks[((uintptr_t)object >> 4) % COUNT_LOCKS];
    while (atomic_flag_test_and_set_explicit(lock, memory_order_acquire)) {
    }
    int is_last = swift_retainCount(object) <= 1;
    if (is_last) {
        __tsan_acquire(object);
    } else {
        __tsan_release(object);
        __real_swift_release(object);
    }
    atomic_flag_clear_explicit(lock, memory_order_release);
    if (is_last) __real_swift_release(object);
}
