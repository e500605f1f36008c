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
        let written: IFS.WrittenImage
        do throws(MkifsError) {
            written = try image.write(to: &sink)
        } catch {
            throw CommitError("\(printable(target)): \(error)")
        }
        try end(at: written.byteCount)
        try verify(image, written)
    }

    /// Reads the new image as anybody would, and holds it against what was to be written.
    private func verify(
        _ image: LaidOutImage, _ written: IFS.WrittenImage
    ) throws(CommitError) {
        let fault: String?
        do throws(FormatError) {
            fault = try self.fault(image, written)
        } catch {
            throw CommitError("\(printable(target)): \(error)")
        }
        guard let fault else { return }
        throw CommitError(
            "\(printable(target)): the new image is not what it should be: found \(fault);"
                + " it was not put in place")
    }

    private func fault(
        _ image: LaidOutImage, _ written: IFS.WrittenImage
    ) throws(FormatError) -> String? {
        var scanner = IFS.Scanner(try source(), from: image.headerOffset)
        guard let found = try scanner.next() else { return "no image" }
        let contents = try image.image.contents()
        let expected = try AssembledSource(
            [
                AssembledSource.Part(at: 0, contents),
                AssembledSource.Part(at: contents.byteCount, MemorySource(written.trailer)),
            ], byteCount: contents.byteCount &+ UInt64(written.trailer.count))
        if let place = try found.contents.firstDifference(from: expected) {
            return "another byte at offset \(place) of the image"
        }
        // The sum of the contents is a part of what was compared.
        for check in found.checkSums(of: [.startup, .packed]) {
            guard case .bad(let stored, let computed) = check.verdict else { continue }
            return "a sum of \(stored) where \(computed) is right"
        }
        return nil
    }
}
