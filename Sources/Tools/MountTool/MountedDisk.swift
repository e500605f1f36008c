import Format
import IFSFS
import ToolSupport

/// A disk, or a file system alone that is no IFS, which is to be mounted.
struct MountedDisk: Sendable {
    /// The file's name, for messages.
    let name: String
    /// What the mount shows.
    let tree: any Volume
    /// What is wrong with what is shown, a line each.
    let warnings: [String]
    /// Whether the file has been written, truncated or replaced since it was opened.
    let hasChanged: @Sendable () -> Bool

    /// What a file holds at the place that the options mean; nil where that is neither, or an image was
    /// asked for. An error has its cause, and the option that helps.
    init?(_ file: Argument, _ search: ImageSearch, _ options: MountOptions) throws(ToolError) {
        guard options.image == nil else {
            guard options.partition == nil else {
                throw ToolError("image: found partition= as well, expected one of the two")
            }
            return nil
        }
        guard let disk = try Self.disk(search, options) else {
            guard options.partition == nil else {
                throw ToolError(
                    "\(printable(file.bytes)): partition: found no disk, expected a partition table",
                    .noImage)
            }
            return nil
        }
        name = printable(file.bytes)
        hasChanged = search.hasChanged
        let number = options.partition
        let parts = disk.parts.filter { number == nil || $0.partition?.number == number }
        let found =
            number == nil
            ? disk.volume(options.names)
            : parts.first.flatMap { disk.tree(of: $0, options.names) }
        guard let found else { throw Self.nothing(file, parts.first, of: disk, options) }
        tree = try found.subtree(options.subdirectory, of: name)
        let faults = number == nil ? disk.table?.faults ?? [] : []
        warnings = (faults.map { "\($0)" } + parts.compactMap(\.warning)).map { [name] warning in
            "\(name): \(warning)"
        }
    }

    private static func disk(
        _ search: ImageSearch, _ options: MountOptions
    ) throws(ToolError) -> Disk? {
        do throws(ToolError) {
            return try search.disk(options.disk)
        } catch {
            throw ToolError(error.description + advice, error.cause ?? .damaged)
        }
    }

    private static let advice = "; image=1 looks for an IFS all the same"

    /// Why there is no tree of a part.
    private static func nothing(
        _ file: Argument, _ part: Disk.Part?, of disk: Disk, _ options: MountOptions
    ) -> ToolError {
        let name = printable(file.bytes)
        if let failure = part?.failure {
            let fault = ToolError(failure, in: file)
            return ToolError(
                fault.description + (disk.table == nil ? advice : ""), fault.cause ?? .damaged)
        }
        let number = "\(options.partition ?? 0)"
        guard part == nil else {
            return ToolError(
                "\(name): partition: found nothing that is known in \(number), expected a file system",
                .noImage)
        }
        let numbers = disk.parts.compactMap(\.partition).map { "\($0.number)" }
        let known =
            disk.table == nil
            ? "no partition table" : numbers.isEmpty ? "no partitions" : "no partition \(number)"
        let choice = numbers.isEmpty ? "one" : "one of \(numbers.joined(separator: ", "))"
        return ToolError("\(name): partition: found \(known), expected \(choice)", .noImage)
    }
}

extension Disk.Part {
    /// What is wrong with it as far as that is known, in a line; nil if nothing is.
    fileprivate var warning: String? {
        let place = partition.map { "partition \($0.number)" }
        if let failure {
            let what = [place, kind?.rawValue].compactMap(\.self).joined(separator: ", ")
            return "\(what): \(failure); shown as a file"
        }
        if let missingFileSystem {
            return "\(missingFileSystem)" + (volume == nil ? "; shown as a file" : "")
        }
        if let cutOff {
            let what = [place, kind?.rawValue].compactMap(\.self).joined(separator: ", ")
            return "\(what): \(cutOff); what is missing is left out, or cannot be read"
        }
        guard let count = (volume as? IFS.ImageVolume)?.doubtCount, count > 0 else { return nil }
        let what = count == 1 ? "1 entry is" : "\(count) entries are"
        return "\(place ?? "IFS"): \(what) left out or doubtful"
    }
}
