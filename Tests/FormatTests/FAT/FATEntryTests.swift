import Format
import Foundation
import TestSupport
import Testing

/// Offsets are those of the specification, "FAT Directory Structure".
struct FATEntryTests {
    @Test func everyFieldStandsWhereTheSpecificationHasIt() throws {
        let bytes = SplitMix64.noise(32, seed: 3)
        let entry = try FAT.DirectoryEntry(parsing: bytes.span.bytes)
        #expect(entry.name == Array(bytes[0..<11]))
        #expect(entry.attributes.rawValue == bytes[11] && entry.caseBits == bytes[12])
        #expect(entry.created.hundredths == bytes[13])
        #expect(entry.created.time == bytes.integer(UInt16.self, at: 14))
        #expect(entry.created.date == bytes.integer(UInt16.self, at: 16))
        #expect(entry.accessed == bytes.integer(UInt16.self, at: 18))
        #expect(entry.modified.time == bytes.integer(UInt16.self, at: 22))
        #expect(entry.modified.date == bytes.integer(UInt16.self, at: 24))
        let high = UInt32(bytes.integer(UInt16.self, at: 20))
        #expect(entry.start == high << 16 | UInt32(bytes.integer(UInt16.self, at: 26)))
        #expect(entry.size == bytes.integer(UInt32.self, at: 28))
        #expect(entry.bytes == bytes)
        for count in 0..<32 {
            #expect(throws: FormatError.self) {
                try FAT.DirectoryEntry(parsing: Array(bytes.prefix(count)).span.bytes)
            }
        }
    }

    @Test func aPartOfALongNameIsReadAndWritten() throws {
        let units = (0..<13).map { UInt16(0x4100 + $0) }
        let bytes = FATImage.parts(units, for: FATImage.slot("A"))[0]
        let part = try FAT.LongNamePart(parsing: bytes.span.bytes)
        #expect(part.sequence == 0x41 && part.units == units)
        #expect(part.sum == FAT.DirectoryEntry(name: Array("A          ".utf8)).nameSum)
        #expect(part.bytes == bytes)
    }

    /// The sum of `FOO     BAR` by hand: the specification's own loop.
    @Test func theSumOfANameIsThatOfTheSpecification() {
        var sum: UInt8 = 0
        for byte in Array("FOO     BAR".utf8) {
            sum = (sum & 1 != 0 ? 0x80 : 0) &+ (sum >> 1) &+ byte
        }
        #expect(FAT.DirectoryEntry(name: Array("FOO     BAR".utf8)).nameSum == sum)
    }

    // MARK: Short names

    static let shortNames: [([UInt8], UInt8, String, String)] = [
        (Array("README  TXT".utf8), 0, "README.TXT", "README.TXT"),
        (Array("README  TXT".utf8), 0x18, "README.TXT", "readme.txt"),
        (Array("README  TXT".utf8), 0x08, "README.TXT", "readme.TXT"),
        (Array("README  TXT".utf8), 0x10, "README.TXT", "README.txt"),
        (Array("MLO        ".utf8), 0, "MLO", "MLO"),
        (Array("A B     C D".utf8), 0, "A B.C D", "A B.C D"),
        ([0x05] + Array("BC     X  ".utf8), 0, "\u{3c3}BC.X", "\u{3c3}BC.X"),
        ([0x8e] + Array("RGER      ".utf8), 0x08, "ÄRGER", "ärger"),
        (Array("        TXT".utf8), 0, ".TXT", ".TXT"),
        (Array("           ".utf8), 0, "", ""),
        (Array("AB".utf8) + [0] + Array("CD   TXT".utf8), 0, "AB.TXT", "AB.TXT"),
    ]

    @Test(arguments: shortNames)
    func shortNamesAreShownInTheCaseOfTheirBits(
        bytes: [UInt8], bits: UInt8, stored: String, shown: String
    ) {
        var entry = FAT.DirectoryEntry(name: bytes)
        entry.caseBits = bits
        #expect(String(decoding: entry.shortName(.cp437), as: UTF8.self) == stored)
        #expect(String(decoding: entry.shownShortName(.cp437), as: UTF8.self) == shown)
    }

    /// Against the C library's own tables, for the bytes that mean something there.
    @Test(
        arguments: [(FAT.CodePage.cp437, "CP437"), (.cp850, "CP850"), (.cp1252, "CP1252")]
            as [(FAT.CodePage, String)])
    func codePagesAreThoseOfTheSystem(page: FAT.CodePage, name: String) throws {
        let converter = try #require(iconv_open("UTF-8", name))
        guard Int(bitPattern: converter) != -1 else { return }
        defer { iconv_close(converter) }
        var checked = 0
        for byte in UInt8.min...UInt8.max {
            var (input, output) = ([CChar(bitPattern: byte)], [CChar](repeating: 0, count: 8))
            let count = input.withUnsafeMutableBufferPointer { source in
                output.withUnsafeMutableBufferPointer { target -> Int in
                    var (from, to) = (source.baseAddress, target.baseAddress)
                    var (left, room) = (1, 8)
                    let result = iconv(converter, &from, &left, &to, &room)
                    return result == -1 ? 0 : 8 - room
                }
            }
            guard count > 0 else { continue }
            checked += 1
            let text = String(
                decoding: output.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            #expect(String(page.scalar(byte)) == text, "\(name): \(byte)")
            #expect(page.byte(page.scalar(byte)) == byte)
        }
        #expect(checked > 240)
    }

    @Test func codePagesHaveNames() {
        #expect(FAT.CodePage(name: "437") == .cp437 && FAT.CodePage(name: "cp850") == .cp850)
        #expect(FAT.CodePage(name: "ascii") == .ascii && FAT.CodePage(name: "1253") == nil)
        #expect(FAT.CodePage.ascii.scalar(0x80) == "\u{fffd}")
        #expect(FAT.CodePage.ascii.byte("é") == nil && FAT.CodePage.cp437.byte("é") == 0x82)
    }

    // MARK: Times

    @Test func everyDayIsThatOfTheCalendar() {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(secondsFromGMT: 0) ?? .gmt
        for day in stride(from: Int64(3652), to: 50403, by: 1) {
            let seconds = day * 86400 + day % 86400 / 2 * 2
            let stamp = FAT.Timestamp(seconds: seconds)
            #expect(stamp.seconds == seconds)
            guard day % 13 == 0 else { continue }
            let date = Date(timeIntervalSince1970: TimeInterval(seconds))
            let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute], from: date)
            #expect(parts.year == Int(stamp.date >> 9) + 1980)
            #expect(parts.month == Int(stamp.date >> 5 & 15))
            #expect(parts.day == Int(stamp.date & 31))
            #expect(parts.hour == Int(stamp.time >> 11))
            #expect(parts.minute == Int(stamp.time >> 5 & 63))
        }
    }

    @Test func timesOutsideAreTheNearest() {
        #expect(FAT.Timestamp(seconds: 0) == FAT.Timestamp(date: 0x21, time: 0))
        #expect(FAT.Timestamp(seconds: -5).seconds == 315_532_800)
        #expect(FAT.Timestamp(seconds: .max) == FAT.Timestamp(date: 0xff9f, time: 0xbf7d))
        #expect(FAT.Timestamp(seconds: 315_532_801).seconds == 315_532_800)
    }

    /// As Linux has them: `fat_time_fat2unix`.
    @Test func datesThatNoCalendarHasAreAddedUp() {
        #expect(FAT.Timestamp(date: 0, time: 0).seconds == 315_532_800)
        #expect(FAT.Timestamp(date: 13 << 5 | 1, time: 0).seconds == 315_532_800 + 86400)
        #expect(
            FAT.Timestamp(date: 0x21, time: 0xffff).seconds == 315_532_800 + 31 * 3600
                + 63 * 60 + 62)
        for date in UInt16.min...UInt16.max where date % 7 == 0 {
            _ = FAT.Timestamp(date: date, time: date, hundredths: 255).text
        }
    }

    @Test func aTimeReadsAsText() {
        let stamp = FAT.Timestamp(
            date: 44 << 9 | 2 << 5 | 29, time: 12 << 11 | 34 << 5 | 28, hundredths: 178)
        #expect(stamp.text == "2024-02-29 12:34:57.78")
        #expect(FAT.Timestamp().text == nil)
    }
}
