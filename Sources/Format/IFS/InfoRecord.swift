extension IFS {
    /// One of the notes that a loader leaves in a startup header (`struct startup_info_hdr` and what
    /// follows it).
    ///
    /// mkifs writes none; images read out of memory can have them. Source: `sys/startup.h`.
    public enum InfoRecord: Equatable, Sendable {
        /// A range of memory, in bytes.
        case memory(address: UInt64, size: UInt64)
        /// A disk's geometry; `blocks` counts its sectors.
        case disk(drive: UInt8, heads: UInt16, cylinders: UInt16, sectors: UInt16, blocks: UInt32)
        /// Seconds since 1970.
        case time(UInt32)
        /// The kind of machine and of its bus.
        case box(type: UInt8, bus: UInt8)
        /// A record of a type that has no meaning here, with its payload.
        case other(type: UInt16, payload: [UInt8])

        /// The records of a startup header's 192 `info` bytes. The list ends at a record of size 0,
        /// or at one too short or too long to be true.
        public static func records(in info: [UInt8], _ order: ByteOrder) -> [InfoRecord] {
            var records: [InfoRecord] = []
            var position = 0
            while let record = record(in: info, at: position, order) {
                position &+= record.size
                if let value = record.value { records.append(value) }
            }
            return records
        }

        private static func record(
            in info: [UInt8], at base: Int, _ order: ByteOrder
        ) -> (value: InfoRecord?, size: Int)? {
            // A cut record ends the list, so its error says nothing more.
            try? info.parsed { bytes throws(FormatError) in
                func field<Value>(_ at: Int, _: Value.Type) throws(FormatError) -> Value
                where Value: FixedWidthInteger & BitwiseCopyable & Sendable {
                    try bytes.read(Field<Value>(at, "info record"), from: base, order)
                }
                let type = try field(0, UInt16.self)
                let size = Int(try field(2, UInt16.self))
                guard size >= 4, bytes.holds(size, at: base) else { return nil }
                let value: InfoRecord?
                switch (type, size) {
                case (0, _): value = nil
                case (1, 12), (1, 20):
                    let high = size == 20
                    value = .memory(
                        address: UInt64(try field(4, UInt32.self))
                            | (high ? UInt64(try field(12, UInt32.self)) << 32 : 0),
                        size: UInt64(try field(8, UInt32.self))
                            | (high ? UInt64(try field(16, UInt32.self)) << 32 : 0))
                case (2, 16...):
                    value = .disk(
                        drive: try field(4, UInt8.self), heads: try field(6, UInt16.self),
                        cylinders: try field(8, UInt16.self), sectors: try field(10, UInt16.self),
                        blocks: try field(12, UInt32.self))
                case (3, 8...): value = .time(try field(4, UInt32.self))
                case (4, 6...):
                    value = .box(type: try field(4, UInt8.self), bus: try field(5, UInt8.self))
                default:
                    value = .other(
                        type: type, payload: bytes.bytes((base &+ 4)..<(base &+ size)))
                }
                return (value, size)
            } ?? nil
        }
    }
}
