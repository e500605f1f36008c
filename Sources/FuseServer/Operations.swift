internal import CFuse
internal import Format
internal import Glibc
internal import IFSFS

/// The callbacks: each takes a request apart, asks the file system and replies once.
enum Operations {
    /// Those of a file system that cannot be changed. The kernel asks for no change while the mount
    /// is `ro`; root can remount it.
    static let readOnly: fuse_lowlevel_ops = {
        var table = reading
        table.open = { request, _, info in notKept(request, info) }
        table.setattr = { request, _, _, _, _ in refuse(request) }
        table.mknod = { request, _, _, _, _ in refuse(request) }
        table.mkdir = { request, _, _, _ in refuse(request) }
        table.unlink = { request, _, _ in refuse(request) }
        table.rmdir = { request, _, _ in refuse(request) }
        table.symlink = { request, _, _, _ in refuse(request) }
        table.rename = { request, _, _, _, _, _ in refuse(request) }
        table.link = { request, _, _, _ in refuse(request) }
        table.write = { request, _, _, _, _, _ in refuse(request) }
        table.setxattr = { request, _, _, _, _, _ in refuse(request) }
        table.removexattr = { request, _, _ in refuse(request) }
        table.create = { request, _, _, _, _ in refuse(request) }
        table.fallocate = { request, _, _, _, _, _ in refuse(request) }
        return table
    }()

    /// Those of one that can. What is missing here the kernel does itself, once it was told so:
    /// `flush` without asking, SEEK_DATA as if there were no holes, copies by reading and writing.
    static let writable: fuse_lowlevel_ops = {
        var table = changingNames
        table.open = { open($0, $1, $2) }
        table.create = { create($0, $1, $2, $3, $4) }
        table.release = { request, node, _ in release(request, node) }
        table.setattr = { request, node, wanted, which, _ in
            setAttributes(request, node, wanted, which)
        }
        table.write = { request, node, bytes, size, offset, _ in
            write(request, node, bytes, size, offset)
        }
        table.fallocate = { request, node, mode, offset, count, _ in
            allocate(request, node, mode, offset, count)
        }
        table.fsync = { request, node, _, _ in synchronize(request, node) }
        table.fsyncdir = { request, node, _, _ in synchronize(request, node) }
        return table
    }()

    private static let changingNames: fuse_lowlevel_ops = {
        var table = reading
        table.mknod = { makeNode($0, $1, $2, $3, $4) }
        table.mkdir = { makeDirectory($0, $1, $2, $3) }
        table.symlink = { makeSymlink($0, $1, $2, $3) }
        table.unlink = { remove($0, $1, $2, isDirectory: false) }
        table.rmdir = { remove($0, $1, $2, isDirectory: true) }
        table.rename = { rename($0, $1, $2, $3, $4, $5) }
        // Further links of a file are kept only where they were made with the image.
        table.link = { request, _, _, _ in refuse(request, FileSystemError.unsupported.errno) }
        table.setxattr = { setExtendedAttribute($0, $1, $2, $3, $4, $5) }
        table.removexattr = { removeExtendedAttribute($0, $1, $2) }
        return table
    }()

    private static let reading: fuse_lowlevel_ops = {
        var table = fuse_lowlevel_ops()
        table.`init` = { data, connection in connect(data, connection) }
        table.lookup = { lookup($0, $1, $2) }
        table.getattr = { request, node, _ in attributes(request, node) }
        table.readlink = { target($0, $1) }
        table.opendir = { request, _, info in notKept(request, info) }
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
        return table
    }()

    static func refuse(
        _ request: fuse_req_t?, _ errno: Int32 = FileSystemError.readOnly.errno
    ) {
        fuse_reply_err(request, errno)
    }

    static func server(_ request: fuse_req_t?) -> Server? {
        fuse_req_userdata(request).map(server)
    }

    private static func server(_ data: UnsafeMutableRawPointer) -> Server {
        Unmanaged<Server>.fromOpaque(data)._withUnsafeGuaranteedRef { $0 }
    }

    /// A name, or a text, as the kernel gives it.
    static func bytes(_ text: UnsafePointer<CChar>) -> [UInt8] {
        UnsafeBufferPointer(start: text, count: strlen(text)).map(UInt8.init(bitPattern:))
    }

    /// The kernel's first request.
    private static func connect(
        _ data: UnsafeMutableRawPointer?, _ connection: UnsafeMutablePointer<fuse_conn_info>?
    ) {
        guard let data, let connection else { return }
        let server = server(data)
        let wanted =
            UInt32(FUSE_CAP_EXPORT_SUPPORT) | UInt32(FUSE_CAP_CACHE_SYMLINKS)
            | UInt32(FUSE_CAP_PARALLEL_DIROPS) | UInt32(FUSE_CAP_READDIRPLUS)
            | UInt32(FUSE_CAP_READDIRPLUS_AUTO) | UInt32(FUSE_CAP_ASYNC_READ)
        connection.pointee.want |= connection.pointee.capable & wanted
        connection.pointee.want &= ~unwanted(isWritable: server.writable != nil)
        server.didStart()
    }

    /// What libfuse would ask for by itself.
    private static func unwanted(isWritable: Bool) -> UInt32 {
        // An `open` that is not asked cannot refuse to truncate, and one that is need not: the
        // kernel changes the size first.
        let truncation = UInt32(FUSE_CAP_ATOMIC_O_TRUNC)
        guard isWritable else { return truncation }
        // Who loses setuid and setgid by a write or another owner, the kernel knows: it sends the
        // mode that remains. And a new time is no reason to drop a file's cached bytes, for they
        // change through the kernel alone.
        return truncation | UInt32(FUSE_CAP_HANDLE_KILLPRIV) | UInt32(FUSE_CAP_AUTO_INVAL_DATA)
    }
}
