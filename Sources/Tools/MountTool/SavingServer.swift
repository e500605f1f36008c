import Control
import Format
import FuseServer
import Glibc
import IFSFS
import Synchronization
import ToolSupport

/// Saves what is changed in a mount: when umount.ifs or ifsctl asks for it, and when the mount ends.
final class SavingServer: Sendable {
    private let commit: any Commit
    private let target: [UInt8]
    private let mountPoint: [UInt8]
    private let isDiscarding: Atomic<Bool>
    /// Bytes done and in all, while something is saved.
    private let saving = Mutex<(done: UInt64, total: UInt64)?>(nil)
    private let servers = Mutex<Servers>(Servers())

    private struct Servers {
        /// Answers as long as anything can come to the new image.
        var ofTarget: ControlServer?
        /// Answers as long as the mount is there.
        var ofMount: ControlServer?
    }

    /// What saves the changes of a mount, or forgets them, for the image at `target`. Throws where
    /// another mount makes a new image of that name.
    init(
        _ commit: any Commit, target: [UInt8], mountPoint: [UInt8], isDiscarding: Bool
    ) throws(ToolError) {
        self.commit = commit
        self.target = target
        self.mountPoint = mountPoint
        self.isDiscarding = Atomic(isDiscarding)
        try claimTarget()
    }

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

    /// Lets others ask for what they want, now that the mount is there. Where nobody can, the changes are
    /// saved when it ends.
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
    }

    /// The changes of a mount that has ended, once nobody makes any more; false where they are to be
    /// forgotten.
    func saveLast() throws(CommitError) -> Bool {
        servers.withLock { $0.ofMount?.stop() }
        guard !isDiscarding.load(ordering: .relaxed) else { return false }
        _ = try run(isLast: true)
        return true
    }

    private func run(
        isLast: Bool = false, isForced: Bool = false,
        _ progress: @escaping (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(CommitError) -> CommitOutcome {
        defer { saving.withLock { $0 = nil } }
        return try commit.run(isLast: isLast, isForced: isForced) { [self] done, total in
            saving.withLock { $0 = (done, total) }
            progress(done, total)
        }
    }
}

extension SavingServer: Controlled {
    var status: ControlStatus {
        let percent = saving.withLock { saving in
            saving.map { Int(clamping: $0.done / max(1, $0.total / 100)) }
        }
        return ControlStatus(
            mountPoint: mountPoint, target: target, hasEdits: commit.hasEdits, percent: percent)
    }

    func commit(isForced: Bool, progress: @escaping (UInt64, UInt64) -> Void) -> ControlReply {
        unlessDiscarding { () throws(CommitError) in try run(isForced: isForced, progress) }
    }

    func compact(progress: @escaping (UInt64, UInt64) -> Void) -> ControlReply {
        unlessDiscarding { () throws(CommitError) in try commit.compact(progress: progress) }
    }

    /// What is to be forgotten is not saved.
    private func unlessDiscarding(
        _ body: () throws(CommitError) -> CommitOutcome
    ) -> ControlReply {
        guard !isDiscarding.load(ordering: .relaxed) else {
            return .done(CommitOutcome.unchanged.rawValue)
        }
        do throws(CommitError) {
            return .done(try body().rawValue)
        } catch {
            return .failed(error.description)
        }
    }

    func discard() -> ControlReply {
        isDiscarding.store(true, ordering: .relaxed)
        return .done("discarded")
    }
}
