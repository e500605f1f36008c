/// NRV2B with an 8-bit bit buffer, the method that images call UCL.
///
/// A block is bits and bytes that share one cursor: a bit 1 announces a literal byte, a bit 0 a
/// match. Offsets and lengths are interleaved Elias codes; an offset of all ones ends the block.
/// Written from the published description of the method; every match is bounded by the bytes already
/// out and by the output's room, every code by the input.
enum UCL {
    /// The code of the end mark; libucl refuses larger ones too.
    private static let mostOffsetCode: UInt32 = 0x100_0002

    /// Decodes a block into `output` and returns how many bytes it gave.
    static func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CodecFault) -> Int {
        guard let target = unsafe output.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
            throw CodecFault(found: "no room", expected: "an output buffer")
        }
        var bits = unsafe BitCursor(input)
        let room = output.count
        var count = 0
        var lastOffset: UInt32 = 1
        while true {
            while try bits.next() == 1 {
                guard count < room else { throw overrun(room) }
                unsafe target[count] = try bits.byte()
                count &+= 1
            }
            var offset = try bits.code(atMost: mostOffsetCode)
            if offset == 2 {
                offset = lastOffset
            } else {
                offset = (offset &- 3) &<< 8 | UInt32(try bits.byte())
                if offset == .max { break }
                offset &+= 1
                lastOffset = offset
            }
            var length = Int(try bits.next() &<< 1)
            length |= Int(try bits.next())
            if length == 0 {
                length = Int(try bits.code(atMost: UInt32(clamping: room))) &+ 2
            }
            length &+= offset > 0xd00 ? 2 : 1
            guard offset != 0, offset <= UInt32(truncatingIfNeeded: count) else {
                throw CodecFault(found: "a match \(offset) bytes back", expected: "1 to \(count)")
            }
            guard length <= room &- count else { throw overrun(room) }
            unsafe copy(target + count, back: Int(offset), length)
            count &+= length
        }
        guard bits.isAtEnd else {
            throw CodecFault(
                found: "an end mark at byte \(bits.position)", expected: "one at the block's end")
        }
        return count
    }

    /// Repeats what stands `distance` bytes before `target`; source and target may overlap.
    @inline(__always)
    private static func copy(
        _ target: UnsafeMutablePointer<UInt8>, back distance: Int, _ length: Int
    ) {
        let source = unsafe target - distance
        if distance >= length {
            unsafe target.update(from: source, count: length)
        } else {
            // What is copied repeats with the distance, so each step can copy twice as much.
            var done = 0
            while done < length {
                let count = min(distance &+ done, length &- done)
                unsafe (target + done).update(from: source, count: count)
                done &+= count
            }
        }
    }

    private static func overrun(_ room: Int) -> CodecFault {
        CodecFault(found: "more than \(room) bytes", expected: "\(room) at most")
    }
}

/// Bits, most significant first, and whole bytes out of one stream.
@safe private struct BitCursor {
    private let start: UnsafePointer<UInt8>?
    private let count: Int
    private(set) var position = 0
    /// The bits left, above a mark bit; 0x100 and what is below it once shifted out.
    private var buffer: UInt32 = 0

    init(_ input: UnsafeRawBufferPointer) {
        unsafe start = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        count = input.count
    }

    var isAtEnd: Bool { position == count }

    @inline(__always)
    mutating func byte() throws(CodecFault) -> UInt8 {
        guard position < count, let start = unsafe start else {
            throw CodecFault(found: "the end of the block", expected: "an end mark before it")
        }
        defer { position &+= 1 }
        return unsafe start[position]
    }

    @inline(__always)
    mutating func next() throws(CodecFault) -> UInt32 {
        if buffer & 0x7f != 0 {
            buffer = buffer &<< 1
        } else {
            buffer = UInt32(try byte()) &<< 1 | 1
        }
        return (buffer &>> 8) & 1
    }

    /// An interleaved Elias code from 2 up to `limit`, which must be below 2^31.
    @inline(__always)
    mutating func code(atMost limit: UInt32) throws(CodecFault) -> UInt32 {
        var value: UInt32 = 1
        repeat {
            value = value &<< 1 | (try next())
            guard value <= limit else {
                throw CodecFault(
                    found: "a code over \(limit)", expected: "an offset or length in the block")
            }
        } while try next() == 0
        return value
    }
}
