/// A line for the shell, and what is around it.
struct ShellCommand: Equatable, Sendable {
    /// What `/bin/sh -c` gets.
    var line: [UInt8]
    /// All of its environment, each `NAME=value`.
    var environment: [[UInt8]]
    /// Where it runs; nil for where we do.
    var directory: [UInt8]?

    /// A line to run with this environment.
    init(_ line: [UInt8], environment: [[UInt8]], directory: [UInt8]? = nil) {
        self.line = line
        self.environment = environment
        self.directory = directory
    }

    /// The value of a variable in an environment; nil where it has none.
    static func value(of name: String, in environment: [[UInt8]]) -> [UInt8]? {
        let start = Array((name + "=").utf8)
        return environment.first { $0.starts(with: start) }.map { Array($0.dropFirst(start.count)) }
    }

    /// Bytes between double quotes, as the vendor writes them, where the shell takes them as they are.
    static func quoted(_ bytes: [UInt8]) -> [UInt8] {
        let body = bytes.flatMap { byte in
            "\"$`\\".utf8.contains(byte) ? [.backslash, byte] : [byte]
        }
        return [.quote] + body + [.quote]
    }

    /// A quoted path that no program takes for an option.
    static func quoted(path: [UInt8]) -> [UInt8] {
        quoted(path.first == UInt8(ascii: "-") ? Array("./".utf8) + path : path)
    }

    /// The words that the shell is started with.
    var arguments: [[UInt8]] {
        guard let directory else { return Self.words("sh", "-c", "--") + [line] }
        // A path with a slash at its front is not looked for in CDPATH.
        let place = directory.first == .slash ? directory : Array("./".utf8) + directory
        return Self.words("sh", "-c", "--", #"cd -- "$1" && exec /bin/sh -c -- "$2""#, "sh")
            + [place, line]
    }

    private static func words(_ words: String...) -> [[UInt8]] { words.map { Array($0.utf8) } }
}
