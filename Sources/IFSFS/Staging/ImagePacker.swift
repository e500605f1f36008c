internal import Format
internal import Mkifs

/// Writes new images of a changed tree: complete, read again and on the disk, but without their name.
struct ImagePacker: Sendable {
    /// The file that the image is for.
    let target: [UInt8]
    /// Whether what stands around the image may be left as it is, fitting or not.
    let isForced: Bool

    /// A new image that waits for its name.
    struct Packed {
        let file: NewImage
        /// What there is to say of files that are stored otherwise than one might expect, a line each.
        let warnings: [String]
    }

    /// What `tree` makes of the image in `volume`; nil where the edits come to nothing. `progress` is
    /// told bytes done and in all, and what it throws ends the work.
    func pack(
        _ volume: IFS.ImageVolume, _ tree: StagedTree, _ stage: Stage, writesUnchanged: Bool,
        _ progress: @escaping (UInt64, UInt64) throws(FormatError) -> Void
    ) throws(CommitError) -> Packed? {
        let contents = try StagedSources(stage, tree)
        let revised = try mkifs { () throws(MkifsError) -> RevisedPlan? in
            let revision = try ImageRevision.revision(of: volume, tree) { contents[$0] }
            guard !revision.isEmpty || writesUnchanged else { return nil }
            return try RevisedPlan(volume.image, revision, isForced: isForced)
        }
        return try revised.map { revised throws(CommitError) in try pack(revised, progress) }
    }

    /// The same image without holes; nil where it has none that can go.
    func compact(
        _ volume: IFS.ImageVolume,
        _ progress: @escaping (UInt64, UInt64) throws(FormatError) -> Void
    ) throws(CommitError) -> Packed? {
        let compacted = try mkifs { () throws(MkifsError) in
            try RevisedPlan(compacting: volume.image, isForced: isForced)
        }
        guard compacted.plan.header.imageSize != volume.image.header.imageSize else { return nil }
        return try pack(compacted, progress)
    }

    /// The image of a plan.
    private func pack(
        _ revised: RevisedPlan,
        _ progress: @escaping (UInt64, UInt64) throws(FormatError) -> Void
    ) throws(CommitError) -> Packed {
        let image = try mkifs { () throws(MkifsError) in
            try Layout.image(of: revised.plan, Toolbox(environment: []))
        }
        let file = try NewImage(beside: target)
        try file.write(image, progress)
        try file.synchronize()
        return Packed(file: file, warnings: revised.warnings)
    }

    private func mkifs<Result>(
        _ body: () throws(MkifsError) -> Result
    ) throws(CommitError) -> Result {
        do throws(MkifsError) {
            return try body()
        } catch {
            throw CommitError("\(printable(target)): \(error)")
        }
    }
}
