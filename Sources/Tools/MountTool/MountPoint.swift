import Format
import FuseServer
import Glibc
import ToolSupport

/// The directory that a command line names as mount point.
struct MountPoint {
    /// From the root on, links resolved: what is in the background has another directory.
    let path: [UInt8]

    /// Finds the directory; a mount of ours there whose server is gone is cleared away first, and
    /// `report` told so.
    init(_ name: Argument, report: (String) -> Void) throws(ToolError) {
        while let dead = try Self.dead(name) {
            if let failure = dead.remove(.lazily) {
                throw ToolError(
                    "\(printable(name.bytes)): found a dead mount, cannot clear it: \(failure)",
                    .mountPoint)
            }
            report(
                "\(printable(name.bytes)): cleared the dead mount of"
                    + " \(printable(dead.source))")
        }
        path = try AbsolutePath.resolved(name, .mountPoint).bytes
        guard try Self.kind(name) == S_IFDIR else {
            throw ToolError("\(printable(name.bytes)): expected a directory", .mountPoint)
        }
    }

    private static func kind(_ name: Argument) throws(ToolError) -> mode_t {
        var status = stat()
        guard unsafe name.withCString({ unsafe stat($0, &status) }) == 0 else {
            throw ToolError(
                "\(printable(name.bytes)): cannot find: \(systemMessage(errno))", .mountPoint)
        }
        return status.st_mode & S_IFMT
    }

    /// The mount at the path if its server is gone; nil where all is well.
    private static func dead(_ name: Argument) throws(ToolError) -> Mount? {
        guard Mount.isDead(at: name.bytes) else { return nil }
        let place = AbsolutePath.real(name) ?? AbsolutePath.lexical(name)
        guard let mount = Mount.uppermost(at: place.bytes), mount.isOurs else {
            throw ToolError(
                "\(printable(name.bytes)): found a dead mount that is not of IFSFS,"
                    + " expected a directory; 'umount -l' clears it", .mountPoint)
        }
        return mount
    }
}
