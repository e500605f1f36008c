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

/// A directory below the target of an extraction: the target's descriptor, and names from there.
///
/// It is opened anew for each use, name by name and following no link, so that an extraction of any
/// number of directories holds few descriptors and none of them can be led astray.
struct Directory: Sendable {
    let target: Int32
    let names: [[UInt8]]
    /// The mode of directories that are made on the way; what is listed gets its own at the end.
    let newMode: mode_t

    /// The directory called `name` in this one.
    func child(_ name: [UInt8]) -> Directory {
        Directory(target: target, names: names + [name], newMode: newMode)
    }

    /// Calls `body` with the directory's descriptor; what is missing on the way is made.
    func withDescriptor<Result>(
        _ body: (Int32) throws(ExtractionFault) -> Result
    ) throws(ExtractionFault) -> Result {
        var descriptor = target
        defer { if descriptor != target { close(descriptor) } }
        for name in names {
            let next = try Self.enter(name, in: descriptor, newMode)
            if descriptor != target { close(descriptor) }
            descriptor = next
        }
        return try body(descriptor)
    }

    private static func enter(
        _ name: [UInt8], in parent: Int32, _ mode: mode_t
    ) throws(ExtractionFault) -> Int32 {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        var (descriptor, failure) = unsafe withName(name) { name in
            unsafe (openat(parent, name, flags), errno)
        }
        if descriptor < 0, failure == ENOENT {
            (descriptor, failure) = unsafe withName(name) { name in
                guard unsafe mkdirat(parent, name, mode) == 0 || errno == EEXIST else {
                    return (-1, errno)
                }
                return unsafe (openat(parent, name, flags), errno)
            }
        }
        if descriptor >= 0 { return descriptor }
        throw failure == ENOTDIR || failure == ELOOP
            ? ExtractionFault(
                "'\(printable(name))' is there and no directory; it is not followed")
            : ExtractionFault("cannot make '\(printable(name))'", errno: failure)
    }
}

/// Calls `body` with a name as C has it.
func withName<Result>(_ name: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
    let terminated = name.map(CChar.init(bitPattern:)) + [0]
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

/// Gives what stands at `name` its owner (as root), mode and time.
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
                _ = unsafe fchmodat(directory, name, mode(of: attributes), 0)
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
