extension QNX4 {
    /// The blocks of a volume, and the files that lie in them. What is read of directories and
    /// extents stays in caches of bounded size; the data of files is read past them.
    final class Blocks: Sendable {
        let source: any ByteSource
        /// Whole blocks that the source has.
        let blockCount: UInt32

        private static let groupSize: UInt32 = 32
        /// Extents that are kept.
        private let mostPieces: Int
        private let cache: BlockCache
        private let lists = Lock(Lists())

        private struct Lists {
            var lists: [RecordPlace: [Piece]] = [:]
            var count = 0
        }

        /// An extent, and where in the file it ends.
        struct Piece: Sendable {
            /// The number of the extent's first block.
            var start: UInt32
            /// Blocks of the file before it.
            var before: UInt64
            /// Blocks of the file up to its end.
            var end: UInt64
        }

        init(_ source: any ByteSource, _ share: VolumeCaches.Share = .whole) {
            self.source = source
            mostPieces = share.part(of: 1 << 18)
            cache = BlockCache(limit: share.part(of: 8 << 20))
            blockCount = UInt32(clamping: source.byteCount / UInt64(blockSize))
        }

        /// Where a block lies in the source; 0 is where none does.
        func offset(of block: UInt32) -> UInt64 {
            (UInt64(block) &- min(1, UInt64(block))) &* UInt64(blockSize)
        }

        /// Whether the volume has a block of that number.
        func has(_ block: UInt32) -> Bool { block >= 1 && block <= blockCount }

        /// Runs `body` with bytes in which the block, which must be one of the volume, starts at the
        /// index given.
        func withBlock<Result>(
            _ block: UInt32, _ body: (RawSpan, Int) throws(FormatError) -> Result
        ) throws(FormatError) -> Result {
            let group = (block &- 1) / Self.groupSize
            let found = try cache.block(Int(group)) { () throws(FormatError) in
                let first = group &* Self.groupSize
                let count = min(Self.groupSize, blockCount &- first)
                return DecodedBlock(
                    try source.bytes(
                        UInt64(count) &* UInt64(blockSize), at: offset(of: first &+ 1),
                        "qnx4 block"))
            }
            return try found.bytes.parsed { bytes throws(FormatError) in
                try body(bytes, Int((block &- 1) % Self.groupSize) &* blockSize)
            }
        }

        // MARK: Extents

        /// Calls `body` with each block of the chain that lists a file's extents but the first.
        /// Throws `corrupt` for a chain that ends before its time; no chain is longer than the
        /// extents that the record counts.
        func extentBlocks(
            of record: InodeRecord, at offset: UInt64,
            _ body: (UInt32, ExtentBlock) throws(FormatError) -> Void
        ) throws(FormatError) {
            var rest = Int(record.extentCount) &- 1
            var number = record.extentBlock
            var place = InodeRecord.At.extentBlock.place(0).moved(by: offset)
            while rest > 0 {
                guard has(number) else {
                    throw .corrupt(
                        place, found: "block \(number), with \(rest) extents to come",
                        expected: "1 through \(blockCount)")
                }
                let start = self.offset(of: number)
                let block = try withBlock(number) { bytes, base throws(FormatError) in
                    try located(at: start &- UInt64(base)) { () throws(FormatError) in
                        try ExtentBlock(parsing: bytes, at: base)
                    }
                }
                try body(number, block)
                rest &-= block.extents.count
                number = block.next
                place = ExtentBlock.At.next.place(0).moved(by: start)
            }
        }

        /// The extents of a file in their order. Throws `corrupt` for a broken chain and for extents
        /// that are not the volume's.
        func pieces(of node: Node) throws(FormatError) -> [Piece] {
            if let found = lists.withLock({ $0.lists[node.place] }) { return found }
            let record = node.record
            var pieces: [Piece] = []
            func append(_ extent: Extent, _ place: Place) throws(FormatError) {
                guard extent.isInside(UInt64(blockCount) &* UInt64(blockSize)) else {
                    throw .corrupt(
                        place, found: "\(extent)", expected: "1 through \(blockCount)")
                }
                guard extent.count > 0 else { return }
                let before = pieces.last?.end ?? 0
                pieces.append(
                    Piece(
                        start: extent.start, before: before,
                        end: before &+ UInt64(extent.count)))
            }
            guard record.extentCount > 0 else { return [] }
            try append(record.first, InodeRecord.At.firstStart.place(0).moved(by: node.offset))
            var rest = Int(record.extentCount) &- 1
            try extentBlocks(of: record, at: node.offset) { number, block throws(FormatError) in
                let start = offset(of: number)
                for (index, extent) in block.extents.prefix(rest).enumerated() {
                    try append(extent, ExtentBlock.At.start(index).place(0).moved(by: start))
                }
                rest &-= block.extents.count
            }
            if pieces.count > 1 { keep(pieces, of: node.place) }
            return pieces
        }

        private func keep(_ pieces: [Piece], of place: RecordPlace) {
            lists.withLock { state in
                if state.count &+ pieces.count > mostPieces { state = Lists() }
                if state.lists.updateValue(pieces, forKey: place) == nil {
                    state.count &+= pieces.count
                }
            }
        }

        /// A file's record with where it stands.
        struct Node: Sendable {
            let place: RecordPlace
            let record: InodeRecord
            /// The byte where it stands.
            let offset: UInt64

            var isDirectory: Bool { record.kind == .directory }
        }

        /// The piece with a block of a file, and how far in it that lies. Throws `corrupt` behind
        /// the last: there are no holes.
        func piece(
            _ block: UInt64, in pieces: [Piece], of node: Node
        ) throws(FormatError) -> (piece: Piece, index: UInt64) {
            var low = 0
            var high = pieces.count
            while low < high {
                let middle = (low &+ high) / 2
                if pieces[middle].end <= block { low = middle &+ 1 } else { high = middle }
            }
            guard low < pieces.count else {
                throw .corrupt(
                    InodeRecord.At.size.place(0).moved(by: node.offset),
                    found: "\(node.record.size) bytes",
                    expected: "at most the \(pieces.last?.end ?? 0) blocks of its extents")
            }
            return (pieces[low], block &- pieces[low].before)
        }
    }
}
