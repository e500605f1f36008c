internal import Glibc

/// The bytes of an open file or block device, read by position.
///
/// The descriptor is the source's own and closes with it. The size is the one at the start: what a
/// file gains later is not seen, and what it loses is an end of file before its time.
public final class FileSource: ByteSource {
    private let descriptor: Int32
    /// The file's size when it was opened.
    public let byteCount: UInt64
    private let state: State?

    /// What changes when a regular file is written, truncated, or loses a name.
    private struct State: Equatable {
        private let size: off_t
        private let seconds: (Int, Int)
        private let nanoseconds: (Int, Int)

        /// The state of an open file; nil of a device, whose times tell nothing.
        init?(_ descriptor: Int32) {
            var status = stat()
            guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                return nil
            }
            size = status.st_size
            seconds = (status.st_mtim.tv_sec, status.st_ctim.tv_sec)
            nanoseconds = (status.st_mtim.tv_nsec, status.st_ctim.tv_nsec)
        }

        static func == (left: State, right: State) -> Bool {
            left.size == right.size && left.seconds == right.seconds
                && left.nanoseconds == right.nanoseconds
        }

        /// Whether nobody has written since the other state, as far as times tell.
        func hasBytes(of other: State) -> Bool {
            size == other.size && seconds.0 == other.seconds.0
                && nanoseconds.0 == other.nanoseconds.0
        }
    }

    /// Takes over `descriptor`, which must be open for reading and able to seek. Throws `io`, or
    /// `unsupported` for what has no size, such as a pipe or a directory.
    public init(taking descriptor: Int32) throws(FormatError) {
        self.descriptor = descriptor
        state = State(descriptor)
        do {
            byteCount = try Self.size(of: descriptor)
        } catch {
            // An object that was never whole has no deinit.
            close(descriptor)
            throw error
        }
    }

    private static func size(of descriptor: Int32) throws(FormatError) -> UInt64 {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw .io(Place("file", 0), errno: errno)
        }
        let kind = status.st_mode & S_IFMT
        guard kind == S_IFREG || kind == S_IFBLK else {
            throw .unsupported(
                Place("file", 0), found: kind == S_IFDIR ? "a directory" : "a special file",
                expected: "a regular file or a block device")
        }
        let end = lseek(descriptor, 0, SEEK_END)
        guard end >= 0 else { throw .io(Place("file", 0), errno: errno) }
        return UInt64(end)
    }

    deinit { close(descriptor) }

    /// Whether the file has another size, modification or change time than when it was opened: it
    /// was written, truncated, removed or replaced. A device never tells.
    public var hasChanged: Bool { State(descriptor) != state }

    /// Whether the file has another size or modification time than when it was opened. A device never
    /// tells.
    public var wasWritten: Bool {
        guard let state, let now = State(descriptor) else { return false }
        return !now.hasBytes(of: state)
    }

    /// Whether it is a file, and not a device.
    public var isRegularFile: Bool { state != nil }

    /// A positioned read, repeated until it is whole.
    public func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int {
        guard offset < byteCount, let start = buffer.baseAddress else { return 0 }
        let wanted = Int(clamping: min(UInt64(buffer.count), byteCount &- offset))
        var done = 0
        while done < wanted {
            let position = off_t(clamping: offset &+ UInt64(done))
            let count = unsafe pread(descriptor, start + done, wanted &- done, position)
            if count == 0 { break }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw .io(Place("byte", offset &+ UInt64(done)), errno: errno)
            }
            done &+= count
        }
        return done
    }

    /// `SEEK_DATA`, which Glibc declares under `_GNU_SOURCE` alone. Source: Linux
    /// `include/uapi/linux/fs.h`.
    private static let seekData: Int32 = 3

    /// Behind the hole that `offset` lies in, if the file system knows of holes.
    public func dataStart(from offset: UInt64) -> UInt64 {
        guard offset < byteCount else { return byteCount }
        // Reads are by position: nobody needs the one that this moves.
        let found = lseek(descriptor, off_t(clamping: offset), Self.seekData)
        // ENXIO: up to its end the file is a hole.
        guard found >= 0 else { return errno == ENXIO ? byteCount : offset }
        return min(byteCount, max(offset, UInt64(found)))
    }

    /// Starts reading them into the page cache.
    public func willRead(_ count: UInt64, from offset: UInt64) {
        posix_fadvise(
            descriptor, off_t(clamping: offset), off_t(clamping: count), POSIX_FADV_WILLNEED)
    }

    /// Drops them from the page cache.
    public func willRest() { posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) }
}
