import Format
import Glibc
import IFSFS
import ToolSupport

/// A directory of the host that is to be changed through a mount, and to become an image.
struct MountedDirectory: Sendable {
    /// Its name, for messages.
    let name: String
    /// From the root on, links resolved.
    let path: [UInt8]
    /// Where the image goes.
    let output: [UInt8]
    /// Where is kept what the directory cannot hold.
    let stage: [UInt8]

    /// Nil where the operand is no directory. Throws for options that do not fit what it is.
    init?(_ operand: Argument, _ options: MountOptions) throws(ToolError) {
        var status = stat()
        let isDirectory =
            unsafe operand.withCString { unsafe stat($0, &status) } == 0
            && status.st_mode & S_IFMT == S_IFDIR
        guard isDirectory else {
            guard options.buildfile == nil else {
                throw ToolError(
                    "\(printable(operand.bytes)): found no directory, and buildfile= is for one")
            }
            return nil
        }
        name = printable(operand.bytes)
        path = try AbsolutePath.resolved(operand, .unreadable).bytes
        output = try Self.output(name, options)
        stage = options.stageDirectory ?? ImageCommit.stagePath(of: output)
        try check(options)
    }

    private static func output(
        _ name: String, _ options: MountOptions
    ) throws(ToolError) -> [UInt8] {
        guard options.isWritable else {
            throw ToolError(
                "\(name): found a directory, expected an image, or the option rw", .unsupported)
        }
        guard let output = options.output else {
            throw ToolError(
                "\(name): found a directory, expected output= to name its image", .unsupported)
        }
        return output
    }

    private func check(_ options: MountOptions) throws(ToolError) {
        if let option = options.shown ?? options.forImages ?? options.forDisks {
            throw ToolError("\(name): found a directory, and \(option) is for an image")
        }
        for (option, place) in [("output", output), ("stagedir", stage)]
        where Self.isBelow(place, path) {
            throw ToolError(
                "\(option): found '\(printable(place))', expected a place outside of '\(name)'")
        }
        let folder = Argument(bytes: parentPath(output))
        guard unsafe folder.withCString({ unsafe access($0, W_OK) }) == 0 else {
            throw ToolError(
                "\(printable(folder.bytes)): cannot write: \(systemMessage(errno))", .refused)
        }
        guard let buildfile = options.buildfile else { return }
        guard unsafe Argument(bytes: buildfile).withCString({ unsafe access($0, R_OK) }) == 0
        else { throw ToolError("cannot open", Argument(bytes: buildfile), errno: errno) }
        guard !path.contains(UInt8(ascii: ":")) else {
            throw ToolError(
                "\(name): found a colon, which parts directories in MKIFS_PATH,"
                    + " expected a path without one")
        }
    }

    /// Throws where one of the directory and the mount point lies in the other: the image would be made
    /// from the mount.
    func requireApart(from point: MountPoint) throws(ToolError) {
        guard Self.isBelow(point.path, path) || Self.isBelow(path, point.path) else { return }
        throw ToolError(
            "\(printable(point.path)): expected a mount point outside of '\(name)'", .mountPoint)
    }

    private static func isBelow(_ path: [UInt8], _ directory: [UInt8]) -> Bool {
        let stem = directory.last == UInt8(ascii: "/") ? directory : directory + [UInt8(ascii: "/")]
        return path == directory || path.starts(with: stem)
    }
}
