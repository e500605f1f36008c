internal import Format
internal import Glibc
internal import Mkifs

/// The directory in which edits wait until they are part of an image: the edit log, the contents of
/// changed files, and what they are edits of.
///
///     .NAME.stage/origin      what the edits are of, as text
///     .NAME.stage/edits       the edit log
///     .NAME.stage/data/N      the contents of node N, but for small ones that only came once
///     .NAME.stage/saved       which file has all edits, just before it gets its name
///
/// It is made with the first edit, and whoever has it holds a lock on it.
public final class Stage: Sendable {
    /// Where it is, or will be.
    public let path: [UInt8]
    private let origin: Lock<[UInt8]>
    private let opened: Lock<Opened?>
    /// What tells the numbers that nodes have here; nil where they are those they go by.
    private let numbering: Lock<RenumberedVolume?> = Lock(nil)

    /// What is open of a stage that is there.
    private struct Opened {
        let directory: Int32
        let data: Int32
        let log: EditLog
    }

    /// A stage that is not made yet; `origin` is what its edits will be of.
    public init(at path: [UInt8], of origin: [UInt8]) {
        self.path = path
        self.origin = Lock(origin)
        opened = Lock(nil)
    }

    deinit {
        opened.withLock { opened in
            guard let opened else { return }
            close(opened.data)
            close(opened.directory)
        }
    }

    /// Whether something is where it would be made.
    public var isFound: Bool { unsafe access(cString(path), F_OK) == 0 }

    // MARK: Edits

    /// Keeps a change; the first makes the stage.
    func add(_ edits: [Edit]) throws(FileSystemError) {
        try add(Edit.bytes(of: edits.map { $0.renumbered(number) }))
    }

    /// Keeps a change as a record of the log, and returns the place where it begins.
    @discardableResult
    func add(_ record: [UInt8]) throws(FileSystemError) -> UInt64 {
        try made().log.add(record)
    }

    /// Keeps the contents of a node in the log; returns where.
    func add(
        contents bytes: UnsafeRawBufferPointer, of node: NodeID
    ) throws(FileSystemError) -> Range<UInt64> {
        let record = unsafe LogEntry.record(ofContents: bytes, of: number(node))
        let start = try add(record.bytes) &+ UInt64(record.start)
        return start..<(start &+ UInt64(bytes.count))
    }

    /// The log; nil while there is no edit.
    var log: EditLog? { opened.withLock { $0?.log } }

    /// From now on nodes have the numbers that they have in a volume that is opened anew: it is what the
    /// next mount sees.
    func renumber(as volume: RenumberedVolume) { numbering.withLock { $0 = volume } }

    private func number(_ node: NodeID) -> NodeID {
        numbering.withLock { $0 }?.numberInStage(node) ?? node
    }

    /// Brings the changes so far to the disk, and a file's contents before them.
    func synchronize(_ file: Int32?) throws(FileSystemError) {
        try synchronizeContents(file)
        try synchronizeLog()
    }

    /// Brings the changes so far to the disk.
    func synchronizeLog() throws(FileSystemError) {
        try log?.synchronize()
    }

    /// Brings a file's contents to the disk, and the names of all contents.
    func synchronizeContents(_ file: Int32?) throws(FileSystemError) {
        guard let opened = opened.withLock({ $0 }) else { return }
        if let file, fdatasync(file) != 0 { throw .disk(errno) }
        guard fsync(opened.data) == 0 else { throw .disk(errno) }
    }

    // MARK: Contents

    /// Opens the contents of a node for reading and writing.
    func open(_ node: NodeID) throws(FileSystemError) -> Int32 {
        try open(node, O_RDWR | O_CLOEXEC)
    }

    /// Starts the contents of a node.
    func create(_ node: NodeID) throws(FileSystemError) -> Int32 {
        try open(node, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC)
    }

