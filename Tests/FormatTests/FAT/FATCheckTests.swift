import Format
import TestSupport
import Testing

/// What is told of damaged volumes: one damage each, and the one line that says so.
struct FATCheckTests {
    /// A damage, and how the lines begin that tell it.
    struct Damage: Sendable, CustomTestStringConvertible {
        let name: String
        let bits: Int
        let lines: [String]
        let change: @Sendable (inout FATImage) -> Void
        var testDescription: String { name }

        init(
            _ name: String, bits: Int = 12, _ lines: String...,
            change: @escaping @Sendable (inout FATImage) -> Void
        ) {
            self.name = name
            self.bits = bits
            self.lines = lines
            self.change = change
        }
    }

    /// A file of three clusters and one of two, a directory with a file in it. Of 12 bits, the table
    /// is at 0x200 and 0x400, the root at 0x600, cluster 2 at 0xe00; clusters 2-4 are A's, 5-6 B's,
    /// 7 the directory, 8 the inner file's.
    static func image(bits: Int) -> FATImage {
        var image = FATImage(bits: bits, clusterCount: bits == 16 ? 4100 : bits == 32 ? 65600 : 60)
        image.addFile("A       BIN", SplitMix64.noise(1400))
        image.addFile("B       BIN", SplitMix64.noise(1000), long: "the second.bin")
        let sub = image.addFolder("SUB")
        image.addFile("INNER", [1, 2, 3], to: sub)
        return image
    }

    static let damages: [Damage] = [
        Damage("signature", "boot sector.signature at 0x1fe: found 0xaa54") { $0.bytes[510] ^= 1 },
        Damage("state", "boot sector.state at 0x25: found 0x1, expected bit 0 clear") {
            $0.bytes[37] = 1
        },
        Damage("end", "boot sector.total sectors (16 bits) at 0x13: found 67, expected 66 at most")
        {
            $0.bytes.removeLast()
        },
        Damage(
            "room", bits: 16,
            "boot sector.sectors per table (16 bits) at 0x16: found 17, expected room for 4500"
        ) {
            $0.bytes.set($0.bytes.integer(UInt16.self, at: 19) + 400, at: 19)
            $0.bytes += [UInt8](repeating: 0, count: 400 * 512)
        },
        Damage("media", "table entry 0 at 0x200: found 0xff9, expected 0xff8") {
            $0.link(0, to: 0xff9)
        },
        Damage("dirty 16", bits: 16, "table entry 1 at 0x202: found 0x7fff, expected 0x8000 set") {
            $0.link(1, to: 0x7fff)
        },
        Damage("errors 16", bits: 16, "table entry 1 at 0x202: found 0xbfff, expected 0x4000 set") {
            $0.link(1, to: 0xbfff)
        },
        Damage("dirty 32", bits: 32, "table entry 1 at 0x4004: found 0x7ffffff, expected 0x8000000")
        { $0.link(1, to: 0x07ff_ffff) },
        Damage(
            "errors 32", bits: 32, "table entry 1 at 0x4004: found 0xbffffff, expected 0x4000000"
        ) { $0.link(1, to: 0x0bff_ffff) },
        Damage("copy", "table copy 1 at 0x41e: found 0xff, expected 0x0, as in the first table") {
            $0.link(20, to: 0xfff, inCopy: 1)
        },
        Damage("backup", bits: 32, "boot sector's copy at 0xc07: found 0xe, expected 0x41") {
            $0.bytes[6 * 512 + 7] ^= 0x4f
        },
        Damage("backup's place", bits: 32, "boot sector.backup sector at 0x32: found 32") {
            $0.bytes.set(UInt16(32), at: 50)
        },
        Damage("hints", bits: 32, "information sector.first signature at 0x200: found 0x") {
            $0.bytes[512] ^= 1
        },
        Damage("free", bits: 32, "information sector.free clusters at 0x3e8: found 5, expected 655")
        { $0.bytes.set(UInt32(5), at: 512 + 488) },
        Damage(
            "lost", "table entry of cluster 20 at 0x21e: found the first of 2 clusters that no file"
        ) {
            $0.link(20, to: 21)
            $0.link(21, to: 0xfff)
        },
        Damage(
            "loop", "table entry of cluster 4 at 0x206: found cluster 2, which the chain has passed"
        ) { $0.link(4, to: 2) },
        Damage("shared", "table entry of cluster 6 at 0x209: found cluster 3, which another chain")
        {
            $0.link(6, to: 3)
        },
        Damage("free link", "table entry of cluster 8 at 0x20c: found the mark of a free cluster") {
            $0.link(8, to: 0)
        },
        Damage("bad link", "table entry of cluster 8 at 0x20c: found the mark of a bad cluster") {
            $0.link(8, to: 0xff7)
        },
        Damage("outside", "table entry of cluster 8 at 0x20c: found 100, expected a cluster from 2")
        {
            $0.link(8, to: 100)
        },
        Damage(
            "short", "directory entry 'A.BIN'.size at 0x61c: found 1400, 3 clusters, expected",
            "table entry of cluster 4 at 0x206: found the first of 1 clusters"
        ) {
            $0.link(3, to: 0xfff)
        },
        Damage("long", "directory entry 'A.BIN'.size at 0x61c: found 1000, 2 clusters, expected") {
            $0.bytes.set(UInt32(1000), at: 0x61c)
        },
        Damage("no bytes", "directory entry 'A.BIN'.size at 0x61c: found 0, 0 clusters, expected") {
            $0.bytes.set(UInt32(0), at: 0x61c)
        },
        Damage(
            "no start", "directory entry 'A.BIN'.first cluster at 0x61a: found 0, expected a",
            "table entry of cluster 2 at 0x203: found the first of 3 clusters"
        ) {
            $0.bytes.set(UInt16(0), at: 0x61a)
        },
        Damage("directory's size", "directory entry 'SUB'.size at 0x69c: found 9, expected 0") {
            $0.bytes.set(UInt32(9), at: 0x69c)
        },
        Damage("short name", "directory entry 'a.BIN'.name at 0x600: found 'a       BIN'") {
            $0.bytes[0x600] = 0x61
        },
        Damage("long name", "directory entry 'the:second.bin'.name at 0x660: found a long name") {
            $0.bytes[0x640 + 7] = 0x3a
        },
        Damage("orphan", "long name part at 0x620: found a part of a name that no entry has") {
            $0.bytes[0x660] = 0x43
        },
        Damage(
            "twice", "directory entry 'A.BIN'.name at 0x660: found a name twice",
            "long name part at 0x620: found a part of a name"
        ) {
            $0.bytes[0x660] = 0x41
        },
        Damage("dot", "directory entry '.'.first cluster at 0x181a: found 9, expected 7") {
            $0.bytes[0x181a] = 9
        },
        Damage("dots", "directory entry '..'.first cluster at 0x183a: found 2, expected 0") {
            $0.bytes[0x183a] = 2
        },
        Damage("dot's kind", "directory entry '.'.attributes at 0x180b: found 0x20, expected those")
        { $0.bytes[0x180b] = 0x20 },
        Damage("dot's case", "directory entry '.'.case bits at 0x180c: found 0x20, expected 0x0") {
            $0.bytes[0x180c] = 0x20
        },
        Damage("no dots", "directory entry.first cluster at 0x69a: found a directory without") {
            $0.bytes[0x1820] = 0xe5
        },
        Damage(
            "dots in the root", "directory entry '.'.name at 0x600: found entry 0 of its",
            "table entry of cluster 2 at 0x203: found the first of 3"
        ) {
            $0.bytes.set(Array(".          ".utf8), at: 0x600)
        },
    ]

