internal import Format

/// Why edits could not be made an image. They are still where they were.
public struct CommitError: Error, Equatable, Sendable, CustomStringConvertible {
    /// One line: which file, what was found, what was expected.
    public let description: String

    /// An error of this line.
    public init(_ description: String) { self.description = description }

    init(_ action: String, _ path: [UInt8], errno: Int32) {
        description = "\(printable(path)): cannot \(action): \(systemMessage(errno))"
    }
}

/// Makes an image of what was changed.
public protocol Commit: Sendable {
    /// Whether anything was changed that is in no image yet.
    var hasEdits: Bool { get }

    /// Makes the image while nobody changes anything; `progress` is told bytes done and in all. Unless
    /// it is the last time, the mount goes on behind it. If forced, it also takes the place of a file
    /// that has got the name since.
    func run(
        isLast: Bool, isForced: Bool, progress: @escaping (UInt64, UInt64) -> Void
    ) throws(CommitError) -> CommitOutcome

    /// Makes the image as `run` does, and then lays out anew what can move, so that no holes are left.
    /// Throws where it is not the mounted image that is replaced.
    func compact(
        progress: @escaping (UInt64, UInt64) -> Void
    ) throws(CommitError) -> CommitOutcome
}

/// What a commit came to.
public enum CommitOutcome: String, Sendable {
    /// Nothing had changed, so nothing was written.
    case unchanged
    /// The new image is in its place.
    case written
}
