internal import Format

/// One word of a command line, as the bytes that the system handed over.
///
/// Names of files need not be text, so they stay bytes; `text` is for everything else.
public struct Argument: Equatable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The bytes, without a NUL.
    public let bytes: [UInt8]

    /// A word of these bytes.
    public init(bytes: [UInt8]) { self.bytes = bytes }

    /// A word of this text.
    public init(_ text: String) { bytes = Array(text.utf8) }

    /// A word of this text.
    public init(stringLiteral text: String) { self.init(text) }

    /// The bytes as text; what is no UTF-8 is replaced.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The text.
    public var description: String { text }

    /// Calls `body` with the bytes as a C string.
    public func withCString<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows
        -> Result
    {
        let terminated = cString(bytes)
        return try unsafe terminated.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return try unsafe body("") }
            return try unsafe body(base)
        }
    }

    /// The process's own command line, the name that it was called by first.
    public static func ofProcess() -> [Argument] {
        (0..<Int(CommandLine.argc)).compactMap { index in
            guard let word = unsafe CommandLine.unsafeArgv[index] else { return nil }
            let text = unsafe UnsafeBufferPointer(start: word, count: length(word))
            return Argument(bytes: unsafe text.map(UInt8.init(bitPattern:)))
        }
    }

    private static func length(_ word: UnsafePointer<CChar>) -> Int {
        var count = 0
        while unsafe word[count] != 0 { count += 1 }
        return count
    }

    /// The last component of the word as a path.
    public var lastComponent: String {
        String(decoding: Format.lastComponent(bytes), as: UTF8.self)
    }
}
