import Format
import IFSFS
import ToolSupport

/// The image that is to be mounted, and the part of its tree that is.
struct MountedImage: Sendable {
    /// The file's name, for messages.
    let name: String
    /// The tree of the image.
    let volume: IFS.ImageVolume
    /// What a mount that changes nothing shows.
    let tree: any Volume
    /// The file from the root on, links resolved; nil of what is no regular file.
    let path: [UInt8]?
    /// Which image of the file, from 1.
    let number: Int
    /// What the tree leaves out or shows with a reservation, in a line; nil if nothing.
    let warning: String?
    /// Whether the file has been written, truncated or replaced since it was opened.
    let hasChanged: @Sendable () -> Bool
    private let wasWritten: @Sendable () -> Bool

    /// Opens a file as the options mean it; an error has its cause, and the option that helps.
    static func search(_ file: Argument, _ options: MountOptions) throws(ToolError) -> ImageSearch {
        try advised(options) { () throws(ToolError) in
            try ImageSearch(file, from: options.offset, options.disk.image)
        }
    }

    /// Opens the image of a file that the options mean.
    init(_ file: Argument, _ options: MountOptions) throws(ToolError) {
        try self.init(file, try Self.search(file, options), options)
    }

    /// The image that the options mean; an error has its cause, and the option that helps.
    init(_ file: Argument, _ search: ImageSearch, _ options: MountOptions) throws(ToolError) {
        name = printable(file.bytes)
        number = options.image ?? 1
        path = search.isPlainFile ? AbsolutePath.real(file)?.bytes : nil
        hasChanged = search.hasChanged
        wasWritten = search.wasWritten
        volume = try Self.advised(options) { [number] () throws(ToolError) in
            try Self.volume(try search.image(number), file)
        }
        tree = try volume.subtree(options.subdirectory, of: name)
        warning = Self.warning(volume, name)
    }

    private static func advised<Result>(
        _ options: MountOptions, _ body: () throws(ToolError) -> Result
    ) throws(ToolError) -> Result {
        do throws(ToolError) {
            return try body()
        } catch {
            let cause = error.cause ?? .unreadable
            throw ToolError(error.description + advice(cause, options), cause)
        }
    }

    /// The image as what can be changed; `report` is called once when somebody else has changed it.
    func opened(_ report: @escaping @Sendable () -> Void) -> OpenedImage {
        OpenedImage(volume, hasChanged: hasChanged, wasWritten: wasWritten, report: report)
    }

    private static func volume(
        _ image: IFS.Image, _ file: Argument
    ) throws(ToolError) -> IFS.ImageVolume {
        do throws(FormatError) {
            return try IFS.ImageVolume(image)
        } catch {
            throw ToolError(
                "\(printable(file.bytes)): \(error); 'dumpifs' lists what can still be read",
                .damaged)
        }
    }

    private static func warning(_ volume: IFS.ImageVolume, _ name: String) -> String? {
        let count = volume.doubtCount
        guard count > 0 else { return nil }
        return "\(name): \(count == 1 ? "1 entry is" : "\(count) entries are")"
            + " left out or doubtful; 'ifsctl check' names \(count == 1 ? "it" : "them")"
    }

    private static func advice(_ cause: ExitStatus, _ options: MountOptions) -> String {
        switch cause {
        case .noImage where options.image ?? 1 > 1: "; 'ifsctl list' names the images"
        case .noImage where options.offset > 0: "; without offset= the whole file is searched"
        case .usage, .refused, .unreadable, .noImage, .damaged, .unsupported, .mountPoint,
            .subdirectory:
            ""
        }
    }
}
