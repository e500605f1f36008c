internal import Format

/// The value of `type=`.
public enum EntryType: String, CaseIterable, Sendable {
    /// A file of the host, or an inline one.
    case file
    /// A symbolic link.
    case link
    /// A FIFO.
    case fifo
    /// An empty directory.
    case dir

    /// One of the four words.
    public init(parsing text: [UInt8]) throws(ValueFault) {
        let word = String(decoding: text, as: UTF8.self)
        guard let type = EntryType(rawValue: word) else {
            throw ValueFault(
                text, "file, link, fifo or dir",
                hint: nearest(to: word, among: Self.allCases.map(\.rawValue))
                    .map { "did you mean '\($0)'?" })
        }
        self = type
    }
}

/// The value of `code=` and `data=`: whether a segment is used where it lies in the image.
public enum SegmentUse: Equatable, Sendable {
    /// It is used in place.
    case inPlace
    /// It is copied first.
    case copy

    /// `uip` or `copy`, of which the first letter decides.
    public init(parsing text: [UInt8]) throws(ValueFault) {
        switch text.first {
        case UInt8(ascii: "u"): self = .inPlace
        case UInt8(ascii: "c"): self = .copy
        default: throw ValueFault(text, "uip or copy")
        }
    }
}

/// The value of `phys_align=`.
public struct PhysicalAlignment: Equatable, Sendable {
    /// Bytes; 0 ends a group.
    public let size: UInt64
    /// Whether what follows is packed together into pages of this size.
    public let isGroup: Bool

    /// `size` or `size,group`.
    public init(parsing text: [UInt8]) throws(ValueFault) {
        let size = text.prefix { $0 != UInt8(ascii: ",") }
        let rest = text.dropFirst(size.count)
        guard rest.isEmpty || rest.elementsEqual(",group".utf8) else {
            throw ValueFault(text, "a size, or a size and ',group'")
        }
        self.size = try Number.parse(size)
        isGroup = !rest.isEmpty
    }
}

/// The value of `pagesizes=`.
public enum PageSizes {
    /// Powers of two with commas between them, in any order.
    public static func parse(_ text: [UInt8]) throws(ValueFault) -> [UInt64] {
        var sizes: [UInt64] = []
        for part in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let size = try Number.parse(part)
            guard size.nonzeroBitCount == 1 else { throw ValueFault(part, "a power of two") }
            sizes.append(size)
        }
        return sizes
    }
}

/// The value of `compress=`.
extension IFS.Compression {
    /// 1 for zlib, 2 for LZO, 3 for UCL.
    init(attribute text: [UInt8]) throws(ValueFault) {
        guard let number = text.first, text.count == 1, (0x31...0x33).contains(number),
            let method = IFS.Compression(rawValue: number - 0x30)
        else { throw ValueFault(text, "1 (zlib), 2 (LZO) or 3 (UCL)") }
        self = method
    }
}

/// The value of `autoso=`: what is done about shared libraries that files need and nobody named.
public enum MissingLibraries: Equatable, Sendable {
    /// Nothing.
    case ignore
    /// They are listed.
    case list
    /// They are added.
    case add

    /// `none`, `list` or `add`, or the first letter of one.
    public init(parsing text: [UInt8]) throws(ValueFault) {
        switch String(decoding: text, as: UTF8.self) {
        case "n", "none": self = .ignore
        case "l", "list": self = .list
        case "a", "add": self = .add
        default: throw ValueFault(text, "none, list or add")
        }
    }
}

/// Sums that a host's file has to have.
public enum DigestValue {
    /// The value of `cksum=`: what the POSIX command of that name prints.
    public static func cksum(_ text: [UInt8]) throws(ValueFault) -> UInt32 {
        UInt32(truncatingIfNeeded: try Number.parse(text, through: UInt64(UInt32.max)))
    }

    /// The value of `sha256=` (32 bytes) or `sha512=` (64): two hexadecimal digits for each byte.
    public static func bytes(_ text: [UInt8], count: Int) throws(ValueFault) -> [UInt8] {
        let digits = text.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        guard digits.count == text.count, digits.count == 2 * count else {
            throw ValueFault(text, "\(2 * count) hexadecimal digits")
        }
        return (0..<count).map { UInt8(digits[2 * $0] << 4 | digits[2 * $0 + 1]) }
    }
}
