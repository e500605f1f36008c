extension QNX6Check {
    // MARK: Blocks in use

    /// Claims the blocks of the volume's own files, and the areas that are kept for two of each.
    mutating func claimSystemFiles(_ superblock: QNX6.Superblock) {
        let base = volume.superblocks.activeOffset
        let nodes: [(QNX6.RootNode?, String)] = [
            (superblock.inodes, "the inode table"), (superblock.bitmap, "the bitmap"),
            (superblock.longNames, "the long names"), (superblock.reclaim, "inodes to reclaim"),
            (superblock.extra, "the extra file"),
        ]
        for (index, (node, name)) in nodes.enumerated() {
            guard let node, node.size > 0 else { continue }
            let tree = node.tree(at: base &+ UInt64(clamping: superblock.nodeOffset(index)))
            guard blocks.reaches(tree) else {
                findings.add(
                    tree.place, found: "\(node.size) bytes of \(name)",
                    expected: "bytes that 16 pointers, \(node.depth) levels deep, reach")
                continue
            }
            claim(tree, name)
        }
        let area = areaSize(superblock)
        for block in 0..<min(area &* 2, UInt64(superblock.blockCount)) {
            _ = used.insert(block)
        }
    }

    /// Blocks of each of the two areas in which bitmap and inode table lie by turns.
    private func areaSize(_ superblock: QNX6.Superblock) -> UInt64 {
        func whole(_ size: UInt64) -> UInt64 {
            var sum = blocks.blocks(size)
            var level = sum
            var rest = 16
            while level > 16, rest > 0 {
                level = (level &+ UInt64(blocks.blockSize / 4) &- 1) / UInt64(blocks.blockSize / 4)
                sum &+= level
                rest &-= 1
            }
            return sum
        }
        let bitmap = (UInt64(superblock.blockCount) &+ 7) / 8
        let most = UInt64(superblock.blockCount)
        return min(most, whole(bitmap))
            &+ min(most, whole(UInt64(superblock.inodeCount) &* UInt64(QNX6.Inode.byteCount)))
    }

    /// Notes all blocks of a file as in use. In a file that may not have holes, one is told; and so are
    /// blocks behind its end.
    mutating func claim(
        _ tree: QNX6.BlockTree, _ owner: @autoclosure () -> String, mayHaveHoles: Bool = false
    ) {
        var file = ClaimedFile(
            blockCount: blocks.blocks(tree.size), fan: UInt64(blocks.blockSize / 4))
        claim(tree.pointers, level: tree.depth, from: 0, of: &file, owner) {
            tree.place(ofSlot: $0)
        }
        if let (place, number) = file.hole, !mayHaveHoles {
            findings.add(
                place,
                found: "no block as number \(number) of \(owner())",
                expected: "one for each of its \(tree.size) bytes")
        }
        if let (place, block) = file.surplus {
            findings.add(
                place,
                found: "block \(block) of \(owner()) behind its \(tree.size) bytes",
                expected: "none there")
        }
    }

    /// What was seen of a file's blocks so far.
    private struct ClaimedFile {
        /// How many it should have.
        let blockCount: UInt64
        /// Pointers in a block.
        let fan: UInt64
        /// Where the first pointer stands that should not be empty, and the number of its block.
        var hole: (Place, UInt64)?
        /// Where the first pointer stands that should be empty, and the block that it leads to.
        var surplus: (Place, UInt32)?

        /// Blocks of the file below one pointer.
        func span(_ level: UInt8) -> UInt64 {
            var span: UInt64 = 1
            for _ in 0..<level {
                let (product, isTooLarge) = span.multipliedReportingOverflow(by: fan)
                guard !isTooLarge else { return .max }
                span = product
            }
            return span
        }
    }

    /// Pointers side by side with the same fault, which are told as one.
    private struct FaultyPointers {
        var place: Place
        var pointer: UInt32
        var count: Int
        var isOutside: Bool
    }

    /// Notes the blocks that a list of pointers names, and those below them, unless somebody has them:
    /// then a loop or a tree that is two files' ends here. The first pointer's first block is the
    /// `first`th of its file.
    private mutating func claim(
        _ pointers: [UInt32], level: UInt8, from first: UInt64, of file: inout ClaimedFile,
        _ owner: () -> String, _ place: (Int) -> Place
    ) {
        let span = file.span(level)
        var number = first
        var fault: FaultyPointers?
        for (slot, pointer) in pointers.enumerated() where !findings.isFull {
            defer {
                let (next, isTooLarge) = number.addingReportingOverflow(span)
                number = isTooLarge ? .max : next
            }
            let isBehind = number >= file.blockCount
            if QNX6.BlockTree.isHole(pointer) {
                if !isBehind, file.hole == nil { file.hole = (place(slot), number) }
                tell(&fault, owner)
                continue
            }
            let isOutside = pointer >= blocks.blockCount
            guard isOutside || !used.insert(UInt64(pointer)) else {
                tell(&fault, owner)
                if isBehind, file.surplus == nil { file.surplus = (place(slot), pointer) }
                claimBelow(pointer, level: level, from: number, of: &file, owner)
                continue
            }
            if fault?.isOutside != isOutside { tell(&fault, owner) }
            fault =
                fault
                ?? FaultyPointers(
                    place: place(slot), pointer: pointer, count: 0, isOutside: isOutside)
            fault?.count &+= 1
        }
        tell(&fault, owner)
    }

    private mutating func tell(_ fault: inout FaultyPointers?, _ owner: () -> String) {
        guard let told = fault else { return }
        fault = nil
        let more = told.count > 1 ? " and \(told.count &- 1) like it behind" : ""
        findings.add(
            told.place, found: "block \(told.pointer) of \(owner())\(more)",
            expected: told.isOutside
                ? "less than \(blocks.blockCount)" : "a block that nothing else has")
    }

    private mutating func claimBelow(
        _ pointer: UInt32, level: UInt8, from first: UInt64, of file: inout ClaimedFile,
        _ owner: () -> String
    ) {
        guard level > 0 else { return }
        do throws(FormatError) {
            let pointers = try blocks.withBlock(pointer) { bytes, base throws(FormatError) in
                var pointers: [UInt32] = []
                for index in 0..<(blocks.blockSize / 4) {
                    pointers.append(
                        try bytes.read(QNX6.Blocks.pointer(index), from: base, blocks.order))
                }
                return pointers
            }
            let start = blocks.offset(of: pointer)
            claim(pointers, level: level &- 1, from: first, of: &file, owner) {
                Place("qnx6 pointer block", start &+ 4 &* UInt64($0))
            }
        } catch {
            findings.add(error)
        }
    }

    // MARK: The bitmap

    /// Holds the bitmap against the blocks in use.
    mutating func checkBitmap(_ superblock: QNX6.Superblock) {
        guard !findings.isFull else { return }
        let base = volume.superblocks.activeOffset
        let tree = superblock.bitmap.tree(at: base &+ UInt64(clamping: superblock.nodeOffset(1)))
        let blockCount = UInt64(superblock.blockCount)
        guard blocks.reaches(tree), tree.size &* 8 >= blockCount else { return }
        var comparison = QNX.BitmapComparison(
            used, blockCount: blockCount, firstBlock: 0,
            isFull: superblock.layout == .standard
                && superblock.flags & QNX6.Superblock.largeBitmapFlag == 0)
        do throws(FormatError) {
            for block in 0..<blocks.blocks((blockCount &+ 7) / 8) {
                // A hole was told when the bitmap's own blocks were noted.
                guard let start = try blocks.run(of: tree, at: block, most: 1).start else { return }
                let bytes = try blocks.withBlock(start) { bytes, base in
                    bytes.bytes(base..<(base &+ blocks.blockSize))
                }
                comparison.take(
                    bytes, from: Int(block) &* blocks.blockSize,
                    at: Place("qnx6 bitmap", blocks.offset(of: start)), &findings)
            }
            comparison.end(&findings)
            guard UInt64(superblock.freeBlockCount) != comparison.freeCount else { return }
            findings.add(
                place(QNX6.Superblock.At.freeBlockCount), found: "\(superblock.freeBlockCount)",
                expected: "\(comparison.freeCount), as the bitmap has")
        } catch {
            findings.add(error)
        }
    }
}
