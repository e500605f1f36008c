public import Format
internal import Glibc

/// Opens what a command line names as the input of a tool.
public enum InputFile {
    /// The bytes of a file, a block device, or, for `-`, of standard input. What comes through a
    /// pipe is first copied to a temporary file without a name.
    public static func open(_ argument: Argument) throws(ToolError) -> FileSource {
        if argument.text == "-" {
            let copy = dup(STDIN_FILENO)
            guard copy >= 0 else { throw ToolError("cannot read", argument, errno: errno) }
            return try source(taking: copy, "standard input")
        }
        let descriptor = unsafe argument.withCString { unsafe Glibc.open($0, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw ToolError("cannot open", argument, errno: errno) }
        return try source(taking: descriptor, argument)
    }

    private static func source(
        taking descriptor: Int32, _ name: Argument
    ) throws(ToolError) -> FileSource {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            defer { close(descriptor) }
            throw ToolError("cannot read", name, errno: errno)
        }
        let kind = status.st_mode & S_IFMT
        guard kind != S_IFCHR || !isEndless(status.st_rdev) else {
            close(descriptor)
            throw ToolError(
                "\(printable(name.bytes)): found a device that never ends, expected a file")
        }
        let isStream = kind == S_IFIFO || kind == S_IFSOCK || kind == S_IFCHR
        let readable = isStream ? try spooled(taking: descriptor, name) : descriptor
        do throws(FormatError) {
            return try FileSource(taking: readable)
        } catch {
            throw ToolError(error, in: name)
        }
    }

    /// `/dev/zero`, `/dev/full`, `/dev/random` and `/dev/urandom`. Source: Linux
    /// `Documentation/admin-guide/devices.txt`.
    private static func isEndless(_ device: dev_t) -> Bool {
        [5, 7, 8, 9].contains { device == 1 << 8 | $0 }
    }

    private static func spooled(
        taking stream: Int32, _ name: Argument
    ) throws(ToolError) -> Int32 {
        defer { close(stream) }
        let folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        var template = Array("\(folder)/ifs.XXXXXX".utf8CString)
        let file = unsafe mkstemp(&template)
        guard file >= 0 else {
            throw ToolError("cannot make a temporary file", Argument(folder), errno: errno)
        }
        unsafe unlink(template)
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe read(stream, &chunk, chunk.count)
            if count == 0 { return file }
            let failure =
                count < 0 ? errno : writeAll(Array(chunk[0..<count]), to: file)
            if let failure, failure != EINTR {
                close(file)
                throw ToolError("cannot copy the input", name, errno: failure)
            }
        }
    }
}
