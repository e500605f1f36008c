internal import Format
internal import Glibc

/// A file of the host that is opened only while it is read: an image may have more files than a
/// process may have descriptors.
struct LazyFileSource: ByteSource {
    let file: HostFile

    init(_ file: HostFile) { self.file = file }

    var byteCount: UInt64 { file.byteCount }

    /// Throws `io` in the file's name, and `truncated` for one that has shrunk since it was found.
    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int {
        guard offset < byteCount, buffer.count > 0 else { return 0 }
        let wanted = Int(clamping: min(UInt64(buffer.count), byteCount &- offset))
        let place = Place("'\(printable(file.path))', byte", offset)
        let descriptor = unsafe open(cString(file.path), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .io(place, errno: errno) }
        defer { close(descriptor) }
        var done = 0
        while done < wanted {
            let position = off_t(clamping: offset &+ UInt64(done))
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<wanted])
            let count = unsafe pread(descriptor, rest.baseAddress, rest.count, position)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .io(place, errno: errno) }
            guard count > 0 else {
                throw .truncated(place, needed: UInt64(wanted), available: UInt64(done))
            }
            done += count
        }
        return done
    }
}
