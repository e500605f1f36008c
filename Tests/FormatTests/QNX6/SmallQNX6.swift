import TestSupport

/// A volume of 512-byte blocks, put together by numbers of the format: nothing of ours is asked.
///
/// Bitmap in block 0, inode table in blocks 1 to 4, the same for the other area behind them; from
/// block 10 on everybody's. Block `n` lies at `dataStart` + 512 n.
struct SmallQNX6 {
    /// An inode's fields that tests set.
    struct Node {
        var mode: UInt16
        var size: UInt64 = 0
        var pointers: [UInt32] = []
        var depth: UInt8 = 0
        var linkCount: UInt16 = 1
        var key: UInt32 = 0
        var extendedMode: UInt32 = 0
    }

    /// What a directory's entry says.
    enum Name {
        case short(String)
        case raw([UInt8])
        case long(UInt32, sum: UInt32)
        case length(UInt8)
    }

    static let inodeCount = 16
    static let blockCount = 256
    static let unused = UInt32.max

    var isBigEndian = false
    var isAudi = false
    /// Where the first superblock stands.
    var start = 0x2000
    var flags: UInt32 = 0x100
    var serials: [UInt64] = [2, 1]
    var blockSizeField: UInt32 = 512
    var nodes: [Int: Node] = [:]
    var longNames: [String] = []
    private(set) var next = 10
    /// Blocks with files' bytes and links' targets.
    private(set) var dataBlocks: Set<Int> = []
    private var data = [UInt8](repeating: 0, count: blockCount * 512)

    var dataStart: Int { start + 0x1000 }
    var secondSuperblock: Int { dataStart + Self.blockCount * 512 }

    /// A root that holds `.boot`.
    init() {
        nodes[1] = Node(mode: 0o040755, size: 512, linkCount: 3)
        nodes[2] = Node(mode: 0o040700, size: 512, linkCount: 2)
        directory(1, in: 1, [(2, .short(".boot"))])
        directory(2, in: 1, [])
    }

    // MARK: Parts

    /// Takes a block for these bytes.
    mutating func block(_ bytes: [UInt8]) -> UInt32 {
        data.set(bytes, at: next * 512)
        next += 1
        return UInt32(next - 1)
    }

    /// Takes a block of pointers; what is not given leads nowhere.
    mutating func pointerBlock(_ pointers: [UInt32]) -> UInt32 {
        let rest = [UInt32](repeating: Self.unused, count: 128 - pointers.count)
        return block((pointers + rest).flatMap { [UInt8]($0, isBigEndian: isBigEndian) })
    }

    /// Gives a directory its entries, behind `.` and `..`.
    mutating func directory(_ number: Int, in parent: UInt32, _ entries: [(UInt32, Name)]) {
        var bytes: [UInt8] = []
        for (inode, name) in [(UInt32(number), .short(".")), (parent, .short(".."))] + entries {
            bytes += entry(inode, name)
        }
        bytes.pad(to: 512)
        let first = next
        for start in stride(from: 0, to: bytes.count, by: 512) {
            _ = block(Array(bytes[start..<(start + 512)]))
        }
        nodes[number]?.pointers = (first..<next).map { UInt32($0) }
        nodes[number]?.size = UInt64(bytes.count)
    }

    private func entry(_ inode: UInt32, _ name: Name) -> [UInt8] {
        var entry = [UInt8](repeating: 0, count: 32)
        entry.set(inode, at: 0, isBigEndian: isBigEndian)
        switch name {
        case .short(let text):
            entry[4] = UInt8(text.utf8.count)
            entry.set(Array(text.utf8), at: 5)
        case .raw(let bytes):
            entry[4] = UInt8(bytes.count)
            entry.set(bytes, at: 5)
        case .long(let index, let sum):
            entry[4] = 0xff
            entry.set(index, at: 8, isBigEndian: isBigEndian)
            entry.set(sum, at: 12, isBigEndian: isBigEndian)
        case .length(let length): entry[4] = length
        }
        return entry
    }

    /// A file of these bytes.
    mutating func file(_ number: Int, _ bytes: [UInt8]) {
        var pointers: [UInt32] = []
        for start in stride(from: 0, to: bytes.count, by: 512) {
            dataBlocks.insert(next)
            pointers.append(block(Array(bytes[start..<min(bytes.count, start + 512)])))
        }
        nodes[number] = Node(mode: 0o100644, size: UInt64(bytes.count), pointers: pointers)
    }

    // MARK: The whole

