import Format
import TestSupport
import Testing

/// Offsets are those of `union image_dirent` in the vendor's `sys/image.h`.
struct DirectoryTests {
    /// A record's head, its fields after `size`, and a body.
    private static func record(
        _ mode: UInt32, _ body: [UInt8], _ order: ByteOrder = .little, size: UInt16? = nil
    ) -> [UInt8] {
        let isBig = order == .big
        var bytes = [UInt8](repeating: 0, count: 24) + body
        bytes.pad(to: 4)
        bytes.set(size ?? UInt16(bytes.count), at: 0, isBigEndian: isBig)
        bytes.set(UInt16(0x0102), at: 2, isBigEndian: isBig)
        bytes.set(UInt32(0xe000_0007), at: 4, isBigEndian: isBig)
        bytes.set(mode, at: 8, isBigEndian: isBig)
        bytes.set(UInt32(75), at: 12, isBigEndian: isBig)
        bytes.set(UInt32(74), at: 16, isBigEndian: isBig)
        bytes.set(UInt32(0xf000_0000), at: 20, isBigEndian: isBig)
        return bytes
    }

    private static func text(_ string: String) -> [UInt8] { Array(string.utf8) + [0] }

    private static func words(_ values: [UInt32], _ order: ByteOrder) -> [UInt8] {
        values.flatMap { [UInt8]($0, isBigEndian: order == .big) }
    }

    private static func path(_ directory: IFS.Directory, _ index: Int) -> String {
        String(decoding: directory.path(of: directory.entries[index]), as: UTF8.self)
    }

    @Test(arguments: ByteOrder.allCases)
    func theHeadStandsWhereTheVendorsHeaderHasIt(order: ByteOrder) throws {
        let directory = IFS.Directory(Self.record(0x41ed, Self.text("etc"), order), order)
        let entry = try #require(directory.entries.first)
        #expect(entry.recordOffset == 0)
        #expect(entry.recordSize == 28)
        #expect(entry.extendedAttributes == 0x0102)
        #expect(entry.inode == 0xe000_0007)
        #expect(entry.mode == 0x41ed)
        #expect(entry.group == 75)
        #expect(entry.user == 74)
        #expect(entry.modified == 0xf000_0000)
        #expect(entry.kind == .directory)
        #expect(Self.path(directory, 0) == "etc")
    }

    @Test(arguments: ByteOrder.allCases)
    func aFileHasOffsetSizeAndPath(order: ByteOrder) {
        let body = Self.words([0xfff0_0000, 0x1234], order) + Self.text("bin/ls")
        let directory = IFS.Directory(Self.record(0x81a4, body, order), order)
        #expect(directory.entries.first?.kind == .file(offset: 0xfff0_0000, size: 0x1234))
        #expect(Self.path(directory, 0) == "bin/ls")
    }

    @Test(
        arguments: [0x1000, 0x2000, 0x5000, 0x6000, 0xc000] as [UInt32], ByteOrder.allCases)
    func fifosDevicesSpecialsAndSocketsHaveTwoNumbers(type: UInt32, order: ByteOrder) {
        let body = Self.words([7, 0x1403], order) + Self.text("dev/x")
        let directory = IFS.Directory(Self.record(type | 0o600, body, order), order)
        #expect(directory.entries.first?.kind == .device(device: 7, rawDevice: 0x1403))
        #expect(Self.path(directory, 0) == "dev/x")
    }

    @Test(arguments: [0x0000, 0x3000, 0x7000, 0x9000, 0xb000, 0xd000, 0xf000] as [UInt32])
    func otherTypesAreUnknown(type: UInt32) {
        let directory = IFS.Directory(Self.record(type, Self.text("odd")), .little)
        #expect(directory.entries.first?.kind == .unknown)
        #expect(Self.path(directory, 0) == "odd")
    }

    /// `sym_size` with and without the NUL, and wrong: the NUL inside the record decides.
    @Test(arguments: [4, 5, 0, 0xffff] as [UInt16], ByteOrder.allCases)
    func aSymlinksTargetEndsAtItsNUL(size: UInt16, order: ByteOrder) {
        var body = [UInt8](UInt16(4), isBigEndian: order == .big)
        body += [UInt8](size, isBigEndian: order == .big)
        body += Self.text("tmp") + Self.text("/dev")
        let directory = IFS.Directory(Self.record(0xa1ff, body, order), order)
        guard case .symlink(_, size)? = directory.entries.first?.kind else {
            Issue.record("\(directory.entries)")
            return
        }
        #expect(Self.path(directory, 0) == "tmp")
        #expect(directory.target(of: directory.entries[0]) == ArraySlice("/dev".utf8))
    }

    @Test func aTargetCanStandApartFromThePath() {
        let body: [UInt8] = [8, 0, 1, 0] + Self.text("tmp") + [9, 9, 9, 9] + Self.text("x")
        let directory = IFS.Directory(Self.record(0xa1ff, body), .little)
        #expect(directory.target(of: directory.entries[0]) == ArraySlice("x".utf8))
    }

    @Test func targetsOfOtherKindsAreEmpty() {
        let directory = IFS.Directory(Self.record(0x41ed, Self.text("etc")), .little)
        #expect(directory.target(of: directory.entries[0]).isEmpty)
    }

    /// The vendor's 6.x tools leave such bytes in the record of the root.
    @Test func staleBytesBehindTheNULAreNoPath() {
        var root = Self.record(0x41ed, [0, 0xaa, 0xbb, 0xcc])
        let directory = IFS.Directory(root, .little)
        #expect(Self.path(directory, 0) == "")
        #expect(directory.bytes == root)
        root[24] = 0x41
        root[27] = 0
        #expect(Array(IFS.Directory(root, .little).path(of: directory.entries[0])) == [])
    }

