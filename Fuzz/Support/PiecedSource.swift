package import Format

/// A large file of zeros with a few pieces in it: structures lie far apart on a disk, and an input is
/// to be short.
package struct PiecedSource: ByteSource {
    private struct Piece {
        let start: UInt64
        let bytes: [UInt8]
    }

    package let byteCount: UInt64
    private var pieces: [Piece] = []

    /// Four bytes say how many sectors of 512 bytes there are, up to 2^24; if the first bit of the last
    /// of them is set, sums are put right (`Sums`). Then comes piece after piece: four bytes for its
    /// place, in 16 bytes; two for its length; and as many bytes. Of pieces that overlap the last one
    /// counts.
    package init(_ input: inout Input) {
        let size = input.number(4)
        byteCount = (size & 0xff_ffff) << 9
        while !input.rest.isEmpty, pieces.count < 4096 {
            let start = input.number(4) << 4
            let count = Int(input.number(2))
            pieces.append(Piece(start: start, bytes: input.take(count)))
        }
        if size >> 24 & 1 == 1 { repairSums() }
    }

    private mutating func repairSums() {
        let sectors = Set(
            pieces.flatMap { piece in
                stride(
                    from: piece.start & ~511, to: piece.start + UInt64(piece.bytes.count), by: 512)
            })
        pieces += Sums.repaired(self, sectors.sorted()).map {
            Piece(start: $0.start, bytes: $0.bytes)
        }
    }

    package func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int {
        guard offset < byteCount else { return 0 }
        let count = Int(min(UInt64(buffer.count), byteCount - offset))
        let wanted = offset..<(offset + UInt64(count))
        let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        unsafe target.initializeMemory(as: UInt8.self, repeating: 0)
        for piece in pieces {
            let range = (piece.start..<(piece.start + UInt64(piece.bytes.count))).clamped(
                to: wanted)
            guard !range.isEmpty else { continue }
            let source = piece.bytes[Int(range.lowerBound - piece.start)...].prefix(range.count)
            let place = Int(range.lowerBound - offset)
            unsafe source.withUnsafeBytes {
                unsafe UnsafeMutableRawBufferPointer(
                    rebasing: target[place..<(place + range.count)]
                ).copyMemory(from: $0)
            }
        }
        return count
    }
}
