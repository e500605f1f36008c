import Foundation
import TestSupport
import Testing

@testable import Format

/// Partition tables: those that sfdisk makes, and such as nobody should.
struct PartitionTests {
    /// A disk of zeros with a table that sfdisk makes of a script.
    static func disk(_ script: String, sectors: Int = 65_536) throws -> [UInt8] {
        let folder = try ScratchFolder()
        let path = folder.path + "/disk"
        try make(script, at: path, size: sectors * 512)
        return try Fixtures.bytes(URL(fileURLWithPath: path))
    }

    /// Makes a sparse file with such a table.
    static func make(_ script: String, at path: String, size: Int) throws {
        try Data().write(to: URL(fileURLWithPath: path))
        try #require(truncate(path, size) == 0)
        try Data(script.utf8).write(to: URL(fileURLWithPath: path + ".script"))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.tool)
        process.arguments = ["--quiet", "--no-reread", path]
        process.standardInput = FileHandle(forReadingAtPath: path + ".script")
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    private func disk(_ script: String, sectors: Int = 65_536) throws -> [UInt8] {
        try Self.disk(script, sectors: sectors)
    }

    /// The same table on a disk with as many sectors of 4,096 bytes.
    private func enlarged(_ disk: [UInt8]) -> [UInt8] {
        let count = disk.count / 512
        var large = [UInt8](repeating: 0, count: count * 4096)
        for (first, end) in [(0, 1), (1, 2), (2, 34), (count - 33, count - 1), (count - 1, count)] {
            let bytes = disk[(first * 512)..<(end * 512)]
            large.replaceSubrange((first * 4096)..<(first * 4096 + bytes.count), with: bytes)
        }
        return large
    }

    private static let tool = "/usr/sbin/sfdisk"
    static let hasTool = Fixtures.exists(URL(fileURLWithPath: tool))

    private func mbr(_ bytes: [UInt8], known: UInt64? = nil) throws -> PartitionTable? {
        try PartitionTable.mbr(MemorySource(bytes)) { $0.start == known }
    }

    @Test(.enabled(if: hasTool, "needs sfdisk"))
    func primaryAndLogicalPartitionsAreNumberedAsLinuxDoes() throws {
        let table = try mbr(
            disk(
                """
                label: dos
                start=2048, size=4096, type=6, bootable
                start=8192, size=2048, type=b3
                start=16384, size=40000, type=f
                start=18432, size=2048, type=4d
                start=24576, size=4096, type=83
                """))
        let found = try #require(table)
        #expect(found.scheme == .mbr && found.sectorSize == 512 && found.faults == [])
        #expect(found.partitions.map(\.number) == [1, 2, 5, 6])
        #expect(found.partitions.map { $0.offset / 512 } == [2048, 8192, 18432, 24576])
        #expect(found.partitions.map { $0.byteCount / 512 } == [4096, 2048, 2048, 4096])
        #expect(found.partitions.map(\.isActive) == [true, false, false, false])
        #expect(found.partitions.map(\.typeName) == ["FAT16", "QNX Power-Safe", "QNX4", "Linux"])
    }

    /// The size of a sector that makes contents known is the disk's.
    @Test(.enabled(if: hasTool, "needs sfdisk"))
    func largeSectorsAreFoundByWhatLiesThere() throws {
        let script = "label: dos\nstart=256, size=64, type=b3\n"
        let bytes = enlarged(try disk(script, sectors: 1024))
        #expect(try mbr(bytes)?.sectorSize == 512)
        let table = try #require(try mbr(bytes, known: 256 * 4096))
        #expect(table.sectorSize == 4096)
        #expect(table.partitions.map(\.range) == [(256 * 4096)..<(320 * 4096)])
    }

    @Test(.enabled(if: hasTool, "needs sfdisk"), arguments: [512, 4096])
    func aGPTIsReadInBothSizesOfSectors(size: Int) throws {
        let small = try disk(
            """
            label: gpt
            start=2048, size=1024, type=CEF5A9AD-73BC-4601-89F3-CDEEEEE321A1, name="data ä"
            start=4096, size=2048, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, \
            attrs=LegacyBIOSBootable
            """, sectors: 16_384)
        let bytes = size == 512 ? small : enlarged(small)
        let table = try #require(try PartitionTable.gpt(MemorySource(bytes)))
        #expect(table.scheme == .gpt && table.sectorSize == UInt64(size) && table.faults == [])
        #expect(table.partitions.map(\.number) == [1, 2])
        #expect(table.partitions.map { $0.offset / UInt64(size) } == [2048, 4096])
        #expect(table.partitions.map { $0.byteCount / UInt64(size) } == [1024, 2048])
        #expect(table.partitions.map(\.name) == [Array("data ä".utf8), []])
        #expect(table.partitions.map(\.isActive) == [false, true])
        #expect(table.partitions.map(\.typeName) == ["QNX Power-Safe", "EFI system"])
    }

