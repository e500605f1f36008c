internal import CZlib

/// A gzip or zlib stream part of the way through; a copy is a point to start again from.
///
/// Unchecked: the state behind the pointer is changed by `fill` only, which its owner calls from one
/// thread at a time; `copy` and the finished checkpoints only read it.
@safe final class Inflater: @unchecked Sendable {
    /// Bytes that a copy holds: zlib's state and its window of 32 KiB.
    static let footprint = 41 << 10

    private let stream: UnsafeMutablePointer<z_stream>
    private var position: UInt64
    private(set) var isFinished = false

    /// A stream at its first byte. Throws `unsupported` when zlib has no memory.
    init() throws(FormatError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        position = 0
        // 32 + 15: a window of any size, and the header, gzip's or zlib's, decides.
        let status = unsafe inflateInit2_(
            stream, 47, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw Self.noMemory(status) }
    }

    private init(copying other: Inflater) throws(FormatError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        position = other.position
        isFinished = other.isFinished
        let status = unsafe inflateCopy(stream, other.stream)
        guard status == Z_OK else { throw Self.noMemory(status) }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// A stream in the same place, with a life of its own.
    func copy() throws(FormatError) -> Inflater { try Inflater(copying: self) }

    /// Decodes until `output` is full or the stream ends; returns how many bytes that were. Throws
    /// `truncated` where `source` ends first, `corrupt` at data that is no deflate stream; what was
    /// decoded until then is in `output`, and `decoded` says how much.
    func fill(
        _ output: UnsafeMutableRawBufferPointer, from source: any ByteSource, decoded: inout Int
    ) throws(FormatError) {
        decoded = 0
        while decoded < output.count, !isFinished {
            var input = try source.prefix(64 << 10, at: position)
            guard !input.isEmpty else {
                throw .truncated(Place("deflate stream", position), needed: 1, available: 0)
            }
            let status = unsafe step(&input, output, &decoded)
            if status == Z_STREAM_END {
                isFinished = true
            } else if status != Z_OK {
                let message = unsafe stream.pointee.msg.map { unsafe String(cString: $0) }
                throw .corrupt(
                    Place("deflate stream", position), found: message ?? "error \(status)",
                    expected: "deflate data")
            }
        }
    }

    private func step(
        _ input: inout [UInt8], _ output: UnsafeMutableRawBufferPointer, _ decoded: inout Int
    ) -> Int32 {
        unsafe input.withUnsafeMutableBufferPointer { bytes in
            let room = output.count &- decoded
            unsafe stream.pointee.next_in = bytes.baseAddress
            unsafe stream.pointee.avail_in = UInt32(clamping: bytes.count)
            unsafe stream.pointee.next_out =
                output.baseAddress?.advanced(by: decoded).assumingMemoryBound(to: UInt8.self)
            unsafe stream.pointee.avail_out = UInt32(clamping: room)
            let status = unsafe inflate(stream, Z_NO_FLUSH)
            let used = unsafe bytes.count &- Int(stream.pointee.avail_in)
            let made = unsafe room &- Int(stream.pointee.avail_out)
            position &+= UInt64(used)
            decoded &+= made
            // No progress with input and room at hand: the stream wants what is not there.
            return status == Z_BUF_ERROR && (used > 0 || made > 0) ? Z_OK : status
        }
    }

    private static func noMemory(_ status: Int32) -> FormatError {
        .unsupported(
            Place("deflate stream", 0), found: "zlib's error \(status)",
            expected: "memory for its state")
    }
}
