internal import Format
internal import Glibc

/// An image that is open for changes: its tree, the stage that keeps the edits, and what makes a new
/// image of both.
public final class EditedImage: Sendable {
    /// The tree, which can be changed.
    public let fileSystem: StagedFileSystem
    /// Makes the new image.
    public let commit: ImageCommit
    private let stage: Stage
    private let settings: CommitSettings

    /// Opens an image for changes, whose edits are kept beside the new image unless `stage` says
    /// otherwise. After a commit `open` is asked for the image again; `warn` is told what there is to
    /// say of a new image.
    public init(
        _ image: OpenedImage, _ settings: CommitSettings, stage path: [UInt8]? = nil,
        warn: @escaping @Sendable (String) -> Void = { _ in },
        open: @escaping @Sendable () throws(CommitError) -> OpenedImage
    ) {
        self.settings = settings
        stage = Stage(
            at: path ?? ImageCommit.stagePath(of: settings.target),
            of: StageOrigin(of: settings.source, settings.number).text)
        fileSystem = StagedFileSystem(
            image.volume, stage,
            .ifs(
                imageSize: UInt64(image.volume.image.header.imageSize), target: settings.target),
            watch: ImageWatch(image.hasChanged, report: image.report))
        commit = ImageCommit(of: image, fileSystem, settings, warn: warn, open: open)
    }

    /// Whether anything was changed that is in no image yet.
    public var hasEdits: Bool { commit.hasEdits }

    /// An fsync of the root saves the edits from now on; `report` is told why that fails.
    public func commitWhenRootIsSynchronized(_ report: @escaping @Sendable (String) -> Void) {
        fileSystem.whenRootIsSynchronized { [commit] () throws(FileSystemError) in
            do throws(CommitError) {
                _ = try commit.run()
            } catch {
                report(error.description)
                throw .disk(EIO)
            }
        }
    }

    /// Where the edits are kept.
    public var stagePath: [UInt8] { stage.path }

    /// Whether edits of another mount are where this one's would be.
    public var hasEditsOfAnother: Bool { stage.isFound }

    /// Takes over the edits that another mount has left; false where the image has them all. Before
    /// anything is asked of the file system.
    public func resume() throws(CommitError) -> Bool {
        do throws(FileSystemError) {
            let isLeft = try fileSystem.resume(settings.target)
            NewImage.removeLeftovers(of: settings.target)
            return isLeft
        } catch {
            throw Self.error(error, stage.path)
        }
    }

    /// Throws away the edits that another mount has left.
    public func discardEditsOfAnother() throws(CommitError) {
        try Self.discardEdits(for: settings.target, in: stage.path)
    }

    /// Throws away the edits in a stage, which were for an image at `target`.
    public static func discardEdits(
        for target: [UInt8], in path: [UInt8]
    ) throws(CommitError) {
        do throws(FileSystemError) {
            try Stage(at: path, of: []).discardFound()
            NewImage.removeLeftovers(of: target)
        } catch {
            throw Self.error(error, path)
        }
    }

    /// Throws away the edits of this mount, when it has ended.
    public func discard() { stage.remove() }

    private static func error(_ error: FileSystemError, _ stage: [UInt8]) -> CommitError {
        let place = printable(stage)
        return switch error {
        case .busy: CommitError("\(place): found a mount that changes the image already")
        case .replaced:
            CommitError(
                "\(place): found edits of another image than this is now;"
                    + " recover=discard throws them away")
        default: CommitError("\(place): cannot read the edits: \(error)")
        }
    }
}
