extension FAT {
    /// Where a file's clusters are: its chain, followed once.
    ///
    /// Of a chain in many pieces only every so manieth is kept, so that a map stays small; what lies
    /// between is followed again.
    final class ClusterMap: Sendable {
        /// Clusters that follow each other on the medium.
        private struct Run: Sendable, BitwiseCopyable {
            /// The number of the first of them in the file.
            let index: UInt32
            let first: UInt32
            var count: UInt32 = 1

            var end: UInt32 { index &+ count }
        }

        /// The distance in clusters of what is kept is a file's length divided by this.
        private static let resolution: UInt32 = 8192

        private let table: Table
        private let runs: [Run]
        /// Clusters of the file that are there.
        let count: UInt32
        /// Why there are fewer than the file wants.
        let fault: ChainFault?

        /// Bytes that it holds, about.
        var size: Int { runs.count &* MemoryLayout<Run>.stride &+ 100 }

        /// Follows the chain from `start` on for `wanted` clusters, one at least. Throws what keeps
        /// the table from being read.
        init(_ start: Cluster, wanted: UInt32, _ table: Table) throws(FormatError) {
            self.table = table
            guard table.geometry.has(start) else {
                (runs, count) = ([], 0)
                fault = ChainFault(.outside, value: start.rawValue)
                return
            }
            var walk = Walk(start, wanted: wanted, distance: max(1, wanted / Self.resolution))
            var cursor = Table.Cursor(table)
            var (count, fault) = (wanted, ChainFault?.none)
            // A loop inside the clusters that are wanted shows before three times as many.
            while walk.count < 3 &* wanted {
                let link: Link
                do throws(FormatError) {
                    link = try cursor.link(of: walk.last)
                } catch {
                    // What is not wanted need not be readable.
                    if walk.count < wanted { throw error }
                    break
                }
                guard case .next(let next) = link else {
                    if walk.count < wanted {
                        (count, fault) = (walk.count, ChainFault(link, of: walk.last))
                    }
                    break
                }
                if let period = walk.add(next) {
                    let loop = try Self.loop(from: start, period: period, table)
                    if loop.count < wanted { (count, fault) = (loop.count, loop.fault) }
                    break
                }
            }
            walk.close()
            runs = walk.runs
            self.count = count
            self.fault = fault
        }

        /// The cluster of an index below `count`, and how many follow it on the medium at least.
        func clusters(at index: UInt32) throws(FormatError) -> (first: Cluster, count: UInt32) {
            var (low, high) = (0, runs.count)
            while low < high {
                let middle = (low &+ high) / 2
                if runs[middle].index <= index { low = middle &+ 1 } else { high = middle }
            }
            // The first run is always kept, and begins at 0.
            let run = runs[max(0, low &- 1)]
            if index < run.end {
                let done = index &- run.index
                let rest = min(run.end, count) &- min(index, count)
                return (Cluster(rawValue: run.first &+ done), max(1, rest))
            }
            var cursor = Table.Cursor(table)
            var cluster = Cluster(rawValue: run.first &+ (run.count &- 1))
            for _ in run.end...index {
                let link = try cursor.link(of: cluster)
                guard case .next(let next) = link else {
                    // It went on when it was followed first: the medium has changed.
                    throw (ChainFault(link, of: cluster) ?? ChainFault(.short, cluster.rawValue))
                        .error(startingAt: Place("table", table.start), table.geometry)
                }
                cluster = next
            }
            return (cluster, 1)
        }

        /// A chain being followed. Every so often it marks where it is: to come there again is a loop
        /// (Brent's method).
        private struct Walk {
            private(set) var runs: [Run] = []
            private(set) var last: Cluster
            private(set) var count: UInt32 = 1
            private var run: Run
            /// How many clusters are kept.
            private let wanted: UInt32
            private let distance: UInt32
            private var mark: Cluster
            private var markIndex: UInt32 = 0
            private var markDistance: UInt32 = 1

            init(_ start: Cluster, wanted: UInt32, distance: UInt32) {
                last = start
                mark = start
                self.wanted = wanted
                self.distance = distance
                run = Run(index: 0, first: start.rawValue)
            }

            /// Goes on to the next cluster; returns the loop's length when it has been there.
            mutating func add(_ next: Cluster) -> UInt32? {
                if next == mark { return count &- markIndex }
                if count &- markIndex == markDistance {
                    mark = next
                    markIndex = count
                    markDistance = markDistance &<< 1
                }
                if count >= wanted {
                    // Only looked at.
                } else if next.rawValue == last.rawValue &+ 1 {
                    run.count &+= 1
                } else {
                    close()
                    run = Run(index: count, first: next.rawValue)
                }
                last = next
                count &+= 1
                return nil
            }

            /// Keeps the run at hand if it is long, or far from the last one kept.
            mutating func close() {
                let isFar = runs.last.map { run.index &- $0.end >= distance } ?? true
                if isFar || run.count >= distance { runs.append(run) }
            }
        }

        /// How many clusters a chain has that ends in a loop of this length, and which one leads back.
        private static func loop(
            from start: Cluster, period: UInt32, _ table: Table
        ) throws(FormatError) -> (count: UInt32, fault: ChainFault) {
            var (slowCursor, fastCursor) = (Table.Cursor(table), Table.Cursor(table))
            var (slow, fast, before) = (start, start, start)
            func next(
                _ cluster: Cluster, _ cursor: inout Table.Cursor
            ) throws(FormatError) -> Cluster {
                guard case .next(let next) = try cursor.link(of: cluster) else { return cluster }
                return next
            }
            for _ in 0..<period {
                before = fast
                fast = try next(fast, &fastCursor)
            }
            var count = period
            // Never more steps than there are clusters, should the medium change meanwhile.
            while slow != fast, count < table.geometry.clusterCount {
                before = fast
                slow = try next(slow, &slowCursor)
                fast = try next(fast, &fastCursor)
                count &+= 1
            }
            return (count, ChainFault(.loop, before.rawValue, value: fast.rawValue))
        }
    }
}
