/// A JSON value, for reports; objects keep the order of their members.
package indirect enum JSON: Sendable {
    case null
    case bool(Bool)
    case number(Int64)
    case unsigned(UInt64)
    case string(String)
    case array([JSON])
    case object([(String, JSON)])

    /// A number of any width.
    package static func of(_ value: some UnsignedInteger) -> JSON { .unsigned(UInt64(value)) }

    /// Bytes as text; what is no UTF-8 shows as replacement characters.
    package static func text(_ bytes: some Sequence<UInt8>) -> JSON {
        .string(String(decoding: Array(bytes), as: UTF8.self))
    }

    /// The value as text, indented by two blanks a level.
    package func text(_ indent: String = "") -> String {
        let inner = indent + "  "
        switch self {
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .number(let value): return "\(value)"
        case .unsigned(let value): return "\(value)"
        case .string(let value): return Self.quoted(value)
        case .array(let values):
            if values.isEmpty { return "[]" }
            let rows = values.map { inner + $0.text(inner) }
            return "[\n\(rows.joined(separator: ",\n"))\n\(indent)]"
        case .object(let members):
            if members.isEmpty { return "{}" }
            let rows = members.map { "\(inner)\(Self.quoted($0.0)): \($0.1.text(inner))" }
            return "{\n\(rows.joined(separator: ",\n"))\n\(indent)}"
        }
    }

    /// The value as text on one line, without blanks between its parts.
    package var compactText: String {
        switch self {
        case .array(let values): return "[\(values.map(\.compactText).joined(separator: ","))]"
        case .object(let members):
            let rows = members.map { "\(Self.quoted($0.0)):\($0.1.compactText)" }
            return "{\(rows.joined(separator: ","))}"
        case .null, .bool, .number, .unsigned, .string: return text()
        }
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            case "\r": out += "\\r"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
