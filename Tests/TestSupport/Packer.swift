import CLZO
import CUCL
import CZlib

/// How a packer of images packs.
public enum Packing: Sendable, Equatable {
    /// Bytes as they are.
    case none
    /// One deflate stream; level 6 is what mkifs uses.
    case zlib(level: Int32 = 6, isGzip: Bool = true)
    /// Blocks by `lzo1x_999_compress` as mkifs makes them, or fast by `lzo1x_1_compress`.
    case lzo(isFast: Bool = false)
    /// Blocks by `ucl_nrv2b_99_compress`; level 9 is what mkifs uses, 1 the fastest.
    case ucl(level: Int32 = 9)

    /// The value in bits 2-4 of a startup header's flags1.
    public var code: UInt8 {
        switch self {
        case .none: 0
        case .zlib: 1
        case .lzo: 2
        case .ucl: 3
        }
    }
}

/// A packed stream, and where its blocks lie.
public struct PackedStream: Sendable {
    /// One block.
    public struct Block: Sendable, Equatable {
        /// Where its bytes start in the stream, behind its length.
        public var offset: Int
        /// How many bytes it has.
        public var packedCount: Int
        /// How many bytes it unpacks to.
        public var plainCount: Int
    }

    /// The stream with its end mark.
    public var bytes: [UInt8] = []
    /// The blocks of LZO and UCL, in order.
    public var blocks: [Block] = []
}

/// Packs as mkifs does, with the libraries that it uses.
public enum Packer {
    /// The stream of an image file system. Blocks are of the lengths given, then of 64 KiB; one that
    /// does not pack is shortened by 4 KiB at a time, and its rest is a block of its own.
    public static func stream(
        _ plain: [UInt8], _ packing: Packing, blockLengths: [Int] = [], endMark: [UInt8] = [0, 0]
    ) -> PackedStream {
        switch packing {
        case .none: return PackedStream(bytes: plain)
        case .zlib(let level, let isGzip):
            return PackedStream(bytes: deflated(plain, level: level, isGzip: isGzip))
        case .lzo, .ucl: break
        }
        var stream = PackedStream()
        var lengths = blockLengths[...]
        var position = 0
        while position < plain.count {
            let end = min(plain.count, position + (lengths.popFirst() ?? 0x10000))
            while position < end {
                position += append(plain[position..<end], packing, to: &stream)
            }
        }
        stream.bytes.append(contentsOf: endMark)
        return stream
    }

    /// One block without its length, whatever it packs to.
    public static func block(_ plain: ArraySlice<UInt8>, _ packing: Packing) -> [UInt8] {
        switch packing {
        case .none, .zlib: Array(plain)
        case .lzo(let isFast): lzo(plain, isFast: isFast)
        case .ucl(let level): ucl(plain, level: level)
        }
    }

    /// A gzip or zlib stream.
    public static func deflated(_ plain: [UInt8], level: Int32 = 6, isGzip: Bool = true) -> [UInt8]
    {
        var state = z_stream()
        let ready = deflateInit2_(
            &state, level, Z_DEFLATED, isGzip ? 31 : 15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        precondition(ready == Z_OK, "deflateInit2: \(ready)")
        defer { deflateEnd(&state) }
        let room = Int(deflateBound(&state, uLong(plain.count)))
        var input = plain
        return [UInt8](unsafeUninitializedCapacity: room) { output, count in
            input.withUnsafeMutableBufferPointer { input in
                state.next_in = input.baseAddress
                state.avail_in = uInt(input.count)
                state.next_out = output.baseAddress
                state.avail_out = uInt(room)
                let status = deflate(&state, Z_FINISH)
                precondition(status == Z_STREAM_END, "deflate: \(status)")
            }
            count = room - Int(state.avail_out)
        }
    }

    /// Adds the block that starts `plain` and returns how much of it that is.
    private static func append(
        _ plain: ArraySlice<UInt8>, _ packing: Packing, to stream: inout PackedStream
    ) -> Int {
        var taken = plain
        var packed = block(taken, packing)
        while packed.count >= 0x10000 {
            taken = taken.dropLast(0x1000)
            packed = block(taken, packing)
        }
        stream.bytes.append(UInt16(packed.count), isBigEndian: true)
        stream.blocks.append(
            PackedStream.Block(
                offset: stream.bytes.count, packedCount: packed.count, plainCount: taken.count))
        stream.bytes.append(contentsOf: packed)
        return taken.count
    }

    private static let lzoIsReady: Bool = clzo_init() == LZO_E_OK
    private static let uclIsReady: Bool = cucl_init() == UCL_E_OK

    private static func lzo(_ plain: ArraySlice<UInt8>, isFast: Bool) -> [UInt8] {
        precondition(lzoIsReady, "lzo_init failed")
        // LZO1X_1_MEM_COMPRESS and LZO1X_999_MEM_COMPRESS, macros that Swift does not import.
        let workSize = isFast ? 16384 * MemoryLayout<UnsafeRawPointer>.size : 14 * 16384 * 2
        return packed(plain, room: plain.count + plain.count / 16 + 67) { input, output, count in
            var size = lzo_uint(count)
            withUnsafeTemporaryAllocation(byteCount: workSize, alignment: 16) { work in
                let pack = isFast ? lzo1x_1_compress : lzo1x_999_compress
                let status = pack(
                    input, lzo_uint(plain.count), output, &size, work.baseAddress)
                precondition(status == LZO_E_OK, "lzo: \(status)")
            }
            count = Int(size)
        }
    }

    private static func ucl(_ plain: ArraySlice<UInt8>, level: Int32) -> [UInt8] {
        precondition(uclIsReady, "ucl_init failed")
        return packed(plain, room: plain.count + plain.count / 8 + 256) { input, output, count in
            var size = ucl_uint(count)
            let status = ucl_nrv2b_99_compress(
                input, ucl_uint(plain.count), output, &size, nil, level, nil, nil)
            precondition(status == UCL_E_OK, "ucl: \(status)")
            count = Int(size)
        }
    }

    private static func packed(
        _ plain: ArraySlice<UInt8>, room: Int,
        _ pack: (UnsafePointer<UInt8>?, UnsafeMutablePointer<UInt8>?, inout Int) -> Void
    ) -> [UInt8] {
        plain.withUnsafeBufferPointer { input in
            [UInt8](unsafeUninitializedCapacity: room) { output, count in
                count = room
                pack(input.baseAddress, output.baseAddress, &count)
            }
        }
    }
}
