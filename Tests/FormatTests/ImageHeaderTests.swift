import Format
import TestSupport
import Testing

/// Offsets are those of `struct image_header` in the vendor's `sys/image.h`.
struct ImageHeaderTests {
    /// A lawful header in which every field has a value of its own.
    private static func bytes(_ order: ByteOrder, mountpoint: String = "/kit") -> [UInt8] {
        let isBig = order == .big
        var bytes = [UInt8](repeating: 0, count: 88) + Array(mountpoint.utf8) + [0]
        bytes.pad(to: 4)
        bytes.set(Array("imagefs".utf8), at: 0)
        bytes[7] = isBig ? 0x1f : 0x1e
        bytes.set(UInt32(0x204f5c), at: 8, isBigEndian: isBig)
        bytes.set(UInt32(0x12b8), at: 12, isBigEndian: isBig)
        bytes.set(UInt32(bytes.count), at: 16, isBigEndian: isBig)
        for index in 0..<4 {
            bytes.set(0xa000_0002 + UInt32(index), at: 20 + 4 * index, isBigEndian: isBig)
        }
        bytes.set(UInt32(3), at: 36, isBigEndian: isBig)
        bytes.set(UInt32(0xcafe_0001), at: 40, isBigEndian: isBig)
        for index in 0..<10 {
            bytes.set(0x1111_0000 + UInt32(index), at: 44 + 4 * index, isBigEndian: isBig)
        }
        bytes.set(UInt32(0x55), at: 84, isBigEndian: isBig)
        return bytes
    }

    private static func parse(
        _ bytes: [UInt8], at base: Int = 0
    ) throws -> IFS.ImageHeader {
        try IFS.ImageHeader(parsing: bytes.span.bytes, at: base)
    }

    @Test(arguments: ByteOrder.allCases)
    func everyFieldStandsWhereTheVendorsHeaderHasIt(order: ByteOrder) throws {
        let header = try Self.parse(Self.bytes(order))
        #expect(header.order == order)
        #expect(header.flags == (order == .big ? 0x1f : 0x1e))
        #expect(header.imageSize == 0x204f5c)
        #expect(header.directoryEnd == 0x12b8)
        #expect(header.directoryOffset == 96)
        #expect(header.bootInodes == [0xa000_0002, 0xa000_0003, 0xa000_0004, 0xa000_0005])
        #expect(header.scriptInode == 3)
        #expect(header.chainAddress == 0xcafe_0001)
        #expect(header.spare == (0..<10).map { 0x1111_0000 + $0 })
        #expect(header.mountFlags == 0x55)
        #expect(header.mountpoint == Array("/kit".utf8))
        #expect(header.trailerSize == 68)
    }

    @Test func onlyFlag0x10MeansATrailerWithADigest() throws {
        var bytes = Self.bytes(.little)
        bytes[7] = 0x0e
        #expect(try Self.parse(bytes).trailerSize == 4)
        bytes[7] = 0x10
        #expect(try Self.parse(bytes).trailerSize == 68)
    }

    /// `RUP(88 + strlen + 1, 4)`: 0x5c for both `` and `/`.
    @Test(arguments: [("", 0x5c), ("/", 0x5c), ("/ab", 0x5c), ("/abc", 0x60), ("/a/b/c", 0x60)])
    func theHeaderEndsOnTheMountpointRoundedUp(text: String, size: UInt32) throws {
        let header = try Self.parse(Self.bytes(.little, mountpoint: text))
        #expect(header.mountpoint == Array(text.utf8))
        #expect(header.strictDirectoryOffset == size)
        #expect(header.directoryOffset == size)
    }

    @Test(arguments: ByteOrder.allCases)
    func bytesCutAtEveryLengthGiveAnError(order: ByteOrder) {
        let whole = Self.bytes(order)
        for count in 0..<92 {
            let error = #expect(throws: FormatError.self) {
                try Self.parse(Array(whole.prefix(count)))
            }
            if case .truncated? = error { continue }
            #expect(error?.place.field == "image header.mountpoint", "cut at \(count)")
        }
    }

    static let broken = [
        BrokenRule([0x49], at: 0, of: 0, "image header.signature", "'Imagefs'", "'imagefs'"),
        BrokenRule([0], at: 6, of: 0, "image header.signature", "'imagef\\x00'", "'imagefs'"),
        BrokenRule([0x20], at: 7, of: 7, "image header.flags", "0x20", "no bits but 0x1f"),
        BrokenRule(
            [96, 0, 0, 0], at: 12, of: 12, "image header.hdr_dir_size", "0x60",
            "more than dir_offset 0x60"),
        BrokenRule(
            [0xb8, 0x12, 0, 0], at: 8, of: 8, "image header.image_size", "0x12b8",
            "more than hdr_dir_size 0x12b8"),
        BrokenRule(
            [92], at: 16, of: 88, "image header.mountpoint", "no end of the text",
            "a NUL before dir_offset 0x5c"),
        BrokenRule(
            [0], at: 16, of: 88, "image header.mountpoint", "no end of the text",
            "a NUL before dir_offset 0x0"),
        BrokenRule(
            [1, 1, 1, 1], at: 92, of: 88, "image header.mountpoint", "no end of the text",
            "a NUL before dir_offset 0x60"),
    ]

    @Test(arguments: broken)
    func eachBrokenRuleGivesItsError(rule: BrokenRule) {
        var bytes = Self.bytes(.little)
        bytes.set(rule.bytes, at: rule.offset)
        #expect(throws: rule.error) { try Self.parse(bytes) }
        #expect(throws: rule.error.moved(by: 5)) {
            try Self.parse([UInt8](repeating: 0xff, count: 5) + bytes, at: 5)
        }
    }

    @Test func aMountpointWithoutEndIsRefused() {
        var bytes = Self.bytes(.little, mountpoint: String(repeating: "m", count: 1024))
        #expect(throws: FormatError.self) { try Self.parse(bytes) }
        bytes = Self.bytes(.little, mountpoint: String(repeating: "m", count: 1023))
        #expect(throws: Never.self) { try Self.parse(bytes) }
    }
}
