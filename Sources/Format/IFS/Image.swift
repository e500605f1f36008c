extension IFS {
    /// One image in a file: its headers, its directory, and a way to its unpacked bytes.
    ///
    /// Immutable once opened, and safe to read from any thread.
    public struct Image: Sendable {
        /// How reading an image is bounded.
        public struct Options: Sendable {
            /// Bytes of decoded blocks that are kept; 64 MiB unless told.
            public var cacheLimit: Int

            /// The usual bounds, but for what is given.
            public init(cacheLimit: Int = 64 << 20) {
                self.cacheLimit = cacheLimit
            }
        }

        /// The file, or what a text wrapper such as S-records decodes to.
        public let file: any ByteSource
        /// The startup header and where it stands; nil for a bare image.
        public let startup: StartupHeader?
        /// Where the image's first loaded byte stands: the boot prefix, else the first header.
        public let start: UInt64
        /// Where the first header stands: startup, image or hbcifs.
        public let headerOffset: UInt64
        /// Where the image file system starts as stored: its header, or the packed stream.
        public let storedOffset: UInt64
        /// Where the image ends by its headers; may lie behind the file's end.
        public let end: UInt64
        /// The Harman container's header, where there is one.
        public let container: HarmanHeader?
        /// How the image file system is packed.
        public let compression: Compression
        /// The image file system's bytes, unpacked, from its header to its trailer.
        public let contents: any ByteSource
        /// The image file system's header.
        public let header: ImageHeader
        /// The image file system's directory.
        public let directory: Directory

        /// Bytes that the headers promise and the file does not have.
        public var missingByteCount: UInt64 { end > file.byteCount ? end - file.byteCount : 0 }

        /// Bytes between the end of the startup area and where the image was found; 0 but for
        /// images whose `startup_size` is wrong.
        public let displacement: UInt64

        // MARK: Opening

        /// The image whose startup header stands at `offset`. Throws what makes it none; `patience`
        /// is less then by what that cost, in blocks of 64 KiB that were unpacked.
        init(
            startupAt offset: UInt64, in file: any ByteSource, _ options: Options,
            _ finder: AnchorFinder, _ patience: inout Int
        ) throws(FormatError) {
            let head = try file.bytes(
                UInt64(StartupHeader.byteCount), at: offset, "startup header")
            let startup = try located(at: offset) { () throws(FormatError) in
                try head.parsed { bytes throws(FormatError) in try StartupHeader(parsing: bytes) }
            }
            let area = offset &+ UInt64(startup.startupSize)
            let end = offset &+ UInt64(startup.storedSize)
            guard area < file.byteCount else {
                throw .truncated(
                    Place("startup header.startup_size", offset &+ 32),
                    needed: UInt64(startup.startupSize), available: file.byteCount &- offset)
            }
            switch startup.compression {
            case .none: break
            case .lzo, .ucl: patience &-= 1
            // The first unit of the stream: 1 MiB, more in images of 400 MiB and up.
            case .zlib: patience &-= 16 &+ Int(startup.imagefsSize >> 24)
            }
            let stored: UInt64
            if startup.compression == .none {
                stored = try finder.imageHeader(from: area, before: end)
            } else {
                stored = area
            }
            self.file = file
            self.startup = startup
            container = nil
            compression = startup.compression
            headerOffset = offset
            start = offset &- min(offset, UInt64(startup.prebootSize))
            storedOffset = stored
            displacement = stored &- area
            self.end = end
            contents = Self.contents(
                of: file, at: stored, until: end, startup.compression,
                size: UInt64(startup.imagefsSize), options)
            let origin = startup.compression == .none ? stored : 0
            header = try Self.header(in: contents, at: origin)
            if startup.compression != .none {
                let most = min(UInt64(header.directoryEnd), Directory.maximumByteCount)
                patience &-= Int(most >> 16)
            }
            directory = try Self.directory(header, in: contents, at: origin)
        }

        /// The bare image whose header stands at `offset`. Throws what makes it none: here, where a
        /// text of seven letters is the only mark, the directory has to start with a root entry.
        init(bareAt offset: UInt64, in file: any ByteSource) throws(FormatError) {
            let rest = WindowSource(file, from: offset, count: .max)
            header = try Self.header(in: rest, at: offset)
            let window = WindowSource(file, from: offset, count: UInt64(header.imageSize))
            try Self.requireRoot(header, in: window, at: offset)
            directory = try Self.directory(header, in: window, at: offset)
            self.file = file
            contents = window
            startup = nil
            container = nil
            compression = .none
            start = offset
            headerOffset = offset
            storedOffset = offset
            displacement = 0
            end = offset &+ UInt64(header.imageSize)
        }

        /// The image in the Harman container whose header stands at `offset`.
        init(
            containerAt offset: UInt64, in file: any ByteSource, _ patience: inout Int
        ) throws(FormatError) {
            let head = try file.bytes(
                UInt64(HarmanHeader.byteCount), at: offset, "hbcifs header")
            let container = try located(at: offset) { () throws(FormatError) in
                try head.parsed { bytes throws(FormatError) in try HarmanHeader(parsing: bytes) }
            }
            self.file = file
            self.container = container
            startup = nil
            compression = container.compression
            start = offset
            headerOffset = offset
            storedOffset = offset &+ UInt64(HarmanHeader.byteCount)
            end = storedOffset &+ UInt64(container.packedSize)
            displacement = 0
            patience &-= 1 &+ Int(container.unpackedSize >> 16)
            contents = try container.contents(of: file, at: storedOffset)
            header = try Self.header(in: contents, at: 0)
            directory = try Self.directory(header, in: contents, at: 0)
        }

        private static func contents(
            of file: any ByteSource, at offset: UInt64, until end: UInt64,
            _ compression: Compression, size: UInt64, _ options: Options
        ) -> any ByteSource {
            let stored = WindowSource(file, from: offset, count: end &- min(end, offset))
            return switch compression {
            case .none: WindowSource(file, from: offset, count: size)
            case .lzo, .ucl:
                BlockSource(
                    stored, at: offset, compression, size: size, cacheLimit: options.cacheLimit)
            case .zlib:
                InflateSource(
                    stored, at: offset, size: size, cacheLimit: options.cacheLimit)
            }
        }

        private static func header(
            in contents: any ByteSource, at origin: UInt64
        ) throws(FormatError) -> ImageHeader {
            let most = ImageHeader.fixedByteCount + ImageHeader.maximumMountpoint
            let bytes = try contents.prefix(most, at: 0)
            return try located(at: origin) { () throws(FormatError) in
                try bytes.parsed { span throws(FormatError) in try ImageHeader(parsing: span) }
            }
        }

        private static func directory(
            _ header: ImageHeader, in contents: any ByteSource, at origin: UInt64
        ) throws(FormatError) -> Directory {
            let size = UInt64(header.directoryEnd) &- UInt64(header.directoryOffset)
            guard size <= Directory.maximumByteCount else {
                throw .unsupported(
                    ImageHeader.At.directoryEnd.place(0).moved(by: origin),
                    found: hex(header.directoryEnd),
                    expected: "a directory of \(Directory.maximumByteCount) bytes at most")
            }
            let start = UInt64(header.directoryOffset)
            let bytes = try located(at: origin) { () throws(FormatError) in
                try contents.bytes(size, at: start, "image directory")
            }
            return Directory(bytes, header.order, origin: origin &+ start)
        }

        private static func requireRoot(
            _ header: ImageHeader, in contents: any ByteSource, at origin: UInt64
        ) throws(FormatError) {
            guard header.directoryOffset == header.strictDirectoryOffset else {
                throw .corrupt(
                    ImageHeader.At.directoryOffset.place(0).moved(by: origin),
                    found: hex(header.directoryOffset),
                    expected: "\(hex(header.strictDirectoryOffset)), the end of the header")
            }
            let bytes = try contents.bytes(
                28, at: UInt64(header.directoryOffset), "root dirent")
            let root = Directory(bytes, header.order).entries.first
            guard let root, root.kind == .directory, root.recordSize == 28, root.inode != 0,
                root.path.range.isEmpty
            else {
                throw .corrupt(
                    Place("root dirent", origin &+ UInt64(header.directoryOffset)),
                    found: "another entry", expected: "a directory of 28 bytes without a name")
            }
        }

        // MARK: Reading

        /// Bytes of an entry that is a file, from `offset` of the file on; fewer where it ends.
        /// Throws `truncated` when the image ends inside the file.
        public func read(
            _ entry: Dirent, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
        ) throws(FormatError) -> Int {
            guard case .file(let start, let size) = entry.kind, offset < UInt64(size) else {
                return 0
            }
            let wanted = Int(clamping: min(UInt64(buffer.count), UInt64(size) &- offset))
            let count = try unsafe contents.read(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[0..<wanted]),
                at: UInt64(start) &+ offset)
            guard count == wanted else {
                throw .truncated(
                    Place(
                        "data of '\(printable(directory.path(of: entry)))'",
                        UInt64(start) &+ offset),
                    needed: UInt64(wanted), available: UInt64(count))
            }
            return count
        }

        /// The whole file behind an entry; throws as `read` does.
        public func data(of entry: Dirent) throws(FormatError) -> [UInt8] {
            guard case .file(let start, let size) = entry.kind, size > 0 else { return [] }
            return try contents.bytes(
                UInt64(size), at: UInt64(start),
                "data of '\(printable(directory.path(of: entry)))'")
        }

        /// The script that the image header names, and its entry.
        public var script: Dirent? {
            guard header.scriptInode != 0 else { return nil }
            return directory.entries.last { $0.inode == header.scriptInode }
        }

        // MARK: Sums

        /// Every sum and digest that an image can have in some regions, in the order startup, image,
        /// packed. Reads them whole.
        public func checkSums(
            of regions: Set<SumCheck.Region> = Set(SumCheck.Region.allCases)
        ) -> [SumCheck] {
            var checks: [SumCheck] = []
            for region in SumCheck.Region.allCases where regions.contains(region) {
                guard let summed = summedRegion(region) else {
                    checks += absent(region)
                    continue
                }
                checks += summed.check()
            }
            return regions.contains(.packed) ? checks + [streamCheck()] : checks
        }

        private func summedRegion(_ region: SumCheck.Region) -> SummedRegion? {
            switch region {
            case .startup:
                startup.map {
                    SummedRegion(
                        region: region, source: file, start: headerOffset,
                        size: UInt64($0.startupSize), trailerSize: $0.trailerSize, order: $0.order)
                }
            case .image:
                SummedRegion(
                    region: region, source: contents, start: 0, size: UInt64(header.imageSize),
                    trailerSize: header.trailerSize, order: header.order)
            case .packed:
                compression == .none
                    ? nil
                    : startup.map {
                        SummedRegion(
                            region: region, source: file, start: storedOffset,
                            size: end &- storedOffset, trailerSize: $0.trailerSize,
                            order: $0.order)
                    }
            }
        }

        /// The sum that ends a gzip or zlib stream.
        private func streamCheck() -> SumCheck {
            guard let stream = contents as? InflateSource else {
                return SumCheck(region: .packed, method: .crc32, verdict: .absent)
            }
            var method = SumCheck.Method.crc32
            do throws(FormatError) {
                let isGzip = try file.prefix(1, at: storedOffset) == [0x1f]
                method = isGzip ? .crc32 : .adler32
                try stream.verify()
                return SumCheck(region: .packed, method: method, verdict: .good)
            } catch {
                return SumCheck(
                    region: .packed, method: method,
                    verdict: .bad(stored: "unknown", computed: "\(error)"), error: error)
            }
        }

        private func absent(_ region: SumCheck.Region) -> [SumCheck] {
            [SumCheck.Method.cksum, .sha512].map {
                SumCheck(region: region, method: $0, verdict: .absent)
            }
        }

        /// The checksum word of the startup's trailer, in the image's byte order.
        public func startupChecksum() throws(FormatError) -> UInt32? {
            guard let startup else { return nil }
            return try word(
                in: file, at: headerOffset &+ UInt64(startup.startupSize) &- 4, startup.order,
                "startup trailer.cksum")
        }

        /// The checksum word of the image's own trailer, in byte order `order`.
        public func imageChecksum(_ order: ByteOrder) throws(FormatError) -> UInt32 {
            try word(
                in: contents, at: UInt64(header.imageSize) &- 4, order, "image trailer.cksum")
        }

        private func word(
            in source: any ByteSource, at offset: UInt64, _ order: ByteOrder, _ name: String
        ) throws(FormatError) -> UInt32 {
            let bytes = try source.bytes(4, at: offset, name)
            return try bytes.parsed { span throws(FormatError) in
                try span.read(Field<UInt32>(0, name), from: 0, order)
            }
        }
    }
}

extension Place {
    /// The same field, `origin` bytes further on.
    func moved(by origin: UInt64) -> Place { Place(field, offset &+ origin) }
}
