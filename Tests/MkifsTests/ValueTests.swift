import Format
import Mkifs
import Testing

/// The grammars of attributes' values.
struct ValueTests {
    /// The result of a parser, or its error as text.
    private func parse<Value>(
        _ text: String, _ parser: ([UInt8]) throws -> Value
    ) -> (value: Value?, fault: String?) {
        do {
            return (try parser(Array(text.utf8)), nil)
        } catch {
            return (nil, "\(error)")
        }
    }

    @Test(
        arguments: [
            ("0", 0), ("10", 10), ("010", 8), ("0x10", 16), ("0XfF", 255), ("4k", 4096),
            ("4K", 4096), ("2m", 2_097_152), ("1G", 1_073_741_824), ("0x1k", 1024), ("010K", 8192),
            ("18446744073709551615", .max), ("0xffffffff80000000", 0xffff_ffff_8000_0000),
            ("17179869183G", 0xffff_ffff_c000_0000),
        ] as [(String, UInt64)])
    func aNumberIsInTheNotationOfC(_ text: String, _ value: UInt64) {
        #expect(parse(text) { try Number.parse($0) }.value == value)
    }

    @Test(arguments: ["", "k", "x", "0x", "08", "1.5", "-1", "+1", " 1", "1 ", "4kk", "4t", "0xg"])
    func otherTextIsNoNumber(_ text: String) {
        #expect(
            parse(text) { try Number.parse($0) }.fault == "found '\(text)', expected a number")
    }

    @Test(arguments: [
        "18446744073709551616", "0x10000000000000000", "17179869184G", "99999999999999999999k",
    ])
    func aNumberHasSixtyFourBits(_ text: String) {
        #expect(
            parse(text) { try Number.parse($0) }.fault
                == "found '\(text)', expected a number below 2^64")
    }

    @Test(arguments: [
        ("*", Owner.host), ("0", .id(0)), ("4294967295", .id(.max)), ("0x10", .id(16)),
    ])
    func anOwnerIsAnIdOrTheHosts(_ text: String, _ owner: Owner) {
        #expect(parse(text, Owner.init(parsing:)).value == owner)
    }

    @Test(
        arguments: [
            ("root", "found 'root', expected '*' or a number"),
            ("**", "found '**', expected '*' or a number"),
            ("4294967296", "found '4294967296', expected an id from 0 through 4294967295"),
        ])
    func otherTextIsNoOwner(_ text: String, _ fault: String) {
        #expect(parse(text, Owner.init(parsing:)).fault == fault)
    }

    /// Base 0640 throughout.
    @Test(
        arguments: [
            ("*", 0o640), ("0", 0), ("755", 0o755), ("0755", 0o755), ("7777", 0o7777), ("05", 5),
            ("u+x", 0o740), ("+x", 0o751), ("a+x", 0o751), ("a-r", 0o200), ("-r", 0o200),
            ("go=r", 0o644), ("u=rwx,g+x,o-r", 0o750), ("ug=rw,o=r", 0o664), ("=x", 0o111),
            ("u+s", 0o4640), ("+g", 0o2640), ("+t", 0o1640), ("+sgt", 0o7640), ("u=s", 0o4040),
            ("u+w,u-w", 0o640), ("uoa+x", 0o751), ("u=rw,u=x", 0o140), ("g-r,o+w", 0o602),
        ] as [(String, UInt16)])
    func permissionsChangeTheHosts(_ text: String, _ mode: UInt16) {
        #expect(parse(text, Permissions.init(parsing:)).value?.applied(to: 0o640) == mode)
    }

    @Test(
        arguments: [
            ("", "found '', expected '*', an octal number, or clauses such as 'u+rwx,go-w'"),
            ("u", "found 'u', expected '*', an octal number, or clauses such as 'u+rwx,go-w'"),
            ("9", "found '9', expected '*', an octal number, or clauses such as 'u+rwx,go-w'"),
            ("o=", "found 'o=', expected '*', an octal number, or clauses such as 'u+rwx,go-w'"),
            ("u+x,", "found '', expected a clause such as 'go-w'"),
            ("u+x,g*w", "found 'g*w', expected a clause such as 'go-w'"),
            ("u+x,g+q", "found 'g+q', expected a clause such as 'go-w'"),
            ("08", "found '08', expected an octal number from 0 through 07777"),
            ("10000", "found '10000', expected an octal number from 0 through 07777"),
            ("0x1ff", "found '0x1ff', expected an octal number from 0 through 07777"),
        ])
    func otherTextIsNoPermission(_ text: String, _ fault: String) {
        #expect(parse(text, Permissions.init(parsing:)).fault == fault)
    }

    private static func range(
        _ start: UInt64? = nil, end: UInt64? = nil, maximum: UInt64? = nil, total: UInt64? = nil,
        alignment: UInt64? = nil
    ) -> AddressRange {
        var range = AddressRange()
        range.start = start
        range.end = end
        range.maximumSize = maximum
        range.totalSize = total
        range.alignment = alignment
        return range
    }

    @Test(
        arguments: [
            ("0x80000", range(0x80000)), ("=0x80000", range(total: 0x80000)),
            ("4m", range(0x400000)),
            (
                "0x1400000-0x2000000,4m%64k",
                range(0x1400000, end: 0x2000000, maximum: 0x400000, alignment: 0x10000)
            ),
            ("%8,1k=512-9", range(end: 9, maximum: 1024, total: 512, alignment: 8)),
            ("1=2=3", range(1, total: 3)),
        ])
    func aRangeHasItsPartsInAnyOrder(_ text: String, _ range: AddressRange) {
        #expect(parse(text, AddressRange.init(parsing:)).value == range)
    }

    @Test(
        arguments: [
            ("", "found '', expected [start][-end][,maximum][=total][%alignment]"),
            ("1-", "found '1-', expected [start][-end][,maximum][=total][%alignment]"),
            ("1,,2", "found '1,,2', expected [start][-end][,maximum][=total][%alignment]"),
            ("1-x", "found 'x', expected a number"), ("1;2", "found '1;2', expected a number"),
        ])
    func otherTextIsNoRange(_ text: String, _ fault: String) {
        #expect(parse(text, AddressRange.init(parsing:)).fault == fault)
    }

    @Test func aRangeIsCompletedAndAlignedToFourAtLeast() {
        let given = Self.range(1, alignment: 2)
        let completed = given.completed(from: Self.range(9, end: 8, alignment: 64))
        #expect(completed == Self.range(1, end: 8, alignment: 2))
        #expect(completed.effectiveAlignment == 4 && Self.range().effectiveAlignment == 4)
        #expect(Self.range(alignment: 64).effectiveAlignment == 64)
    }

    @Test(
        arguments: [
            ("*", FileTime.host), ("1970-01-01-00:00:00", .seconds(0)),
            ("2000-02-29-12:34:56", .seconds(951_827_696)),
            ("2024-12-31-23:59:59", .seconds(1_735_689_599)),
            ("2106-02-07-06:28:15", .seconds(.max)),
        ])
    func aTimeIsInUTC(_ text: String, _ time: FileTime) {
        #expect(parse(text, FileTime.init(parsing:)).value == time)
    }

    @Test(arguments: [
        "", "2020-01-01", "2020-01-01-00:00", "2020-1-1-0:0:0", "2020-01-01 00:00:00",
        "2020-01-01-00:00:00Z", "20x0-01-01-00:00:00",
    ])
    func aTimeHasSixParts(_ text: String) {
        #expect(
            parse(text, FileTime.init(parsing:)).fault
                == "found '\(text)', expected '*' or YYYY-MM-DD-HH:MM:SS")
    }

    @Test(arguments: [
        "1969-12-31-23:59:59", "2106-02-07-06:28:16", "2021-02-29-00:00:00",
        "2100-02-29-00:00:00", "2020-13-01-00:00:00", "2020-00-01-00:00:00",
        "2020-04-31-00:00:00", "2020-01-00-00:00:00", "2020-01-01-24:00:00",
        "2020-01-01-00:60:00", "2020-01-01-00:00:60", "9999-12-31-23:59:59",
    ])
    func aTimeThatNoClockShowsIsRefused(_ text: String) {
        #expect(
            parse(text, FileTime.init(parsing:)).fault
                == "found '\(text)', expected a time from 1970-01-01-00:00:00 through"
                + " 2106-02-07-06:28:15")
    }

    @Test(
        arguments: [
            ("elf", nil, "elf", nil), ("x86_64,bios", "x86_64", "bios", nil),
            ("x86/bios", "x86", "bios", nil), ("/x86/my,boot", "/x86/my", "boot", nil),
            ("/a/b", nil, "/a/b", nil), ("x86,a/b", "x86", "a/b", nil),
            ("aarch64le,elf -L0x80080000 -x", "aarch64le", "elf", "-L0x80080000 -x"),
            ("elf  a,b/c", nil, "elf", " a,b/c"),
        ] as [(String, String?, String, String?)])
    func aBootfileHasProcessorNameAndArguments(
        _ value: String, _ cpu: String?, _ name: String, _ arguments: String?
    ) throws {
        let bootfile = try #require(parse(value, Bootfile.init(parsing:)).value)
        #expect(bootfile.cpu.map { text($0) } == cpu && text(bootfile.name) == name)
        #expect(bootfile.arguments.map { text($0) } == arguments)
    }

    @Test(arguments: ["", "x86,", ",bios", "x86/", " args"])
    func aBootfileNeedsAName(_ text: String) {
        #expect(
            parse(text, Bootfile.init(parsing:)).fault
                == "found '\(text)', expected [cpu,]bootfile[ arguments]")
    }

    @Test func smallValuesHaveTheirWords() {
        #expect(parse("uip", SegmentUse.init(parsing:)).value == .inPlace)
        #expect(parse("c", SegmentUse.init(parsing:)).value == .copy)
        #expect(parse("x", SegmentUse.init(parsing:)).fault == "found 'x', expected uip or copy")
        #expect(parse("fifo", EntryType.init(parsing:)).value == .fifo)
        #expect(
            parse("FIFO", EntryType.init(parsing:)).fault
                == "found 'FIFO', expected file, link, fifo or dir")
        let aligned = parse("16k,group", PhysicalAlignment.init(parsing:)).value
        #expect(aligned?.size == 16384 && aligned?.isGroup == true)
        #expect(parse("0", PhysicalAlignment.init(parsing:)).value?.isGroup == false)
        #expect(
            parse("4k,g", PhysicalAlignment.init(parsing:)).fault
                == "found '4k,g', expected a size, or a size and ',group'")
        #expect(parse("1m,4k,64K", PageSizes.parse).value == [0x100000, 4096, 65536])
        #expect(parse("4k,", PageSizes.parse).fault == "found '', expected a number")
        #expect(parse("4k,3", PageSizes.parse).fault == "found '3', expected a power of two")
        #expect(parse("list", MissingLibraries.init(parsing:)).value == .list)
        #expect(
            parse("x", MissingLibraries.init(parsing:)).fault
                == "found 'x', expected none, list or add")
    }

    @Test func digestsHaveTheirLength() {
        let digits = String(repeating: "0aF", count: 22).dropLast(2)
        #expect(parse(String(digits)) { try DigestValue.bytes($0, count: 32) }.value?.first == 0x0a)
        for wrong in [
            "0x" + digits.dropLast(2), digits.dropLast(1), digits + "0", digits.dropLast(1) + "g",
        ] {
            #expect(
                parse(String(wrong)) { try DigestValue.bytes($0, count: 32) }.fault?.hasSuffix(
                    ", expected 64 hexadecimal digits") == true)
        }
        #expect(parse("4294967295", DigestValue.cksum).value == .max)
        #expect(
            parse("4294967296", DigestValue.cksum).fault
                == "found '4294967296', expected a number from 0 through 4294967295")
    }

    @Test(
        arguments: [
            ("20f", 20, .fifo), ("9r", 9, .roundRobin), ("10", 10, .unchanged), ("5o", 5, .other),
            ("255", 255, .unchanged), ("1 r f", 1, .roundRobin),
        ] as [(String, UInt8, Priority.Policy)])
    func aPriorityHasAPolicy(_ text: String, _ level: UInt8, _ policy: Priority.Policy) throws {
        let priority = try #require(try Priority.parse(Array(text.utf8)))
        #expect(priority.level == level && priority.policy == policy)
    }

    @Test func anAsteriskClearsAModifier() throws {
        #expect(try Priority.parse(Array("*".utf8)) == nil)
        #expect(try ProcessorNumber.parse(Array("*".utf8)) == nil)
        #expect(try ProcessorNumber.parse(Array("31".utf8)) == 31)
        #expect(
            parse("256", ProcessorNumber.parse).fault
                == "found '256', expected '*' or a processor from 0 through 255")
        #expect(
            parse("256f", Priority.parse).fault
                == "found '256f', expected a priority from 0 through 255")
        #expect(parse("+1", ProcessorNumber.parse).value == nil)
    }
}
