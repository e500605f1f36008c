/// Looks for the images of one disk, within bounds that hold for all of it: names can lead to the same
/// bytes many times.
struct DiskImageFinder {
    private let disk: Disk
    private let source: any ByteSource
    private let options: IFS.Image.Options
    private let stretches: [Disk.RawStretch]
    private(set) var images = Disk.InnerImages()
    /// Blocks that may still be unpacked behind headers that turn out false.
    private var patience = IFS.Scanner.usualPatience
    /// Bytes of files that may still be searched: at first four times what there is.
    private var room: UInt64

    /// A longer path cannot be named to a system; nor is it followed.
    static let longestPath = 4096

    init(_ disk: Disk, _ source: any ByteSource, _ options: IFS.Image.Options) {
        self.disk = disk
        self.source = source
        self.options = options
        stretches = disk.rawStretches(source.byteCount)
        let (product, isTooLarge) = source.byteCount.multipliedReportingOverflow(by: 4)
        room = isTooLarge ? .max : product
    }

    // MARK: Bytes

    /// Searches the bytes of a part, or with nil those outside all parts.
    mutating func searchBytes(of part: Int?) throws(FormatError) {
        var passed: UInt64 = 0
        for stretch in stretches where stretch.part == part {
            let start = max(passed, stretch.range.lowerBound)
            guard start < stretch.range.upperBound else { continue }
            // From the disk's first byte on, so that places are those of the disk.
            let bytes = WindowSource(source, from: 0, count: stretch.end)
            try search(bytes, from: start, reach: stretch.range.upperBound, part, nil)
            passed = images.found.last.map { max(passed, $0.part == part ? $0.image.end : 0) } ?? 0
        }
    }

    private mutating func search(
        _ bytes: some ByteSource, from start: UInt64, reach: UInt64, _ part: Int?, _ path: [UInt8]?
    ) throws(FormatError) {
        var scanner = IFS.Scanner(
            bytes, from: start, reach: reach, patience: patience, options)
        defer {
            patience = scanner.patience
            images.refusal = images.refusal ?? scanner.refusal
        }
        while let image = try scanner.next() {
            images.found.append(Disk.InnerImage(part: part, path: path, image: image))
        }
    }

    // MARK: Files

    /// Searches the files of a part whose names say that they are images.
    mutating func searchFiles(of part: Int) throws(FormatError) {
        guard let volume = disk.tree(of: disk.parts[part]) else { return }
        var seen: Set<NodeID> = []
        for (path, node) in try candidates(in: volume, part) where seen.insert(node).inserted {
            try attempt(part) { finder throws(FormatError) in
                guard let file = try VolumeFileSource(volume, node) else { return }
                let count = min(file.byteCount, IFS.Scanner.usualReach)
                guard count <= finder.room else {
                    throw .unsupported(
                        Place("files of images", 0),
                        found: "more than \(4 &* min(finder.source.byteCount, .max / 4)) bytes",
                        expected: "files that do not overlap")
                }
                finder.room &-= count
                try finder.search(file, from: 0, reach: IFS.Scanner.usualReach, part, path)
            }
        }
    }

    /// Goes on behind what is wrong with a part, which is noted; only a medium that fails ends it.
    private mutating func attempt(
        _ part: Int, _ body: (inout Self) throws(FormatError) -> Void
    ) throws(FormatError) {
        do throws(FormatError) {
            try body(&self)
        } catch {
            if case .io = error { throw error }
            guard !images.failures.contains(where: { $0.part == part }) else { return }
            images.failures.append((part, error))
        }
    }

    /// Files that may be images, by path. No directory comes twice in a volume's walk.
    private mutating func candidates(
        in volume: any Volume, _ part: Int
    ) throws(FormatError) -> [(path: [UInt8], node: NodeID)] {
        var found: [(path: [UInt8], node: NodeID)] = []
        var pending: [(path: [UInt8], node: NodeID)] = [([], .root)]
        while let (folder, node) = pending.popLast() {
            try attempt(part) { finder throws(FormatError) in
                for (name, node) in try finder.entries(of: node, in: volume, part) {
                    let path = folder.isEmpty ? name : folder + [UInt8(ascii: "/")] + name
                    guard path.count <= Self.longestPath else { continue }
                    try finder.attempt(part) { _ throws(FormatError) in
                        let kind = try volume.attributes(of: node)?.kind
                        if kind == .directory { pending.append((path, node)) }
                        if kind == .file, Self.isCandidate(path, name) {
                            found.append((path, node))
                        }
                    }
                }
            }
        }
        return found.sorted { $0.path.lexicographicallyPrecedes($1.path) }
    }

    /// The entries of a directory as far as it can be read.
    private mutating func entries(
        of directory: NodeID, in volume: any Volume, _ part: Int
    ) throws(FormatError) -> [(name: [UInt8], node: NodeID)] {
        var entries: [(name: [UInt8], node: NodeID)] = []
        try attempt(part) { _ throws(FormatError) in
            try unsafe volume.entries(of: directory, from: 0) { _, name, node in
                unsafe entries.append((Array(name), node))
                return true
            }
        }
        return entries
    }

    /// In QNX 6, `/.boot` is a directory of the images that the loader can choose from.
    private static func isCandidate(_ path: [UInt8], _ name: [UInt8]) -> Bool {
        IFS.isImageName(name) || path.starts(with: ".boot/".utf8)
    }
}
