extension PartitionTable {
    /// What is wrong with the table: the faults that reading it told, partitions that have bytes in
    /// common, and of a GPT all that its copy and its MBR contradict. Empty for a table as sfdisk and
    /// sgdisk make it.
    func check(in disk: any ByteSource) -> [FormatError] {
        faults + overlaps + (scheme == .mbr ? activeTwice : GPT.findings(in: disk, self))
    }

    /// A finding for each partition that begins inside one before it.
    private var overlaps: [FormatError] {
        var findings: [FormatError] = []
        var before: Partition?
        for partition in partitions.sorted(by: {
            ($0.offset, $0.number) < ($1.offset, $1.number)
        }) {
            if let before, partition.offset < before.range.upperBound {
                findings.append(
                    .corrupt(
                        Place("start of partition \(partition.number)", partition.offset),
                        found: "a byte of partition \(before.number)",
                        expected: "\(hex(before.range.upperBound)) at least, where that one ends"))
            }
            guard partition.range.upperBound > before?.range.upperBound ?? 0 else { continue }
            before = partition
        }
        return findings
    }

    /// A finding where a BIOS cannot know from which partition to boot.
    private var activeTwice: [FormatError] {
        let active = partitions.filter(\.isActive).map(\.number)
        guard active.count > 1 else { return [] }
        let names = active.map { "\($0)" }.joined(separator: ", ")
        return [
            .corrupt(
                Place("partition table", UInt64(MBR.At.table)),
                found: "the active partitions \(names)", expected: "one at most")
        ]
    }
}
