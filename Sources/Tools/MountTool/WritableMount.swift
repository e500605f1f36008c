import Control
import Format
import FuseServer
import Glibc
import IFSFS
import Synchronization
import ToolSupport

/// A mount whose changes become a new image when it ends.
final class WritableMount: Sendable {
    let image: EditedImage
    private let mountPoint: [UInt8]
    private let target: [UInt8]
    private let packer: BackgroundPacker?
    private let discardsEdits: Atomic<Bool>
    /// Bytes done and in all, while something is saved.
    private let saving = Mutex<(done: UInt64, total: UInt64)?>(nil)
    private let servers = Mutex<Servers>(Servers())

    private struct Servers {
        /// Answers as long as anything can come to the new image.
        var ofTarget: ControlServer?
        /// Answers as long as the mount is there.
        var ofMount: ControlServer?
    }

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

    /// Opens an image for changes. Throws where edits of another mount wait or are being made.
    /// `reportChange` is told once when somebody else changes the image, `warn` what there is to say of
    /// a new one.
    init(
        _ image: MountedImage, at mountPoint: [UInt8], _ options: MountOptions,
        reportChange: @escaping @Sendable () -> Void, warn: @escaping @Sendable (String) -> Void
    ) throws(ToolError) {
        let source = image.path ?? []
        var settings = CommitSettings(source, number: image.number, target: options.output)
        settings.backup = options.backup.map { settings.target + $0 }
        settings.isForced = options.isForced
        let edited = EditedImage(
            image.opened(reportChange), settings, stage: options.stageDirectory, warn: warn
        ) {
            () throws(CommitError) in
            do throws(ToolError) {
                return try MountedImage(Argument(bytes: source), options).opened(reportChange)
            } catch {
                throw CommitError(error.description)
            }
        }
        self.image = edited
        self.mountPoint = mountPoint
        target = settings.target
        discardsEdits = Atomic(options.discardsEdits)
        packer = options.repackDelay.map { BackgroundPacker(edited.commit, delay: $0) }
        try claimTarget()
        do throws(CommitError) {
            if edited.hasEditsOfAnother { try recover(options.recovery) }
            if options.commitsOnSync { edited.commitWhenRootIsSynchronized(warn) }
        } catch {
            throw ToolError(error.description, .refused)
        }
    }

    /// Makes sure that nobody else makes a new image of the same name.
    private func claimTarget() throws(ToolError) {
        let name = ControlName(target: target)
        for _ in 0..<50 {
            guard let server = ControlServer(of: name, self) else { return }
            if server.hasName { return servers.withLock { $0.ofTarget = server } }
            if let other = SavingNotice(of: target) {
                throw ToolError(other.refusal, .refused)
            }
            usleep(20_000)
        }
    }

    /// Does with the edits that another mount has left what the user has asked for; where nothing was
    /// asked, they stay as they are.
    private func recover(_ recovery: MountOptions.Recovery?) throws(CommitError) {
        if recovery == .discard { return try image.discardEditsOfAnother() }
        guard try image.resume() else { return }
        guard let recovery else {
            throw CommitError(
                "\(printable(image.stagePath)): found edits that are in no image yet;"
                    + " recover=resume goes on with them, recover=commit makes them an image,"
                    + " recover=discard throws them away")
        }
        if recovery == .commit { _ = try image.commit.run() }
    }

    /// Lets umount.ifs and ifsctl ask for what they want. Where nobody can ask, the edits are saved when
    /// the mount ends.
    func listen(_ mount: Mount) {
        let name = ControlName(device: mount.device, source: mount.source)
        let server = ControlServer(of: name, self) { mount.current != nil }
        let all = servers.withLock { servers in
            servers.ofMount = server
            return [servers.ofTarget, server]
        }
        for server in all.compactMap({ $0 }) {
            QuietThread.run { server.serve { QuietThread.run($0) } }
        }
        if let packer { QuietThread.run { packer.run() } }
    }

    /// Makes the edits an image, once nobody makes any more.
    func save() throws(ToolError) {
        servers.withLock { $0.ofMount?.stop() }
        packer?.stop()
        // It is ending; who asks once more would only make a crash of it.
        for number in [SIGHUP, SIGTERM] { signal(number, SIG_IGN) }
        guard !discardsEdits.load(ordering: .relaxed) else { return image.discard() }
        do throws(CommitError) {
            _ = try commit(isLast: true)
        } catch {
            throw ToolError(
                "\(error); the edits are kept in '\(printable(image.stagePath))'", .refused)
        }
    }

    private func commit(
        isLast: Bool = false, isForced: Bool = false,
        _ progress: @escaping (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(CommitError) -> CommitOutcome {
        defer { saving.withLock { $0 = nil } }
        return try image.commit.run(isLast: isLast, isForced: isForced) { [self] done, total in
            saving.withLock { $0 = (done, total) }
            progress(done, total)
        }
    }
}

extension WritableMount: Controlled {
    var status: ControlStatus {
        let percent = saving.withLock { saving in
            saving.map { Int(clamping: $0.done / max(1, $0.total / 100)) }
        }
        return ControlStatus(
            mountPoint: mountPoint, target: target, hasEdits: image.hasEdits, percent: percent)
    }

    func commit(isForced: Bool, progress: @escaping (UInt64, UInt64) -> Void) -> ControlReply {
        guard !discardsEdits.load(ordering: .relaxed) else {
            return .done(CommitOutcome.unchanged.rawValue)
        }
        do throws(CommitError) {
            return .done(try commit(isForced: isForced, progress).rawValue)
        } catch {
            return .failed(error.description)
        }
    }

    func discard() -> ControlReply {
        discardsEdits.store(true, ordering: .relaxed)
        return .done("discarded")
    }
}
