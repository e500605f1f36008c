/// Where in a file, a decoded stream or a buffer something stands.
public struct Place: Equatable, Sendable, CustomStringConvertible {
    /// The structure and its field, as in `image header.dir_offset`.
    public var field: String
    /// Byte offset of the field.
    public var offset: UInt64

    /// A field at a byte offset.
    public init(_ field: String, _ offset: UInt64) {
        self.field = field
        self.offset = offset
    }

    /// `field at 0x...`.
    public var description: String { "\(field) at \(hex(offset))" }
}

/// Why bytes could not be read as what they should be.
///
/// The three kinds stay apart because callers act on them differently: the medium failed (`io`), the
/// bytes are lawful but not ours to read (`unsupported`), or the bytes are wrong (`truncated`,
/// `corrupt`). Each prints as one line in lower case: where, what was found, what was expected.
public enum FormatError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The operating system refused a read of the place, with this errno.
    case io(Place, errno: Int32)
    /// A lawful thing that is not read here; `found` names it, `expected` what would be.
    case unsupported(Place, found: String, expected: String)
    /// `needed` bytes from the place on, where only `available` are there.
    case truncated(Place, needed: UInt64, available: UInt64)
    /// A value that breaks a rule of the format.
    case corrupt(Place, found: String, expected: String)

    /// Where the fault stands.
    public var place: Place {
        switch self {
        case .io(let place, _), .unsupported(let place, _, _), .truncated(let place, _, _),
            .corrupt(let place, _, _):
            place
        }
    }

    /// The same fault in the coordinates of what surrounds the bytes that were parsed. The place of
    /// a failed read is in the file's own already.
    public func moved(by origin: UInt64) -> FormatError {
        let moved = Place(place.field, origin &+ place.offset)
        switch self {
        case .io: return self
        case .unsupported(_, let found, let expected):
            return .unsupported(moved, found: found, expected: expected)
        case .truncated(_, let needed, let available):
            return .truncated(moved, needed: needed, available: available)
        case .corrupt(_, let found, let expected):
            return .corrupt(moved, found: found, expected: expected)
        }
    }

    /// The same fault in a field of another name.
    func named(_ field: String) -> FormatError {
        let named = Place(field, place.offset)
        switch self {
        case .io(_, let errno): return .io(named, errno: errno)
        case .unsupported(_, let found, let expected):
            return .unsupported(named, found: found, expected: expected)
        case .truncated(_, let needed, let available):
            return .truncated(named, needed: needed, available: available)
        case .corrupt(_, let found, let expected):
            return .corrupt(named, found: found, expected: expected)
        }
    }

    /// One line: where, what was found, what was expected.
    public var description: String {
        switch self {
        case .io(let place, let errno): "\(place): cannot read: \(systemMessage(errno))"
        case .unsupported(let place, let found, let expected),
            .corrupt(let place, let found, let expected):
            "\(place): found \(found), expected \(expected)"
        case .truncated(let place, let needed, let available):
            "\(place): found \(available) bytes, expected \(needed)"
        }
    }
}

/// Runs `body`, whose offsets count from `origin`, and reports its errors in the outer coordinates.
func located<Result>(
    at origin: UInt64, _ body: () throws(FormatError) -> Result
) throws(FormatError) -> Result {
    do {
        return try body()
    } catch {
        throw error.moved(by: origin)
    }
}
