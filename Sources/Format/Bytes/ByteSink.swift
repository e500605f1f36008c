internal import Glibc

/// Where bytes are written by position.
public protocol ByteSink {
    /// Writes all bytes from byte `offset` on. Throws `io`.
    mutating func write(_ bytes: [UInt8], at offset: UInt64) throws(FormatError)
}

/// Bytes that are written into memory; what nobody wrote is zero.
public struct MemorySink: ByteSink {
    /// What was written.
    public private(set) var bytes: [UInt8] = []

    /// No bytes yet.
    public init() {}

    /// Grows as far as it must.
    public mutating func write(_ bytes: [UInt8], at offset: UInt64) throws(FormatError) {
        let start = Int(clamping: offset)
        let missing = start + bytes.count - self.bytes.count
        if missing > 0 { self.bytes += [UInt8](repeating: 0, count: missing) }
        self.bytes.replaceSubrange(start..<(start + bytes.count), with: bytes)
    }
}

/// Writes all bytes from byte `offset` of a file on; returns the errno of what went wrong, nil when
/// nothing did.
public func writeAll(
    _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: UInt64
) -> Int32? {
    guard let start = bytes.baseAddress else { return nil }
    var done = 0
    while done < bytes.count {
        let place = off_t(clamping: offset &+ UInt64(done))
        // Of more at a time the page cache makes large folios: three times slower in new memory.
        let size = min(bytes.count - done, 1 << 16)
        let count = unsafe pwrite(descriptor, start + done, size, place)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return count < 0 ? errno : ENOSPC }
        done += count
    }
    return nil
}

/// Writes all bytes; returns the errno of what went wrong, nil when nothing did.
public func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
    unsafe bytes.withUnsafeBytes { bytes in
        var done = 0
        while done < bytes.count, let base = bytes.baseAddress {
            let count = unsafe Glibc.write(descriptor, base + done, bytes.count - done)
            guard count >= 0 else {
                if errno == EINTR { continue }
                return errno
            }
            done += count
        }
        return nil
    }
}
