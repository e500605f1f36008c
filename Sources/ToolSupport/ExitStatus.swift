/// What the tools that mount exit with. From 32 on, the bit is set that means a failed mount to
/// mount(8); the rest tells why.
public enum ExitStatus: Int32, Sendable {
    /// The command line cannot be understood.
    case usage = 1
    /// The kernel or FUSE refuses the mount, or the unmount.
    case refused = 32
    /// The image file cannot be opened or read.
    case unreadable = 33
    /// The file has no image, or not the one that was asked for.
    case noImage = 34
    /// The image is damaged so that its tree cannot be shown.
    case damaged = 35
    /// The file is of a kind that is not read here.
    case unsupported = 36
    /// The mount point is not there, is no directory, or has nothing of ours mounted.
    case mountPoint = 37
    /// The directory that `subdir=` names is not in the image.
    case subdirectory = 38
}
