extension QNX4Check {
    /// Notes the blocks of a file as in use: those of its extents, and those that list them.
    mutating func claimBlocks(of node: Node) {
        let record = node.record
        guard record.extentCount > 0 else {
            if record.size > 0 { tellSize(of: node, blockCount: 0) }
            return
        }
        var count = UInt64(record.first.count)
        do throws(FormatError) {
            claim(record.first, QNX4.InodeRecord.At.firstStart.place(0).moved(by: node.offset))
            var rest = Int(record.extentCount) &- 1
            var previous: UInt32 = 0
            try blocks.extentBlocks(of: record, at: node.offset) {
                number, block throws(FormatError) in
                let offset = blocks.offset(of: number)
                let place = Place("qnx4 extent block", offset)
                guard claim(QNX4.Extent(start: number, count: 1), place) else {
                    throw .corrupt(
                        place, found: "block \(number) again", expected: "the end of the chain")
                }
                check(block, behind: previous, of: record, at: offset)
                previous = number
                for (index, extent) in block.extents.prefix(rest).enumerated() {
                    claim(extent, QNX4.ExtentBlock.At.start(index).place(0).moved(by: offset))
                    count &+= UInt64(extent.count)
                }
                rest &-= block.extents.count
            }
        } catch {
            findings.add(error)
            return
        }
        if UInt64(record.size) > count &* UInt64(QNX4.blockSize) {
            tellSize(of: node, blockCount: count)
        }
    }

    private mutating func tellSize(of node: Node, blockCount: UInt64) {
        findings.add(
            QNX4.InodeRecord.At.size.place(0).moved(by: node.offset),
            found: "\(node.record.size) bytes",
            expected: "at most the \(blockCount) blocks of its extents")
    }

    private mutating func check(
        _ block: QNX4.ExtentBlock, behind previous: UInt32, of record: QNX4.InodeRecord,
        at offset: UInt64
    ) {
        typealias At = QNX4.ExtentBlock.At
        if block.previous != previous {
            findings.add(
                At.previous.place(0).moved(by: offset), found: "\(block.previous)",
                expected: "\(previous)")
        }
        let count = block.extents.reduce(UInt64(0)) { $0 &+ UInt64($1.count) }
        if UInt64(block.blockCount) != count {
            findings.add(
                At.blockCount.place(0).moved(by: offset), found: "\(block.blockCount)",
                expected: "\(count)")
        }
        if block.first != record.first {
            findings.add(
                At.firstStart.place(0).moved(by: offset), found: "\(block.first)",
                expected: "\(record.first), as the file's record has")
        }
    }

    /// Notes blocks as in use; false, and told, if one of them is so already.
    @discardableResult
    private mutating func claim(_ extent: QNX4.Extent, _ place: Place) -> Bool {
        guard extent.isInside(UInt64(blocks.blockCount) &* UInt64(QNX4.blockSize)) else {
            findings.add(place, found: "\(extent)", expected: "1 through \(blocks.blockCount)")
            return false
        }
        var shared: UInt64 = 0
        for block in 0..<UInt64(extent.count)
        where !used.insert(UInt64(extent.start) &- 1 &+ block) {
            shared &+= 1
            // An extent that is all somebody else's is not gone through to its end.
            if shared > 64 { break }
        }
        if shared > 0 {
            findings.add(place, found: "\(extent)", expected: "blocks that nothing else has")
        }
        return shared == 0
    }

    // MARK: The bitmap

    mutating func checkBitmap() {
        do throws(FormatError) {
            guard let bitmap = try QNX4Volume.bitmap(in: root, blocks) else {
                findings.add(
                    QNX4.InodeRecord.At.firstStart.place(0).moved(by: root.offset),
                    found: "no '.bitmap' in the root directory",
                    expected: "the bitmap of the volume's blocks")
                return
            }
            let blockCount = min(UInt64(blocks.blockCount), UInt64(bitmap.record.size) &* 8)
            var comparison = QNX.BitmapComparison(used, blockCount: blockCount, firstBlock: 1)
            let pieces = try blocks.pieces(of: bitmap)
            try QNX4Volume.eachPiece(of: bitmap, count: (blockCount &+ 7) / 8, blocks) {
                bytes, first throws(FormatError) in
                for start in stride(from: 0, to: bytes.count, by: QNX4.blockSize) {
                    let index = (first &+ UInt64(start)) / UInt64(QNX4.blockSize)
                    let (piece, inPiece) = try blocks.piece(index, in: pieces, of: bitmap)
                    let block = piece.start &+ UInt32(clamping: inPiece)
                    comparison.take(
                        bytes[start..<min(bytes.count, start &+ QNX4.blockSize)],
                        from: Int(first) &+ start,
                        at: Place("qnx4 bitmap", blocks.offset(of: block)),
                        &findings)
                }
            }
            comparison.end(&findings)
        } catch {
            findings.add(error)
        }
    }
}
