import CUCL
import Format
import TestSupport
import Testing

/// Our decoder of NRV2B against libucl's, on blocks that libucl packed and that were then changed.
struct UCLTests {
    /// What libucl makes of a block: its bytes, or nil where it refuses.
    ///
    /// libucl lets a last match write one byte more than its buffer holds, so it gets a larger one,
    /// and more than a block's 64 KiB counts as refused.
    static func judged(_ packed: [UInt8]) -> [UInt8]? {
        // Its bit reader looks a few bytes behind the input.
        let input = packed + [UInt8](repeating: 0, count: 16)
        var output = [UInt8](repeating: 0, count: 0x10000 + 0x1000)
        var count = ucl_uint(0x10000)
        let status = ucl_nrv2b_decompress_safe_8(
            input, ucl_uint(packed.count), &output, &count, nil)
        guard status == UCL_E_OK, count <= 0x10000 else { return nil }
        return Array(output.prefix(Int(count)))
    }

    /// What every image here starts with: one good block with header and directory.
    private static let head = ImageBuilder([.file("a", SplitMix64.text(2000))]).with {
        $0.packing = .ucl(level: 1)
        $0.startupPatches = [.init(44, [UInt8](UInt32(0x4_0000), isBigEndian: false))]
    }
    private static let headCount = UInt64(head.build().plain.count)

    /// An image whose second block is `packed`.
    private static func image(_ packed: [UInt8]) throws -> IFS.Image {
        let built = head.with {
            $0.endMark = [UInt8](UInt16(packed.count), isBigEndian: true) + packed + [0, 0]
        }.build()
        return try IFS.Image.only(in: built.bytes)
    }

    /// Why our decoder's answer is not libucl's; nil if it is.
    static func disagreement(_ packed: [UInt8]) throws -> String? {
        guard !packed.isEmpty, packed.count < 0x10000 else { return nil }
        let contents = try image(packed).contents
        let judged = judged(packed) ?? []
        do {
            let found = try contents.bytes(UInt64(judged.count), at: headCount, "block")
            if let problem = difference(found, judged) { return problem }
        } catch {
            return "libucl gives \(judged.count) bytes, ours: \(error)"
        }
        // No byte more than libucl's; the next block is the end mark.
        let more = try? contents.bytes(UInt64(judged.count + 1), at: headCount, "block")
        return more == nil ? nil : "more than libucl's \(judged.count) bytes"
    }

    static let sources: [[UInt8]] = [
        SplitMix64.text(300), SplitMix64.text(5000), SplitMix64.text(40_000),
        SplitMix64.noise(700), [UInt8](repeating: 7, count: 60_000), [1], [],
    ]

