import TestSupport

/// A small FAT volume put together by hand; offsets are those of Microsoft's specification.
struct FATImage {
    /// A directory that entries are added to.
    struct Folder {
        /// Its clusters; none of the fixed root.
        var clusters: [Int]
        /// Its own entry's place; nil of the root.
        var entry: Int?
        fileprivate var number: Int
    }

    let bits: Int
    let sectorSize: Int
    let clusterSize: Int
    let clusterCount: Int
    let reservedSize: Int
    let tableSize: Int
    let rootStart: Int
    let dataStart: Int
    private(set) var root: Folder
    var bytes: [UInt8]
    private var nextCluster = 2
    private var usedSlots: [Int: Int] = [:]
    private var folderCount = 1

    /// A volume of these measures with an empty root of `rootSlots` entries (of a cluster in FAT32).
    /// The bytes may have fewer clusters than the volume.
    init(
        bits: Int = 12, sectorSize: Int = 512, sectorsPerCluster: Int = 1, clusterCount: Int = 60,
        rootSlots: Int = 64, storedClusters: Int? = nil
    ) {
        self.bits = bits
        self.sectorSize = sectorSize
        self.clusterCount = clusterCount
        clusterSize = sectorSize * sectorsPerCluster
        let isWide = bits == 32
        let reserved = isWide ? 32 : 1
        let tableSectors = ((clusterCount + 2) * bits / 8 + sectorSize) / sectorSize
        let rootSectors = isWide ? 0 : (rootSlots * 32 + sectorSize - 1) / sectorSize
        reservedSize = reserved * sectorSize
        tableSize = tableSectors * sectorSize
        rootStart = reservedSize + 2 * tableSize
        dataStart = rootStart + rootSectors * sectorSize
        let sectors = dataStart / sectorSize + clusterCount * sectorsPerCluster
        var boot = [UInt8](repeating: 0, count: sectorSize)
        boot.set([0xeb, 0x3c, 0x90] + Array("BY HAND ".utf8), at: 0)
        boot.set(UInt16(sectorSize), at: 11)
        boot[13] = UInt8(sectorsPerCluster)
        boot.set(UInt16(reserved), at: 14)
        boot[16] = 2
        boot.set(UInt16(isWide ? 0 : rootSlots), at: 17)
        boot.set(UInt16(sectors < 65536 ? sectors : 0), at: 19)
        boot[21] = 0xf8
        boot.set(UInt16(isWide ? 0 : tableSectors), at: 22)
        boot.set(UInt16(63), at: 24)
        boot.set(UInt16(255), at: 26)
        boot.set(UInt32(sectors < 65536 ? 0 : sectors), at: 32)
        if isWide {
            boot.set(UInt32(tableSectors), at: 36)
            boot.set(UInt32(2), at: 44)
            boot.set(UInt16(1), at: 48)
            boot.set(UInt16(6), at: 50)
        }
        let rest = isWide ? 64 : 36
        boot[rest] = 0x80
        boot[rest + 2] = 0x29
        boot.set(UInt32(0x1234_abcd), at: rest + 3)
        boot.set(Array("NO NAME    FAT\(bits)   ".utf8), at: rest + 7)
        boot.set([0x55, 0xaa], at: 510)
        let size = dataStart + (storedClusters ?? clusterCount) * sectorsPerCluster * sectorSize
        bytes = boot + [UInt8](repeating: 0, count: size - sectorSize)
        root = Folder(clusters: [], entry: nil, number: 0)
        if isWide {
            bytes.set(boot, at: 6 * sectorSize)
            bytes.set(Array("RRaA".utf8), at: sectorSize)
            bytes.set(Array("rrAa".utf8), at: sectorSize + 484)
            bytes.set(UInt32.max, at: sectorSize + 488)
            bytes.set(UInt32.max, at: sectorSize + 492)
            bytes.set([0x55, 0xaa], at: sectorSize + 510)
        }
        let all = bits == 12 ? 0xfff : bits == 16 ? 0xffff : 0x0fff_ffff
        link(0, to: all & ~0xff | 0xf8)
        link(1, to: all)
        if isWide { root.clusters = allocate(1) }
    }

    /// The end mark of a chain.
    var end: Int { bits == 12 ? 0xfff : bits == 16 ? 0xffff : 0x0fff_ffff }

    /// Sets a table entry in both copies.
    mutating func link(_ cluster: Int, to value: Int) {
        for copy in 0..<2 { link(cluster, to: value, inCopy: copy) }
    }

    /// Sets a table entry in one copy.
    mutating func link(_ cluster: Int, to value: Int, inCopy copy: Int) {
        bytes.setFATEntry(
            cluster, to: value, bits: bits, table: reservedSize + copy * tableSize)
    }

