internal import CZlib

/// Packs a stream as one gzip member, as zlib's gzwrite does at its default level.
@safe final class Deflater {
    private let stream: UnsafeMutablePointer<z_stream>

    init(isFast: Bool) throws(FormatError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // 16 + 15: the largest window, and a gzip header without a name or time.
        let status = unsafe deflateInit2_(
            stream, isFast ? 1 : Z_DEFAULT_COMPRESSION, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY,
            ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            throw .unsupported(
                Place("deflate stream", 0), found: "error \(status) of zlib",
                expected: "memory for a stream")
        }
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Takes plain bytes; gives what is packed by now.
    func append(_ plain: [UInt8]) -> [UInt8] { run(plain, Z_NO_FLUSH) }

    /// The rest, and the sums that end the stream.
    func finish() -> [UInt8] { run([], Z_FINISH) }

    private func run(_ plain: [UInt8], _ flush: Int32) -> [UInt8] {
        var input = plain
        var packed: [UInt8] = []
        unsafe input.withUnsafeMutableBufferPointer { input in
            unsafe stream.pointee.next_in = input.baseAddress
            unsafe stream.pointee.avail_in = uInt(input.count)
            var isFull = true
            while isFull {
                packed += unsafe [UInt8](unsafeUninitializedCapacity: 1 << 16) { output, count in
                    unsafe stream.pointee.next_out = output.baseAddress
                    unsafe stream.pointee.avail_out = uInt(output.count)
                    _ = unsafe deflate(stream, flush)
                    count = output.count - Int(unsafe stream.pointee.avail_out)
                    isFull = unsafe stream.pointee.avail_out == 0
                }
            }
        }
        return packed
    }
}
