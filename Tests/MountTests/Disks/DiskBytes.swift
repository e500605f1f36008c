import TestSupport

/// An MBR with primary partitions, put together by hand; numbers are those of DOS's layout.
struct DiskBytes {
    private(set) var bytes: [UInt8]

    /// Partitions by type, first sector and contents; `lengths` are in sectors, by default as many as
    /// the contents take.
    init(_ partitions: [(type: UInt8, sector: Int, contents: [UInt8])], lengths: [Int]? = nil) {
        bytes = [UInt8](repeating: 0, count: 512)
        bytes.set([0x55, 0xaa], at: 510)
        for (index, partition) in partitions.enumerated() {
            let length = lengths?[index] ?? (partition.contents.count + 511) / 512
            let base = 446 + 16 * index
            bytes[base + 4] = partition.type
            bytes.set(UInt32(partition.sector), at: base + 8)
            bytes.set(UInt32(length), at: base + 12)
            guard !partition.contents.isEmpty else { continue }
            let start = partition.sector * 512
            bytes += [UInt8](
                repeating: 0,
                count: max(0, start + (partition.contents.count + 511) / 512 * 512 - bytes.count))
            bytes.set(partition.contents, at: start)
        }
    }
}
