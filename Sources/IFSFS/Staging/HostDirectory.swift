internal import CLinux
internal import Format
internal import Glibc

/// The names in a directory of the host, but for `.` and `..`; none of one that cannot be read.
func names(in directory: [UInt8]) -> [[UInt8]] {
    guard let stream = unsafe opendir(cString(directory)) else { return [] }
    return unsafe names(in: stream)
}

/// The same of an open directory, which is closed.
func names(in stream: OpaquePointer) -> [[UInt8]] {
    defer { unsafe closedir(stream) }
    var found: [[UInt8]] = []
    while let entry = unsafe readdir(stream) {
        let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
            unsafe Array($0.prefix { $0 != 0 })
        }
        if name != Array(".".utf8), name != Array("..".utf8) { found.append(name) }
    }
    return found
}

/// Brings what the directory above a path says to the disk; false where that cannot be.
@discardableResult
func synchronizeDirectory(of path: [UInt8]) -> Bool {
    let directory = unsafe open(cString(parentPath(path)), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { return false }
    defer { close(directory) }
    return fsync(directory) == 0
}

/// Extended attributes of the host's files.
enum ExtendedAttributes {
    /// Gives an open file those of another; what the process may not set, or the file system does
    /// not keep, is left out.
    static func copy(from path: [UInt8], to descriptor: Int32) {
        let path = cString(path)
        guard let list = unsafe grown({ unsafe listxattr(path, $0, $1) }) else { return }
        for name in list.split(separator: 0) {
            let name = Array(name) + [0]
            guard let value = unsafe grown({ unsafe getxattr(path, name, $0, $1) }) else {
                continue
            }
            unsafe value.withUnsafeBytes { value in
                _ = unsafe fsetxattr(descriptor, name, value.baseAddress, value.count, 0)
            }
        }
    }

    /// What `read` gives, asked for the size first; nil where it fails.
    private static func grown(_ read: (UnsafeMutablePointer<CChar>?, Int) -> Int) -> [CChar]? {
        let size = read(nil, 0)
        guard size >= 0 else { return nil }
        var bytes = [CChar](repeating: 0, count: size)
        let count = unsafe bytes.withUnsafeMutableBufferPointer {
            unsafe read($0.baseAddress, $0.count)
        }
        return count < 0 ? nil : Array(bytes.prefix(count))
    }
}
