/// A word of a command line, or a path: any bytes but NUL.
struct Word: Hashable, Sendable, ExpressibleByStringInterpolation, CustomStringConvertible {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    init(_ text: String) { bytes = Array(text.utf8) }

    init(stringLiteral text: String) { self.init(text) }

    /// The bytes as text; what is no UTF-8 is replaced.
    var description: String { String(decoding: bytes, as: UTF8.self) }

    /// The path of `name` in the directory that this word names.
    static func / (directory: Word, name: Word) -> Word {
        Word(directory.bytes + [UInt8(ascii: "/")] + name.bytes)
    }

    static func + (left: Word, right: Word) -> Word { Word(left.bytes + right.bytes) }

    /// Calls `body` with the bytes as a C string.
    func withCString<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
        try (bytes + [0]).withUnsafeBufferPointer { buffer in
            try buffer.withMemoryRebound(to: CChar.self) { try body($0.baseAddress!) }
        }
    }
}
