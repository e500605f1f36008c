import Format
import TestSupport
import Testing

/// Offsets are those of the specification, "Boot Sector and BPB".
struct FATBootSectorTests {
    private static func parse(_ bytes: [UInt8], at base: Int = 0) throws -> FAT.BootSector {
        try FAT.BootSector(parsing: bytes.span.bytes, at: base)
    }

    /// A lawful sector in which every field has a value of its own.
    private static func sector(isWide: Bool) -> [UInt8] {
        var bytes = SplitMix64.noise(512, seed: 7)
        bytes.set(UInt16(1024), at: 11)
        bytes[13] = 4
        bytes.set(UInt16(9), at: 14)
        bytes[16] = 3
        bytes.set(UInt16(isWide ? 0 : 480), at: 17)
        bytes.set(UInt16(isWide ? 0 : 40001), at: 19)
        bytes[21] = 0xf9
        bytes.set(UInt16(isWide ? 0 : 77), at: 22)
        bytes.set(UInt32(isWide ? 0x10_0000 : 5), at: 32)
        if isWide {
            bytes.set(UInt32(0x900), at: 36)
            bytes.set(UInt16(0x81), at: 40)
            bytes.set(UInt32(0x1234), at: 44)
        }
        bytes.set([0x55, 0xaa], at: 510)
        return bytes
    }

    @Test(arguments: [false, true])
    func everyFieldStandsWhereTheSpecificationHasIt(isWide: Bool) throws {
        let bytes = Self.sector(isWide: isWide)
        let boot = try Self.parse(bytes)
        #expect(boot.jump == Array(bytes[0..<3]) && boot.maker == Array(bytes[3..<11]))
        #expect(boot.sectorSize == 1024 && boot.sectorsPerCluster == 4)
        #expect(boot.reservedSectorCount == 9 && boot.tableCount == 3)
        #expect(boot.rootEntryCount == (isWide ? 0 : 480) && boot.media == 0xf9)
        #expect(boot.sectorCount == (isWide ? 0x10_0000 : 40001))
        #expect(boot.tableSize == (isWide ? 0x900 : 77))
        #expect(boot.sectorsPerTrack == bytes.integer(UInt16.self, at: 24))
        #expect(boot.headCount == bytes.integer(UInt16.self, at: 26))
        #expect(boot.hiddenSectorCount == bytes.integer(UInt32.self, at: 28))
        #expect(boot.longSectorCount == (isWide ? 0x10_0000 : 5))
        #expect((boot.wide != nil) == isWide)
        #expect(boot.wide?.flags ?? 0x81 == 0x81 && boot.wide?.rootCluster ?? 0x1234 == 0x1234)
        if let wide = boot.wide {
            #expect(wide.version == bytes.integer(UInt16.self, at: 42))
            #expect(wide.infoSector == bytes.integer(UInt16.self, at: 48))
            #expect(wide.backupSector == bytes.integer(UInt16.self, at: 50))
            #expect(wide.reserved == Array(bytes[52..<64]))
        }
        let rest = isWide ? 64 : 36
        #expect(boot.drive == bytes[rest] && boot.state == bytes[rest + 1])
        #expect(boot.extendedSignature == bytes[rest + 2])
        #expect(boot.serial == bytes.integer(UInt32.self, at: rest + 3))
        #expect(boot.label == Array(bytes[(rest + 7)..<(rest + 18)]))
        #expect(boot.type == Array(bytes[(rest + 18)..<(rest + 26)]))
        #expect(boot.code == Array(bytes[(rest + 26)..<510]))
        #expect(boot.endMark == 0xaa55)
    }

    @Test(arguments: [false, true])
    func rewritingChangesNothing(isWide: Bool) throws {
        let bytes = Self.sector(isWide: isWide)
        #expect(difference(try Self.parse(bytes).bytes, bytes) == nil)
    }

    @Test func aSectorInTheMiddleOfBytesIsRead() throws {
        let bytes = [1, 2, 3] + Self.sector(isWide: false)
        #expect(try Self.parse(bytes, at: 3) == Self.parse(Self.sector(isWide: false)))
    }

