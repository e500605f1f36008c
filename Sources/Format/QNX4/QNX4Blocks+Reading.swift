extension QNX4.Blocks {
    /// Reads a file's bytes from `offset` on, up to its end.
    func read(
        _ node: Node, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int {
        let size = UInt64(node.record.size)
        guard offset < size else { return 0 }
        let pieces = try pieces(of: node)
        let wanted = Int(clamping: min(UInt64(clamping: buffer.count), size &- offset))
        let blockSize = UInt64(QNX4.blockSize)
        var done = 0
        while done < wanted {
            let position = offset &+ UInt64(done)
            let (piece, index) = try piece(position / blockSize, in: pieces, of: node)
            let inBlock = position % blockSize
            let rest = (piece.end &- piece.before &- index) &* blockSize &- inBlock
            let count = Int(min(UInt64(wanted &- done), rest))
            let start = self.offset(of: piece.start) &+ index &* blockSize &+ inBlock
            let found = try unsafe source.read(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[done..<(done &+ count)]),
                at: start)
            guard found == count else {
                throw .truncated(
                    Place("qnx4 block", start), needed: UInt64(count), available: UInt64(found))
            }
            done &+= count
        }
        return done
    }

    /// The bytes of a file that the caller knows to be short.
    func contents(of node: Node) throws(FormatError) -> [UInt8] {
        try unsafe .filled(upTo: Int(node.record.size)) { buffer throws(FormatError) in
            try unsafe read(node, into: buffer, at: 0)
        }
    }

    /// The record at a place; nil where the volume has no such block.
    func record(
        at place: QNX4.RecordPlace
    ) throws(FormatError) -> QNX4.DirectoryRecord? {
        guard has(place.block), Int(place.index) < QNX4.recordsPerBlock else { return nil }
        return try withBlock(place.block) { bytes, base throws(FormatError) in
            try QNX4.DirectoryRecord(
                parsing: bytes, at: base &+ Int(place.index) &* QNX4.recordSize)
        }
    }

    /// The byte at which a record stands.
    func offset(of place: QNX4.RecordPlace) -> UInt64 {
        offset(of: place.block) &+ UInt64(place.index) &* UInt64(QNX4.recordSize)
    }

    /// The file whose own record stands at a place; nil where none does.
    func node(at place: QNX4.RecordPlace) throws(FormatError) -> Node? {
        guard case .inode(let record) = try record(at: place) else { return nil }
        return Node(place: place, record: record, offset: offset(of: place))
    }

    /// Calls `body` with each record in use of a directory, or of `.inodes`, from the `first`th on,
    /// until it returns false.
    func records(
        of node: Node, from first: UInt64,
        _ body: (UInt32, QNX4.RecordPlace, QNX4.DirectoryRecord) throws(FormatError) -> Bool
    ) throws(FormatError) {
        let count = UInt64(node.record.size) / UInt64(QNX4.recordSize)
        let inBlock = UInt64(QNX4.recordsPerBlock)
        guard first < count else { return }
        let pieces = try pieces(of: node)
        var slot = first
        while slot < count {
            let (piece, index) = try piece(slot / inBlock, in: pieces, of: node)
            let block = piece.start &+ UInt32(clamping: index)
            let goesOn = try withBlock(block) { bytes, base throws(FormatError) in
                let end = min(count, (slot / inBlock &+ 1) &* inBlock)
                while slot < end {
                    let place = QNX4.RecordPlace(block: block, index: UInt8(slot % inBlock))
                    let record = try QNX4.DirectoryRecord(
                        parsing: bytes, at: base &+ Int(place.index) &* QNX4.recordSize)
                    if case .free = record {
                    } else if try !body(UInt32(clamping: slot), place, record) {
                        return false
                    }
                    slot &+= 1
                }
                return true
            }
            guard goesOn else { return }
        }
    }

    /// The record of a directory's slot and where it stands; nil behind the last.
    func record(
        ofSlot slot: UInt32, of node: Node
    ) throws(FormatError) -> (QNX4.RecordPlace, QNX4.DirectoryRecord)? {
        guard UInt64(slot) < UInt64(node.record.size) / UInt64(QNX4.recordSize) else { return nil }
        let block = UInt64(slot) / UInt64(QNX4.recordsPerBlock)
        let (piece, index) = try piece(block, in: try pieces(of: node), of: node)
        let place = QNX4.RecordPlace(
            block: piece.start &+ UInt32(clamping: index),
            index: UInt8(slot % UInt32(QNX4.recordsPerBlock)))
        guard let record = try record(at: place) else { return nil }
        return (place, record)
    }
}
