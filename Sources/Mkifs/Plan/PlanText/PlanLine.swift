internal import Format

/// One line of a plan's text while it is made.
struct PlanLine {
    private(set) var bytes: [UInt8]

    /// A line that begins with a statement's name; that of a part is indented.
    init(_ name: String, isPart: Bool = false) {
        bytes = (isPart ? Array("    ".utf8) : []) + Array(name.utf8)
    }

    /// Adds a word.
    mutating func word(_ value: [UInt8]) { bytes += [.blank] + Self.spelled(value, isAlone: true) }

    /// Adds `key=value`.
    mutating func pair(_ key: String, _ value: [UInt8]) {
        bytes += [.blank] + Array(key.utf8) + [.equals] + Self.spelled(value, isAlone: false)
    }

    /// Adds `key=value`.
    mutating func pair(_ key: String, _ value: String) { pair(key, Array(value.utf8)) }

    /// Adds a number, unless there is none.
    mutating func decimal(_ key: String, _ value: (some BinaryInteger)?) {
        if let value { pair(key, String(value)) }
    }

    /// Adds a number in hexadecimal, unless there is none.
    mutating func hexadecimal(_ key: String, _ value: (some BinaryInteger)?) {
        if let value { pair(key, hex(value)) }
    }

    /// A value as it is written: in quotes if it must be. A word that is alone must not look like a
    /// pair.
    private static func spelled(_ value: [UInt8], isAlone: Bool) -> [UInt8] {
        let isText = String(validating: value, as: UTF8.self) != nil
        let isBare =
            isText && !value.isEmpty && value.first != .hash
            && !(isAlone && value.contains(.equals))
            && value.allSatisfy {
                $0 > .blank && $0 != 0x7f && $0 != .quote && $0 != .backslash
            } && !hasControls(value)
        return isBare ? value : [.quote] + escaped(value, isText: isText) + [.quote]
    }

    /// Whether a text has control characters beyond ASCII, which are two bytes in UTF-8.
    private static func hasControls(_ value: [UInt8]) -> Bool {
        zip(value, value.dropFirst()).contains { $0 == 0xc2 && $1 < 0xa0 }
    }

    private static func escaped(_ value: [UInt8], isText: Bool) -> [UInt8] {
        let isPlain = isText && !hasControls(value)
        var escaped: [UInt8] = []
        for byte in value {
            switch byte {
            case .quote, .backslash: escaped += [.backslash, byte]
            case .newline: escaped += Array("\\n".utf8)
            case .tab: escaped += Array("\\t".utf8)
            case 0x20..<0x7f: escaped.append(byte)
            case 0x80... where isPlain: escaped.append(byte)
            default: escaped += Array("\\x".utf8) + PlanHex.text([byte])
            }
        }
        return escaped
    }
}
