import Format
import Mkifs
import TestSupport
import Testing

/// What each release makes of small ELF files. The numbers are those of the System V ABI's tables.
struct ELFDialectTests {
    /// Where the file lies: its address in memory.
    private static let place: UInt64 = 0x40_0000

    /// A file as an image holds it, its size in the directory, and whether it is marked.
    private struct Made {
        var bytes: [UInt8]
        var isRunOnce: Bool
        private let is64Bit: Bool

        init(_ elf: SmallELF, _ rules: ELFLayout.Rules, at place: UInt64 = place) throws {
            let file = try elf.file
            let run = rules.isBootstrap ? 0 : place
            let advance = try ELFLayout(
                file, rules, runAddress: rules.isBootstrap ? run : 0,
                inAdvance: rules.dialect.measuresInAdvance)
            let layout = try ELFLayout(file, rules, runAddress: run, inAdvance: false)
            let contents = try layout.contents(
                of: file, size: advance.size, physicalAddress: place)
            bytes = try contents.bytes(contents.byteCount, at: 0, "file")
            isRunOnce = layout.isRunOnce
            is64Bit = elf.is64Bit
        }

        /// A program header: its type, `p_offset`, `p_paddr` and `p_filesz`.
        func segment(_ index: Int) -> [UInt64] {
            let row = is64Bit ? 64 + 56 * index : 52 + 32 * index
            let type = UInt64(bytes.integer(UInt32.self, at: row))
            if is64Bit {
                return [type] + [8, 24, 32].map { bytes.integer(UInt64.self, at: row + $0) }
            }
            return [type] + [4, 12, 16].map { UInt64(bytes.integer(UInt32.self, at: row + $0)) }
        }

        /// A section header of 64 bits: name, `sh_offset` and `sh_size`.
        func section(_ index: Int) -> (name: String, offset: Int, size: Int) {
            let table = Int(bytes.integer(UInt64.self, at: 40))
            let names = table + 64 * Int(bytes.integer(UInt16.self, at: 62))
            let row = table + 64 * index
            let text =
                Int(bytes.integer(UInt64.self, at: names + 24))
                + Int(bytes.integer(UInt32.self, at: row))
            return (
                String(decoding: bytes[text...].prefix { $0 != 0 }, as: UTF8.self),
                Int(bytes.integer(UInt64.self, at: row + 24)),
                Int(bytes.integer(UInt64.self, at: row + 32))
            )
        }
    }

    // MARK: Headers

    @Test func upTo64HeadersOfNothingBecomeNull() throws {
        let made = try Made(.movable, .init(.v64))
        #expect(made.segment(3) == [2, 0x1f10, 0x5000_2f10, 0x80])
        #expect(made.segment(5) == [0, 0x1f00, 0x5000_2f00, 0x100])
        #expect(made.segment(6)[0] == 0)
    }

    @Test(arguments: [Release.v66, .v70, .v71])
    func from66OnHeadersOfNothingStay(_ release: Release) throws {
        let made = try Made(.movable, .init(release))
        #expect(made.segment(3) == [2, 0x1f10, 0x5000_2f10, 0x80])
        #expect(made.segment(5) == [0x6474_e552, 0x1f00, 0x5000_2f00, 0x100])
        #expect(made.segment(6) == [0x6474_e551, 0, 0x5000_0000, 0])
    }

    @Test func in80HeadersHavePlacesOfTheNewFile() throws {
        var elf = SmallELF.movable
        // 0x1000 bytes that the new file has not got.
        for index in [2, 3, 5] { elf.segments[index].offset += 0x1000 }
        let made = try Made(elf, .init(.v80))
        #expect(made.segment(0) == [3, 0x200, 0x40_0200, 0x17])
        #expect(made.segment(1) == [1, 0, 0x40_0000, 0x1234])
        #expect(made.segment(2) == [1, 0x1f00, 0x40_1f00, 0x110])
        #expect(made.segment(3) == [2, 0x1f10, 0x40_1f10, 0x80])
        #expect(made.segment(4) == [4, 0x220, 0x40_0220, 0x20])
        #expect(made.segment(5) == [0x6474_e552, 0x1f00, 0x40_1f00, 0x100])
        #expect(made.segment(6) == [0x6474_e551, 0, 0x5000_0000, 0])
        let source = elf.bytes
        #expect(made.bytes[0x1f00..<0x2010] == source[0x2f00..<0x3010])
        #expect(made.bytes[(64 + 7 * 56)..<0x1234] == source[(64 + 7 * 56)..<0x1234])
    }

