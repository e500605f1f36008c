import Foundation
import TestSupport

@testable import IFSFS

@_silgen_name("setfsuid") private func setFileSystemUser(_ user: UInt32) -> Int32
@_silgen_name("setfsgid") private func setFileSystemGroup(_ group: UInt32) -> Int32

/// A directory of its own, mounted for changes but for the kernel.
final class StagedDirectory {
    private let folder: ScratchFolder
    private(set) var fileSystem: DirectoryFileSystem

    /// The directory, and a place beside it.
    var path: String { folder.path + "/dir" }
    func beside(_ name: String) -> String { folder.path + "/" + name }
    var stage: String { beside(".out.ifs.stage") }

    /// An empty one, or with what `fill` puts there. As an ordinary user, for the thread that asks, if
    /// that is told.
    init(asUser: Bool = false, _ fill: (String) throws -> Void = { _ in }) throws {
        folder = try ScratchFolder()
        try FileManager.default.createDirectory(
            atPath: folder.path + "/dir", withIntermediateDirectories: false)
        try fill(folder.path + "/dir")
        if asUser {
            for path in [folder.path, folder.path + "/dir"] { chown(path, 65534, 65534) }
        }
        fileSystem = try Self.opened(folder.path, !asUser)
    }

    private static func opened(
        _ folder: String, _ isPrivileged: Bool
    ) throws -> DirectoryFileSystem {
        let path = Array((folder + "/dir").utf8)
        let stage = Stage(
            at: Array((folder + "/.out.ifs.stage").utf8), of: DirectoryFileSystem.origin(of: path))
        let fileSystem = try DirectoryFileSystem(at: path, stage, isPrivileged: isPrivileged)
        if stage.isFound { try fileSystem.resume() }
        return fileSystem
    }

    /// Leaves it as a killed server does, and opens it again.
    func reopen() throws {
        let isPrivileged = fileSystem.isPrivileged
        // The place of the old one's locks is needed.
        fileSystem = try StagedDirectory().fileSystem
        let end = Date() + 60
        while true {
            do {
                fileSystem = try Self.opened(folder.path, isPrivileged)
                return
            } catch FileSystemError.busy where Date() < end {
                // A process that another test is starting has them too, until it is another program.
                usleep(10_000)
            }
        }
    }

    /// The commits of its image, `out.ifs` beside it.
    func commit(_ buildfile: String? = nil) -> DirectoryCommit {
        DirectoryCommit(
            of: Array(path.utf8), fileSystem, buildfile: buildfile.map { Array($0.utf8) },
            target: Array(beside("out.ifs").utf8)
        ) { _ in }
    }

    /// Runs `body` with the rights of an ordinary user, on this thread alone.
    static func asUser(_ body: () throws -> Void) rethrows {
        _ = (setFileSystemGroup(65534), setFileSystemUser(65534))
        defer { _ = (setFileSystemUser(0), setFileSystemGroup(0)) }
        try body()
    }
}
