/// Why no image was made.
public enum MkifsError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The buildfile breaks its grammar, at these places and at others that were only counted.
    case buildfile([Diagnostic], omittedCount: Int)

    /// A line for each error.
    public var description: String {
        switch self {
        case .buildfile(let errors, 0): errors.map(\.description).joined(separator: "\n")
        case .buildfile(let errors, let count):
            (errors.map(\.description) + ["and \(count) more"]).joined(separator: "\n")
        }
    }
}
