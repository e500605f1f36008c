public import Format

/// What an image has room for: asked before a change is accepted, so that none is that a new image
/// could not hold.
public struct RevisionRoom: Sendable {
    /// How many bytes the directory can grow before it meets what cannot move.
    public let directoryGrowth: UInt64
    /// Bytes between files, and behind them, that new contents can have.
    public let holeByteCount: UInt64
    /// What stands there, for a message; nil where all can move.
    public let obstacle: String?

    private let image: IFS.Image
    /// Bytes of the file as it is.
    private let fileSize: UInt64
    private let pageSize: UInt64
    /// The files behind the directory that can move, and the bytes of all up to each.
    private let movable: [(start: UInt64, total: UInt64)]

    /// Looks at an image; `range` says which bytes of its file are taken in.
    public init(
        _ image: IFS.Image, within range: Range<UInt64> = 0..<UInt64.max
    ) throws(MkifsError) {
        let plan = try Plan(image, within: range)
        let addresses = try Self.addresses(image, plan)
        self.image = image
        pageSize = plan.pageSize
        let last = min(range.upperBound, image.file.byteCount)
        fileSize = max(last, image.end) &- min(range.lowerBound, last)
        let blocks = DataBlock.blocks(
            image.directory.entries.indices.compactMap { record in
                image.extent(of: record).map { ($0, .init(slot: record, record: record)) }
            }, within: image.dataBounds)
        var movable: [(start: UInt64, total: UInt64)] = []
        var total: UInt64 = 0
        let limit = try DirectoryRoom(image, plan, addresses)
            .limit(blocks[...], image.unowned(plan.remains)) { block, unit in
                total &+= block.byteCount &+ unit
                movable.append((block.range.lowerBound, total))
            }
        self.movable = movable
        obstacle = limit?.reason
        let bounds = image.dataBounds
        let used = (blocks.map(\.byteCount) + plan.remains.map { $0.range.upperBound &- $0.offset })
            .reduce(0, &+)
        holeByteCount =
            bounds.upperBound &- bounds.lowerBound
            &- min(bounds.upperBound &- bounds.lowerBound, used)
        let end = bounds.lowerBound &+ 4
        let most = UInt64(image.header.directoryOffset) &+ IFS.Directory.maximumByteCount
        directoryGrowth = max(min(limit?.offset ?? most, most), end) &- end
    }

    /// Where a revision takes the image to lie.
    private static func addresses(
        _ image: IFS.Image, _ plan: Plan
    ) throws(MkifsError) -> ImageAddresses {
        do throws(FormatError) {
            return ImageAddresses(image, plan, try ProgramEvidence(image))
        } catch {
            throw .format(error)
        }
    }

    /// Bytes that the directory has for an entry.
    public static func recordSize(of node: Revision.Node) -> UInt64 {
        UInt64(Plan.Entry(node.path, node.emptyKind, mode: node.mode, inode: 0).recordSize)
    }

    /// The most bytes that a file with these contents takes, its alignment included.
    public func mostBytes(of content: Content) throws(MkifsError) -> UInt64 {
        let source = try content.source()
        do throws(FormatError) {
            guard try ELFFile.isELF(source),
                let header = ELF.Header(try source.prefix(ELF.Header.sampleByteCount, at: 0))
            else { return source.byteCount &+ pageSize }
            return header.segments.reduce(source.byteCount &+ 3 &* pageSize) { sum, segment in
                let sizes = max(segment.fileSize, segment.memorySize)
                let alignment = min(segment.alignment, UInt64(UInt32.max))
                return sum.addingReportingOverflow(
                    min(sizes, UInt64(UInt32.max)) &+ alignment
                ).partialValue
            }
        } catch {
            throw .file(content.name, error)
        }
    }

    /// The most bytes that the file of a changed image has. `added` are the bytes of new contents, as
    /// `mostBytes` tells them; `touched` those that are no longer there; `count` is how many files
    /// are new, gone or changed; the directory grows by `growth`.
    public func mostBytes(
        added: UInt64, touched: UInt64, count: Int, growth: UInt64
    ) -> UInt64 {
        let reach = UInt64(image.header.directoryEnd) &+ growth
        let moved = growth == 0 ? 0 : movable.last { $0.start < reach }?.total ?? 0
        let more = added &+ moved &+ growth &+ 4
        let around = fileSize &- min(fileSize, image.end &- image.storedOffset)
        let whole = around &+ Self.packed(UInt64(image.header.imageSize) &+ more)
        switch image.compression {
        case .none: return fileSize &+ more
        case .zlib: return whole
        case .lzo, .ucl:
            let directory = UInt64(image.header.directoryEnd)
            // A block is packed anew for a byte of it.
            let places = 4 &+ 2 &* UInt64(clamping: count)
            let parts = more &+ moved &+ touched &+ directory &+ places &* 0x1_0000
            return min(fileSize &+ Self.packed(parts), max(fileSize, whole) &+ places &* 1024)
        }
    }

    /// The most bytes that so many are packed to: UCL has 9 bits for each that does not pack.
    private static func packed(_ byteCount: UInt64) -> UInt64 {
        byteCount &+ byteCount / 8 &+ 1024 &* (byteCount / 0x1_0000 &+ 1)
    }
}
