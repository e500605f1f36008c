public import Format

/// The plan of an image whose tree was changed.
///
/// Nothing moves that need not: kept files stay where they are unless the directory grows into them,
/// and what is fixed stays in any case. Bytes that no file has any more become zeros.
public struct RevisedPlan: Sendable {
    /// The plan, with a place for everything.
    public let plan: Plan
    /// What there is to say of files that are stored otherwise than one might expect, a line each.
    public let warnings: [String]

    /// The plan of an image with the changes of `revision`; without changes it is the image's own.
    /// Packed blocks that hold nothing changed are taken over as they are.
    ///
    /// `range` says which bytes of the file are taken in besides the image, as for a plan of it. A
    /// change is refused where what stands around the image would no longer fit it, such as a
    /// signature; `isForced` leaves that as it is. Throws `refused` for what has no room or cannot be.
    public init(
        _ image: IFS.Image, _ revision: Revision, within range: Range<UInt64> = 0..<UInt64.max,
        isForced: Bool = false
    ) throws(MkifsError) {
        var found = try Plan(image, within: range)
        found.previous = image.packedBlocks(found)
        guard !revision.isEmpty else {
            (plan, warnings) = (found, [])
            return
        }
        let surroundings = try Surroundings(image, range, isForced: isForced)
        let directory = try RevisedDirectory(image, found, revision)
        let contents = try RevisedContents(image, found, directory)
        let layout = try RevisedLayout(image, found, directory, contents)
        var plan = try layout.plan(contents)
        plan.endFields = surroundings.endFields
        self.plan = plan
        warnings = contents.warnings
    }

    /// The plan of an image with the same tree and without the holes that changes have left: what can
    /// move is laid out anew, as mkifs lays out what has no place yet. Where that makes the image no
    /// smaller, it is the image's own plan; of a packed one it is packed to know. The rest is as for a
    /// revision.
    public init(
        compacting image: IFS.Image, within range: Range<UInt64> = 0..<UInt64.max,
        isForced: Bool = false
    ) throws(MkifsError) {
        var found = try Plan(image, within: range)
        found.previous = image.packedBlocks(found)
        let surroundings = try Surroundings(image, range, isForced: isForced)
        let directory = try RevisedDirectory(image, found, Revision())
        let contents = try RevisedContents(image, found, directory)
        let layout = try RevisedLayout(image, found, directory, contents, isCompacting: true)
        var plan = try layout.plan(contents)
        plan.endFields = surroundings.endFields
        self.plan = try Self.isSmaller(plan, found, image) ? plan : found
        warnings = []
    }

    /// Whether a plan makes a smaller image than the one that was found, packed or not.
    private static func isSmaller(
        _ plan: Plan, _ found: Plan, _ image: IFS.Image
    ) throws(MkifsError) -> Bool {
        guard let size = plan.header.imageSize, size < image.header.imageSize else { return false }
        guard image.compression != .none else { return true }
        func packed(_ plan: Plan) throws(MkifsError) -> UInt64 {
            var sink = NoSink()
            return try Layout.image(of: plan, Toolbox(environment: [])).write(to: &sink).byteCount
        }
        return try packed(plan) < packed(found)
    }

    /// Throws why no change of an image can be kept, whatever it is.
    public static func check(_ image: IFS.Image, isForced: Bool = false) throws(MkifsError) {
        try Plan.check(image)
        _ = try Surroundings(image, 0..<UInt64.max, isForced: isForced)
    }
}

/// For bytes of which nothing is wanted but their number.
private struct NoSink: ByteSink {
    mutating func write(_ bytes: [UInt8], at offset: UInt64) throws(FormatError) {}
}

extension IFS.Image {
    /// The packed blocks of an image, and where they hold zeros that its plan has found; nil for an
    /// image that is not packed in blocks.
    fileprivate func packedBlocks(_ plan: Plan) -> IFS.PackedBlocks? {
        guard var blocks = packedBlocks else { return nil }
        let extents = directory.entries.indices.compactMap { extent(of: $0) }
        let taken = (extents + plan.remains.map(\.range)).sorted { $0.lowerBound < $1.lowerBound }
        let bounds = dataBounds
        var position = bounds.lowerBound
        for range in taken + [bounds.upperBound..<bounds.upperBound] {
            let end = min(range.lowerBound, bounds.upperBound)
            if position < end { blocks.zeros.append(position..<end) }
            position = max(position, range.upperBound)
        }
        return blocks
    }
}
