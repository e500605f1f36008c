extension MBR {
    /// The partitions of a disk's first sector and of what it links to; nil where that sector is no
    /// partition table. Loader code and file systems can end in the same signature: all entries have
    /// to make sense.
    static func table(
        of disk: any ByteSource, sectorSize: UInt64
    ) throws(FormatError) -> PartitionTable? {
        let sector = try disk.prefix(byteCount, at: 0)
        guard sector.count == byteCount, let entries = try? entries(in: sector) else { return nil }
        let sectors = disk.byteCount / sectorSize
        let areLawful = entries.allSatisfy { entry in
            guard entry.status & 0x7f == 0 else { return false }
            return entry.isEmpty
                || entry.firstSector > 0
                    && UInt64(entry.firstSector) &+ UInt64(entry.sectorCount) <= sectors
                || entry.isProtective
        }
        guard areLawful, entries.contains(where: { !$0.isEmpty }) else { return nil }
        var reader = Reader(disk: disk, sectorSize: sectorSize)
        for (index, entry) in entries.enumerated() where !entry.isEmpty {
            if entry.isExtended {
                try reader.readLogical(entry)
            } else if entry.isProtective {
                reader.faults.append(
                    .corrupt(
                        Place("partition entry \(index &+ 1)", UInt64(At.table)),
                        found: "a protective entry", expected: "a GPT behind it"))
            } else {
                reader.add(entry, number: index &+ 1, from: 0)
            }
        }
        return PartitionTable(
            scheme: .mbr, sectorSize: sectorSize,
            partitions: reader.partitions.sorted { $0.number < $1.number }, faults: reader.faults)
    }

    private struct Reader {
        let disk: any ByteSource
        let sectorSize: UInt64
        var partitions: [Partition] = []
        var faults: [FormatError] = []
        private var nextLogical = 5

        init(disk: any ByteSource, sectorSize: UInt64) {
            self.disk = disk
            self.sectorSize = sectorSize
        }

        mutating func add(_ entry: Entry, number: Int, from start: UInt64) {
            partitions.append(
                Partition(
                    number: number, kind: .mbr(type: entry.type),
                    offset: (start &+ UInt64(entry.firstSector)) &* sectorSize,
                    byteCount: UInt64(entry.sectorCount) &* sectorSize,
                    isActive: entry.status == 0x80, name: []))
        }

        /// Follows the chain of an extended partition: each link has one logical partition, counted
        /// from the link, and leads to the next, counted from the extended partition.
        mutating func readLogical(_ extended: Entry) throws(FormatError) {
            let start = UInt64(extended.firstSector)
            let end = start &+ UInt64(extended.sectorCount)
            var link = start
            var seen: Set<UInt64> = []
            while true {
                let place = Place("extended partition link", link &* sectorSize)
                guard seen.insert(link).inserted else {
                    return fault(place, "a link that was there before", "the end of the chain")
                }
                guard seen.count <= PartitionTable.mostPartitions else {
                    return fault(
                        place, "more than \(PartitionTable.mostPartitions) logical partitions",
                        "that many at most")
                }
                let sector = try disk.prefix(byteCount, at: link &* sectorSize)
                guard sector.count == byteCount, let entries = try? entries(in: sector) else {
                    return fault(place, "no partition table", "the signature 55 AA at its end")
                }
                if let logical = entries.first, !logical.isEmpty {
                    let first = link &+ UInt64(logical.firstSector)
                    let last = first &+ UInt64(logical.sectorCount)
                    if first > link, last <= end {
                        add(logical, number: nextLogical, from: link)
                    } else {
                        fault(
                            place, "a logical partition of the sectors \(first) to \(last)",
                            "sectors between \(link) and \(end)")
                    }
                    nextLogical &+= 1
                }
                guard entries.count > 1, entries[1].isExtended, !entries[1].isEmpty else { return }
                let next = start &+ UInt64(entries[1].firstSector)
                guard next > start, next < end else {
                    return fault(
                        place, "a link to sector \(next)", "one between \(start) and \(end)")
                }
                link = next
            }
        }

        private mutating func fault(_ place: Place, _ found: String, _ expected: String) {
            faults.append(.corrupt(place, found: found, expected: expected))
        }
    }
}
