internal import Glibc

/// Answers those who ask a mount to save its edits: root, and the user whose mount it is.
public final class ControlServer: Sendable {
    private let socket: Int32
    private let commit: ImageCommit

    /// Listens for a mount, by its device number such as `0:52`, on a thread of its own until the
    /// process ends. Nil where that cannot be; then the edits are saved when the mount ends.
    public init?(of device: String, _ commit: ImageCommit) {
        socket = ControlSocket.make()
        self.commit = commit
        guard socket >= 0 else { return nil }
        let status = unsafe ControlSocket.withAddress(of: device) { unsafe bind(socket, $0, $1) }
        guard status == 0, listen(socket, 8) == 0, start() else {
            close(socket)
            return nil
        }
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
        case .commit: return save(client)
        case .progress, .done, .failed:
            return ControlMessage(.failed, "unknown request")
        }
    }

    private func save(_ client: Int32) -> ControlMessage {
        do throws(CommitError) {
            var last: UInt64 = 0
            let outcome = try commit.run { done, total in
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
