extension IFS.Image {
    /// Finds out where the blocks of a packed image begin, which the first read far into it would
    /// else wait for, as long as `goesOn` says so. May be called at any time, on any thread.
    public func prepare(_ goesOn: () -> Bool) {
        guard let blocks = contents as? IFS.BlockSource else { return }
        // What is wrong with the image, the reads that meet it say.
        try? blocks.prove(isUrgent: false, goesOn)
    }

    /// The script's bytes; none where the image has no script.
    public func scriptData() throws(FormatError) -> [UInt8] {
        guard let script, case .file(_, let size) = script.kind else { return [] }
        guard size <= IFS.Script.byteLimit else {
            throw .unsupported(
                Place("script", 0), found: "\(size) bytes",
                expected: "\(IFS.Script.byteLimit) at most")
        }
        return try data(of: script)
    }

    /// Bytes from an entry's file that are enough for an ELF header and its program headers.
    public func head(of entry: IFS.Dirent) throws(FormatError) -> [UInt8] {
        guard case .file(let offset, let size) = entry.kind else { return [] }
        return try contents.prefix(
            min(Int(clamping: size), ELF.Header.sampleByteCount), at: UInt64(offset))
    }

    /// A digest of an entry's file, read piece by piece.
    public func digest(
        of entry: IFS.Dirent, _ algorithm: Digest.Algorithm
    ) throws(FormatError) -> [UInt8] {
        guard case .file(let offset, let size) = entry.kind else { return [] }
        var digest = Digest(algorithm)
        var position: UInt64 = 0
        while position < UInt64(size) {
            let step = min(UInt64(size) &- position, 1 << 20)
            digest.update(
                try contents.bytes(
                    step, at: UInt64(offset) &+ position,
                    "data of '\(printable(directory.path(of: entry)))'"))
            position &+= step
        }
        return digest.finish()
    }

    /// Calls `body` with the image as it would be stored unpacked: boot prefix, startup area and
    /// image file system, in pieces. The headers keep what they say. The prefix starts at `origin`,
    /// else at what of it is loaded: a header does not tell how much before that belongs to it.
    public func unpacked(
        from origin: UInt64? = nil,
        _ body: (_ piece: [UInt8]) throws(FormatError) -> Void
    ) throws(FormatError) {
        let first = min(origin ?? start, storedOffset)
        try pieces(of: file, first, storedOffset &- first, body)
        try pieces(of: contents, 0, UInt64(header.imageSize), body)
    }

    private func pieces(
        of source: any ByteSource, _ start: UInt64, _ count: UInt64,
        _ body: (_ piece: [UInt8]) throws(FormatError) -> Void
    ) throws(FormatError) {
        var position: UInt64 = 0
        while position < count {
            let step = min(count &- position, 1 << 20)
            try body(try source.bytes(step, at: start &+ position, "image"))
            position &+= step
        }
    }
}
