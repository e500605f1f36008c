internal import Format

extension IFS.BootArguments {
    /// A program with its command line over its first place-holder; the same program where it has
    /// none, which then is told nothing.
    func replacingPlaceHolder(
        in source: any ByteSource, _ order: ByteOrder, address: UInt64, _ form: Form
    ) throws(FormatError) -> any ByteSource {
        guard let place = try source.firstOffset(of: Self.placeHolder) else { return source }
        let bytes = try entry(order, address: address, form)
        let end = place &+ UInt64(bytes.count)
        guard end <= source.byteCount else {
            throw .unsupported(
                Place("boot arguments", place), found: "\(bytes.count) bytes of them",
                expected: "\(source.byteCount &- place) at most")
        }
        return try AssembledSource(
            [
                AssembledSource.Part(at: 0, WindowSource(source, from: 0, count: place)),
                AssembledSource.Part(at: place, MemorySource(bytes)),
                AssembledSource.Part(
                    at: end, WindowSource(source, from: end, count: source.byteCount &- end)),
            ], byteCount: source.byteCount)
    }
}

extension ByteSource {
    /// Where a text begins for the first time; nil where it is not.
    fileprivate func firstOffset(of text: [UInt8]) throws(FormatError) -> UInt64? {
        let step = 1 << 20
        var position: UInt64 = 0
        while position < byteCount {
            let piece = try prefix(step + text.count - 1, at: position)
            if let index = piece.firstIndex(of: text) {
                return position &+ UInt64(index)
            }
            position &+= UInt64(step)
        }
        return nil
    }
}

extension [UInt8] {
    /// Where a text begins for the first time.
    fileprivate func firstIndex(of text: [UInt8]) -> Int? {
        guard let first = text.first else { return nil }
        var start = startIndex
        while let index = self[start...].firstIndex(of: first) {
            if self[index...].starts(with: text) { return index }
            start = index + 1
        }
        return nil
    }
}
