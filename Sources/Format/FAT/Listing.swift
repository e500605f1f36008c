extension FAT {
    /// The names of a directory: in the order of the disk, and sorted for a look-up.
    final class Listing: Sendable {
        struct Item: Sendable {
            /// The number of the entry's 32 bytes in the directory.
            let slot: UInt32
            /// Where in `names` its name stands.
            let start: UInt32
            let count: UInt32
            let node: NodeID
        }

        /// A folded name to look up.
        private struct Key: Sendable, BitwiseCopyable {
            /// Where in `folded` it stands.
            let start: UInt32
            let count: UInt32
            let item: UInt32
            /// Whether it is a short name that the listing does not show.
            let isAlias: Bool
        }

        let items: [Item]
        /// The names that are shown, one after the other.
        let names: [UInt8]
        /// Why the directory ends before its time.
        let fault: FormatError?
        private let folded: [UInt8]
        private let keys: [Key]

        /// Bytes that it holds, about.
        var size: Int {
            items.count &* MemoryLayout<Item>.stride &+ keys.count &* MemoryLayout<Key>.stride
                &+ names.count &+ folded.count &+ 200
        }

        /// Reads a directory. `broken` is why its bytes end before their time.
        init(_ reader: consuming EntryReader, broken: FormatError?, _ codePage: CodePage) {
            var (items, names, folded) = ([Item](), [UInt8](), [UInt8]())
            var (keys, fault) = ([Key](), FormatError?.none)
            func add(_ name: [UInt8], isAlias: Bool) {
                let bytes = FAT.folded(name)
                keys.append(
                    Key(
                        start: UInt32(clamping: folded.count), count: UInt32(clamping: bytes.count),
                        item: UInt32(clamping: items.count), isAlias: isAlias))
                folded += bytes
            }
            do throws(FormatError) {
                while let record = try reader.next() {
                    guard record.isNode,
                        let name = FAT.shownName(record.entry, long: record.longName, codePage)
                    else { continue }
                    add(name, isAlias: false)
                    if record.longName != nil {
                        let short = record.entry.shortName(codePage)
                        if FAT.isName(short) { add(short, isAlias: true) }
                    }
                    items.append(
                        Item(
                            slot: UInt32(clamping: record.slot),
                            start: UInt32(clamping: names.count),
                            count: UInt32(clamping: name.count), node: record.node))
                    names += name
                }
                if !reader.hasEnded { fault = broken }
            } catch {
                fault = error
            }
            self.items = items
            self.names = names
            self.fault = fault
            let bytes = folded
            keys.sort { one, other in
                let order = Self.compare(Self.bytes(one, bytes), Self.bytes(other, bytes))
                if order != 0 { return order < 0 }
                return one.isAlias == other.isAlias ? one.item < other.item : other.isAlias
            }
            self.folded = folded
            self.keys = keys
        }

        /// The node of a name, whatever its case: of one that is shown, else of a short name.
        func node(_ name: [UInt8]) -> NodeID? {
            let wanted = FAT.folded(name)
            var (low, high) = (0, keys.count)
            while low < high {
                let middle = (low &+ high) / 2
                if Self.compare(Self.bytes(keys[middle], folded), wanted[...]) < 0 {
                    low = middle &+ 1
                } else {
                    high = middle
                }
            }
            guard low < keys.count, Self.bytes(keys[low], folded) == wanted[...] else { return nil }
            return items[Int(keys[low].item)].node
        }

        /// The first item of a slot from `slot` on, by its index.
        func firstItem(from slot: Int) -> Int {
            var (low, high) = (0, items.count)
            while low < high {
                let middle = (low &+ high) / 2
                if Int(items[middle].slot) < slot { low = middle &+ 1 } else { high = middle }
            }
            return low
        }

        private static func bytes(_ key: Key, _ folded: [UInt8]) -> ArraySlice<UInt8> {
            folded[Int(key.start)..<Int(key.start &+ key.count)]
        }

        private static func compare(_ one: ArraySlice<UInt8>, _ other: ArraySlice<UInt8>) -> Int {
            if one.lexicographicallyPrecedes(other) { return -1 }
            return one == other ? 0 : 1
        }
    }
}