    @Test(arguments: [12, 16, 32])
    func aGoodVolumeHasNoFaults(bits: Int) throws {
        #expect(try FAT.Volume(MemorySource(Self.image(bits: bits).bytes)).check() == [])
    }

    @Test(arguments: damages)
    func everyDamageIsToldInOneLine(damage: Damage) throws {
        var image = Self.image(bits: damage.bits)
        damage.change(&image)
        let lines = try FAT.Volume(MemorySource(image.bytes)).check().map(\.description)
        #expect(lines.count == damage.lines.count, "\(lines)")
        for (line, start) in zip(lines, damage.lines) { #expect(line.hasPrefix(start), "\(line)") }
        #expect(lines.allSatisfy { !$0.contains("\n") })
    }

    @Test func noMoreThanAThousandFaultsAreTold() throws {
        var image = FATImage(bits: 16, clusterCount: 5000)
        let folder = image.addFolder("BIG", clusters: 200)
        for number in 0..<3000 {
            image.addSlot(FATImage.slot("F\(number)", start: 4999, size: 9), to: folder)
        }
        #expect(try FAT.Volume(MemorySource(image.bytes)).check().count == 1000)
    }

    @Test func aCutVolumeTellsWhatItLacks() throws {
        var image = Self.image(bits: 12)
        image.bytes.removeLast(image.bytes.count - image.place(8))
        let volume = try FAT.Volume(MemorySource(image.bytes))
        let node = try #require(try volume.node(at: "SUB/INNER"))
        #expect(
            throws: FormatError.truncated(
                Place("file data", UInt64(image.place(8))), needed: 3, available: 0)
        ) { try volume.contents(of: node) }
        #expect(volume.check().count == 1)
    }
}
