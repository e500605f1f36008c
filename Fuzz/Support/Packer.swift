package import Format

/// The simplest packers there are: literals, and one run of zeros at the end.
package enum Packer {
    /// One block, or the first block of a deflate stream, that unpacks to `bytes` and `zeros` zeros
    /// (0, or 16 and more; none for zlib).
    package static func packed(
        _ bytes: [UInt8], zeros: Int = 0, _ compression: IFS.Compression
    ) -> [UInt8] {
        switch compression {
        case .none: bytes + [UInt8](repeating: 0, count: zeros)
        case .ucl: ucl(bytes, zeros: zeros)
        case .lzo: lzo(bytes, zeros: zeros)
        case .zlib: stored(bytes)
        }
    }

    /// A zlib header and a stored block that is not the last.
    private static func stored(_ bytes: [UInt8]) -> [UInt8] {
        let count = UInt16(bytes.count)
        return [0x78, 0x01, 0x00, UInt8(count & 255), UInt8(count >> 8)]
            + [UInt8(~count & 255), UInt8(~count >> 8)] + bytes
    }

    /// LZO1X: a run of literals, matches at a distance of 1, the end mark.
    private static func lzo(_ bytes: [UInt8], zeros: Int) -> [UInt8] {
        func length(_ count: Int) -> [UInt8] {
            let more = count - 1
            return [UInt8](repeating: 0, count: more / 255) + [UInt8(more % 255 + 1)]
        }
        var packed: [UInt8] = [0x00] + length(bytes.count + (zeros > 0 ? 1 : 0) - 18) + bytes
        if zeros > 0 {
            // The first zero is a literal; 33 is what a match has before its length extends.
            packed += [0x00]
            packed += zeros - 1 > 33 ? [0x20] + length(zeros - 1 - 33) : [UInt8(0x20 + zeros - 3)]
            packed += [0x00, 0x00]
        }
        return packed + [0x11, 0x00, 0x00]
    }

    private static func ucl(_ bytes: [UInt8], zeros: Int) -> [UInt8] {
        var writer = BitWriter()
        for byte in bytes + (zeros > 0 ? [0] : []) {
            writer.bit(1)
            writer.bytes.append(byte)
        }
        if zeros > 0 {
            writer.bit(0)
            writer.code(3)
            writer.bytes.append(0)
            writer.bit(0)
            writer.bit(0)
            writer.code(UInt32(zeros - 1 - 3))
        }
        writer.bit(0)
        writer.code(0x0100_0002)
        writer.bytes.append(0xff)
        return writer.bytes
    }

    /// Bits, most significant first, and whole bytes into one stream.
    private struct BitWriter {
        var bytes: [UInt8] = []
        private var place = 0
        private var left = 0

        mutating func bit(_ value: UInt8) {
            if left == 0 {
                place = bytes.count
                bytes.append(0)
                left = 8
            }
            left -= 1
            bytes[place] |= value << left
        }

        /// An interleaved Elias code, from 2 up.
        mutating func code(_ value: UInt32) {
            let width = UInt32.bitWidth - value.leadingZeroBitCount - 1
            for step in (0..<width).reversed() {
                bit(UInt8(value >> step & 1))
                bit(step == 0 ? 1 : 0)
            }
        }
    }
}
