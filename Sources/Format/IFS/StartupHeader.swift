/// The QNX image file system: boot images (`.ifs`) and what they are made of.
public enum IFS {}

extension IFS {
    /// How the image file system behind a startup header is packed: bits 2-4 of its `flags1`.
    ///
    /// Source: `STARTUP_HDR_FLAGS1_*` in the vendor's `sys/startup.h`, 6.4 to 8.0.
    public enum Compression: UInt8, Sendable, CaseIterable {
        /// Stored as it is.
        case none = 0
        /// One gzip stream.
        case zlib = 1
        /// Blocks of LZO1X.
        case lzo = 2
        /// Blocks of UCL NRV2B, 8-bit.
        case ucl = 3

        /// `none`, `zlib`, `lzo` or `ucl`.
        public var name: String { "\(self)" }
    }

    /// The 256 bytes before a boot image's startup program (`struct startup_header`).
    ///
    /// Integers are in the target's byte order, which the signature tells. Source: `sys/startup.h`
    /// of 6.4 and 8.0; `addr_off` exists in 8.0 only, where 6.x and 7.0 have reserved words.
    public struct StartupHeader: Equatable, Sendable {
        /// Bytes of the header.
        public static let byteCount = 256
        /// Bytes of its `info` records.
        public static let infoByteCount = 192
        /// The first word, and so the mark that a scan looks for.
        public static let signature: UInt32 = 0x00ff_7eeb
        /// `flags1`: the image wants a processor with an MMU.
        public static let virtualFlag: UInt8 = 0x01
        /// `flags1`: header and image are big-endian.
        public static let bigEndianFlag: UInt8 = 0x02
        /// `flags1`: the startup, and the outer trailer of a compressed image, end in a SHA-512.
        public static let trailerV2Flag: UInt8 = 0x20

        /// The byte order that the signature shows.
        public var order: ByteOrder
        /// Format version; 1 in every release.
        public var version: UInt16
        /// Byte order, compression and the other flag bits.
        public var flags1: UInt8
        /// No bit has a meaning; some vehicles' images set 0x01.
        public var flags2: UInt8
        /// Bytes of this header: 256.
        public var headerSize: UInt16
        /// The processor, as an ELF `e_machine`.
        public var machine: UInt16
        /// Where the loader jumps to.
        public var startupAddress: UInt32
        /// What a loader adds to a physical address of this header.
        public var physicalBias: UInt32
        /// Physical address of this header.
        public var imageAddress: UInt32
        /// Physical address that the startup area is copied to.
        public var ramAddress: UInt32
        /// Bytes of RAM that startup and image need.
        public var ramSize: UInt32
        /// Bytes of header, startup program, padding and startup trailer.
        public var startupSize: UInt32
        /// Bytes from this header to the end of the image as stored.
        public var storedSize: UInt32
        /// Where a loader left the image file system; 0 in files.
        public var imagefsAddress: UInt32
        /// Bytes of the image file system when unpacked.
        public var imagefsSize: UInt32
        /// Bytes of loaded boot prefix before this header.
        public var prebootSize: UInt16
        /// The reserved half-word after `preboot_size`; 0, but for some vehicles' images.
        public var zeroHalf: UInt16
        /// The reserved word before `addr_off`; 0, but for some vehicles' images.
        public var zeroWord: UInt32
        /// What 8.0 adds to the addresses above to make them 64 bits wide.
        public var addressOffset: UInt64
        /// The 192 bytes of `info` records.
        public var info: [UInt8]

        enum At {
            static let signature = Field<UInt32>(0, "startup header.signature")
            static let version = Field<UInt16>(4, "startup header.version")
            static let flags1 = Field<UInt8>(6, "startup header.flags1")
            static let flags2 = Field<UInt8>(7, "startup header.flags2")
            static let headerSize = Field<UInt16>(8, "startup header.header_size")
            static let machine = Field<UInt16>(10, "startup header.machine")
            static let startupAddress = Field<UInt32>(12, "startup header.startup_vaddr")
            static let physicalBias = Field<UInt32>(16, "startup header.paddr_bias")
            static let imageAddress = Field<UInt32>(20, "startup header.image_paddr")
            static let ramAddress = Field<UInt32>(24, "startup header.ram_paddr")
            static let ramSize = Field<UInt32>(28, "startup header.ram_size")
            static let startupSize = Field<UInt32>(32, "startup header.startup_size")
            static let storedSize = Field<UInt32>(36, "startup header.stored_size")
            static let imagefsAddress = Field<UInt32>(40, "startup header.imagefs_paddr")
            static let imagefsSize = Field<UInt32>(44, "startup header.imagefs_size")
            static let prebootSize = Field<UInt16>(48, "startup header.preboot_size")
            static let zeroHalf = Field<UInt16>(50, "startup header.zero0")
            static let zeroWord = Field<UInt32>(52, "startup header.zero[0]")
            static let addressOffset = Field<UInt64>(56, "startup header.addr_off")
            static let info = ByteField(
                64, count: infoByteCount, "startup header.info")
        }

