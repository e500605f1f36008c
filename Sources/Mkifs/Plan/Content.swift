public import Format

/// Bytes of a plan, and where they come from.
public enum Content: Sendable {
    /// Bytes that the plan itself holds.
    case bytes([UInt8])
    /// A file of the host.
    case file(HostFile)
    /// What a command makes of a file: `filter=`.
    case filtered(HostFile, command: [UInt8])
    /// Bytes of an image that is open.
    case source(any ByteSource)
}

/// A file of the host as it was when the plan was made.
public struct HostFile: Equatable, Sendable {
    /// Its path, absolute or from the current directory.
    public var path: [UInt8]
    /// Bytes in it.
    public var byteCount: UInt64

    /// A file of a size.
    public init(_ path: [UInt8], byteCount: UInt64) {
        self.path = path
        self.byteCount = byteCount
    }
}

extension Content {
    /// What messages call it: the host's path.
    var name: [UInt8] {
        switch self {
        case .bytes, .source: []
        case .file(let file), .filtered(let file, _): file.path
        }
    }
}
