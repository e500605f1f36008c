internal import CFuse
internal import Format
internal import Glibc

/// Work in a process of its own.
public enum ChildProcess {
    /// Runs `body` in a child, with which its threads end: a process that has any cannot go to the
    /// background. Gives what `body` gives, which is why it failed, in a line; nil if it did not.
    public static func fault(of body: () -> String?) -> String? {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return "cannot make a pipe: \(systemMessage(errno))" }
        let child = cfuse_fork()
        if child == 0 {
            let line = body()
            _ = writeAll(Array((line ?? "").utf8), to: ends[1])
            _exit(line == nil ? 0 : 1)
        }
        close(ends[1])
        let line = contents(of: ends[0])
        close(ends[0])
        guard child > 0 else { return "cannot start a process: \(systemMessage(errno))" }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        if status == 0 { return nil }
        return line.isEmpty ? "the process that was to do it was killed" : line
    }

    private static func contents(of descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece.prefix(count)
        }
    }
}
