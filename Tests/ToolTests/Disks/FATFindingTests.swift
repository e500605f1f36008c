import Foundation
import TestSupport
import Testing

/// `ifsctl check` of FAT volumes of another maker's with one damage each; fsck.fat finds fault with
/// them as well.
struct FATFindingTests {
    /// Where things are in a volume that mkfs.fat makes and mcopy fills, by the numbers of the
    /// specification.
    struct Image: Sendable {
        let bytes: [UInt8]
        let bits: Int

        func short(_ offset: Int) -> Int { Int(bytes.integer(UInt16.self, at: offset)) }
        func long(_ offset: Int) -> Int { Int(bytes.integer(UInt32.self, at: offset)) }
        var table: Int { 512 * short(14) }
        var tableSize: Int { 512 * (bits == 32 ? long(36) : short(22)) }
        var rootArea: Int { table + 2 * tableSize }
        var clusterSize: Int { 512 * Int(bytes[13]) }
        var data: Int { rootArea + 32 * short(17) }
        var root: Int { bits == 32 ? place(long(44)) : rootArea }
        var clusters: Int { (bytes.count - data) / clusterSize }
        func place(_ cluster: Int) -> Int { data + (cluster - 2) * clusterSize }
        /// What ends a chain.
        var end: Int { bits == 32 ? 0x0fff_ffff : 1 << bits - 1 }

        /// Puts the table's entry of a cluster, in both tables unless told.
        func link(_ cluster: Int, _ value: Int, _ bytes: inout [UInt8], in copies: [Int] = [0, 1]) {
            for copy in copies {
                bytes.setFATEntry(
                    cluster, to: value, bits: bits, table: table + copy * tableSize)
            }
        }

        /// Where the short entry of a path stands.
        func at(_ path: String) -> Int {
            path.split(separator: "/").reduce(0) { entry, name in
                let start = entry == 0 ? root : place(first(entry))
                let places = stride(from: start, to: start + 512, by: 32)
                return places.first { bytes[$0...].starts(with: name.utf8) && bytes[$0 + 11] != 15 }
                    ?? 0
            }
        }
        func first(_ entry: Int) -> Int {
            short(entry + 26) | (bits == 32 ? short(entry + 20) << 16 : 0)
        }
        func first(_ path: String) -> Int { first(at(path)) }
        func start(_ entry: Int, _ cluster: Int, _ bytes: inout [UInt8]) {
            bytes.set(UInt16(cluster & 0xffff), at: entry + 26)
            if bits == 32 { bytes.set(UInt16(cluster >> 16), at: entry + 20) }
        }
        /// Where the parts of the long name stand, the last part first.
        var parts: [Int] {
            let start = place(first("DIR"))
            return stride(from: start, to: start + 512, by: 32).filter { bytes[$0 + 11] == 15 }
        }
    }

    typealias Damage = KnownDamage<Image>