    private func open(_ node: NodeID, _ flags: Int32) throws(FileSystemError) -> Int32 {
        let file = unsafe openat(try made().data, name(of: node), flags, 0o600)
        guard file >= 0 else { throw .disk(errno) }
        return file
    }

    /// Removes the contents of a node; nothing is left to lose where that fails.
    func remove(_ node: NodeID) {
        guard let opened = opened.withLock({ $0 }) else { return }
        _ = unsafe unlinkat(opened.data, name(of: node), 0)
    }

    /// Bytes of a node's contents; nil where a power cut took a file that nobody had synchronized.
    func byteCount(of node: NodeID) throws(FileSystemError) -> UInt64? {
        var status = stat()
        guard let opened = opened.withLock({ $0 }) else { return nil }
        if unsafe fstatat(opened.data, name(of: node), &status, 0) == 0 {
            return UInt64(clamping: status.st_size)
        }
        guard errno == ENOENT else { throw .disk(errno) }
        return nil
    }

    /// The contents of a node, to be read when they are written. Reading fails where they have become
    /// fewer bytes than `byteCount`.
    func content(of node: NodeID, byteCount: UInt64) -> Content {
        guard byteCount > 0 else { return .bytes([]) }
        let name = path + Array(("/data/" + name(of: node)).utf8)
        return .file(HostFile(name, byteCount: byteCount))
    }

    /// Bytes that the disk of the stage has left.
    func room() -> UInt64 { DiskRoom.freeByteCount(beside: path) }

    /// Notes which file is to have all edits: found under the image's name, it shows that nothing is
    /// left to do.
    func markSaved(as identity: [UInt8]) throws(CommitError) {
        guard let opened = opened.withLock({ $0 }) else { return }
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
        let file = unsafe openat(opened.directory, "saved", flags, 0o600)
        guard file >= 0 else { throw CommitError("make a file in", path, errno: errno) }
        defer { close(file) }
        if let failure = writeAll(identity, to: file) {
            throw CommitError("write a file in", path, errno: failure)
        }
        guard fsync(file) == 0, fsync(opened.directory) == 0 else {
            throw CommitError("write a file in", path, errno: errno)
        }
    }

    /// Takes that note away.
    func forgetSaved() {
        guard let opened = opened.withLock({ $0 }) else { return }
        _ = unsafe unlinkat(opened.directory, "saved", 0)
    }

    // MARK: The directory

    /// Opens the stage that is found where this one would be made, of an image in the file `target`.
    /// Calls `take` with what each record of the log says; returns false, and removes it, where the image has
    /// them all. Throws `busy` while another process has it, and `replaced` for edits of another image.
    func resume(
        _ target: [UInt8], _ take: (LogEntry) -> Void
    ) throws(FileSystemError) -> Bool {
        try resume(
            target,
            records: { record, place in
                guard let entry = LogEntry(record, at: place) else { return false }
                take(entry)
                return true
            })
    }

