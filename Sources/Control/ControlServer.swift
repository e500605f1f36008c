internal import Glibc
internal import Synchronization

/// What can be asked of a writable mount.
public protocol Controlled: Sendable {
    /// What it is doing.
    var status: ControlStatus { get }

    /// Makes the edits an image, also over another file than the one that was mounted if forced;
    /// `progress` is told bytes done and in all.
    func commit(isForced: Bool, progress: @escaping (UInt64, UInt64) -> Void) -> ControlReply

    /// Makes the edits an image, and lays out anew what can move.
    func compact(progress: @escaping (UInt64, UInt64) -> Void) -> ControlReply

    /// Forgets the edits when the mount ends.
    func discard() -> ControlReply
}

/// What came of a request.
public enum ControlReply: Equatable, Sendable {
    /// It is done: how it came out, in a word.
    case done(String)
    /// It could not be done: why, in a line.
    case failed(String)
}

/// Answers those who ask something of a mount: root, and the user whose mount it is.
public final class ControlServer: Sendable {
    private let socket: Int32
    private let name: ControlName
    private let mount: any Controlled
    private let isCurrent: @Sendable () -> Bool
    private let isNamed = Atomic(false)
    private let isStopped = Atomic(false)

    /// The server of what a name means, as long as `isCurrent` says so; takes the name if it is free.
    /// Nil where there are no sockets. It answers from `serve` on.
    public init?(
        of name: ControlName, _ mount: any Controlled,
        isCurrent: @escaping @Sendable () -> Bool = { true }
    ) {
        socket = ControlSocket.make()
        self.name = name
        self.mount = mount
        self.isCurrent = isCurrent
        guard socket >= 0 else { return nil }
        isNamed.store(takeName(), ordering: .relaxed)
    }

    deinit { close(socket) }

    /// Whether the name is this server's.
    public var hasName: Bool { isNamed.load(ordering: .relaxed) }

    /// Answers until it is stopped, each who asks in a thread that `start` starts. Where another server
    /// has the name still, that is waited for.
    public func serve(_ start: @Sendable (@escaping @Sendable () -> Void) -> Bool) {
        while !hasName {
            isNamed.store(takeName(), ordering: .relaxed)
            if isStopped.load(ordering: .relaxed) { return }
            if !hasName { usleep(20_000) }
        }
        // Who asks is told the process that listens: the one that serves, not the one that mounts.
        guard listen(socket, 8) == 0 else { return }
        while true {
            let client = accept(socket, nil, nil)
            if client < 0, errno == EINTR || errno == ECONNABORTED { continue }
            guard client >= 0 else { return }
            let isStarted = start { [self] in
                answer(client)
                close(client)
            }
            if !isStarted { close(client) }
        }
    }

    /// Answers no more: the name is another's from now on.
    public func stop() {
        isStopped.store(true, ordering: .relaxed)
        shutdown(socket, Int32(SHUT_RDWR))
    }

    private func takeName() -> Bool {
        unsafe name.withAddress { unsafe bind(socket, $0, $1) } == 0
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
        guard isCurrent() else { return ControlMessage(.gone) }
        var last: UInt64 = 0
        func progress(_ done: UInt64, _ total: UInt64) {
            guard done &- last >= total / 100 || done < last else { return }
            last = done
            ControlSocket.send(ControlMessage(.progress, "\(done) \(total)"), to: client)
        }
        let reply: ControlReply
        switch message.word {
        case .hello: return ControlMessage(.here)
        case .status: reply = .done(mount.status.text)
        case .commit:
            reply = mount.commit(isForced: message.rest == "force", progress: progress)
        case .compact: reply = mount.compact(progress: progress)
        case .discard: reply = mount.discard()
        case .here, .gone, .progress, .done, .failed: reply = .failed("unknown request")
        }
        switch reply {
        case .done(let word): return ControlMessage(.done, word)
        case .failed(let line): return ControlMessage(.failed, line)
        }
    }
}
