public import Format

/// Why no image was made.
public enum MkifsError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The buildfile has errors, at these places and at others that were only counted.
    case buildfile([Diagnostic], omittedCount: Int)
    /// A file of the host is not what it should be, or cannot be read.
    case file([UInt8], FormatError)
    /// The system refused something that was tried with a path.
    case system(String, [UInt8], errno: Int32)
    /// A program that works on a file of the host did not do it.
    case command([UInt8], LinkingError)
    /// The image, or its writing, breaks a rule of the format.
    case format(FormatError)
    /// What was asked for cannot be: a limit, or a contradiction.
    case refused(String)
    /// The image goes beyond what its attribute of this name allows.
    case limit(String, String)

    /// A line for each error.
    public var description: String {
        switch self {
        case .buildfile(let errors, 0): errors.map(\.description).joined(separator: "\n")
        case .buildfile(let errors, let count):
            (errors.map(\.description) + ["and \(count) more"]).joined(separator: "\n")
        case .file(let path, let error): Self.text(path, error)
        case .system(let action, let path, let errno):
            "\(printable(path)): \(action): \(systemMessage(errno))"
        case .command([], let error): error.description
        case .command(let path, let error): "\(printable(path)): \(error)"
        case .format(let error): error.description
        case .refused(let text), .limit(_, let text): text
        }
    }

    /// An error of reading has the path already.
    private static func text(_ path: [UInt8], _ error: FormatError) -> String {
        let text = error.description
        return text.hasPrefix(quoted(path)) ? text : "\(printable(path)): \(text)"
    }
}
