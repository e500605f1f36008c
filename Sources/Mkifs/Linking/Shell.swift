internal import Format
internal import Glibc
internal import Synchronization

/// Runs commands through `/bin/sh`. Their standard error is ours.
enum Shell {
    /// The commands that run. Held as well while a descriptor could slip into a child: between its
    /// making and its closing on exec, and while a child starts.
    private static let gate = Mutex<Set<pid_t>>([])

    /// Ends the commands that run, and calls `body` while nobody starts one or learns of an end.
    static func terminate(_ body: () -> Void) {
        gate.withLock { children in
            for child in children { kill(child, SIGTERM) }
            body()
        }
    }

    // MARK: Running

    /// Runs a command to its end. Its standard input is empty unless a descriptor is given, and its
    /// standard output is our standard error, since ours may be the image.
    static func run(
        _ command: ShellCommand, input: Int32? = nil, output: Int32 = STDERR_FILENO
    ) throws(LinkingError) -> Termination {
        try wait(for: start(command, input: input, output: output), command)
    }

    /// Runs a command as `run` does, and throws `failed` unless its exit status is 0.
    static func perform(
        _ command: ShellCommand, input: Int32? = nil, output: Int32 = STDERR_FILENO
    ) throws(LinkingError) {
        try check(run(command, input: input, output: output), command)
    }

    /// Runs a filter: what the command writes while it reads from `input`, from where that stands, goes
    /// to `output`.
    ///
    /// Throws `tooMuchOutput` beyond `limit` bytes, and `failed` unless the exit status is 0. The end
    /// has come when all have closed the output, processes in the background as well.
    static func filter(
        _ command: ShellCommand, input: Int32, output: Int32, limit: UInt64 = UInt64(UInt32.max)
    ) throws(LinkingError) {
        let (reading, writing) = try pipe(for: command)
        let child: pid_t
        do {
            defer { close(writing) }
            child = try start(command, input: input, output: writing)
        } catch {
            close(reading)
            throw error
        }
        let failure = copy(from: reading, to: output, limit, command)
        close(reading)
        // Who still writes has no reader now; the shell itself might wait for somebody else.
        if failure != nil { kill(child, SIGKILL) }
        let end = try wait(for: child, command)
        if let failure { throw failure }
        try check(end, command)
    }

    private static func check(
        _ end: Termination, _ command: ShellCommand
    ) throws(LinkingError) {
        guard end == .exited(0) else { throw .failed(command.line, end) }
    }

    // MARK: Starting

    private static func start(
        _ command: ShellCommand, input: Int32?, output: Int32
    ) throws(LinkingError) -> pid_t {
        let texts = command.environment + command.arguments
        guard !texts.contains(where: { $0.contains(0) }) else { throw .zeroByte(command.line) }
        // Copies behind the first three, so that setting one of these never closes another.
        let source = try copy(input, command)
        defer { close(source) }
        let target = try copy(output, command)
        defer { close(target) }
        let (child, failure) = gate.withLock { children in
            let result = spawn(command, input: source, output: target)
            if result.failure == 0 { children.insert(result.child) }
            return result
        }
        guard failure == 0 else { throw .io("run", command.line, errno: failure) }
        return child
    }

    /// A copy of the descriptor, or `/dev/null`, that no other child gets.
    private static func copy(
        _ descriptor: Int32?, _ command: ShellCommand
    ) throws(LinkingError) -> Int32 {
        guard let descriptor else {
            let empty = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
            guard empty >= 0 else { throw .io("open", Array("/dev/null".utf8), errno: errno) }
            defer { close(empty) }
            return try copy(empty, command)
        }
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw .io("run", command.line, errno: errno) }
        return copy
    }

    private static func spawn(
        _ command: ShellCommand, input: Int32, output: Int32
    ) -> (child: pid_t, failure: Int32) {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        setSignals(&attributes)
        var child = pid_t()
        let failure = unsafe withCStrings(command.arguments) { arguments in
            unsafe withCStrings(command.environment) { environment in
                unsafe posix_spawn(
                    &child, "/bin/sh", &actions, &attributes, arguments, environment)
            }
        }
        return (child, failure)
    }

    /// No signal blocked, and those that we may ignore for ourselves as they were.
    private static func setSignals(_ attributes: inout posix_spawnattr_t) {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe sigaddset(&signals, SIGPIPE)
        unsafe sigaddset(&signals, SIGCHLD)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    }

    // MARK: Ending

    private static func wait(
        for child: pid_t, _ command: ShellCommand
    ) throws(LinkingError) -> Termination {
        var status: Int32 = 0
        defer { gate.withLock { _ = $0.remove(child) } }
        while unsafe waitpid(child, &status, 0) < 0 {
            guard errno == EINTR else { throw .io("wait for", command.line, errno: errno) }
        }
        let signal = status & 0x7f
        return signal == 0 ? .exited(status >> 8 & 0xff) : .signaled(signal)
    }

    // MARK: Output

    private static func pipe(
        for command: ShellCommand
    ) throws(LinkingError) -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        let failure = gate.withLock { _ -> Int32 in
            guard unsafe Glibc.pipe(&ends) == 0 else { return errno }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            return 0
        }
        guard failure == 0 else { throw .io("run", command.line, errno: failure) }
        return (ends[0], ends[1])
    }

    /// Copies all bytes up to the end; returns why they are not all.
    private static func copy(
        from reading: Int32, to output: Int32, _ limit: UInt64, _ command: ShellCommand
    ) -> LinkingError? {
        var left = limit
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe read(reading, &piece, piece.count)
            if count == 0 { return nil }
            guard count > 0 else {
                if errno == EINTR { continue }
                return .io("read from", command.line, errno: errno)
            }
            guard UInt64(count) <= left else {
                return .tooMuchOutput(command.line, limit: limit)
            }
            left -= UInt64(count)
            if let failure = writeAll(Array(piece.prefix(count)), to: output) {
                return .io("keep the output of", command.line, errno: failure)
            }
        }
    }
}

/// Runs `body` with the texts as C has them: each ended by 0, and the list by a null.
private func withCStrings<Result>(
    _ texts: [[UInt8]], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
    var pointers = unsafe texts.map { unsafe strdup(cString($0)) }
    defer { for index in unsafe pointers.indices { unsafe free(pointers[index]) } }
    unsafe pointers.append(nil)
    return unsafe body(pointers)
}
