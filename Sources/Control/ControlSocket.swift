internal import Glibc

/// The calls that both ends make.
enum ControlSocket {
    static func make() -> Int32 {
        socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    }

    /// Whose process is at the other end; nil where the kernel does not tell.
    static func peer(_ descriptor: Int32) -> (process: pid_t, user: uid_t)? {
        var credentials: [UInt32] = [0, 0, 0]
        var size = socklen_t(12)
        let status = unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size)
        guard status == 0, size == 12 else { return nil }
        return (pid_t(bitPattern: credentials[0]), credentials[1])
    }

    /// Sends one message; false where nobody is there to take it.
    @discardableResult
    static func send(_ message: ControlMessage, to descriptor: Int32) -> Bool {
        let bytes = Array(message.text.utf8)
        return unsafe Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            == bytes.count
    }

    /// Waits for one message; nil at the end.
    static func receive(from descriptor: Int32) -> ControlMessage? {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            return ControlMessage(String(decoding: buffer[..<count], as: UTF8.self))
        }
    }
}
