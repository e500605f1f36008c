import TestSupport

/// A volume put together by numbers of the format: nothing of ours is asked. Loader in block 1, root
/// block 2, bitmap 3, root directory 4, `.inodes` 5; from block 6 on everybody's.
struct SmallQNX4 {
    static let blockCount = 64

    private(set) var bytes = [UInt8](repeating: 0, count: blockCount * 512)
    private(set) var next = 6

    /// A root directory with the system's files, of which `.boot` and `.altboot` are empty.
    init() {
        bytes.set([0x55, 0xaa], at: 510)
        let first: [(UInt32, UInt32)] = [(4, 1)]
        put(Self.inode("/", 0o040775, size: 512, first, linkCount: 2, status: 0x21), 2, 0)
        put(Self.inode("", 0o100444, size: 512, [(5, 1)], status: 0x11), 2, 1)
        put(Self.inode("", 0o100600, status: 0x11), 2, 2)
        put(Self.inode("", 0o100600, status: 0x11), 2, 3)
        put(Self.dot(blocks: 1, 2, 0), 4, 0)
        put(Self.link("..", 2, 0), 4, 1)
        put(Self.inode(".bitmap", 0o100444, size: 8, [(3, 1)]), 4, 2)
        put(Self.link(".inodes", 2, 1), 4, 3)
        put(Self.link(".boot", 2, 2), 4, 4)
        put(Self.link(".altboot", 2, 3), 4, 5)
        bytes.set(Array("IamTHE.inodeFILE".utf8), at: 4 * 512)
    }

    // MARK: Records

    /// A file's own record.
    static func inode(
        _ name: String, _ mode: UInt16, size: UInt32 = 0, _ extents: [(UInt32, UInt32)] = [],
        extentBlock: UInt32 = 0, extentCount: Int? = nil, linkCount: UInt16 = 1,
        status: UInt8 = 0x01
    ) -> [UInt8] {
        var record = [UInt8](repeating: 0, count: 64)
        record.set(Array(name.utf8), at: 0)
        record.set(size, at: 16)
        record.set(extents.first?.0 ?? 0, at: 20)
        record.set(extents.first?.1 ?? 0, at: 24)
        record.set(extentBlock, at: 28)
        for (index, time) in [11, 12, 13, 14].enumerated() {
            record.set(UInt32(time), at: 32 + 4 * index)
        }
        record.set(UInt16(extentCount ?? extents.count), at: 48)
        record.set(mode, at: 50)
        record.set(UInt16(1000), at: 52)
        record.set(UInt16(2000), at: 54)
        record.set(linkCount, at: 56)
        record[63] = status
        return record
    }

    /// A name of a file whose record is elsewhere.
    static func link(
        _ name: String, _ block: UInt32, _ index: UInt8, long: UInt32 = 0, status: UInt8 = 0x08
    ) -> [UInt8] {
        var record = [UInt8](repeating: 0, count: 64)
        record.set(Array(name.utf8), at: 0)
        record.set(block, at: 48)
        record[52] = index
        record.set(long, at: 53)
        record[63] = status
        return record
    }

    /// The record called `.`.
    static func dot(blocks: UInt16, _ block: UInt32, _ index: UInt8) -> [UInt8] {
        var record = link(".", block, index)
        record.set([0x49, 3, 0x51, 0x4e, 0x58], at: 2)
        record.set(blocks, at: 8)
        return record
    }

    /// A block that lists extents.
    static func extents(
        _ extents: [(UInt32, UInt32)], next: UInt32 = 0, previous: UInt32 = 0,
        first: (UInt32, UInt32)
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        block.set(next, at: 0)
        block.set(previous, at: 4)
        block[8] = UInt8(extents.count)
        block.set(extents.reduce(0) { $0 &+ $1.1 }, at: 12)
        for (index, extent) in extents.enumerated() {
            block.set(extent.0, at: 16 + 8 * index)
            block.set(extent.1, at: 20 + 8 * index)
        }
        block.set(Array("IamXblk".utf8), at: 496)
        block.set(first.0, at: 504)
        block.set(first.1, at: 508)
        return block
    }

    // MARK: Parts

    /// Puts a record to its place; blocks count from 1.
    mutating func put(_ record: [UInt8], _ block: Int, _ index: Int) {
        bytes.set(record, at: (block - 1) * 512 + index * 64)
    }

    /// Takes blocks for these bytes; gives the first.
    mutating func block(_ data: [UInt8]) -> UInt32 {
        bytes.set(data, at: (next - 1) * 512)
        defer { next += max(1, (data.count + 511) / 512) }
        return UInt32(next)
    }

    /// Makes a directory whose record is at `place`; gives its block, in which records 2 to 7 are
    /// free.
    mutating func directory(
        _ name: String, at place: (block: Int, index: Int), in parent: (block: Int, index: Int),
        linkCount: UInt16 = 2
    ) -> Int {
        let own = block([])
        put(
            Self.inode(name, 0o040755, size: 512, [(own, 1)], linkCount: linkCount),
            place.block, place.index)
        put(Self.dot(blocks: 1, UInt32(place.block), UInt8(place.index)), Int(own), 0)
        put(Self.link("..", UInt32(parent.block), UInt8(parent.index)), Int(own), 1)
        return Int(own)
    }

    /// The volume with its bitmap: all blocks up to the last taken are in use, and the bits behind
    /// the volume are set.
    func build() -> [UInt8] {
        var bytes = bytes
        for block in 0..<4096 where block < next - 1 || block >= Self.blockCount {
            bytes[2 * 512 + block / 8] |= 1 << UInt8(block % 8)
        }
        return bytes
    }
}
