extension FAT {
    /// The tree of a volume, as Linux's vfat shows it.
    ///
    /// All directories are known from the start; names and chains are read when they are wanted, and
    /// those used last are kept.
    public final class Volume: SizedVolume {
        /// The first sector.
        public let boot: BootSector
        /// Where the parts of the volume lie.
        public let geometry: Geometry
        /// How it is read.
        public let options: Options
        /// The table that counts.
        public let table: Table
        let source: any ByteSource
        let index: DirectoryIndex

        private let share: VolumeCaches.Share
        /// Bytes of free clusters, once they were counted.
        private let freeBytes = Lock<UInt64?>(nil)

        /// A file that is being read.
        struct File: Sendable {
            let size: UInt64
            let start: Place
            let map: ClusterMap
        }

        /// The volume that begins with the first byte of `source`. Throws `corrupt`, `truncated` and
        /// `unsupported` where sector, table or root directory are none; damage behind them is told
        /// by whoever meets it.
        public convenience init(
            _ source: any ByteSource, _ options: Options = .init()
        ) throws(FormatError) {
            try self.init(source, options, .whole)
        }

        init(
            _ source: any ByteSource, _ options: Options, _ share: VolumeCaches.Share
        ) throws(FormatError) {
            self.share = share
            let head = try source.prefix(BootSector.byteCount, at: 0)
            boot = try head.parsed { bytes throws(FormatError) in
                try BootSector(parsing: bytes)
            }
            geometry = try boot.geometry()
            table = try Table(source, geometry)
            index = try DirectoryIndex(source, boot, table)
            self.source = source
            self.options = options
        }

        /// By the count of sectors.
        public var cutOff: FormatError? {
            guard geometry.byteCount > source.byteCount else { return nil }
            return .corrupt(
                boot.sectorCountPlace, found: "\(boot.sectorCount)",
                expected: "\(source.byteCount / geometry.sectorSize) at most, which are there")
        }

        /// The clusters, and the files and directories. Free clusters are counted at the first call;
        /// there are none where the table cannot be read.
        public var statistics: VolumeStatistics {
            let free = freeBytes.withLock { known in
                if let known { return known }
                // A medium that fails says so to whoever reads a file; here is no place for it.
                let count = (try? table.freeClusterCount()) ?? 0
                known = UInt64(count) &* geometry.clusterSize
                return UInt64(count) &* geometry.clusterSize
            }
            return VolumeStatistics(
                byteCount: UInt64(geometry.clusterCount) &* geometry.clusterSize,
                freeByteCount: free, nodeCount: index.nodeCount, longestName: LongName.mostBytes)
        }

        /// A node's attributes, as Linux gives them: everything is allowed but what the masks forbid, and
        /// writing a file that is read-only; owner 0. The root has no time.
        public func attributes(of node: NodeID) throws(FormatError) -> Attributes? {
            if node == .root {
                return Attributes(
                    node: node, kind: .directory, permissions: 0o777 & ~options.directoryMask,
                    linkCount: linkCount(of: index.directories[0]))
            }
            guard let entry = try entry(of: node) else { return nil }
            let modified = entry.modified.seconds &- options.timeOffset
            if let number = index.index(of: node) {
                return Attributes(
                    node: node, kind: .directory, permissions: 0o777 & ~options.directoryMask,
                    modified: modified,
                    linkCount: linkCount(of: index.directories[number]))
            }
            let all: UInt32 = entry.attributes.contains(.readOnly) ? 0o555 : 0o777
            return Attributes(
                node: node, kind: .file, permissions: all & ~options.fileMask,
                modified: modified, byteCount: UInt64(entry.size))
        }

        private func linkCount(of directory: DirectoryIndex.Directory) -> UInt32 {
            directory.subdirectoryCount &+ 2
        }

        /// The node of a name in whatever case; its short name leads to it as well. Throws where the
        /// directory has no such name as far as it can be read.
        public func lookup(
            _ name: [UInt8], in directory: NodeID
        ) throws(FormatError) -> NodeID? {
            guard let listing = try listing(of: directory) else { return nil }
            if let node = listing.node(name) { return node }
            if let fault = listing.fault { throw fault }
            return nil
        }

