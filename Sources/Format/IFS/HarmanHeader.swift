extension IFS {
    /// The 64 bytes before a Harman-Becker image (`hbcifs`), little-endian.
    ///
    /// The image file system behind it is one packed stream without blocks, so it is unpacked whole.
    /// Source: a single reverse-engineering tool; no vendor header is public, and two 16-bit sums
    /// are of unknown method, so nothing is judged by them.
    public struct HarmanHeader: Equatable, Sendable {
        /// Bytes of the header.
        public static let byteCount = 64
        static let signature = Array("hbcifs\0".utf8)
        /// The largest image that is unpacked, in bytes.
        static let maximumSize: UInt32 = 256 << 20

        /// Bytes of the image file system when unpacked.
        public let unpackedSize: UInt32
        /// Bytes of the packed stream.
        public let packedSize: UInt32
        /// LZO or UCL.
        public let compression: Compression

        enum At {
            static let signature = ByteField(0, count: 7, "hbcifs header.signature")
            static let unpackedSize = Field<UInt32>(8, "hbcifs header.unpacked size")
            static let packedSize = Field<UInt32>(12, "hbcifs header.packed size")
            static let compression = Field<UInt8>(26, "hbcifs header.compression")
        }

        /// Reads the header at byte `base`. Throws `truncated`, `corrupt`, or `unsupported` for a
        /// method or a size that is not unpacked.
        init(parsing bytes: RawSpan, at base: Int = 0) throws(FormatError) {
            let signature = try bytes.read(At.signature, from: base)
            guard signature == Self.signature else {
                throw .corrupt(
                    At.signature.place(base), found: "'\(printable(signature))'",
                    expected: "'hbcifs'")
            }
            unpackedSize = try bytes.read(At.unpackedSize, from: base, .little)
            packedSize = try bytes.read(At.packedSize, from: base, .little)
            let method = try bytes.read(At.compression, from: base, .little)
            switch method & 15 {
            case 1: compression = .lzo
            case 3: compression = .ucl
            default:
                throw .unsupported(
                    At.compression.place(base), found: hex(method),
                    expected: "1 (LZO) or 3 (UCL) in the low four bits")
            }
            guard unpackedSize <= Self.maximumSize else {
                throw .unsupported(
                    At.unpackedSize.place(base), found: "\(unpackedSize)",
                    expected: "\(Self.maximumSize) at most")
            }
            guard packedSize <= Self.maximumSize else {
                throw .unsupported(
                    At.packedSize.place(base), found: "\(packedSize)",
                    expected: "\(Self.maximumSize) at most")
            }
            guard unpackedSize > UInt32(ImageHeader.fixedByteCount), packedSize > 0 else {
                throw .corrupt(
                    At.unpackedSize.place(base), found: "\(unpackedSize)",
                    expected: "room for an image header")
            }
        }

        /// The unpacked image, from the stream at `offset`.
        func contents(
            of file: any ByteSource, at offset: UInt64
        ) throws(FormatError) -> any ByteSource {
            let packed = try file.bytes(UInt64(packedSize), at: offset, "hbcifs stream")
            let size = Int(clamping: unpackedSize)
            let bytes = try unsafe [UInt8].filled(upTo: size) { buffer throws(FormatError) in
                try unsafe compression.unpack(packed, into: buffer, Place("hbcifs stream", offset))
            }
            guard bytes.count == size else {
                throw .corrupt(
                    Place("hbcifs stream", offset), found: "\(bytes.count) unpacked bytes",
                    expected: "\(size)")
            }
            return MemorySource(bytes)
        }
    }
}
