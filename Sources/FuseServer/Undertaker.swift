internal import CFuse
internal import Glibc

/// Takes a mount away whose server was killed.
///
/// libfuse's own `auto_unmount` cannot do it for an ordinary user's mount (libfuse issue 586), so a
/// small process of ours waits for the server's end on a pipe that ends with it.
enum Undertaker {
    /// Starts the process; it goes when the server does. False when it cannot be started.
    static func start(for mount: Mount) -> Bool {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return false }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let child = cfuse_fork()
        if child == 0 {
            dup2(ends[0], STDIN_FILENO)
            wait(for: mount)
        }
        close(ends[0])
        // The other end stays open for as long as this process lives, and its background.
        return child > 0
    }

    private static func wait(for mount: Mount) -> Never {
        // Of the server's descriptors it keeps none: with /dev/fuse open, the mount would not die.
        for descriptor in [STDOUT_FILENO, STDERR_FILENO] { close(descriptor) }
        _ = open("/dev/null", O_RDWR)
        _ = dup(STDOUT_FILENO)
        closefrom(STDERR_FILENO + 1)
        // Whoever ends the server's terminal session ends the server, and this comes after.
        setsid()
        chdir("/")
        var byte: UInt8 = 0
        while read(STDIN_FILENO, &byte, 1) < 0, errno == EINTR {}
        if let mount = mount.current, mount.isDead { _ = mount.remove(.lazily) }
        _exit(0)
    }
}
