/// Numbers as a buildfile writes them: decimal, octal behind `0`, hexadecimal behind `0x`, with
/// `K`, `M` or `G` for a power of 1024.
public enum Number {
    static let expected = "a number"

    /// The number that is all of the text.
    public static func parse(_ text: some Collection<UInt8>) throws(ValueFault) -> UInt64 {
        guard let (value, count) = prefix(of: text), count == text.count else {
            throw ValueFault(text, expected)
        }
        guard let value else { throw ValueFault(text, "a number below 2^64") }
        return value
    }

    /// A number of at most `limit`.
    public static func parse(
        _ text: some Collection<UInt8>, through limit: UInt64
    ) throws(ValueFault) -> UInt64 {
        let value = try parse(text)
        guard value <= limit else { throw ValueFault(text, "a number from 0 through \(limit)") }
        return value
    }

    /// The number that the text begins with and its length; a nil value where it is too large, and
    /// nil where no number begins.
    private static func prefix(of text: some Collection<UInt8>) -> (value: UInt64?, count: Int)? {
        let (radix, lead) = notation(text)
        var value: UInt64? = 0
        var count = 0
        for byte in text.dropFirst(lead) {
            guard let digit = digit(byte), digit < radix else { break }
            value = value.flatMap { appending(digit, to: $0, radix) }
            count += 1
        }
        guard count > 0 else { return nil }
        guard let shift = shift(text.dropFirst(lead + count).first) else {
            return (value, lead + count)
        }
        return (value.flatMap { $0 <= .max >> shift ? $0 << shift : nil }, lead + count + 1)
    }

    private static func notation(_ text: some Collection<UInt8>) -> (radix: UInt64, lead: Int) {
        guard text.first == UInt8(ascii: "0") else { return (10, 0) }
        return text.dropFirst().first.map { $0 | 0x20 } == UInt8(ascii: "x") ? (16, 2) : (8, 0)
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case 0x30...0x39: UInt64(byte - 0x30)
        case 0x41...0x46, 0x61...0x66: UInt64((byte | 0x20) - 0x61) + 10
        default: nil
        }
    }

    private static func appending(_ digit: UInt64, to value: UInt64, _ radix: UInt64) -> UInt64? {
        let (product, overflow) = value.multipliedReportingOverflow(by: radix)
        let (sum, carry) = product.addingReportingOverflow(digit)
        return overflow || carry ? nil : sum
    }

    private static func shift(_ byte: UInt8?) -> UInt64? {
        switch byte.map({ $0 | 0x20 }) {
        case UInt8(ascii: "k"): 10
        case UInt8(ascii: "m"): 20
        case UInt8(ascii: "g"): 30
        default: nil
        }
    }
}

/// A user or group.
public enum Owner: Equatable, Sendable {
    /// That of the host's file.
    case host
    /// This id.
    case id(UInt32)

    /// `*` or a number.
    public init(parsing text: [UInt8]) throws(ValueFault) {
        if text == [.asterisk] {
            self = .host
        } else if let value = UInt32(exactly: try Self.number(text)) {
            self = .id(value)
        } else {
            throw ValueFault(text, "an id from 0 through \(UInt32.max)")
        }
    }

    private static func number(_ text: [UInt8]) throws(ValueFault) -> UInt64 {
        do {
            return try Number.parse(text)
        } catch {
            throw ValueFault(text, "'*' or a number")
        }
    }
}
