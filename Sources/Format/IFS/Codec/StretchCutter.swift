internal import Glibc

extension IFS {
    /// The blocks of a packed image, to be copied where what they unpack to comes again.
    public struct PackedBlocks: Sendable {
        /// How they are packed.
        let method: Compression
        let blocks: BlockSource
        /// Where they unpack to zeros, as far as that is known: byte ranges of the image file system,
        /// sorted, none of which reaches into the next.
        public var zeros: [Range<UInt64>] = []
    }
}

extension IFS.Image {
    /// The blocks of an image that is packed in blocks; nil for another one.
    public var packedBlocks: IFS.PackedBlocks? {
        (contents as? IFS.BlockSource).map {
            IFS.PackedBlocks(method: compression, blocks: $0)
        }
    }
}

/// Cuts plain bytes at multiples of 64 KiB, and takes out the blocks that an earlier stream has
/// packed already: those with the same bytes at the same place. Where the bytes are known to come from
/// there, nothing is unpacked to see that.
struct StretchCutter {
    /// What becomes of a stretch of plain bytes.
    enum Stretch: Sendable {
        /// They are to be packed: 64 KiB at most.
        case plain([UInt8])
        /// They are one block of the earlier stream, which stands here behind its length.
        case packed([UInt8])
    }

    private static let unit = UInt64(IFS.BlockSource.blockSize)

    private let previous: IFS.PackedBlocks?
    /// What the plain bytes are the first of.
    private let contents: any ByteSource
    /// The next block of the earlier stream.
    private var index = 0
    private var block: IFS.BlockSource.StoredBlock?
    /// What was not cut yet, and where in the stream it begins.
    private var pending: [UInt8] = []
    private var start: UInt64 = 0
    /// How much of that differs from the earlier stream.
    private var changed = 0

    /// Copies blocks of `previous`; the bytes that come are those of `contents`, and others after them.
    init(_ previous: IFS.PackedBlocks?, of contents: any ByteSource) {
        self.previous = previous
        self.contents = contents
        advance()
    }

    /// Takes plain bytes; gives what can be cut by now.
    mutating func append(_ plain: [UInt8]) throws(FormatError) -> [Stretch] {
        var stretches: [Stretch] = []
        var place = 0
        // Whole blocks of the earlier stream need not wait here.
        while pending.isEmpty, let block, !block.isLast, place + block.byteCount <= plain.count,
            isKnown(block, at: start)
        {
            stretches.append(.packed(block.packed))
            place += block.byteCount
            start &+= UInt64(block.byteCount)
            advance()
        }
        if place < plain.count { pending += plain[place...] }
        return stretches + cut(isLast: false)
    }

    /// The rest.
    mutating func finish() throws(FormatError) -> [Stretch] { cut(isLast: true) }

    private mutating func cut(isLast: Bool) -> [Stretch] {
        var stretches: [Stretch] = []
        /// Where in `pending` the next stretch begins.
        var place = 0
        while let block, let isSame = isSame(block, at: place + changed, isLast: isLast) {
            if isSame {
                cutChanged(&place, isLast: true, &stretches)
                stretches.append(.packed(block.packed))
                place += block.byteCount
            } else {
                changed += block.byteCount
                cutChanged(&place, isLast: false, &stretches)
            }
            advance()
        }
        if block == nil { changed = pending.count - place }
        cutChanged(&place, isLast: isLast, &stretches)
        pending.removeFirst(place)
        start &+= UInt64(place)
        return stretches
    }

    /// Whether a block of the earlier stream comes again; nil where more bytes will tell. The last
    /// one, which can be short, comes again at the end only.
    private func isSame(
        _ block: IFS.BlockSource.StoredBlock, at place: Int, isLast: Bool
    ) -> Bool? {
        let end = place + block.byteCount
        guard end <= pending.count else {
            return isLast ? (place < pending.count ? false : nil) : nil
        }
        if block.isLast, !isLast, end == pending.count { return nil }
        if block.isLast, end != pending.count, block.byteCount < IFS.BlockSource.blockSize {
            return false
        }
        return isKnown(block, at: start &+ UInt64(place)) || hasBytes(of: index - 1, at: place)
    }

    /// Whether the bytes of a block come from the earlier stream itself.
    private func isKnown(_ block: IFS.BlockSource.StoredBlock, at place: UInt64) -> Bool {
        guard let previous else { return false }
        let range = place..<(place &+ UInt64(block.byteCount))
        return contents.takes(range, from: previous.blocks)
    }

    private func hasBytes(of index: Int, at place: Int) -> Bool {
        guard let plain = try? previous?.blocks.plain(index) else { return false }
        return unsafe pending.withUnsafeBytes { pending in
            unsafe plain.withUnsafeBytes { plain in
                guard let one = pending.baseAddress, let other = plain.baseAddress,
                    place + plain.count <= pending.count
                else { return false }
                return unsafe memcmp(one + place, other, plain.count) == 0
            }
        }
    }

    /// Cuts what has changed at multiples of 64 KiB; up to its end, if that is the last of it.
    private mutating func cutChanged(
        _ place: inout Int, isLast: Bool, _ stretches: inout [Stretch]
    ) {
        changed = min(changed, pending.count - place)
        while changed > 0 {
            let rest = Int((start &+ UInt64(place)) % Self.unit)
            let whole = Int(Self.unit) - rest
            guard whole <= changed || isLast else { return }
            let count = min(whole, changed)
            stretches.append(.plain(Array(pending[place..<(place + count)])))
            place += count
            changed -= count
        }
    }

    /// Goes to the next block. From one that cannot be unpacked on, all is packed anew.
    private mutating func advance() {
        block = try? previous?.blocks.stored(index)
        index += 1
    }
}
