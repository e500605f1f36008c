internal import Format

/// One thing to say about a buildfile, and the place that it is about.
public struct Diagnostic: Error, Equatable, Sendable, CustomStringConvertible {
    /// Whether an image can be built nevertheless.
    public enum Severity: String, Sendable {
        /// It can.
        case warning
        /// It cannot.
        case error
    }

    /// How bad it is.
    public let severity: Severity
    /// The place.
    public let mark: SourceMark
    /// What is wrong, in lower case and without a full stop.
    public let message: String
    /// What to do about it.
    public let hint: String?

    /// An error, unless said otherwise.
    public init(
        _ severity: Severity = .error, at mark: SourceMark, _ message: String, hint: String? = nil
    ) {
        self.severity = severity
        self.mark = mark
        self.message = message
        self.hint = hint
    }

    /// `file:line:column: error: message; hint`.
    public var description: String {
        "\(mark): \(severity.rawValue): \(message)" + (hint.map { "; \($0)" } ?? "")
    }

    /// The description, the line of `source` that it is about, and a caret under the place.
    ///
    /// A long line is cut to a window around the place; bytes that do not print are escaped.
    public func rendered(from source: SourceText) -> String {
        guard source.name == mark.file, let line = source.line(mark.line) else {
            return description
        }
        let reach = 70
        let column = line.startIndex + max(0, min(mark.column &- 1, line.count))
        let start = max(line.startIndex, column - reach)
        let before = Self.visible(line[start..<column])
        let after = Self.visible(line[column..<min(line.endIndex, column + reach)])
        let pad = String(repeating: " ", count: before.count)
        return "\(description)\n    \(before)\(after)\n    \(pad)^"
    }

    /// A tab takes one column here, so that the caret stands where the byte does.
    private static func visible(_ bytes: ArraySlice<UInt8>) -> String {
        let end = bytes.last == .carriageReturn ? bytes.dropLast() : bytes
        return printable(end.map { $0 == .tab ? .blank : $0 })
    }
}

/// What one run has to say about its buildfiles.
///
/// Only the first hundred errors and the first hundred warnings are kept and the others counted, so
/// that a file of nothing but faults costs no more than a good one.
public struct Diagnostics: Sendable {
    /// How many of each severity are kept.
    public static let limit = 100

    /// Those kept, in the order in which they were found.
    public private(set) var kept: [Diagnostic] = []
    private var counts: [Diagnostic.Severity: Int] = [:]

    /// None yet.
    public init() {}

    /// How many there were of a severity, kept or not.
    public func count(of severity: Diagnostic.Severity) -> Int { counts[severity, default: 0] }

    /// Whether an error was found.
    public var hasErrors: Bool { count(of: .error) > 0 }

    /// Whether a further error would only be counted.
    var isFull: Bool { count(of: .error) >= Self.limit }

    /// Takes one in.
    public mutating func add(_ diagnostic: Diagnostic) {
        if count(of: diagnostic.severity) < Self.limit { kept.append(diagnostic) }
        counts[diagnostic.severity, default: 0] &+= 1
    }

    /// Throws the errors that were found, if there are any.
    public func throwErrors() throws(MkifsError) {
        let errors = kept.filter { $0.severity == .error }
        if hasErrors {
            throw .buildfile(errors, omittedCount: count(of: .error) - errors.count)
        }
    }
}
