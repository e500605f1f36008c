internal import Format
internal import Glibc

/// The edits of a stage, in the order in which they were made: a file that only grows.
///
/// Behind a head of 16 bytes comes a record for each change: its length and its sum, four bytes each,
/// the lowest first, and then its bytes. One `write` adds a record, so that a process that is killed
/// leaves all records it was told of; of a record that a power cut tore nothing counts.
final class EditLog: Sendable {
    private let file: OwnedFile
    /// Where the next record goes.
    private let end: Lock<UInt64>

    /// What a log begins with; the last byte counts the versions.
    private static let head = Array("IFSFS edit log".utf8) + [0, 3]
    /// Bytes of a record's length and sum.
    private static let recordHeadSize: UInt64 = 8
    /// Longer ones are none of ours.
    private static let longestRecord = 1 << 24

    /// Starts a log in an empty file.
    init(startingIn file: OwnedFile) throws(FileSystemError) {
        self.file = file
        end = Lock(UInt64(Self.head.count))
        if let failure = Self.write(Self.head, to: file, at: 0) { throw .disk(failure) }
    }

    /// Goes on with a log; calls `take` with each whole record and the place where it begins, and ends it
    /// before one that is refused. Throws `corrupt` for a file that is no log of this version.
    init(
        continuing file: OwnedFile, _ take: (_ record: [UInt8], _ place: UInt64) -> Bool
    ) throws(FileSystemError) {
        self.file = file
        do throws(FormatError) {
            let source = try Self.source(of: file)
            guard try source.prefix(Self.head.count, at: 0) == Self.head else {
                throw .corrupt(Place("edit log", 0), found: "another file", expected: "a log")
            }
            var position = UInt64(Self.head.count)
            while let (record, next) = try Self.record(in: source, at: position),
                take(record, position &+ Self.recordHeadSize)
            {
                position = next
            }
            end = Lock(position)
        } catch {
            throw .format(error)
        }
        let length = end.withLock { $0 }
        guard ftruncate(file.descriptor, off_t(clamping: length)) == 0 else { throw .disk(errno) }
    }

    /// The record at a place, and where the next one begins; nil where there is no whole one.
    private static func record(
        in source: FileSource, at position: UInt64
    ) throws(FormatError) -> (record: [UInt8], next: UInt64)? {
        let head = try source.prefix(8, at: position)
        guard head.count == 8 else { return nil }
        let length = Int(word(head[0..<4]))
        // Zeros are what a power cut leaves of a record whose successors it has spared.
        guard length > 0, length <= longestRecord else { return nil }
        let record = try source.prefix(length, at: position &+ 8)
        guard record.count == length, sum(record) == word(head[4..<8]) else { return nil }
        return (record, position &+ 8 &+ UInt64(length))
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func bytes(_ word: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * UInt32($0))) }
    }

    /// CRC-32, as zlib computes it.
    private static func sum(_ bytes: [UInt8]) -> UInt32 {
        var sum = CRC32()
        sum.update(bytes)
        return sum.total
    }

    /// Bytes of all records.
    var byteCount: UInt64 { end.withLock { $0 } }

    /// Bytes of the log, to be read as long as this is there.
    func read(
        into buffer: UnsafeMutableRawBufferPointer, at place: UInt64
    ) throws(FileSystemError) -> Int {
        try unsafe StageFile.read(file.descriptor, into: buffer, at: place)
    }

    /// The log as it is now.
    func source() throws(FormatError) -> FileSource { try Self.source(of: file) }

    private static func source(of file: OwnedFile) throws(FormatError) -> FileSource {
        let copy = dup(file.descriptor)
        guard copy >= 0 else { throw .io(Place("edit log", 0), errno: errno) }
        return try FileSource(taking: copy)
    }

    /// Adds a change, and returns the place where its record begins. Where it does not fit on the disk,
    /// nothing of it stays.
    @discardableResult
    func add(_ record: [UInt8]) throws(FileSystemError) -> UInt64 {
        let bytes =
            Self.bytes(UInt32(clamping: record.count)) + Self.bytes(Self.sum(record)) + record
        let (place, failure) = end.withLock { end -> (UInt64, Int32?) in
            let place = end &+ Self.recordHeadSize
            if let failure = Self.write(bytes, to: file, at: end) {
                // What is left of it has no right sum, so a failure here does no harm.
                _ = ftruncate(file.descriptor, off_t(clamping: end))
                return (place, failure)
            }
            end &+= UInt64(bytes.count)
            return (place, nil)
        }
        if let failure { throw .disk(failure) }
        return place
    }

    /// Brings all changes to the disk.
    func synchronize() throws(FileSystemError) {
        guard fdatasync(file.descriptor) == 0 else { throw .disk(errno) }
    }

    private static func write(_ bytes: [UInt8], to file: OwnedFile, at offset: UInt64) -> Int32? {
        unsafe bytes.withUnsafeBytes { unsafe writeAll($0, to: file.descriptor, at: offset) }
    }
}
