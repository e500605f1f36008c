internal import Format
internal import Glibc

/// The socket through which a mount is told to save: not through the mount itself, which root cannot
/// enter when it is a user's.
///
/// It has a name without a file, made of the mount's device number and its source: no other mount has
/// the number while this one lives, and the server of an earlier one, which may be saving still, has
/// another source, or the stage of the same. The stage itself may not be there yet, may be elsewhere,
/// and may have a longer path than a socket's name holds. Source: unix(7), abstract names.
enum ControlSocket {
    static func make() -> Int32 {
        socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    }

    /// Calls `body` with the address for a mount.
    static func withAddress(
        of mount: ControlName, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var digest = Digest(.sha256)
        digest.update(mount.source)
        let source = hexDigits(digest.finish().prefix(16))
        let name = [0] + Array("ifsfs/\(mount.device)/\(source)".utf8)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { path in
            unsafe path.copyBytes(from: name.prefix(path.count))
        }
        let count = MemoryLayout<sa_family_t>.size + name.count
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(count))
            }
        }
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

/// What a mount's socket is found by, in whichever mount table.
public struct ControlName: Sendable {
    let device: String
    let source: [UInt8]

    /// The mount of a device number, such as `0:52`, and a source.
    public init(device: String, source: [UInt8]) {
        self.device = device
        self.source = source
    }
}

/// What the two ends say: a word, and what follows it.
struct ControlMessage: Equatable {
    enum Word: String {
        /// Whether this is the server of the mount that now has the device number.
        case hello
        /// It is.
        case here
        /// Its mount is gone, and the number may be another's by now.
        case gone
        /// Make the edits an image.
        case commit
        /// Bytes done, and bytes in all.
        case progress
        /// It is done: how it came out.
        case done
        /// It could not be done: why.
        case failed
    }

    let word: Word
    let rest: String

    init(_ word: Word, _ rest: String = "") {
        self.word = word
        self.rest = rest
    }

    init?(_ text: String) {
        let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        guard let word = parts.first.flatMap({ Word(rawValue: String($0)) }) else { return nil }
        self.init(word, parts.count > 1 ? String(parts[1]) : "")
    }

    var text: String { rest.isEmpty ? word.rawValue : word.rawValue + " " + rest }
}
