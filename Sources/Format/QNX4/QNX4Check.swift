/// Holds a QNX 4 volume against the rules of its format: the bitmap against the blocks that files
/// have, chains of extents, directories, link counts, and long names.
///
/// It reads all but the data of files. Memory is a bit a block, and some bytes a file.
public struct QNX4Check {
    /// Blocks that a volume may have for its bitmap to be held against them.
    private static let mostBlocks: UInt32 = 1 << 30

    typealias Node = QNX4.Blocks.Node

    let volume: QNX4Volume
    let root: Node
    var findings = QNX.Findings()
    /// The blocks that were found in use, by their number less 1.
    var used: QNX.BitSet
    /// The files that were come to.
    private var met: Set<QNX4.RecordPlace> = []
    /// Names that lead to each file, `.` and `..` among them.
    var links: [QNX4.RecordPlace: UInt32] = [:]
    /// Blocks of long names that a directory's record has.
    var longNames: Set<UInt32> = []
    /// Directories that are still to be gone through, and the one that holds each.
    var pending: [(directory: Node, parent: QNX4.RecordPlace)] = []

    var blocks: QNX4.Blocks { volume.blocks }

    /// What is wrong with the volume that starts at the source's first byte: a line each, the first
    /// thousand. Empty for a volume as QNX leaves it.
    public static func findings(in source: any ByteSource) -> [FormatError] {
        do throws(FormatError) {
            let volume = try QNX4Volume(source)
            guard volume.blocks.blockCount <= mostBlocks else {
                throw .unsupported(
                    Place("qnx4 volume", 0), found: "\(volume.blocks.blockCount) blocks",
                    expected: "\(mostBlocks) at most, to be checked")
            }
            guard let root = try volume.blocks.node(at: .root) else { return [] }
            var check = QNX4Check(volume, root)
            check.run()
            return check.findings.list
        } catch {
            return [error]
        }
    }

    private init(_ volume: QNX4Volume, _ root: Node) {
        self.volume = volume
        self.root = root
        used = QNX.BitSet(count: Int(volume.blocks.blockCount))
    }

    private mutating func run() {
        if root.record.status & QNX4.Status.clean == 0 {
            findings.add(
                QNX4.InodeRecord.At.status.place(0).moved(by: root.offset),
                found: hex(root.record.status), expected: "bit 0x20, of a volume left in order")
        }
        // The loader and the root block.
        for block in [0, 1] as [UInt64] { _ = used.insert(block) }
        meet(root, in: .root)
        goThroughDirectories()
        checkRootBlock()
        checkInodeFile()
        goThroughDirectories()
        checkLongNames()
        checkLinks()
        checkBitmap()
    }

    private mutating func goThroughDirectories() {
        while let (directory, parent) = pending.popLast(), !findings.isFull {
            do throws(FormatError) {
                try checkDirectory(directory, in: parent)
            } catch {
                findings.add(error)
            }
        }
    }

    // MARK: Files

    /// Takes note of a file: its blocks are in use, and if it is a directory, it will be gone
    /// through. False if it was met before.
    @discardableResult
    mutating func meet(_ node: Node, in parent: QNX4.RecordPlace) -> Bool {
        guard met.insert(node.place).inserted else { return false }
        if let problem = QNX4Volume.problem(with: node) {
            findings.add(problem)
            return true
        }
        claimBlocks(of: node)
        if node.isDirectory { pending.append((node, parent)) }
        return true
    }

    /// The records of the root block that no directory names: those of the system's files, which the
    /// root directory should name; and a `lost+found` that is hidden, but counts as a subdirectory. A
    /// real image has that one.
    private mutating func checkRootBlock() {
        for index in 1..<UInt8(QNX4.recordsPerBlock) {
            let place = QNX4.RecordPlace(block: 2, index: index)
            do throws(FormatError) {
                guard let node = try blocks.node(at: place), !met.contains(place) else {
                    continue
                }
                meet(node, in: .root)
                if index <= 3 {
                    findings.add(
                        Place("qnx4 root block", node.offset),
                        found: "record \(index) without a name",
                        expected: "\(Self.systemFiles[Int(index)]) in the root directory")
                }
                links[place, default: 0] &+= 1
            } catch {
                findings.add(error)
            }
        }
    }