    @Test func recordsFollowEachOtherUpToTheEndMark() {
        let first = Self.record(0x41ed, [0])
        let second = Self.record(0x41ed, Self.text("a long name"))
        let rest = Self.record(0x41ed, Self.text("behind the end"))
        let directory = IFS.Directory(first + second + [0, 0, 0, 0] + rest, .little)
        #expect(directory.entries.map(\.recordOffset) == [0, 28])
        #expect(directory.end == first.count + second.count)
        #expect(directory.broken == nil && directory.skipped.isEmpty)
    }

    @Test func aDirectoryWithoutEndMarkEndsWhereItsBytesDo() {
        let directory = IFS.Directory(Self.record(0x41ed, [0]), .little)
        #expect(directory.entries.count == 1)
        #expect(directory.broken == nil)
        #expect(directory.end == 28)
    }

    @Test(arguments: [1, 4, 20, 23, 25, 26, 27, 29] as [UInt16])
    func aRecordOfAnImpossibleSizeBreaksTheWalk(size: UInt16) {
        let good = Self.record(0x41ed, [0])
        let bytes = good + Self.record(0x41ed, Self.text("abcdefgh"), size: size)
        let directory = IFS.Directory(bytes, .little)
        #expect(directory.entries.count == 1)
        #expect(directory.end == 28)
        #expect(
            directory.broken
                == .corrupt(
                    Place("dirent.size", 28), found: "\(size)",
                    expected: "0, or a multiple of 4 from 24 on"))
    }

    @Test func aRecordThatRunsPastTheDirectoryBreaksTheWalk() {
        let bytes = Self.record(0x41ed, [0]) + Self.record(0x41ed, [0], size: 32)
        let directory = IFS.Directory(bytes, .little)
        #expect(directory.entries.count == 1)
        #expect(
            directory.broken == .truncated(Place("dirent.size", 28), needed: 32, available: 28))
    }

    @Test func aLoneByteBehindTheRecordsBreaksTheWalk() {
        let directory = IFS.Directory(Self.record(0x41ed, [0]) + [0], .little)
        #expect(directory.broken == .truncated(Place("dirent.size", 28), needed: 2, available: 1))
    }

    /// Records whose texts do not end in them: their own NUL stands in the next record.
    static let endless: [(mode: UInt32, body: [UInt8], field: String, offset: UInt64)] = [
        (0x81a4, [UInt8](repeating: 0x41, count: 12), "dirent.path", 32),
        (0x41ed, [UInt8](repeating: 0x41, count: 4), "dirent.path", 24),
        (0x21ed, [UInt8](repeating: 0x41, count: 12), "dirent.path", 32),
        (0x7000, [UInt8](repeating: 0x41, count: 4), "dirent.path", 24),
        (0xa1ff, [4, 0, 1, 0, 0x41, 0x41, 0x41, 0x41], "dirent.path", 28),
        (0xa1ff, [2, 0, 1, 0, 0x41, 0, 0x41, 0x41], "dirent.target", 30),
        (0xa1ff, [4, 0, 1, 0, 0x41, 0, 0, 0], "dirent.target", 32),
        (0xa1ff, [0xff, 0xff, 1, 0, 0x41, 0, 0, 0], "dirent.target", 0x1_001b),
        (0x81a4, [], "dirent.path", 32),
        (0xa1ff, [], "dirent.path", 28),
    ]

    @Test(arguments: endless.indices)
    func aRecordThatCannotHoldItsBodyIsSkippedAndTheWalkGoesOn(index: Int) {
        let (mode, body, field, offset) = Self.endless[index]
        let bytes =
            Self.record(mode, body) + Self.record(0x41ed, Self.text("next")) + [0, 0, 0, 0]
        let directory = IFS.Directory(bytes, .little)
        #expect(directory.entries.count == 1)
        #expect(Self.path(directory, 0) == "next")
        #expect(directory.broken == nil)
        #expect(directory.skipped.map(\.place) == [Place(field, offset)])
    }

    @Test func aBodyDoesNotReadFromTheRecordBehindIt() {
        // 24 bytes cannot hold a file's offset and size; the next record's bytes are not its own.
        let directory = IFS.Directory(
            Self.record(0x81a4, []) + Self.record(0x41ed, Self.text("next")), .little)
        #expect(directory.entries.map(\.kind) == [.directory])
    }

    @Test func bytesCutAtEveryLengthNeverTrap() {
        let whole =
            Self.record(0x81a4, Self.words([1, 2], .little) + Self.text("a/file"))
            + Self.record(0xa1ff, [2, 0, 1, 0] + Self.text("l") + Self.text("t")) + [0, 0, 0, 0]
        for count in 0...whole.count {
            let directory = IFS.Directory(Array(whole.prefix(count)), .little)
            #expect(directory.entries.count == (count >= 72 ? 2 : count >= 40 ? 1 : 0))
            #expect((directory.broken == nil) == [0, 40, 72, 74, 75, 76].contains(count))
        }
    }

    @Test(arguments: [0x8000_0000, 0x4000_0000, 0x2000_0000, 0x1fff_ffff] as [UInt32])
    func theFlagBitsOfInodesAreThoseOfTheVendorsHeader(bits: UInt32) {
        let masks = [
            IFS.Dirent.processedFlag, IFS.Dirent.runOnceFlag, IFS.Dirent.bootstrapFlag,
            IFS.Dirent.inodeMask,
        ]
        #expect(masks.contains(bits))
    }
}