    /// Where a cluster begins.
    func place(_ cluster: Int) -> Int { dataStart + (cluster - 2) * clusterSize }

    /// Takes clusters, one after the other, for a chain.
    mutating func allocate(_ count: Int) -> [Int] {
        let clusters = Array(nextCluster..<(nextCluster + count))
        nextCluster += count
        for cluster in clusters {
            link(cluster, to: cluster == clusters.last ? end : cluster + 1)
        }
        return clusters
    }

    /// Adds 32 bytes to a directory; returns their place.
    @discardableResult
    mutating func addSlot(_ slot: [UInt8], to folder: Folder? = nil) -> Int {
        let folder = folder ?? root
        let index = usedSlots[folder.number, default: 0]
        usedSlots[folder.number] = index + 1
        let offset = index * 32
        let place =
            folder.clusters.isEmpty
            ? rootStart + offset
            : self.place(folder.clusters[offset / clusterSize])
                + offset % clusterSize
        bytes.set(slot, at: place)
        return place
    }

    /// The 32 bytes of an entry.
    static func slot(
        _ name: String, attributes: UInt8 = 0x20, start: Int = 0, size: Int = 0
    ) -> [UInt8] {
        var slot = [UInt8](repeating: 0, count: 32)
        slot.set(Array((name + String(repeating: " ", count: 11 - name.utf8.count)).utf8), at: 0)
        slot[11] = attributes
        slot.set(UInt16(start >> 16), at: 20)
        // 2024-02-29 12:34:56
        slot.set(UInt16(12 << 11 | 34 << 5 | 28), at: 22)
        slot.set(UInt16(44 << 9 | 2 << 5 | 29), at: 24)
        slot.set(UInt16(start & 0xffff), at: 26)
        slot.set(UInt32(size), at: 28)
        return slot
    }

    /// The parts of a long name in the order of the disk, for the entry with an 11-byte name.
    static func parts(_ units: [UInt16], for name: [UInt8]) -> [[UInt8]] {
        let sum = name.prefix(11).reduce(UInt8(0)) { ($0 & 1) << 7 &+ $0 >> 1 &+ $1 }
        let count = (units.count + 12) / 13
        return (1...count).reversed().map { number in
            var padded = units.count % 13 == 0 ? units : units + [0]
            while padded.count < 13 * count { padded.append(0xffff) }
            var slot = [UInt8](repeating: 0, count: 32)
            slot[0] = UInt8(number) | (number == count ? 0x40 : 0)
            slot[11] = 0x0f
            slot[13] = sum
            let places = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30]
            for (index, place) in places.enumerated() {
                slot.set(padded[13 * (number - 1) + index], at: place)
            }
            return slot
        }
    }

    /// Adds a file, under a long name too if one is given; returns the place of its entry.
    @discardableResult
    mutating func addFile(
        _ name: String, _ data: [UInt8] = [], long: String? = nil, attributes: UInt8 = 0x20,
        to folder: Folder? = nil
    ) -> Int {
        let clusters = allocate((data.count + clusterSize - 1) / clusterSize)
        for (index, cluster) in clusters.enumerated() {
            let part = data.dropFirst(index * clusterSize).prefix(clusterSize)
            bytes.set(Array(part), at: place(cluster))
        }
        let slot = Self.slot(
            name, attributes: attributes, start: clusters.first ?? 0, size: data.count)
        if let long {
            for part in Self.parts(Array(long.utf16), for: slot) { addSlot(part, to: folder) }
        }
        return addSlot(slot, to: folder)
    }

    /// Adds a directory of so many clusters, with its two dots.
    mutating func addFolder(
        _ name: String, clusters count: Int = 1, to parent: Folder? = nil
    ) -> Folder {
        let clusters = allocate(count)
        let entry = addSlot(Self.slot(name, attributes: 0x10, start: clusters[0]), to: parent)
        let folder = Folder(clusters: clusters, entry: entry, number: folderCount)
        folderCount += 1
        addSlot(Self.slot(".", attributes: 0x10, start: clusters[0]), to: folder)
        let above = parent?.entry == nil ? 0 : parent?.clusters.first ?? 0
        addSlot(Self.slot("..", attributes: 0x10, start: above), to: folder)
        return folder
    }

    /// Adds a file with a chain of clusters one behind the other, whose bytes are nowhere.
    mutating func addSparse(_ name: String, start: Int, count: Int, size: UInt32) {
        for cluster in start..<(start + count) {
            link(cluster, to: cluster == start + count - 1 ? end : cluster + 1)
        }
        addSlot(Self.slot(name, start: start, size: Int(size)))
    }
}