    @Test(arguments: [
        (Release.v64, [4, 0x2010, 0, 0x20] as [UInt64]), (.v66, [4, 0x2010, 0, 0x20]),
        (.v80, [4, 0x220, 0x40_0220, 0x20]),
    ])
    func aNoteIsCopiedBefore80(_ release: Release, _ expected: [UInt64]) throws {
        #expect(try Made(.movable, .init(release)).segment(4) == expected)
    }

    @Test func in80ANoteOfNoLoadIsCopied() throws {
        var elf = SmallELF.movable
        elf.segments[4].offset = 0x3000
        let made = try Made(elf, .init(.v80))
        #expect(made.segment(4) == [4, 0x2010, 0, 0x20])
        #expect(made.bytes[0x2010..<0x2030] == elf.bytes[0x3000..<0x3020])
    }

    @Test(arguments: [(Release.v64, 0 as UInt64), (.v66, 1), (.v80, 1)])
    func aLoadOfNothingButZerosIsLostIn64(_ release: Release, _ type: UInt64) throws {
        var elf = SmallELF.movable
        elf.segments[2].fileSize = 0
        #expect(try Made(elf, .init(release)).segment(2)[0] == type)
    }

    @Test(arguments: Release.allCases)
    func relocationsOfABootProgramGo(_ release: Release) throws {
        var elf = SmallELF.fixed
        elf.segments.append(.init(type: 0x4001, offset: 0x3000, address: 0, fileSize: 0x10))
        var rules = ELFLayout.Rules(release)
        rules.hasBootAddress = true
        #expect(try Made(elf, rules).segment(3)[0] == 0x4001)
        rules.isBootstrap = true
        #expect(try Made(elf, rules).segment(3)[0] == 0)
    }

    @Test(arguments: [Release.v64, .v66])
    func aNoteBeforeTheHeadersSegmentDoesNotMeetIt(_ release: Release) throws {
        var elf = SmallELF.library
        elf.segments.insert(elf.segments.remove(at: 3), at: 0)
        let made = try Made(elf, .init(release))
        #expect(made.segment(0) == [4, 0x190, 0, 0x20])
        #expect(made.segment(1) == [1, 0x1000, 0x40_1000, 0x1234])
    }

    // MARK: Use in place

    @Test func upTo71DataIsCopiedWhereToldSo() throws {
        var rules = ELFLayout.Rules(.v71)
        rules.usesDataInPlace = false
        #expect(try Made(.fixed, rules).segment(2) == [1, 0x1234, 0, 0x110])
        // What a shared object writes to is always in place.
        #expect(try Made(.movable, rules).segment(2) == [1, 0x1f00, 0x40_1f00, 0x110])
    }

    @Test(arguments: [true, false])
    func in80AllIsInPlaceWhateverIsTold(_ uses: Bool) throws {
        var rules = ELFLayout.Rules(.v80)
        rules.usesDataInPlace = uses
        rules.usesCodeInPlace = uses
        let made = try Made(.fixed, rules)
        #expect(made.segment(1) == [1, 0, 0x40_0000, 0x1234])
        #expect(made.segment(2) == [1, 0x1f00, 0x40_1f00, 0x110])
    }

    @Test func in80ASegmentThatIsOnlyReadIsInPlace() throws {
        var elf = SmallELF.movable
        elf.segments[1].flags = 4
        #expect(try Made(elf, .init(.v80)).segment(1) == [1, 0, 0x40_0000, 0x1234])
        #expect(try Made(elf, .init(.v66)).segment(1) == [1, 0, 0, 0x1234])
    }

    @Test(arguments: Release.allCases)
    func zerosOfABootProgramAreStored(_ release: Release) throws {
        var rules = ELFLayout.Rules(release)
        rules.isBootstrap = true
        rules.hasBootAddress = true
        #expect(try Made(.fixed, rules).segment(2)[3] == 0x400)
    }

    @Test func in80OnlyPagesCount() throws {
        var elf = SmallELF.movable
        for index in [1, 2] { elf.segments[index].alignment = 0x1_0000 }
        let made = try Made(elf, .init(.v80), at: 0x40_1000)
        #expect(made.segment(1) == [1, 0, 0x40_1000, 0x1234])
        #expect(made.segment(2) == [1, 0x1f00, 0x40_2f00, 0x110])
    }

    // MARK: Size

    @Test(arguments: [(Release.v64, 0x4000), (.v66, 0x4000), (.v80, 0x3000)])
    func theSizeIsTooLargeBefore80(_ release: Release, _ size: Int) throws {
        // The note is last up to 7.1, and data would follow right behind it.
        var elf = SmallELF.library
        elf.segments.remove(at: 3)
        #expect(try Made(elf, .init(release)).bytes.count == size)
    }

    // MARK: Run once

