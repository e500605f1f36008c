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

/// `; did you mean 'x'?` where one of the known names is near the one found; else nothing.
public func suggestion(
    for name: String, among known: [String], spelled: (String) -> String = { $0 }
) -> String {
    let near = known.map { (name: $0, distance: distance(name, $0)) }
        .filter { $0.distance <= max(1, min(name.count, $0.name.count) / 3) }
        .min { $0.distance < $1.distance }
    return near.map { "; did you mean '\(spelled($0.name))'?" } ?? ""
}

/// How many insertions, removals, replacements and swaps of neighbours part two words.
private func distance(_ left: String, _ right: String) -> Int {
    let a = Array(left)
    let b = Array(right)
    var rows = [Array(0...b.count)]
    for i in 0..<a.count {
        var row = [i + 1]
        for j in 0..<b.count {
            var cost = min(rows[i][j + 1], row[j]) + 1
            cost = min(cost, rows[i][j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                cost = min(cost, rows[i - 1][j - 1] + 1)
            }
            row.append(cost)
        }
        rows.append(row)
    }
    return rows[a.count][b.count]
}
