import FuseServer
import IFSFS
import Synchronization

/// Lets umount.ifs and others ask a mount to save what was changed.
final class SavingListener: Sendable {
    private let server = Mutex<ControlServer?>(nil)

    /// Listens for a mount that is there; without a commit there is nothing to save. Where nobody can
    /// ask, a mount saves when it ends.
    func start(_ mount: Mount, _ commit: (any Commit)?) {
        let name = ControlName(device: mount.device, source: mount.source)
        let made = ControlServer(of: name, commit) { mount.current != nil }
        server.withLock { $0 = made }
    }

    /// Listens no more.
    func stop() { server.withLock { $0?.stop() } }
}
