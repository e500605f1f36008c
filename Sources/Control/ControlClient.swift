internal import CLinux
internal import Glibc

/// Why a mount did not do what was asked of it: one line.
public struct ControlError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The line.
    public let description: String
}

/// Speaks to the server of a mount.
public final class ControlClient: Sendable {
    private let socket: Int32
    /// The process itself, whoever gets its number later; -1 where the kernel gives none.
    private let pidDescriptor: Int32
    /// The server's process.
    public let process: Int32

    /// Reaches the server of a name; nil where none answers, as for a mount that cannot be changed.
    /// `isTrusted` is asked whose process it is: anybody can take a free name. The server of an earlier
    /// mount with the number, which is saving still, is waited for.
    public static func reaching(
        _ name: ControlName, isTrusted: (_ user: UInt32) -> Bool
    ) -> ControlClient? {
        for _ in 0..<100 {
            guard let client = ControlClient(of: name, isTrusted: isTrusted) else { return nil }
            if client.isServer() { return client }
            usleep(20_000)
        }
        return nil
    }

    private func isServer() -> Bool {
        ControlSocket.send(ControlMessage(.hello), to: socket)
            && ControlSocket.receive(from: socket)?.word == .here
    }

    private init?(of name: ControlName, isTrusted: (_ user: UInt32) -> Bool) {
        let socket = ControlSocket.make()
        self.socket = socket
        guard socket >= 0 else {
            (process, pidDescriptor) = (0, -1)
            return nil
        }
        let status = unsafe name.withAddress { unsafe connect(socket, $0, $1) }
        guard status == 0, let peer = ControlSocket.peer(socket), isTrusted(peer.user) else {
            (process, pidDescriptor) = (0, -1)
            return nil
        }
        process = peer.process
        pidDescriptor = clinux_pidfd_open(peer.process)
    }

    deinit {
        close(socket)
        if pidDescriptor >= 0 { close(pidDescriptor) }
    }

    /// What the mount is doing; nil where its server has ended.
    public func status() -> ControlStatus? {
        (try? ask(ControlMessage(.status))).flatMap(ControlStatus.init)
    }

    /// Has the edits saved and waits for the end; `progress` is told bytes done and in all. Gives how
    /// it came out, in a word.
    public func commit(
        isForced: Bool = false, progress: (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(ControlError) -> String {
        try ask(ControlMessage(.commit, isForced ? "force" : ""), progress)
    }

    /// Has the edits saved, and laid out anew what can move.
    public func compact(
        progress: (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(ControlError) -> String {
        try ask(ControlMessage(.compact), progress)
    }

    /// Has the edits forgotten when the mount ends.
    public func discard() throws(ControlError) { _ = try ask(ControlMessage(.discard)) }

    private func ask(
        _ request: ControlMessage, _ progress: (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(ControlError) -> String {
        guard ControlSocket.send(request, to: socket) else { throw Self.lost }
        while let message = ControlSocket.receive(from: socket) {
            switch message.word {
            case .progress:
                let numbers = message.rest.split(separator: " ").compactMap { UInt64($0) }
                if numbers.count == 2 { progress(numbers[0], numbers[1]) }
            case .done: return message.rest
            case .gone: throw Self.lost
            case .hello, .here, .status, .commit, .compact, .discard, .failed:
                throw ControlError(description: message.rest)
            }
        }
        throw Self.lost
    }

    /// Waits until the server's process is gone, so that the image's file is nobody's any more; as
    /// long as it takes, for it may be saving.
    public func waitForEnd() {
        var wait = pollfd(fd: pidDescriptor, events: Int16(POLLIN), revents: 0)
        guard pidDescriptor >= 0 else { return }
        while unsafe poll(&wait, 1, -1) < 0, errno == EINTR {}
    }

    private static var lost: ControlError {
        ControlError(description: "the server of the mount ended; its edits are kept in its stage")
    }
}
