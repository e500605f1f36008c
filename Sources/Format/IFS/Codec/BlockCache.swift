/// Decoded bytes of one block, shared by the cache and its readers.
final class DecodedBlock: Sendable {
    let bytes: [UInt8]
    /// Why the block ends before its time; reads behind `bytes` report it.
    let fault: FormatError?

    init(_ bytes: [UInt8], fault: FormatError? = nil) {
        self.bytes = bytes
        self.fault = fault
    }
}

/// The decoded blocks that were used last, up to a number of bytes.
///
/// Two locks: `slots` guards the table and is held for a look or an entry; a block's gate is held
/// while the block is decoded, so that readers of the same block decode it once and readers of
/// others do not wait.
final class BlockCache: Sendable {
    private final class Gate: Sendable {
        let lock = Lock(())
    }

    private struct Slot {
        var index: Int
        /// Nil in a slot that waits for its next block.
        var block: DecodedBlock?
        var wasUsed: Bool
    }

    private struct Slots {
        var slots: [Slot] = []
        /// Places of empty slots.
        var free: [Int] = []
        var places: [Int: Int] = [:]
        var byteCount = 0
        /// Where the next eviction looks first. What was put in last is what it comes to last.
        var hand = 0
    }

    private let limit: Int
    private let slots = Lock(Slots())
    private let gates: [Gate]

    init(limit: Int) {
        self.limit = max(0, limit)
        gates = (0..<64).map { _ in Gate() }
    }

    /// The block at `index`, from the cache or by `decode`.
    func block(
        _ index: Int, decode: () throws(FormatError) -> DecodedBlock
    ) throws(FormatError) -> DecodedBlock {
        if let block = cached(index) { return block }
        return try gates[index & 63].lock.withLock { _ throws(FormatError) in
            if let block = cached(index) { return block }
            let block = try decode()
            insert(block, at: index)
            return block
        }
    }

    /// The block at `index` if it is here.
    func cached(_ index: Int) -> DecodedBlock? {
        slots.withLock { slots in
            guard let place = slots.places[index] else { return nil }
            slots.slots[place].wasUsed = true
            return slots.slots[place].block
        }
    }

    /// Keeps a block, in the place of blocks not used since the hand last passed them.
    func insert(_ block: DecodedBlock, at index: Int) {
        let size = block.bytes.count
        guard size <= limit else { return }
        slots.withLock { slots in
            guard slots.places[index] == nil else { return }
            while slots.byteCount > limit &- size { Self.evict(&slots) }
            let slot = Slot(index: index, block: block, wasUsed: false)
            let place = slots.free.popLast() ?? slots.slots.count
            if place < slots.slots.count {
                slots.slots[place] = slot
            } else {
                slots.slots.append(slot)
            }
            slots.places[index] = place
            slots.byteCount &+= size
        }
    }

    /// Empties the first slot from the hand on that was not used since the hand last passed it.
    private static func evict(_ slots: inout Slots) {
        while true {
            let place = slots.hand
            slots.hand = (place &+ 1) % slots.slots.count
            guard let block = slots.slots[place].block else { continue }
            if slots.slots[place].wasUsed {
                slots.slots[place].wasUsed = false
                continue
            }
            slots.slots[place].block = nil
            slots.places[slots.slots[place].index] = nil
            slots.free.append(place)
            slots.byteCount &-= block.bytes.count
            return
        }
    }
}
