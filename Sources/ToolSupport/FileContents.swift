public import Format

/// An image of a file, and where in the file it is.
public struct FoundImage: Sendable {
    /// Its place among all of the file, from 1.
    public let number: Int
    /// The image.
    public let image: IFS.Image
    /// Where on a disk it is; nil in a file that is none.
    public let home: ImageHome?
}

/// Where on a disk an image is.
public struct ImageHome: Equatable, Sendable, CustomStringConvertible {
    /// The number of the partition; nil for a file system alone, and outside all partitions.
    public let partition: Int?
    /// The file that it is in; nil for an image that lies in the bytes of the disk.
    public let path: [UInt8]?
    /// Whether the disk has a partition table.
    public let isOnTable: Bool

    /// `partition 2, 'boot/x.ifs'`.
    public var description: String {
        let place =
            partition.map { "partition \($0)" }
            ?? (isOnTable ? "the space outside partitions" : nil)
        return [place, path.map { "'\(printable($0))'" }].compactMap(\.self).joined(separator: ", ")
    }

    /// As members of a JSON object: `partition` and `path`.
    package var facts: [(String, JSON)] {
        [
            ("partition", partition.map { .number(Int64($0)) } ?? .null),
            ("path", path.map { .text($0) } ?? .null),
        ]
    }
}

/// What the file holds that a command line names: images, on a disk or not.
public struct FileContents: Sendable {
    /// The disk, or the file system alone; nil where images are all that there is.
    public let disk: Disk?
    /// The images; at least one where there is no disk.
    public let images: [FoundImage]
    /// What is wrong with the disk as far as that shows, a line each.
    public let warnings: [String]
    /// Why there are no images on a disk; nil where there are some.
    public let nothing: ToolError?

    /// The contents of a file that was opened. Where the table of a disk is not to be read, that is a
    /// warning, and its images are searched as in any file; so are they without `searchesDisks`. Throws
    /// where nothing is found.
    public init(_ search: ImageSearch, searchesDisks: Bool = true) throws(ToolError) {
        let found: Disk?
        do throws(ToolError) {
            found = searchesDisks ? try search.disk() : nil
        } catch {
            // The table is the better explanation, if there are no images either.
            guard error.cause != .unreadable, let images = try? search.all() else { throw error }
            self.init(nil, Self.numbered(images), [error.description])
            return
        }
        guard let disk = found else {
            self.init(nil, Self.numbered(try search.all()), [])
            return
        }
        do throws(FormatError) {
            let inner = try disk.images(in: search.bytes)
            let images = inner.found.enumerated().map { index, found in
                FoundImage(
                    number: index + 1, image: found.image, home: disk.home(of: found))
            }
            let lines = disk.warnings + inner.failures.map { disk.line($0.part, "\($0.error)") }
            self.init(
                disk, images, lines.map { "\(printable(search.name.bytes)): \($0)" },
                nothing: images.isEmpty ? search.nothing(inner.refusal) : nil)
        } catch {
            throw ToolError(error, in: search.name)
        }
    }

    private init(
        _ disk: Disk?, _ images: [FoundImage], _ warnings: [String], nothing: ToolError? = nil
    ) {
        self.nothing = nothing
        self.disk = disk
        self.images = images
        self.warnings = warnings
    }

    private static func numbered(_ images: [IFS.Image]) -> [FoundImage] {
        images.enumerated().map { FoundImage(number: $0 + 1, image: $1, home: nil) }
    }
}

extension Disk {
    /// A line about one of its parts, with the part's name before it, as in `partition 2 (QNX6)`; of a
    /// file system alone, and of the table, the line itself.
    public func line(_ part: Int?, _ text: String) -> String {
        guard let part, let number = parts[part].partition?.number else { return text }
        return "partition \(number) (\(parts[part].kind?.rawValue ?? "unknown")): \(text)"
    }

    /// What is wrong with the table and the parts, a line each.
    fileprivate var warnings: [String] {
        (table?.faults ?? []).map { "\($0)" }
            + parts.enumerated().compactMap { index, part in
                (part.failure ?? part.cutOff).map { line(index, "\($0)") }
            }
    }

    fileprivate func home(of found: InnerImage) -> ImageHome {
        ImageHome(
            partition: found.part.flatMap { parts[$0].partition?.number }, path: found.path,
            isOnTable: table != nil)
    }
}
