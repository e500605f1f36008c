extension FAT {
    /// Values that were used last, up to a sum of their sizes and 256 in number.
    struct BoundedCache<Key: Hashable & Sendable, Value: Sendable> {
        private struct Slot {
            let value: Value
            let size: Int
            var lastUse: UInt64
        }

        private static var mostSlots: Int { 256 }

        private let limit: Int
        private var slots: [Key: Slot] = [:]
        private var size = 0
        private var clock: UInt64 = 0

        init(limit: Int) { self.limit = limit }

        /// The value of a key, which counts as a use.
        mutating func value(_ key: Key) -> Value? {
            clock &+= 1
            slots[key]?.lastUse = clock
            return slots[key]?.value
        }

        /// Keeps a value in the place of those whose last use is the longest ago; one that is larger
        /// than all may be is not kept.
        mutating func insert(_ value: Value, size newSize: Int, for key: Key) {
            guard newSize <= limit, slots[key] == nil else { return }
            while size > limit &- newSize || slots.count >= Self.mostSlots {
                guard let oldest = slots.min(by: { $0.value.lastUse < $1.value.lastUse }) else {
                    break
                }
                size &-= oldest.value.size
                slots[oldest.key] = nil
            }
            clock &+= 1
            slots[key] = Slot(value: value, size: newSize, lastUse: clock)
            size &+= newSize
        }
    }
}
