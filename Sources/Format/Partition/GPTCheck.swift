extension GPT {
    /// What is wrong with a GPT beside what reading it told: that its other copy is missing, bad or
    /// different, that no MBR protects it, that a partition lies where none may.
    static func findings(in disk: any ByteSource, _ table: PartitionTable) -> [FormatError] {
        var findings: [FormatError] = []
        func attempt(_ body: () throws(FormatError) -> Void) {
            do throws(FormatError) {
                try body()
            } catch {
                findings.append(error)
            }
        }
        attempt { () throws(FormatError) in
            let sector = try disk.bytes(UInt64(MBR.byteCount), at: 0, "MBR")
            guard try MBR.entries(in: sector).contains(where: \.isProtective) else {
                throw .corrupt(
                    Place("MBR", UInt64(MBR.At.table)), found: "no protective entry",
                    expected: "one of type 0xee")
            }
        }
        // Why it could not be read is among the faults of the table, which is the backup then.
        guard let first = try? header(of: disk, table.sectorSize, at: 1) else { return findings }
        findings += misplaced(table, first)
        let last = disk.byteCount / table.sectorSize &- 1
        let origin = table.sectorSize
        if first.otherSector != last {
            findings.append(
                .corrupt(
                    Header.At.otherSector.place(0).moved(by: origin),
                    found: "\(first.otherSector)", expected: "\(last), the last sector"))
        }
        let other = first.otherSector <= last ? first.otherSector : last
        attempt { () throws(FormatError) in
            let backup = try header(of: disk, table.sectorSize, at: other)
            findings += differences(of: backup, at: other, table.sectorSize, from: first)
            try checkEntries(of: backup, at: other, in: disk, table.sectorSize)
        }
        return findings
    }

    private static func header(
        of disk: any ByteSource, _ sectorSize: UInt64, at sector: UInt64
    ) throws(FormatError) -> Header {
        let origin = sector &* sectorSize
        let bytes = try disk.bytes(sectorSize, at: origin, "GPT header")
        return try located(at: origin) { () throws(FormatError) in try Header(parsing: bytes) }
    }

    /// Partitions that lie over the tables.
    private static func misplaced(_ table: PartitionTable, _ header: Header) -> [FormatError] {
        table.partitions.compactMap { partition in
            let first = partition.offset / table.sectorSize
            let last = (partition.range.upperBound / table.sectorSize) &- 1
            guard !partition.isCut, first < header.usable.first || last > header.usable.last
            else { return nil }
            return .corrupt(
                Place("start of partition \(partition.number)", partition.offset),
                found: "the sectors \(first) to \(last)",
                expected: "some of \(header.usable.first) to \(header.usable.last)")
        }
    }

    /// What a backup's header says otherwise than the first.
    private static func differences(
        of backup: Header, at sector: UInt64, _ sectorSize: UInt64, from first: Header
    ) -> [FormatError] {
        var findings: [FormatError] = []
        let origin = sector &* sectorSize
        func expect<Value: Equatable>(_ found: Value, _ expected: Value, _ place: Place) {
            guard found != expected else { return }
            findings.append(
                .corrupt(place.moved(by: origin), found: "\(found)", expected: "\(expected)"))
        }
        typealias At = Header.At
        expect(backup.ownSector, sector, At.ownSector.place(0))
        expect(backup.otherSector, 1, At.otherSector.place(0))
        expect(backup.usable.first, first.usable.first, At.firstUsable.place(0))
        expect(backup.usable.last, first.usable.last, At.lastUsable.place(0))
        expect(backup.disk, first.disk, At.disk.place(0))
        expect(backup.entryCount, first.entryCount, At.entryCount.place(0))
        expect(backup.entrySize, first.entrySize, At.entrySize.place(0))
        expect(hex(backup.entriesSum), hex(first.entriesSum), At.entriesSum.place(0))
        return findings
    }

    /// Throws where the entries of a header do not have its sum.
    private static func checkEntries(
        of header: Header, at sector: UInt64, in disk: any ByteSource, _ sectorSize: UInt64
    ) throws(FormatError) {
        let (start, isTooLarge) = header.entriesSector.multipliedReportingOverflow(by: sectorSize)
        let size = UInt64(header.entryCount) &* UInt64(header.entrySize)
        let entries = try disk.bytes(size, at: isTooLarge ? .max : start, "GPT entries")
        var sum = CRC32()
        sum.update(entries)
        guard sum.total == header.entriesSum else {
            throw .corrupt(
                Header.At.entriesSum.place(0).moved(by: sector &* sectorSize),
                found: hex(header.entriesSum), expected: hex(sum.total))
        }
    }
}
