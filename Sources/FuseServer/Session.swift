internal import CFuse
internal import Format
internal import Glibc
public import IFSFS

/// Why a mount could not be made: one line, without a final stop.
public struct MountError: Error, CustomStringConvertible {
    /// The line.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// How a file system is mounted.
public struct MountSettings: Sendable {
    /// The directory to mount on, as an absolute path.
    public var mountPoint: [UInt8]
    /// What mount tables show as the source.
    public var source: [UInt8]
    /// What the file system can change, may be changed.
    public var isWritable = false
    /// Other users may look, and the kernel holds them to the modes.
    public var allowsOthers = false
    /// Further options for the kernel, such as `nosuid`.
    public var kernelOptions: [String] = []
    /// Stay in the foreground.
    public var isForeground = false
    /// Print each request, which implies the foreground.
    public var isDebugging = false
    /// Unmount after so many seconds without a request.
    public var idleTimeout: Int?
    /// Unmount when the server is killed.
    public var unmountsOnDeath = false

    /// Is called in the process that serves, before the first request.
    public var started: (@Sendable (Mount) -> Void)?

    /// A mount in the background, for its owner alone.
    public init(mountPoint: [UInt8], source: [UInt8]) {
        self.mountPoint = mountPoint
        self.source = source
    }
}

/// Mounts a file system and serves it until it is unmounted or a signal ends it.
public enum Session {
    /// Must be called before the process has a second thread. In the background, the process that
    /// called exits with status 0 once the mount answers; this returns in its child alone.
    ///
    /// Once it has returned or thrown, the mount is gone and no request comes any more, whether it
    /// was unmounted or a signal came: whoever has changes to save does so then, and neither SIGHUP nor
    /// SIGTERM nor SIGPIPE ends the process where the file system could be changed.
    ///
    /// `report` is told, on any thread, of errors that reach readers.
    public static func run(
        _ fileSystem: any FileSystem, _ settings: MountSettings,
        report: @escaping @Sendable (String) -> Void
    ) throws(MountError) {
        // A parent may hand down a mask that keeps SIGTERM from ever arriving.
        var none = sigset_t()
        sigemptyset(&none)
        sigprocmask(SIG_SETMASK, &none, nil)
        // One heap for all threads: each one's own would keep what it once needed for a block.
        mallopt(M_ARENA_MAX, 1)
        // Decoded blocks come and go: what one frees stays for the next.
        mallopt(M_MMAP_THRESHOLD, 4 << 20)
        mallopt(M_TRIM_THRESHOLD, 8 << 20)
        LibraryLog.capture()
        let server = Server(
            fileSystem, isWritable: settings.isWritable,
            settings.idleTimeout.map { _ in IdleClock() }, report: report)
        defer { if server.writable != nil { Mount.forget(at: settings.mountPoint) } }
        try withExtendedLifetime(server) { () throws(MountError) in
            try serve(server, settings, report)
        }
    }

    private static func serve(
        _ server: Server, _ settings: MountSettings, _ report: (String) -> Void
    ) throws(MountError) {
        let session = try makeSession(server, settings)
        defer { fuse_session_destroy(session) }
        server.session = session
        let isWritable = server.writable != nil
        if isWritable { EndingSignals.take() }
        defer { if isWritable { EndingSignals.leave() } }
        guard fuse_set_signal_handlers(session) == 0 else {
            throw MountError(LibraryLog.last ?? "cannot set signal handlers")
        }
        defer { fuse_remove_signal_handlers(session) }
        let mountPoint = cString(settings.mountPoint)
        // For an ordinary user, fusermount3 mounts, and says itself what is wrong.
        let (status, said) = ChildErrors.lines { fuse_session_mount(session, mountPoint) }
        guard status == 0 else {
            throw MountError(LibraryLog.last ?? said.last ?? "cannot mount")
        }
        defer { fuse_session_unmount(session) }
        for line in said { report(line) }
        let mount = try made(settings)
        if settings.unmountsOnDeath, !Undertaker.start(for: mount) {
            throw MountError("auto_unmount: cannot start a process")
        }
        if !settings.isForeground, !settings.isDebugging {
            try goToBackground(server, mount)
        } else if isWritable {
            // It may ask for something that only the loop answers.
            QuietThread.run { mount.remember() }
        }
        if let limit = settings.idleTimeout, let clock = server.clock {
            IdleTimer(mount, clock, seconds: limit).start()
        }
        settings.started?(mount)
        let preparing = server.startPreparing()
        defer { server.endPreparing(preparing) }
        let ending = isWritable ? try loop(session, server) : loop(session)
        // Positive: the number of the signal that ended the loop.
        guard ending >= 0 else {
            throw MountError(LibraryLog.last ?? "the mount ended: error \(-ending)")
        }
    }

