/// The order of the bytes of an integer on disk.
public enum ByteOrder: String, Sendable, Equatable, CaseIterable {
    /// Least significant byte first.
    case little
    /// Most significant byte first.
    case big

    /// The value whose bytes in this order are those of `raw` in memory.
    @inline(__always)
    func value<Integer: FixedWidthInteger>(_ raw: Integer) -> Integer {
        self == .little ? Integer(littleEndian: raw) : Integer(bigEndian: raw)
    }
}
