internal import CFuse
internal import Glibc
internal import Synchronization

/// What libfuse says, which would otherwise go to standard error in its own words and lines.
enum LibraryLog {
    private static let message = Mutex("")

    /// The last thing it said, without its prefix.
    static var last: String? {
        let line = message.withLock { $0 }.split(separator: "\n").joined(separator: " ")
        guard !line.isEmpty else { return nil }
        return line.hasPrefix("fuse: ") ? String(line.dropFirst(6)) : line
    }

    /// Takes over from libfuse's own log. Debug output still goes where it went.
    static func capture() {
        fuse_set_log_func { level, format, arguments in
            guard let format, let arguments else { return }
            var buffer = [CChar](repeating: 0, count: 512)
            vsnprintf(&buffer, buffer.count, format, arguments)
            let bytes = buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
            if level == FUSE_LOG_DEBUG {
                _ = write(STDERR_FILENO, bytes, bytes.count)
                return
            }
            let text = String(decoding: bytes, as: UTF8.self)
            LibraryLog.message.withLock { message in
                // It says some lines in pieces.
                message = message.hasSuffix("\n") ? text : message + text
            }
        }
    }
}