    private static let gptScript = "label: gpt\nstart=2048, size=1024, type=linux\n"

    /// A bad header, and bad entries, have the backup read; and that is told.
    @Test(.enabled(if: hasTool, "needs sfdisk"), arguments: [512 + 60, 512, 1024 + 40])
    func theBackupCountsWhereTheFirstIsBad(place: Int) throws {
        var bytes = try disk(Self.gptScript)
        let whole = try #require(try PartitionTable.gpt(MemorySource(bytes)))
        bytes[place] ^= 1
        let table = try #require(try PartitionTable.gpt(MemorySource(bytes)))
        #expect(table.partitions == whole.partitions)
        #expect(table.faults.count == 1)
        // With a bad backup too there is nothing to go by; without a signature no GPT at all.
        bytes[bytes.count - 512 + 20] ^= 1
        if place == 512 {
            #expect(try PartitionTable.gpt(MemorySource(bytes)) == nil)
        } else {
            #expect(throws: FormatError.self) { try PartitionTable.gpt(MemorySource(bytes)) }
        }
    }

    /// The MBR that stands before a GPT is no partition by itself.
    @Test(.enabled(if: hasTool, "needs sfdisk"))
    func aProtectiveEntryIsNoPartition() throws {
        let table = try #require(try mbr(disk(Self.gptScript)))
        #expect(table.partitions == [] && table.faults.count == 1)
    }

    // MARK: What is none

