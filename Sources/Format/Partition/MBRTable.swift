extension MBR {
    /// The partitions of a disk's first sector and of what it links to; nil where that sector is no
    /// partition table. Loader code and file systems can end in the same signature: all entries have
    /// to make sense, or `isKnown` must know what begins where one of those begins that do. Then the
    /// table was damaged, or the disk was cut.
    static func table(
        of disk: any ByteSource, sectorSize: UInt64, isKnown: (WindowSource) -> Bool
    ) throws(FormatError) -> PartitionTable? {
        let sector = try disk.prefix(byteCount, at: 0)
        guard sector.count == byteCount, let entries = try? entries(in: sector) else { return nil }
        var reader = Reader(disk: disk, sectorSize: sectorSize)
        let sectors = disk.byteCount / sectorSize
        for (index, entry) in entries.enumerated() {
            if let problem = problem(with: entry, index, sectors) { reader.faults.append(problem) }
        }
        let areLawful = reader.faults.isEmpty
        guard entries.contains(where: { !$0.isEmpty }) else { return nil }
        for (index, entry) in entries.enumerated() where !entry.isEmpty {
            if entry.isProtective {
                reader.faults.append(
                    .corrupt(
                        Place("partition entry \(index &+ 1)", UInt64(At.table)),
                        found: "a protective entry", expected: "a GPT behind it"))
            } else if entry.firstSector > 0, UInt64(entry.firstSector) < sectors {
                if entry.isExtended {
                    try reader.readLogical(entry)
                } else {
                    reader.add(entry, number: index &+ 1, from: 0)
                }
            }
        }
        let partitions = reader.partitions.sorted { $0.number < $1.number }
        guard areLawful || partitions.contains(where: { isKnown($0.window(of: disk)) }) else {
            return nil
        }
        return PartitionTable(
            scheme: .mbr, sectorSize: sectorSize, partitions: partitions, faults: reader.faults)
    }

    /// What in an entry makes no sense on a disk of so many sectors.
    private static func problem(
        with entry: Entry, _ index: Int, _ sectors: UInt64
    ) -> FormatError? {
        let base = UInt64(At.table &+ index &* Entry.byteCount)
        let name = "partition entry \(index &+ 1)"
        if entry.status & 0x7f != 0 {
            return .corrupt(
                Place("\(name).status", base), found: hex(entry.status), expected: "0x0 or 0x80")
        }
        guard !entry.isEmpty, !entry.isProtective else { return nil }
        let end = UInt64(entry.firstSector) &+ UInt64(entry.sectorCount)
        guard entry.firstSector == 0 || end > sectors else { return nil }
        return .corrupt(
            Place("\(name).first LBA", base &+ UInt64(Entry.At.firstSector.offset)),
            found: "the sectors \(entry.firstSector) to \(end &- 1)",
            expected: "sectors from 1 through \(sectors &- min(1, sectors))")
    }

    /// Why a first sector is no partition table that would be one of a larger disk: a partition that
    /// lies behind the end of the disk. Nil for any other sector.
    static func refusal(
        of disk: any ByteSource, sectorSize: UInt64
    ) throws(FormatError) -> FormatError? {
        let sector = try disk.prefix(byteCount, at: 0)
        guard sector.count == byteCount, let entries = try? entries(in: sector),
            entries.allSatisfy({ $0.status & 0x7f == 0 && ($0.isEmpty || $0.firstSector > 0) })
        else { return nil }
        let sectors = disk.byteCount / sectorSize
        return entries.enumerated().lazy.compactMap { problem(with: $1, $0, sectors) }.first
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

        /// Of one that runs past the disk's end, what is there.
        mutating func add(_ entry: Entry, number: Int, from start: UInt64) {
            let first = start &+ UInt64(entry.firstSector)
            let sectors = disk.byteCount / sectorSize
            let count = min(UInt64(entry.sectorCount), sectors &- min(sectors, first))
            partitions.append(
                Partition(
                    number: number, kind: .mbr(type: entry.type), offset: first &* sectorSize,
                    byteCount: count &* sectorSize, isActive: entry.status == 0x80, name: []))
        }

        /// Follows the chain of an extended partition: each link has a logical partition, counted from
        /// the link, and leads to the next, counted from the extended partition.
        mutating func readLogical(_ extended: Entry) throws(FormatError) {
            let start = UInt64(extended.firstSector)
            let whole = start..<(start &+ UInt64(extended.sectorCount))
            var link = whole
            var seen: Set<UInt64> = []
            while true {
                let offset = link.lowerBound &* sectorSize
                let place = Place("extended partition link", offset)
                guard seen.insert(link.lowerBound).inserted else {
                    return fault(place, "a link that was there before", "the end of the chain")
                }
                guard seen.count <= PartitionTable.mostPartitions else {
                    return fault(
                        place, "more than \(PartitionTable.mostPartitions) logical partitions",
                        "that many at most")
                }
                let sector = try disk.prefix(byteCount, at: offset)
                guard sector.count == byteCount, let entries = try? entries(in: sector) else {
                    return fault(place, "no partition table", "the signature 55 AA at its end")
                }
                for (index, entry) in entries.enumerated() where !entry.isEmpty {
                    checkLink(entry, index, at: offset)
                    if !entry.isExtended { addLogical(entry, index, place, of: link, in: whole) }
                }
                guard let onward = entries.first(where: { $0.isExtended && !$0.isEmpty }) else {
                    return
                }
                let next = start &+ UInt64(onward.firstSector)
                guard next > start, whole.contains(next) else {
                    return fault(
                        place, "a link to sector \(next)",
                        "one between \(start) and \(whole.upperBound)")
                }
                link = next..<(next &+ UInt64(onward.sectorCount))
            }
        }

        /// Adds a logical partition of a link. In the third and the fourth entry some tools leave bytes
        /// that only look like one. Source: Linux `block/partitions/msdos.c`, whose numbers these are.
        private mutating func addLogical(
            _ entry: Entry, _ index: Int, _ place: Place, of link: Range<UInt64>,
            in whole: Range<UInt64>
        ) {
            let first = link.lowerBound &+ UInt64(entry.firstSector)
            let last = first &+ UInt64(entry.sectorCount)
            guard index < 2 || last <= min(link.upperBound, whole.upperBound) else { return }
            if first > link.lowerBound, last <= whole.upperBound,
                first &* sectorSize < disk.byteCount
            {
                add(entry, number: nextLogical, from: link.lowerBound)
            } else {
                fault(
                    place, "a logical partition of the sectors \(first) to \(last)",
                    "sectors between \(link.lowerBound) and \(whole.upperBound)")
            }
            nextLogical &+= 1
        }

        /// Of the entries of a link the first is a partition, the second the next link, and there are no
        /// more.
        private mutating func checkLink(_ entry: Entry, _ index: Int, at offset: UInt64) {
            let place = Entry.At.type.place(At.table &+ index &* Entry.byteCount).moved(by: offset)
            if index > 1 {
                fault(place, hex(entry.type), "0x0 in the third and the fourth entry of a link")
            } else if entry.isExtended != (index == 1) {
                fault(
                    place, hex(entry.type),
                    index == 1 ? "0x5, 0xf or 0x85 in the second entry of a link" : "a partition's")
            }
        }

        private mutating func fault(_ place: Place, _ found: String, _ expected: String) {
            faults.append(.corrupt(place, found: found, expected: expected))
        }
    }
}
