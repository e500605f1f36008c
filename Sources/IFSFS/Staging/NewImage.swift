internal import CLinux
internal import Format
internal import Glibc

/// An image that is being written beside the one whose place it will take. It goes with the object
/// unless it got its name, and with the process in any case where the file system lets a file be
/// without a name: else it is called `.NAME.new.XXXXXX` meanwhile.
final class NewImage: Sendable {
    /// Whose place it will take.
    let target: [UInt8]
    private let descriptor: Int32
    /// What it is called before it has its own name; nil for nothing.
    private let temporaryName: Lock<[CChar]?>

    /// Starts a file in the directory of `target`; one that a command is to work on `isNamed`.
    init(beside target: [UInt8], isNamed: Bool = false) throws(CommitError) {
        self.target = target
        let nameless = isNamed ? -1 : Self.nameless(in: parentPath(target))
        if nameless >= 0 {
            descriptor = nameless
            temporaryName = Lock(nil)
            return
        }
        var template = cString(Self.hidden(target, ".new.XXXXXX"))
        descriptor = unsafe mkstemp(&template)
        temporaryName = Lock(descriptor >= 0 ? template : nil)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        guard descriptor >= 0 else {
            throw CommitError("make a file beside it", target, errno: errno)
        }
    }

    private static func nameless(in directory: [UInt8]) -> Int32 {
        unsafe clinux_open_nameless(
            cString(directory), O_DIRECTORY | O_RDWR | O_CLOEXEC, 0o600)
    }

    deinit {
        close(descriptor)
        temporaryName.withLock { if let name = $0 { _ = unsafe unlink(name) } }
    }

