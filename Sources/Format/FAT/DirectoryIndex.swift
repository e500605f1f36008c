extension FAT {
    /// Every directory of a volume: where its bytes are, which one holds it, what it holds.
    ///
    /// Made once, directories nearer to the root first. No cluster is taken for two directories, or
    /// twice for one, so that the tree has neither loops nor more directories than clusters.
    struct DirectoryIndex: Sendable {
        /// Directories that a volume may have.
        static let mostDirectories = 1 << 20

        struct Directory: Sendable {
            let node: NodeID
            /// The index of the directory that holds it; the root's is the root.
            let parent: Int
            /// Where its chain begins; 0 for the fixed root.
            let start: Cluster
            /// Its bytes, as a range of `runs`.
            var runs: Range<Int> = 0..<0
            /// Why its bytes end before its time.
            var fault: ChainFault?
            var subdirectoryCount: UInt32 = 0
        }

        private(set) var directories: [Directory] = []
        /// Stretches of the volume, one directory's after the other's.
        private(set) var runs: [ByteRun] = []
        /// Files and directories, the root among them.
        private(set) var nodeCount: UInt64 = 1
        private var numbers: [NodeID: Int] = [:]
        /// The clusters that directories have.
        private var taken: ClusterSet
        /// Clusters that begin before the source ends: no directory lies in others, and a sector can
        /// tell of any number.
        private let storedCount: UInt32
        private let geometry: Geometry

        /// The directories of a volume from its root on. Throws `unsupported` for a volume with too
        /// many, `corrupt` for a root that is nowhere; a directory that cannot be read has what could
        /// be.
        init(
            _ source: any ByteSource, _ boot: BootSector, _ table: Table
        ) throws(FormatError) {
            geometry = table.geometry
            let stored = source.byteCount &- min(source.byteCount, geometry.dataStart)
            storedCount = UInt32(
                clamping: min(UInt64(geometry.clusterCount), geometry.clusterCount(for: stored)))
            taken = ClusterSet(storedCount)
            var start = Cluster(rawValue: 0)
            if geometry.kind == .fat32 {
                start = Cluster(rawValue: boot.wide?.rootCluster ?? 0)
                guard geometry.has(start) else {
                    throw .corrupt(
                        BootSector.At.rootCluster.place(0), found: "\(start.rawValue)",
                        expected: "2 through \(UInt64(geometry.clusterCount) &+ 1)")
                }
            }
            try append(Directory(node: .root, parent: 0, start: start))
            var cursor = Table.Cursor(table)
            var next = 0
            while next < directories.count {
                let first = runs.count
                if geometry.kind != .fat32, next == 0 {
                    runs.append(ByteRun(start: geometry.rootStart, count: geometry.rootByteCount))
                } else {
                    directories[next].fault = addChain(directories[next].start, &cursor)
                }
                directories[next].runs = first..<runs.count
                try addSubdirectories(of: next, source)
                next &+= 1
            }
        }

        /// The index of a directory; nil for what is none.
        func index(of node: NodeID) -> Int? { numbers[node] }

        /// The stretches of a directory.
        func runs(of directory: Directory) -> ArraySlice<ByteRun> { runs[directory.runs] }

        /// Where in the volume the entry of a node would stand; nil where no directory has bytes.
        func place(of node: NodeID) -> UInt64? {
            guard node.rawValue > 1 else { return nil }
            let (place, overflow) = (node.rawValue &- 2).multipliedReportingOverflow(by: 32)
            guard !overflow else { return nil }
            if place >= geometry.rootStart,
                place &- geometry.rootStart < geometry.rootByteCount
            {
                return place
            }
            guard let cluster = geometry.cluster(at: place), isStored(cluster), taken.has(cluster)
            else { return nil }
            return place
        }

        private mutating func append(_ directory: Directory) throws(FormatError) {
            guard directories.count < Self.mostDirectories else {
                throw .unsupported(
                    Place("volume", 0), found: "more than \(Self.mostDirectories) directories",
                    expected: "fewer")
            }
            numbers[directory.node] = directories.count
            directories.append(directory)
        }

        private mutating func addSubdirectories(
            of index: Int, _ source: any ByteSource
        ) throws(FormatError) {
            var reader = EntryReader(source, runs[directories[index].runs])
            var found: [Directory] = []
            do throws(FormatError) {
                while let record = try reader.next() {
                    guard record.isNode else { continue }
                    nodeCount &+= 1
                    guard record.entry.isDirectory else { continue }
                    found.append(
                        Directory(
                            node: record.node, parent: index,
                            start: record.entry.start(geometry.kind)))
                }
            } catch {
                // Whoever lists the directory meets the same error, and is told.
            }
            directories[index].subdirectoryCount = UInt32(clamping: found.count)
            for directory in found { try append(directory) }
        }

        // MARK: Chains

        /// Adds a cluster to the runs from `first` on.
        private mutating func addRun(_ cluster: Cluster, from first: Int) {
            let start = geometry.place(of: cluster)
            if runs.count > first, let last = runs.last, last.start &+ last.count == start {
                runs[runs.count &- 1].count &+= geometry.clusterSize
            } else {
                runs.append(ByteRun(start: start, count: geometry.clusterSize))
            }
        }

        /// Takes the clusters of a chain; returns why it cannot be followed to its end.
        private mutating func addChain(
            _ start: Cluster, _ cursor: inout Table.Cursor
        ) -> ChainFault? {
            guard isStored(start) else { return ChainFault(.outside, value: start.rawValue) }
            guard !taken.has(start) else { return ChainFault(.shared, value: start.rawValue) }
            let size = UInt64(FAT.mostSlots) &* UInt64(DirectoryEntry.byteCount)
            let most = max(1, size / geometry.clusterSize)
            let first = runs.count
            var cluster = start
            for _ in 0..<most {
                taken.insert(cluster)
                addRun(cluster, from: first)
                let link: Link
                do throws(FormatError) {
                    link = try cursor.link(of: cluster)
                } catch {
                    return ChainFault(.unreadable, cluster.rawValue)
                }
                guard case .next(let next) = link else {
                    return link == .end ? nil : ChainFault(link, of: cluster)
                }
                if isStored(next), taken.has(next) {
                    let place = geometry.place(of: next)
                    let isOwn = runs[first...].contains {
                        place >= $0.start && place &- $0.start < $0.count
                    }
                    return ChainFault(
                        isOwn ? .loop : .shared, cluster.rawValue, value: next.rawValue)
                }
                guard isStored(next) else {
                    return ChainFault(.outside, cluster.rawValue, value: next.rawValue)
                }
                cluster = next
            }
            return ChainFault(.long, cluster.rawValue)
        }

        private func isStored(_ cluster: Cluster) -> Bool {
            geometry.has(cluster) && cluster.rawValue &- 2 < storedCount
        }
    }

    /// Numbers of clusters, one bit each.
    struct ClusterSet: Sendable {
        private var words: [UInt64]

        /// None of so many clusters.
        init(_ count: UInt32) {
            words = [UInt64](repeating: 0, count: Int(clamping: UInt64(count) / 64 &+ 1))
        }

        /// Whether a cluster, which there is, is among them.
        func has(_ cluster: Cluster) -> Bool {
            let index = cluster.rawValue &- 2
            return words[Int(index / 64)] & 1 &<< UInt64(index % 64) != 0
        }

        /// Adds a cluster, which there is.
        mutating func insert(_ cluster: Cluster) {
            let index = cluster.rawValue &- 2
            words[Int(index / 64)] |= 1 &<< UInt64(index % 64)
        }
    }
}
