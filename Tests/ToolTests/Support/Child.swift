import Foundation

/// A command to run to its end, or until its deadline, so that no test can hang.
struct Child {
    /// Where a child's standard input comes from.
    enum Input {
        case nothing
        case file(URL)
        /// The same bytes, but through a pipe.
        case piped(URL)
        case closed
    }

    /// How a child ended.
    enum End: Equatable {
        case exit(Int32)
        case signal(Int32)
        case deadline
    }

    /// What a child did.
    struct Outcome {
        let end: End
        /// What came out of standard output; nothing where that was sent elsewhere.
        let output: [UInt8]
        let errors: [UInt8]
        /// Seconds of processor time.
        let seconds: Double

        var text: String { String(decoding: output, as: UTF8.self) }
        var lines: [String] { Self.lines(output) }
        /// The lines on standard error.
        var complaints: [String] { Self.lines(errors) }

        private static func lines(_ bytes: [UInt8]) -> [String] {
            String(decoding: bytes, as: UTF8.self)
                .split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
        }
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The program, found along PATH where it has no slash, and its arguments.
    var words: [[UInt8]]
    var folder: URL?
    var input = Input.nothing
    /// An open descriptor for standard output; what it takes is not in the outcome.
    var output: Int32?
    var environment: [String: String] = [:]
    /// Seconds until the child and what it started is killed.
    var deadline = 120.0

    init(_ words: [[UInt8]]) { self.words = words }

    init(_ words: [String]) { self.words = words.map { Array($0.utf8) } }

    /// Held while a child starts: until it has its own program, it has all our descriptors.
    private static let starting = NSLock()

    /// Calls `body` while no child starts, so that no descriptor made and closed in it leaks into one.
    static func whileNoneStarts<Result>(_ body: () throws -> Result) rethrows -> Result {
        try starting.withLock(body)
    }

    /// Runs the command. Throws when it cannot be started.
    func run() throws -> Outcome {
        let (outputs, errors) = (try Scratch(), try Scratch())
        let source = openInput()
        defer { if source >= 0 { close(source) } }
        let child = try start(source, output ?? outputs.descriptor, errors.descriptor)
        let (end, seconds) = Self.wait(for: child, deadline)
        return Outcome(
            end: end, output: outputs.bytes(), errors: errors.bytes(), seconds: seconds)
    }

    /// The descriptor to read from; -1 for none.
    private func openInput() -> Int32 {
        switch input {
        case .closed: -1
        case .file(let url): open(url.path, O_RDONLY | O_CLOEXEC)
        case .nothing, .piped: open("/dev/null", O_RDONLY | O_CLOEXEC)
        }
    }

    /// The words with a shell before them, where it takes one to set things up.
    private var launched: [[UInt8]] {
        var words = words
        func wrap(_ script: String, _ value: String) {
            words =
                [Array("sh".utf8), Array("-c".utf8), Array(script.utf8), Array(value.utf8)] + words
        }
        if case .piped(let url) = input { wrap(#"cat "$0" | "$@""#, url.path) }
        if let folder { wrap(#"cd "$0" && exec "$@""#, folder.path) }
        return words
    }

    private func start(_ input: Int32, _ output: Int32, _ errors: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if input < 0 {
            posix_spawn_file_actions_addclose(&actions, 0)
        } else {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // As a shell starts it: signals as they were at first, and a group that can be killed.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let settings = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        let arguments = launched.map { strdup($0.map(CChar.init(bitPattern:)) + [0]) } + [nil]
        defer { for text in settings + arguments { free(text) } }
        var child: pid_t = 0
        let failure = Self.whileNoneStarts {
            posix_spawnp(&child, arguments[0]!, &actions, &attributes, arguments, settings)
        }
        guard failure == 0 else {
            let name = String(decoding: words[0], as: UTF8.self)
            throw Failure(description: "\(name): \(String(cString: strerror(failure)))")
        }
        return child
    }

    private static func wait(for child: pid_t, _ limit: Double) -> (End, Double) {
        let last = Date().addingTimeInterval(limit)
        var (status, usage, isLate): (Int32, rusage, Bool) = (0, rusage(), false)
        while wait4(child, &status, WNOHANG, &usage) == 0 {
            if !isLate, Date() > last {
                isLate = true
                kill(-child, SIGKILL)
            }
            usleep(1000)
        }
        let seconds =
            Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
        let signal = status & 0x7f
        return (
            isLate ? .deadline : signal == 0 ? .exit(status >> 8 & 0xff) : .signal(signal), seconds
        )
    }
}

/// A file without a name, for what a child prints.
private final class Scratch {
    let descriptor: Int32

    init() throws {
        var template = Array((NSTemporaryDirectory() + "/tooltests.XXXXXX").utf8CString)
        descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw Child.Failure(description: "no temporary file") }
        unlink(template)
    }

    deinit { close(descriptor) }

    func bytes() -> [UInt8] {
        let size = Int(lseek(descriptor, 0, SEEK_END))
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = max(0, pread(descriptor, buffer.baseAddress, size, 0))
        }
    }
}
