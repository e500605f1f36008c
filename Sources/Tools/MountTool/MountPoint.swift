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

/// Paths from the root on.
enum AbsolutePath {
    /// The path with links resolved; throws for what is not there.
    static func resolved(_ path: Argument, _ cause: ExitStatus) throws(ToolError) -> Argument {
        guard let found = real(path) else {
            throw ToolError(
                "\(printable(path.bytes)): cannot find: \(systemMessage(errno))", cause)
        }
        return found
    }

    /// The path with the links of its parent resolved: its last component may be what cannot be
    /// asked, such as a dead mount.
    static func lexical(_ path: Argument) -> Argument {
        let slash = UInt8(ascii: "/")
        let components = path.bytes.split(separator: slash)
        guard let last = components.last else { return path }
        let lead: [UInt8] = path.bytes.first == slash ? [slash] : Array("./".utf8)
        let parent = lead + components.dropLast().joined(separator: [slash])
        guard let found = real(Argument(bytes: parent)) else { return path }
        return Argument(bytes: (found == "/" ? [] : found.bytes) + [slash] + last)
    }

    /// The directory that a path from the root on is in.
    static func parent(of path: [UInt8]) -> Argument {
        let slash = UInt8(ascii: "/")
        let end = path.lastIndex(of: slash) ?? 0
        return Argument(bytes: end == 0 ? [slash] : Array(path[..<end]))
    }

    /// The path with links resolved; nil for what cannot be asked.
    static func real(_ path: Argument) -> Argument? {
        guard let found = unsafe path.withCString({ unsafe realpath($0, nil) }) else { return nil }
        defer { unsafe free(found) }
        let text = unsafe UnsafeBufferPointer(start: found, count: strlen(found))
        return Argument(bytes: unsafe text.map(UInt8.init(bitPattern:)))
    }
}