    /// What the root block's records are called, in their order.
    private static let systemFiles = ["/", ".inodes", ".boot", ".altboot"]

    /// The blocks of `.longfilenames` that are in use, but not by the record that they name.
    private mutating func checkLongNames() {
        do throws(FormatError) {
            guard let file = try QNX4Volume.file(".longfilenames", in: root, blocks) else { return }
            var rest = min(file.record.size / UInt32(QNX4.blockSize), blocks.blockCount)
            for piece in try blocks.pieces(of: file) {
                let count = UInt32(clamping: min(UInt64(rest), piece.end &- piece.before))
                rest &-= count
                for block in piece.start..<(piece.start &+ count) where !findings.isFull {
                    try checkLongName(block)
                }
            }
        } catch {
            findings.add(error)
        }
    }

    private mutating func checkLongName(_ block: UInt32) throws(FormatError) {
        let isInUse = try blocks.withBlock(block) { bytes, base throws(FormatError) in
            try bytes.read(QNX4.LongNameBlock.At.status, from: base, .little) & 1 == 1
        }
        guard isInUse, !longNames.contains(block), let long = try volume.longName(block) else {
            return
        }
        findings.add(
            Place("qnx4 long name", blocks.offset(of: block)),
            found: "the name of record \(long.owner.number)",
            expected: "one that this record has, or none in use")
    }

    /// The records of `.inodes`: its mark, and that each in use has a name.
    private mutating func checkInodeFile() {
        do throws(FormatError) {
            guard let file = try blocks.node(at: .inodes) else {
                findings.add(
                    Place("qnx4 root block", blocks.offset(of: .inodes)),
                    found: "no file as record 1", expected: "the record of .inodes")
                return
            }
            let mark = Array("IamTHE.inodeFILE".utf8)
            let first = try blocks.pieces(of: file).first?.start ?? 0
            if blocks.has(first) {
                let found = try blocks.withBlock(first) { bytes, base in
                    bytes.bytes(base..<(base &+ mark.count))
                }
                if found != mark {
                    findings.add(
                        Place("qnx4 .inodes", blocks.offset(of: first)),
                        found: "'\(printable(found))'", expected: "'\(printable(mark))'")
                }
            }
            try blocks.records(of: file, from: 1) { _, place, record throws(FormatError) in
                guard case .inode(let inode) = record else { return true }
                let offset = blocks.offset(of: place)
                if inode.status & QNX4.Status.inode == 0 {
                    findings.add(
                        QNX4.InodeRecord.At.status.place(0).moved(by: offset),
                        found: hex(inode.status),
                        expected: "bit 0x10, of a record outside of directories")
                }
                guard !met.contains(place) else { return true }
                findings.add(
                    QNX4.InodeRecord.At.linkCount.place(0).moved(by: offset),
                    found: "\(inode.linkCount)", expected: "a name that leads to it")
                meet(Node(place: place, record: inode, offset: offset), in: .root)
                return !findings.isFull
            }
        } catch {
            findings.add(error)
        }
    }

    private mutating func checkLinks() {
        for (place, count) in links.sorted(by: { $0.key.number < $1.key.number }) {
            if findings.isFull { return }
            do throws(FormatError) {
                guard met.contains(place), let node = try blocks.node(at: place),
                    UInt32(node.record.linkCount) != count
                else { continue }
                findings.add(
                    QNX4.InodeRecord.At.linkCount.place(0).moved(by: node.offset),
                    found: "\(node.record.linkCount)", expected: "\(count)")
            } catch {
                findings.add(error)
            }
        }
    }
}
