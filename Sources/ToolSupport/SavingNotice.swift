public import Control
internal import Format
internal import Glibc

/// What is going on with a file that a mount makes a new image of.
public struct SavingNotice: Sendable {
    /// The server of the mount.
    public let server: ControlClient
    /// What it is doing.
    public let status: ControlStatus
    private let path: [UInt8]

    /// Asks the mount whose new image goes to `path`, a path from the root on; nil where there is none.
    /// Only a server of root, of the user, or of the owner of the file is believed.
    public init?(of path: [UInt8]) { self.init(ControlName(target: path), path) }

    /// The server of a name, if its new image goes to `path`, or anywhere.
    private init?(_ name: ControlName, _ path: [UInt8]?) {
        var status = stat()
        let owner = path.flatMap {
            unsafe stat(cString($0), &status) == 0 ? status.st_uid : nil
        }
        guard
            let server = ControlClient.reaching(
                name, isTrusted: { [0, geteuid(), owner ?? 0].contains($0) || geteuid() == 0 }),
            let status = server.status(), path == nil || status.target == path
        else { return nil }
        self.server = server
        self.status = status
        self.path = status.target
    }

    /// All writable mounts that answer the user.
    public static func all() -> [SavingNotice] {
        ControlName.targets().compactMap { SavingNotice($0, nil) }
    }

    /// A line for who reads the file while it is saved; nil while it is not.
    public var line: String? {
        status.percent.map {
            "\(printable(path)): being saved by process \(server.process) (\($0) %)"
        }
    }

    /// A line for who would change it as well.
    public var refusal: String {
        line ?? "\(printable(path)): found a mount that changes it already, at"
            + " '\(printable(status.mountPoint))', of process \(server.process)"
    }
}

extension Diagnostics {
    /// Says so where a mount is just about to put another image in the place of a file.
    public func sayIfSaved(_ file: Argument) {
        guard file.text != "-", let path = AbsolutePath.real(file)?.bytes else { return }
        if let line = SavingNotice(of: path)?.line { say(line) }
    }
}
