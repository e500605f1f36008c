extension IFS {
    /// A number in what stands before an image that tells where the image ends, such as a size in the
    /// headers of a file that it lies in.
    public struct EndField: Equatable, Sendable {
        /// Its place, from the start of what stands before the image.
        public let offset: UInt64
        /// Whether it has 8 bytes; else 4.
        public let isWide: Bool
        /// Its byte order.
        public let order: ByteOrder
        /// It counts from here: the value is that of the image's end less this, modulo 2^64.
        public let base: UInt64

        /// A field at a byte offset.
        public init(at offset: UInt64, isWide: Bool, _ order: ByteOrder, from base: UInt64) {
            self.offset = offset
            self.isWide = isWide
            self.order = order
            self.base = base
        }

        /// Its bytes for an image that ends at `end`. Throws `unsupported` for a number with no room.
        func bytes(end: UInt64) throws(FormatError) -> [UInt8] {
            let value = end &- base
            guard isWide || value <= UInt64(UInt32.max) else {
                throw .unsupported(
                    Place("size in the file's header", offset), found: "\(value)",
                    expected: "\(UInt32.max) at most")
            }
            let shifts = stride(from: UInt64(0), to: isWide ? 64 : 32, by: 8)
            let little = shifts.map { UInt8(truncatingIfNeeded: value >> $0) }
            return order == .little ? little : little.reversed()
        }
    }
}
