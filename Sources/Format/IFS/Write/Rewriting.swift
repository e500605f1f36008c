extension IFS.PlacedImage {
    /// An image that was read, as it stands: written again, it is the same.
    ///
    /// What lies behind the directory is one part. Throws `unsupported` for a directory with records
    /// that cannot be written as they were, and for a container around the image.
    public init(_ image: IFS.Image) throws(FormatError) {
        let directory = image.directory
        if let fault = directory.broken ?? directory.skipped.first { throw fault }
        guard image.container == nil, image.displacement == 0 else {
            throw .unsupported(
                Place("image", image.headerOffset), found: "an image in a container",
                expected: "one that follows its startup")
        }
        var records: [IFS.DirectoryRecord] = []
        for entry in directory.entries {
            guard let record = IFS.DirectoryRecord(entry, in: directory) else {
                throw .unsupported(
                    Place("dirent.mode", UInt64(entry.recordOffset)), found: hex(entry.mode),
                    expected: "a known type")
            }
            records.append(record)
        }
        let header = image.header
        let recordsEnd =
            UInt64(header.directoryOffset) &+ UInt64(clamping: directory.end)
        let dataEnd = UInt64(header.imageSize) &- UInt64(header.trailerSize)
        let rest = WindowSource(
            image.contents, from: recordsEnd, count: dataEnd &- min(dataEnd, recordsEnd))
        let start = image.headerOffset
        let area = image.startup.map { UInt64($0.startupSize) &- UInt64($0.trailerSize) } ?? 0
        let head = UInt64(IFS.StartupHeader.byteCount)
        self.init(
            prefix: WindowSource(image.file, from: 0, count: start), startup: image.startup,
            program: WindowSource(
                image.file, from: start &+ head, count: area &- min(area, head)),
            header: header, records: records,
            parts: [AssembledSource.Part(at: recordsEnd, rest)],
            encoding: IFS.Encoding(image.compression))
    }
}
