package import Format

/// Puts right the sums of a disk's structures: without that, a change of what they cover ends there,
/// and is never read.
package enum Sums {
    /// Bytes of GPT entries that are summed.
    private static let mostOfEntries: UInt64 = 1 << 18

    /// The bytes to lay over `source`, of which a sector may hold a structure where `starts` has its
    /// offset: of superblocks of QNX 6 and of GPT headers, sums that are right.
    package static func repaired(
        _ source: some ByteSource, _ starts: some Sequence<UInt64>
    ) -> [(start: UInt64, bytes: [UInt8])] {
        starts.flatMap { start -> [(start: UInt64, bytes: [UInt8])] in
            let sector = bytes(512, at: start, of: source)
            guard sector.count == 512 else { return [] }
            switch Array(sector[..<4]) {
            case [0x22, 0x11, 0x19, 0x68]: return [(start + 4, superblockSum(sector).reversed())]
            case [0x68, 0x19, 0x11, 0x22]: return [(start + 4, superblockSum(sector))]
            case Array("EFI ".utf8): return [(start, header(sector, at: start, of: source))]
            default: return []
            }
        }
    }

    /// What is there of so many bytes.
    private static func bytes(
        _ count: UInt64, at offset: UInt64, of source: some ByteSource
    ) -> [UInt8] {
        var found = [UInt8](repeating: 0, count: Int(count))
        let got = Checks.attempt { () throws(FormatError) in
            var failure: FormatError?
            let got = unsafe found.withUnsafeMutableBytes { buffer in
                do throws(FormatError) {
                    return try unsafe source.read(into: buffer, at: offset)
                } catch {
                    failure = error
                    return 0
                }
            }
            if let failure { throw failure }
            return got
        }
        return Array(found.prefix(got ?? 0))
    }

    /// The sum of a superblock, most significant byte first.
    private static func superblockSum(_ sector: [UInt8]) -> [UInt8] {
        let sum = QNX6.checksum(sector[8...])
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) }
    }

    /// A GPT header with the sum of its entries and its own.
    private static func header(
        _ sector: [UInt8], at start: UInt64, of source: some ByteSource
    ) -> [UInt8] {
        func number(_ offset: Int, _ count: Int) -> UInt64 {
            sector[offset..<(offset + count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        var header = sector
        func put(_ sum: UInt32, at offset: Int) {
            for index in 0..<4 {
                header[offset + index] = UInt8(truncatingIfNeeded: sum >> UInt32(8 * index))
            }
        }
        let sectorSize: UInt64 = number(24, 8) == start >> 12 && start != 512 ? 4096 : 512
        let entries = min(number(80, 4) * number(84, 4), mostOfEntries)
        let place = number(72, 8).multipliedReportingOverflow(by: sectorSize)
        put(crc(bytes(entries, at: place.overflow ? .max : place.partialValue, of: source)), at: 88)
        put(0, at: 16)
        put(crc(Array(header.prefix(Int(number(12, 4))))), at: 16)
        return header
    }

    private static func crc(_ bytes: [UInt8]) -> UInt32 {
        var sum = CRC32()
        sum.update(bytes)
        return sum.total
    }
}