    /// The same with the records of the log and where they begin; it ends before one that `take` refuses.
    func resume(
        _ target: [UInt8], records take: (_ record: [UInt8], _ place: UInt64) -> Bool
    ) throws(FileSystemError) -> Bool {
        let directory = unsafe Glibc.open(
            cString(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw .disk(errno) }
        guard flock(directory, LOCK_EX | LOCK_NB) == 0 else {
            close(directory)
            throw .busy
        }
        let log = unsafe openat(directory, "edits", O_RDWR | O_CLOEXEC)
        let found: (saved: [UInt8], origin: [UInt8])
        do throws(FileSystemError) {
            // What is there and cannot be read must not be taken for nothing.
            guard log >= 0 || errno == ENOENT else { throw .disk(errno) }
            found = (
                try Self.contents(of: "saved", in: directory),
                try Self.contents(of: "origin", in: directory)
            )
        } catch {
            for file in [directory, log] where file >= 0 { close(file) }
            throw error
        }
        let isSaved = !found.saved.isEmpty && found.saved == FileIdentity.text(at: target)
        // Without a log no edit was ever made, or all are being removed.
        guard !isSaved, log >= 0 else {
            discard()
            for file in [directory, log] where file >= 0 { close(file) }
            return false
        }
        let data = unsafe openat(directory, "data", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard data >= 0, found.origin == origin.withLock({ $0 }) else {
            for file in [directory, log, data] where file >= 0 { close(file) }
            throw .replaced
        }
        do throws(FileSystemError) {
            let edits = try EditLog(continuing: log, take)
            opened.withLock { $0 = Opened(directory: directory, data: data, log: edits) }
            return true
        } catch {
            close(directory)
            close(data)
            throw error
        }
    }

    /// Removes the stage that is found where this one would be made. Throws `busy` while another process
    /// has it.
    public func discardFound() throws(FileSystemError) {
        let directory = unsafe Glibc.open(
            cString(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw .disk(errno) }
        defer { close(directory) }
        guard flock(directory, LOCK_EX | LOCK_NB) == 0 else { throw .busy }
        discard()
    }

    /// A small file of the stage; nothing where there is none.
    private static func contents(
        of name: String, in directory: Int32
    ) throws(FileSystemError) -> [UInt8] {
        let file = unsafe openat(directory, name, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            guard errno == ENOENT else { throw .disk(errno) }
            return []
        }
        return try format { () throws(FormatError) in
            try FileSource(taking: file).prefix(1 << 16, at: 0)
        }
    }

    /// What is open, made now if it is not there.
    private func made() throws(FileSystemError) -> (data: Int32, log: EditLog) {
        var failure: FileSystemError?
        let found = opened.withLock { opened -> Opened? in
            if let opened { return opened }
            do throws(FileSystemError) {
                opened = try make()
            } catch {
                failure = error
            }
            return opened
        }
        if let failure { throw failure }
        guard let found else { throw .disk(EIO) }
        return (found.data, found.log)
    }

    private func make() throws(FileSystemError) -> Opened {
        // What is there already is another's.
        guard unsafe mkdir(cString(path), 0o700) == 0 else {
            throw errno == EEXIST ? .busy : .disk(errno)
        }
        do throws(FileSystemError) {
            return try fill()
        } catch {
            discard()
            throw error
        }
    }

    private func fill() throws(FileSystemError) -> Opened {
        let directory = unsafe Glibc.open(
            cString(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0, flock(directory, LOCK_EX | LOCK_NB) == 0,
            unsafe mkdirat(directory, "data", 0o700) == 0
        else { throw .disk(errno) }
        let data = unsafe openat(directory, "data", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        let flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC
        let about = unsafe openat(directory, "origin", flags, 0o600)
        guard data >= 0, about >= 0 else { throw .disk(errno) }
        defer { close(about) }
        if let failure = writeAll(origin.withLock { $0 }, to: about) { throw .disk(failure) }
        let log = unsafe openat(directory, "edits.new", flags, 0o600)
        guard log >= 0 else { throw .disk(errno) }
        let edits = try EditLog(startingIn: log)
        // A stage that a kill or a power cut leaves is whole or has no log.
        guard fsync(about) == 0, fsync(log) == 0,
            unsafe renameat(directory, "edits.new", directory, "edits") == 0,
            fsync(directory) == 0, synchronizeDirectory(of: path)
        else { throw .disk(errno) }
        return Opened(directory: directory, data: data, log: edits)
    }

    /// Removes the directory with all that is in it; the log first, since half the contents are no
    /// edits, and `saved` last.
    private func discard() {
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

    /// Removes a stage whose edits are in an image, or are not wanted. Later ones are of another
    /// origin, if one is given.
    public func remove(goingOnWith origin: [UInt8]? = nil) {
        if let origin { self.origin.withLock { $0 = origin } }
        opened.withLock { opened in
            guard let open = opened else { return }
            discard()
            close(open.data)
            close(open.directory)
            opened = nil
        }
    }

    private func name(of node: NodeID) -> String {
        String(number(node).rawValue)
    }
}
