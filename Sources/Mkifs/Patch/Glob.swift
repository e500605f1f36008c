/// A pattern for file names: `*` is any bytes, `?` one, `[...]` one of a set, and a backslash takes
/// the meaning from the character behind it.
///
/// A set lists bytes and ranges such as `a-z`; `!` or `^` at its start turns it round, and a `]` at
/// its start is one of its bytes. A name's leading dot is a byte like any other. There are no
/// classes such as `[:digit:]`, and no equivalence of bytes but identity.
struct Glob: Equatable, Sendable {
    private enum Item: Equatable {
        case byte(UInt8)
        case any
        case run
        case set([ClosedRange<UInt8>], isInverted: Bool)

        /// Whether it stands for this one byte; a run never does.
        func takes(_ byte: UInt8) -> Bool {
            switch self {
            case .byte(let wanted): wanted == byte
            case .any: true
            case .run: false
            case .set(let ranges, let isInverted):
                ranges.contains { $0.contains(byte) } != isInverted
            }
        }
    }

    private let items: [Item]

    /// Throws for a set without end, for a range that runs backwards and for a backslash at the end.
    init(parsing text: some Sequence<UInt8>) throws(ValueFault) {
        var rest = Array(text)[...]
        var items: [Item] = []
        while let byte = rest.popFirst() {
            switch byte {
            case .asterisk where items.last == .run: break
            case .asterisk: items.append(.run)
            case UInt8(ascii: "?"): items.append(.any)
            case .openBracket: items.append(try Self.set(&rest))
            case .backslash: items.append(.byte(try Self.literal(&rest)))
            default: items.append(.byte(byte))
            }
        }
        self.items = items
    }

    /// Whether the whole name is of this pattern. Takes at most the product of both lengths.
    func matches(_ name: some Collection<UInt8>) -> Bool {
        let name = Array(name)
        var (item, place) = (0, 0)
        var retry: (item: Int, place: Int)?
        while place < name.count {
            if item < items.count, items[item] == .run {
                item += 1
                retry = (item, place)
            } else if item < items.count, items[item].takes(name[place]) {
                item += 1
                place += 1
            } else if let last = retry {
                // Only the last run has to grow: what stands before it has its place.
                (item, place) = (last.item, last.place + 1)
                retry = (item, place)
            } else {
                return false
            }
        }
        return items[item...].allSatisfy { $0 == .run }
    }

    private static func literal(_ rest: inout ArraySlice<UInt8>) throws(ValueFault) -> UInt8 {
        guard let byte = rest.popFirst() else {
            throw ValueFault([.backslash], "a character behind the backslash")
        }
        return byte
    }

    private static func set(_ rest: inout ArraySlice<UInt8>) throws(ValueFault) -> Item {
        let whole = rest
        let isInverted = rest.first == UInt8(ascii: "!") || rest.first == UInt8(ascii: "^")
        if isInverted { rest.removeFirst() }
        var ranges: [ClosedRange<UInt8>] = []
        while let byte = rest.popFirst() {
            if byte == .closeBracket && !ranges.isEmpty {
                return .set(ranges, isInverted: isInverted)
            }
            let low = byte == .backslash ? try literal(&rest) : byte
            var high = low
            if rest.first == UInt8(ascii: "-"), let end = rest.dropFirst().first,
                end != .closeBracket
            {
                rest.removeFirst(2)
                high = end == .backslash ? try literal(&rest) : end
            }
            guard low <= high else {
                throw ValueFault(
                    [low, UInt8(ascii: "-"), high], "a range from the lower to the higher byte")
            }
            ranges.append(low...high)
        }
        throw ValueFault(
            [.openBracket] + whole, "a ']' that ends the set", hint: "a '[' itself is written '\\['"
        )
    }
}
