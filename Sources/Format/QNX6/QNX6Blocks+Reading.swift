extension QNX6.Blocks {
    /// Reads a file's bytes from `offset` on, up to its end; holes read as zeros.
    func read(
        _ tree: QNX6.BlockTree, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int {
        guard offset < tree.size else { return 0 }
        let wanted = Int(clamping: min(UInt64(clamping: buffer.count), tree.size &- offset))
        var done = 0
        while done < wanted {
            let position = offset &+ UInt64(done)
            let inBlock = position & UInt64(blockSize &- 1)
            let rest = UInt64(wanted &- done)
            let run = try run(
                of: tree, at: position &>> shift, most: blocks(inBlock &+ rest))
            let count = Int(min(rest, run.count &<< shift &- inBlock))
            let piece = unsafe UnsafeMutableRawBufferPointer(
                rebasing: buffer[done..<(done &+ count)])
            if let start = run.start {
                try unsafe fill(piece, from: self.offset(of: start) &+ inBlock)
            } else {
                unsafe piece.initializeMemory(as: UInt8.self, repeating: 0)
            }
            done &+= count
        }
        return done
    }

    private func fill(
        _ buffer: UnsafeMutableRawBufferPointer, from offset: UInt64
    ) throws(FormatError) {
        let count = try unsafe source.read(into: buffer, at: offset)
        guard count == buffer.count else {
            throw .truncated(
                Place("qnx6 block", offset), needed: UInt64(buffer.count),
                available: UInt64(count))
        }
    }

    /// The bytes of a file that the caller knows to be short.
    func contents(of tree: QNX6.BlockTree) throws(FormatError) -> [UInt8] {
        try unsafe .filled(upTo: Int(clamping: tree.size)) { buffer throws(FormatError) in
            try unsafe read(tree, into: buffer, at: 0)
        }
    }

    /// Calls `body` with each record of a file of records from the `first`th on, at the byte given
    /// of the bytes given, until it returns false. The size of a record divides that of a block;
    /// what lies in holes is left out.
    func records(
        of tree: QNX6.BlockTree, size: Int, from first: UInt64,
        _ body: (_ index: UInt64, RawSpan, _ base: Int) throws(FormatError) -> Bool
    ) throws(FormatError) {
        let count = tree.size / UInt64(size)
        let inBlock = UInt64(blockSize / size)
        var record = first
        while record < count {
            let index = record / inBlock
            let run = try run(of: tree, at: index, most: blocks(tree.size) &- index)
            guard let start = run.start else {
                record = (index &+ run.count) &* inBlock
                continue
            }
            for block in 0..<run.count {
                let goesOn = try withBlock(start &+ UInt32(block)) {
                    bytes, base throws(FormatError) in
                    let end = min(count, (index &+ block &+ 1) &* inBlock)
                    while record < end {
                        let place = base &+ Int(record % inBlock) &* size
                        guard try body(record, bytes, place) else { return false }
                        record &+= 1
                    }
                    return true
                }
                guard goesOn else { return }
            }
        }
    }

    /// Runs `body` with one record of a file of records, and with where it stands in the source;
    /// nil where it lies in a hole. The caller has checked that it is before the file's end.
    func record<Result>(
        of tree: QNX6.BlockTree, size: Int, at index: UInt64,
        _ body: (RawSpan, _ base: Int, _ offset: UInt64) throws(FormatError) -> Result
    ) throws(FormatError) -> Result? {
        let inBlock = UInt64(blockSize / size)
        guard let block = try run(of: tree, at: index / inBlock, most: 1).start else { return nil }
        let place = Int(index % inBlock) &* size
        return try withBlock(block) { bytes, base throws(FormatError) in
            try body(bytes, base &+ place, offset(of: block) &+ UInt64(place))
        }
    }
}
