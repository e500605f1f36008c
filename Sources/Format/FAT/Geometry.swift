extension FAT {
    /// Where the parts of a volume lie, in bytes from its first.
    public struct Geometry: Equatable, Sendable {
        /// What the entries of the table are.
        public let kind: Kind
        /// Bytes of a sector.
        public let sectorSize: UInt64
        /// Bytes of a cluster.
        public let clusterSize: UInt64
        /// Bytes of the volume.
        public let byteCount: UInt64
        /// Where the first table begins.
        public let tableStart: UInt64
        /// Bytes of one table.
        public let tableByteCount: UInt64
        /// Copies of the table.
        public let tableCount: UInt8
        /// The copy that counts, from 0 on.
        public let activeTable: UInt8
        /// Where the fixed root directory begins.
        public let rootStart: UInt64
        /// Bytes of the fixed root directory; 0 in FAT32.
        public let rootByteCount: UInt64
        /// Where cluster 2 begins.
        public let dataStart: UInt64
        /// Clusters that the volume and its table have room for.
        public let clusterCount: UInt32

        /// Whether there is such a cluster.
        public func has(_ cluster: Cluster) -> Bool {
            cluster >= .first && cluster.rawValue &- 2 < clusterCount
        }

        /// Where a cluster begins; only of one that there is.
        public func place(of cluster: Cluster) -> UInt64 {
            dataStart &+ UInt64(cluster.rawValue &- 2) &* clusterSize
        }

        /// The cluster that a byte lies in; nil outside all of them.
        func cluster(at place: UInt64) -> Cluster? {
            guard place >= dataStart else { return nil }
            let index = (place &- dataStart) / clusterSize
            guard index < UInt64(clusterCount) else { return nil }
            return Cluster(rawValue: UInt32(clamping: index &+ 2))
        }

        /// Clusters that so many bytes take.
        func clusterCount(for byteCount: UInt64) -> UInt64 {
            byteCount / clusterSize &+ (byteCount % clusterSize == 0 ? 0 : 1)
        }

        /// Where a cluster's entry stands in the table that counts.
        func tablePlace(of cluster: Cluster) -> Place {
            let number = UInt64(cluster.rawValue)
            let offset = kind == .fat12 ? number &+ number / 2 : number &* UInt64(kind.rawValue / 8)
            let start = tableStart &+ UInt64(activeTable) &* tableByteCount
            return Place("table entry of cluster \(number)", start &+ offset)
        }
    }
}

extension FAT.BootSector {
    /// Where everything lies by these measures. Throws `corrupt` where they contradict each other.
    ///
    /// The number of clusters decides the kind, as the specification has it; but a sector without
    /// `shortTableSize` is FAT32's whatever their number, as for Linux `fs/fat/inode.c` and dosfstools.
    public func geometry() throws(FormatError) -> FAT.Geometry {
        try checkFields()
        let unit = UInt64(sectorSize)
        // At most 255 tables of 2^32 sectors of 2^12 bytes: no sum below comes near 2^64.
        let tableByteCount = UInt64(tableSize) &* unit
        let tableStart = UInt64(reservedSectorCount) &* unit
        let rootStart = tableStart &+ UInt64(tableCount) &* tableByteCount
        let rootByteCount = UInt64(rootEntryCount) &* 32
        let dataStart = rootStart &+ (rootByteCount &+ unit &- 1) / unit &* unit
        let byteCount = UInt64(sectorCount) &* unit
        let clusterSize = unit &* UInt64(sectorsPerCluster)
        guard dataStart <= byteCount, byteCount &- dataStart >= clusterSize else {
            throw .corrupt(
                sectorCountPlace, found: "\(sectorCount)",
                expected: "\(dataStart / unit &+ UInt64(sectorsPerCluster)) or more, "
                    + "for what comes before the first cluster and that one")
        }
        let count = (byteCount &- dataStart) / clusterSize
        let kind = try kind(clusterCount: count)
        let room = tableByteCount &* 8 / UInt64(kind.rawValue)
        guard room > 2 else {
            throw .corrupt(
                tableSizePlace, found: "\(tableSize)", expected: "room for a cluster or more")
        }
        let flags = wide?.flags ?? 0
        let active = flags & 0x80 == 0 ? 0 : UInt8(flags & 0x0f)
        guard active < tableCount else {
            throw .corrupt(
                At.flags.place(0), found: "table \(active)", expected: "one of \(tableCount)")
        }
        return FAT.Geometry(
            kind: kind, sectorSize: unit, clusterSize: clusterSize, byteCount: byteCount,
            tableStart: tableStart, tableByteCount: tableByteCount, tableCount: tableCount,
            activeTable: active, rootStart: rootStart,
            rootByteCount: kind == .fat32 ? 0 : rootByteCount, dataStart: dataStart,
            clusterCount: UInt32(clamping: min(count, room &- 2)))
    }

