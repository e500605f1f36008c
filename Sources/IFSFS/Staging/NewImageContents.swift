internal import Format
internal import Mkifs

extension NewImage {
    /// Writes an image that is laid out; `progress` is told bytes done and in all, and what it throws ends
    /// the work. Throws where what can be read then is something else.
    func write(
        _ image: LaidOutImage, _ progress: @escaping (UInt64, UInt64) throws(FormatError) -> Void
    ) throws(CommitError) {
        if image.image.encoding.compression == .none { try reserve(image.byteCount) }
        var sink = Sink(self, total: image.byteCount, progress)
        let count: UInt64
        do throws(MkifsError) {
            count = try image.write(to: &sink)
        } catch {
            throw CommitError("\(printable(target)): \(error)")
        }
        try end(at: count)
        try verify(image)
    }

    /// Reads the new image as anybody would, and holds it against what was to be written.
    private func verify(_ image: LaidOutImage) throws(CommitError) {
        let fault: String?
        do throws(FormatError) {
            fault = try self.fault(image)
        } catch {
            throw CommitError("\(printable(target)): \(error)")
        }
        guard let fault else { return }
        throw CommitError(
            "\(printable(target)): the new image is not what it should be: found \(fault);"
                + " it was not put in place")
    }

    private func fault(_ image: LaidOutImage) throws(FormatError) -> String? {
        var scanner = IFS.Scanner(try source(), from: image.headerOffset)
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
}
