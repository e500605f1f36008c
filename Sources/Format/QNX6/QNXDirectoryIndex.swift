extension QNX {
    /// Where in a directory a name can stand: its slots by the hash of what they name.
    ///
    /// It is made of the directory once, so that neither a look-up nor the question whether a
    /// subdirectory has a second name goes through all of it again.
    final class DirectoryIndex: Sendable {
        /// Hash and slot, sorted.
        private let entries: [UInt64]
        /// Slots that name a subdirectory which an earlier slot names.
        private let repeated: Set<UInt32>

        /// Collects what a directory has.
        struct Builder {
            fileprivate var entries: [UInt64] = []
            fileprivate var nodes: [Target] = []

            /// Takes a slot with the name and the number of what it leads to.
            mutating func add(_ slot: UInt32, _ name: [UInt8], _ node: UInt64) {
                entries.append(UInt64(DirectoryIndex.hash(name)) &<< 32 | UInt64(slot))
                nodes.append(Target(node: node, slot: slot))
            }
        }

        fileprivate struct Target: BitwiseCopyable {
            var node: UInt64
            var slot: UInt32
        }

        /// The index of what was collected. Of those that are named twice, `isDirectory` is asked.
        init(
            _ builder: consuming Builder, isDirectory: (UInt64) throws(FormatError) -> Bool
        ) throws(FormatError) {
            builder.entries.sort()
            builder.nodes.sort { ($0.node, $0.slot) < ($1.node, $1.slot) }
            var repeated: Set<UInt32> = []
            var asked: (node: UInt64, isDirectory: Bool)?
            for (first, second) in zip(builder.nodes, builder.nodes.dropFirst())
            where first.node == second.node {
                if asked?.node != first.node {
                    asked = (first.node, try isDirectory(first.node))
                }
                if asked?.isDirectory == true { repeated.insert(second.slot) }
            }
            entries = builder.entries
            self.repeated = repeated
        }

        /// Bytes of memory, about.
        var byteCount: Int { entries.count &* 8 &+ repeated.count &* 8 &+ 64 }

        /// Whether a slot gives a subdirectory its second name.
        func isRepeated(_ slot: UInt32) -> Bool { repeated.contains(slot) }

        /// The slots that may hold a name, in their order.
        func slots(of name: [UInt8]) -> [UInt32] {
            let hash = Self.hash(name)
            var low = 0
            var high = entries.count
            while low < high {
                let middle = (low &+ high) / 2
                if entries[middle] &>> 32 < UInt64(hash) {
                    low = middle &+ 1
                } else {
                    high = middle
                }
            }
            return entries[low...].prefix { $0 &>> 32 == UInt64(hash) }
                .map { UInt32(truncatingIfNeeded: $0) }
        }

        /// FNV-1a, 32 bits.
        private static func hash(_ name: [UInt8]) -> UInt32 {
            name.reduce(0x811c_9dc5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        }
    }

    /// The indexes of the directories that were asked for, up to a number of bytes.
    final class DirectoryIndexes: Sendable {
        /// A directory of a volume, each by its number.
        struct Key: Hashable {
            var volume: Int
            var directory: UInt64
        }

        private struct State {
            var indexes: [Key: DirectoryIndex] = [:]
            var byteCount = 0
        }

        private static let most = 32 << 20
        private let state = Lock(State())

        /// The index of a directory, made by `make` if it is not here.
        func index(
            of directory: Key, make: () throws(FormatError) -> DirectoryIndex
        ) throws(FormatError) -> DirectoryIndex {
            if let found = state.withLock({ $0.indexes[directory] }) { return found }
            let made = try make()
            state.withLock { state in
                // All go at once: who has so many directories comes back to few of them.
                if state.byteCount &+ made.byteCount > Self.most {
                    state.indexes = [:]
                    state.byteCount = 0
                }
                if state.indexes.updateValue(made, forKey: directory) == nil {
                    state.byteCount &+= made.byteCount
                }
            }
            return made
        }
    }
}
