internal import Format

extension UInt8 {
    static let tab: UInt8 = 0x09
    static let newline: UInt8 = 0x0a
    static let carriageReturn: UInt8 = 0x0d
    static let blank: UInt8 = 0x20
    static let quote = UInt8(ascii: "\"")
    static let hash = UInt8(ascii: "#")
    static let dollar = UInt8(ascii: "$")
    static let ampersand = UInt8(ascii: "&")
    static let asterisk = UInt8(ascii: "*")
    static let slash = UInt8(ascii: "/")
    static let backslash = UInt8(ascii: "\\")
    static let colon = UInt8(ascii: ":")
    static let dot = UInt8(ascii: ".")
    static let equals = UInt8(ascii: "=")
    static let openBracket = UInt8(ascii: "[")
    static let closeBracket = UInt8(ascii: "]")
    static let openBrace = UInt8(ascii: "{")
    static let closeBrace = UInt8(ascii: "}")

    /// Blank, tab, line feed, vertical tab, form feed, carriage return.
    var isSpace: Bool { self == .blank || (0x09...0x0d).contains(self) }

    /// `0` to `9`.
    var isDigit: Bool { (0x30...0x39).contains(self) }

    /// A letter of ASCII or an underscore.
    var isNameStart: Bool { (0x41...0x5a).contains(self & 0xdf) || self == 0x5f }
}

/// Bytes between quotes for a message, cut where they are many.
func quoted(_ bytes: some Collection<UInt8>) -> String {
    let limit = 60
    return bytes.count <= limit
        ? "'\(printable(bytes))'" : "'\(printable(bytes.prefix(limit)))...'"
}
