/// The 16 bytes that name a partition or its type in a GPT.
public struct GUID: Hashable, Sendable, CustomStringConvertible {
    /// Bytes of a GUID.
    public static let byteCount = 16

    /// As they are stored.
    public let bytes: [UInt8]

    /// The first 16 of `bytes`; zeros for what is missing.
    public init(_ bytes: some Sequence<UInt8>) {
        let known = Array(bytes.prefix(Self.byteCount))
        self.bytes = known + [UInt8](repeating: 0, count: Self.byteCount - known.count)
    }

    /// Whether all bytes are zero, which stands for nothing.
    public var isZero: Bool { bytes.allSatisfy { $0 == 0 } }

    /// Five groups of upper-case digits; the first three are stored lowest byte first.
    public var description: String {
        let order = [3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15]
        return order.map { $0 < 0 ? "-" : hexDigits([bytes[$0]]).uppercased() }.joined()
    }
}
