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

    /// Notes all blocks of a file as in use.
    mutating func claim(_ tree: QNX6.BlockTree, _ owner: @autoclosure () -> String) {
        for (slot, pointer) in tree.pointers.enumerated() {
            claim(pointer, level: tree.depth, tree.place(ofSlot: slot), owner)
        }
    }

    /// Notes a block, and those that its pointers name, unless somebody has it: then a loop or a
    /// tree that is two files' ends here.
    private mutating func claim(
        _ pointer: UInt32, level: UInt8, _ place: @autoclosure () -> Place, _ owner: () -> String
    ) {
        guard !QNX6.BlockTree.isHole(pointer), !findings.isFull else { return }
        guard pointer < blocks.blockCount else {
            findings.add(
                place(), found: "block \(pointer) of \(owner())",
                expected: "less than \(blocks.blockCount)")
            return
        }
        guard used.insert(UInt64(pointer)) else {
            findings.add(
                place(), found: "block \(pointer) of \(owner())",
                expected: "a block that nothing else has")
            return
        }
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
            for (index, next) in pointers.enumerated() {
                claim(
                    next, level: level &- 1,
                    Place("qnx6 pointer block", start &+ 4 &* UInt64(index)), owner)
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
        var comparison = QNX.BitmapComparison(used, blockCount: blockCount, firstBlock: 0)
        do throws(FormatError) {
            for block in 0..<blocks.blocks((blockCount &+ 7) / 8) {
                guard let start = try blocks.run(of: tree, at: block, most: 1).start else {
                    throw .corrupt(
                        tree.place, found: "a hole as block \(block) of the bitmap",
                        expected: "a block")
                }
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
