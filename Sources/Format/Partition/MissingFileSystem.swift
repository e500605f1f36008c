extension Disk.Part {
    /// That there is no file system where the table says there is one: it was never made, or its first
    /// structure is broken so that it is not known, and what is shown instead is a file of it. Nil where
    /// there is one, of whichever kind, or an image that begins where the partition does; or where
    /// `failure` tells.
    public var missingFileSystem: FormatError? {
        guard failure == nil, kind == nil || kind == .ifs, let partition,
            let promised = partition.promisedSystem
        else { return nil }
        if let image = (volume as? IFS.ImageVolume)?.image, image.start == 0 { return nil }
        return .corrupt(
            Place("start of partition \(partition.number)", bytes.start),
            found: kind == nil ? "nothing that is known" : "an image and no file system around it",
            expected: "\(promised), as its type \(partition.typeCode) says")
    }
}
