package import Format

extension Checks {
    /// Reads an image whose packed bytes are the end of `input`, in order and out of order.
    ///
    /// The head of `input`: a byte of switches (below), 4 bytes with the size of what is unpacked,
    /// and four places of 3 bytes each that are read out of order.
    ///
    /// - bits 0-1: what is before the packed bytes. 0 nothing, so they begin with the image header; 1 a
    ///   block with header and directory of an image with one file; 2 the same in a block of full
    ///   length; 3 as 1, behind a gzip header (zlib).
    /// - bits 2-3: how many blocks (zlib: units) are kept decoded: none, 1, 3, 16.
    package static func packed(_ compression: IFS.Compression, _ input: inout Input) {
        let switches = input.byte()
        let size = UInt32(input.number(4))
        let places = (0..<4).map { _ in input.number(3) }
        let stream = opening(compression, switches & 3, size: size) + input.rest
        let file = MemorySource(MadeUp.startupImage(stream, compression, size: size))
        let cached = [0, 1, 3, 16][Int(switches >> 2 & 3)]
        let cacheLimit = cached << (compression == .zlib ? 20 : 16)

        guard let inOrder = image(in: file, cacheLimit: 16 << 20),
            let outOfOrder = image(in: file, cacheLimit: cacheLimit)
        else { return }
        var pieces: [(UInt64, [UInt8])] = []
        for place in places {
            let count = Int(place % 70_001)
            if let bytes = attempt({ () throws(FormatError) in
                try outOfOrder.contents.prefix(count, at: place)
            }) {
                pieces.append((place, bytes))
            }
        }
        // Bytes are the same whichever way one comes to them, if the image is whole.
        let total = inOrder.contents.byteCount
        let whole = attempt { () throws(FormatError) in
            try inOrder.contents.bytes(min(total, wholeLimit), at: 0, "contents")
        }
        if let whole, total <= wholeLimit {
            precondition(pieces.count == places.count, "a place that cannot be read")
            for (place, bytes) in pieces where place < UInt64(whole.count) {
                precondition(whole[Int(place)...].starts(with: bytes), "bytes that differ")
            }
        }
        if total <= 1 << 18 { examine(outOfOrder) }
    }

    /// The most unpacked bytes that are read in order.
    private static let wholeLimit: UInt64 = 9 << 18

    private static func image(in file: any ByteSource, cacheLimit: Int) -> IFS.Image? {
        var scanner = IFS.Scanner(file, IFS.Image.Options(cacheLimit: cacheLimit))
        return attempt { () throws(FormatError) in try scanner.next() } ?? nil
    }

    private static func opening(
        _ compression: IFS.Compression, _ kind: UInt8, size: UInt32
    ) -> [UInt8] {
        guard kind != 0 else { return [] }
        let bytes = MadeUp.opening(size: size)
        let block = Packer.packed(
            bytes, zeros: kind == 2 && compression != .zlib ? 0x10000 - bytes.count : 0,
            compression)
        guard compression == .zlib else {
            return [UInt8(block.count >> 8), UInt8(block.count & 255)] + block
        }
        let gzip: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]
        return kind == 3 ? gzip + block.dropFirst(2) : block
    }
}
