import CLZO
import CUCL
import CZlib

/// Unpacks with the libraries that packers use: a second judge of what a damaged stream holds.
enum Unpacker {
    /// The most bytes that a block of LZO or UCL unpacks to.
    static let blockSize = 0x10000

    private static let isReady = clzo_init() == LZO_E_OK && cucl_init() == UCL_E_OK

    /// What a block of LZO (`code` 2) or UCL (3) unpacks to; nil where the library refuses it.
    static func block(_ packed: ArraySlice<UInt8>, _ code: UInt8) -> [UInt8]? {
        precondition(isReady, "liblzo2 or libucl is of another kind")
        var isGood = false
        let bytes = packed.withUnsafeBufferPointer { input in
            [UInt8](unsafeUninitializedCapacity: blockSize) { output, filled in
                if code == 2 {
                    var count = lzo_uint(blockSize)
                    isGood =
                        lzo1x_decompress_safe(
                            input.baseAddress, lzo_uint(input.count), output.baseAddress, &count,
                            nil) == LZO_E_OK
                    filled = isGood ? Int(count) : 0
                } else {
                    var count = ucl_uint(blockSize)
                    isGood =
                        ucl_nrv2b_decompress_safe_8(
                            input.baseAddress, ucl_uint(input.count), output.baseAddress, &count,
                            nil) == UCL_E_OK
                    filled = isGood ? Int(count) : 0
                }
            }
        }
        return isGood ? bytes : nil
    }

    /// What a gzip or zlib stream gives before its end or its first fault, `limit` bytes at most.
    static func inflated(_ stream: ArraySlice<UInt8>, limit: Int) -> [UInt8] {
        var state = z_stream()
        // 32: the kind is told by the stream's own header.
        let ready = inflateInit2_(
            &state, 15 + 32, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(ready == Z_OK, "inflateInit2: \(ready)")
        defer { inflateEnd(&state) }
        var input = Array(stream)
        // Deflate does not pack to less than a 1032nd.
        let room = min(limit, 1032 * input.count + 1)
        return [UInt8](unsafeUninitializedCapacity: room) { output, filled in
            input.withUnsafeMutableBufferPointer { input in
                state.next_in = input.baseAddress
                state.avail_in = uInt(input.count)
                state.next_out = output.baseAddress
                state.avail_out = uInt(room)
                _ = inflate(&state, Z_SYNC_FLUSH)
            }
            filled = room - Int(state.avail_out)
        }
    }
}