    private func inodeBytes(_ node: Node) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 128)
        bytes.set(node.size, at: 0, isBigEndian: isBigEndian)
        bytes.set(UInt32(1000), at: 8, isBigEndian: isBigEndian)
        bytes.set(UInt32(2000), at: 12, isBigEndian: isBigEndian)
        for (index, time) in [11, 12, 13, 14].enumerated() {
            bytes.set(UInt32(time), at: 16 + 4 * index, isBigEndian: isBigEndian)
        }
        bytes.set(node.mode, at: 32, isBigEndian: isBigEndian)
        bytes.set(node.linkCount, at: 34, isBigEndian: isBigEndian)
        bytes.set(pointers(node.pointers), at: 36)
        bytes[100] = node.depth
        bytes[101] = 1
        bytes.set(node.key, at: 104, isBigEndian: isBigEndian)
        bytes.set(node.extendedMode, at: 108, isBigEndian: isBigEndian)
        return bytes
    }

    private func pointers(_ pointers: [UInt32]) -> [UInt8] {
        let all = pointers + [UInt32](repeating: Self.unused, count: 16 - pointers.count)
        return all.flatMap { [UInt8]($0, isBigEndian: isBigEndian) }
    }

    private func rootNode(_ size: Int, _ blocks: [UInt32]) -> [UInt8] {
        [UInt8](UInt64(size), isBigEndian: isBigEndian) + pointers(blocks) + [0, 1]
            + [UInt8](repeating: 0, count: 6)
    }

    /// Sums a superblock anew.
    static func sum(_ bytes: inout [UInt8], at start: Int, isBigEndian: Bool = false) {
        var sum: UInt32 = 0
        for byte in bytes[(start + 8)..<(start + 512)] {
            sum ^= UInt32(byte) << 24
            for _ in 0..<8 { sum = sum & 0x8000_0000 == 0 ? sum << 1 : sum << 1 ^ 0x04c1_1db7 }
        }
        bytes.set(sum, at: start + 4, isBigEndian: isBigEndian)
    }

    private func superblock(_ serial: UInt64, _ longBlocks: [UInt32]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 512)
        let shift = isAudi ? -8 : 0
        bytes.set(UInt32(0x6819_1122), at: 0, isBigEndian: isBigEndian)
        bytes.set(serial, at: 8, isBigEndian: isBigEndian)
        if !isAudi {
            bytes.set(UInt32(21), at: 16, isBigEndian: isBigEndian)
            bytes.set(UInt32(22), at: 20, isBigEndian: isBigEndian)
            bytes.set(flags, at: 24, isBigEndian: isBigEndian)
            bytes.set(UInt16(4), at: 28, isBigEndian: isBigEndian)
            bytes.set(UInt16(3), at: 30, isBigEndian: isBigEndian)
            bytes.set(UInt32(1), at: 68, isBigEndian: isBigEndian)
        }
        bytes.set(Array("volume".utf8), at: isAudi ? 28 : 32)
        let counts = [
            blockSizeField, UInt32(Self.inodeCount), UInt32(Self.inodeCount - nodes.count),
            UInt32(Self.blockCount), UInt32(Self.blockCount - next),
        ]
        for (index, count) in counts.enumerated() {
            bytes.set(count, at: 48 + shift + 4 * index, isBigEndian: isBigEndian)
        }
        bytes.set(rootNode(Self.inodeCount * 128, [1, 2, 3, 4]), at: 72 + shift)
        bytes.set(rootNode(Self.blockCount / 8, [0]), at: 152 + shift)
        bytes.set(rootNode(longBlocks.count * 512, longBlocks), at: 232 + shift)
        if !isAudi { bytes.set(rootNode(0, []), at: 312) }
        Self.sum(&bytes, at: 0, isBigEndian: isBigEndian)
        return bytes
    }

    /// The volume's bytes.
    func build() -> [UInt8] {
        var whole = self
        var longBlocks: [UInt32] = []
        for name in longNames {
            let length = [UInt8](UInt16(name.utf8.count), isBigEndian: isBigEndian)
            longBlocks.append(whole.block(length + Array(name.utf8)))
        }
        for block in 0..<whole.next { whole.data[block / 8] |= 1 << UInt8(block % 8) }
        // The bits behind the volume are set.
        whole.data.set(
            [UInt8](repeating: 0xff, count: 512 - Self.blockCount / 8), at: Self.blockCount / 8)
        for (number, node) in nodes {
            whole.data.set(inodeBytes(node), at: 512 + (number - 1) * 128)
        }
        var bytes = [UInt8](repeating: 0, count: dataStart)
        bytes.set(whole.superblock(serials[0], longBlocks), at: start)
        bytes += whole.data + whole.superblock(serials[1], longBlocks)
        bytes.pad(to: 4096)
        return bytes
    }
}
