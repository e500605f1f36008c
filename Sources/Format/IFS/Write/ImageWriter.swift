extension IFS {
    /// An image with everything in its place: what a writer needs, and nothing that decides where
    /// things go.
    ///
    /// The headers have their final values, but for sums, and for `stored_size` of a packed image.
    public struct PlacedImage: Sendable {
        /// What stands before the startup header, loaded or not.
        public var prefix: any ByteSource
        /// The startup header; nil for a bare image.
        public var startup: StartupHeader?
        /// What lies between the startup header and its trailer.
        public var program: any ByteSource
        /// The image file system's header.
        public var header: ImageHeader
        /// The directory's records, in order, the root first.
        public var records: [DirectoryRecord]
        /// Data, at offsets from the image header.
        public var parts: [AssembledSource.Part]
        /// How the image file system is packed.
        public var encoding: Encoding
        /// Blocks that are copied where what they unpack to comes again at its place.
        public var previous: PackedBlocks?
        /// Numbers in `prefix` that tell where the image ends.
        public var endFields: [EndField] = []
        /// What stands behind the image.
        public var tail: any ByteSource

        /// An image of these parts.
        public init(
            prefix: any ByteSource = MemorySource([]), startup: StartupHeader? = nil,
            program: any ByteSource = MemorySource([]), header: ImageHeader,
            records: [DirectoryRecord], parts: [AssembledSource.Part],
            encoding: Encoding = Encoding(.none), tail: any ByteSource = MemorySource([])
        ) {
            self.prefix = prefix
            self.startup = startup
            self.program = program
            self.header = header
            self.records = records
            self.parts = parts
            self.encoding = encoding
            self.tail = tail
        }

        /// Throws what `write` would for parts that overlap or reach beyond the image.
        public func check() throws(FormatError) { _ = try contents() }

        /// Writes the image from byte 0 of `sink` on, and what stands around it. Contents are read and
        /// written piece by piece.
        public func write(to sink: inout some ByteSink) throws(FormatError) -> WrittenImage {
            try copy(prefix, at: 0, to: &sink)
            let (end, trailer) = try writeAreas(to: &sink)
            for field in endFields { try sink.write(field.bytes(end: end), at: field.offset) }
            try copy(tail, at: end, to: &sink)
            return WrittenImage(byteCount: end &+ tail.byteCount, trailer: trailer)
        }

        /// Startup and image file system; gives where they end, and the trailer of the latter.
        private func writeAreas(
            to sink: inout some ByteSink
        ) throws(FormatError) -> (end: UInt64, trailer: [UInt8]) {
            let start = prefix.byteCount
            guard var startup else {
                var region = SummedWriter(header.order, at: start, trailerSize: 0)
                let trailer = try writeImage(to: &sink, &region)
                return (region.position, trailer)
            }
            var region = SummedWriter(
                startup.order, at: start &+ UInt64(startup.startupSize),
                trailerSize: startup.trailerSize)
            let trailer = try writeImage(to: &sink, &region)
            var end = region.position
            if encoding.compression != .none {
                try region.pad(to: &sink)
                end = try region.end(to: &sink)
                startup.storedSize = UInt32(clamping: end &- start)
            }
            try write(startup, to: &sink)
            return (end, trailer)
        }

        private func write(
            _ startup: StartupHeader, to sink: inout some ByteSink
        ) throws(FormatError) {
            var region = SummedWriter(
                startup.order, at: prefix.byteCount, trailerSize: startup.trailerSize)
            try region.append(startup.bytes, to: &sink)
            var pieces = PieceReader(program)
            while let piece = try pieces.next() {
                try region.append(piece, to: &sink)
            }
            _ = try region.end(to: &sink)
        }

        /// The image file system, packed as asked; gives its trailer, which is part of it.
        private func writeImage(
            to sink: inout some ByteSink, _ region: inout SummedWriter
        ) throws(FormatError) -> [UInt8] {
            let contents = try contents()
            var inner = SummedWriter(header.order, at: 0, trailerSize: header.trailerSize)
            let encoder = try StreamEncoder(encoding, previous: previous, of: contents)
            var pieces = PieceReader(contents)
            while let piece = try pieces.next() {
                inner.note(piece)
                try region.append(try encoder.append(piece), to: &sink)
            }
            let trailer = inner.trailer()
            try region.append(try encoder.append(trailer), to: &sink)
            try region.append(try encoder.finish(), to: &sink)
            return trailer
        }

        /// The image file system as it is unpacked: header, directory and data, without the trailer.
        public func contents() throws(FormatError) -> AssembledSource {
            var directory: [UInt8] = []
            for record in records { directory += record.bytes(header.order) }
            let fixed = [
                AssembledSource.Part(at: 0, MemorySource(header.bytes)),
                AssembledSource.Part(at: UInt64(header.directoryOffset), MemorySource(directory)),
            ]
            return try AssembledSource(
                fixed + parts,
                byteCount: UInt64(header.imageSize) &- UInt64(header.trailerSize),
                zeros: previous.map {
                    AssembledSource.Zeros(source: $0.blocks, ranges: $0.zeros)
                })
        }

        private func copy(
            _ source: any ByteSource, at offset: UInt64, to sink: inout some ByteSink
        ) throws(FormatError) {
            var pieces = PieceReader(source)
            var position = offset
            while let piece = try pieces.next() {
                try sink.write(piece, at: position)
                position &+= UInt64(piece.count)
            }
        }
    }
}

