import Foundation
import TestSupport
import Testing

/// The tools as `make build` leaves them.
enum Tool {
    static let dumpifs = path("dumpifs")
    static let ifsctl = path("ifsctl")
    static let mountIFS = path("mount.ifs")

    /// Where the tool of a name is.
    static func path(_ name: String) -> String {
        Fixtures.root.appendingPathComponent(".build/release/\(name)").path
    }

    /// Whether a program is found along PATH.
    static func has(_ program: String) -> Bool {
        let folders = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return folders.split(separator: ":").contains {
            access("\($0)/\(program)", X_OK) == 0
        }
    }

    static let isRoot = geteuid() == 0
    /// Whether a test can run the tool as an ordinary user: as itself, or for root by setpriv.
    static let canBeUser = !isRoot || has("setpriv")
    /// Whether a test can mount a file system that only its own child sees.
    static let canMountPrivately: Bool = {
        let words = ["unshare", isRoot ? "-m" : "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
        // A machine without unshare cannot either.
        return (try? Child(words).run())?.end == .exit(0)
    }()

    /// The words that make an ordinary user of root; nothing for one who is.
    static let asUser =
        isRoot ? ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] : []
}

/// Runs dumpifs with these arguments; `change` may set up the child.
func dumpifs(
    _ arguments: [String], in folder: TemporaryFolder? = nil,
    _ change: (inout Child) -> Void = { _ in }
) throws -> Child.Outcome {
    var child = Child([Tool.dumpifs] + arguments)
    child.folder = folder?.url
    change(&child)
    return try child.run()
}

/// Runs ifsctl with these arguments; `change` may set up the child.
func ifsctl(
    _ arguments: [String], in folder: TemporaryFolder? = nil,
    _ change: (inout Child) -> Void = { _ in }
) throws -> Child.Outcome {
    var child = Child([Tool.ifsctl] + arguments)
    child.folder = folder?.url
    change(&child)
    return try child.run()
}

/// Runs dumpifs as an ordinary user, who has to be able to reach `folder`; a copy of the tool is put
/// there, for the build's own folder may be out of reach.
func dumpifsAsUser(_ arguments: [String], in folder: TemporaryFolder) throws -> Child.Outcome {
    let copy = folder.path(".tool/dumpifs")
    if !FileManager.default.fileExists(atPath: copy) {
        mkdir(folder.path(".tool"), 0o755)
        // By another process: a descriptor of ours, open for writing, could leak into a child that
        // starts meanwhile, and what is open for writing cannot be run.
        expectSuccess(try Child(["cp", Tool.dumpifs, copy]).run())
    }
    var child = Child(Tool.asUser + [copy] + arguments)
    child.folder = folder.url
    return try child.run()
}

/// Whether the child did what it was asked, without a word of complaint.
func expectSuccess(
    _ outcome: Child.Outcome, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(outcome.end == .exit(0), sourceLocation: sourceLocation)
    #expect(outcome.complaints == [], sourceLocation: sourceLocation)
}

/// Whether the child ended with a status, 1 unless told, and exactly these lines on standard error.
func expectFailure(
    _ outcome: Child.Outcome, status: Int32 = 1, saying lines: [String],
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(outcome.end == .exit(status), sourceLocation: sourceLocation)
    #expect(outcome.complaints == lines, sourceLocation: sourceLocation)
}
