internal import Dispatch
internal import Glibc
internal import Synchronization

/// What must not stay behind when a signal ends the process.
public enum Interruption {
    private static let files = Mutex<Set<[UInt8]>>([])
    private static let signals = [SIGHUP, SIGINT, SIGTERM]

    /// From now on a signal that asks the process to end first has `cleanUp` called, which removes
    /// what it knows of and then calls its argument: that removes the files of `making`, and ends the
    /// process by the signal. To be called before there is a second thread, which could take it.
    public static func watch(_ cleanUp: @escaping @Sendable (_ end: () -> Void) -> Void) {
        var awaited = sigset_t()
        unsafe sigemptyset(&awaited)
        for signal in signals where !isIgnored(signal) { unsafe sigaddset(&awaited, signal) }
        unsafe pthread_sigmask(SIG_BLOCK, &awaited, nil)
        DispatchQueue(label: "interruption").async { [awaited] in
            var awaited = awaited
            var signal: Int32 = 0
            guard unsafe sigwait(&awaited, &signal) == 0 else { return }
            cleanUp { end(by: signal) }
            end(by: signal)
        }
    }

    /// Removes the files, and makes none possible any more.
    private static func end(by signal: Int32) {
        files.withLock { files in
            for path in files {
                _ = unsafe Argument(bytes: path).withCString { unsafe unlink($0) }
            }
            var one = sigset_t()
            unsafe sigemptyset(&one)
            unsafe sigaddset(&one, signal)
            unsafe pthread_sigmask(SIG_UNBLOCK, &one, nil)
            raise(signal)
        }
    }

    /// Calls `make`, and removes the file whose path it gives if a signal ends the process.
    static func making(_ make: () -> Argument?) -> Argument? {
        files.withLock { files in
            let path = make()
            if let path { files.insert(path.bytes) }
            return path
        }
    }

    /// The file is complete, or gone.
    static func forget(_ path: Argument) { files.withLock { _ = $0.remove(path.bytes) } }

    /// Whether whoever started the process wants the signal to do nothing, as nohup does.
    private static func isIgnored(_ signal: Int32) -> Bool {
        var action = sigaction()
        guard unsafe sigaction(signal, nil, &action) == 0 else { return false }
        // SIG_IGN is the function at address 1.
        return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    }
}
