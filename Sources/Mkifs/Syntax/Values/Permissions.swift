/// What `perms=` and `dperms=` do to the permission bits of a host's file: some are kept, then
/// some are set.
public struct Permissions: Equatable, Sendable {
    /// All bits that there are: `rwx` three times, and setuid, setgid, sticky.
    public static let all: UInt16 = 0o7777
    /// `*`: the host's.
    public static let host = Permissions(mask: all, set: 0)

    /// The bits that are kept.
    public private(set) var mask: UInt16
    /// The bits that are set after that.
    public private(set) var set: UInt16

    /// Bits to keep and bits to set.
    public init(mask: UInt16, set: UInt16) {
        self.mask = mask
        self.set = set
    }

    /// `*`, an octal number, or clauses such as `u+rwx,go-w`.
    public init(parsing text: [UInt8]) throws(ValueFault) {
        self = .host
        if text == [.asterisk] { return }
        if let first = text.first, (0x30...0x37).contains(first) {
            self = Permissions(mask: 0, set: try Self.octal(text))
            return
        }
        for clause in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            try apply(clause, of: text)
        }
    }

    /// The bits of a file that has `base` on the host.
    public func applied(to base: UInt16) -> UInt16 { base & mask | set }

    private static func octal(_ text: [UInt8]) throws(ValueFault) -> UInt16 {
        var value: UInt16 = 0
        for byte in text {
            guard (0x30...0x37).contains(byte), value <= all >> 3 else {
                throw ValueFault(text, "an octal number from 0 through 07777")
            }
            value = value << 3 | UInt16(byte & 7)
        }
        return value
    }

    private mutating func apply(
        _ clause: ArraySlice<UInt8>, of text: [UInt8]
    ) throws(ValueFault) {
        let who = clause.prefix { Self.shift($0) != nil || $0 == UInt8(ascii: "a") }
        let action = clause.dropFirst(who.count).first
        let letters = clause.dropFirst(who.count + 1)
        let shifts =
            who.isEmpty || who.contains(UInt8(ascii: "a")) ? [6, 3, 0] : who.compactMap(Self.shift)
        guard let bits = Self.bits(letters, shifts) else { throw Self.fault(clause, in: text) }
        switch action {
        case UInt8(ascii: "-"): mask &= ~bits
        case UInt8(ascii: "+"): set |= bits
        case UInt8(ascii: "="):
            let cleared = shifts.reduce(0) { $0 | 0o7 << $1 } as UInt16
            mask &= ~cleared
            set = set & ~cleared | bits
        default: throw Self.fault(clause, in: text)
        }
    }

    /// How far a class' bits stand from the right.
    private static func shift(_ who: UInt8) -> UInt16? {
        switch who {
        case UInt8(ascii: "u"): 6
        case UInt8(ascii: "g"): 3
        case UInt8(ascii: "o"): 0
        default: nil
        }
    }

    /// The bits of the letters for some classes; nil for no letter or an unknown one.
    private static func bits(_ letters: ArraySlice<UInt8>, _ shifts: [UInt16]) -> UInt16? {
        guard !letters.isEmpty else { return nil }
        var bits: UInt16 = 0
        for letter in letters {
            switch letter {
            case UInt8(ascii: "r"): bits |= shifts.reduce(0) { $0 | 4 << $1 }
            case UInt8(ascii: "w"): bits |= shifts.reduce(0) { $0 | 2 << $1 }
            case UInt8(ascii: "x"): bits |= shifts.reduce(0) { $0 | 1 << $1 }
            case UInt8(ascii: "s"): bits |= 0o4000
            case UInt8(ascii: "g"): bits |= 0o2000
            case UInt8(ascii: "t"): bits |= 0o1000
            default: return nil
            }
        }
        return bits
    }

    private static func fault(_ clause: ArraySlice<UInt8>, in text: [UInt8]) -> ValueFault {
        clause.count == text.count
            ? ValueFault(text, "'*', an octal number, or clauses such as 'u+rwx,go-w'")
            : ValueFault(clause, "a clause such as 'go-w'")
    }
}
