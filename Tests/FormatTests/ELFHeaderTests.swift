import Format
import TestSupport
import Testing

/// Offsets are those of the System V ABI, chapter 4.
struct ELFHeaderTests {
    private static func header32(_ order: ByteOrder) -> [UInt8] {
        let isBig = order == .big
        var bytes = [UInt8](repeating: 0, count: 52 + 2 * 32)
        bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, isBig ? 2 : 1, 1], at: 0)
        let fields: [(Int, UInt16)] = [
            (16, 2), (18, 40), (40, 52), (42, 32), (44, 2), (46, 40), (48, 5), (50, 4),
        ]
        for (offset, value) in fields { bytes.set(value, at: offset, isBigEndian: isBig) }
        let words: [(Int, UInt32)] = [(24, 0x10020), (28, 52), (32, 0x9000), (36, 0x500_0002)]
        for (offset, value) in words { bytes.set(value, at: offset, isBigEndian: isBig) }
        for segment in 0..<2 {
            for word in 0..<8 {
                bytes.set(
                    UInt32(100 * segment + word), at: 52 + 32 * segment + 4 * word,
                    isBigEndian: isBig)
            }
        }
        return bytes
    }

    private static func header64(_ order: ByteOrder) -> [UInt8] {
        let isBig = order == .big
        var bytes = [UInt8](repeating: 0, count: 64 + 56)
        bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, isBig ? 2 : 1, 1], at: 0)
        let fields: [(Int, UInt16)] = [
            (16, 3), (18, 183), (52, 64), (54, 56), (56, 1), (58, 64), (60, 7), (62, 6),
        ]
        for (offset, value) in fields { bytes.set(value, at: offset, isBigEndian: isBig) }
        let wide: [(Int, UInt64)] = [(24, 0xffff_8000_0010_0020), (32, 64), (40, 0x1_0000_9000)]
        for (offset, value) in wide { bytes.set(value, at: offset, isBigEndian: isBig) }
        bytes.set(UInt32(9), at: 48, isBigEndian: isBig)
        bytes.set(UInt32(1), at: 64, isBigEndian: isBig)
        bytes.set(UInt32(5), at: 68, isBigEndian: isBig)
        for word in 0..<6 {
            bytes.set((UInt64(1) << 40) + UInt64(word), at: 72 + 8 * word, isBigEndian: isBig)
        }
        return bytes
    }

    @Test(arguments: ByteOrder.allCases)
    func a32BitHeaderHasItsFields(order: ByteOrder) throws {
        let header = try #require(ELF.Header(Self.header32(order)))
        #expect(header.className == (order == .little ? "ELF32LE" : "ELF32BE"))
        #expect(header.typeName == "ET_EXEC" && header.machineName == "EM_ARM")
        #expect(!header.is64Bit && header.order == order)
        #expect(header.entry == 0x10020 && header.flags == 0x500_0002)
        #expect(header.programHeaderOffset == 52 && header.programHeaderSize == 32)
        #expect(header.programHeaderCount == 2)
        #expect(header.sectionHeaderOffset == 0x9000 && header.sectionHeaderSize == 40)
        #expect(header.sectionHeaderCount == 5 && header.sectionNameIndex == 4)
        for (index, segment) in header.segments.enumerated() {
            #expect(Self.numbers(segment) == (0..<8).map { UInt64(100 * index + $0) })
        }
        #expect(header.segments.count == 2)
    }

    /// The fields in the order of the 32-bit structure.
    private static func numbers(_ segment: ELF.Header.Segment) -> [UInt64] {
        [
            UInt64(segment.type), segment.offset, segment.virtualAddress, segment.physicalAddress,
            segment.fileSize, segment.memorySize, UInt64(segment.flags), segment.alignment,
        ]
    }

    @Test(arguments: ByteOrder.allCases)
    func a64BitHeaderHasItsFields(order: ByteOrder) throws {
        let header = try #require(ELF.Header(Self.header64(order)))
        #expect(header.className == (order == .little ? "ELF64LE" : "ELF64BE"))
        #expect(header.typeName == "ET_DYN" && header.machineName == "EM_AARCH64")
        #expect(header.entry == 0xffff_8000_0010_0020 && header.flags == 9)
        #expect(header.programHeaderOffset == 64 && header.sectionHeaderOffset == 0x1_0000_9000)
        #expect(header.programHeaderSize == 56 && header.programHeaderCount == 1)
        #expect(header.sectionHeaderSize == 64 && header.sectionHeaderCount == 7)
        #expect(header.sectionNameIndex == 6)
        let base: UInt64 = 1 << 40
        #expect(
            header.segments.map(Self.numbers)
                == [[1, base, base + 1, base + 2, base + 3, base + 4, 5, base + 5]])
    }

    @Test func bytesCutAtEveryLengthGiveNoHeaderOrFewerSegments() {
        for count in 0..<116 {
            let header = ELF.Header(Array(Self.header32(.little).prefix(count)))
            #expect((header == nil) == (count < 52))
            #expect(header.map(\.segments.count) ?? 0 == (count < 84 ? 0 : 1), "\(count)")
        }
        for count in 0..<120 {
            let header = ELF.Header(Array(Self.header64(.big).prefix(count)))
            #expect((header == nil) == (count < 64))
            #expect(header?.segments.isEmpty ?? true)
        }
    }

    @Test(arguments: [(0, 0x7e), (1, 0), (4, 0), (4, 3), (5, 0), (5, 3)] as [(Int, UInt8)])
    func otherMarksAreNoELF(offset: Int, value: UInt8) {
        var bytes = Self.header32(.little)
        bytes[offset] = value
        #expect(ELF.Header(bytes) == nil)
    }

    @Test(arguments: [0, 1, 31, 33, 0xffff] as [UInt16], [52, 0x7fff_ffff, .max] as [UInt32])
    func oddTablesNeverTrap(step: UInt16, offset: UInt32) throws {
        var bytes = Self.header32(.little)
        bytes.set(step, at: 42)
        bytes.set(UInt16.max, at: 44)
        bytes.set(offset, at: 28)
        let header = try #require(ELF.Header(bytes))
        #expect(header.segments.count <= 1)
        var wide = Self.header64(.little)
        wide.set(UInt64.max - UInt64(offset), at: 32)
        wide.set(UInt16.max, at: 56)
        #expect(try #require(ELF.Header(wide)).segments.isEmpty)
    }

    @Test func namesFallBackToNumbers() throws {
        var bytes = Self.header32(.little)
        bytes.set(UInt16(0xfe00), at: 16)
        bytes.set(UInt16(0x1234), at: 18)
        let header = try #require(ELF.Header(bytes))
        #expect(header.typeName == "65024" && header.machineName == "4660")
        #expect(ELF.machineName(3) == "386" && ELF.machineName(8) == "MIPS")
        #expect(ELF.machineName(20) == "PPC" && ELF.machineName(42) == "SH")
        #expect(ELF.machineName(62) == "X86_64" && ELF.machineName(0) == nil)
    }
}
