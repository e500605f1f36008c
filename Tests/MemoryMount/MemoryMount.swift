import FuseServer
import Glibc
import IFSFS

/// Mounts a file system that is in memory, for tests of what serves it.
///
/// usage: MemoryMount REPORT DIRECTORY [read-only | background | asked-again | interrupted | OPTION]...
///
/// When the mount has ended, what came of it is written into the file REPORT.
@main
enum MemoryMount {
    static func main() throws {
        let words = CommandLine.arguments.dropFirst()
        guard words.count >= 2 else { exit(2) }
        let rest = words.dropFirst(2)
        var settings = MountSettings(
            mountPoint: Array(words.dropFirst().first!.utf8), source: Array("memory".utf8))
        settings.isWritable = !rest.contains("read-only")
        settings.isForeground = !rest.contains("background")
        settings.isDebugging = rest.contains("debug")
        settings.allowsOthers = rest.contains("allow_other")
        settings.kernelOptions = rest.filter { $0.hasPrefix("no") }
        let fileSystem = try MemoryFileSystem()
        var ending = "ended"
        do throws(MountError) {
            try Session.run(fileSystem, settings) { say($0) }
        } catch {
            ending = "failed: \(error)"
        }
        if rest.contains("asked-again") {
            for number in [SIGHUP, SIGTERM, SIGPIPE] { raise(number) }
        }
        if rest.contains("interrupted") { raise(SIGINT) }
        save([ending] + fileSystem.report, words.first!)
    }

    private static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }

    private static func save(_ lines: [String], _ path: String) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        let bytes = lines.flatMap { Array(($0 + "\n").utf8) }
        _ = write(file, bytes, bytes.count)
        close(file)
    }
}
