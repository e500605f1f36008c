/// Holds a QNX 6 volume against the rules of its format: the sums of the superblocks, the bitmap
/// against the blocks that files have, directories, link counts, and the sums of long names.
///
/// It reads all but the data of files. Memory is a bit a block and three bytes an inode.
public struct QNX6Check {
    /// Blocks that a volume may have for its bitmap to be held against them.
    private static let mostBlocks: UInt32 = 1 << 30
    /// Inodes that a volume may have for its directories to be gone through.
    private static let mostInodes: UInt32 = 1 << 26

    let volume: QNX6Volume
    var findings: QNX.Findings
    /// The blocks that were found in use.
    var used = QNX.BitSet(count: 0)
    /// The inodes that are in use.
    var inodes = QNX.BitSet(count: 0)
    /// Names that lead to each inode.
    var links: [UInt16] = []
    /// The directories that were come to.
    var reached = QNX.BitSet(count: 0)

    var blocks: QNX6.Blocks { volume.blocks }

    /// What is wrong with the volume that starts at the source's first byte: a line each, the first
    /// thousand. Empty for a volume as QNX leaves it.
    public static func findings(in source: any ByteSource) -> [FormatError] {
        var findings = QNX.Findings()
        findings.catching { findings throws(FormatError) in
            let superblocks = try QNX6.Superblocks(source)
            // What lies behind the end would be a line for each thing that is missed.
            if let cutOff = superblocks.cutOff(of: source) { throw cutOff }
            for result in [superblocks.first, superblocks.second] {
                if case .failure(let error) = result { findings.add(error) }
            }
            var check = QNX6Check(volume: try QNX6Volume(source), findings: findings)
            check.run()
            findings = check.findings
        }
        return findings.list
    }

    private mutating func run() {
        let superblock = volume.superblock
        checkCounts(superblock)
        guard superblock.blockCount <= Self.mostBlocks, superblock.inodeCount <= Self.mostInodes
        else {
            findings.add(
                .unsupported(
                    place(QNX6.Superblock.At.blockCount),
                    found: "\(superblock.blockCount) blocks, \(superblock.inodeCount) inodes",
                    expected: "\(Self.mostBlocks) and \(Self.mostInodes) at most, to be checked"))
            return
        }
        used = QNX.BitSet(count: Int(superblock.blockCount))
        inodes = QNX.BitSet(count: Int(recordCount))
        reached = QNX.BitSet(count: Int(recordCount))
        links = Array(repeating: 0, count: Int(recordCount) &+ 1)
        claimSystemFiles(superblock)
        checkInodes(superblock)
        walk()
        checkLinks()
        checkBitmap(superblock)
    }

    /// Where a field of the active superblock stands.
    func place<Value>(_ field: Field<Value>) -> Place {
        field.place(volume.superblock.layout.shift).moved(by: volume.superblocks.activeOffset)
    }

    private mutating func checkCounts(_ superblock: QNX6.Superblock) {
        typealias At = QNX6.Superblock.At
        let size = UInt64(superblock.inodeCount) &* UInt64(QNX6.Inode.byteCount)
        if superblock.inodes.size != size {
            findings.add(
                place(At.inodeCount), found: "\(superblock.inodeCount)",
                expected: "\(superblock.inodes.size / UInt64(QNX6.Inode.byteCount)), as the inode"
                    + " table has")
        }
        let bytes = (UInt64(superblock.blockCount) &+ 7) / 8
        if superblock.bitmap.size < bytes {
            findings.add(
                place(At.blockCount), found: "\(superblock.blockCount)",
                expected: "\(superblock.bitmap.size &* 8) at most, as the bitmap has")
        }
        if superblock.layout == .standard, !(1...64).contains(superblock.groupCount) {
            findings.add(
                place(At.groupCount), found: "\(superblock.groupCount)", expected: "1 through 64")
        }
    }

    // MARK: Inodes

    /// Inodes that the table has records for, whatever number the superblock says: not more than all
    /// blocks of the volume hold.
    private var recordCount: UInt32 {
        let size = UInt64(QNX6.Inode.byteCount)
        let most = UInt64(blocks.blockCount) &* UInt64(blocks.blockSize)
        return min(
            volume.superblock.inodeCount, UInt32(clamping: min(volume.table.size, most) / size))
    }

