public import Format

/// Why a tool cannot do what it was asked: one line, in lower case, without the tool's name.
public struct ToolError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The line.
    public let description: String
    /// The exit status that the tool ends with.
    public let status: Int32
    /// What is wrong, where a caller could act on it.
    public let cause: ExitStatus?

    /// An error with a line of its own.
    public init(_ description: String, status: Int32 = 1, cause: ExitStatus? = nil) {
        self.description = description
        self.status = status
        self.cause = cause
    }

    /// An error with the exit status of its cause.
    public init(_ description: String, _ cause: ExitStatus) {
        self.init(description, status: cause.rawValue, cause: cause)
    }

    /// A fault in a file's bytes or in reading them.
    public init(_ error: FormatError, in file: Argument, status: Int32 = 1) {
        let cause: ExitStatus =
            switch error {
            case .io: .unreadable
            case .unsupported: .unsupported
            case .truncated, .corrupt: .damaged
            }
        self.init("\(printable(file.bytes)): \(error)", status: status, cause: cause)
    }

    /// A system call that failed on a file.
    public init(_ action: String, _ file: Argument, errno: Int32, status: Int32 = 1) {
        self.init(
            "\(printable(file.bytes)): \(action): \(systemMessage(errno))", status: status,
            cause: .unreadable)
    }
}
