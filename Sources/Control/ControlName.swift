internal import CLinux
internal import Format
internal import Glibc

/// What the server of a writable mount is found by. It is the name of a socket without a file: the
/// mount itself cannot be asked, since root cannot enter a user's, and the stage may not be there yet,
/// may be elsewhere, and may have a longer path than a socket's name holds. Source: unix(7), abstract
/// names.
public struct ControlName: Equatable, Sendable {
    let text: String

    private static let targetStem = "ifsfs/target/"

    /// The mount of a device number, such as `0:52`, and a source: no other mount has the number while
    /// this one lives, and the server of an earlier one, which may be saving still, has another source,
    /// or the stage of the same.
    public init(device: String, source: [UInt8]) {
        text = "ifsfs/mount/\(device)/\(Self.digits(source))"
    }

    /// What makes a new image of `target`, which one process at a time can do. It may have no mount any
    /// more and be saving.
    public init(target: [UInt8]) { text = Self.targetStem + Self.digits(target) }

    private init(text: String) { self.text = text }

    /// The names of all that make a new image of something. Source: proc(5), `/proc/net/unix`.
    public static func targets() -> [ControlName] {
        guard let file = unsafe fopen("/proc/net/unix", "re") else { return [] }
        defer { unsafe fclose(file) }
        var line: UnsafeMutablePointer<CChar>?
        var size = 0
        defer { unsafe free(line) }
        var names: [ControlName] = []
        while unsafe getline(&line, &size, file) > 0, let text = unsafe line {
            let words = unsafe String(cString: text).split(whereSeparator: \.isWhitespace)
            guard let path = words.last, path.hasPrefix("@" + targetStem) else { continue }
            let name = ControlName(text: String(path.dropFirst()))
            if !names.contains(name) { names.append(name) }
        }
        return names
    }

    private static func digits(_ path: [UInt8]) -> String {
        var digest = Digest(.sha256)
        digest.update(path)
        return hexDigits(digest.finish().prefix(16))
    }

    /// Calls `body` with the socket's address.
    func withAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = [0] + Array(text.utf8)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { path in
            unsafe path.copyBytes(from: name.prefix(path.count))
        }
        let count = MemoryLayout<sa_family_t>.size + name.count
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(count))
            }
        }
    }
}
