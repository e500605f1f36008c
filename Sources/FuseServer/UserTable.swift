internal import Glibc

/// What mount(8) and umount(8) remember of mounts beside the kernel's table: `/run/mount/utab`.
///
/// Without an entry there, root's `umount` with an absolute path asks the file system's type of
/// `statfs`, gets `fuse`, and never runs our helper; with one, it does. Tried with util-linux 2.38.1.
extension Mount {
    /// Has mount(8) remember the mount, as only root may. Where that fails, umount(8) may return before
    /// the changes are saved, which they are all the same.
    func remember() {
        guard geteuid() == 0 else { return }
        _ = Self.run(
            ["mount", "--no-canonicalize", "-i", "-f", "-t", type, "-o", "rw,x-ifsfs.save"]
                .map { Array($0.utf8) } + [source, mountPoint])
    }

    /// Has umount(8) forget the mount at a path, which is gone.
    static func forget(at path: [UInt8]) {
        guard geteuid() == 0, uppermost(at: path) == nil else { return }
        _ = run(
            ["umount", "--no-canonicalize", "-i", "--fake"].map { Array($0.utf8) } + [path])
    }
}
