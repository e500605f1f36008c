import Format
import Synchronization

/// Bytes in memory that note which of their places were read.
final class CountingSource: ByteSource {
    private let bytes: MemorySource
    private let log = Mutex<[(offset: UInt64, count: Int)]>([])

    init(_ bytes: [UInt8]) { self.bytes = MemorySource(bytes) }

    var byteCount: UInt64 { bytes.byteCount }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int {
        log.withLock { $0.append((offset, buffer.count)) }
        return try bytes.read(into: buffer, at: offset)
    }

    /// The reads since the last call.
    func takeReads() -> [(offset: UInt64, count: Int)] {
        log.withLock { log in
            defer { log = [] }
            return log
        }
    }
}
