extension GPT {
    /// The partitions of a GPT; nil where there is none. Where the first header or its entries are bad
    /// the backup's count, and that is a fault. Throws why both are bad.
    ///
    /// A bad one counts only behind an MBR that protects it, as every GPT does by the specification:
    /// who makes a file system of the whole disk, or an MBR, leaves the backup, and perhaps the
    /// header. On a disk that `isBlank`, where nothing else was found, zeros in its place protect as well.
    static func table(
        of disk: any ByteSource, isBlank: Bool = false
    ) throws(FormatError) -> PartitionTable? {
        var failure: FormatError?
        let sector = try disk.prefix(MBR.byteCount, at: 0)
        let isProtected =
            isBlank
            ? sector.allSatisfy { $0 == 0 }
            : (try? MBR.entries(in: sector))?.contains(where: \.isProtective) ?? false
        for size in PartitionTable.sectorSizes {
            let count = disk.byteCount / size
            guard count > 2 else { continue }
            do throws(FormatError) {
                return try table(of: disk, size, headerAt: 1)
            } catch {
                if case .io = error { throw error }
                guard isProtected else { continue }
                // What only looks like none is none, unless its backup is there.
                let sector = try disk.prefix(signature.count, at: size)
                let isThere = sector == signature
                do throws(FormatError) {
                    var table = try table(of: disk, size, headerAt: count &- 1)
                    table = PartitionTable(
                        scheme: .gpt, sectorSize: size, partitions: table.partitions,
                        faults: [error] + table.faults)
                    return table
                } catch let second {
                    if case .io = second { throw second }
                    if isThere { failure = failure ?? error }
                }
            }
        }
        if let failure { throw failure }
        return nil
    }

    private static func table(
        of disk: any ByteSource, _ sectorSize: UInt64, headerAt sector: UInt64
    ) throws(FormatError) -> PartitionTable {
        let origin = sector &* sectorSize
        let bytes = try disk.bytes(sectorSize, at: origin, "GPT header")
        let header = try located(at: origin) { () throws(FormatError) in
            try Header(parsing: bytes)
        }
        guard header.ownSector == sector else {
            throw .corrupt(
                Header.At.ownSector.place(Int(clamping: origin)), found: "\(header.ownSector)",
                expected: "\(sector)")
        }
        let sectors = disk.byteCount / sectorSize
        guard header.entriesSector < sectors else {
            throw .corrupt(
                Header.At.entriesSector.place(Int(clamping: origin)),
                found: "\(header.entriesSector)", expected: "less than \(sectors)")
        }
        let start = header.entriesSector &* sectorSize
        let size = UInt64(header.entryCount) &* UInt64(header.entrySize)
        let entries = try disk.bytes(size, at: start, "GPT entries")
        var sum = CRC32()
        sum.update(entries)
        guard sum.total == header.entriesSum else {
            throw .corrupt(
                Header.At.entriesSum.place(Int(clamping: origin)), found: hex(header.entriesSum),
                expected: hex(sum.total))
        }
        return try table(of: entries, at: start, header, sectorSize, sectors)
    }

    private static func table(
        of bytes: [UInt8], at start: UInt64, _ header: Header, _ sectorSize: UInt64,
        _ sectors: UInt64
    ) throws(FormatError) -> PartitionTable {
        var partitions: [Partition] = []
        var faults: [FormatError] = []
        for index in 0..<Int(header.entryCount) {
            let base = index &* Int(header.entrySize)
            let entry = try bytes.parsed { span throws(FormatError) in
                try Entry(parsing: span, at: base)
            }
            guard !entry.type.isZero else { continue }
            let (first, last) = entry.sectors
            if first > last || last >= sectors {
                faults.append(
                    .corrupt(
                        Entry.At.first.place(Int(clamping: start &+ UInt64(base))),
                        found: "the sectors \(first) to \(last)",
                        expected: "sectors below \(sectors)"))
            }
            guard first <= last, first < sectors else { continue }
            // Of one that runs past the disk's end, what is there.
            let count = min(last, sectors &- 1) &- first &+ 1
            partitions.append(
                Partition(
                    number: index &+ 1, kind: .gpt(type: entry.type),
                    offset: first &* sectorSize, byteCount: count &* sectorSize,
                    isActive: entry.attributes & 4 != 0, name: entry.name,
                    isReadOnly: entry.attributes & Entry.readOnly != 0, isCut: last >= sectors))
        }
        return PartitionTable(
            scheme: .gpt, sectorSize: sectorSize, partitions: partitions, faults: faults)
    }
}