    @Test func aSectorThatIsCutIsAnError() {
        let bytes = Self.sector(isWide: true)
        for count in 0..<512 {
            #expect(
                throws: FormatError.truncated(
                    Place("boot sector", 0), needed: 512, available: UInt64(count))
            ) { try Self.parse(Array(bytes.prefix(count))) }
        }
    }

    private static func broken(
        _ at: Int, _ value: [UInt8], isWide: Bool = false, _ name: String, _ found: String,
        _ expected: String
    ) -> BrokenRule {
        var bytes = sector(isWide: isWide)
        bytes.set(value, at: at)
        return BrokenRule(bytes, at: 0, of: at, "boot sector." + name, found, expected)
    }

    @Test(arguments: [
        broken(11, [0, 1], "bytes per sector", "256", "512, 1024, 2048 or 4096"),
        broken(11, [0, 32], "bytes per sector", "8192", "512, 1024, 2048 or 4096"),
        broken(13, [0], "sectors per cluster", "0", "a power of two"),
        broken(13, [24], "sectors per cluster", "24", "a power of two"),
        broken(14, [0, 0], "reserved sectors", "0", "1 or more"),
        broken(16, [0], "number of tables", "0", "1 or more"),
        broken(21, [0xf1], "media", "241", "240, or 248 through 255"),
        broken(36, [0, 0, 0, 0], isWide: true, "sectors per table", "0", "1 or more"),
        broken(
            19, [0xff, 0], "total sectors (16 bits)", "255",
            "259 or more, for what comes before the first cluster and that one"),
        broken(
            32, [0xff, 0xff, 0xff, 0xff], isWide: true, "total sectors",
            "4294967295, 1073740093 clusters", "268435445 clusters at most"),
        broken(40, [0x83, 0], isWide: true, "flags", "table 3", "one of 3"),
    ])
    func aRuleBrokenByOneFieldIsTold(rule: BrokenRule) {
        #expect(throws: rule.error) { try Self.parse(rule.bytes) }
    }

    @Test func anErrorTellsTheSectorsPlace() {
        var bytes = [UInt8](repeating: 0, count: 100) + Self.sector(isWide: false)
        bytes[113] = 3
        #expect(
            throws: FormatError.corrupt(
                Place("boot sector.sectors per cluster", 113), found: "3",
                expected: "a power of two")
        ) { try Self.parse(bytes, at: 100) }
    }

    @Test func aTableOf16BitsHasNoMoreClustersThanItCanName() {
        var bytes = FATImage(bits: 16, clusterCount: 5000).bytes
        bytes.set(UInt16(0), at: 19)
        let before = (5000 + 2) * 2 / 512 + 1
        bytes.set(UInt32(1 + 2 * before + 4 + 65525), at: 32)
        #expect(throws: FormatError.self) { try Self.parse(bytes) }
        bytes.set(UInt32(1 + 2 * before + 4 + 65524), at: 32)
        #expect(throws: Never.self) { try Self.parse(bytes) }
    }

    @Test(
        arguments: [(4084, 12, FAT.Kind.fat12), (4085, 16, .fat16), (100, 32, .fat32)]
            as [(Int, Int, FAT.Kind)])
    func theNumberOfClustersDecidesTheKind(count: Int, bits: Int, kind: FAT.Kind) throws {
        let image = FATImage(bits: bits, clusterCount: count)
        let geometry = try Self.parse(image.bytes).geometry()
        #expect(geometry.kind == kind)
        #expect(geometry.clusterCount == UInt32(count))
        #expect(geometry.dataStart == UInt64(image.dataStart))
        #expect(geometry.tableStart == UInt64(image.reservedSize))
        #expect(geometry.byteCount == UInt64(image.bytes.count))
    }

    @Test func aTableWithLessRoomLimitsTheClusters() throws {
        var image = FATImage(bits: 16, clusterCount: 5000)
        image.bytes.set(UInt16(2), at: 22)
        #expect(try Self.parse(image.bytes).geometry().clusterCount == 510)
    }

    @Test(arguments: [12, 16, 32])
    func aVolumeIsPlausibleAndOtherThingsAreNot(bits: Int) throws {
        let image = FATImage(bits: bits, clusterCount: bits == 16 ? 4100 : 60).bytes
        #expect(try FAT.BootSector.isPlausible(in: MemorySource(image)))
        let moved = MemorySource([UInt8](repeating: 7, count: 1000) + image)
        #expect(try FAT.BootSector.isPlausible(at: 1000, in: moved))
        #expect(try !FAT.BootSector.isPlausible(in: moved))
        #expect(try !FAT.BootSector.isPlausible(at: .max, in: moved))
        #expect(try !FAT.BootSector.isPlausible(in: MemorySource([])))
        // The signature alone is nothing: an MBR has it too.
        var signature = [UInt8](repeating: 0, count: 4096)
        signature.set([0x55, 0xaa], at: 510)
        #expect(try !FAT.BootSector.isPlausible(in: MemorySource(signature)))
        // The copy of the table stands in for the first.
        var noTable = image
        let table = bits == 32 ? 32 * 512 : 512
        let size = Int(
            bits == 32
                ? image.integer(UInt32.self, at: 36) : UInt32(image.integer(UInt16.self, at: 22)))
        noTable[table] = 0
        #expect(try FAT.BootSector.isPlausible(in: MemorySource(noTable)))
        noTable[table + 512 * size] = 0
        #expect(try !FAT.BootSector.isPlausible(in: MemorySource(noTable)))
    }

    // MARK: The information sector

    @Test func theInformationSectorIsReadAndWritten() throws {
        var bytes = [UInt8](repeating: 0, count: 512)
        bytes.set(Array("RRaA".utf8), at: 0)
        bytes.set(Array("rrAa".utf8), at: 484)
        bytes.set(UInt32(0x1_0203), at: 488)
        bytes.set(UInt32(0x4_0506), at: 492)
        bytes.set([0x55, 0xaa], at: 510)
        let info = try FAT.FSInfo(parsing: bytes.span.bytes)
        #expect(info.freeClusterCount == 0x1_0203 && info.nextFree == 0x4_0506)
        #expect(info.bytes == bytes)
        for place in [0, 484, 510] {
            var wrong = bytes
            wrong[place] ^= 1
            #expect(throws: FormatError.self) { try FAT.FSInfo(parsing: wrong.span.bytes) }
        }
    }
}
