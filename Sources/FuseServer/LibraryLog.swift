internal import CFuse
internal import Glibc
internal import Synchronization

/// What libfuse says, which would otherwise go to standard error in its own words and lines.
enum LibraryLog {
    private static let message = Mutex<String?>(nil)

    /// The last thing it said, without its prefix.
    static var last: String? { message.withLock { $0 } }

    /// Takes over from libfuse's own log. Debug output still goes where it went.
    static func capture() {
        fuse_set_log_func { level, format, arguments in
            guard let format, let arguments else { return }
            var text = [CChar](repeating: 0, count: 512)
            vsnprintf(&text, text.count, format, arguments)
            let bytes = text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
            if level == FUSE_LOG_DEBUG {
                _ = write(STDERR_FILENO, bytes, bytes.count)
                return
            }
            let line = String(decoding: bytes, as: UTF8.self)
                .split(separator: "\n").joined(separator: " ")
            let words = line.hasPrefix("fuse: ") ? String(line.dropFirst(6)) : line
            LibraryLog.message.withLock { $0 = words }
        }
    }
}
