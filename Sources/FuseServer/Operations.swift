internal import CFuse
internal import Format
internal import Glibc
internal import IFSFS

/// The callbacks: each takes a request apart, asks the file system and replies once.
enum Operations {
    static let table: fuse_lowlevel_ops = {
        var table = fuse_lowlevel_ops()
        table.`init` = { data, connection in connect(data, connection) }
        table.lookup = { lookup($0, $1, $2) }
        table.getattr = { request, node, _ in attributes(request, node) }
        table.readlink = { target($0, $1) }
        table.open = { request, _, info in open(request, info) }
        table.opendir = { request, _, info in open(request, info) }
        table.read = { request, node, size, offset, _ in read(request, node, size, offset) }
        table.readdir = { request, node, size, offset, _ in
            list(request, node, size, offset, withAttributes: false)
        }
        table.readdirplus = { request, node, size, offset, _ in
            list(request, node, size, offset, withAttributes: true)
        }
        table.statfs = { request, _ in statistics(request) }
        table.getxattr = { extendedAttribute($0, $1, $2, $3) }
        table.listxattr = { extendedAttributeNames($0, $1, $2) }
        refuseChanges(in: &table)
        return table
    }()

    /// The kernel asks for none of these while the mount is `ro`; root can remount it.
    private static func refuseChanges(in table: inout fuse_lowlevel_ops) {
        table.setattr = { request, _, _, _, _ in Operations.refuse(request) }
        table.mknod = { request, _, _, _, _ in Operations.refuse(request) }
        table.mkdir = { request, _, _, _ in Operations.refuse(request) }
        table.unlink = { request, _, _ in Operations.refuse(request) }
        table.rmdir = { request, _, _ in Operations.refuse(request) }
        table.symlink = { request, _, _, _ in Operations.refuse(request) }
        table.rename = { request, _, _, _, _, _ in Operations.refuse(request) }
        table.link = { request, _, _, _ in Operations.refuse(request) }
        table.write = { request, _, _, _, _, _ in Operations.refuse(request) }
        table.setxattr = { request, _, _, _, _, _ in Operations.refuse(request) }
        table.removexattr = { request, _, _ in Operations.refuse(request) }
        table.create = { request, _, _, _, _ in Operations.refuse(request) }
        table.fallocate = { request, _, _, _, _, _ in Operations.refuse(request) }
    }

    private static func refuse(
        _ request: fuse_req_t?, _ errno: Int32 = FileSystemError.readOnly.errno
    ) {
        fuse_reply_err(request, errno)
    }

    private static func server(_ request: fuse_req_t?) -> Server? {
        fuse_req_userdata(request).map(server)
    }

    private static func server(_ data: UnsafeMutableRawPointer) -> Server {
        Unmanaged<Server>.fromOpaque(data)._withUnsafeGuaranteedRef { $0 }
    }

    /// The kernel's first request.
    private static func connect(
        _ data: UnsafeMutableRawPointer?, _ connection: UnsafeMutablePointer<fuse_conn_info>?
    ) {
        guard let data, let connection else { return }
        let wanted =
            UInt32(FUSE_CAP_EXPORT_SUPPORT) | UInt32(FUSE_CAP_CACHE_SYMLINKS)
            | UInt32(FUSE_CAP_PARALLEL_DIROPS) | UInt32(FUSE_CAP_READDIRPLUS)
            | UInt32(FUSE_CAP_READDIRPLUS_AUTO) | UInt32(FUSE_CAP_ASYNC_READ)
        connection.pointee.want |= connection.pointee.capable & wanted
        // Since `open` is not asked, it cannot refuse to truncate.
        connection.pointee.want &= ~UInt32(FUSE_CAP_ATOMIC_O_TRUNC)
        server(data).didStart()
    }

    private static func lookup(
        _ request: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?
    ) {
        guard let server = server(request), let name else { return }
        server.answer(request) { () throws(FileSystemError) in
            let bytes = UnsafeBufferPointer(start: name, count: strlen(name))
                .map(UInt8.init(bitPattern:))
            do throws(FileSystemError) {
                let directory = NodeID(rawValue: UInt64(parent))
                var entry = Server.entry(try server.found(bytes, in: directory))
                fuse_reply_entry(request, &entry)
            } catch .notFound {
                // An entry of node 0: the kernel may remember that there is none.
                var none = fuse_entry_param()
                none.entry_timeout = Server.timeout
                fuse_reply_entry(request, &none)
            }
        }
    }

    private static func attributes(_ request: fuse_req_t?, _ node: fuse_ino_t) {
        guard let server = server(request) else { return }
        server.answer(request) { () throws(FileSystemError) in
            var status = Server.status(
                try server.fileSystem.attributes(of: NodeID(rawValue: UInt64(node))))
            fuse_reply_attr(request, &status, Server.timeout)
        }
    }

