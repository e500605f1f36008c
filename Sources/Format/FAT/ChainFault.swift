extension FAT {
    /// Why a chain of clusters does not go on where it should.
    struct ChainFault: Equatable, Sendable {
        enum Problem: UInt8, Sendable {
            /// Into a cluster that nothing uses.
            case free
            /// Into a cluster that must not be used.
            case bad
            /// To a number that is no cluster's.
            case outside
            /// It ends before the bytes do.
            case short
            /// Into itself.
            case loop
            /// Into a chain that something else has.
            case shared
            /// A directory has more entries than one may have.
            case long
            /// The table could not be read there.
            case unreadable
        }

        let problem: Problem
        /// The cluster whose entry it is; 0 for the first number, which a directory entry has.
        let cluster: UInt32
        /// The number found.
        var value: UInt32 = 0

        /// The fault of an entry that says so of a cluster of a chain that must go on.
        init?(_ link: Link, of cluster: Cluster) {
            self.cluster = cluster.rawValue
            switch link {
            case .next: return nil
            case .end: problem = .short
            case .free: problem = .free
            case .bad: problem = .bad
            case .outside(let number):
                problem = .outside
                value = number
            }
        }

        init(_ problem: Problem, _ cluster: UInt32 = 0, value: UInt32 = 0) {
            self.problem = problem
            self.cluster = cluster
            self.value = value
        }

        /// The fault as an error; `start` is where the chain's first number stands.
        func error(startingAt start: Place, _ geometry: Geometry) -> FormatError {
            let place =
                cluster == 0 ? start : geometry.tablePlace(of: Cluster(rawValue: cluster))
            let last = UInt64(geometry.clusterCount) &+ 1
            let found: String
            var expected = "the number of the next cluster"
            switch problem {
            case .free: found = "the mark of a free cluster"
            case .bad: found = "the mark of a bad cluster"
            case .short: found = "the end of the chain"
            case .unreadable: found = "an entry that cannot be read"
            case .outside:
                found = "\(value)"
                expected = "a cluster from 2 through \(last)"
            case .loop:
                found = "cluster \(value), which the chain has passed"
                expected = "a cluster that is not yet in it"
            case .shared:
                found = "cluster \(value), which another chain has"
                expected = "a cluster of its own"
            case .long:
                found = "more than \(FAT.mostSlots) entries"
                expected = "the end of the directory"
            }
            return .corrupt(place, found: found, expected: expected)
        }
    }

    /// Entries that a directory may have, parts of long names included. Source: the specification
    /// allows 2 MiB.
    static let mostSlots = 65536
}
