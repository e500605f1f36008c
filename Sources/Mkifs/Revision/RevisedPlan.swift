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
        found.previous = image.packedBlocks
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

    /// Throws why no change of an image can be kept, whatever it is.
    public static func check(_ image: IFS.Image) throws(MkifsError) {
        try Plan.check(image)
        _ = try Surroundings(image, 0..<UInt64.max, isForced: false)
    }
}
