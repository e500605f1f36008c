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
        let revised = try mkifs { () throws(MkifsError) -> RevisedPlan? in
            let revision = try ImageRevision.revision(of: volume, tree) { [stage] in
                stage.content(of: $0, byteCount: tree.sizes[$0] ?? 0)
            }
            guard !revision.isEmpty || writesUnchanged else { return nil }
            return try RevisedPlan(volume.image, revision, isForced: isForced)
        }
        return try revised.map { revised throws(CommitError) in try pack(revised, progress) }
    }

    /// The image of a plan.
    func pack(
        _ revised: RevisedPlan,
        _ progress: @escaping (UInt64, UInt64) throws(FormatError) -> Void
    ) throws(CommitError) -> Packed {
        let image = try mkifs { () throws(MkifsError) in
            try Layout.image(of: revised.plan, Toolbox(environment: []))
        }
        let file = try NewImage(beside: target)
        if image.image.encoding.compression == .none { try file.reserve(image.byteCount) }
        var sink = NewImage.Sink(file, total: image.byteCount, progress)
        let count = try mkifs { () throws(MkifsError) in try image.write(to: &sink) }
        try file.end(at: count)
        try verify(file, image)
        try file.synchronize()
        return Packed(file: file, warnings: revised.warnings)
    }

    /// Reads the new image as anybody would, and holds it against what was to be written.
    private func verify(_ file: NewImage, _ image: LaidOutImage) throws(CommitError) {
        let fault = try format { () throws(FormatError) -> String? in
            var scanner = IFS.Scanner(try file.source(), from: image.headerOffset)
            guard let found = try scanner.next() else { return "no image" }
            let expected = try image.image.contents()
            var difference: UInt64?
            let sums = found.checkSums { piece, offset throws(FormatError) in
                let wanted = try expected.prefix(piece.count, at: offset)
                let place = piece.firstDifference(from: wanted)
                // Behind the contents there is the trailer.
                guard difference == nil, let place, place < wanted.count else { return }
                difference = offset &+ UInt64(place)
            }
            if let difference { return "another byte at offset \(difference) of the image" }
            for check in sums {
                guard case .bad(let stored, let computed) = check.verdict else { continue }
                return "a sum of \(stored) where \(computed) is right"
            }
            return nil
        }
        guard let fault else { return }
        throw CommitError(
            "\(printable(target)): the new image is not what it should be: found \(fault);"
                + " it was not put in place")
    }

    // MARK: Errors

    private func format<Result>(
        _ body: () throws(FormatError) -> Result
    ) throws(CommitError) -> Result {
        do throws(FormatError) {
            return try body()
        } catch {
            throw CommitError("\(printable(target)): \(error)")
        }
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