        /// Reads the header at byte `base`. Throws `truncated`, or `corrupt` for a wrong signature,
        /// version or size, an impossible extent, or a byte order that `flags1` contradicts.
        public init(parsing bytes: RawSpan, at base: Int = 0) throws(FormatError) {
            let raw = try bytes.read(At.signature, from: base, .little)
            switch raw {
            case Self.signature: order = .little
            case Self.signature.byteSwapped: order = .big
            default:
                throw .corrupt(
                    At.signature.place(base), found: hex(raw),
                    expected: "\(hex(Self.signature)) in either byte order")
            }
            version = try bytes.read(At.version, from: base, order)
            flags1 = try bytes.read(At.flags1, from: base, order)
            flags2 = try bytes.read(At.flags2, from: base, order)
            headerSize = try bytes.read(At.headerSize, from: base, order)
            machine = try bytes.read(At.machine, from: base, order)
            startupAddress = try bytes.read(At.startupAddress, from: base, order)
            physicalBias = try bytes.read(At.physicalBias, from: base, order)
            imageAddress = try bytes.read(At.imageAddress, from: base, order)
            ramAddress = try bytes.read(At.ramAddress, from: base, order)
            ramSize = try bytes.read(At.ramSize, from: base, order)
            startupSize = try bytes.read(At.startupSize, from: base, order)
            storedSize = try bytes.read(At.storedSize, from: base, order)
            imagefsAddress = try bytes.read(At.imagefsAddress, from: base, order)
            imagefsSize = try bytes.read(At.imagefsSize, from: base, order)
            prebootSize = try bytes.read(At.prebootSize, from: base, order)
            zeroHalf = try bytes.read(At.zeroHalf, from: base, order)
            zeroWord = try bytes.read(At.zeroWord, from: base, order)
            addressOffset = try bytes.read(At.addressOffset, from: base, order)
            info = try bytes.read(At.info, from: base)
            try check(at: base)
        }

        /// A header with no value but its byte order; the flag of that is set.
        public init(_ order: ByteOrder) {
            self.order = order
            version = 1
            flags1 = order == .big ? Self.bigEndianFlag : 0
            flags2 = 0
            headerSize = UInt16(Self.byteCount)
            machine = 0
            startupAddress = 0
            physicalBias = 0
            imageAddress = 0
            ramAddress = 0
            ramSize = 0
            startupSize = 0
            storedSize = 0
            imagefsAddress = 0
            imagefsSize = 0
            prebootSize = 0
            zeroHalf = 0
            zeroWord = 0
            addressOffset = 0
            info = []
        }

        /// The 256 bytes of the header.
        public var bytes: [UInt8] {
            var bytes = [UInt8](repeating: 0, count: Self.byteCount)
            bytes.write(Self.signature, At.signature, to: 0, order)
            bytes.write(version, At.version, to: 0, order)
            bytes.write(flags1, At.flags1, to: 0, order)
            bytes.write(flags2, At.flags2, to: 0, order)
            bytes.write(headerSize, At.headerSize, to: 0, order)
            bytes.write(machine, At.machine, to: 0, order)
            bytes.write(startupAddress, At.startupAddress, to: 0, order)
            bytes.write(physicalBias, At.physicalBias, to: 0, order)
            bytes.write(imageAddress, At.imageAddress, to: 0, order)
            bytes.write(ramAddress, At.ramAddress, to: 0, order)
            bytes.write(ramSize, At.ramSize, to: 0, order)
            bytes.write(startupSize, At.startupSize, to: 0, order)
            bytes.write(storedSize, At.storedSize, to: 0, order)
            bytes.write(imagefsAddress, At.imagefsAddress, to: 0, order)
            bytes.write(imagefsSize, At.imagefsSize, to: 0, order)
            bytes.write(prebootSize, At.prebootSize, to: 0, order)
            bytes.write(zeroHalf, At.zeroHalf, to: 0, order)
            bytes.write(zeroWord, At.zeroWord, to: 0, order)
            bytes.write(addressOffset, At.addressOffset, to: 0, order)
            bytes.write(info, At.info, to: 0)
            return bytes
        }

        private func check(at base: Int) throws(FormatError) {
            func require(
                _ holds: Bool, _ place: Place, _ found: String, _ expected: String
            ) throws(FormatError) {
                guard holds else { throw .corrupt(place, found: found, expected: expected) }
            }
            try require(version == 1, At.version.place(base), "\(version)", "1")
            try require(
                headerSize == UInt16(Self.byteCount), At.headerSize.place(base), "\(headerSize)",
                "\(Self.byteCount)")
            try require(
                (flags1 & Self.bigEndianFlag != 0) == (order == .big), At.flags1.place(base),
                hex(flags1), "the byte order of the signature, \(order.rawValue)")
            try require(
                (flags1 >> 2) & 7 <= Compression.ucl.rawValue, At.flags1.place(base), hex(flags1),
                "compression 0 through 3 in bits 2-4")
            let least = UInt32(Self.byteCount + Trailer.checksumSize)
            try require(
                startupSize >= least && startupSize & 3 == 0, At.startupSize.place(base),
                hex(startupSize), "a multiple of 4 from \(hex(least)) on")
            try require(
                storedSize >= startupSize, At.storedSize.place(base), hex(storedSize),
                "startup_size \(hex(startupSize)) or more")
            let leastImage = UInt32(ImageHeader.fixedByteCount + 28 + 8)
            try require(
                imagefsSize >= leastImage, At.imagefsSize.place(base), hex(imagefsSize),
                "\(hex(leastImage)) or more")
            if compression == .none {
                let (whole, overflow) = startupSize.addingReportingOverflow(imagefsSize)
                try require(
                    !overflow && whole <= storedSize, At.storedSize.place(base), hex(storedSize),
                    "startup_size + imagefs_size or more")
            }
        }

        /// How the image file system is packed.
        public var compression: Compression { Compression(rawValue: (flags1 >> 2) & 7) ?? .none }

        /// Bytes of the startup's trailer, and of the outer trailer of a compressed image.
        public var trailerSize: Int {
            flags1 & Self.trailerV2Flag == 0 ? Trailer.checksumSize : Trailer.v2Size
        }
    }
}