        /// The entries of a directory in the order of the disk; their indexes are the numbers of their
        /// 32 bytes. Throws behind the last one of a directory that ends before its time.
        public func entries(
            of directory: NodeID, from index: Int,
            _ body: (Int, UnsafeBufferPointer<UInt8>, NodeID) -> Bool
        ) throws(FormatError) {
            guard let listing = try listing(of: directory) else { return }
            let isWhole = unsafe listing.names.withUnsafeBufferPointer { names in
                for item in listing.items[listing.firstItem(from: index)...] {
                    let range = Int(item.start)..<Int(item.start &+ item.count)
                    let name = unsafe UnsafeBufferPointer(rebasing: names[range])
                    guard unsafe body(Int(item.slot), name, item.node) else { return false }
                }
                return true
            }
            if isWhole, let fault = listing.fault { throw fault }
        }

        /// The directory above one.
        public func parent(of directory: NodeID) throws(FormatError) -> NodeID? {
            index.index(of: directory).map { index.directories[index.directories[$0].parent].node }
        }

        /// A file's bytes. Throws where its chain does not lead to them.
        public func read(
            _ node: NodeID, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
        ) throws(FormatError) -> Int {
            guard let file = try file(of: node), offset < file.size else { return 0 }
            let wanted = Int(clamping: min(UInt64(buffer.count), file.size &- offset))
            var done = 0
            while done < wanted {
                let position = offset &+ UInt64(clamping: done)
                let run = try run(at: position, of: file)
                let count = Int(clamping: min(UInt64(clamping: wanted &- done), run.count))
                let part = unsafe UnsafeMutableRawBufferPointer(
                    rebasing: buffer[done..<(done &+ count)])
                let found = try unsafe source.read(into: part, at: run.start)
                guard found == count else {
                    throw .truncated(
                        Place("file data", run.start), needed: UInt64(clamping: count),
                        available: UInt64(clamping: found))
                }
                done &+= count
            }
            return done
        }

        /// None: the file system has no links.
        public func target(of node: NodeID) throws(FormatError) -> [UInt8]? { nil }

        // MARK: Entries

        /// The entry of a node other than the root; nil where there is none.
        func entry(of node: NodeID) throws(FormatError) -> DirectoryEntry? {
            guard let place = index.place(of: node) else { return nil }
            let bytes = try source.bytes(
                UInt64(DirectoryEntry.byteCount), at: place, "directory entry")
            guard bytes[0] != DirectoryEntry.endMark, bytes[0] != DirectoryEntry.deletedMark else {
                return nil
            }
            let entry = try bytes.parsed { bytes throws(FormatError) in
                try DirectoryEntry(parsing: bytes)
            }
            return entry.isLabel || entry.isDots ? nil : entry
        }

        /// The names of a directory; nil for what is none.
        private func listing(of node: NodeID) throws(FormatError) -> Listing? {
            guard let number = index.index(of: node) else { return nil }
            if let known = share.listing(number) { return known }
            let directory = index.directories[number]
            let reader = EntryReader(source, index.runs(of: directory))
            let listing = Listing(
                reader, broken: directory.fault.map { error($0, of: node) }, options.codePage)
            // What the medium refused may be read another time.
            if case .io = listing.fault { return listing }
            share.keep(listing, number)
            return listing
        }

        /// A fault in the chain of a node, as an error.
        func error(_ fault: ChainFault, of node: NodeID) -> FormatError {
            fault.error(startingAt: startPlace(of: node), geometry)
        }

        /// Where the number of a node's first cluster stands.
        func startPlace(of node: NodeID) -> Place {
            guard let place = index.place(of: node) else {
                return BootSector.At.rootCluster.place(0)
            }
            return DirectoryEntry.At.startLow.place(Int(clamping: place))
        }

        // MARK: Files

        private func file(of node: NodeID) throws(FormatError) -> File? {
            if let known = share.file(node) { return known }
            guard let entry = try entry(of: node), !entry.isDirectory, entry.size > 0 else {
                return nil
            }
            let clusters = geometry.clusterCount(for: UInt64(entry.size))
            let file = File(
                size: UInt64(entry.size), start: startPlace(of: node),
                map: try ClusterMap(
                    entry.start(geometry.kind), wanted: UInt32(clamping: clusters), table))
            share.keep(file, node)
            return file
        }

        /// The bytes of a file from a position on that lie together on the medium.
        private func run(at position: UInt64, of file: File) throws(FormatError) -> ByteRun {
            let cluster = UInt32(clamping: position / geometry.clusterSize)
            let inside = position % geometry.clusterSize
            guard cluster < file.map.count else {
                let fault = file.map.fault ?? ChainFault(.short)
                throw fault.error(startingAt: file.start, geometry)
            }
            let (first, count) = try file.map.clusters(at: cluster)
            return ByteRun(
                start: geometry.place(of: first) &+ inside,
                count: UInt64(count) &* geometry.clusterSize &- inside)
        }
    }
}