    private static func made(_ bits: Int, _ size: String) -> Result<Image, any Error> {
        Result {
            let bytes = try Card.made(
                by: """
                    export MTOOLSRC=/dev/null TZ=UTC; truncate -s \(size) card.img
                    mkfs.fat -F\(bits) -s1 -n LABEL --invariant card.img > /dev/null
                    mkdir -p DIR/SUB; head -c 3000 /dev/zero > SMALL; head -c 40000 /dev/zero > LARGE
                    head -c 5000 /dev/zero > 'DIR/A long name for a file.text'; : > EMPTY
                    echo deep > DIR/SUB/DEEP; echo one > ONE
                    mcopy -s -i card.img SMALL LARGE EMPTY DIR ONE ::
                    """)
            return Image(bytes: bytes, bits: bits)
        }
    }
    private static let images = [
        12: made(12, "1440K"), 16: made(16, "20M"), 32: made(32, "40M"),
    ]
    private static func image(_ bits: Int) throws -> Image { try #require(images[bits]).get() }

    private static let lost = "table entry of cluster "

    /// The lines are those of FAT16.
    static let damages: [Damage] = [
        Damage("tables that differ", "table copy 1 at 0x14004: found 0x0, expected 0x3, as in the")
        {
            $1.link($1.first("SMALL"), 0, &$0, in: [1])
        },
        Damage(
            "shared start", "directory entry 'ONE'.first cluster at 0x27eba: found cluster 10, whi",
            rest: lost
        ) { $1.start($1.at("ONE"), $1.first("LARGE") + 2, &$0) },
        Damage(
            "shared link",
            "directory entry 'SMALL'.size at 0x27e3c: found 3000, 6 clusters, expected",
            "table entry of cluster 10 at 0x214: found cluster 11, which another chain has, expected",
            rest: lost
        ) { $1.link($1.first("SMALL"), $1.first("LARGE") + 3, &$0) },
        Damage(
            "cycle of one",
            "table entry of cluster 2 at 0x204: found cluster 2, which the chain has",
            rest: lost
        ) { $1.link($1.first("SMALL"), $1.first("SMALL"), &$0) },
        Damage(
            "cycle",
            "table entry of cluster 17 at 0x222: found cluster 8, which the chain has pass",
            rest: lost
        ) { $1.link($1.first("LARGE") + 9, $1.first("LARGE"), &$0) },
        Damage(
            "to a free one",
            "table entry of cluster 40606 at 0x13f3c: found the mark of a free clu",
            rest: lost
        ) { $1.link($1.first("LARGE") + 4, $1.clusters - 3, &$0) },
        Damage(
            "to a bad one", "table entry of cluster 12 at 0x218: found the mark of a bad cluster",
            rest: lost
        ) { $1.link($1.first("LARGE") + 4, $1.end & ~8, &$0) },
        Damage(
            "to none", "table entry of cluster 12 at 0x218: found 40611, expected a cluster from 2",
            rest: lost
        ) { $1.link($1.first("LARGE") + 4, $1.clusters + 2, &$0) },
        Damage(
            "lost",
            "table entry of cluster 40604 at 0x13f38: found the first of 2 clusters that no",
            rest: "information sector.free clusters"
        ) {
            $1.link($1.clusters - 5, $1.clusters - 4, &$0)
            $1.link($1.clusters - 4, $1.end, &$0)
        },
        Damage(
            "lost cycle", "table entry of cluster 40604 at 0x13f38: found the first of 2 clusters",
            rest: "information sector.free clusters"
        ) {
            $1.link($1.clusters - 5, $1.clusters - 4, &$0)
            $1.link($1.clusters - 4, $1.clusters - 5, &$0)
        },
        Damage(
            "start outside",
            "directory entry 'ONE'.first cluster at 0x27eba: found 40611, expected",
            rest: lost
        ) { $1.start($1.at("ONE"), $1.clusters + 2, &$0) },
        Damage(
            "no start",
            "directory entry 'ONE'.first cluster at 0x27eba: found 0, expected a cluster",
            rest: lost
        ) { $1.start($1.at("ONE"), 0, &$0) },
        Damage(
            "directory's start",
            "directory entry.first cluster at 0x27e9a: found 40618, expected a cluster",
            "directory entry.first cluster at 0x27e9a: found a directory without '.' or '..', expected",
            rest: lost
        ) { $1.start($1.at("DIR"), $1.clusters + 9, &$0) },
        Damage(
            "directory in a file",
            "directory entry.first cluster at 0x27e9a: found cluster 2, which another chain has",
            "directory entry.first cluster at 0x27e9a: found a directory without '.' or '..', expected",
            rest: lost
        ) {
            $0.set(SplitMix64.noise(512), at: $1.place($1.first("SMALL")))
            $1.start($1.at("DIR"), $1.first("SMALL"), &$0)
        },
        Damage(
            "file called a directory",
            "directory entry 'SMALL'.size at 0x27e3c: found 3000, expected 0, it being a directory's",
            "directory entry.first cluster at 0x27e3a: found a directory without '.' or '..', expected"
        ) {
            $0.set(SplitMix64.noise(512), at: $1.place($1.first("SMALL")))
            $0[$1.at("SMALL") + 11] = 0x10
        },
        Damage(
            "size beyond the chain", "directory entry 'SMALL'.size at 0x27e3c: found 9000, 18 clust"
        ) { $0.set(UInt32(9000), at: $1.at("SMALL") + 28) },
        Damage(
            "size before the chain", "directory entry 'SMALL'.size at 0x27e3c: found 100, 1 cluster"
        ) { $0.set(UInt32(100), at: $1.at("SMALL") + 28) },
        Damage("wrong ..", "directory entry '..'.first cluster at 0x37e3a: found 7, expected 87") {
            $1.start($1.at("DIR/SUB/.."), 7, &$0)
        },
        Damage(
            ".. of the root", "directory entry '..'.first cluster at 0x3683a: found 5, expected 0"
        ) {
            $1.start($1.at("DIR/.."), 5, &$0)
        },
        Damage("wrong .", "directory entry '.'.first cluster at 0x37e1a: found 5, expected 98") {
            $1.start($1.at("DIR/SUB/. "), 5, &$0)
        },
        Damage(
            "no ..", "directory entry.first cluster at 0x368da: found a directory without '.' or"
        ) {
            $0[$1.at("DIR/SUB/..")] = 0xe5
        },
        Damage(
            "gap in a long name", "long name part at 0x36840: found a part of a name that no entry",
            "long name part at 0x36880: found a part of a name that no entry has, expected"
        ) { $0[$1.parts[1]] = 0xe5 },
        Damage("part's cluster", "long name part.first cluster at 0x3685a: found 5, expected 0") {
            $0[$1.parts[0] + 26] = 5
        },
        Damage("part's type", "long name part.type at 0x3684c: found 0x5, expected 0x0") {
            $0[$1.parts[0] + 12] = 5
        },
        Damage(
            "no short name", "long name part at 0x36840: found a part of a name that no entry has",
            rest: lost
        ) { $0[$1.at("DIR/ALONG")] = 0xe5 },
        Damage("label's size", "directory entry 'LABEL      '.size at 0x27e1c: found 9, expected 0")
        {
            $0[$1.at("LABEL") + 28] = 9
        },
        Damage(
            "name of a control", "directory entry 'S\\x01ALL'.name at 0x27e20: found 'S\\x01ALL    "
        ) { $0[$1.at("SMALL") + 1] = 1 },
        Damage(
            "name twice", "directory entry 'SMALL'.name at 0x27e40: found a name twice, expected"
        ) {
            $0.set(Array("SMALL".utf8), at: $1.at("LARGE"))
        },
        Damage("dirty", "boot sector.state at 0x25: found 0x1, expected bit 0 clear: not unmounted")
        {
            $0[$1.bits == 32 ? 65 : 37] = 1
        },
        Damage(
            "table's first entry", "table entry 0 at 0x200: found 0x123, expected 0xff",
            "table copy 1 at 0x14000: found 0xf8, expected 0x23, as in the first table"
        ) { $1.link(0, 0x123, &$0, in: [0]) },
    ]

    /// Damages that fsck.fat lets pass.
    static let untold: [Damage] = [
        Damage(
            "number of a part", "long name part at 0x36840: found a part of a name that no entry",
            "long name part at 0x36880: found a part of a name that no entry has, expected"
        ) { $0[$1.parts[0]] = 0x45 },
        Damage(
            "sum of a part", "long name part at 0x36840: found a part of a name that no entry has",
            "long name part at 0x36880: found a part of a name that no entry has, expected"
        ) { $0[$1.parts[1] + 13] ^= 1 },
        Damage(
            "half of a pair", "directory entry '\u{fffd} long name for a file.text'.name at 0x368a0"
        ) {
            $0.set(UInt16(0xd800), at: $1.parts[2] + 1)
        },
        Damage(
            "signature", "boot sector.signature at 0x1fe: found 0x0, expected 0xaa55",
            rest: "boot sector's copy"
        ) {
            $0.set(UInt16(0 * $1.bits), at: 510)
        },
        Damage(
            "lower case", "directory entry 'sMALL'.name at 0x27e20: found 'sMALL      ', expected"
        ) {
            $0[$1.at("SMALL")] = UInt8(ascii: "s")
        },
    ]

    /// FAT32 alone: two sectors more.
    static let wide: [Damage] = [
        Damage(
            "root outside", "boot sector.root cluster at 0x2c: found 80637, expected 2 through 8062"
        ) { $0.set(UInt32($1.clusters + 9), at: 44) },
        Damage(
            "free clusters", "information sector.free clusters at 0x3e8: found 5, expected 80528,"
        ) {
            $0.set(UInt32(5 + 0 * $1.bits), at: 512 + 488)
        },
        Damage(
            "mark of the hints", "information sector.first signature at 0x200: found 0x5, expected"
        ) {
            $0.set(UInt32(5 + 0 * $1.bits), at: 512)
        },
        Damage("unmounted", "table entry 1 at 0x4004: found 0x7ffffff, expected 0x8000000 set: not")
        {
            $1.link(1, 0x07ff_ffff, &$0)
        },
    ]

    @Test(.enabled(if: Card.hasFAT, Card.missing), arguments: [12, 16, 32])
    func aVolumeAsItsMakersLeaveItHasNone(bits: Int) throws {
        try Card.expectSound(Self.image(bits).bytes)
    }

    @Test(.enabled(if: Card.hasFAT, Card.missing), arguments: damages)
    func whatTheOtherCheckerFindsIsTold(damage: Damage) throws {
        for bits in [16, 12, 32] {
            let image = try Self.image(bits)
            let card = try damage.expectTold(of: image.bytes, image, onlySubjects: bits != 16)
            #expect(try card.judge("fsck.fat", "-n", "card.img").end != .exit(0), "FAT\(bits)")
        }
    }

    @Test(.enabled(if: Card.hasFAT, Card.missing), arguments: untold)
    func whatTheOtherCheckerDoesNotLookForIsTold(damage: Damage) throws {
        for bits in [16, 12, 32] {
            let image = try Self.image(bits)
            _ = try damage.expectTold(of: image.bytes, image, onlySubjects: bits != 16)
        }
    }

    @Test(.enabled(if: Card.hasFAT, Card.missing), arguments: wide)
    func whatOnlyFAT32HasIsChecked(damage: Damage) throws {
        let image = try Self.image(32)
        let card = try damage.expectTold(of: image.bytes, image)
        #expect(try card.judge("fsck.fat", "-n", "card.img").end != .exit(0))
    }
}
