internal import CLinux
internal import Format
internal import Glibc

/// A directory of the host. All that is in it is reached from its descriptor, name by name, and no
/// symlink is followed: nothing in it leads outside.
final class HostTree: Sendable {
    /// The directory itself.
    let root: Int32

    /// Only a way to what is below. Source: Linux `include/uapi/asm-generic/fcntl.h`, `O_PATH`.
    private static let isWay: Int32 = 0o10000000

    /// Opens a directory, and takes a lock on it that nobody else gets. Throws `busy` where somebody has
    /// it.
    init(at path: [UInt8]) throws(FileSystemError) {
        root = unsafe open(cString(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard root >= 0 else { throw .ofHost(errno) }
        // Some network file systems have no locks of directories.
        guard flock(root, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else { throw .busy }
    }

    deinit { if root >= 0 { close(root) } }

    /// Calls `body` with the directory of a path, for the time of the call.
    func withDirectory<Result>(
        _ path: [[UInt8]], _ body: (Int32) throws(FileSystemError) -> Result
    ) throws(FileSystemError) -> Result {
        var current = root
        defer { if current != root { close(current) } }
        for name in path {
            let flags = Self.isWay | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
            let next = unsafe openat(current, cString(name), flags)
            guard next >= 0 else { throw .ofHost(errno) }
            if current != root { close(current) }
            current = next
        }
        return try body(current)
    }

    /// Calls `body` with what holds the last name of a path.
    func with<Result>(
        _ path: [[UInt8]], _ body: (HostSpot) throws(FileSystemError) -> Result
    ) throws(FileSystemError) -> Result {
        guard let name = path.last else { return try body(.descriptor(root)) }
        return try withDirectory(path.dropLast()) { folder throws(FileSystemError) in
            try body(.name(name, in: folder))
        }
    }

    /// The names in a directory, without `.` and `..`, sorted.
    func names(in path: [[UInt8]]) throws(FileSystemError) -> [[UInt8]] {
        let folder = try withDirectory(path) { way throws(FileSystemError) in
            let folder = unsafe openat(way, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard folder >= 0 else { throw .ofHost(errno) }
            return folder
        }
        guard let stream = unsafe fdopendir(folder) else {
            close(folder)
            throw .ofHost(errno)
        }
        return unsafe IFSFS.names(in: stream).sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// Bytes that the longest path below a node has more than its own; what is more than `limit` need
    /// not be exact.
    func depth(below path: [[UInt8]], limit: Int) throws(FileSystemError) -> Int {
        guard limit >= 0 else { return 0 }
        var longest = 0
        for name in try names(in: path) where longest <= limit {
            let own = name.count + 1
            longest = max(longest, own)
            let child = path + [name]
            let kind = try with(child) { spot throws(FileSystemError) in try spot.status().kind }
            guard kind == .directory else { continue }
            longest = max(longest, own + (try depth(below: child, limit: limit - own)))
        }
        return longest
    }
}

/// Where a node of the host is: under a name of an open directory, or open itself.
enum HostSpot {
    case name([UInt8], in: Int32)
    case descriptor(Int32)

    func status() throws(FileSystemError) -> HostNode {
        var status = stat()
        let result =
            switch self {
            case .name(let name, let folder):
                unsafe fstatat(folder, cString(name), &status, AT_SYMLINK_NOFOLLOW)
            case .descriptor(let file): unsafe fstat(file, &status)
            }
        guard result == 0 else { throw .ofHost(errno) }
        return HostNode(status)
    }

    // MARK: Changes; each returns the errno of a refusal, or 0

    func changeOwner(_ user: uid_t, _ group: gid_t) -> Int32 {
        let result =
            switch self {
            case .name(let name, let folder):
                unsafe fchownat(folder, cString(name), user, group, AT_SYMLINK_NOFOLLOW)
            case .descriptor(let file): fchown(file, user, group)
            }
        return result == 0 ? 0 : errno
    }

    func changeMode(_ permissions: UInt32) -> Int32 {
        let result =
            switch self {
            case .name(let name, let folder):
                unsafe fchmodat(folder, cString(name), permissions, AT_SYMLINK_NOFOLLOW)
            case .descriptor(let file): fchmod(file, permissions)
            }
        return result == 0 ? 0 : errno
    }

    func changeTime(_ seconds: Int64) -> Int32 {
        let omitted = timespec(tv_sec: 0, tv_nsec: (1 << 30) - 2)  // UTIME_OMIT
        var times = [omitted, timespec(tv_sec: Int(clamping: seconds), tv_nsec: 0)]
        let result =
            switch self {
            case .name(let name, let folder):
                unsafe utimensat(folder, cString(name), &times, AT_SYMLINK_NOFOLLOW)
            case .descriptor(let file): unsafe futimens(file, &times)
            }
        return result == 0 ? 0 : errno
    }
}

/// What the host knows of a node.
struct HostNode {
    /// What tells a node from all others of the host.
    struct Identity: Hashable, Sendable {
        let device: UInt64
        let inode: UInt64
    }

    let identity: Identity
    let kind: NodeKind
    private let status: stat

    init(_ status: stat) {
        identity = Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        kind = NodeKind(rawValue: status.st_mode & S_IFMT) ?? .file
        self.status = status
    }

    var permissions: UInt32 { status.st_mode & 0o7777 }
    var user: UInt32 { status.st_uid }
    var group: UInt32 { status.st_gid }
    var byteCount: UInt64 { UInt64(clamping: status.st_size) }
    var modified: Int64 { Int64(status.st_mtim.tv_sec) }
    var linkCount: UInt32 { UInt32(clamping: status.st_nlink) }
    var deviceNumber: UInt64 { UInt64(status.st_rdev) }
}

extension FileSystemError {
    /// What an errno of the host's directory means here.
    static func ofHost(_ errno: Int32) -> FileSystemError {
        switch errno {
        case ENOENT: .notFound
        case ENOTDIR: .notDirectory
        case EISDIR: .isDirectory
        case EEXIST: .exists
        case ENOTEMPTY: .notEmpty
        case ENAMETOOLONG: .nameTooLong
        case EFBIG: .tooLarge
        case EOPNOTSUPP: .unsupported
        case EINVAL: .invalid
        case EIO, ENOSPC, EDQUOT: .disk(errno)
        default: .host(errno)
        }
    }
}
