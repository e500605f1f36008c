extension FAT {
    /// One check of a volume. It holds a bit for each cluster.
    struct Check {
        /// Faults that are told.
        private static let most = 1000

        let volume: Volume
        private(set) var faults: [Fault] = []
        /// Clusters of the chains followed so far.
        private var used: ClusterSet
        private var cursor: Table.Cursor
        /// Directories, by their numbers, that hold bytes of something else, and those below them.
        var falseDirectories: Set<Int> = []

        var geometry: Geometry { volume.geometry }

        init(_ volume: Volume) {
            self.volume = volume
            used = ClusterSet(volume.geometry.clusterCount)
            cursor = Table.Cursor(volume.table)
        }

        mutating func run() {
            checkBootSector()
            checkBackup()
            checkMarks()
            checkCopies()
            for number in volume.index.directories.indices {
                // More faults would not be told.
                if faults.count >= Self.most { return }
                checkDirectory(number)
            }
            checkTable()
        }

        mutating func add(_ place: Place, _ found: String, _ expected: String) {
            add(Fault(place, found: found, expected: expected))
        }

        mutating func add(_ error: FormatError) { add(Fault(error)) }

        private mutating func add(_ fault: Fault) {
            if faults.count < Self.most { faults.append(fault) }
        }

        /// Does something that may be impossible, which is told then.
        mutating func attempt(_ body: (inout Check) throws(FormatError) -> Void) {
            do throws(FormatError) {
                try body(&self)
            } catch {
                add(error)
            }
        }

        // MARK: The table

        /// Entries 0 and 1.
        private mutating func checkMarks() {
            attempt { check throws(FormatError) in
                let (media, state) = try check.volume.table.marks()
                let kind = check.geometry.kind
                let first = kind.mask & ~0xff | UInt32(check.volume.boot.media)
                let start = check.volume.table.start
                if media != first {
                    check.add(Place("table entry 0", start), hex(media), hex(first))
                }
                let place = Place("table entry 1", start &+ UInt64(kind.rawValue / 8))
                if kind.cleanMark != 0, state & kind.cleanMark == 0 {
                    check.add(
                        place, hex(state), "\(hex(kind.cleanMark)) set: not unmounted cleanly")
                }
                if kind.errorFreeMark != 0, state & kind.errorFreeMark == 0 {
                    check.add(
                        place, hex(state), "\(hex(kind.errorFreeMark)) set: the disk had errors")
                }
            }
        }

        /// The tables that should be the same.
        private mutating func checkCopies() {
            let isMirrored = (volume.boot.wide?.flags ?? 0) & 0x80 == 0
            guard isMirrored, geometry.tableCount > 1 else { return }
            for copy in 1..<geometry.tableCount {
                attempt { check throws(FormatError) in try check.compare(copy) }
            }
        }

        private mutating func compare(_ copy: UInt8) throws(FormatError) {
            let size = geometry.tableByteCount
            let start = geometry.tableStart &+ UInt64(copy) &* size
            var position: UInt64 = 0
            while position < size {
                let count = min(size &- position, 64 << 10)
                let one = try volume.source.bytes(
                    count, at: geometry.tableStart &+ position, "table")
                let other = try volume.source.bytes(count, at: start &+ position, "table's copy")
                if let place = other.firstDifference(from: one) {
                    add(
                        Place("table copy \(copy)", start &+ position &+ UInt64(clamping: place)),
                        hex(other[place]), "\(hex(one[place])), as in the first table")
                    return
                }
                position &+= count
            }
        }

        /// Clusters that no chain has, and FAT32's count of free ones.
        private mutating func checkTable() {
            attempt { check throws(FormatError) in
                var (free, lost): (UInt32, UInt32) = (0, 0)
                var firstLost: UInt32?
                let (used, bad) = (check.used, check.geometry.kind.bad)
                try check.volume.table.eachEntry { number, value in
                    if value == 0 { free &+= 1 }
                    guard value != 0, value != bad, !used.has(Cluster(rawValue: number)) else {
                        return
                    }
                    lost &+= 1
                    if firstLost == nil { firstLost = number }
                }
                if let firstLost {
                    let place = check.geometry.tablePlace(of: Cluster(rawValue: firstLost))
                    check.add(
                        place, "the first of \(lost) clusters that no file has", "0, a free one")
                }
                try check.checkInformation(free)
            }
        }

        // MARK: Chains

        /// Follows a chain whose first number stands at `place`, and takes its clusters. Returns their
        /// number; nil where the chain does not end well, which is told.
        mutating func follow(_ start: Cluster, from place: Place) -> UInt64? {
            var (cluster, before) = (start, UInt32(0))
            var count: UInt64 = 0
            var fault: ChainFault?
            if !geometry.has(start) { fault = ChainFault(.outside, value: start.rawValue) }
            while fault == nil {
                if used.has(cluster) {
                    let isOwn = has(cluster, from: start, count)
                    fault = ChainFault(isOwn ? .loop : .shared, before, value: cluster.rawValue)
                    break
                }
                used.insert(cluster)
                count &+= 1
                do throws(FormatError) {
                    let link = try cursor.link(of: cluster)
                    if link == .end { return count }
                    fault = ChainFault(link, of: cluster)
                    before = cluster.rawValue
                    if case .next(let next) = link { cluster = next }
                } catch {
                    fault = ChainFault(.unreadable, cluster.rawValue)
                }
            }
            if let fault { add(fault.error(startingAt: place, geometry)) }
            return nil
        }

        /// Whether a cluster is among the first `count` of a chain.
        private mutating func has(_ wanted: Cluster, from start: Cluster, _ count: UInt64) -> Bool {
            var (cluster, rest) = (start, count)
            while rest > 0 {
                if cluster == wanted { return true }
                // An entry that was read a moment ago; if it cannot be now, nothing is known.
                guard case .next(let next)? = try? cursor.link(of: cluster) else { return false }
                cluster = next
                rest &-= 1
            }
            return false
        }
    }
}
