internal import CLZO
internal import CUCL
internal import Dispatch
internal import Synchronization

/// Packs a stream in blocks of 64 KiB, on all processors; the bytes are the same on any number.
///
/// A block that does not pack is shortened by 4 KiB at a time, and what is left of its 64 KiB is a
/// block of its own. The vendor's bytes come from `lzo1x_999_compress` and from
/// `ucl_nrv2b_99_compress` at level 9; proved by the golden images.
final class BlockEncoder {
    /// Blocks that are packed at a time.
    private static let batch = 64

    private let encoding: IFS.Encoding
    private var cutter: StretchCutter
    /// What comes next, while it is less than a batch.
    private var waiting: [StretchCutter.Stretch] = []
    /// What was taken last, in order. With two of them no processor waits for the last block of one.
    private var running: [Batch] = []

    /// Blocks of `previous` whose bytes come again at their place are copied.
    init(_ encoding: IFS.Encoding, previous: IFS.PackedBlocks? = nil) {
        self.encoding = encoding
        cutter = StretchCutter(previous?.method == encoding.compression ? previous : nil)
    }

    /// Takes plain bytes; gives the blocks that are packed by now, each behind its length. What is
    /// taken is packed while the caller gets more.
    func append(_ plain: [UInt8]) throws(FormatError) -> [UInt8] {
        waiting += try cutter.append(plain)
        guard waiting.count >= Self.batch else { return [] }
        let packed = running.count == 2 ? try running.removeFirst().packed() : []
        running.append(Batch(waiting, encoding))
        waiting = []
        return packed
    }

    /// The rest, and the end mark.
    func finish() throws(FormatError) -> [UInt8] {
        var packed: [UInt8] = []
        running.append(Batch(waiting + (try cutter.finish()), encoding))
        waiting = []
        while !running.isEmpty { packed += try running.removeFirst().packed() }
        return packed + [0, 0]
    }
}

/// Blocks that are being packed, on all processors.
private final class Batch: Sendable {
    private static let blockSize = 0x10000

    private let isDone = DispatchSemaphore(value: 0)
    /// Written once, before `isDone` is signalled.
    private let result = Mutex<Result<[UInt8], FormatError>?>(nil)

    /// Begins.
    init(_ stretches: [StretchCutter.Stretch], _ encoding: IFS.Encoding) {
        DispatchQueue.global().async { [self] in
            let packed = Result { () throws(FormatError) in try Self.pack(stretches, encoding) }
            result.withLock { $0 = packed }
            isDone.signal()
        }
    }

    /// Waits for the end; once.
    func packed() throws(FormatError) -> [UInt8] {
        isDone.wait()
        return try result.withLock { $0 }?.get() ?? []
    }

    private static func pack(
        _ stretches: [StretchCutter.Stretch], _ encoding: IFS.Encoding
    ) throws(FormatError) -> [UInt8] {
        let count = stretches.count
        let results = Mutex([Result<[UInt8], FormatError>?](repeating: nil, count: count))
        DispatchQueue.concurrentPerform(iterations: count) { index in
            let result = Result { () throws(FormatError) in
                switch stretches[index] {
                case .packed(let block): block
                case .plain(let bytes): try blocks(bytes[...], encoding)
                }
            }
            results.withLock { $0[index] = result }
        }
        var packed: [UInt8] = []
        for result in results.withLock({ $0 }) {
            if let result { packed += try result.get() }
        }
        return packed
    }

    /// One stretch of 64 KiB as one block, or as several.
    private static func blocks(
        _ plain: ArraySlice<UInt8>, _ encoding: IFS.Encoding
    ) throws(FormatError) -> [UInt8] {
        var packed: [UInt8] = []
        var rest = plain
        while !rest.isEmpty {
            var taken = rest
            var block = try encoding.block(taken)
            while block.count >= blockSize {
                taken = taken.dropLast(0x1000)
                block = try encoding.block(taken)
            }
            packed += [UInt8(block.count >> 8), UInt8(block.count & 0xff)] + block
            rest = rest[taken.endIndex...]
        }
        return packed
    }
}

extension IFS {
    /// How the image file system is packed when an image is made.
    public struct Encoding: Equatable, Sendable {
        /// The method.
        public var compression: Compression
        /// Packs several times faster and not as small; readers see no difference.
        public var isFast: Bool

        /// A method; as the vendor packs unless fast.
        public init(_ compression: Compression, isFast: Bool = false) {
            self.compression = compression
            self.isFast = isFast
        }
    }
}

extension IFS.Encoding {
    private static let isReady = (lzo: clzo_init() == LZO_E_OK, ucl: cucl_init() == UCL_E_OK)
    /// `LZO1X_1_MEM_COMPRESS` and `LZO1X_999_MEM_COMPRESS`, macros that Swift does not import.
    private static let workSize = (fast: 16384 * 8, slow: 14 * 16384 * 2)

    /// One block, whatever it packs to.
    fileprivate func block(_ plain: ArraySlice<UInt8>) throws(FormatError) -> [UInt8] {
        var status: Int32 = 0
        let room = plain.count + plain.count / 8 + 256
        let packed = unsafe plain.withUnsafeBufferPointer { input in
            unsafe [UInt8](unsafeUninitializedCapacity: room) { output, count in
                count = room
                status =
                    unsafe compression == .ucl
                    ? ucl(input, output, &count) : lzo(input, output, &count)
                if status != 0 { count = 0 }
            }
        }
        guard status == 0 else {
            throw .unsupported(
                Place("packed block", 0), found: "error \(status) of the compressor",
                expected: "a packed block")
        }
        return packed
    }

    private func lzo(
        _ input: UnsafeBufferPointer<UInt8>, _ output: UnsafeMutableBufferPointer<UInt8>,
        _ count: inout Int
    ) -> Int32 {
        guard Self.isReady.lzo else { return LZO_E_ERROR }
        var size = lzo_uint(count)
        let work = isFast ? Self.workSize.fast : Self.workSize.slow
        let status = unsafe withUnsafeTemporaryAllocation(byteCount: work, alignment: 16) { work in
            let pack = unsafe isFast ? lzo1x_1_compress : lzo1x_999_compress
            return unsafe pack(
                input.baseAddress, lzo_uint(input.count), output.baseAddress, &size,
                work.baseAddress)
        }
        count = Int(size)
        return status
    }

    private func ucl(
        _ input: UnsafeBufferPointer<UInt8>, _ output: UnsafeMutableBufferPointer<UInt8>,
        _ count: inout Int
    ) -> Int32 {
        guard Self.isReady.ucl else { return UCL_E_ERROR }
        var size = ucl_uint(count)
        let status = unsafe ucl_nrv2b_99_compress(
            input.baseAddress, ucl_uint(input.count), output.baseAddress, &size, nil,
            isFast ? 1 : 9, nil, nil)
        count = Int(size)
        return status
    }
}
