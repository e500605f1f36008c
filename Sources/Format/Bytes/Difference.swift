internal import Dispatch

extension ByteSource {
    /// Where another source first has another byte, or one of the two ends; nil if they are the same.
    /// Of large ones several pieces are compared at a time, and what both have from the same place is
    /// not read.
    public func firstDifference(from other: any ByteSource) throws(FormatError) -> UInt64? {
        let common = min(byteCount, other.byteCount)
        let place = try Comparison(self, other, common).firstDifference()
        return place ?? (byteCount == other.byteCount ? nil : common)
    }
}

/// Compares two sources.
private final class Comparison: Sendable {
    private static let pieceSize: UInt64 = 1 << 20
    private static let blockSize = UInt64(IFS.BlockSource.blockSize)
    /// Of shorter ones it costs less to compare the bytes.
    private static let leastShared: UInt64 = 1 << 14

    private let one: any ByteSource
    private let other: any ByteSource
    private let byteCount: UInt64
    /// The first difference or failure that was met so far.
    private let first: Lock<Finding?> = Lock(nil)

    private struct Finding {
        let place: UInt64
        let failure: FormatError?
    }

    init(_ one: any ByteSource, _ other: any ByteSource, _ byteCount: UInt64) {
        self.one = one
        self.other = other
        self.byteCount = byteCount
    }

    func firstDifference() throws(FormatError) -> UInt64? {
        let count = Int(clamping: (byteCount &+ Self.pieceSize &- 1) / Self.pieceSize)
        if count <= 1 {
            look(0)
        } else {
            DispatchQueue.concurrentPerform(iterations: count) { look($0) }
        }
        guard let found = first.withLock({ $0 }) else { return nil }
        if let failure = found.failure { throw failure }
        return found.place
    }

    private func look(_ index: Int) {
        let start = UInt64(clamping: index) &* Self.pieceSize
        if let found = first.withLock({ $0 }), found.place < start { return }
        var finding: Finding?
        do throws(FormatError) {
            let range = start..<min(start &+ Self.pieceSize, byteCount)
            finding = try difference(in: range).map { Finding(place: $0, failure: nil) }
        } catch {
            finding = Finding(place: start, failure: error)
        }
        guard let finding else { return }
        first.withLock { first in
            if first.map({ $0.place > finding.place }) ?? true { first = finding }
        }
    }

    private func difference(in range: Range<UInt64>) throws(FormatError) -> UInt64? {
        var position = range.lowerBound
        while position < range.upperBound {
            let shared = try sharedCount(at: position)
            if shared > 0 {
                position &+= min(shared, range.upperBound &- position)
                continue
            }
            let end = min((position / Self.blockSize &+ 1) &* Self.blockSize, range.upperBound)
            let count = Int(clamping: end &- position)
            let piece = try one.prefix(count, at: position)
            let others = try other.prefix(count, at: position)
            if let place = piece.firstDifference(from: others) { return position &+ UInt64(place) }
            guard piece.count == count else { return position &+ UInt64(piece.count) }
            position = end
        }
        return nil
    }

    /// How many bytes come from the same place on both sides, or from packed blocks that are the same.
    private func sharedCount(at position: UInt64) throws(FormatError) -> UInt64 {
        let (left, right) = (one.stretch(at: position), other.stretch(at: position))
        let count = min(left.count, right.count)
        if count >= Self.leastShared, left.isSame(as: right) { return count }
        guard left.offset == position, right.offset == position,
            let blocks = left.root as? IFS.BlockSource,
            let others = right.root as? IFS.BlockSource
        else { return 0 }
        let shared = try blocks.sharedCount(with: others, at: position)
        if shared <= count { return shared }
        let range = position..<(position &+ shared)
        return one.takes(range, from: blocks) && other.takes(range, from: others) ? shared : 0
    }
}
