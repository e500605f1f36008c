internal import Glibc
internal import Synchronization

/// Answers those who ask a mount to save its edits: root, and the user whose mount it is.
public final class ControlServer: Sendable {
    private let socket: Int32
    private let name: ControlName
    private let commit: (any Commit)?
    private let isMounted: @Sendable () -> Bool
    private let isNamed = Atomic(false)
    private let isStopped = Atomic(false)

    /// Listens for a mount on a thread of its own until it is stopped; `isMounted` tells whether the
    /// mount is there still. Without a commit there is nothing to save, and who asks can wait for the
    /// end. Nil where nobody can listen; then the edits are saved when the mount ends.
    public init?(
        of name: ControlName, _ commit: (any Commit)?, isMounted: @escaping @Sendable () -> Bool
    ) {
        socket = ControlSocket.make()
        self.name = name
        self.commit = commit
        self.isMounted = isMounted
        guard socket >= 0 else { return nil }
        // Nobody asks before the mount answers: the name is there by then.
        isNamed.store(takeName(), ordering: .relaxed)
        guard start() else {
            close(socket)
            return nil
        }
    }

    /// Listens no more: the mount is gone, and its number is free for another.
    public func stop() {
        isStopped.store(true, ordering: .relaxed)
        shutdown(socket, Int32(SHUT_RDWR))
    }

    /// Takes the name of the device number. The server of an earlier mount may have it for an instant.
    private func takeName() -> Bool {
        let status = unsafe ControlSocket.withAddress(of: name) { unsafe bind(socket, $0, $1) }
        return status == 0 && listen(socket, 8) == 0
    }

    private func start() -> Bool {
        var thread = pthread_t()
        let own = unsafe Unmanaged.passRetained(self).toOpaque()
        return unsafe pthread_create(
            &thread, nil,
            { own in
                // Signals are for the thread that serves the mount.
                var all = sigset_t()
                unsafe sigfillset(&all)
                unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
                guard let own = unsafe own else { return nil }
                unsafe Unmanaged<ControlServer>.fromOpaque(own).takeUnretainedValue().serve()
                return nil
            }, own) == 0
    }

    private func serve() {
        while !isNamed.load(ordering: .relaxed), !takeName() {
            if isStopped.load(ordering: .relaxed) { return }
            usleep(20_000)
        }
        while true {
            let client = accept(socket, nil, nil)
            if client < 0, errno == EINTR || errno == ECONNABORTED { continue }
            guard client >= 0 else { return }
            answer(client)
            close(client)
        }
    }

    private func answer(_ client: Int32) {
        guard let peer = ControlSocket.peer(client), peer.user == 0 || peer.user == geteuid() else {
            ControlSocket.send(ControlMessage(.failed, "the mount is another user's"), to: client)
            return
        }
        while let message = ControlSocket.receive(from: client) {
            ControlSocket.send(reply(to: message, client), to: client)
        }
    }

    private func reply(to message: ControlMessage, _ client: Int32) -> ControlMessage {
        switch message.word {
        case .hello: return ControlMessage(isMounted() ? .here : .gone)
        case .commit: return isMounted() ? save(client) : ControlMessage(.gone)
        case .here, .gone, .progress, .done, .failed:
            return ControlMessage(.failed, "unknown request")
        }
    }

    private func save(_ client: Int32) -> ControlMessage {
        guard let commit else {
            return ControlMessage(.done, CommitOutcome.unchanged.rawValue)
        }
        do throws(CommitError) {
            var last: UInt64 = 0
            let outcome = try commit.run(isLast: false) { done, total in
                guard done &- last >= total / 100 || done < last else { return }
                last = done
                ControlSocket.send(ControlMessage(.progress, "\(done) \(total)"), to: client)
            }
            return ControlMessage(.done, outcome.rawValue)
        } catch {
            return ControlMessage(.failed, error.description)
        }
    }
}
