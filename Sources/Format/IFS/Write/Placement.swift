extension IFS {
    /// Decides where entries go in an image, as mkifs does.
    ///
    /// Entries in order, such as programs, come one behind the other, each on a multiple of its unit
    /// in the target's addresses. All others follow, the largest first, each into the first gap that
    /// holds it: the gap behind the directory, those between the entries in order, and the room
    /// behind the last. Empty entries end up behind the directory, in reverse. Source: the golden
    /// images of 6.4; real images of 6.4 to 6.6 agree.
    public struct Placement {
        /// One entry's place.
        public struct Place: Equatable, Sendable {
            /// The caller's number of the entry.
            public let entry: Int
            /// Bytes from the start of the address space, which `base` is the address of.
            public let offset: UInt64
        }

        private let base: UInt64
        private var ordered: [Place] = []
        /// Where each gap starts: behind the directory, and behind each entry in order.
        private var gaps: [UInt64]

        /// An empty image whose data may start at `start`, in an address space that starts at the
        /// address `base`.
        public init(from start: UInt64, base: UInt64) {
            self.base = base
            gaps = [start]
        }

        /// Where the next entry in order goes: the first offset from the end on whose address is a
        /// multiple of `unit`.
        public func next(unit: UInt64) -> UInt64 {
            let unit = max(unit, 1)
            let address = base &+ (gaps.last ?? 0)
            let rest = address % unit
            return (gaps.last ?? 0) &+ (rest == 0 ? 0 : unit &- rest)
        }

        /// Adds an entry in order, at an offset that `next` gave or beyond it.
        public mutating func append(_ entry: Int, at offset: UInt64, size: UInt64) {
            ordered.append(Place(entry: entry, offset: offset))
            gaps.append(offset &+ size)
        }

        /// Adds all other entries, and gives the places of all in the order of the directory.
        public func filled(
            with others: [(entry: Int, size: UInt64)]
        ) -> (places: [Place], end: UInt64) {
            var starts = gaps
            var fillings = [[Place]](repeating: [], count: gaps.count)
            var rooms = FirstRoom(
                zip(gaps, ordered).map { $1.offset &- min($1.offset, $0) } + [.max])
            let sorted = others.enumerated().sorted {
                ($1.element.size, $0.offset) < ($0.element.size, $1.offset)
            }.map(\.element)
            for other in sorted where other.size > 0 {
                let gap = rooms.first(atLeast: other.size)
                fillings[gap].append(Place(entry: other.entry, offset: starts[gap]))
                starts[gap] &+= other.size
                rooms.take(other.size, from: gap)
            }
            let empty = sorted.filter { $0.size == 0 }.reversed()
                .map { Place(entry: $0.entry, offset: gaps[0]) }
            var places = empty + fillings[0]
            for (index, place) in ordered.enumerated() {
                places.append(place)
                places += fillings[index + 1]
            }
            return (places, starts.max() ?? 0)
        }
    }
}

/// Rooms in a row, and the first of them that is large enough, found in the logarithm of their
/// number: a tree of maxima.
private struct FirstRoom {
    private var tree: [UInt64]
    private let leaves: Int

    init(_ rooms: [UInt64]) {
        var leaves = 1
        while leaves < rooms.count { leaves *= 2 }
        self.leaves = leaves
        tree = [UInt64](repeating: 0, count: 2 * leaves)
        for (index, room) in rooms.enumerated() { tree[leaves + index] = room }
        for node in stride(from: leaves - 1, to: 0, by: -1) {
            tree[node] = max(tree[2 * node], tree[2 * node + 1])
        }
    }

    /// The first room of at least `size`; the last room is never full.
    func first(atLeast size: UInt64) -> Int {
        var node = 1
        while node < leaves { node = tree[2 * node] >= size ? 2 * node : 2 * node + 1 }
        return node - leaves
    }

    mutating func take(_ size: UInt64, from room: Int) {
        var node = leaves + room
        if tree[node] == .max { return }
        tree[node] -= size
        node /= 2
        while node > 0 {
            tree[node] = max(tree[2 * node], tree[2 * node + 1])
            node /= 2
        }
    }
}
