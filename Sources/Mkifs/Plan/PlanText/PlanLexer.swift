internal import Format

/// One statement of a plan's text: what its line has.
struct PlanStatement {
    /// A value with the place where it stands.
    struct Value {
        let bytes: [UInt8]
        let offset: Int
    }

    /// `key=value`.
    struct Pair {
        let key: String
        /// Where the key stands.
        let offset: Int
        let value: Value
    }

    /// The first word.
    let name: String
    /// Where it stands.
    let offset: Int
    /// The words behind it that are no pairs.
    var words: [Value] = []
    /// The pairs, in order.
    var pairs: [Pair] = []
    /// The statements below it that belong to it.
    var parts: [PlanStatement] = []
}

/// Parts a plan's text into statements. Every byte is looked at once.
///
/// ```
/// line   = [name {word | key=word}] [# comment]
/// word   = bare | "quoted"
/// ```
///
/// A bare word is anything without blanks, quotes and backslashes; between quotes stand `\"`, `\\`,
/// `\n`, `\t` and `\xNN`. A `#` where a word could begin starts a comment.
struct PlanLexer {
    private let source: SourceText
    private var offset = 0

    init(_ source: SourceText) { self.source = source }

    private var bytes: [UInt8] { source.bytes }
    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    /// The next line that says something; nil at the end. A line with an error is passed over, and
    /// the error thrown.
    mutating func statement() throws(Diagnostic) -> PlanStatement? {
        while offset < bytes.count {
            let start = offset
            do throws(Diagnostic) {
                let statement = try line()
                skipLine()
                if let statement { return statement }
            } catch {
                offset = max(offset, start)
                skipLine()
                throw error
            }
        }
        return nil
    }

    private mutating func line() throws(Diagnostic) -> PlanStatement? {
        guard let first = try word() else { return nil }
        guard first.pair == nil, !first.isQuoted else {
            throw fault(first.value.offset, "a line begins with the name of a statement")
        }
        var statement = PlanStatement(
            name: String(decoding: first.value.bytes, as: UTF8.self), offset: first.value.offset)
        while let word = try word() {
            if let pair = word.pair {
                statement.pairs.append(pair)
            } else {
                statement.words.append(word.value)
            }
        }
        return statement
    }

    private mutating func skipLine() {
        while let byte = next {
            offset += 1
            if byte == .newline { return }
        }
    }

    // MARK: Words

    private typealias Word = (value: PlanStatement.Value, pair: PlanStatement.Pair?, isQuoted: Bool)

    /// The next word of the line; nil at its end, and at a comment.
    private mutating func word() throws(Diagnostic) -> Word? {
        while let byte = next, byte != .newline, Self.isEnd(byte) { offset += 1 }
        guard let first = next, first != .newline, first != .hash else { return nil }
        let start = offset
        if first == .quote { return (try quoted(), nil, true) }
        let bare = try bareWord()
        let end = bare.bytes.firstIndex(of: .equals)
        let key = end.map { bare.bytes[..<$0] } ?? []
        guard let end, Self.isKey(key) else {
            try refuseQuote()
            return (bare, nil, false)
        }
        var value = PlanStatement.Value(
            bytes: Array(bare.bytes[(end + 1)...]), offset: start + end + 1)
        if value.bytes.isEmpty, next == .quote { value = try quoted() } else { try refuseQuote() }
        let name = String(decoding: key, as: UTF8.self)
        return (bare, PlanStatement.Pair(key: name, offset: start, value: value), false)
    }

    /// Small letters, digits and hyphens, a letter first.
    static func isKey(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = bytes.first, (0x61...0x7a).contains(first) else { return false }
        return bytes.allSatisfy {
            (0x61...0x7a).contains($0) || $0.isDigit || $0 == UInt8(ascii: "-")
        }
    }

    /// Whether a word ends there.
    private static func isEnd(_ byte: UInt8) -> Bool {
        byte == .blank || byte == .tab || byte == .carriageReturn || byte == .newline
    }

    private mutating func bareWord() throws(Diagnostic) -> PlanStatement.Value {
        let start = offset
        while let byte = next, byte > .blank, byte != 0x7f {
            if byte == .quote, offset > start, bytes[offset - 1] == .equals { break }
            if byte == .quote { try refuseQuote() }
            guard byte != .backslash else {
                throw fault(
                    offset, "found a backslash in a word without quotes",
                    hint: "write the whole value in quotes")
            }
            offset += 1
        }
        if let byte = next, byte < .blank && !Self.isEnd(byte) || byte == 0x7f {
            throw fault(offset, "found the control character \(hex(byte))", hint: "write \\xNN")
        }
        return PlanStatement.Value(bytes: Array(bytes[start..<offset]), offset: start)
    }

    private func refuseQuote() throws(Diagnostic) {
        guard next == .quote else { return }
        throw fault(
            offset, "found a quote in a word without quotes",
            hint: "write the whole value in quotes")
    }

    private mutating func quoted() throws(Diagnostic) -> PlanStatement.Value {
        let start = offset
        offset += 1
        var value: [UInt8] = []
        while let byte = next, byte != .newline {
            offset += 1
            if byte == .quote {
                if let byte = next, !Self.isEnd(byte) {
                    throw fault(offset, "found a word joined to the quote before it")
                }
                return PlanStatement.Value(bytes: value, offset: start)
            }
            value.append(byte == .backslash ? try escaped() : byte)
        }
        throw fault(start, "a quote without its end in the same line")
    }

    private mutating func escaped() throws(Diagnostic) -> UInt8 {
        let start = offset - 1
        guard let byte = next else { throw fault(start, "a backslash at the end") }
        offset += 1
        switch byte {
        case .quote, .backslash: return byte
        case UInt8(ascii: "n"): return .newline
        case UInt8(ascii: "t"): return .tab
        case UInt8(ascii: "x"):
            let digits = bytes[offset..<min(offset + 2, bytes.count)]
            guard let value = PlanHex.bytes(digits)?.first, digits.count == 2 else { break }
            offset += 2
            return value
        default: break
        }
        throw fault(
            start, "found '\(printable(bytes[start..<offset]))' between quotes",
            hint: "a backslash stands before \\, \", n, t or xNN")
    }

    private func fault(_ offset: Int, _ message: String, hint: String? = nil) -> Diagnostic {
        Diagnostic(at: source.mark(at: offset), message, hint: hint)
    }
}

/// Base 16, as plans have it.
enum PlanHex {
    private static let digits = Array("0123456789abcdef".utf8)

    /// Two digits a byte.
    static func text(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }

    /// The bytes of an even number of digits; nil for anything else.
    static func bytes(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2)
        var high: UInt8?
        for byte in text {
            guard let value = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                return nil
            }
            if let first = high {
                bytes.append(first << 4 | UInt8(value))
                high = nil
            } else {
                high = UInt8(value)
            }
        }
        return bytes
    }
}