    @Test(arguments: sources.indices, [1, 4, 9] as [Int32])
    func wholeBlocksDecodeAlike(index: Int, level: Int32) throws {
        let packed = Packer.block(Self.sources[index][...], .ucl(level: level))
        #expect(try Self.disagreement(packed) == nil)
        #expect(Self.judged(packed) == Self.sources[index])
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func twoHundredChangedBlocksDecodeAlike(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let blocks = Self.sources.prefix(5).map { Packer.block($0[...], .ucl(level: 1)) }
        var accepted = 0
        for round in 0..<200 {
            let packed = Self.changed(blocks[round % blocks.count], &random)
            #expect(try Self.disagreement(packed) == nil, "\(seed), \(round): \(packed.prefix(64))")
            if Self.judged(packed) != nil { accepted += 1 }
        }
        #expect(accepted > 5, "the changes leave no lawful blocks to compare")
    }

    private static func changed(_ block: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        var bytes = block
        for _ in 0..<(random.next() % 3 + 1) {
            let place = Int(random.next() % UInt64(bytes.count))
            switch random.next() % 6 {
            case 0: bytes[place] ^= 1 << UInt8(random.next() % 8)
            case 1: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
            case 3 where bytes.count > 2: bytes.remove(at: place)
            case 4 where place > 1: bytes = Array(bytes.prefix(place))
            default: bytes[place] = 0xff
            }
        }
        return bytes
    }

    @Test func aBlockCutAtEveryLengthIsRefused() throws {
        let packed = Packer.block(SplitMix64.text(500)[...], .ucl(level: 9))
        for count in 1..<packed.count {
            #expect(Self.judged(Array(packed.prefix(count))) == nil)
            #expect(try Self.disagreement(Array(packed.prefix(count))) == nil)
        }
    }

    /// Bits most significant first, whole bytes in between: what a packer would have written.
    private struct BitWriter {
        var bytes: [UInt8] = []
        private var place = 0
        private var free = 0

        mutating func bits(_ bits: String) {
            for bit in bits where bit != " " {
                if free == 0 {
                    place = bytes.count
                    bytes.append(0)
                    free = 8
                }
                free -= 1
                if bit == "1" { bytes[place] |= 1 << UInt8(free) }
            }
        }

        mutating func byte(_ value: UInt8) { bytes.append(value) }

        /// An interleaved code: the bits below the highest, each with a stop bit behind it.
        mutating func code(_ value: UInt64) {
            let digits = String(value, radix: 2).dropFirst()
            bits(digits.map { "\($0)" }.joined(separator: "0") + "1")
        }

        mutating func end() {
            bits("0")
            code(0x100_0002)
            byte(0xff)
        }
    }

    @Test func aBlockWrittenByHandDecodes() throws {
        var writer = BitWriter()
        writer.bits("1")
        writer.byte(0x61)
        writer.bits("0")
        writer.code(3)
        writer.byte(0)
        writer.bits("01")
        writer.end()
        #expect(Self.judged(writer.bytes) == Array("aaa".utf8))
        #expect(try Self.disagreement(writer.bytes) == nil)
    }

    /// A match that would leave 65,537 bytes: libucl writes it, one byte over its buffer.
    @Test func aBlockOfMoreThan64KiBIsRefused() throws {
        for length in [0xffff, 0x10000, 0x20000] as [UInt64] {
            var writer = BitWriter()
            writer.bits("1")
            writer.byte(0x61)
            writer.bits("0")
            writer.code(3)
            writer.byte(0)
            writer.bits("00")
            writer.code(length - 3)
            writer.end()
            #expect(try Self.disagreement(writer.bytes) == nil)
            #expect((Self.judged(writer.bytes) == nil) == (length > 0xffff))
        }
    }

    /// libucl stops at offset codes over 0xffffff + 3; what wraps around 32 bits is no offset.
    @Test(arguments: [0x100_0003, 0x200_0002, 0x1_0000_0002, 0x1_0000_0003] as [UInt64])
    func anOffsetCodeThatWrapsAroundIsRefused(code: UInt64) throws {
        var writer = BitWriter()
        writer.bits("1")
        writer.byte(0x61)
        writer.bits("0")
        writer.code(code)
        writer.byte(0xff)
        writer.bits("01")
        writer.end()
        #expect(Self.judged(writer.bytes) == nil)
        #expect(try Self.disagreement(writer.bytes) == nil)
    }

    /// The same for what would wrap around to an end mark.
    @Test(arguments: [0x200_0002, 0x8100_0002, 0x1_0100_0002] as [UInt64])
    func anEndMarkThatWrapsAroundIsRefused(code: UInt64) throws {
        var writer = BitWriter()
        writer.bits("1")
        writer.byte(0x61)
        writer.bits("0")
        writer.code(code)
        writer.byte(0xff)
        #expect(Self.judged(writer.bytes) == nil)
        #expect(try Self.disagreement(writer.bytes) == nil)
    }

    /// And for a length.
    @Test(arguments: [0x1_0000, 0xffff_fffe, 0x1_0000_0002] as [UInt64])
    func aLengthThatWrapsAroundIsRefused(code: UInt64) throws {
        var writer = BitWriter()
        writer.bits("1")
        writer.byte(0x61)
        writer.bits("0")
        writer.code(3)
        writer.byte(0)
        writer.bits("00")
        writer.code(code)
        writer.end()
        #expect(Self.judged(writer.bytes) == nil)
        #expect(try Self.disagreement(writer.bytes) == nil)
    }
}
