internal import Glibc

/// What other programs say on standard error for us.
enum ChildErrors {
    /// Runs `body` and gives what its child processes have said meanwhile: lines without the
    /// programs' names. They must have ended when `body` does.
    static func lines<Result>(during body: () -> Result) -> (result: Result, lines: [String]) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return (body(), []) }
        defer { close(ends[0]) }
        let own = dup(STDERR_FILENO)
        dup2(ends[1], STDERR_FILENO)
        close(ends[1])
        let result = body()
        dup2(own, STDERR_FILENO)
        close(own)
        // Whatever was said is in the pipe by now; nobody is waited for.
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        var said = [UInt8](repeating: 0, count: 4096)
        let count = read(ends[0], &said, said.count)
        let text = String(decoding: said.prefix(max(0, count)), as: UTF8.self)
        return (result, text.split(separator: "\n").map(withoutName))
    }

    private static func withoutName(_ line: Substring) -> String {
        let name = "fusermount3: "
        return String(line.hasPrefix(name) ? line.dropFirst(name.count) : line)
    }
}
