import Foundation

/// A system call's error.
struct SystemError: Error, Equatable, CustomStringConvertible {
    let code: Int32

    var description: String { String(cString: strerror(code)) }
}

/// System calls on paths of any bytes.
enum Calls {
    /// `lstat`.
    static func status(_ path: Word) throws -> stat {
        var found = stat()
        try check(path.withCString { lstat($0, &found) })
        return found
    }

    /// `statvfs`.
    static func statistics(_ path: Word) throws -> statvfs {
        var found = statvfs()
        try check(path.withCString { statvfs($0, &found) })
        return found
    }

    /// `readlink`.
    static func target(_ path: Word) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 8192)
        let count = bytes.withUnsafeMutableBytes { buffer in
            path.withCString {
                readlink($0, buffer.baseAddress!.assumingMemoryBound(to: CChar.self), buffer.count)
            }
        }
        try check(count)
        return Array(bytes.prefix(count))
    }

    /// The value of an extended attribute, into `room` bytes; of a link itself.
    static func attribute(
        _ name: String, of path: Word, room: Int = 1 << 16
    ) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: room)
        let count = path.withCString { path in lgetxattr(path, name, &bytes, room) }
        try check(count)
        return Array(bytes.prefix(count))
    }

    /// The names of the extended attributes; of a link itself.
    static func attributeNames(_ path: Word, room: Int = 1 << 16) throws -> [String] {
        var bytes = [UInt8](repeating: 0, count: room)
        let count = path.withCString { path in llistxattr(path, &bytes, room) }
        try check(count)
        return bytes.prefix(count).split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Opens a file for the time of `body`.
    static func open<Result>(
        _ path: Word, _ flags: Int32 = O_RDONLY, _ body: (Int32) throws -> Result
    ) throws -> Result {
        let descriptor = path.withCString { Glibc.open($0, flags | O_CLOEXEC) }
        try check(descriptor)
        defer { close(descriptor) }
        return try body(descriptor)
    }

    /// All bytes of a file.
    static func contents(_ path: Word, piece: Int = 1 << 17) throws -> [UInt8] {
        try open(path) { descriptor in
            var bytes: [UInt8] = []
            while true {
                let next = try Self.bytes(of: descriptor, at: bytes.count, count: piece)
                if next.isEmpty { return bytes }
                bytes += next
            }
        }
    }

    /// All bytes of a file of `/proc`, which comes in short pieces that are no sign of its end.
    static func kernelText(_ path: Word) throws -> [UInt8] {
        try open(path) { descriptor in
            var bytes: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = read(descriptor, &piece, piece.count)
                try check(count)
                if count == 0 { return bytes }
                bytes += piece[..<count]
            }
        }
    }

    /// What one `pread` gives.
    static func bytes(of descriptor: Int32, at offset: Int, count: Int) throws -> [UInt8] {
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            let count = pread(descriptor, buffer.baseAddress, count, offset)
            if count < 0 { failure = SystemError(code: errno) }
            filled = max(0, count)
        }
        if let failure { throw failure }
        return bytes
    }

    /// One entry of a directory.
    struct Entry: Hashable {
        let name: Word
        let inode: UInt64
        let type: UInt8
    }

    /// A directory's entries in its own order, `.` and `..` among them, `room` bytes at a call.
    static func entries(_ path: Word, room: Int = 1 << 16) throws -> [Entry] {
        try open(path, O_RDONLY | O_DIRECTORY) { descriptor in
            var found: [Entry] = []
            var buffer = [UInt8](repeating: 0, count: room)
            while true {
                let count = getdents64(descriptor, &buffer, buffer.count)
                try check(count)
                if count == 0 { return found }
                found += records(buffer[..<count])
            }
        }
    }

    /// The names of a directory without `.` and `..`, sorted.
    static func names(_ path: Word) throws -> [Word] {
        try entries(path).map(\.name).filter { $0 != "." && $0 != ".." }
            .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }

    /// Records of `struct linux_dirent64`: inode, offset, length, type, name.
    private static func records(_ bytes: ArraySlice<UInt8>) -> [Entry] {
        var found: [Entry] = []
        var rest = bytes
        while rest.count > 19 {
            let head = Array(rest.prefix(19))
            let inode = head[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let length = Int(head[16]) | Int(head[17]) << 8
            let name = rest.dropFirst(19).prefix { $0 != 0 }
            found.append(Entry(name: Word(Array(name)), inode: inode, type: head[18]))
            rest = rest.dropFirst(length)
        }
        return found
    }

    /// Every path below `root`, relative to it, but not `root` itself.
    static func tree(_ root: Word) throws -> [Word] {
        var found: [Word] = []
        var pending: [Word] = [""]
        while let directory = pending.popLast() {
            let isRoot = directory.bytes.isEmpty
            for name in try names(isRoot ? root : root / directory) {
                let path = isRoot ? name : directory / name
                found.append(path)
                if try status(root / path).st_mode & S_IFMT == S_IFDIR { pending.append(path) }
            }
        }
        return found
    }

    /// The error of a call that gives a negative number; nil when it succeeds.
    static func failure(_ call: () -> Int32) -> SystemError? {
        let result = call()
        return result < 0 ? SystemError(code: errno) : nil
    }

    private static func check(_ result: some SignedInteger) throws {
        if result < 0 { throw SystemError(code: errno) }
    }
}
