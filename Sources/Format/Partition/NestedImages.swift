/// Image file systems in the files of a volume.
public enum NestedImages {
    /// One of them.
    public struct Found: Sendable {
        /// The directory that the file is in.
        let directory: NodeID
        /// The file's path from the root of the volume, without a slash before it.
        public let path: [UInt8]
        /// The image; its places count from the first byte of the file.
        public let image: IFS.Image
    }

    /// More images than any volume has, and more entries than all of them have.
    private static let most = (images: 4096, entries: 1 << 21)

    /// The first image of each file that is called like one and begins with one, or has one behind a
    /// boot loader, in the order of the directories.
    public static func all(
        in volume: any Volume, _ options: IFS.Image.Options = .init()
    ) -> [Found] {
        let files = FileWalk.files(of: volume, where: isLikely).prefix(most.images)
        var options = options
        options.cacheLimit /= max(1, files.count)
        var patience = IFS.Scanner.usualPatience
        var entries = 0
        var found: [Found] = []
        for file in files where entries < most.entries {
            let bytes = VolumeFileSource(
                volume, file.attributes.node, byteCount: file.attributes.byteCount)
            var scanner = IFS.Scanner(
                bytes, from: 0, reach: DiskOpener.reach, patience: patience, options)
            do throws(FormatError) {
                guard let image = try scanner.next() else { continue }
                entries += image.directory.entries.count
                found.append(Found(directory: file.directory, path: file.path, image: image))
            } catch {
                // Whoever reads the file meets the error.
            }
            patience = scanner.patience
        }
        return found
    }

    /// Whether people call images so: `ifs` is a word of the name, as in `qnx-ifs`, `IFS-ROOT.BIN` or
    /// `board.ifs`, or it is the boot file of a QNX file system.
    static func isLikely(_ name: [UInt8]) -> Bool {
        let lower = name.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
        if lower == Array(".boot".utf8) || lower == Array(".altboot".utf8) { return true }
        return lower.split { !(0x61...0x7a).contains($0) }.contains { word in
            word.elementsEqual("ifs".utf8) || word.elementsEqual("qnxifs".utf8)
        }
    }
}
