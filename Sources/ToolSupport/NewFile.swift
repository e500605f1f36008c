public import Format
internal import Glibc

/// A file that appears under its name only when it is complete.
///
/// A name that stands for something else than a file, such as a pipe, is written to as it is, and so
/// is the file that standard output goes to; a symbolic link is followed first. Bytes that come out of
/// order gather in a file of their own before they go there.
public final class NewFile: ByteSink {
    private let target: Argument
    /// Where the bytes gather until they are complete; nil when they go to the target itself.
    public let temporary: Argument?
    private let descriptor: Int32
    /// Where the bytes go at last, when they cannot be renamed to it.
    private let destination: Int32?
    private var failure: Int32?
    private var isFinished = false

    /// Starts the file. Throws when it cannot be made where its name says. `-` is standard output.
    /// A file that is `staged` can be written at any place, and be opened by its temporary name.
    public init(_ target: Argument, staged: Bool = false) throws(ToolError) {
        var status = stat()
        let exists =
            target.text == "-"
            ? unsafe fstat(STDOUT_FILENO, &status) == 0
            : unsafe target.withCString { unsafe stat($0, &status) } == 0
        let isOutput = target.text == "-" || exists && Self.isOutput(status)
        if isOutput || exists && status.st_mode & S_IFMT != S_IFREG {
            self.target = target
            let opened =
                isOutput
                ? dup(STDOUT_FILENO)
                : unsafe target.withCString { unsafe open($0, O_WRONLY | O_CLOEXEC) }
            guard opened >= 0 else { throw ToolError("cannot open", target, errno: errno) }
            destination = staged ? opened : nil
            guard staged else {
                temporary = nil
                descriptor = opened
                return
            }
            let folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
            (descriptor, temporary) = Self.made(from: Argument(folder + "/ifs"))
            guard descriptor >= 0 else {
                let failure = errno
                close(opened)
                throw ToolError("cannot make a temporary file", Argument(folder), errno: failure)
            }
            return
        }
        self.target = exists ? Self.resolved(target) : target
        destination = nil
        (descriptor, temporary) = Self.made(from: self.target)
        guard descriptor >= 0 else { throw ToolError("cannot make", target, errno: errno) }
        fchmod(descriptor, exists ? status.st_mode & 0o777 : Self.newMode)
    }

    deinit {
        close(descriptor)
        if let destination { close(destination) }
        guard let temporary else { return }
        if !isFinished { _ = unsafe temporary.withCString { unsafe unlink($0) } }
        Interruption.forget(temporary)
    }

    /// Makes a file whose name begins like this.
    private static func made(from stem: Argument) -> (Int32, Argument?) {
        var template = cString(stem.bytes + Array(".XXXXXX".utf8))
        var descriptor: Int32 = -1
        let path = Interruption.making {
            descriptor = unsafe mkstemp(&template)
            return descriptor < 0
                ? nil : Argument(bytes: template.dropLast().map(UInt8.init(bitPattern:)))
        }
        if descriptor >= 0 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        return (descriptor, path)
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
    public func write(_ bytes: [UInt8]) {
        guard failure == nil else { return }
        failure = writeAll(bytes, to: descriptor)
    }

    /// Writes bytes at a place; only for a staged file. Throws `io`.
    public func write(_ bytes: [UInt8], at offset: UInt64) throws(FormatError) {
        let failure = unsafe bytes.withUnsafeBytes {
            unsafe writeAll($0, to: descriptor, at: offset)
        }
        guard let failure else { return }
        throw .io(Place("'\(printable(target.bytes))', byte", offset), errno: failure)
    }

    /// Gives the file its name, or copies it to where it goes. Throws when a write failed or the name
    /// cannot be given.
    public func finish() throws(ToolError) {
        if let failure { throw ToolError("cannot write", target, errno: failure) }
        guard let temporary else { return }
        if let destination { return try copy(to: destination) }
        // A filter may have put another file in the place of ours.
        let path = unsafe temporary.withCString { unsafe open($0, O_RDONLY | O_CLOEXEC) }
        defer { close(path) }
        guard path >= 0, fsync(path) == 0 else {
            throw ToolError("cannot write", target, errno: errno)
        }
        let status = unsafe temporary.withCString { from in
            unsafe target.withCString { to in unsafe rename(from, to) }
        }
        guard status == 0 else { throw ToolError("cannot make", target, errno: errno) }
        isFinished = true
    }

    private func copy(to destination: Int32) throws(ToolError) {
        guard let temporary else { return }
        let source = try InputFile.open(temporary)
        do throws(FormatError) {
            var position: UInt64 = 0
            while position < source.byteCount {
                let piece = try source.prefix(1 << 20, at: position)
                if let failure = writeAll(piece, to: destination) {
                    throw .io(Place("byte", position), errno: failure)
                }
                position &+= UInt64(piece.count)
            }
        } catch {
            throw ToolError(error, in: target)
        }
    }
}

/// The permission bits that new files go without, by the process's umask.
public func creationMask() -> UInt32 {
    let mask = umask(0)
    umask(mask)
    return mask
}
