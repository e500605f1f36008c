/// A time of `waitfor` and `reopen`: `5`, `2.5` or `.5`.
struct Seconds {
    /// Tenths of a second, at most what their field holds. Further digits count for nothing.
    let tenths: UInt16
    /// Whether that is what was written.
    let isExact: Bool

    /// Nil for text that is no such number.
    init?(_ text: [UInt8]) {
        let whole = text.prefix { $0.isDigit }
        let rest = text.dropFirst(whole.count)
        let digits = rest.dropFirst()
        guard rest.isEmpty || rest.first == UInt8(ascii: "."), digits.allSatisfy(\.isDigit),
            !whole.isEmpty || !digits.isEmpty
        else { return nil }
        // Bounded at each step, so that no number of digits overflows.
        let bound = 1_000_000
        let seconds = whole.reduce(0) { min($0 * 10 + Int($1 - 0x30), bound) }
        let value = seconds * 10 + (digits.first.map { Int($0 - 0x30) } ?? 0)
        tenths = UInt16(clamping: value)
        isExact = value == Int(tenths) && digits.dropFirst().allSatisfy { $0 == 0x30 }
    }
}
