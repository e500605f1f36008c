import Format
import Testing

/// Bytes that break one rule of a structure, and the error that says so.
struct BrokenRule: Sendable, CustomTestStringConvertible {
    let bytes: [UInt8]
    let offset: Int
    let error: FormatError

    init(
        _ bytes: [UInt8], at offset: Int, of field: Int, _ name: String, _ found: String,
        _ expected: String
    ) {
        self.bytes = bytes
        self.offset = offset
        error = .corrupt(Place(name, UInt64(field)), found: found, expected: expected)
    }

    var testDescription: String { "\(bytes) at \(offset): \(error)" }
}
