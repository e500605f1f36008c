/// The bytes of an image's data that nothing has, hole by hole, up to where an image can end.
///
/// Holes lie in pieces of a list, each with the size of its largest, so that neither finding nor
/// parting one walks over all.
struct FreeRoom {
    private struct Piece {
        var holes: [Range<UInt64>]
        var largest: UInt64

        init(_ holes: [Range<UInt64>]) {
            self.holes = holes
            largest = holes.reduce(0) { max($0, $1.upperBound &- $1.lowerBound) }
        }
    }

    private static let pieceSize = 128
    /// An image's offsets have 32 bits.
    private static let end = UInt64(UInt32.max)

    private var pieces: [Piece] = []

    /// All bytes from `start` on but those in `occupied`, which is sorted; ranges may overlap.
    init(from start: UInt64, occupied: [Range<UInt64>]) {
        var holes: [Range<UInt64>] = []
        var position = start
        for range in occupied where range.upperBound > position {
            if range.lowerBound > position { holes.append(position..<range.lowerBound) }
            position = range.upperBound
        }
        if position < Self.end { holes.append(position..<Self.end) }
        pieces = stride(from: 0, to: holes.count, by: Self.pieceSize).map {
            Piece(Array(holes[$0..<min($0 + Self.pieceSize, holes.count)]))
        }
    }

    /// Takes a range if all of it is free.
    mutating func take(_ range: Range<UInt64>) -> Bool {
        guard !range.isEmpty, let (piece, index) = hole(at: range.lowerBound),
            range.upperBound <= pieces[piece].holes[index].upperBound
        else { return false }
        part(piece, index, range)
        return true
    }

    /// Takes the first range that fits. It begins at a place that is `phase` modulo `unit`, and has
    /// as many bytes as `size` says for that place, which are `least` or more. Nil where there is none.
    mutating func takeFirst(
        atLeast least: UInt64, unit: UInt64 = 1, phase: UInt64 = 0,
        size: (UInt64) throws(MkifsError) -> UInt64
    ) throws(MkifsError) -> Range<UInt64>? {
        for piece in pieces.indices where pieces[piece].largest >= least {
            for (index, hole) in pieces[piece].holes.enumerated() {
                let start = Self.aligned(hole.lowerBound, unit, phase)
                guard start < hole.upperBound, hole.upperBound &- start >= least else { continue }
                let count = try size(start)
                guard hole.upperBound &- start >= count else { continue }
                let range = start..<(start &+ count)
                part(piece, index, range)
                return range
            }
        }
        return nil
    }

    private static func aligned(_ start: UInt64, _ unit: UInt64, _ phase: UInt64) -> UInt64 {
        guard unit > 1 else { return start }
        let rest = start % unit
        let wanted = phase % unit
        return start &+ (wanted >= rest ? wanted &- rest : unit &- rest &+ wanted)
    }

    /// The hole that a byte is in.
    private func hole(at offset: UInt64) -> (piece: Int, index: Int)? {
        guard
            let piece = pieces.firstIndex(where: { ($0.holes.last?.upperBound ?? 0) > offset }),
            let index = pieces[piece].holes.firstIndex(where: { $0.upperBound > offset }),
            pieces[piece].holes[index].lowerBound <= offset
        else { return nil }
        return (piece, index)
    }

    /// Leaves of a hole what stands before and behind a range in it.
    private mutating func part(_ piece: Int, _ index: Int, _ range: Range<UInt64>) {
        let hole = pieces[piece].holes[index]
        let rests = [
            hole.lowerBound..<range.lowerBound, range.upperBound..<hole.upperBound,
        ].filter { !$0.isEmpty }
        var holes = pieces[piece].holes
        holes.replaceSubrange(index...index, with: rests)
        if holes.count > 2 * Self.pieceSize {
            let middle = holes.count / 2
            pieces[piece] = Piece(Array(holes[..<middle]))
            pieces.insert(Piece(Array(holes[middle...])), at: piece + 1)
        } else {
            pieces[piece] = Piece(holes)
        }
    }
}
