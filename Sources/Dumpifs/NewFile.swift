import Format
import Glibc
import ToolSupport

/// A file that appears under its name only when it is complete.
final class NewFile {
    private let target: Argument
    private let temporary: Argument
    private let descriptor: Int32
    private var failure: Int32?
    private var isFinished = false

    /// Starts the file beside its name. Throws when it cannot be made there.
    init(_ target: Argument) throws(ToolError) {
        self.target = target
        var template = (target.bytes + Array(".XXXXXX".utf8)).map(CChar.init(bitPattern:)) + [0]
        descriptor = unsafe mkstemp(&template)
        temporary = Argument(bytes: template.dropLast().map(UInt8.init(bitPattern:)))
        guard descriptor >= 0 else { throw ToolError("cannot make", target, errno: errno) }
        let mask = umask(0)
        umask(mask)
        fchmod(descriptor, 0o666 & ~mask)
    }

    deinit {
        close(descriptor)
        if !isFinished { _ = unsafe temporary.withCString { unsafe unlink($0) } }
    }

    /// Adds bytes; a failure shows in `finish`.
    func write(_ bytes: [UInt8]) {
        guard failure == nil else { return }
        failure = writeAll(bytes, to: descriptor)
    }

    /// Gives the file its name. Throws when a write failed or the name cannot be given.
    func finish() throws(ToolError) {
        if let failure { throw ToolError("cannot write", target, errno: failure) }
        guard fsync(descriptor) == 0 else {
            throw ToolError("cannot write", target, errno: errno)
        }
        let status = unsafe temporary.withCString { from in
            unsafe target.withCString { to in unsafe rename(from, to) }
        }
        guard status == 0 else { throw ToolError("cannot make", target, errno: errno) }
        isFinished = true
    }
}
