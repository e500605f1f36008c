internal import Format

/// A stretch of an image's data that files of the changed image still have: a file, or several
/// that overlap.
struct DataBlock {
    /// A file of it.
    struct Member {
        /// The entry of the changed image.
        let slot: Int
        /// The record whose bytes they are.
        let record: Int
    }

    /// Where it lies in the image as found, from the image header.
    private(set) var range: Range<UInt64>
    /// The files, in the order of their bytes.
    private(set) var members: [Member]
    /// Whether a file of it reaches beyond the image's data.
    private(set) var isCut = false
    /// Where it goes; where it lies, unless it has to give way.
    var place: UInt64

    var byteCount: UInt64 { range.upperBound &- range.lowerBound }
    /// Where it goes.
    var placedRange: Range<UInt64> { place..<(place &+ byteCount) }

    /// The blocks that files make, sorted. Of what lies outside `bounds` nothing is in a block.
    static func blocks(
        _ files: [(range: Range<UInt64>, member: Member)], within bounds: Range<UInt64>
    ) -> [DataBlock] {
        let sorted = files.sorted {
            ($0.range.lowerBound, $0.range.upperBound, $0.member.slot)
                < ($1.range.lowerBound, $1.range.upperBound, $1.member.slot)
        }
        var blocks: [DataBlock] = []
        for file in sorted {
            let range = file.range.clamped(to: bounds)
            guard !range.isEmpty else { continue }
            if let last = blocks.last, range.lowerBound < last.range.upperBound {
                blocks[blocks.count - 1].add(file.member, range)
            } else {
                blocks.append(DataBlock(file.member, range))
            }
            if range != file.range { blocks[blocks.count - 1].isCut = true }
        }
        return blocks
    }

    private init(_ member: Member, _ range: Range<UInt64>) {
        self.range = range
        members = [member]
        place = range.lowerBound
    }

    private mutating func add(_ member: Member, _ other: Range<UInt64>) {
        members.append(member)
        range = range.lowerBound..<max(range.upperBound, other.upperBound)
    }
}

extension DataBlock {
    /// What keeps a block at its place, or by which multiples it can move, with the programs in it.
    struct Freedom {
        /// The record of a file that works at its place only; nil where there is none.
        var fixed: Int?
        /// Whether bytes beyond the image's data belong to it.
        var isCut: Bool
        var unit: UInt64 = 1
        var programs: [(record: Int, offset: UInt64, program: ImageProgram)] = []

        var isFixed: Bool { isCut || fixed != nil }
    }

    /// Whether and how it can move.
    func freedom(
        _ image: IFS.Image, _ addresses: ImageAddresses
    ) throws(FormatError) -> Freedom {
        var freedom = Freedom(isCut: isCut)
        var known: Set<UInt64> = []
        for member in members {
            let entry = image.directory.entries[member.record]
            guard case .file(let offset, let size) = entry.kind else { continue }
            if image.isBootstrap(entry) { freedom.fixed = member.record }
            let key = UInt64(offset) << 32 | UInt64(size)
            guard known.insert(key).inserted else { continue }
            let program = try addresses.program(
                image.window(of: entry),
                isProcessed: entry.inode & IFS.Dirent.processedFlag != 0, at: UInt64(offset))
            guard let program else { continue }
            if program.isFixed { freedom.fixed = member.record }
            freedom.unit = max(freedom.unit, program.unit)
            freedom.programs.append((member.record, UInt64(offset), program))
        }
        return freedom
    }

    /// Its bytes for the place where it goes.
    func contents(
        _ image: IFS.Image, _ addresses: ImageAddresses
    ) throws(FormatError) -> any ByteSource {
        let found = WindowSource(image.contents, from: range.lowerBound, count: byteCount)
        guard place != range.lowerBound else { return found }
        let distance = place &- range.lowerBound
        var parts: [AssembledSource.Part] = []
        var end: UInt64 = 0
        for (record, offset, program) in try freedom(image, addresses).programs {
            let start = offset &- range.lowerBound
            // A program that others overlap keeps what they have of it.
            guard start >= end else { continue }
            let source = image.window(of: image.directory.entries[record])
            parts.append(
                AssembledSource.Part(
                    at: end, WindowSource(found, from: end, count: start &- end)))
            parts.append(AssembledSource.Part(at: start, try program.moved(source, by: distance)))
            end = start &+ source.byteCount
        }
        parts.append(
            AssembledSource.Part(
                at: end, WindowSource(found, from: end, count: byteCount &- end)))
        return try AssembledSource(parts, byteCount: byteCount)
    }
}

extension IFS.Image {
    /// Whether an entry is a bootstrap executable, by its number or by the header.
    func isBootstrap(_ entry: IFS.Dirent) -> Bool {
        entry.inode & IFS.Dirent.bootstrapFlag != 0
            || (entry.inode != 0 && header.bootInodes.contains(entry.inode))
    }

    /// Where a file's bytes lie, from the image header on; nil for another entry and an empty file.
    func extent(of record: Int) -> Range<UInt64>? {
        guard case .file(let offset, let size) = directory.entries[record].kind, size > 0 else {
            return nil
        }
        return UInt64(offset)..<(UInt64(offset) &+ UInt64(size))
    }

    /// Where data can lie: behind the directory's records and before the trailer.
    var dataBounds: Range<UInt64> {
        let start = UInt64(header.directoryOffset) &+ UInt64(clamping: directory.end)
        let size = UInt64(header.imageSize)
        return start..<max(start, size &- min(size, UInt64(header.trailerSize)))
    }
}