    @Test(arguments: [
        (Release.v64, true, true, true), (.v66, true, true, true), (.v70, true, true, false),
        (.v71, true, true, false), (.v80, false, false, false),
    ])
    func whoRunsOnceIsMarked(
        _ release: Release, _ fixed: Bool, _ library: Bool, _ movable: Bool
    ) throws {
        #expect(try Made(.fixed, .init(release)).isRunOnce == fixed)
        #expect(try Made(.library, .init(release)).isRunOnce == library)
        #expect(try Made(.movable, .init(release)).isRunOnce == movable)
    }

    @Test(arguments: Release.allCases)
    func nothingRunsOnceWhoseDataIsCopied(_ release: Release) throws {
        var rules = ELFLayout.Rules(release)
        rules.usesDataInPlace = false
        #expect(try !Made(.fixed, rules).isRunOnce)
    }

    // MARK: Sections

    private static let withSections: SmallELF = {
        var elf = SmallELF.library
        elf.sections = [
            .init(name: "build-id", flags: 2, offset: 0x220, size: 0x20),
            .init(name: "usage", offset: 0x3000, size: 0x11),
            .init(name: "lost", offset: 0x3011, size: 1),
            .init(name: "info", offset: 0x3020, size: 0x22),
        ]
        return elf
    }()

    private func made(_ release: Release) throws -> Made {
        var rules = ELFLayout.Rules(release)
        rules.keptSections = ["info", "usage", "build-id"].map { Array($0.utf8) }
        return try Made(Self.withSections, rules)
    }

    @Test func upTo71SectionsAreReversedAndTheirNamesLast() throws {
        let made = try made(.v66)
        #expect(made.bytes.integer(UInt64.self, at: 40) == 0x2030)
        #expect(made.bytes.integer(UInt16.self, at: 60) == 5)
        #expect(made.bytes.integer(UInt16.self, at: 62) == 4)
        let sections = (0..<5).map(made.section)
        #expect(sections.map(\.name) == ["", "info", "usage", "build-id", ".shstrtab"])
        #expect(sections.map(\.offset) == [0, 0x2170, 0x2192, 0x21a3, 0x21c3])
        #expect(made.bytes[0x2192..<0x21a3] == Self.withSections.bytes[0x3000..<0x3011])
    }

    @Test func in80SectionsKeepTheirOrderAndTheirNamesAreFirst() throws {
        let made = try made(.v80)
        #expect(made.bytes.integer(UInt64.self, at: 40) == 0x2010)
        #expect(made.bytes.integer(UInt16.self, at: 60) == 5)
        #expect(made.bytes.integer(UInt16.self, at: 62) == 1)
        let sections = (0..<5).map(made.section)
        #expect(sections.map(\.name) == ["", ".shstrtab", "build-id", "usage", "info"])
        // The first of them lies in a segment and is not stored again.
        #expect(sections.map(\.offset) == [0, 0x2150, 0x220, 0x216f, 0x2180])
        #expect(sections.map(\.size) == [0, 0x1f, 0x20, 0x11, 0x22])
        #expect(made.bytes[0x216f..<0x2180] == Self.withSections.bytes[0x3000..<0x3011])
        #expect(made.bytes.count == 0x3000)
    }

    @Test func in80ASectionOfNoSegmentIsStored() throws {
        var elf = Self.withSections
        elf.sections[0].flags = 0
        var rules = ELFLayout.Rules(.v80)
        rules.keptSections = [Array("build-id".utf8)]
        let made = try Made(elf, rules)
        let place = made.section(2).offset
        #expect(place == 0x20d0 + 0x14)
        #expect(made.bytes[place..<(place + 0x20)] == elf.bytes[0x220..<0x240])
    }

    @Test(arguments: Release.allCases)
    func withoutSectionsTheFieldsAreZero(_ release: Release) throws {
        let made = try Made(Self.withSections, .init(release))
        #expect(made.bytes.integer(UInt64.self, at: 40) == 0)
        #expect(made.bytes[58..<64].allSatisfy { $0 == 0 })
    }

    // MARK: Faults

    @Test(arguments: [Release.v66, .v80])
    func aSegmentBeyondTheFileIsTruncated(_ release: Release) throws {
        var elf = SmallELF.movable
        elf.segments[2].fileSize = 0x1_0000
        #expect(throws: FormatError.self) { try Made(elf, .init(release)) }
    }

    @Test(arguments: Release.allCases)
    func aSegmentThatWrapsHasNoRoom(_ release: Release) throws {
        var elf = SmallELF.movable
        elf.segments[2].fileSize = .max
        elf.segments[2].memorySize = .max
        #expect(throws: FormatError.self) { try Made(elf, .init(release)) }
    }
}
