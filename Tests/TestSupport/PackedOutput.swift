import Foundation
import Synchronization

/// A file that is written in order, with the sum of its words.
final class SummedFile {
    private let handle: FileHandle
    private let isBigEndian: Bool
    private var sum: UInt32 = 0
    /// The last bytes, while they are less than a word.
    private var rest: [UInt8] = []
    /// Bytes written in order so far.
    private(set) var byteCount = 0

    /// Makes the file; its summed part starts at byte `start`.
    init(_ path: String, from start: Int, isBigEndian: Bool) throws {
        self.isBigEndian = isBigEndian
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0 else {
            throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path])
        }
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try handle.seek(toOffset: UInt64(start))
    }

    func append(_ bytes: [UInt8]) throws {
        try handle.write(contentsOf: bytes)
        byteCount += bytes.count
        let summed = rest + bytes
        let whole = summed.count / 4 * 4
        sum &+= ImageBuilder.sum(summed[..<whole], isBigEndian: isBigEndian)
        rest = Array(summed[whole...])
    }

    /// Pads what was written to whole words and ends it with the word that makes their sum 0.
    func addTrailer() throws {
        try append([UInt8](repeating: 0, count: (4 - byteCount % 4) % 4))
        try append([UInt8](0 &- sum, isBigEndian: isBigEndian))
    }

    /// Writes bytes elsewhere, not summed. Nothing can be added behind.
    func write(_ bytes: [UInt8], at offset: Int) throws {
        try handle.seek(toOffset: UInt64(offset))
        try handle.write(contentsOf: bytes)
    }
}

/// Packs a stream of bytes in blocks of 64 KiB, on all processors.
final class BlockWriter {
    private static let blockSize = 0x10000
    /// Bytes packed at a time.
    private static let batchSize = 256 * blockSize

    private let packing: Packing
    private let output: SummedFile
    private var pending: [UInt8] = []

    init(_ packing: Packing, to output: SummedFile) {
        if case .zlib = packing { preconditionFailure("zlib has no blocks") }
        self.packing = packing
        self.output = output
    }

    func append(_ bytes: [UInt8]) throws {
        guard packing != .none else { return try output.append(bytes) }
        pending += bytes
        guard pending.count >= Self.batchSize else { return }
        let whole = pending.count / Self.blockSize * Self.blockSize
        try flush(pending[..<whole])
        pending.removeFirst(whole)
    }

    /// Packs what is left and ends the stream.
    func finish() throws {
        guard packing != .none else { return }
        try flush(pending[...])
        try output.append([0, 0])
    }

    private func flush(_ plain: ArraySlice<UInt8>) throws {
        let count = (plain.count + Self.blockSize - 1) / Self.blockSize
        let packed = Mutex([[UInt8]](repeating: [], count: count))
        DispatchQueue.concurrentPerform(iterations: count) { [packing] index in
            let start = plain.startIndex + index * Self.blockSize
            let block = plain[start..<min(plain.endIndex, start + Self.blockSize)]
            let stream = Packer.stream(Array(block), packing, endMark: [])
            packed.withLock { $0[index] = stream.bytes }
        }
        try output.append(packed.withLock { Array($0.joined()) })
    }
}