    /// Whether `source` holds at byte `offset` what only a FAT volume has: measures that agree, and a
    /// table that begins as one, the first or its copy. Throws `io` alone.
    public static func isPlausible(
        at offset: UInt64 = 0, in source: any ByteSource
    ) throws(FormatError) -> Bool {
        let head = try source.prefix(byteCount, at: offset)
        do throws(FormatError) {
            let sector = try head.parsed { bytes throws(FormatError) in
                try FAT.BootSector(parsing: bytes)
            }
            let geometry = try sector.geometry()
            for copy in 0..<min(2, UInt64(geometry.tableCount)) {
                let start = geometry.tableStart &+ copy &* geometry.tableByteCount
                let (place, overflow) = offset.addingReportingOverflow(start)
                let table = try overflow ? [] : source.prefix(3, at: place)
                guard table.count == 3, table[0] >= 0xf0, table[1] == 0xff else { continue }
                if sector.endMark == signature || table[0] == sector.media { return true }
            }
            return false
        } catch {
            if case .io = error { throw error }
            return false
        }
    }

    var sectorCountPlace: Place {
        shortSectorCount == 0 ? At.longSectorCount.place(0) : At.shortSectorCount.place(0)
    }

    private var tableSizePlace: Place {
        wide == nil ? At.shortTableSize.place(0) : At.tableSize.place(0)
    }

    private func kind(clusterCount count: UInt64) throws(FormatError) -> FAT.Kind {
        let most = wide == nil ? FAT.Kind.leastOfFAT32 &- 1 : FAT.Kind.mostOfFAT32
        guard count <= most else {
            throw .corrupt(
                sectorCountPlace, found: "\(sectorCount), \(count) clusters",
                expected: "\(most) clusters at most")
        }
        if wide != nil { return .fat32 }
        return count < FAT.Kind.leastOfFAT16 ? .fat12 : .fat16
    }

    private func checkFields() throws(FormatError) {
        func require<Value>(
            _ holds: Bool, _ field: Field<Value>, _ found: Value, _ expected: String
        ) throws(FormatError) {
            guard holds else {
                throw .corrupt(field.place(0), found: "\(found)", expected: expected)
            }
        }
        try require(
            [512, 1024, 2048, 4096].contains(sectorSize), At.sectorSize, sectorSize,
            "512, 1024, 2048 or 4096")
        try require(
            sectorsPerCluster.nonzeroBitCount == 1, At.sectorsPerCluster, sectorsPerCluster,
            "a power of two")
        try require(reservedSectorCount > 0, At.reservedSectorCount, 0, "1 or more")
        try require(tableCount > 0, At.tableCount, 0, "1 or more")
        try require(media == 0xf0 || media >= 0xf8, At.media, media, "240, or 248 through 255")
        guard tableSize > 0 else {
            throw .corrupt(tableSizePlace, found: "0", expected: "1 or more")
        }
    }
}
