import TestSupport

@testable import Format

/// A disk with an MBR put together by hand; numbers are those of DOS's layout.
struct DiskImage {
    var sectorSize = 512
    var bytes: [UInt8]
    private var count = 0

    /// A disk of so many sectors, without partitions.
    init(sectors: Int, sectorSize: Int = 512) {
        self.sectorSize = sectorSize
        bytes = [UInt8](repeating: 0, count: sectors * sectorSize)
        bytes.set([0x55, 0xaa], at: 510)
    }

    /// A disk with these partitions: type, first sector, contents.
    init(_ partitions: [(type: UInt8, first: Int, bytes: [UInt8])], sectors: Int = 1000) {
        self.init(sectors: sectors)
        for partition in partitions {
            add(partition.type, at: partition.first, partition.bytes)
        }
    }

    /// Adds a primary partition.
    mutating func add(_ type: UInt8, at first: Int, _ contents: [UInt8], sectors: Int? = nil) {
        let base = 446 + 16 * count
        count += 1
        bytes[base + 4] = type
        bytes.set(UInt32(first), at: base + 8)
        let length = sectors ?? max(1, (contents.count + sectorSize - 1) / sectorSize)
        bytes.set(UInt32(length), at: base + 12)
        if !contents.isEmpty { bytes.set(contents, at: first * sectorSize) }
    }

    var source: MemorySource { MemorySource(bytes) }
}

/// Bytes of any number, zeros but for a few pieces; counts what is read of it.
final class SparseSource: ByteSource {
    let byteCount: UInt64
    private let pieces: [(offset: UInt64, bytes: [UInt8])]
    private let counter = Lock<UInt64>(0)

    init(_ byteCount: UInt64, _ pieces: [(offset: UInt64, bytes: [UInt8])]) {
        self.byteCount = byteCount
        self.pieces = pieces
    }

    /// Bytes read so far.
    var readCount: UInt64 { counter.withLock { $0 } }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int {
        guard offset < byteCount else { return 0 }
        let count = Int(min(UInt64(buffer.count), byteCount - offset))
        counter.withLock { $0 += UInt64(count) }
        buffer.initializeMemory(as: UInt8.self, repeating: 0)
        for piece in pieces {
            let start = max(offset, piece.offset)
            let end = min(offset + UInt64(count), piece.offset + UInt64(piece.bytes.count))
            guard start < end else { continue }
            piece.bytes[Int(start - piece.offset)..<Int(end - piece.offset)].withUnsafeBytes {
                buffer.baseAddress?.advanced(by: Int(start - offset))
                    .copyMemory(from: $0.baseAddress!, byteCount: $0.count)
            }
        }
        return count
    }
}

extension Volume {
    /// The names of a directory, in its order.
    func names(_ node: NodeID = .root) throws -> [String] {
        try list(node).map { String(decoding: $0.name, as: UTF8.self) }
    }
}
