import Format
import Glibc
import ToolSupport

/// A file that appears under its name only when it is complete.
///
/// A name that stands for something else than a file, such as a pipe, is written to as it is, and so
/// is the file that standard output goes to; a symbolic link is followed first.
final class NewFile {
    private let target: Argument
    /// Where the bytes gather until they are complete; nil when they go to the target itself.
    private let temporary: Argument?
    private let descriptor: Int32
    private var failure: Int32?
    private var isFinished = false

    /// Starts the file. Throws when it cannot be made where its name says.
    init(_ target: Argument) throws(ToolError) {
        var status = stat()
        let exists = unsafe target.withCString { unsafe stat($0, &status) } == 0
        let isOutput = exists && Self.isOutput(status)
        if exists, isOutput || status.st_mode & S_IFMT != S_IFREG {
            self.target = target
            temporary = nil
            descriptor =
                isOutput
                ? dup(STDOUT_FILENO)
                : unsafe target.withCString { unsafe open($0, O_WRONLY | O_CLOEXEC) }
            guard descriptor >= 0 else { throw ToolError("cannot open", target, errno: errno) }
            return
        }
        self.target = exists ? Self.resolved(target) : target
        var template = (self.target.bytes + Array(".XXXXXX".utf8)).map(CChar.init(bitPattern:))
        template.append(0)
        descriptor = unsafe mkstemp(&template)
        temporary = Argument(bytes: template.dropLast().map(UInt8.init(bitPattern:)))
        guard descriptor >= 0 else { throw ToolError("cannot make", target, errno: errno) }
        fchmod(descriptor, exists ? status.st_mode & 0o777 : Self.newMode)
    }

    deinit {
        close(descriptor)
        if let temporary, !isFinished {
            _ = unsafe temporary.withCString { unsafe unlink($0) }
        }
    }

    private static var newMode: mode_t { 0o666 & ~creationMask() }

    /// Whether the file is the one that standard output goes to, from where it stands there.
    private static func isOutput(_ status: stat) -> Bool {
        var output = stat()
        return unsafe fstat(STDOUT_FILENO, &output) == 0 && output.st_dev == status.st_dev
            && output.st_ino == status.st_ino
    }

    private static func resolved(_ path: Argument) -> Argument {
        guard let text = unsafe path.withCString({ unsafe realpath($0, nil) }) else { return path }
        defer { unsafe free(text) }
        let bytes = unsafe UnsafeBufferPointer(start: text, count: strlen(text))
        return Argument(bytes: unsafe bytes.map(UInt8.init(bitPattern:)))
    }

    /// Adds bytes; a failure shows in `finish`.
    func write(_ bytes: [UInt8]) {
        guard failure == nil else { return }
        failure = writeAll(bytes, to: descriptor)
    }

    /// Gives the file its name. Throws when a write failed or the name cannot be given.
    func finish() throws(ToolError) {
        if let failure { throw ToolError("cannot write", target, errno: failure) }
        guard let temporary else { return }
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

/// The permission bits that new files go without, by the process's umask.
func creationMask() -> mode_t {
    let mask = umask(0)
    umask(mask)
    return mask
}
