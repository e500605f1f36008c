import Format
import Foundation
import TestSupport
import Testing

/// The FAT partition of a disk, against its listing. Skipped without `../shared/images`.
@Suite(.enabled(if: Fixtures.hasShared, "no ../shared/images"))
struct FATSharedImageTests {
    @Test func thePartitionHasWhatItsListingSays() throws {
        let path = try Fixtures.sharedImage("disk-mbr.img").path
        let disk = try FileSource(taking: Foundation.open(path, O_RDONLY))
        // The first entry of the MBR: its first sector and their number.
        let entry = try disk.prefix(16, at: 446)
        try #require(entry[4] == 6)
        let start = UInt64(entry.integer(UInt32.self, at: 8)) * 512
        let count = UInt64(entry.integer(UInt32.self, at: 12)) * 512
        #expect(try FAT.BootSector.isPlausible(at: start, in: disk))
        #expect(try !FAT.BootSector.isPlausible(in: disk))
        let volume = try FAT.Volume(WindowSource(disk, from: start, count: count))
        #expect(volume.geometry.kind == .fat16)
        let text = try String(
            decoding: Fixtures.bytes(Fixtures.sharedImage("disk-mbr.img.txt")), as: UTF8.self)
        let lines = text.split(separator: "\n").drop { !$0.hasPrefix("## p1 FAT16") }.dropFirst()
            .prefix { !$0.hasPrefix("##") }.map { $0.split(separator: "\t").map(String.init) }
        try #require(lines.count == 5)
        #expect(
            Set(try volume.walk().map(\.path)) == Set(lines.map { $0[$0[0] == "dir" ? 1 : 2] }))
        for line in lines where line[0] == "file" {
            let node = try #require(try volume.node(at: line[2]))
            #expect(try volume.attributes(of: node)?.byteCount == UInt64(line[1]))
            #expect(hexDigits(SHA2.sha256(try volume.contents(of: node))) == line[3])
        }
        #expect(volume.check() == [])
    }
}
