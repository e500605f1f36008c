internal import CFuse
internal import Format
internal import Glibc
internal import IFSFS

/// What changes nothing.
extension Operations {
    static func lookup(
        _ request: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?
    ) {
        guard let server = server(request), let name else { return }
        server.answer(request) { () throws(FileSystemError) in
            do throws(FileSystemError) {
                let directory = NodeID(rawValue: UInt64(parent))
                var entry = Server.entry(try server.found(bytes(name), in: directory))
                fuse_reply_entry(request, &entry)
            } catch .notFound {
                // An entry of node 0: the kernel may remember that there is none.
                var none = fuse_entry_param()
                none.entry_timeout = Server.timeout
                fuse_reply_entry(request, &none)
            }
        }
    }

    static func attributes(_ request: fuse_req_t?, _ node: fuse_ino_t) {
        guard let server = server(request) else { return }
        server.answer(request) { () throws(FileSystemError) in
            var status = Server.status(
                try server.fileSystem.attributes(of: NodeID(rawValue: UInt64(node))))
            fuse_reply_attr(request, &status, Server.timeout)
        }
    }

    static func target(_ request: fuse_req_t?, _ node: fuse_ino_t) {
        guard let server = server(request) else { return }
        server.answer(request) { () throws(FileSystemError) in
            let target = try server.fileSystem.target(of: NodeID(rawValue: UInt64(node)))
            fuse_reply_readlink(request, cString(target))
        }
    }

    /// Nothing is kept of an open directory, nor of an open file that cannot change. Saying that
    /// there is no such call spares the kernel all later ones, and it then keeps what it has cached.
    static func notKept(
        _ request: fuse_req_t?, _ info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        fuse_reply_err(request, ENOSYS)
    }

    static func read(
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

    static func list(
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

    static func extendedAttribute(
        _ request: fuse_req_t?, _ node: fuse_ino_t, _ name: UnsafePointer<CChar>?, _ size: Int
    ) {
        guard let server = server(request), let name else { return }
        server.answer(request) { () throws(FileSystemError) in
            let value = try server.fileSystem.extendedAttribute(
                String(cString: name), of: NodeID(rawValue: UInt64(node)))
            reply(request, value, size)
        }
    }

    static func extendedAttributeNames(
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
    static func reply(_ request: fuse_req_t?, _ value: [UInt8], _ size: Int) {
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

    static func statistics(_ request: fuse_req_t?) {
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
        reply.f_files = fsfilcnt_t(found.nodeCount + found.freeNodeCount)
        reply.f_ffree = fsfilcnt_t(found.freeNodeCount)
        reply.f_favail = reply.f_ffree
        reply.f_namemax = UInt(found.longestName)
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
