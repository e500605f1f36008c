/// Where an image or its RAM lies: the value of `image=` and `ram=`. What is nil was not written.
public struct AddressRange: Equatable, Sendable {
    /// The least alignment of the size, in bytes.
    public static let leastAlignment: UInt64 = 4

    /// The first address.
    public var start: UInt64?
    /// The last address that may be used.
    public var end: UInt64?
    /// How many bytes there may be.
    public var maximumSize: UInt64?
    /// How many bytes there are to be; 0 leaves it open.
    public var totalSize: UInt64?
    /// The size is rounded up to a multiple of this.
    public var alignment: UInt64?

    /// A range of which nothing is known.
    public init() {}

    /// `[start][-end][,maximum][=total][%alignment]`, the parts behind the start in any order. Of a
    /// part that comes twice the second counts.
    public init(parsing text: [UInt8]) throws(ValueFault) {
        guard !text.isEmpty else { throw Self.fault(text) }
        var rest = text[...]
        if !Self.isSeparator(rest.first) { start = try Self.number(&rest, of: text) }
        while let separator = rest.popFirst() {
            let value = try Self.number(&rest, of: text)
            switch separator {
            case UInt8(ascii: "-"): end = value
            case UInt8(ascii: ","): maximumSize = value
            case UInt8(ascii: "="): totalSize = value
            default: alignment = value
            }
        }
    }

    /// The range with what it lacks taken from another: the bootfile's.
    public func completed(from defaults: AddressRange) -> AddressRange {
        var range = self
        range.start = start ?? defaults.start
        range.end = end ?? defaults.end
        range.maximumSize = maximumSize ?? defaults.maximumSize
        range.totalSize = totalSize ?? defaults.totalSize
        range.alignment = alignment ?? defaults.alignment
        return range
    }

    /// The alignment that counts: at least 4.
    public var effectiveAlignment: UInt64 { max(alignment ?? 0, Self.leastAlignment) }

    private static func isSeparator(_ byte: UInt8?) -> Bool {
        byte.map { "-,=%".utf8.contains($0) } ?? false
    }

    private static func number(
        _ rest: inout ArraySlice<UInt8>, of text: [UInt8]
    ) throws(ValueFault) -> UInt64 {
        let digits = rest.prefix { !isSeparator($0) }
        guard !digits.isEmpty else { throw fault(text) }
        rest = rest.dropFirst(digits.count)
        return try Number.parse(digits)
    }

    private static func fault(_ text: [UInt8]) -> ValueFault {
        ValueFault(text, "[start][-end][,maximum][=total][%alignment]")
    }
}
