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

extension Plan {
    /// The files of the host that it takes bytes from, in its own order.
    public var hostFiles: [[UInt8]] {
        var contents = [prefix, tail]
        switch startup {
        case .program(let program)?: contents.append(program.content)
        case .stored(_, let content)?: contents.append(content)
        case nil: break
        }
        for entry in entries {
            switch entry.kind {
            case .file(let content): contents.append(content)
            case .program(let program): contents.append(program.content)
            case .hardLink, .directory, .symlink, .device, .extent: break
            }
        }
        contents += remains.map(\.content)
        return contents.map(\.name).filter { !$0.isEmpty }
    }
}
