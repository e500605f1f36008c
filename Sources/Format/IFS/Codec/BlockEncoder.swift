internal import CLZO
internal import CUCL

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
    private var running: [Batch<[UInt8]>] = []

    /// Blocks of `previous` whose bytes come again at their place are copied; what is packed begins
    /// with `contents`.
    init(
        _ encoding: IFS.Encoding, previous: IFS.PackedBlocks? = nil,
        of contents: any ByteSource = MemorySource([])
    ) {
        self.encoding = encoding
        cutter = StretchCutter(
            previous?.method == encoding.compression ? previous : nil, of: contents)
    }

    /// Takes plain bytes; gives the blocks that are packed by now, each behind its length. What is
    /// taken is packed while the caller gets more.
    func append(_ plain: [UInt8]) throws(FormatError) -> [UInt8] {
        waiting += try cutter.append(plain)
        guard waiting.count >= Self.batch else { return [] }
        let packed = running.count == 2 ? try running.removeFirst().joined() : []
        startBatch()
        return packed
    }

    /// The rest, and the end mark.
    func finish() throws(FormatError) -> [UInt8] {
        var packed: [UInt8] = []
        waiting += try cutter.finish()
        startBatch()
        while !running.isEmpty { packed += try running.removeFirst().joined() }
        return packed + [0, 0]
    }

    private func startBatch() {
        let (stretches, encoding) = (waiting, encoding)
        waiting = []
        running.append(
            Batch(stretches.count) { index throws(FormatError) in
                switch stretches[index] {
                case .packed(let block): block
                case .plain(let bytes): try encoding.blocks(bytes[...])
                }
            })
    }
}

extension Batch<[UInt8]> {
    fileprivate func joined() throws(FormatError) -> [UInt8] {
        let blocks = try values()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(blocks.reduce(0) { $0 + $1.count })
        for block in blocks { bytes += block }
        return bytes
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
    private static let blockSize = 0x10000
    private static let isReady = (lzo: clzo_init() == LZO_E_OK, ucl: cucl_init() == UCL_E_OK)
    /// `LZO1X_1_MEM_COMPRESS` and `LZO1X_999_MEM_COMPRESS`, macros that Swift does not import.
    private static let workSize = (fast: 16384 * 8, slow: 14 * 16384 * 2)

    /// One stretch of 64 KiB as one block, or as several.
    fileprivate func blocks(_ plain: ArraySlice<UInt8>) throws(FormatError) -> [UInt8] {
        var packed: [UInt8] = []
        var rest = plain
        while !rest.isEmpty {
            var taken = rest
            var found = try block(taken)
            while found.count >= Self.blockSize {
                taken = taken.dropLast(0x1000)
                found = try block(taken)
            }
            packed += [UInt8(found.count >> 8), UInt8(found.count & 0xff)] + found
            rest = rest[taken.endIndex...]
        }
        return packed
    }
    /// One block, whatever it packs to.
    private func block(_ plain: ArraySlice<UInt8>) throws(FormatError) -> [UInt8] {
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