extension IFS {
    /// What is known of an image once it is written.
    public struct WrittenImage: Sendable {
        /// Bytes, with what stands around the image.
        public let byteCount: UInt64
        /// The trailer of the image file system, unpacked.
        public let trailer: [UInt8]
    }
}

/// Plain bytes in, bytes as they are stored out.
private enum StreamEncoder {
    case plain
    case blocks(BlockEncoder)
    case deflate(Deflater)

    init(
        _ encoding: IFS.Encoding, previous: IFS.PackedBlocks?, of contents: any ByteSource
    ) throws(FormatError) {
        switch encoding.compression {
        case .none: self = .plain
        case .zlib: self = .deflate(try Deflater(isFast: encoding.isFast))
        case .lzo, .ucl: self = .blocks(BlockEncoder(encoding, previous: previous, of: contents))
        }
    }

    func append(_ plain: [UInt8]) throws(FormatError) -> [UInt8] {
        switch self {
        case .plain: plain
        case .blocks(let encoder): try encoder.append(plain)
        case .deflate(let deflater): deflater.append(plain)
        }
    }

    func finish() throws(FormatError) -> [UInt8] {
        switch self {
        case .plain: []
        case .blocks(let encoder): try encoder.finish()
        case .deflate(let deflater): deflater.finish()
        }
    }
}

/// Writes a region in order and keeps the sums that its trailer needs.
private struct SummedWriter: ~Copyable {
    private let order: ByteOrder
    private let start: UInt64
    private(set) var position: UInt64
    private var sum: WordSum
    private var digest = Digest(.sha512)
    /// The last bytes, while they are less than a word.
    private var rest: [UInt8] = []
    private let isDigested: Bool

    /// A region at byte `position` of the output that ends in a trailer of `trailerSize` bytes.
    init(_ order: ByteOrder, at position: UInt64, trailerSize: Int) {
        self.order = order
        self.position = position
        start = position
        sum = WordSum(order)
        isDigested = trailerSize == IFS.Trailer.v2Size
    }

    mutating func append(
        _ bytes: [UInt8], to sink: inout some ByteSink
    ) throws(FormatError) {
        guard !bytes.isEmpty else { return }
        try sink.write(bytes, at: position)
        position &+= UInt64(bytes.count)
        note(bytes)
    }

    /// Counts bytes that are written elsewhere.
    mutating func note(_ bytes: [UInt8]) {
        if isDigested { digest.update(bytes) }
        add(bytes)
    }

    private mutating func add(_ bytes: [UInt8]) {
        let whole = rest.isEmpty ? bytes : rest + bytes
        let count = whole.count & ~3
        sum.update(whole)
        rest = Array(whole[count...])
    }

    /// Zeros up to a whole word of the region.
    mutating func pad(to sink: inout some ByteSink) throws(FormatError) {
        let missing = Int((4 &- (position &- start) & 3) & 3)
        try append([UInt8](repeating: 0, count: missing), to: &sink)
    }

    /// The trailer of what was counted.
    consuming func trailer() -> [UInt8] {
        var sum = sum
        let digest = isDigested ? digest.finish() : []
        sum.update(digest)
        var word = [UInt8](repeating: 0, count: IFS.Trailer.checksumSize)
        word.write(0 &- sum.total, Field<UInt32>(0, "trailer.cksum"), to: 0, order)
        return digest + word
    }

    /// Writes the trailer; gives where it ends.
    consuming func end(to sink: inout some ByteSink) throws(FormatError) -> UInt64 {
        let place = position
        let bytes = trailer()
        try sink.write(bytes, at: place)
        return place &+ UInt64(bytes.count)
    }
}
