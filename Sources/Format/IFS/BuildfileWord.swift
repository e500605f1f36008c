/// Bytes as words of a buildfile, quoted and escaped where its grammar would read something else.
package enum BuildfileWord {
    private static let newline = UInt8(ascii: "\n")
    /// What parts words, or begins a comment or a list.
    private static let parting = Set(" \t\u{b}\u{c}\r#\"[]".utf8)
    /// What a backslash makes literal.
    private static let escaped = Set("\\\"$".utf8)

    /// A name or a link's text in a line of its own; nil for one with a newline, which ends the line
    /// in quotes as well.
    package static func name(_ bytes: some Collection<UInt8>) -> [UInt8]? {
        guard !bytes.contains(newline) else { return nil }
        let isQuoted =
            bytes.isEmpty || bytes.contains { parting.contains($0) || $0 == UInt8(ascii: "=") }
        // A brace that begins a word opens an inline file, in quotes as well; the variable without a
        // name, which has no value, keeps it from that.
        let begin = bytes.first.map("{}".utf8.contains) == true ? Array("${}".utf8) : []
        return begin + quoted(bytes, isQuoted) { escaped.contains($0) ? [backslash, $0] : [$0] }
    }

    /// The value of an attribute.
    package static func value(_ bytes: some Collection<UInt8>) -> [UInt8] {
        let isQuoted = bytes.isEmpty || bytes.contains { parting.contains($0) || $0 == newline }
        return quoted(bytes, isQuoted) {
            escaped.contains($0) || $0 == UInt8(ascii: "]") ? [backslash, $0] : [$0]
        }
    }

    /// A word of a boot or script section: escaped for its line, and once more for the braces. A
    /// newline is lost, for no word can have one.
    package static func sectionWord(_ bytes: some Collection<UInt8>) -> [UInt8] {
        let isQuoted =
            bytes.isEmpty
            || bytes.contains { parting.contains($0) || $0 == newline || $0 == UInt8(ascii: "&") }
        return quoted(bytes, isQuoted) { byte in
            switch byte {
            case backslash: [backslash, backslash, backslash, backslash]
            case UInt8(ascii: "\""), UInt8(ascii: "$"), newline: [backslash, backslash, byte]
            case UInt8(ascii: "}"): [backslash, byte]
            default: [byte]
            }
        }
    }

    private static let backslash = UInt8(ascii: "\\")

    private static func quoted(
        _ bytes: some Collection<UInt8>, _ isQuoted: Bool, _ spelling: (UInt8) -> [UInt8]
    ) -> [UInt8] {
        let quote = isQuoted ? [UInt8(ascii: "\"")] : []
        return quote + bytes.flatMap(spelling) + quote
    }
}
