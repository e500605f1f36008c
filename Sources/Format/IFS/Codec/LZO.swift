internal import CLZO

/// LZO1X, decoded by liblzo2's checking decoder.
enum LZO {
    private static let isReady = clzo_init() == LZO_E_OK

    /// Decodes a block into `output` and returns how many bytes it gave.
    static func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CodecFault) -> Int {
        guard isReady else {
            throw CodecFault(found: "a liblzo2 of another kind", expected: "one for this machine")
        }
        var count = lzo_uint(output.count)
        let status = unsafe lzo1x_decompress_safe(
            input.baseAddress?.assumingMemoryBound(to: UInt8.self), lzo_uint(input.count),
            output.baseAddress?.assumingMemoryBound(to: UInt8.self), &count, nil)
        guard status == LZO_E_OK else {
            throw CodecFault(found: meaning(status), expected: "an LZO1X block")
        }
        return Int(clamping: count)
    }

    private static func meaning(_ status: Int32) -> String {
        switch status {
        case LZO_E_INPUT_OVERRUN, LZO_E_EOF_NOT_FOUND: "the end of the block in mid-stream"
        case LZO_E_OUTPUT_OVERRUN: "more bytes than a block can hold"
        case LZO_E_LOOKBEHIND_OVERRUN: "a match from before the block"
        case LZO_E_INPUT_NOT_CONSUMED: "bytes behind the end mark"
        default: "liblzo2's error \(status)"
        }
    }
}
