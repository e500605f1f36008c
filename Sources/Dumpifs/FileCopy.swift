import Format
import Glibc
import Synchronization

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
        /// The open file while pieces are left; -1 before the first.
        var descriptor: Int32 = -1
        var piecesLeft: Int
        var fault: ExtractionFault?
    }

    /// Held to open and to close the file, never while copying.
    private let state: Mutex<State>

    init(
        _ path: [UInt8], _ name: [UInt8], in directory: Directory, _ attributes: Attributes,
        _ metadata: Metadata
    ) {
        self.path = path
        self.directory = directory
        self.name = name
        self.attributes = attributes
        self.metadata = metadata
        state = Mutex(State(piecesLeft: Self.offsets(of: attributes).count))
    }

    /// Where the pieces start; an empty file has one of no bytes.
    var offsets: [UInt64] { Self.offsets(of: attributes) }

    private static func offsets(of attributes: Attributes) -> [UInt64] {
        let rest = stride(from: pieceSize, to: attributes.byteCount, by: Int(pieceSize))
        return [0] + rest
    }

    /// What went wrong; nil when nothing did.
    var fault: ExtractionFault? { state.withLock { $0.fault } }

    /// Copies the piece at `offset`. The first to come makes the file, the last closes it.
    func copy(_ offset: UInt64, from volume: IFS.ImageVolume) {
        let descriptor = state.withLock { state in
            if state.descriptor < 0, state.fault == nil { open(&state) }
            return state.fault == nil ? state.descriptor : -1
        }
        let fault = descriptor < 0 ? nil : copy(offset, to: descriptor, from: volume)
        state.withLock { state in
            state.fault = state.fault ?? fault
            state.piecesLeft -= 1
            guard state.piecesLeft == 0, state.descriptor >= 0 else { return }
            metadata.apply(attributes, to: state.descriptor)
            if close(state.descriptor) != 0, state.fault == nil {
                state.fault = ExtractionFault("cannot write", errno: errno)
            }
        }
    }

    private func open(_ state: inout State) {
        do throws(ExtractionFault) {
            state.descriptor = try directory.withDescriptor { directory throws(ExtractionFault) in
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
        _ offset: UInt64, to descriptor: Int32, from volume: IFS.ImageVolume
    ) -> ExtractionFault? {
        let left = attributes.byteCount - min(offset, attributes.byteCount)
        let count = Int(clamping: min(Self.pieceSize, left))
        guard count > 0 else { return nil }
        return unsafe withUnsafeTemporaryAllocation(byteCount: count, alignment: 4096) { buffer in
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
}
