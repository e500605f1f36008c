import Foundation

/// Packs a directory tree into a bootable image file, piece by piece: trees larger than memory will
/// do. The bytes are those that `ImageBuilder` gives for the same entries, each file's data on a
/// multiple of 4.
public struct TreePacker: Sendable {
    /// How the image file system is packed: `none`, or blocks of LZO or UCL.
    public var packing: Packing
    /// The byte order of everything.
    public var isBigEndian: Bool

    /// A packer with this method and byte order.
    public init(_ packing: Packing = .none, isBigEndian: Bool = false) {
        self.packing = packing
        self.isBigEndian = isBigEndian
    }

    /// Makes the image file `image` of all below the directory `tree`. Entries are in the order of
    /// their names; modes and times are the tree's, the owner is root.
    public func pack(_ tree: String, into image: String) throws {
        var files = try TreeFiles(tree)
        var builder = ImageBuilder().with {
            $0.packing = packing
            $0.isBigEndian = isBigEndian
        }
        let end = files.place(in: &builder)
        let size = end + 4
        let area = builder.startupArea(imageSize: size, storedCount: 0).count
        let output = try SummedFile(image, from: area, isBigEndian: isBigEndian)
        try write(files, header(builder, size), to: output)
        // Only now is it known how much the packed stream came to.
        let start = builder.startupArea(imageSize: size, storedCount: output.byteCount)
        try output.write(start, at: 0)
    }

    /// Image header and directory. The builder knows no data, so the size is put in.
    private func header(_ builder: ImageBuilder, _ size: Int) -> [UInt8] {
        let image = builder.imageFileSystem()
        var bytes = Array(image.plain[..<image.directoryEnd])
        bytes.set(UInt32(size), at: 8, isBigEndian: isBigEndian)
        return bytes
    }

    private func write(_ files: TreeFiles, _ header: [UInt8], to output: SummedFile) throws {
        let stream = BlockWriter(packing, to: output)
        var sum = ImageBuilder.sum(header[...], isBigEndian: isBigEndian)
        try stream.append(header)
        try files.forEachPiece { piece in
            sum &+= ImageBuilder.sum(piece[...], isBigEndian: isBigEndian)
            try stream.append(piece)
        }
        try stream.append([UInt8](0 &- sum, isBigEndian: isBigEndian))
        try stream.finish()
        if packing != .none { try output.addTrailer() }
    }
}

/// What lies in a directory tree, in the order of an image.
private struct TreeFiles {
    private var entries: [ImageEntry] = []
    /// The paths on the host of those entries that are files, and their sizes.
    private var files: [(entry: Int, path: String, size: Int)] = []

    init(_ tree: String) throws { try gather(tree, "") }

    private mutating func gather(_ directory: String, _ prefix: String) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: directory)
        for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            let path = directory + "/" + name
            var status = stat()
            guard lstat(path, &status) == 0 else { throw failure(path) }
            guard let body = try Self.body(path, status) else { continue }
            if case .file = body { files.append((entries.count, path, Int(status.st_size))) }
            var entry = ImageEntry(path: Array((prefix + name).utf8), body, mode: status.st_mode)
            entry.modified = UInt32(status.st_mtim.tv_sec)
            entries.append(entry)
            if case .directory = body { try gather(path, prefix + name + "/") }
        }
    }

    /// What an entry is, a file's data left out; nil for what is not packed.
    private static func body(_ path: String, _ status: stat) throws -> ImageEntry.Body? {
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return .directory
        case S_IFREG: return .file([])
        case S_IFLNK:
            let target = try FileManager.default.destinationOfSymbolicLink(atPath: path)
            return .symlink(Array(target.utf8))
        default: return nil
        }
    }

    /// Puts the entries into a builder, with the place of each file's data, and returns where the
    /// last ends.
    mutating func place(in builder: inout ImageBuilder) -> Int {
        builder.entries = entries
        var end = builder.imageFileSystem().directoryEnd
        for file in files {
            entries[file.entry].offset = UInt32(end)
            entries[file.entry].size = UInt32(file.size)
            end += (file.size + 3) / 4 * 4
        }
        builder.entries = entries
        return end
    }

    /// Calls `body` with the data of all files, each padded to a multiple of 4.
    func forEachPiece(_ body: ([UInt8]) throws -> Void) throws {
        for file in files {
            guard let handle = FileHandle(forReadingAtPath: file.path) else {
                throw failure(file.path)
            }
            var left = file.size
            while left > 0 {
                var piece = [UInt8](try handle.read(upToCount: min(left, 1 << 20)) ?? Data())
                // A piece that is short would put all that follows in a wrong place.
                guard piece.count == min(left, 1 << 20) else { throw failure(file.path) }
                left -= piece.count
                piece.pad(to: 4)
                try body(piece)
            }
            try handle.close()
        }
    }
}

private func failure(_ path: String) -> CocoaError {
    CocoaError(.fileReadUnknown, userInfo: [NSFilePathErrorKey: path])
}
