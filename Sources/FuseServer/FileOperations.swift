internal import CFuse
internal import Format
internal import Glibc
internal import IFSFS

/// What changes files and the attributes of nodes.
extension Operations {
    static func open(
        _ request: fuse_req_t?, _ node: fuse_ino_t, _ info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        change(request) { fileSystem throws(FileSystemError) in
            let node = NodeID(rawValue: UInt64(node))
            try fileSystem.open(node)
            info?.pointee.keep_cache = 1
            opened(request, node) { fuse_reply_open(request, info) }
        }
    }

    static func create(
        _ request: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?,
        _ mode: mode_t, _ info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        change(request) { fileSystem throws(FileSystemError) in
            let name = try newName(name)
            let directory = try fileSystem.attributes(of: NodeID(rawValue: UInt64(parent)))
            let new = NewNode(.file, mode, by: request, in: directory)
            let made = try fileSystem.makeOpen(name, in: directory.node, new)
            var entry = Server.entry(made)
            info?.pointee.keep_cache = 1
            opened(request, made.node) { fuse_reply_create(request, &entry, info) }
        }
    }

    /// Replies that a file is open. Nobody closes what nobody was told is open.
    private static func opened(
        _ request: fuse_req_t?, _ node: NodeID, _ reply: () -> Int32
    ) {
        // The request is gone once it was answered.
        guard let server = server(request) else { return }
        server.didOpen(node)
        if reply() != 0 { close(node, server) }
    }

    private static func close(_ node: NodeID, _ server: Server) {
        server.didClose(node)
        server.writable?.close(node)
    }

    static func release(_ request: fuse_req_t?, _ node: fuse_ino_t) {
        guard let server = server(request) else { return }
        server.clock?.touch()
        close(NodeID(rawValue: UInt64(node)), server)
        fuse_reply_err(request, 0)
    }

    static func setAttributes(
        _ request: fuse_req_t?, _ node: fuse_ino_t, _ wanted: UnsafeMutablePointer<stat>?,
        _ which: Int32
    ) {
        change(request) { fileSystem throws(FileSystemError) in
            guard let wanted else { throw .invalid }
            let node = NodeID(rawValue: UInt64(node))
            let change = try AttributeChange(wanted.pointee, which)
            var status = Server.status(
                change == AttributeChange()
                    ? try fileSystem.attributes(of: node) : try fileSystem.change(node, change))
            fuse_reply_attr(request, &status, Server.timeout)
        }
    }

    static func write(
        _ request: fuse_req_t?, _ node: fuse_ino_t, _ bytes: UnsafePointer<CChar>?, _ size: Int,
        _ offset: off_t
    ) {
        change(request) { fileSystem throws(FileSystemError) in
            guard let offset = UInt64(exactly: offset) else { throw .invalid }
            try fileSystem.write(
                UnsafeRawBufferPointer(start: bytes, count: size),
                to: NodeID(rawValue: UInt64(node)), at: offset)
            fuse_reply_write(request, size)
        }
    }

    static func allocate(
        _ request: fuse_req_t?, _ node: fuse_ino_t, _ mode: Int32, _ offset: off_t, _ count: off_t
    ) {
        change(request) { fileSystem throws(FileSystemError) in
            guard let allocation = Allocation(mode: mode) else { throw .unsupported }
            guard let start = UInt64(exactly: offset), let count = UInt64(exactly: count) else {
                throw .invalid
            }
            // Neither of them has more than 63 bits.
            try fileSystem.allocate(
                start..<(start &+ count), of: NodeID(rawValue: UInt64(node)), allocation)
            fuse_reply_err(request, 0)
        }
    }

    static func synchronize(_ request: fuse_req_t?, _ node: fuse_ino_t) {
        change(request) { fileSystem throws(FileSystemError) in
            try fileSystem.synchronize(NodeID(rawValue: UInt64(node)))
            fuse_reply_err(request, 0)
        }
    }
}

extension WritableFileSystem {
    /// Makes a file that is open, or nothing.
    fileprivate func makeOpen(
        _ name: [UInt8], in directory: NodeID, _ new: NewNode
    ) throws(FileSystemError) -> Attributes {
        let made = try make(name, in: directory, new)
        do throws(FileSystemError) {
            try open(made.node)
        } catch {
            // The kernel will go on believing that there is none of this name.
            try remove(name, from: directory, isDirectory: false)
            throw error
        }
        return made
    }
}

extension AttributeChange {
    /// What the kernel asks to be set. No image keeps times of access, nor parts of a second.
    fileprivate init(_ wanted: stat, _ which: Int32) throws(FileSystemError) {
        self.init()
        if which & FUSE_SET_ATTR_MODE != 0 { permissions = wanted.st_mode & 0o7777 }
        if which & FUSE_SET_ATTR_UID != 0 { user = wanted.st_uid }
        if which & FUSE_SET_ATTR_GID != 0 { group = wanted.st_gid }
        if which & FUSE_SET_ATTR_SIZE != 0 {
            guard let size = UInt64(exactly: wanted.st_size) else { throw .invalid }
            byteCount = size
        }
        if which & FUSE_SET_ATTR_MTIME_NOW != 0 {
            modified = Int64(time(nil))
        } else if which & FUSE_SET_ATTR_MTIME != 0 {
            modified = Int64(wanted.st_mtim.tv_sec)
        }
    }
}

extension Allocation {
    /// What a mode of fallocate(2) asks for; nil for what is not known here. Source: Linux
    /// `include/uapi/linux/falloc.h`.
    fileprivate init?(mode: Int32) {
        let keepsSize: Int32 = 1
        let punchHole: Int32 = 2
        let zeroRange: Int32 = 16
        switch mode {
        case 0: self = .reserve(keepsSize: false)
        case keepsSize: self = .reserve(keepsSize: true)
        case zeroRange: self = .zero(keepsSize: false)
        case zeroRange | keepsSize: self = .zero(keepsSize: true)
        case punchHole | keepsSize: self = .punchHole
        default: return nil
        }
    }
}
