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
    /// The image is not open for changes, or cannot keep this one.
    case readOnly
    /// The name is taken.
    case exists
    /// The directory holds something.
    case notEmpty
    /// A name or a path is longer than the format holds.
    case nameTooLong
    /// A file would be larger than the format holds.
    case tooLarge
    /// There is no room left, in the image or on the disk that the changes are on.
    case noSpace
    /// The format has nothing of this sort.
    case unsupported
    /// The value is none that the format holds.
    case outOfRange
    /// Somebody else has it.
    case busy
    /// A directory would come to lie below itself.
    case loop
    /// The disk that the changes are on failed, with this errno.
    case disk(Int32)
    /// The host's directory behind the mount refuses it, with this errno.
    case host(Int32)
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
        case .exists: EEXIST
        case .notEmpty: ENOTEMPTY
        case .nameTooLong: ENAMETOOLONG
        case .tooLarge: EFBIG
        case .noSpace: ENOSPC
        case .unsupported: EOPNOTSUPP
        case .outOfRange: EOVERFLOW
        case .busy: EBUSY
        // What rename(2) says of it.
        case .loop: EINVAL
        // A full disk or quota is worth knowing; what else failed is told in the log.
        case .disk(let errno): errno == ENOSPC || errno == EDQUOT ? errno : EIO
        // It is the answer that the same call gets in the directory itself.
        case .host(let errno): errno
        case .replaced: EIO
        }
    }
}
