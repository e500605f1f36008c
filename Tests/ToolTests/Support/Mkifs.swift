import Foundation
import TestSupport
import Testing

extension Tool {
    static let mkifs = path("mkifs")
}

/// Runs mkifs with these arguments; `change` may set up the child. Of the variables that mkifs knows
/// it is given just those.
func mkifs(
    _ arguments: [String], in folder: TemporaryFolder? = nil,
    _ change: (inout Child) -> Void = { _ in }
) throws -> Child.Outcome {
    var child = Child([Tool.mkifs] + arguments)
    child.folder = folder?.url
    change(&child)
    let known = ["QNX_TARGET", "MKIFS_PATH", "MKIFS_PROFILE", "PROCESSOR", "SOURCE_DATE_EPOCH"]
    let unknown = known.filter { child.environment[$0] == nil }.flatMap { ["-u", $0] }
    child.words = (["env"] + unknown).map { Array($0.utf8) } + child.words
    return try child.run()
}

/// The host files of the golden cases, with the modes that they had when the cases were made: a clone
/// and a read-only medium have others.
struct GoldenInputs {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        let source = Fixtures.folder.appendingPathComponent("inputs").path
        expectSuccess(try Child(["cp", "-r", source, folder.path("inputs")]).run())
        expectSuccess(
            try Child(["chmod", "-R", "u=rwX,go=rX", folder.path("inputs")]).run())
    }

    var path: String { folder.path("inputs") }

    /// The variables that the cases were built with, and a search path for their programs.
    var environment: [String: String] {
        let system = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return [
            "INPUTS": path, "QNX_TARGET": path, "MKIFS_PATH": path + "/data",
            "PATH": path + "/bin:" + system,
        ]
    }
}
