extension FAT {
    /// Bytes of a volume that follow each other.
    struct ByteRun: Equatable, Sendable {
        var start: UInt64
        var count: UInt64
    }

    /// An entry of a directory in use, and what came before it.
    struct Record {
        /// The number of its 32 bytes in the directory.
        let slot: Int
        /// Where in the volume they stand.
        let place: UInt64
        let entry: DirectoryEntry
        /// The units of its long name.
        let longName: [UInt16]?

        /// The node that the entry is.
        var node: NodeID { FAT.node(at: place) }

        /// Whether it is one of a file or a directory, and not `.`, `..`, the label or anything else.
        var isNode: Bool { !entry.isLabel && !entry.isDots }
    }

    /// The node of the entry at a place in the volume. 32 bytes are one number, the root is 1.
    static func node(at place: UInt64) -> NodeID { NodeID(rawValue: place / 32 &+ 2) }

    /// Reads a directory from its first entry to its end mark, piece by piece.
    struct EntryReader {
        private static let pieceSize: UInt64 = 32 << 10
        private static let size = DirectoryEntry.byteCount

        private let source: any ByteSource
        /// The stretches not yet read, the next one last.
        private var rest: [ByteRun]
        private var piece: [UInt8] = []
        /// Where the next entry is in the piece.
        private var index = 0
        /// Where in the volume the piece begins.
        private var pieceStart: UInt64 = 0
        private var slot = 0
        private var name = LongName()
        /// Whether the directory's end mark was met.
        private(set) var hasEnded = false
        /// Whether parts of long names are noted that belong to nothing.
        var notesOrphans = false
        /// Where such parts begin, the first 1,000.
        private(set) var orphans: [UInt64] = []
        /// Parts with something in fields that are 0, the first 1,000, and where they stand.
        private(set) var oddParts: [(place: UInt64, part: LongNamePart)] = []

        init(_ source: any ByteSource, _ runs: some BidirectionalCollection<ByteRun>) {
            self.source = source
            rest = runs.reversed()
        }

        /// The next entry in use; nil at the end mark and where the bytes end. Throws `io`,
        /// `truncated`.
        mutating func next() throws(FormatError) -> Record? {
            while !hasEnded {
                if piece.count &- index < Self.size, try !readPiece() { break }
                let place = pieceStart &+ UInt64(clamping: index)
                let (at, slot) = (index, self.slot)
                index &+= Self.size
                self.slot &+= 1
                switch piece[at] {
                case DirectoryEntry.endMark:
                    hasEnded = true
                    continue
                case DirectoryEntry.deletedMark:
                    note(name.clear())
                    continue
                default: break
                }
                if FileAttributes(rawValue: piece[at &+ 11]).isLongName {
                    let part = try piece.parsed { bytes throws(FormatError) in
                        try LongNamePart(parsing: bytes, at: at)
                    }
                    note(name.add(part, at: place))
                    if notesOrphans, part.type != 0 || part.cluster != 0, oddParts.count < 1000 {
                        oddParts.append((place, part))
                    }
                    continue
                }
                let entry = try piece.parsed { bytes throws(FormatError) in
                    try DirectoryEntry(parsing: bytes, at: at)
                }
                let start = name.start
                let units = name.take(for: entry)
                if units == nil { note(start) }
                return Record(slot: slot, place: place, entry: entry, longName: units)
            }
            note(name.clear())
            return nil
        }

        private mutating func note(_ orphan: UInt64?) {
            guard notesOrphans, let orphan, orphans.count < 1000 else { return }
            orphans.append(orphan)
        }

        private mutating func readPiece() throws(FormatError) -> Bool {
            guard let run = rest.popLast() else { return false }
            let count = min(run.count, Self.pieceSize)
            if run.count > count {
                rest.append(ByteRun(start: run.start &+ count, count: run.count &- count))
            }
            piece = try source.bytes(count, at: run.start, "directory")
            pieceStart = run.start
            index = 0
            return piece.count >= Self.size
        }
    }
}
