internal import Format
internal import Mkifs

extension NewImage {
    /// Writes an image that is laid out; `progress` is told bytes done and in all. Throws where what can
    /// be read then is something else.
    func write(
        _ image: LaidOutImage, _ progress: @escaping (UInt64, UInt64) -> Void
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
        for check in found.checkSums() {
            guard case .bad(let stored, let computed) = check.verdict else { continue }
            return "a sum of \(stored) where \(computed) is right"
        }
        let expected = try image.image.contents()
        return try Self.difference(found.contents, expected)
            .map { "another byte at offset \($0) of the image" }
    }

    /// Where two sources first differ, as far as the second goes.
    private static func difference(
        _ found: any ByteSource, _ expected: any ByteSource
    ) throws(FormatError) -> UInt64? {
        var position: UInt64 = 0
        while position < expected.byteCount {
            let count = Int(clamping: min(1 << 20, expected.byteCount &- position))
            let (one, other) = (
                try found.prefix(count, at: position), try expected.prefix(count, at: position)
            )
            if one != other {
                let same = zip(one, other).prefix { $0 == $1 }.count
                return position &+ UInt64(same)
            }
            position &+= UInt64(count)
        }
        return nil
    }
}