    /// The mount that was just made.
    private static func made(_ settings: MountSettings) throws(MountError) -> Mount {
        guard let mount = Mount.uppermost(at: settings.mountPoint), mount.isOurs else {
            throw MountError("the new mount is not in /proc/self/mountinfo")
        }
        return mount
    }

    private static let mostThreads = 10

    /// Of a file system that can be changed.
    private static func loop(
        _ session: OpaquePointer, _ server: Server
    ) throws(MountError) -> Int32 {
        guard let loop = RequestLoop(session, mostThreads: mostThreads) else {
            throw MountError("cannot wait for requests: \(systemMessage(errno))")
        }
        let signals = try EndingSignals(session, server, loop)
        defer { signals.stop() }
        return loop.run()
    }

    private static func loop(_ session: OpaquePointer) -> Int32 {
        let config = fuse_loop_cfg_create()
        defer { fuse_loop_cfg_destroy(config) }
        fuse_loop_cfg_set_max_threads(config, UInt32(mostThreads))
        // As many idle threads as there can be: making and ending them costs more.
        fuse_loop_cfg_set_idle_threads(config, UInt32(mostThreads))
        return cfuse_loop(session, config)
    }

    private static func makeSession(
        _ server: Server, _ settings: MountSettings
    ) throws(MountError) -> OpaquePointer {
        let isWritable = server.writable != nil
        var words = [Array("ifsfs".utf8), Array("-o".utf8), options(settings, isWritable)]
        if settings.isDebugging { words.append(Array("-d".utf8)) }
        var arguments = fuse_args()
        defer { fuse_opt_free_args(&arguments) }
        for word in words {
            fuse_opt_add_arg(&arguments, cString(word))
        }
        var operations = isWritable ? Operations.writable : Operations.readOnly
        let session = fuse_session_new(
            &arguments, &operations, MemoryLayout<fuse_lowlevel_ops>.size,
            Unmanaged.passUnretained(server).toOpaque())
        guard let session else {
            throw MountError(LibraryLog.last ?? "libfuse refused the options")
        }
        return session
    }

    /// The options as libfuse reads them; commas and backslashes of the source are escaped.
    private static func options(_ settings: MountSettings, _ isWritable: Bool) -> [UInt8] {
        var list = [isWritable ? "rw" : "ro", "subtype=ifs"] + settings.kernelOptions
        if settings.allowsOthers { list += ["allow_other", "default_permissions"] }
        let source = settings.source.flatMap { byte in
            byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\\") ? [0x5c, byte] : [byte]
        }
        return Array(list.joined(separator: ",").utf8) + Array(",fsname=".utf8) + source
    }

    /// Leaves the terminal. The parent waits until the kernel's first request was answered, or
    /// until the child is gone.
    private static func goToBackground(_ server: Server, _ mount: Mount) throws(MountError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw MountError("cannot make a pipe") }
        let child = cfuse_fork()
        guard child >= 0 else { throw MountError("cannot start a background process") }
        if child > 0 {
            close(ends[1])
            var byte: UInt8 = 0
            var count = read(ends[0], &byte, 1)
            while count < 0, errno == EINTR { count = read(ends[0], &byte, 1) }
            if count == 1, server.writable != nil { mount.remember() }
            // Nothing of the session may run twice, so no handler and no destructor here.
            _exit(count == 1 ? 0 : 32)
        }
        close(ends[0])
        setsid()
        chdir("/")
        let null = open("/dev/null", O_RDWR)
        if null >= 0 {
            for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
                dup2(null, descriptor)
            }
            if null > STDERR_FILENO { close(null) }
        }
        server.onStart(writing: ends[1])
    }
}
