internal import Format
internal import Glibc

/// Paths from the root on.
public enum AbsolutePath {
    /// The path with links resolved; throws for what is not there.
    public static func resolved(
        _ path: Argument, _ cause: ExitStatus
    ) throws(ToolError) -> Argument {
        guard let found = real(path) else {
            throw ToolError(
                "\(printable(path.bytes)): cannot find: \(systemMessage(errno))", cause)
        }
        return found
    }

    /// The path with the links of its parent resolved: its last component may be what cannot be
    /// asked, such as a dead mount, or what is not there yet.
    public static func lexical(_ path: Argument) -> Argument {
        let slash = UInt8(ascii: "/")
        let components = path.bytes.split(separator: slash)
        guard let last = components.last else { return path }
        let lead: [UInt8] = path.bytes.first == slash ? [slash] : Array("./".utf8)
        let parent = lead + components.dropLast().joined(separator: [slash])
        guard let found = real(Argument(bytes: parent)) else { return path }
        return Argument(bytes: (found == "/" ? [] : found.bytes) + [slash] + last)
    }

    /// The path with links resolved; nil for what cannot be asked.
    public static func real(_ path: Argument) -> Argument? {
        guard let found = unsafe path.withCString({ unsafe realpath($0, nil) }) else { return nil }
        defer { unsafe free(found) }
        let text = unsafe UnsafeBufferPointer(start: found, count: strlen(found))
        return Argument(bytes: unsafe text.map(UInt8.init(bitPattern:)))
    }
}
