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
        inodes = QNX.BitSet(count: Int(superblock.inodeCount))
        reached = QNX.BitSet(count: Int(superblock.inodeCount))
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
    }

    // MARK: Inodes

    /// Inodes that the table has records for, whatever number the superblock says.
    private var recordCount: UInt32 {
        let records = volume.superblock.inodes.size / UInt64(QNX6.Inode.byteCount)
        return min(volume.superblock.inodeCount, UInt32(clamping: records))
    }

    /// Claims the blocks of every inode in use, and notes it.
    private mutating func checkInodes(_ superblock: QNX6.Superblock) {
        var count: UInt32 = 0
        var number: UInt32 = 0
        let most = recordCount
        while number < most, !findings.isFull {
            number &+= 1
            do throws(FormatError) {
                guard let node = try volume.node(number) else { continue }
                count &+= 1
                _ = inodes.insert(UInt64(number))
                checkInode(node)
            } catch {
                findings.add(error)
                // The table cannot be read here, so neither can the rest of its block.
                number |= UInt32(blocks.blockSize / QNX6.Inode.byteCount) &- 1
            }
        }
        guard number >= most else { return }
        let free = superblock.inodeCount &- count
        if superblock.freeInodeCount != free {
            findings.add(
                place(QNX6.Superblock.At.freeInodeCount), found: "\(superblock.freeInodeCount)",
                expected: "\(free)")
        }
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
        case .file?, .directory?, .symlink?: claim(node.tree, "inode \(node.number)")
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
