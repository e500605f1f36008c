extension Disk {
    /// An image file system somewhere on a disk.
    public struct InnerImage: Sendable {
        /// The index of the part that it is in; nil for bytes outside all partitions.
        public let part: Int?
        /// The path of the file that it is in, without a slash before it; nil for an image that lies
        /// in the bytes of a partition or of the disk.
        public let path: [UInt8]?
        /// The image. Its places count from the first byte of that file, else of the disk.
        public let image: IFS.Image
    }

    /// The images that a disk holds.
    public struct InnerImages: Sendable {
        /// In the order of the parts, those outside behind them; inside a part by path, or by place.
        public internal(set) var found: [InnerImage] = []
        /// Why a part was not searched to its end: the first reason of each.
        public internal(set) var failures: [(part: Int?, error: FormatError)] = []
        /// What came nearest to an image, where none was found.
        public internal(set) var refusal: FormatError?
    }

    /// All images that are in no file system of the disk, or are what one of its files begins with
    /// whose name says so (`IFS.isImageName`) or that lies in `/.boot`. `source` is what the disk was
    /// found in. Throws `io` alone.
    public func images(
        in source: any ByteSource, _ options: IFS.Image.Options = .init(),
        searchesFiles: Bool = true
    ) throws(FormatError) -> InnerImages {
        var finder = DiskImageFinder(self, source, options)
        for index in parts.indices {
            if !parts[index].hasFiles {
                try finder.searchBytes(of: index)
            } else if searchesFiles {
                try finder.searchFiles(of: index)
            }
        }
        try finder.searchBytes(of: nil)
        return finder.images
    }
}

extension Disk.Part {
    /// Whether its bytes belong to the files of a file system, and are not searched as they are.
    var hasFiles: Bool { volume != nil && kind != .ifs }
}

extension Disk {
    /// Bytes that are searched as they are.
    struct RawStretch: Equatable {
        /// The index of the part that has them; nil for none.
        var part: Int?
        /// Where images may begin.
        var range: Range<UInt64>
        /// Where images must end.
        var end: UInt64
    }

    /// The bytes of a disk that no file system has, in order. None are there twice, however
    /// partitions overlap.
    func rawStretches(_ byteCount: UInt64) -> [RawStretch] {
        let ranges = parts.map { $0.bytes.start..<($0.bytes.start &+ $0.bytes.byteCount) }
        let cuts = Set(ranges.flatMap { [$0.lowerBound, $0.upperBound] } + [0, byteCount]).sorted()
        return zip(cuts, cuts.dropFirst()).compactMap { low, high in
            let holders = ranges.indices.filter { ranges[$0].contains(low) }
            if holders.contains(where: { parts[$0].hasFiles }) { return nil }
            let holder = holders.first
            return RawStretch(
                part: holder, range: low..<high, end: holder.map { ranges[$0].upperBound } ?? high)
        }
    }
}
