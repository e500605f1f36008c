import Format
import FuseServer
import Glibc
import IFSFS
import Synchronization
import ToolSupport

/// A mount whose changes become a new image when it ends.
final class WritableMount: Sendable {
    let fileSystem: StagedFileSystem
    private let commit: ImageCommit
    private let stage: Stage
    private let discardsEdits: Bool
    private let listener = Mutex<ControlServer?>(nil)

    /// Why an image can only be looked at; nil where it can be changed.
    static func obstacle(_ image: MountedImage, _ options: MountOptions) -> String? {
        if let option = options.shown { return "\(option) shows what the image does not say" }
        guard let path = image.path else { return "it is no plain file" }
        if let reason = ImageCommit.obstacle(image.volume) { return reason }
        let target = options.output ?? path
        let folder = AbsolutePath.parent(of: target)
        guard unsafe folder.withCString({ unsafe access($0, W_OK) }) == 0 else {
            return "cannot write in \(printable(folder.bytes)): \(systemMessage(errno))"
        }
        return nil
    }

    /// Opens an image for changes. Throws where edits of another mount wait or are being made.
    init(
        _ image: MountedImage, _ file: Argument, _ options: MountOptions,
        report: @escaping @Sendable () -> Void
    ) throws(ToolError) {
        let source = image.path ?? []
        let target = options.output ?? source
        stage = Stage(
            at: options.stageDirectory ?? ImageCommit.stagePath(of: target),
            of: ImageCommit.origin(of: source, image.number))
        fileSystem = StagedFileSystem(
            image.volume, stage,
            .ifs(imageSize: UInt64(image.volume.image.header.imageSize), target: target),
            watch: ImageWatch(image.hasChanged, report: report))
        let opened = OpenedImage(image.volume, hasChanged: image.hasChanged, report: report)
        commit = ImageCommit(
            of: opened, fileSystem, source: source, number: image.number, target: target,
            backup: options.backup.map { target + $0 }
        ) { () throws(CommitError) in
            do throws(ToolError) {
                let again = try MountedImage(Argument(bytes: source), options)
                return OpenedImage(again.volume, hasChanged: again.hasChanged, report: report)
            } catch {
                throw CommitError(error.description)
            }
        }
        discardsEdits = options.discardsEdits
        if stage.isFound { try recover(target, options.recovery) }
    }

    /// Does with the edits that another mount has left what the user has asked for; where nothing was
    /// asked, they stay as they are.
    private func recover(
        _ target: [UInt8], _ recovery: MountOptions.Recovery?
    ) throws(ToolError) {
        let place = printable(stage.path)
        do throws(FileSystemError) {
            if recovery == .discard { return try stage.discardFound() }
            guard try fileSystem.resume(target) else { return }
        } catch .busy {
            throw ToolError("\(place): found a mount that changes the image already", .refused)
        } catch .replaced {
            throw ToolError(
                "\(place): found edits of another image than this is now;"
                    + " recover=discard throws them away", .refused)
        } catch {
            throw ToolError("\(place): cannot read the edits: \(error)", .refused)
        }
        guard let recovery else {
            throw ToolError(
                "\(place): found edits that are in no image yet; recover=resume goes on with them,"
                    + " recover=commit makes them an image, recover=discard throws them away",
                .refused)
        }
        guard recovery == .commit else { return }
        do throws(CommitError) {
            _ = try commit.run()
        } catch {
            throw ToolError(error.description, .refused)
        }
    }

    /// Lets umount.ifs and others ask for the edits to be saved.
    func listen(_ mount: Mount) {
        let name = ControlName(device: mount.device, source: mount.source)
        // Where nobody can ask, the edits are saved when the mount ends.
        let server = ControlServer(of: name, discardsEdits ? nil : commit) { mount.current != nil }
        listener.withLock { $0 = server }
    }

    /// Makes the edits an image, once nobody makes any more.
    func save() throws(ToolError) {
        listener.withLock { $0?.stop() }
        guard !discardsEdits else { return stage.remove() }
        do throws(CommitError) {
            _ = try commit.run(isLast: true)
        } catch {
            throw ToolError(
                "\(error); the edits are kept in '\(printable(stage.path))'", .refused)
        }
    }
}
