internal import Dispatch
internal import Synchronization

/// Several pieces of work that are being done on all processors.
public final class Batch<Value: Sendable>: Sendable {
    private let isDone = DispatchSemaphore(value: 0)
    private let results: Mutex<[Result<Value, FormatError>?]>

    /// Begins with `work(0)` to `work(count - 1)`.
    public init(_ count: Int, _ work: @escaping @Sendable (Int) throws(FormatError) -> Value) {
        results = Mutex([Result<Value, FormatError>?](repeating: nil, count: count))
        DispatchQueue.global().async { [self] in
            DispatchQueue.concurrentPerform(iterations: count) { index in
                let result = Result { () throws(FormatError) in try work(index) }
                results.withLock { $0[index] = result }
            }
            isDone.signal()
        }
    }

    /// What came of them, in their order, once all are done; to be asked once.
    public func values() throws(FormatError) -> [Value] {
        isDone.wait()
        var values: [Value] = []
        for result in results.withLock({ $0 }) {
            if let result { values.append(try result.get()) }
        }
        return values
    }
}

/// Reads a source from its first byte to its last, piece by piece: while somebody has one, the next
/// are read on all processors.
struct PieceReader {
    private static let pieceSize: UInt64 = 1 << 20
    /// Pieces that are read at a time.
    private static let batch: UInt64 = 4

    private let source: any ByteSource
    /// Where the next batch begins.
    private var position: UInt64 = 0
    private var running: Batch<[UInt8]>?
    /// Pieces that have been read, the next one last.
    private var ready: [[UInt8]] = []

    init(_ source: any ByteSource) { self.source = source }

    /// The next piece; nil at the end.
    mutating func next() throws(FormatError) -> [UInt8]? {
        if source.byteCount <= Self.pieceSize {
            guard position < source.byteCount else { return nil }
            position = source.byteCount
            return try Self.piece(of: source, at: 0)
        }
        if ready.isEmpty {
            if running == nil { startBatch() }
            guard let batch = running else { return nil }
            running = nil
            startBatch()
            ready = try batch.values().reversed()
        }
        return ready.popLast()
    }

    private mutating func startBatch() {
        guard position < source.byteCount else { return }
        let (source, start) = (source, position)
        let rest = (source.byteCount &- start &+ Self.pieceSize &- 1) / Self.pieceSize
        let count = min(rest, Self.batch)
        running = Batch(Int(clamping: count)) { index throws(FormatError) in
            try Self.piece(of: source, at: start &+ UInt64(clamping: index) &* Self.pieceSize)
        }
        position &+= count &* Self.pieceSize
    }

    private static func piece(
        of source: any ByteSource, at position: UInt64
    ) throws(FormatError) -> [UInt8] {
        let step = min(source.byteCount &- position, pieceSize)
        return try source.bytes(step, at: position, "part of the image")
    }
}
