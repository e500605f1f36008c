import Format
import FuseServer
import Glibc
import IFSFS
import ToolSupport

/// A mount of a directory whose changes go through to it, and of which an image is made when it ends.
final class DirectoryMount: Sendable {
    let fileSystem: DirectoryFileSystem
    private let directory: MountedDirectory
    private let report: @Sendable (String) -> Void
    private let server: SavingServer

    /// Opens a directory for changes, and goes on with what an earlier mount has left. Throws where
    /// another mount changes it.
    init(
        _ directory: MountedDirectory, at mountPoint: [UInt8], _ options: MountOptions,
        report: @escaping @Sendable (String) -> Void
    ) throws(ToolError) {
        Self.allowManyFiles()
        let stage = Stage(
            at: directory.stage, of: DirectoryFileSystem.origin(of: directory.path))
        do throws(FileSystemError) {
            fileSystem = try DirectoryFileSystem(at: directory.path, stage)
        } catch .busy {
            throw ToolError(
                "\(directory.name): found a mount that changes the directory already", .refused)
        } catch {
            throw ToolError("cannot open", Argument(directory.name), errno: error.errno)
        }
        self.directory = directory
        self.report = report
        let commit = DirectoryCommit(
            of: directory.path, fileSystem, buildfile: options.buildfile, target: directory.output,
            backup: options.backup.map { directory.output + $0 }, report: report)
        server = try SavingServer(
            commit, target: directory.output, mountPoint: mountPoint,
            isDiscarding: options.discardsEdits)
        if stage.isFound { try goOn(stage, options.recovery) }
    }

    /// Takes up what an earlier mount has left: nothing of it is in doubt, for what was written is in
    /// the directory.
    private func goOn(_ stage: Stage, _ recovery: MountOptions.Recovery?) throws(ToolError) {
        let place = printable(stage.path)
        do throws(FileSystemError) {
            if recovery == .discard { return try stage.discardFound() }
            try fileSystem.resume()
        } catch .busy {
            throw ToolError("\(place): found a mount that makes the image already", .refused)
        } catch .replaced {
            throw ToolError(
                "\(place): found what is kept of something else than '\(directory.name)';"
                    + " recover=discard throws it away", .refused)
        } catch {
            throw ToolError("\(place): cannot read what is kept: \(error)", .refused)
        }
    }

    /// As many as the system allows: one for each that somebody has open.
    private static func allowManyFiles() {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return
        }
        limit.rlim_cur = limit.rlim_max
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Lets umount.ifs and others ask for the image to be made.
    func listen(_ mount: Mount) { server.listen(mount) }

    /// Makes the image, once nobody changes anything any more.
    func save() throws(ToolError) {
        do throws(CommitError) {
            guard try server.saveLast() else {
                return report("no image was made; the directory keeps what was written")
            }
        } catch {
            throw ToolError(
                "\(error); '\(directory.name)' keeps what was written, and the next mount makes the"
                    + " image", .refused)
        }
    }
}
