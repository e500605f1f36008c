internal import Format
internal import Glibc

/// An image that is being written beside the one whose place it will take: `.NAME.new.XXXXXX`. It goes
/// with the object unless it got its name.
final class NewImage: Sendable {
    private let path: [CChar]
    /// Whose place it will take.
    let target: [UInt8]
    private let descriptor: Int32
    private let isNamed = Lock(false)

    /// Starts a file in the directory of `target`.
    init(beside target: [UInt8]) throws(CommitError) {
        var template = (Self.hidden(target, ".new.XXXXXX")).map(CChar.init(bitPattern:)) + [0]
        descriptor = unsafe mkstemp(&template)
        path = template
        self.target = target
        guard descriptor >= 0 else {
            throw CommitError("make a file beside it", target, errno: errno)
        }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    deinit {
        close(descriptor)
        if !isNamed.withLock({ $0 }) { _ = unsafe unlink(path) }
    }

    /// A name beside a file, which listings do not show: `.NAME` and an ending.
    static func hidden(_ path: [UInt8], _ ending: String) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        let name = lastComponent(path)
        let folder = path.lastIndex(of: slash).map { Array(path[...$0]) } ?? []
        return folder + [UInt8(ascii: ".")] + name + Array(ending.utf8)
    }

    // MARK: Contents

    /// Makes sure that so many bytes have room.
    func reserve(_ byteCount: UInt64) throws(CommitError) {
        let failure = posix_fallocate(descriptor, 0, off_t(clamping: byteCount))
        guard failure == 0 || failure == EOPNOTSUPP || failure == EINVAL else {
            throw CommitError("reserve \(byteCount) bytes", name, errno: failure)
        }
    }

    /// Ends the file behind its last byte, and brings it to the disk.
    func end(at byteCount: UInt64) throws(CommitError) {
        guard ftruncate(descriptor, off_t(clamping: byteCount)) == 0, fdatasync(descriptor) == 0
        else { throw CommitError("write", name, errno: errno) }
    }

    /// The file, to be read.
    func source() throws(FormatError) -> FileSource {
        let copy = dup(descriptor)
        guard copy >= 0 else { throw .io(Place("new image", 0), errno: errno) }
        return try FileSource(taking: copy)
    }

    /// The path that it has until then.
    var name: [UInt8] { path.dropLast().map(UInt8.init(bitPattern:)) }

    /// What tells the file from every other, wherever it goes.
    var identity: [UInt8] { FileIdentity.text(descriptor) }

    /// Goes on with the file that is at its path now, where somebody has put another.
    func reopen() throws(CommitError) {
        let file = unsafe open(path, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { throw CommitError("open", name, errno: errno) }
        defer { close(file) }
        guard dup2(file, descriptor) >= 0, fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
            throw CommitError("open", name, errno: errno)
        }
    }

    // MARK: Its place

    /// Whether there is a file at a path.
    static func isThere(_ path: [UInt8]) -> Bool { unsafe access(Self.text(path), F_OK) == 0 }

    /// Gives the file owner and permissions of another; of a file that is not there, what a new one
    /// has.
    func takeAttributes(of target: [UInt8]) throws(CommitError) {
        var status = stat()
        guard unsafe stat(Self.text(target), &status) == 0 else {
            let mask = umask(0)
            umask(mask)
            fchmod(descriptor, 0o666 & ~mask)
            return
        }
        // Only root gives files away; who may replace a file is its new owner else.
        if fchown(descriptor, status.st_uid, status.st_gid) != 0 {
            _ = fchown(descriptor, uid_t.max, status.st_gid)
        }
        guard fchmod(descriptor, status.st_mode & 0o7777) == 0 else {
            throw CommitError("set the permissions of", name, errno: errno)
        }
    }

    /// Gives a file another name beside its own, in the place of what had that.
    func keep(_ target: [UInt8], as backup: [UInt8]) throws(CommitError) {
        _ = unsafe unlink(Self.text(backup))
        guard unsafe link(Self.text(target), Self.text(backup)) == 0 || errno == ENOENT else {
            throw CommitError("make", backup, errno: errno)
        }
    }

    /// Puts the file in the place of another; it stays there when power is cut.
    func take(name target: [UInt8]) throws(CommitError) {
        guard fsync(descriptor) == 0, unsafe rename(path, Self.text(target)) == 0 else {
            throw CommitError("replace", target, errno: errno)
        }
        isNamed.withLock { $0 = true }
        let end = target.lastIndex(of: UInt8(ascii: "/"))
        let folder = end.map { $0 == 0 ? [UInt8(ascii: "/")] : Array(target[..<$0]) }
        let directory = unsafe open(
            Self.text(folder ?? [UInt8(ascii: ".")]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return }
        fsync(directory)
        close(directory)
    }

    private static func text(_ path: [UInt8]) -> [CChar] { path.map(CChar.init(bitPattern:)) + [0] }

    // MARK: Writing

    /// Writes into the file by position, and tells how far it is.
    struct Sink: ByteSink {
        private let file: NewImage
        private let total: UInt64
        private let progress: (UInt64, UInt64) -> Void

        init(_ file: NewImage, total: UInt64, _ progress: @escaping (UInt64, UInt64) -> Void) {
            self.file = file
            self.total = total
            self.progress = progress
        }

        mutating func write(_ bytes: [UInt8], at offset: UInt64) throws(FormatError) {
            let failure = unsafe bytes.withUnsafeBytes { buffer -> FileSystemError? in
                do throws(FileSystemError) {
                    try unsafe StageFile.write(buffer, to: file.descriptor, at: offset)
                    return nil
                } catch {
                    return error
                }
            }
            if case .disk(let errno)? = failure {
                throw .io(Place("new image", offset), errno: errno)
            }
            progress(min(total, offset &+ UInt64(bytes.count)), total)
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
        let file = unsafe open(path.map(CChar.init(bitPattern:)) + [0], O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        return text(file)
    }
}
