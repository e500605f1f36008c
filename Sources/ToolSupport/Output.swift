internal import Format
internal import Glibc

/// Standard output, gathered into large writes.
public final class Output {
    private var buffer: [UInt8] = []
    private let descriptor: Int32
    /// Whether what is written goes to a terminal, which control characters would command.
    public let isTerminal: Bool
    /// The first errno of a write that failed; what is written later is dropped.
    private var failure: Int32?

    /// Output to a descriptor, standard output unless told.
    public init(descriptor: Int32 = 1) {
        self.descriptor = descriptor
        isTerminal = isatty(descriptor) == 1
    }

    /// Adds text.
    public func write(_ text: String) {
        buffer.append(contentsOf: text.utf8)
        if buffer.count >= 1 << 16 { flush() }
    }

    /// Adds bytes as they are.
    public func write(_ bytes: some Sequence<UInt8>) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= 1 << 16 { flush() }
    }

    /// Adds a line.
    public func line(_ text: String) { write(text + "\n") }

    /// Writes what was gathered; throws when this or an earlier write failed.
    public func finish() throws(ToolError) {
        flush()
        if let failure { throw ToolError("cannot write the output: \(systemMessage(failure))") }
    }

    private func flush() {
        defer { buffer.removeAll(keepingCapacity: true) }
        guard failure == nil else { return }
        failure = writeAll(buffer, to: descriptor)
    }
}

/// The messages of a tool: lines on standard error that begin with its name.
public struct Diagnostics: Sendable {
    /// The name that begins each line.
    public let tool: String

    /// The messages of a tool.
    public init(tool: String) { self.tool = tool }

    /// Leaves one line in the system's log, for a tool in the background.
    public func log(_ message: String) {
        let line = "\(tool): \(printable(message.utf8))"
        unsafe line.withCString { text in
            unsafe withVaList([text]) { unsafe vsyslog(LOG_DAEMON | LOG_ERR, "%s", $0) }
        }
    }

    /// Says one line. Words of the command line may be in it: what would command a terminal is
    /// escaped.
    public func say(_ message: String) {
        // Standard error is the last resort: nobody is left to tell that it failed.
        _ = writeAll(Array("\(tool): \(printable(message.utf8))\n".utf8), to: STDERR_FILENO)
    }

    /// Writes lines that carry their own beginning, and nothing that would command a terminal.
    public func write(_ lines: String) {
        // As above.
        _ = writeAll(Array("\(lines)\n".utf8), to: STDERR_FILENO)
    }
}
