import Format
import TestSupport
import Testing

/// Offsets are those of `struct startup_header` in the vendor's `sys/startup.h`.
struct StartupHeaderTests {
    /// A lawful header in which every field has a value of its own.
    private static func bytes(_ order: ByteOrder) -> [UInt8] {
        let isBig = order == .big
        var bytes = [UInt8](repeating: 0, count: 256)
        bytes.set(UInt32(0x00ff_7eeb), at: 0, isBigEndian: isBig)
        bytes.set(UInt16(1), at: 4, isBigEndian: isBig)
        bytes[6] = isBig ? 0x2f : 0x2d
        bytes[7] = 0x01
        bytes.set(UInt16(256), at: 8, isBigEndian: isBig)
        bytes.set(UInt16(183), at: 10, isBigEndian: isBig)
        for (index, offset) in [12, 16, 20, 24, 28].enumerated() {
            bytes.set(0x8000_1000 + UInt32(index), at: offset, isBigEndian: isBig)
        }
        bytes.set(UInt32(0x2a148), at: 32, isBigEndian: isBig)
        bytes.set(UInt32(0x30000), at: 36, isBigEndian: isBig)
        bytes.set(UInt32(0x8765_4321), at: 40, isBigEndian: isBig)
        bytes.set(UInt32(0x204f5c), at: 44, isBigEndian: isBig)
        bytes.set(UInt16(0xfa0), at: 48, isBigEndian: isBig)
        bytes.set(UInt16(0x1234), at: 50, isBigEndian: isBig)
        bytes.set(UInt32(0x3000_0013), at: 52, isBigEndian: isBig)
        bytes.set(UInt64(0x10_2030_4050), at: 56, isBigEndian: isBig)
        for index in 64..<256 { bytes[index] = UInt8(index) }
        return bytes
    }

    private static func parse(
        _ bytes: [UInt8], at base: Int = 0
    ) throws -> IFS.StartupHeader {
        try IFS.StartupHeader(parsing: bytes.span.bytes, at: base)
    }

    @Test(arguments: ByteOrder.allCases)
    func everyFieldStandsWhereTheVendorsHeaderHasIt(order: ByteOrder) throws {
        let header = try Self.parse(Self.bytes(order))
        #expect(header.order == order)
        #expect(header.version == 1)
        #expect(header.flags1 == (order == .big ? 0x2f : 0x2d))
        #expect(header.flags2 == 1)
        #expect(header.headerSize == 256)
        #expect(header.machine == 183)
        #expect(header.startupAddress == 0x8000_1000)
        #expect(header.physicalBias == 0x8000_1001)
        #expect(header.imageAddress == 0x8000_1002)
        #expect(header.ramAddress == 0x8000_1003)
        #expect(header.ramSize == 0x8000_1004)
        #expect(header.startupSize == 0x2a148)
        #expect(header.storedSize == 0x30000)
        #expect(header.imagefsAddress == 0x8765_4321)
        #expect(header.imagefsSize == 0x204f5c)
        #expect(header.prebootSize == 0xfa0)
        #expect(header.zeroHalf == 0x1234)
        #expect(header.zeroWord == 0x3000_0013)
        #expect(header.addressOffset == 0x10_2030_4050)
        #expect(header.info == Array(64...255))
        #expect(header.compression == .ucl)
        #expect(header.trailerSize == 68)
    }

    @Test(arguments: [0x00, 0x04, 0x08, 0x0c], [UInt8(0x01), 0x21])
    func flags1TellTheCompressionAndTheTrailer(packing: UInt8, others: UInt8) throws {
        var bytes = Self.bytes(.little)
        bytes[6] = packing | others
        bytes.set(UInt32(0x300000), at: 36)
        let header = try Self.parse(bytes)
        #expect(header.compression.rawValue == packing >> 2)
        #expect(header.compression.name == ["none", "zlib", "lzo", "ucl"][Int(packing >> 2)])
        #expect(header.trailerSize == (others == 0x21 ? 68 : 4))
    }

    @Test(arguments: ByteOrder.allCases)
    func bytesCutAtEveryLengthAreTruncated(order: ByteOrder) {
        let whole = Self.bytes(order)
        for count in 0..<256 {
            let error = #expect(throws: FormatError.self) {
                try Self.parse(Array(whole.prefix(count)))
            }
            guard case .truncated? = error else {
                Issue.record("cut at \(count): \(String(describing: error))")
                continue
            }
        }
    }

    static let broken = [
        BrokenRule(
            [0xea], at: 0, of: 0, "startup header.signature", "0xff7eea",
            "0xff7eeb in either byte order"),
        BrokenRule([2], at: 4, of: 4, "startup header.version", "2", "1"),
        BrokenRule([1], at: 5, of: 4, "startup header.version", "257", "1"),
        BrokenRule([1, 1], at: 8, of: 8, "startup header.header_size", "257", "256"),
        BrokenRule(
            [0x2f], at: 6, of: 6, "startup header.flags1", "0x2f",
            "the byte order of the signature, little"),
        BrokenRule(
            [0x3d], at: 6, of: 6, "startup header.flags1", "0x3d",
            "compression 0 through 3 in bits 2-4"),
        BrokenRule(
            [0x11], at: 6, of: 6, "startup header.flags1", "0x11",
            "compression 0 through 3 in bits 2-4"),
        BrokenRule(
            [0, 1, 0, 0], at: 32, of: 32, "startup header.startup_size", "0x100",
            "a multiple of 4 from 0x104 on"),
        BrokenRule(
            [0x4a], at: 32, of: 32, "startup header.startup_size", "0x2a14a",
            "a multiple of 4 from 0x104 on"),
        BrokenRule(
            [0x44, 0xa1, 2, 0], at: 36, of: 36, "startup header.stored_size", "0x2a144",
            "startup_size 0x2a148 or more"),
        BrokenRule(
            [0x7b, 0, 0, 0], at: 44, of: 44, "startup header.imagefs_size", "0x7b", "0x7c or more"),
    ]

    @Test(arguments: broken)
    func eachBrokenRuleGivesItsError(rule: BrokenRule) {
        var bytes = Self.bytes(.little)
        bytes.set(rule.bytes, at: rule.offset)
        #expect(throws: rule.error) { try Self.parse(bytes) }
        #expect(throws: rule.error.moved(by: 7)) {
            try Self.parse([UInt8](repeating: 0, count: 7) + bytes, at: 7)
        }
    }

    @Test func anUnpackedImageNeedsRoomForBothItsParts() throws {
        var bytes = Self.bytes(.little)
        bytes[6] = 0x01
        bytes.set(UInt32(0x2a148 + 0x204f5c), at: 36)
        #expect(throws: Never.self) { try Self.parse(bytes) }
        bytes.set(UInt32(0x2a148 + 0x204f5b), at: 36)
        #expect(
            throws: FormatError.corrupt(
                Place("startup header.stored_size", 36), found: "0x22f0a3",
                expected: "startup_size + imagefs_size or more")
        ) { try Self.parse(bytes) }
        bytes.set(UInt32.max, at: 36)
        bytes.set(UInt32.max, at: 44)
        #expect(throws: FormatError.self) { try Self.parse(bytes) }
    }

    @Test func theLeastSizesAreLawful() throws {
        var bytes = Self.bytes(.little)
        bytes.set(UInt32(260), at: 32)
        bytes.set(UInt32(260), at: 36)
        bytes.set(UInt32(124), at: 44)
        let header = try Self.parse(bytes)
        #expect(header.startupSize == 260 && header.storedSize == 260 && header.imagefsSize == 124)
    }
}
