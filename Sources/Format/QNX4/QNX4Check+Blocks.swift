extension QNX4Check {
    /// Notes the blocks of a file as in use: those of its extents, and those that list them.
    mutating func claimBlocks(of node: Node) {
        let record = node.record
        if record.extentCount <= 1, record.extentBlock != 0 {
            findings.add(
                QNX4.InodeRecord.At.extentBlock.place(0).moved(by: node.offset),
                found: "\(record.extentBlock) with \(record.extentCount) extents", expected: "0")
        }
        guard record.extentCount > 0 else {
            if record.size > 0 { tellSize(of: node, blockCount: 0) }
            return
        }
        var count = UInt64(record.first.count)
        do throws(FormatError) {
            claim(record.first, QNX4.InodeRecord.At.firstStart.place(0).moved(by: node.offset))
            var rest = Int(record.extentCount) &- 1
            var previous: UInt32 = 0
            var chained = true
            try blocks.extentBlocks(of: record, at: node.offset) {
                number, block throws(FormatError) in
                let offset = blocks.offset(of: number)
                // A chain that others have too, or that comes back, ends here.
                guard chained else { return }
                guard
                    claim(
                        QNX4.Extent(start: number, count: 1), Place("qnx4 extent block", offset))
                else {
                    chained = false
                    return
                }
                check(block, behind: previous, of: record, at: offset)
                previous = number
                for (index, extent) in block.extents.prefix(rest).enumerated() {
                    claim(extent, QNX4.ExtentBlock.At.start(index).place(0).moved(by: offset))
                    count &+= UInt64(extent.count)
                }
                rest &-= block.extents.count
                if rest <= 0, block.next != 0 {
                    findings.add(
                        QNX4.ExtentBlock.At.next.place(0).moved(by: offset),
                        found: "block \(block.next)",
                        expected: "0, as the \(record.extentCount) extents end here")
                }
            }
            guard chained else { return }
        } catch {
            findings.add(error)
            return
        }
        if UInt64(record.size) > count &* UInt64(QNX4.blockSize) {
            tellSize(of: node, blockCount: count)
        } else if record.status & QNX4.Status.grown == 0,
            count > (UInt64(record.size) &+ UInt64(QNX4.blockSize) &- 1) / UInt64(QNX4.blockSize)
        {
            findings.add(
                QNX4.InodeRecord.At.size.place(0).moved(by: node.offset),
                found: "\(record.size) bytes in \(count) blocks",
                expected: "no more blocks than that takes, or bit 0x40 of the status")
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
            let bits = UInt64(bitmap.record.size) &* 8
            let blockCount = min(UInt64(blocks.blockCount), bits)
            let place = QNX4.InodeRecord.At.size.place(0).moved(by: bitmap.offset)
            if let excess = QNX4Volume.excess(of: bitmap, blocks) { findings.add(excess) }
            if let block = used.first(from: blockCount) {
                findings.add(
                    place, found: "\(bitmap.record.size), for \(bits) blocks",
                    expected: "more, as a file has block \(block &+ 1)")
            }
            var comparison = QNX.BitmapComparison(
                used, blockCount: blockCount, firstBlock: 1, isFull: bits &- blockCount < 8)
            for index in 0..<((blockCount &+ 4095) / 4096) {
                let pieces = try blocks.pieces(of: bitmap)
                let (piece, inPiece) = try blocks.piece(index, in: pieces, of: bitmap)
                let block = piece.start &+ UInt32(clamping: inPiece)
                let bytes = try blocks.withBlock(block) { bytes, base in
                    bytes.bytes(base..<(base &+ QNX4.blockSize))
                }
                comparison.take(
                    bytes, from: Int(index) &* QNX4.blockSize,
                    at: Place("qnx4 bitmap", blocks.offset(of: block)), &findings)
            }
            comparison.end(&findings)
        } catch {
            findings.add(error)
        }
    }
}
