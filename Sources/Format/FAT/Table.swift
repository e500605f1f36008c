extension FAT {
    /// What an entry of the table says of its cluster.
    public enum Link: Equatable, Sendable {
        /// The chain goes on there.
        case next(Cluster)
        /// The chain ends here.
        case end
        /// Nothing uses the cluster.
        case free
        /// Nothing may use the cluster.
        case bad
        /// A number that is no cluster's.
        case outside(UInt32)

        /// What an entry, cut to the bits that count, says in a volume.
        init(_ value: UInt32, in geometry: Geometry) {
            let bad = geometry.kind.bad
            if value == 0 {
                self = .free
            } else if geometry.has(Cluster(rawValue: value)) {
                self = .next(Cluster(rawValue: value))
            } else if value > bad {
                self = .end
            } else {
                self = value == bad ? .bad : .outside(value)
            }
        }
    }

    /// The table that has each cluster's successor: entries of 12, 16 or 32 bits.
    ///
    /// It is read piece by piece and never held as a whole. Source: the specification, "FAT Data
    /// Structure"; the top four bits of 32 mean nothing.
    public struct Table: Sendable {
        let source: any ByteSource
        let geometry: Geometry
        /// Where the copy begins that is read.
        let start: UInt64

        /// The table that counts, of a volume in `source`. Throws `truncated` where the source ends
        /// inside it.
        public init(_ source: any ByteSource, _ geometry: Geometry) throws(FormatError) {
            self.source = source
            self.geometry = geometry
            start =
                geometry.tableStart
                &+ UInt64(geometry.activeTable) &* geometry.tableByteCount
            let available = source.byteCount &- min(start, source.byteCount)
            guard available >= geometry.tableByteCount else {
                throw .truncated(
                    Place("table", start), needed: geometry.tableByteCount, available: available)
            }
        }

        /// Entries 0 and 1, cut to the bits that count: the media byte and the marks.
        public func marks() throws(FormatError) -> (media: UInt32, state: UInt32) {
            var cursor = Cursor(self)
            return (try cursor.value(0), try cursor.value(1))
        }

        /// Clusters that nothing uses.
        public func freeClusterCount() throws(FormatError) -> UInt32 {
            var count: UInt32 = 0
            try eachEntry { _, value in if value == 0 { count &+= 1 } }
            return count
        }

        /// Calls `body` with every cluster's number and entry, cut to the bits that count.
        func eachEntry(_ body: (UInt32, UInt32) -> Void) throws(FormatError) {
            // A multiple of 3 bytes, so that no pair of 12-bit entries is cut.
            let step: UInt64 = 3 << 14
            let (kind, end) = (geometry.kind, UInt64(geometry.clusterCount) &+ 2)
            let bits = UInt64(kind.rawValue)
            let size = min((end &* bits &+ 7) / 8, geometry.tableByteCount)
            var number: UInt64 = 0
            var position: UInt64 = 0
            while position < size {
                let piece = try source.bytes(
                    min(step, size &- position), at: start &+ position, "table")
                position &+= step
                let last = min(end, number &+ UInt64(clamping: piece.count) &* 8 / bits)
                let first = number
                number = last
                let bytes = unsafe piece.span.bytes
                for index in first..<max(first, last) {
                    let value = Self.entry(Int(clamping: index &- first), kind, bytes)
                    if index >= 2 { body(UInt32(clamping: index), value) }
                }
            }
        }

        /// The entry of an index in bytes that hold it.
        @inline(__always)
        private static func entry(_ index: Int, _ kind: Kind, _ bytes: RawSpan) -> UInt32 {
            switch kind {
            case .fat12:
                let at = index &+ index / 2
                let pair = UInt32(bytes.byte(at)) | UInt32(bytes.byte(at &+ 1)) &<< 8
                return index & 1 == 0 ? pair & 0xfff : pair &>> 4
            case .fat16:
                return UInt32(bytes.byte(2 &* index)) | UInt32(bytes.byte(2 &* index &+ 1)) &<< 8
            case .fat32:
                let low = UInt32(bytes.byte(4 &* index)) | UInt32(bytes.byte(4 &* index &+ 1)) &<< 8
                let high =
                    UInt32(bytes.byte(4 &* index &+ 2)) | UInt32(bytes.byte(4 &* index &+ 3)) &<< 8
                return (low | high &<< 16) & 0x0fff_ffff
            }
        }

        /// A reader of single entries, for one thread; it keeps the piece that it read last.
        struct Cursor {
            private static let pieceSize: UInt64 = 4096

            private let table: Table
            private var piece: [UInt8] = []
            /// Where in the table the piece begins.
            private var pieceStart: UInt64 = 0

            init(_ table: Table) { self.table = table }

            /// What a cluster's entry says; only of a cluster that there is.
            mutating func link(of cluster: Cluster) throws(FormatError) -> Link {
                Link(try value(cluster.rawValue), in: table.geometry)
            }

            /// An entry, cut to the bits that count.
            mutating func value(_ number: UInt32) throws(FormatError) -> UInt32 {
                let (kind, index) = (table.geometry.kind, UInt64(number))
                let offset: UInt64
                switch kind {
                case .fat12: offset = index &+ index / 2
                case .fat16: offset = index &* 2
                case .fat32: offset = index &* 4
                }
                let width = kind == .fat32 ? 4 : 2
                let inPiece = try place(offset, width)
                var value: UInt32 = 0
                for byte in (0..<width).reversed() {
                    value = value &<< 8 | UInt32(piece[inPiece &+ byte])
                }
                if kind == .fat12, number & 1 == 1 { value &>>= 4 }
                return value & kind.mask
            }

            /// Where in the piece so many bytes of the table lie; reads another piece if it must.
            private mutating func place(
                _ offset: UInt64, _ width: Int
            ) throws(FormatError) -> Int {
                if offset >= pieceStart,
                    let place = Int(exactly: offset &- pieceStart), place < piece.count,
                    piece.count &- place >= width
                {
                    return place
                }
                let start = offset & ~511
                let size = table.geometry.tableByteCount
                let rest = size &- min(start, size)
                piece = try table.source.bytes(
                    min(rest, Self.pieceSize), at: table.start &+ start, "table")
                pieceStart = start
                let place = Int(clamping: offset &- start)
                guard place < piece.count, piece.count &- place >= width else {
                    throw .truncated(
                        Place("table", table.start &+ offset), needed: UInt64(clamping: width),
                        available: UInt64(clamping: max(0, piece.count &- place)))
                }
                return place
            }
        }
    }
}
