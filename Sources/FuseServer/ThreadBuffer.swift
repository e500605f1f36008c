internal import Glibc

/// A page-aligned buffer of each thread, kept from request to request and freed with the thread.
enum ThreadBuffer {
    private struct Head {
        var capacity: Int
    }

    /// Room before the buffer for its own size; a page, so that the buffer stays aligned.
    private static let headSize = 4096

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key) { free($0) }
        return key
    }()

    /// Calls `body` with at least `count` bytes of this thread's; with none when memory is short.
    static func with<Result>(
        _ count: Int, _ body: (UnsafeMutableRawBufferPointer) -> Result
    ) -> Result {
        var block = pthread_getspecific(key)
        if let old = block, old.load(as: Head.self).capacity < count {
            free(old)
            block = nil
        }
        if block == nil {
            let capacity = max(count, 128 << 10)
            var new: UnsafeMutableRawPointer?
            guard posix_memalign(&new, 4096, headSize + capacity) == 0, let new else {
                pthread_setspecific(key, nil)
                return body(UnsafeMutableRawBufferPointer(start: nil, count: 0))
            }
            new.storeBytes(of: Head(capacity: capacity), as: Head.self)
            block = new
            pthread_setspecific(key, new)
        }
        return body(
            UnsafeMutableRawBufferPointer(start: block.map { $0 + headSize }, count: count))
    }
}
