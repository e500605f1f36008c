import Format
import FuseServer
import Glibc
import IFSFS
import ToolSupport

/// A mount whose changes become a new image when it ends.
final class WritableMount: Sendable {
    let image: EditedImage
    private let packer: BackgroundPacker?
    private let server: SavingServer

    /// Why an image can only be looked at; nil where it can be changed.
    static func obstacle(_ image: MountedImage, _ options: MountOptions) -> String? {
        if let option = options.shown { return "\(option) shows what the image does not say" }
        guard let path = image.path else { return "it is no plain file" }
        if let reason = ImageCommit.obstacle(image.volume, isForced: options.isForced) {
            return reason
        }
        let folder = Argument(bytes: parentPath(options.output ?? path))
        guard unsafe folder.withCString({ unsafe access($0, W_OK) }) == 0 else {
            return "cannot write in \(printable(folder.bytes)): \(systemMessage(errno))"
        }
        return nil
    }

    /// Makes edits that another mount has left an image, if that was asked for; false where there are
    /// none. It is done in a process of its own, since packing takes threads.
    static func commitsLeftEdits(
        _ image: MountedImage, _ options: MountOptions, warn: @escaping @Sendable (String) -> Void
    ) throws(ToolError) -> Bool {
        guard options.recovery == .commit else { return false }
        let settings = settings(image, options)
        let edited = edited(image, settings, options, reportChange: {}, warn: warn)
        guard edited.hasEditsOfAnother else { return false }
        let fault = ChildProcess.fault {
            do throws(CommitError) {
                if try edited.resume() { _ = try edited.commit.run(isLast: true) }
                return nil
            } catch {
                return error.description
            }
        }
        if let fault { throw ToolError(fault, .refused) }
        return true
    }

    private static func settings(_ image: MountedImage, _ options: MountOptions) -> CommitSettings {
        var settings = CommitSettings(
            image.path ?? [], number: image.number, target: options.output)
        settings.backup = options.backup.map { settings.target + $0 }
        settings.isForced = options.isForced
        return settings
    }

    private static func edited(
        _ image: MountedImage, _ settings: CommitSettings, _ options: MountOptions,
        reportChange: @escaping @Sendable () -> Void, warn: @escaping @Sendable (String) -> Void
    ) -> EditedImage {
        EditedImage(
            image.opened(reportChange), settings, stage: options.stageDirectory, warn: warn
        ) { () throws(CommitError) in
            do throws(ToolError) {
                return try MountedImage(Argument(bytes: settings.source), options)
                    .opened(reportChange)
            } catch {
                throw CommitError(error.description)
            }
        }
    }

    /// Opens an image for changes. Throws where edits of another mount wait or are being made.
    /// `reportChange` is told once when somebody else changes the image, `warn` what there is to say of
    /// a new one.
    init(
        _ image: MountedImage, at mountPoint: [UInt8], _ options: MountOptions,
        reportChange: @escaping @Sendable () -> Void, warn: @escaping @Sendable (String) -> Void
    ) throws(ToolError) {
        let settings = Self.settings(image, options)
        let edited = Self.edited(image, settings, options, reportChange: reportChange, warn: warn)
        self.image = edited
        // What is forgotten need not be made ahead, nor by an fsync.
        let savesEdits = !options.discardsEdits
        packer =
            savesEdits
            ? options.repackDelay.map { BackgroundPacker(edited.commit, delay: $0) } : nil
        server = try SavingServer(
            edited.commit, target: settings.target, mountPoint: mountPoint,
            isDiscarding: options.discardsEdits)
        do throws(CommitError) {
            if edited.hasEditsOfAnother { try recover(options.recovery) }
            if options.commitsOnSync, savesEdits { edited.commitWhenRootIsSynchronized(warn) }
        } catch {
            throw ToolError(error.description, .refused)
        }
    }

    /// Does with the edits that another mount has left what the user has asked for; where nothing was
    /// asked, they stay as they are.
    private func recover(_ recovery: MountOptions.Recovery?) throws(CommitError) {
        if recovery == .discard { return try image.discardEditsOfAnother() }
        guard try image.resume() else { return }
        guard recovery == .resume else {
            throw CommitError(
                "\(printable(image.stagePath)): found edits that are in no image yet;"
                    + " recover=resume goes on with them, recover=commit makes them an image,"
                    + " recover=discard throws them away")
        }
    }

    /// Lets umount.ifs and ifsctl ask for what they want.
    func listen(_ mount: Mount) {
        server.listen(mount)
        if let packer { QuietThread.run { packer.run() } }
    }

    /// Makes the edits an image, once nobody makes any more.
    func save() throws(ToolError) {
        packer?.stop()
        do throws(CommitError) {
            if try !server.saveLast() { image.discard() }
        } catch {
            throw ToolError(
                "\(error); the edits are kept in '\(printable(image.stagePath))'", .refused)
        }
    }
}