    private static func target(_ request: fuse_req_t?, _ node: fuse_ino_t) {
        guard let server = server(request) else { return }
        server.answer(request) { () throws(FileSystemError) in
            let target = try server.fileSystem.target(of: NodeID(rawValue: UInt64(node)))
            fuse_reply_readlink(request, target.map(CChar.init(bitPattern:)) + [0])
        }
    }

    /// Nothing is kept of an open file. Saying that there is no such call spares the kernel all
    /// later ones, and it then keeps what it has cached.
    private static func open(
        _ request: fuse_req_t?, _ info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        fuse_reply_err(request, ENOSYS)
    }

    private static func read(
        _ request: fuse_req_t?, _ node: fuse_ino_t, _ size: Int, _ offset: off_t
    ) {
        guard let server = server(request) else { return }
        ThreadBuffer.with(size) { buffer in
            guard buffer.count == size else { return refuse(request, ENOMEM) }
            server.answer(request) { () throws(FileSystemError) in
                let count = try server.fileSystem.read(
                    NodeID(rawValue: UInt64(node)), into: buffer,
                    at: UInt64(clamping: offset))
                // Else what was read may be of two images.
                try server.fileSystem.verify()
                fuse_reply_buf(request, buffer.baseAddress, count)
            }
        }
    }

    private static func list(
        _ request: fuse_req_t?, _ node: fuse_ino_t, _ size: Int, _ offset: off_t,
        withAttributes: Bool
    ) {
        guard let server = server(request) else { return }
        ThreadBuffer.with(size) { buffer in
            guard buffer.count == size else { return refuse(request, ENOMEM) }
            var listing = DirectoryReply(request, buffer, withAttributes: withAttributes)
            server.answer(request) { () throws(FileSystemError) in
                try server.fileSystem.entries(
                    of: NodeID(rawValue: UInt64(node)), from: Int(clamping: offset)
                ) { index, name, attributes in
                    listing.add(name, attributes, next: off_t(clamping: index) + 1)
                }
                fuse_reply_buf(request, buffer.baseAddress, listing.byteCount)
            }
        }
    }

    private static func extendedAttribute(
        _ request: fuse_req_t?, _ node: fuse_ino_t, _ name: UnsafePointer<CChar>?, _ size: Int
    ) {
        guard let server = server(request), let name else { return }
        server.answer(request) { () throws(FileSystemError) in
            let value = try server.fileSystem.extendedAttribute(
                String(cString: name), of: NodeID(rawValue: UInt64(node)))
            reply(request, value, size)
        }
    }

    private static func extendedAttributeNames(
        _ request: fuse_req_t?, _ node: fuse_ino_t, _ size: Int
    ) {
        guard let server = server(request) else { return }
        server.answer(request) { () throws(FileSystemError) in
            let names = try server.fileSystem.extendedAttributeNames(
                of: NodeID(rawValue: UInt64(node)))
            reply(request, names.flatMap { Array($0.utf8) + [0] }, size)
        }
    }

    /// An attribute's value, or its length for a caller that has no room yet.
    private static func reply(_ request: fuse_req_t?, _ value: [UInt8], _ size: Int) {
        if size == 0 {
            fuse_reply_xattr(request, value.count)
        } else if size < value.count {
            fuse_reply_err(request, ERANGE)
        } else {
            value.withUnsafeBytes { bytes in
                _ = fuse_reply_buf(request, bytes.baseAddress, bytes.count)
            }
        }
    }

    private static func statistics(_ request: fuse_req_t?) {
        guard let server = server(request) else { return }
        server.clock?.touch()
        let found = server.fileSystem.statistics
        var reply = statvfs()
        let block: UInt64 = 4096
        reply.f_bsize = UInt(block)
        reply.f_frsize = UInt(block)
        reply.f_blocks = fsblkcnt_t(
            found.byteCount / block + (found.byteCount % block == 0 ? 0 : 1))
        reply.f_bfree = fsblkcnt_t(found.freeByteCount / block)
        reply.f_bavail = reply.f_bfree
        reply.f_files = fsfilcnt_t(found.nodeCount)
        reply.f_namemax = 255
        fuse_reply_statfs(request, &reply)
    }
}

extension Server {
    /// A look-up that also knows `.` and `..`, which NFS asks for.
    func found(_ name: [UInt8], in directory: NodeID) throws(FileSystemError) -> Attributes {
        let dot = UInt8(ascii: ".")
        guard name == [dot] || name == [dot, dot] else {
            return try fileSystem.lookup(name, in: directory)
        }
        if name.count == 1 { return try fileSystem.attributes(of: directory) }
        var parent: Attributes?
        try fileSystem.entries(of: directory, from: 1) { _, _, attributes in
            parent = attributes
            return false
        }
        guard let parent else { throw .notFound }
        return parent
    }
}

/// A directory listing in the form that the kernel wants, as much as fits.
struct DirectoryReply {
    private let request: fuse_req_t?
    private let buffer: UnsafeMutableRawBufferPointer
    private let withAttributes: Bool
    private(set) var byteCount = 0
    /// The longest name that the kernel takes, and a NUL.
    private var name = [CChar](repeating: 0, count: 256)

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
