import Foundation
import TestSupport

/// A `struct file_handle`: the number of its bytes, its type, the bytes.
struct NodeHandle: Equatable {
    private static let room = 128
    var bytes: [UInt8]

    init(_ path: Word, _ flags: Int32 = 0) throws {
        bytes = [UInt8](UInt32(Self.room), isBigEndian: false)
        bytes += [UInt8](repeating: 0, count: 4 + Self.room)
        var mount: Int32 = 0
        let failure = path.withCString { path in
            Calls.failure { nameToHandle(AT_FDCWD, path, &bytes, &mount, flags) }
        }
        if let failure { throw failure }
        bytes.removeLast(bytes.count - 8 - Int(bytes[0]))
    }

    /// Opens the node in the file system that `place` lies in, for the time of `body`.
    func open<Result>(
        in place: Word, _ flags: Int32 = O_RDONLY, _ body: (Int32) throws -> Result
    ) throws -> Result {
        try Calls.open(place, O_RDONLY | O_DIRECTORY) { mount in
            var copy = bytes
            let descriptor = openByHandle(mount, &copy, flags | O_CLOEXEC)
            guard descriptor >= 0 else { throw SystemError(code: errno) }
            defer { close(descriptor) }
            return try body(descriptor)
        }
    }
}
