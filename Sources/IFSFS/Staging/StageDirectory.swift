internal import Format
internal import Glibc
internal import Mkifs

/// The directory of a stage that is there, open and locked as long as this is.
///
/// Nodes go by the numbers that they have in the stage.
final class StageDirectory: Sendable {
    let log: EditLog
    private let path: [UInt8]
    private let directory: OwnedFile
    private let data: OwnedFile

    private init(_ path: [UInt8], _ directory: OwnedFile, data: OwnedFile, log: EditLog) {
        self.path = path
        self.directory = directory
        self.data = data
        self.log = log
    }

    // MARK: Making, finding, removing

    /// Makes one for edits of `origin`. Throws `busy` where something is: that is another's.
    static func make(
        at path: [UInt8], of origin: [UInt8]
    ) throws(FileSystemError) -> StageDirectory {
        guard unsafe mkdir(cString(path), 0o700) == 0 else {
            throw errno == EEXIST ? .busy : .disk(errno)
        }
        do throws(FileSystemError) {
            return try fill(path, origin)
        } catch {
            remove(at: path)
            throw error
        }
    }

    private static func fill(
        _ path: [UInt8], _ origin: [UInt8]
    ) throws(FileSystemError) -> StageDirectory {
        let directory = try locked(path)
        guard unsafe mkdirat(directory.descriptor, "data", 0o700) == 0 else { throw .disk(errno) }
        let data = try directory.subdirectory("data")
        let about = try directory.file("origin", O_WRONLY | O_CREAT | O_EXCL)
        if let failure = writeAll(origin, to: about.descriptor) { throw .disk(failure) }
        let file = try directory.file("edits.new", O_RDWR | O_CREAT | O_EXCL)
        let log = try EditLog(startingIn: file)
        // A stage that a kill or a power cut leaves is whole or has no log.
        guard fsync(about.descriptor) == 0, fsync(file.descriptor) == 0,
            unsafe renameat(
                directory.descriptor, "edits.new", directory.descriptor, "edits") == 0,
            fsync(directory.descriptor) == 0, synchronizeDirectory(of: path)
        else { throw .disk(errno) }
        return StageDirectory(path, directory, data: data, log: log)
    }

    /// Opens the one that is found, and calls `take` with the records of its log and where they begin; the
    /// log ends before one that `take` refuses. Removes it, and returns nil, where the file `target` has
    /// all its edits. Throws `busy` while another process has it, and `replaced` where its edits are not of
    /// `origin`.
    static func resume(
        at path: [UInt8], of origin: [UInt8], in target: [UInt8],
        _ take: (_ record: [UInt8], _ place: UInt64) -> Bool
    ) throws(FileSystemError) -> StageDirectory? {
        let directory = try locked(path)
        // What is there and cannot be read must not be taken for nothing.
        let log = try directory.found("edits", O_RDWR)
        let saved = try directory.contents(of: "saved")
        let found = try directory.contents(of: "origin")
        let isSaved = !saved.isEmpty && saved == FileIdentity.text(at: target)
        // Without a log no edit was ever made, or all are being removed.
        guard !isSaved, let log else {
            remove(at: path)
            return nil
        }
        guard let data = try? directory.subdirectory("data"), found == origin else {
            throw .replaced
        }
        return StageDirectory(
            path, directory, data: data, log: try EditLog(continuing: log, take))
    }

    /// Removes the one that is found. Throws `busy` while another process has it.
    static func removeFound(at path: [UInt8]) throws(FileSystemError) {
        let directory = try locked(path)
        withExtendedLifetime(directory) { remove(at: path) }
    }

