import Format
import IFSFS
import ToolSupport

/// A disk, or a file system alone that is no IFS, which is to be mounted.
struct MountedDisk: Sendable {
    /// The file's name, for messages.
    let name: String
    /// What the mount shows.
    let tree: any Volume
    /// What is wrong with the disk, a line each.
    let warnings: [String]
    /// Whether the file has been written, truncated or replaced since it was opened.
    let hasChanged: @Sendable () -> Bool

    /// What the file holds at the place that the options mean; nil where that is neither. An error has
    /// its cause.
    init?(
        _ file: Argument, _ search: ImageSearch, _ options: MountOptions
    ) throws(ToolError) {
        guard !options.asksForImage else { return nil }
        let name = printable(file.bytes)
        var reading = Disk.Options()
        reading.image = IFS.Image.Options(cacheLimit: Int(clamping: options.cacheLimit))
        let disk: Disk?
        do throws(FormatError) {
            let bytes = WindowSource(search.bytes, from: options.offset, count: .max)
            disk = try Disk.find(in: bytes, reading)
        } catch {
            throw ToolError(error, in: file)
        }
        guard let disk else {
            guard options.partition == nil else {
                throw ToolError(
                    "\(name): partition: found no disk, expected one with partitions", cause: .noImage)
            }
            return nil
        }
        self.name = name
        hasChanged = search.hasChanged
        var parts = disk.parts
        var shown = disk.volume(options.names)
        if let number = options.partition {
            parts = disk.parts.filter { $0.partition?.number == number }
            guard !parts.isEmpty else {
                let numbers = disk.parts.compactMap { $0.partition.map { "\($0.number)" } }
                throw ToolError(
                    "\(name): partition: found none with the number \(number), expected one of "
                        + (numbers.isEmpty ? "none: it has no partitions" : numbers.joined(separator: ", ")),
                    cause: .noImage)
            }
            shown = parts[0].volume
        }
        guard let volume = shown else {
            if let failure = parts.first?.failure { throw ToolError(failure, in: file) }
            throw ToolError(
                "\(name): partition: found bytes of no file system that is known, expected one",
                cause: .noImage)
        }
        let faults = (disk.table?.faults ?? []).map { "\(name): \($0)" }
        warnings = faults + parts.compactMap { Self.warning($0, name) }
        tree = try Self.subtree(volume, options.subdirectory, name)
    }

    private static func warning(_ part: Disk.Part, _ name: String) -> String? {
        guard let failure = part.failure, let kind = part.kind else { return nil }
        let number = part.partition.map { "partition \($0.number)" } ?? "file system"
        return "\(name): \(number), \(kind.rawValue): \(failure); shown as a file"
    }

    private static func subtree(
        _ volume: any Volume, _ path: [UInt8], _ name: String
    ) throws(ToolError) -> any Volume {
        guard !path.isEmpty else { return volume }
        do throws(FileSystemError) {
            return try SubtreeVolume(volume, at: path)
        } catch {
            let found = error == .notDirectory ? "no directory" : "nothing"
            throw ToolError(
                "\(name): subdir: found \(found) at '\(printable(path))',"
                    + " expected a directory of the image", .subdirectory)
        }
    }
}