    /// Claims the blocks of every inode in use, and notes it.
    private mutating func checkInodes(_ superblock: QNX6.Superblock) {
        let inBlock = UInt64(blocks.blockSize / QNX6.Inode.byteCount)
        let blockCount = (UInt64(recordCount) &+ inBlock &- 1) / inBlock
        guard blocks.reaches(volume.table) else { return }
        var seen = QNX.BitSet(count: Int(blocks.blockCount))
        var count: UInt32 = 0
        var index: UInt64 = 0
        var errors = 0
        while index < blockCount {
            // One pointer can be that of very many blocks.
            guard errors < QNX.Findings.most, !findings.isFull else { return }
            do throws(FormatError) {
                let run = try blocks.run(of: volume.table, at: index, most: blockCount &- index)
                guard let start = run.start else {
                    index &+= run.count
                    continue
                }
                for block in 0..<run.count {
                    // A table that comes back to a block was told when its blocks were noted.
                    guard seen.insert(UInt64(start) &+ block), !findings.isFull else { return }
                    count &+= try checkInodes(inBlock: index)
                    index &+= 1
                }
            } catch {
                findings.add(error)
                errors &+= 1
                index &+= 1
            }
        }
        let free = superblock.inodeCount &- count
        if superblock.freeInodeCount != free {
            findings.add(
                place(QNX6.Superblock.At.freeInodeCount), found: "\(superblock.freeInodeCount)",
                expected: "\(free)")
        }
    }

    /// As above, of one block of the table; gives how many are in use.
    private mutating func checkInodes(inBlock index: UInt64) throws(FormatError) -> UInt32 {
        let inBlock = UInt32(blocks.blockSize / QNX6.Inode.byteCount)
        let first = UInt32(clamping: index &* UInt64(inBlock))
        let end = min(recordCount, first &+ inBlock)
        var count: UInt32 = 0
        for record in first..<end {
            let number = record &+ 1
            guard let node = try volume.node(number) else {
                try checkFree(number)
                continue
            }
            count &+= 1
            _ = inodes.insert(UInt64(number))
            checkInode(node)
        }
        return count
    }

    /// A free inode is all zeros: with anything in it, it is a damaged one.
    private mutating func checkFree(_ number: UInt32) throws(FormatError) {
        let size = QNX6.Inode.byteCount
        guard volume.superblock.layout == .standard else { return }
        let found = try blocks.record(
            of: volume.table, size: size, at: UInt64(number &- 1)
        ) { bytes, base, offset throws(FormatError) in
            var bits: UInt64 = 0
            for index in 0..<(size / 8) {
                bits |= try bytes.read(Field<UInt64>(8 &* index, "qnx6 inode"), from: base, .little)
            }
            return (bits, offset)
        }
        guard let (bits, offset) = found, bits != 0 else { return }
        findings.add(
            QNX6.Inode.At.mode.place(0).moved(by: offset),
            found: "0x0 in inode \(number), which is not all zeros",
            expected: "a type that is known, or zeros")
    }

    private mutating func checkInode(_ node: QNX6Volume.Node) {
        typealias At = QNX6.Inode.At
        if let problem = volume.problem(with: node) {
            findings.add(problem)
            return
        }
        if node.inode.flags & 1 == 0 {
            findings.add(
                At.flags.place(0).moved(by: node.offset),
                found: "\(hex(node.inode.flags)) in inode \(node.number)",
                expected: "bit 0x1, as it is in use")
        }
        switch node.inode.kind {
        case .file?, .directory?, .symlink?:
            claim(
                node.tree, "inode \(node.number)",
                mayHaveHoles: volume.superblock.flags & QNX6.Superblock.sparseFlag != 0)
        default: break
        }
    }

    private mutating func checkLinks() {
        for number in 1...UInt32(max(1, links.count &- 1)) where inodes.contains(UInt64(number)) {
            if findings.isFull { return }
            do throws(FormatError) {
                guard let node = try volume.node(number) else { continue }
                let found = links[Int(number)]
                guard found != node.inode.linkCount else { continue }
                let place = QNX6.Inode.At.linkCount.place(0).moved(by: node.offset)
                findings.add(
                    place, found: "\(node.inode.linkCount) in inode \(number)",
                    expected: found == 0 ? "a name that leads to it" : "\(found)")
            } catch {
                findings.add(error)
            }
        }
    }
}
