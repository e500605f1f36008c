internal import Format
internal import Glibc

/// What the host knows of a file.
struct HostStatus: Equatable, Sendable {
    enum Kind: Equatable, Sendable {
        case file, directory, link, fifo
        /// A device whose numbers an image can hold.
        case device(HostAttributes.Device)
        case other
    }

    /// What tells a file from all others of the host.
    struct Identity: Hashable, Sendable {
        let device: UInt64
        let inode: UInt64
    }

    private(set) var kind: Kind
    /// The permission bits, setuid, setgid and sticky included.
    private(set) var permissions: UInt16
    private(set) var user: UInt32
    private(set) var group: UInt32
    /// Seconds since 1970, as far as a directory entry can hold them.
    private(set) var modified: UInt32
    let byteCount: UInt64
    let identity: Identity
    let linkCount: UInt64

    /// Asks the host; nil where there is no such file, and where it cannot be asked.
    init?(_ path: [UInt8], followsLinks: Bool) {
        var status = stat()
        let name = cString(path)
        let result = unsafe followsLinks ? stat(name, &status) : lstat(name, &status)
        guard result == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFDIR: kind = .directory
        case S_IFLNK: kind = .link
        case S_IFIFO: kind = .fifo
        case S_IFCHR, S_IFBLK: kind = Self.device(status)
        default: kind = .other
        }
        permissions = UInt16(status.st_mode & 0o7777)
        user = status.st_uid
        group = status.st_gid
        modified = UInt32(clamping: status.st_mtim.tv_sec)
        byteCount = UInt64(clamping: status.st_size)
        identity = Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        linkCount = UInt64(status.st_nlink)
    }
}

extension HostStatus {
    private static func device(_ status: stat) -> Kind {
        let type: NodeKind =
            status.st_mode & S_IFMT == S_IFCHR ? .characterDevice : .blockDevice
        return kind(HostAttributes.Device(type, hostNumber: UInt64(status.st_rdev)))
    }

    private static func kind(_ device: HostAttributes.Device) -> Kind {
        device.number == nil ? .other : .device(device)
    }

    /// The same with what is known better than by the host.
    func with(_ given: HostAttributes) -> HostStatus {
        var status = self
        status.permissions = given.permissions.map { UInt16($0 & 0o7777) } ?? permissions
        status.user = given.user ?? user
        status.group = given.group ?? group
        status.modified = given.modified.map(UInt32.init(clamping:)) ?? modified
        if let device = given.device { status.kind = Self.kind(device) }
        return status
    }

    /// A file that is in memory only, owned by root and readable by all.
    init(fileOf byteCount: Int) {
        kind = .file
        permissions = 0o644
        user = 0
        group = 0
        modified = 0
        self.byteCount = UInt64(byteCount)
        identity = Identity(device: 0, inode: 0)
        linkCount = 1
    }
}

/// Questions about the host's tree.
enum Host {
    /// The names in a directory, sorted as bytes, so that builds repeat.
    static func names(in directory: [UInt8]) throws(MkifsError) -> [[UInt8]] {
        guard let stream = unsafe opendir(cString(directory)) else {
            throw .system("cannot read the directory", directory, errno: errno)
        }
        defer { unsafe closedir(stream) }
        var names: [[UInt8]] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { buffer in
                unsafe Array(buffer.prefix { $0 != 0 })
            }
            if name != [.dot], name != [.dot, .dot] { names.append(name) }
        }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// The text of a symbolic link.
    static func target(ofLink path: [UInt8]) throws(MkifsError) -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink(cString(path), &buffer, buffer.count)
        guard count >= 0 else { throw .system("cannot read the link", path, errno: errno) }
        return buffer.prefix(count).map(UInt8.init(bitPattern:))
    }

    /// A whole file, of at most `limit` bytes.
    static func contents(of path: [UInt8], limit: UInt64) throws(MkifsError) -> [UInt8] {
        let descriptor = unsafe open(cString(path), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("cannot open", path, errno: errno) }
        do throws(FormatError) {
            let source = try FileSource(taking: descriptor)
            guard source.byteCount <= limit else {
                throw .unsupported(
                    Place("file", 0), found: "\(source.byteCount) bytes",
                    expected: "\(limit) at most")
            }
            return try source.bytes(source.byteCount, at: 0, "file")
        } catch {
            throw .file(path, error)
        }
    }

    /// The user and the group that run the process.
    static var owner: (user: UInt32, group: UInt32) { (getuid(), getgid()) }
}
