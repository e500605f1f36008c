import Foundation

/// How a command ended, and what it said.
struct Finished: CustomStringConvertible {
    /// The exit status; of a command that a signal ended, the signal's number, negated.
    let status: Int32
    let output: [UInt8]
    let errors: [UInt8]

    var text: String { String(decoding: output, as: UTF8.self) }
    var errorText: String { String(decoding: errors, as: UTF8.self) }
    /// The lines of standard output.
    var lines: [String] { text.split(separator: "\n").map(String.init) }

    var description: String {
        "status \(status)" + (errors.isEmpty ? "" : "; " + errorText)
            + (output.isEmpty ? "" : "; " + text)
    }
}

/// Why a test could not go on.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// A command that was started, the leader of a process group of its own. What it says goes into
/// files in memory, so that neither it nor what it leaves behind can make a reader wait.
final class Running {
    let id: pid_t
    private let words: [Word]
    private let output: Int32
    private let errors: Int32
    private(set) var finished: Finished?

    /// Starts `words` with no descriptors but the first three, and no signal blocked or ignored.
    init(
        _ words: [Word], in directory: Word = "/", blocked: [Int32] = [],
        closesStandardFiles: Bool = false
    ) throws {
        self.words = words
        output = makeMemoryFile("output", Linux.memoryFileCloseOnExec)
        errors = makeMemoryFile("errors", Linux.memoryFileCloseOnExec)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if !closesStandardFiles {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            posix_spawn_file_actions_adddup2(&actions, output, 1)
            posix_spawn_file_actions_adddup2(&actions, errors, 2)
        }
        _ = addCloseFrom(&actions, closesStandardFiles ? 0 : 3)
        _ = directory.withCString { addChangeDirectory(&actions, $0) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        for signal in blocked { sigaddset(&signals, signal) }
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
        var child = pid_t()
        let failure = Self.withVector(words) { arguments in
            Self.withVector(Self.environment) { environment in
                posix_spawnp(&child, arguments[0]!, &actions, &attributes, arguments, environment)
            }
        }
        id = child
        guard failure == 0 else {
            close(output)
            close(errors)
            throw Failure("cannot start \(words[0]): \(String(cString: strerror(failure)))")
        }
    }

    deinit {
        // What could not be started has no number; number 0 would be the tests themselves.
        guard finished == nil, id > 0 else { return }
        end()
    }

    /// The test's own environment, but for the language of messages.
    private static let environment: [Word] =
        ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("LC_") && $0.key != "LANG" }
        .map { "\($0.key)=\($0.value)" } + ["LC_ALL=C"]

    private static func withVector<Result>(
        _ words: [Word], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = words.map { word in word.withCString { strdup($0) } }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }

    /// Sends a signal to the command, not to what it started.
    func send(_ signal: Int32) {
        if finished == nil { kill(id, signal) }
    }

    /// Ends the command and its group.
    func end() {
        if finished == nil { kill(-id, SIGKILL) }
        _ = try? wait(60)  // What does not even die of this cannot be waited for.
    }

    /// How the command ended, if it has.
    func poll() -> Finished? {
        if let finished { return finished }
        var status: Int32 = 0
        guard waitpid(id, &status, WNOHANG) == id else { return nil }
        let signal = status & 0x7f
        finished = Finished(
            status: signal == 0 ? status >> 8 & 0xff : -signal, output: contents(output),
            errors: contents(errors))
        close(output)
        close(errors)
        return finished
    }

    /// Waits for the command's end; when it does not come within `deadline` seconds, ends it and
    /// throws.
    @discardableResult
    func wait(_ deadline: Double = 120) throws -> Finished {
        if let finished = within(deadline, { self.poll() }) { return finished }
        kill(-id, SIGKILL)
        _ = within(60) { self.poll() }
        throw Failure("not done within \(deadline) s: \(words)")
    }

    private func contents(_ file: Int32) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(max(0, lseek(file, 0, SEEK_END))))
        let count = pread(file, &bytes, bytes.count, 0)
        return Array(bytes.prefix(max(0, count)))
    }
}

/// Asks `question` until it has an answer, for `seconds` at most.
func within<Answer>(_ seconds: Double, _ question: () throws -> Answer?) rethrows -> Answer? {
    let end = Date().addingTimeInterval(seconds)
    var pause: UInt32 = 200
    while true {
        if let answer = try question() { return answer }
        if Date() > end { return nil }
        usleep(pause)
        pause = min(pause * 2, 5000)
    }
}

/// Runs a command to its end.
@discardableResult
func run(_ words: [Word], in directory: Word = "/", deadline: Double = 120) throws -> Finished {
    try Running(words, in: directory).wait(deadline)
}

/// Runs a shell script, which stops at its first error; `words` are `$1` and so on.
@discardableResult
func shell(_ script: Word, _ words: Word..., deadline: Double = 120) throws -> Finished {
    try run(["bash", "-euc", script, "test"] + words, deadline: deadline)
}