    /// A first sector with these entries: status, type, first sector, sectors.
    private func sector(_ entries: [(UInt8, UInt8, UInt32, UInt32)]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 512)
        for (index, entry) in entries.enumerated() {
            let base = 446 + 16 * index
            bytes[base] = entry.0
            bytes[base + 4] = entry.1
            for shift in 0..<4 {
                bytes[base + 8 + shift] = UInt8(truncatingIfNeeded: entry.2 >> (8 * UInt32(shift)))
                bytes[base + 12 + shift] = UInt8(truncatingIfNeeded: entry.3 >> (8 * UInt32(shift)))
            }
        }
        (bytes[510], bytes[511]) = (0x55, 0xaa)
        return bytes
    }

    private func disk(_ links: [Int: [(UInt8, UInt8, UInt32, UInt32)]]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 100 * 512)
        for (place, entries) in links {
            bytes.replaceSubrange((place * 512)..<(place * 512 + 512), with: sector(entries))
        }
        return bytes
    }

    /// Boot code that ends in the same signature is no table.
    @Test func aSignatureAloneIsNoTable() throws {
        #expect(try mbr(disk([0: []])) == nil)
        #expect(try mbr(disk([0: [(0x80, 6, 1, 99), (0x41, 6, 1, 9)]])) == nil)
        #expect(try mbr(disk([0: [(0x80, 6, 1, 100)]])) == nil)
        #expect(try mbr(disk([0: [(0x80, 6, 0, 9)]])) == nil)
        #expect(try mbr(disk([0: [(0x80, 6, .max, .max)]])) == nil)
        #expect(try mbr([UInt8](repeating: 0, count: 511)) == nil)
        #expect(try mbr(disk([0: [(0x80, 6, 1, 99)]]))?.partitions.count == 1)
    }

    /// A damaged entry, or a disk that was cut, does not hide partitions in which something is known; of
    /// one that runs past the end there is what is there.
    @Test func whatIsKnownMakesADamagedTableCount() throws {
        let bytes = disk([0: [(0x80, 6, 1, 9), (0, 6, 90, 20), (0, 6, 200, 9), (0x41, 6, 20, 9)]])
        #expect(try mbr(bytes) == nil)
        let table = try #require(try mbr(bytes, known: 512))
        #expect(table.partitions.map(\.number) == [1, 2, 4])
        #expect(table.partitions.map { $0.range.lowerBound / 512 } == [1, 90, 20])
        #expect(table.partitions.map { $0.range.upperBound / 512 } == [10, 100, 29])
        #expect(
            table.faults.map(\.description) == [
                "partition entry 2.first LBA at 0x1d6: found the sectors 90 to 109, expected sectors"
                    + " from 1 through 99",
                "partition entry 3.first LBA at 0x1e6: found the sectors 200 to 208, expected sectors"
                    + " from 1 through 99",
                "partition entry 4.status at 0x1ee: found 0x41, expected 0x0 or 0x80",
            ])
    }

    @Test func aChainOfLinksEndsWhereItWasBefore() throws {
        let extended: (UInt8, UInt8, UInt32, UInt32) = (0, 5, 10, 90)
        let table = try #require(
            try mbr(
                disk([
                    0: [extended], 10: [(0, 6, 1, 4), (0, 5, 10, 10)],
                    20: [(0, 6, 1, 4), (0, 5, 20, 10)], 30: [(0, 6, 1, 4), (0, 5, 10, 10)],
                ])))
        #expect(table.partitions.map(\.number) == [5, 6, 7])
        #expect(table.faults.count == 1)
    }

    /// Links with partitions in odd entries, or none in the first; the fourth entry of the first link only
    /// looks like one.
    private var oddLinks: [UInt8] {
        disk([
            0: [(0, 5, 10, 90)],
            10: [(0, 5, 20, 30), (0, 6, 1, 4), (0, 6, 6, 3), (0, 6, 6, 3000)],
            30: [(0, 0, 0, 0), (0, 5, 60, 10), (0, 6, 1, 29), (0, 6, 9, 22)],
            70: [(0, 6, 1, 2), (0, 6, 4, 3)],
        ])
    }

    /// A link's partitions count in whatever entry they are; a third or a fourth only where it lies in the
    /// link.
    @Test func aLinkMayHaveItsPartitionsInAnyEntry() throws {
        let table = try #require(try mbr(oddLinks))
        #expect(table.partitions.map(\.number) == [5, 6, 7, 8, 9])
        #expect(table.partitions.map { $0.range.lowerBound / 512 } == [11, 16, 31, 71, 74])
        #expect(table.faults.count == 7, "\(table.faults)")
    }

    @Test(.enabled(if: HostTool.kernelReader != nil, "no ../shared/tools/kernel-read, or no qemu"))
    func linuxNumbersThemTheSameWay() throws {
        let folder = try ScratchFolder()
        let path = folder.path + "/disk"
        try Data(oddLinks).write(to: URL(fileURLWithPath: path))
        let outcome = try HostTool.run(try #require(HostTool.kernelReader), "--list", path)
        // Of an extended partition Linux shows two sectors.
        let seen = outcome.output.split(separator: "\n").dropFirst().map(String.init)
        let found = try #require(try mbr(oddLinks)).partitions.map {
            "\($0.number) \($0.range.lowerBound) \($0.range.count)"
        }
        #expect(outcome.status == 0 && seen == found, "\(outcome.output)")
    }

    /// A link, or a logical partition, that leads out of the extended one is not followed.
    @Test func whatLeadsOutsideIsRefused() throws {
        let extended: (UInt8, UInt8, UInt32, UInt32) = (0, 5, 10, 50)
        let far = try #require(
            try mbr(disk([0: [extended], 10: [(0, 6, 1, 60), (0, 5, 20, 9)], 30: [(0, 6, 1, 4)]])))
        #expect(far.partitions.map(\.number) == [6] && far.faults.count == 1)
        let out = try #require(
            try mbr(disk([0: [extended], 10: [(0, 6, 1, 4), (0, 5, 70, 9)], 80: [(0, 6, 1, 4)]])))
        #expect(out.partitions.map(\.number) == [5] && out.faults.count == 1)
        let none = try #require(try mbr(disk([0: [extended]])))
        #expect(none.partitions == [] && none.faults.count == 1)
    }

    /// Whatever single byte is wrong, a table is read or refused.
    @Test(.enabled(if: hasTool, "needs sfdisk"))
    func anyByteMayBeWrong() throws {
        for script in [
            "label: gpt\nfirst-lba: 34\nstart=40, size=50, type=linux\n",
            "label: dos\nstart=63, size=60, type=5\nstart=65, size=9\n",
        ] {
            let bytes = try disk(script, sectors: 128)
            for place in Array(440..<512) + Array(512..<1160) + Array(63 * 512 + 440..<64 * 512) {
                for mask in [0xff, place % 2 == 0 ? 0x01 : 0x80] as [UInt8] {
                    var wrong = bytes
                    wrong[place] ^= mask
                    for table in [
                        try? PartitionTable.gpt(MemorySource(wrong)), try? mbr(wrong),
                    ] {
                        let ends = table?.partitions.map(\.range.upperBound) ?? []
                        if let end = ends.max(), end > wrong.count {
                            Issue.record("byte \(place) ^ \(mask): a partition to \(end)")
                        }
                    }
                }
            }
        }
    }

    @Test func aGUIDIsWrittenAsItsTypeIsKnown() {
        let bytes = (0..<16).map { UInt8($0) }
        #expect("\(GUID(bytes))" == "03020100-0504-0706-0809-0A0B0C0D0E0F")
        #expect(GUID([UInt8]()).isZero && !GUID(bytes).isZero)
    }
}
