/// The value of the modifier `pri=`.
public struct Priority: Equatable, Sendable {
    /// How threads of the same priority share a processor.
    public enum Policy: UInt8, Sendable {
        /// As the command's parent has it.
        case unchanged = 0
        /// First in, first out.
        case fifo = 1
        /// In turn.
        case roundRobin = 2
        /// The system's own.
        case other = 3
    }

    /// The number.
    public let level: UInt8
    /// The policy.
    public let policy: Policy

    /// A number and a policy: the first of `f`, `r` and `o` behind the digits. Nil for `*`.
    public static func parse(_ text: [UInt8]) throws(ValueFault) -> Priority? {
        if text == [.asterisk] { return nil }
        let digits = text.prefix { $0.isDigit }
        let rest = text.dropFirst(digits.count)
        let policy = rest.lazy.compactMap(policy(of:)).first
        guard !digits.isEmpty, rest.isEmpty || policy != nil else {
            throw ValueFault(text, "'*', or a number and at most one of f, r and o")
        }
        return Priority(level: try byte(digits, of: text), policy: policy ?? .unchanged)
    }

    private static func policy(of letter: UInt8) -> Policy? {
        switch letter {
        case UInt8(ascii: "f"): .fifo
        case UInt8(ascii: "r"): .roundRobin
        case UInt8(ascii: "o"): .other
        default: nil
        }
    }

    private static func byte(
        _ digits: ArraySlice<UInt8>, of text: [UInt8]
    ) throws(ValueFault) -> UInt8 {
        guard let level = UInt8(String(decoding: digits, as: UTF8.self)) else {
            throw ValueFault(text, "a priority from 0 through 255")
        }
        return level
    }
}

/// The value of the modifier `cpu=`.
public enum ProcessorNumber {
    /// A processor, counted from 0; nil for `*`, which is any.
    public static func parse(_ text: [UInt8]) throws(ValueFault) -> UInt8? {
        if text == [.asterisk] { return nil }
        guard let number = UInt8(String(decoding: text, as: UTF8.self)), text.first?.isDigit == true
        else { throw ValueFault(text, "'*' or a processor from 0 through 255") }
        return number
    }
}
