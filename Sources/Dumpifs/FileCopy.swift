import Format
import Glibc

/// One file on its way out of an image, in pieces that any thread may take.
final class FileCopy: Sendable {
    /// Bytes of a piece.
    static let pieceSize: UInt64 = 1 << 20

    let path: [UInt8]
    private let directory: Directory
    private let name: [UInt8]
    private let attributes: Attributes
    private let metadata: Metadata

    private struct State {
        /// The open file between the first and the last piece; -1 before.
        var descriptor: Int32 = -1
        /// Pieces that are done with.
        var copied: UInt64 = 0
        var fault: ExtractionFault?
    }

    /// Held to open and to close the file, never while copying.
    private let state = Lock(State())

    init(
        _ path: [UInt8], _ name: [UInt8], in directory: Directory, _ attributes: Attributes,
        _ metadata: Metadata
    ) {
        self.path = path
        self.directory = directory
        self.name = name
        self.attributes = attributes
        self.metadata = metadata
    }

    /// Pieces of the file; an empty file has one, of no bytes.
    var pieceCount: UInt64 {
        max(1, (attributes.byteCount + Self.pieceSize - 1) / Self.pieceSize)
    }

    /// Bytes of a piece.
    func byteCount(of piece: UInt64) -> UInt64 {
        let start = min(piece * Self.pieceSize, attributes.byteCount)
        return min(Self.pieceSize, attributes.byteCount - start)
    }

    /// What went wrong; nil when nothing did.
    var fault: ExtractionFault? { state.withLock { $0.fault } }

    /// Copies a piece, each of which must be copied once; `cursor` and `room`, which holds a piece, are
    /// the thread's own. The first piece makes the file. The last one to end gives it its metadata and
    /// closes it; a file with a fault is removed.
    func copy(
        _ piece: UInt64, from volume: IFS.ImageVolume, _ cursor: Cursor,
        _ room: UnsafeMutableRawBufferPointer
    ) {
        let descriptor = state.withLock { state in
            if state.descriptor < 0, state.fault == nil { open(&state, cursor) }
            return state.fault == nil ? state.descriptor : -1
        }
        let fault =
            descriptor < 0
            ? nil : unsafe copy(piece * Self.pieceSize, to: descriptor, from: volume, room)
        state.withLock { state in
            state.fault = state.fault ?? fault
            state.copied += 1
            if state.copied == pieceCount { finish(&state, cursor) }
        }
    }

    private func finish(_ state: inout State, _ cursor: Cursor) {
        guard state.descriptor >= 0 else { return }
        metadata.apply(attributes, to: state.descriptor)
        if close(state.descriptor) != 0, state.fault == nil {
            state.fault = ExtractionFault("cannot write", errno: errno)
        }
        guard state.fault != nil else { return }
        // The fault is told; that its remains cannot be removed would add nothing.
        try? cursor.withDescriptor(of: directory) { directory throws(ExtractionFault) in
            try clear(name, in: directory)
        }
    }

    private func open(_ state: inout State, _ cursor: Cursor) {
        do throws(ExtractionFault) {
            state.descriptor = try cursor.withDescriptor(of: directory) {
                directory throws(ExtractionFault) in
                try clear(name, in: directory)
                let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
                let (descriptor, failure) = unsafe withName(name) { name in
                    unsafe (openat(directory, name, flags, 0o600), errno)
                }
                guard descriptor >= 0 else {
                    throw ExtractionFault("cannot make", errno: failure)
                }
                return descriptor
            }
        } catch {
            state.fault = error
        }
    }

    private func copy(
        _ offset: UInt64, to descriptor: Int32, from volume: IFS.ImageVolume,
        _ room: UnsafeMutableRawBufferPointer
    ) -> ExtractionFault? {
        let left = attributes.byteCount - min(offset, attributes.byteCount)
        let count = min(room.count, Int(clamping: min(Self.pieceSize, left)))
        guard count > 0 else { return nil }
        let buffer = unsafe UnsafeMutableRawBufferPointer(rebasing: room[0..<count])
        do throws(FormatError) {
            let found = try unsafe volume.read(attributes.node, into: buffer, at: offset)
            var done = 0
            while done < found, let base = buffer.baseAddress {
                let written = unsafe pwrite(
                    descriptor, base + done, found - done,
                    off_t(clamping: offset) + off_t(done))
                guard written >= 0 else {
                    if errno == EINTR { continue }
                    return ExtractionFault("cannot write", errno: errno)
                }
                done += written
            }
            return nil
        } catch {
            return ExtractionFault("incomplete: \(error)")
        }
    }
}
