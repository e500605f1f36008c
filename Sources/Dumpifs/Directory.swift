import Format
import Glibc

/// Why something could not be made, in words.
struct ExtractionFault: Error {
    let description: String

    init(_ description: String) { self.description = description }

    init(_ action: String, errno: Int32) {
        description = "\(action): \(systemMessage(errno))"
    }
}

/// A directory of an extraction: the target itself, or a name in another.
///
/// It says where a directory lies and opens nothing; that is for `Cursor`.
final class Directory: Sendable {
    /// The directory that holds this one; nil for the target.
    let parent: Directory?
    let name: [UInt8]
    /// How many names part it from the target.
    let depth: Int

    /// The target of an extraction.
    init() {
        parent = nil
        name = []
        depth = 0
    }

    /// The directory called `name` in `parent`.
    init(_ name: [UInt8], in parent: Directory) {
        self.parent = parent
        self.name = name
        depth = parent.depth + 1
    }
}

/// Calls `body` with a name as C has it.
func withName<Result>(_ name: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
    let terminated = cString(name)
    return unsafe terminated.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return unsafe body("") }
        return unsafe body(base)
    }
}

/// Removes what stands at `name`, so that a new file is not written through a link or into a file
/// that others hold.
func clear(_ name: [UInt8], in directory: Int32) throws(ExtractionFault) {
    let failure = unsafe withName(name) { name in
        unsafe unlinkat(directory, name, 0) == 0 ? 0 : errno
    }
    if failure != 0, failure != ENOENT { throw ExtractionFault("cannot replace", errno: failure) }
}

/// Gives what was made its owner (as root), mode and time.
struct Metadata: Sendable {
    let keepsSetID: Bool
    let setsOwner: Bool

    func apply(_ attributes: Attributes, to name: [UInt8], in directory: Int32) {
        unsafe withName(name) { name in
            if setsOwner {
                // As root, and best effort: a file system may hold no owners.
                _ = unsafe fchownat(
                    directory, name, attributes.user, attributes.group, AT_SYMLINK_NOFOLLOW)
            }
            if attributes.kind != .symlink {
                _ = unsafe fchmodat(directory, name, mode(of: attributes), AT_SYMLINK_NOFOLLOW)
            }
            var times = Self.times(of: attributes)
            _ = unsafe utimensat(directory, name, &times, AT_SYMLINK_NOFOLLOW)
        }
    }

    func apply(_ attributes: Attributes, to descriptor: Int32) {
        if setsOwner { _ = fchown(descriptor, attributes.user, attributes.group) }
        fchmod(descriptor, mode(of: attributes))
        var times = Self.times(of: attributes)
        unsafe futimens(descriptor, &times)
    }

    private func mode(of attributes: Attributes) -> mode_t {
        attributes.permissions & (keepsSetID ? 0o7777 : 0o1777)
    }

    private static func times(of attributes: Attributes) -> [timespec] {
        let time = timespec(tv_sec: Int(clamping: attributes.modified), tv_nsec: 0)
        return [time, time]
    }
}