    private static func locked(_ path: [UInt8]) throws(FileSystemError) -> OwnedFile {
        let directory = try OwnedFile(
            unsafe Glibc.open(cString(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        guard flock(directory.descriptor, LOCK_EX | LOCK_NB) == 0 else { throw .busy }
        return directory
    }

    /// Removes it with all that is in it.
    func remove() { Self.remove(at: path) }

    /// The log goes first, since half the contents are no edits, and `saved` last.
    private static func remove(at path: [UInt8]) {
        _ = unsafe unlink(cString(path + Array("/edits".utf8)))
        let data = path + Array("/data".utf8)
        for name in IFSFS.names(in: data) {
            _ = unsafe unlink(cString(data + [UInt8(ascii: "/")] + name))
        }
        _ = unsafe rmdir(cString(data))
        for name in ["/edits.new", "/origin", "/saved"] {
            _ = unsafe unlink(cString(path + Array(name.utf8)))
        }
        _ = unsafe rmdir(cString(path))
    }

    // MARK: Contents

    /// Opens the contents of a node; the caller closes them.
    func open(_ node: NodeID, _ flags: Int32) throws(FileSystemError) -> Int32 {
        let file = unsafe openat(data.descriptor, name(of: node), flags | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .disk(errno) }
        return file
    }

    /// Removes the contents of a node; nothing is left to lose where that fails.
    func remove(_ node: NodeID) { _ = unsafe unlinkat(data.descriptor, name(of: node), 0) }

    /// Bytes of a node's contents; nil where a power cut took a file that nobody had synchronized.
    func byteCount(of node: NodeID) throws(FileSystemError) -> UInt64? {
        var status = stat()
        if unsafe fstatat(data.descriptor, name(of: node), &status, 0) == 0 {
            return UInt64(clamping: status.st_size)
        }
        guard errno == ENOENT else { throw .disk(errno) }
        return nil
    }

    /// The contents of a node, to be read when they are written.
    func content(of node: NodeID, byteCount: UInt64) -> Content {
        let file = path + Array(("/data/" + name(of: node)).utf8)
        return .file(HostFile(file, byteCount: byteCount))
    }

    /// Brings a file's contents to the disk, and the names of all contents.
    func synchronizeContents(_ file: Int32?) throws(FileSystemError) {
        if let file, fdatasync(file) != 0 { throw .disk(errno) }
        guard fsync(data.descriptor) == 0 else { throw .disk(errno) }
    }

    private func name(of node: NodeID) -> String { String(node.rawValue) }

    // MARK: What was saved

    /// Notes which file is to have all edits.
    func markSaved(as identity: [UInt8]) throws(FileSystemError) {
        let file = try directory.file("saved", O_WRONLY | O_CREAT | O_TRUNC)
        if let failure = writeAll(identity, to: file.descriptor) { throw .disk(failure) }
        guard fsync(file.descriptor) == 0, fsync(directory.descriptor) == 0 else {
            throw .disk(errno)
        }
    }

    /// Takes that note away.
    func forgetSaved() { _ = unsafe unlinkat(directory.descriptor, "saved", 0) }
}

/// A descriptor that is closed when nobody has this any more.
final class OwnedFile: Sendable {
    let descriptor: Int32

    /// Throws what `errno` says where the call that was to open it failed.
    init(_ descriptor: Int32) throws(FileSystemError) {
        guard descriptor >= 0 else { throw .disk(errno) }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }
}

extension OwnedFile {
    fileprivate func file(_ name: String, _ flags: Int32) throws(FileSystemError) -> OwnedFile {
        try OwnedFile(unsafe openat(descriptor, name, flags | O_CLOEXEC, 0o600))
    }

    fileprivate func subdirectory(_ name: String) throws(FileSystemError) -> OwnedFile {
        try file(name, O_RDONLY | O_DIRECTORY)
    }

    /// Nil where there is none.
    fileprivate func found(
        _ name: String, _ flags: Int32
    ) throws(FileSystemError) -> OwnedFile? {
        do throws(FileSystemError) {
            return try file(name, flags)
        } catch .disk(ENOENT) {
            return nil
        }
    }

    /// A small file; nothing where there is none.
    fileprivate func contents(of name: String) throws(FileSystemError) -> [UInt8] {
        let file = unsafe openat(descriptor, name, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            guard errno == ENOENT else { throw .disk(errno) }
            return []
        }
        return try format { () throws(FormatError) in
            try FileSource(taking: file).prefix(1 << 16, at: 0)
        }
    }
}
