internal import CFuse
internal import Format
internal import Glibc

/// A directory listing in the form that the kernel wants, as much as fits.
struct DirectoryReply {
    private let request: fuse_req_t?
    private let buffer: UnsafeMutableRawBufferPointer
    private let withAttributes: Bool
    private(set) var byteCount = 0
    /// The longest name, and a NUL.
    private var name = [CChar](repeating: 0, count: Server.longestName + 1)

    init(
        _ request: fuse_req_t?, _ buffer: UnsafeMutableRawBufferPointer, withAttributes: Bool
    ) {
        self.request = request
        self.buffer = buffer
        self.withAttributes = withAttributes
    }

    /// Adds an entry, `next` being where the listing goes on behind it; false when it does not fit.
    mutating func add(
        _ bytes: UnsafeBufferPointer<UInt8>, _ attributes: Attributes, next: off_t
    ) -> Bool {
        guard bytes.count < name.count else { return true }
        for (index, byte) in bytes.enumerated() { name[index] = CChar(bitPattern: byte) }
        name[bytes.count] = 0
        let room = buffer.count - byteCount
        let start = buffer.baseAddress?.advanced(by: byteCount)
            .assumingMemoryBound(to: CChar.self)
        let size: Int
        if withAttributes {
            var entry = Server.entry(attributes)
            // The kernel takes no reference for these two, and must not cache them as names.
            if isDots(bytes) { entry.ino = 0 }
            size = fuse_add_direntry_plus(request, start, room, name, &entry, next)
        } else {
            var status = Server.status(attributes)
            size = fuse_add_direntry(request, start, room, name, &status, next)
        }
        guard size <= room else { return false }
        byteCount += size
        return true
    }

    private func isDots(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        bytes.count <= 2 && bytes.allSatisfy { $0 == UInt8(ascii: ".") }
    }
}
