internal import CLinux
internal import Format
internal import Glibc

/// Files of a stage: positioned reads and writes that are whole.
enum StageFile {
    /// Fewer bytes than the buffer holds only at the end.
    static func read(
        _ file: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FileSystemError) -> Int {
        guard let start = buffer.baseAddress else { return 0 }
        var done = 0
        while done < buffer.count {
            let position = off_t(clamping: offset &+ UInt64(done))
            let count = unsafe pread(file, start + done, buffer.count - done, position)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .disk(errno) }
            if count == 0 { break }
            done += count
        }
        return done
    }

    static func write(
        _ bytes: UnsafeRawBufferPointer, to file: Int32, at offset: UInt64
    ) throws(FileSystemError) {
        if let failure = unsafe writeAll(bytes, to: file, at: offset) { throw .disk(failure) }
        // Of a long file the disk is to have the beginning while the rest comes.
        if bytes.count >= 1 << 20 {
            clinux_start_writing(file, off_t(clamping: offset), off_t(bytes.count))
        }
    }

    /// What fallocate(2) does.
    static func allocate(
        _ range: Range<UInt64>, of file: Int32, _ mode: Allocation
    ) throws(FileSystemError) {
        let status = fallocate(
            file, mode.flags, off_t(clamping: range.lowerBound), off_t(clamping: range.count))
        guard status == 0 else { throw errno == EOPNOTSUPP ? .unsupported : .disk(errno) }
    }

    /// Copies bytes of a volume's file to the same place.
    static func copy(
        _ volume: any Volume, _ node: NodeID, _ range: Range<UInt64>, to file: Int32
    ) throws(FileSystemError) {
        let byteCount = range.upperBound &- range.lowerBound
        guard byteCount > 0 else { return }
        let status = posix_fallocate(
            file, off_t(clamping: range.lowerBound), off_t(clamping: byteCount))
        guard status != ENOSPC else { throw .noSpace }
        let size = Int(clamping: min(byteCount, 1 << 20))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4096)
        defer { unsafe buffer.deallocate() }
        var position = range.lowerBound
        while position < range.upperBound {
            let wanted = Int(clamping: min(UInt64(size), range.upperBound &- position))
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
            let count = try format { () throws(FormatError) in
                try unsafe volume.read(node, into: room, at: position)
            }
            guard count > 0 else { throw .disk(EIO) }
            let bytes = unsafe UnsafeRawBufferPointer(rebasing: room[..<count])
            try unsafe write(bytes, to: file, at: position)
            position &+= UInt64(count)
        }
    }
}

extension Allocation {
    /// Source: Linux `include/uapi/linux/falloc.h`.
    fileprivate var flags: Int32 {
        switch self {
        case .reserve(let keepsSize): keepsSize ? FALLOC_FL_KEEP_SIZE : 0
        case .zero(let keepsSize):
            FALLOC_FL_ZERO_RANGE | (keepsSize ? FALLOC_FL_KEEP_SIZE : 0)
        case .punchHole: FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
        }
    }

    /// Whether a file comes to reach as far as the range.
    var grows: Bool {
        switch self {
        case .reserve(let keepsSize), .zero(let keepsSize): !keepsSize
        case .punchHole: false
        }
    }
}
