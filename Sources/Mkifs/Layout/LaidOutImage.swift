public import Format

/// An image with everything in its place, ready to be written, and what a listing says of it.
public struct LaidOutImage: Sendable {
    /// What the writer needs.
    public let image: IFS.PlacedImage
    /// Byte offset of the startup header in the file; of the image header where there is none.
    public let headerOffset: UInt64
    /// What is where, in the order of the image.
    public let listing: [Item]

    /// One line of a listing.
    public struct Item: Equatable, Sendable {
        /// What it is.
        public enum Kind: Equatable, Sendable {
            case prefix, startupHeader, startup, imageHeader, directory, trailer
            /// Anything that has a path in the image.
            case entry(path: [UInt8], hasData: Bool)
        }

        /// What it is.
        public let kind: Kind
        /// The address in the target's memory; nil for what has no data.
        public let address: UInt64?
        /// Bytes.
        public let byteCount: UInt64
        /// Where a program starts to run; nil for anything else.
        public let entryAddress: UInt64?
        /// From the start of the image's RAM, what a split image copies there.
        public let ramOffset: UInt64?
        /// The host's file, or a link's text.
        public let source: [UInt8]

        /// Whether `source` is a file of the host.
        public var isHostFile: Bool {
            switch kind {
            case .startup: true
            case .entry(_, let hasData): hasData
            case .prefix, .startupHeader, .imageHeader, .directory, .trailer: false
            }
        }
    }

    init(
        _ layout: Layout, prefix: any ByteSource, loaded: UInt64, startup: StartupArea?,
        head: (start: UInt32, end: UInt32), imageOffset: UInt64, imageSize: UInt32, ramUsed: UInt64
    ) throws(MkifsError) {
        let plan = layout.plan
        let records = Records(layout, imageOffset: imageOffset)
        let header = records.header(head, imageSize: imageSize)
        var start = startup?.header
        var program = startup?.program ?? MemorySource([])
        if let startup {
            start = try Self.finished(
                startup, layout, loaded: loaded, imageSize: imageSize, ramUsed: ramUsed)
        } else if plan.encoding.compression != .none {
            (start, program) = Self.bareStartup(layout, imageSize: imageSize)
        }
        var parts: [AssembledSource.Part] = []
        for placed in layout.places where placed.contents.byteCount > 0 {
            parts.append(AssembledSource.Part(at: placed.offset &- imageOffset, placed.contents))
        }
        for remain in plan.remains {
            let source = try layout.toolbox.source(of: remain.content)
            parts.append(AssembledSource.Part(at: remain.offset, source))
        }
        var image = IFS.PlacedImage(
            prefix: prefix, startup: start, program: program, header: header,
            records: records.all, parts: parts, encoding: plan.encoding,
            tail: try layout.toolbox.source(of: plan.tail))
        image.previous = plan.previous
        image.endFields = plan.endFields
        self.image = image
        do throws(FormatError) { try image.check() } catch { throw .format(error) }
        headerOffset = prefix.byteCount
        listing = records.listing(
            prefix: loaded, startup: startup, imageOffset: imageOffset, header)
    }

    // MARK: Startup header

    private static func finished(
        _ startup: StartupArea, _ layout: Layout, loaded: UInt64, imageSize: UInt32, ramUsed: UInt64
    ) throws(MkifsError) -> IFS.StartupHeader {
        var header = startup.header
        let grown = header.startupSize.addingReportingOverflow(imageSize)
        guard !grown.overflow else {
            let size = UInt64(header.startupSize) &+ UInt64(imageSize)
            throw .refused("startup and image: found \(size) bytes, expected less than 4 GiB")
        }
        guard let entry = startup.entryAddress else {
            // Another image's values hold as long as the sizes do.
            let change = imageSize &- header.imagefsSize
            header.imagefsSize = imageSize
            header.storedSize &+= change
            if header.compression != layout.plan.encoding.compression {
                header.setCompression(layout.plan.encoding.compression)
                header.storedSize = grown.partialValue
            }
            if change != 0, !layout.isSplit { header.ramSize &+= change }
            return header
        }
        let plan = layout.plan
        header.setCompression(plan.encoding.compression)
        if layout.profile.hasDigests { header.flags1 |= IFS.StartupHeader.trailerV2Flag }
        let image = layout.base &+ loaded &+ plan.physicalBias
        var memory = image
        header.ramSize = grown.partialValue
        if let range = plan.ram {
            memory = layout.runBase &+ loaded &+ plan.physicalBias
            let size = max(ramUsed, range.totalSize ?? 0).rounded(up: range.effectiveAlignment)
            if let total = range.totalSize, total > 0, ramUsed > total {
                throw .limit(
                    "ram",
                    "RAM size of \(hex(ramUsed)) bytes exceeds the total size of \(hex(total))")
            }
            try layout.check(range, "RAM", of: "ram", size)
            header.ramSize = UInt32(clamping: size)
        }
        header.setAddresses(entry: entry, image: image, memory: memory)
        header.physicalBias = UInt32(truncatingIfNeeded: 0 &- plan.physicalBias)
        header.imagefsSize = imageSize
        header.storedSize = grown.partialValue
        header.prebootSize = UInt16(clamping: loaded)
        return header
    }

    /// The header of a packed image that nothing boots: it tells only how the image is packed.
    private static func bareStartup(
        _ layout: Layout, imageSize: UInt32
    ) -> (IFS.StartupHeader, any ByteSource) {
        var header = IFS.StartupHeader(layout.plan.order)
        header.setCompression(layout.plan.encoding.compression)
        if layout.profile.hasDigests { header.flags1 |= IFS.StartupHeader.trailerV2Flag }
        header.startupSize = UInt32(IFS.StartupHeader.byteCount + layout.trailerSize)
        header.imagefsSize = imageSize
        header.storedSize = header.startupSize &+ imageSize
        return (header, MemorySource([]))
    }
}

extension IFS.StartupHeader {
    fileprivate mutating func setCompression(_ compression: IFS.Compression) {
        flags1 = flags1 & ~(7 << 2) | compression.rawValue << 2
    }

    /// Addresses of more than 32 bits have a common high part.
    fileprivate mutating func setAddresses(entry: UInt64, image: UInt64, memory: UInt64) {
        startupAddress = UInt32(truncatingIfNeeded: entry)
        imageAddress = UInt32(truncatingIfNeeded: image)
        ramAddress = UInt32(truncatingIfNeeded: memory)
        // A sum that a bias has taken below 0 is one of 32 bits.
        if image >> 32 == memory >> 32, image >> 48 == 0 { addressOffset = (image >> 32) << 32 }
    }
}