    /// A name beside a file, which listings do not show: `.NAME` and an ending.
    static func hidden(_ path: [UInt8], _ ending: String) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        let folder = path.contains(slash) ? parentPath(path) + [slash] : []
        return folder + [UInt8(ascii: ".")] + lastComponent(path) + Array(ending.utf8)
    }

    /// Removes what a killed process has left of new images for `target`. Nobody else may be making one.
    static func removeLeftovers(of target: [UInt8]) {
        let stem = lastComponent(hidden(target, ".new."))
        let folder = parentPath(target)
        for name in names(in: folder) where name.count == stem.count + 6 && name.starts(with: stem)
        {
            _ = unsafe unlink(cString(folder + [UInt8(ascii: "/")] + name))
        }
    }

    // MARK: Contents

    /// Makes sure that so many bytes have room.
    func reserve(_ byteCount: UInt64) throws(CommitError) {
        let failure = posix_fallocate(descriptor, 0, off_t(clamping: byteCount))
        guard failure == 0 || failure == EOPNOTSUPP || failure == EINVAL else {
            throw CommitError("reserve \(byteCount) bytes beside it", target, errno: failure)
        }
    }

    /// Ends the file behind its last byte.
    func end(at byteCount: UInt64) throws(CommitError) {
        guard ftruncate(descriptor, off_t(clamping: byteCount)) == 0 else {
            throw CommitError("write beside it", target, errno: errno)
        }
    }

    /// Brings the file to the disk.
    func synchronize() throws(CommitError) {
        guard fsync(descriptor) == 0 else {
            throw CommitError("write beside it", target, errno: errno)
        }
    }

    /// The file, to be read.
    func source() throws(FormatError) -> FileSource {
        let copy = dup(descriptor)
        guard copy >= 0 else { throw .io(Place("new image", 0), errno: errno) }
        return try FileSource(taking: copy)
    }

    /// The path that a named one has until it takes its place.
    var name: [UInt8] {
        temporaryName.withLock { ($0 ?? []).dropLast().map(UInt8.init(bitPattern:)) }
    }

    /// Goes on with the file that is at that path now, where somebody has put another.
    func reopen() throws(CommitError) {
        let file = unsafe open(cString(name), O_RDWR | O_CLOEXEC)
        guard file >= 0 else { throw CommitError("open", name, errno: errno) }
        defer { close(file) }
        guard dup2(file, descriptor) >= 0, fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
            throw CommitError("open", name, errno: errno)
        }
    }

    /// What tells the file from every other, wherever it goes.
    var identity: [UInt8] { FileIdentity.text(descriptor) }

    // MARK: Its place

    /// Whether there is a file at a path.
    static func isThere(_ path: [UInt8]) -> Bool { unsafe access(cString(path), F_OK) == 0 }

    /// Gives the file owner, permissions and extended attributes of what it replaces; where nothing is,
    /// what a new file has.
    func takeAttributes() throws(CommitError) {
        var status = stat()
        guard unsafe stat(cString(target), &status) == 0 else {
            let mask = umask(0)
            umask(mask)
            fchmod(descriptor, 0o666 & ~mask)
            return
        }
        // Only root gives files away; who may replace a file is its new owner else.
        if fchown(descriptor, status.st_uid, status.st_gid) != 0 {
            _ = fchown(descriptor, uid_t.max, status.st_gid)
        }
        ExtendedAttributes.copy(from: target, to: descriptor)
        guard fchmod(descriptor, status.st_mode & 0o7777) == 0 else {
            throw CommitError("set the permissions beside it", target, errno: errno)
        }
    }

    /// Keeps what it replaces under another name, in the place of what had that.
    func keepOld(as backup: [UInt8]) throws(CommitError) {
        _ = unsafe unlink(cString(backup))
        guard unsafe Glibc.link(cString(target), cString(backup)) == 0 || errno == ENOENT else {
            throw CommitError("make", backup, errno: errno)
        }
    }

    /// Puts the file in its place, where it stays when power is cut.
    func takePlace() throws(CommitError) {
        try synchronize()
        try temporaryName.withLock { name throws(CommitError) in
            let now = if let name { name } else { try linked() }
            name = now
            guard unsafe rename(now, cString(target)) == 0 else {
                throw CommitError("replace", target, errno: errno)
            }
            name = nil
        }
        synchronizeDirectory(of: target)
    }

    /// Gives a file without a name its first one: nothing can be replaced by that.
    private func linked() throws(CommitError) -> [CChar] {
        for number in 0..<1000 {
            let digits = String(number + 1_000_000).dropFirst()
            let name = cString(Self.hidden(target, ".new." + digits))
            let source = "/proc/self/fd/\(descriptor)"
            if unsafe linkat(AT_FDCWD, source, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0 {
                return name
            }
            guard errno == EEXIST else { break }
        }
        throw CommitError("make a file beside it", target, errno: errno)
    }

    // MARK: Writing

    /// Writes into the file by position, and tells how far it is.
    struct Sink: ByteSink {
        private let file: NewImage
        private let total: UInt64
        private let progress: (UInt64, UInt64) throws(FormatError) -> Void

        init(
            _ file: NewImage, total: UInt64,
            _ progress: @escaping (UInt64, UInt64) throws(FormatError) -> Void
        ) {
            self.file = file
            self.total = total
            self.progress = progress
        }

        mutating func write(_ bytes: [UInt8], at offset: UInt64) throws(FormatError) {
            let failure = unsafe bytes.withUnsafeBytes {
                unsafe writeAll($0, to: file.descriptor, at: offset)
            }
            if let failure { throw .io(Place("new image", offset), errno: failure) }
            // The disk is to work meanwhile, so that the end need not wait for all.
            clinux_start_writing(file.descriptor, off_t(clamping: offset), off_t(bytes.count))
            try progress(min(total, offset &+ UInt64(bytes.count)), total)
        }
    }
}

/// What tells a file from all others that have ever had its name.
enum FileIdentity {
    /// The inode, the size and the time of the last write of an open file.
    static func text(_ descriptor: Int32) -> [UInt8] {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return [] }
        let time = "\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
        return Array("inode \(status.st_ino)\nsize \(status.st_size)\nmodified \(time)\n".utf8)
    }

    /// The same of the file at a path; empty where there is none.
    static func text(at path: [UInt8]) -> [UInt8] {
        let file = unsafe open(cString(path), O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        return text(file)
    }
}
