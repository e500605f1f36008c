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
    private let opened: Lock<StageDirectory?> = Lock(nil)
    /// What tells the numbers that nodes have here; nil where they are those they go by.
    private let numbering: Lock<RenumberedVolume?> = Lock(nil)

    /// A stage that is not made yet; `origin` is what its edits will be of.
    public init(at path: [UInt8], of origin: [UInt8]) {
        self.path = path
        self.origin = Lock(origin)
    }

    /// Whether something is where it would be made.
    public var isFound: Bool { unsafe access(cString(path), F_OK) == 0 }

    private var directory: StageDirectory? { opened.withLock { $0 } }

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
    var log: EditLog? { directory?.log }

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
        try directory?.synchronizeContents(file)
    }

    // MARK: Contents

    /// Opens the contents of a node for reading and writing.
    func open(_ node: NodeID) throws(FileSystemError) -> Int32 {
        try made().open(number(node), O_RDWR)
    }

    /// Starts the contents of a node.
    func create(_ node: NodeID) throws(FileSystemError) -> Int32 {
        try made().open(number(node), O_RDWR | O_CREAT | O_TRUNC)
    }

    /// Removes the contents of a node; nothing is left to lose where that fails.
    func remove(_ node: NodeID) { directory?.remove(number(node)) }

    /// Bytes of a node's contents; nil where a power cut took a file that nobody had synchronized.
    func byteCount(of node: NodeID) throws(FileSystemError) -> UInt64? {
        try directory?.byteCount(of: number(node))
    }

    /// The contents of a node, to be read when they are written. Reading fails where they have become
    /// fewer bytes than `byteCount`.
    func content(of node: NodeID, byteCount: UInt64) -> Content {
        guard byteCount > 0, let directory else { return .bytes([]) }
        return directory.content(of: number(node), byteCount: byteCount)
    }

    /// Bytes that the disk of the stage has left.
    func room() -> UInt64 { DiskRoom.freeByteCount(beside: path) }

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
        let found = try StageDirectory.resume(
            at: path, of: origin.withLock { $0 }, in: target, take)
        opened.withLock { $0 = found }
        return found != nil
    }

    /// What is open, made now if it is not there.
    private func made() throws(FileSystemError) -> StageDirectory {
        let found = opened.withLock { opened -> Result<StageDirectory, FileSystemError> in
            if let opened { return .success(opened) }
            return Result { () throws(FileSystemError) in
                let new = try StageDirectory.make(at: path, of: origin.withLock { $0 })
                opened = new
                return new
            }
        }
        return try found.get()
    }

    /// Notes which file is to have all edits: found under the image's name, it shows that nothing is
    /// left to do.
    func markSaved(as identity: [UInt8]) throws(CommitError) {
        do throws(FileSystemError) {
            try directory?.markSaved(as: identity)
        } catch {
            throw CommitError("write a file in", path, errno: error.errno)
        }
    }

    /// Takes that note away.
    func forgetSaved() { directory?.forgetSaved() }

    /// Removes a stage whose edits are in an image, or are not wanted. Later ones are of another
    /// origin, if one is given.
    public func remove(goingOnWith origin: [UInt8]? = nil) {
        if let origin { self.origin.withLock { $0 = origin } }
        opened.withLock { opened in
            opened?.remove()
            opened = nil
        }
    }

    /// Removes the stage that is found where this one would be made. Throws `busy` while another process
    /// has it.
    public func discardFound() throws(FileSystemError) {
        try StageDirectory.removeFound(at: path)
    }
}
