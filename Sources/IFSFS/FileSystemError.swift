public import Format
internal import Glibc

/// Why a file system operation failed.
public enum FileSystemError: Error, Equatable, Sendable {
    /// The bytes below could not be read, or are not what they should be.
    case format(FormatError)
    /// No node of that number, or no entry of that name.
    case notFound
    /// A directory was wanted.
    case notDirectory
    /// Something else than a directory was wanted.
    case isDirectory
    /// The node has no extended attribute of that name.
    case noAttribute
    /// The operation does not fit the node, such as the target of a file.
    case invalid
    /// The image is not open for changes.
    case readOnly
    /// The file behind the mount is no longer the one that was mounted.
    case replaced

    /// What the kernel is told.
    public var errno: Int32 {
        switch self {
        // The medium's own errno stays in the log: to a reader all of these mean "not these bytes".
        case .format: EIO
        case .notFound: ENOENT
        case .notDirectory: ENOTDIR
        case .isDirectory: EISDIR
        case .noAttribute: ENODATA
        case .invalid: EINVAL
        case .readOnly: EROFS
        case .replaced: EIO
        }
    }
}
