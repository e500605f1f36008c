internal import CFuse
internal import Format
internal import Glibc
internal import IFSFS

/// What changes names, and what hangs on nodes by name.
extension Operations {
    /// Runs one change and replies with its error if it throws.
    static func change(
        _ request: fuse_req_t?,
        _ operation: (any WritableFileSystem) throws(FileSystemError) -> Void
    ) {
        guard let server = server(request) else { return }
        server.answer(request) { () throws(FileSystemError) in
            guard let fileSystem = server.writable else { throw .readOnly }
            try operation(fileSystem)
        }
    }

    static func makeNode(
        _ request: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?,
        _ mode: mode_t, _ number: dev_t
    ) {
        make(request, parent, name) { directory throws(FileSystemError) in
            guard let kind = NodeKind(rawValue: mode & S_IFMT) else { throw .invalid }
            var new = NewNode(kind, mode, by: request, in: directory)
            if kind == .characterDevice || kind == .blockDevice {
                new.device = Server.device(number)
            }
            return new
        }
    }

    static func makeDirectory(
        _ request: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?,
        _ mode: mode_t
    ) {
        make(request, parent, name) { NewNode(.directory, mode, by: request, in: $0) }
    }

    static func makeSymlink(
        _ request: fuse_req_t?, _ target: UnsafePointer<CChar>?, _ parent: fuse_ino_t,
        _ name: UnsafePointer<CChar>?
    ) {
        guard let target else { return refuse(request, EINVAL) }
        make(request, parent, name) { directory in
            var new = NewNode(.symlink, 0o777, by: request, in: directory)
            new.target = bytes(target)
            return new
        }
    }

    private static func make(
        _ request: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?,
        _ new: (_ directory: Attributes) throws(FileSystemError) -> NewNode
    ) {
        change(request) { fileSystem throws(FileSystemError) in
            let name = try newName(name)
            let directory = NodeID(rawValue: UInt64(parent))
            var entry = Server.entry(
                try fileSystem.make(
                    name, in: directory, try new(try fileSystem.attributes(of: directory))))
            fuse_reply_entry(request, &entry)
        }
    }

    /// A name that is to be. The kernel lets longer ones pass than it lists.
    static func newName(_ name: UnsafePointer<CChar>?) throws(FileSystemError) -> [UInt8] {
        guard let name else { throw .invalid }
        let bytes = bytes(name)
        guard bytes.count <= Server.longestNewName else { throw .nameTooLong }
        return bytes
    }

    static func remove(
        _ request: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?,
        isDirectory: Bool
    ) {
        change(request) { fileSystem throws(FileSystemError) in
            guard let name else { throw .invalid }
            try fileSystem.remove(
                bytes(name), from: NodeID(rawValue: UInt64(parent)), isDirectory: isDirectory)
            fuse_reply_err(request, 0)
        }
    }

    static func rename(
        _ request: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?,
        _ newParent: fuse_ino_t, _ new: UnsafePointer<CChar>?, _ flags: UInt32
    ) {
        change(request) { fileSystem throws(FileSystemError) in
            guard let name, let rule = RenameRule(flags: flags) else { throw .invalid }
            try fileSystem.rename(
                bytes(name), in: NodeID(rawValue: UInt64(parent)), to: try newName(new),
                in: NodeID(rawValue: UInt64(newParent)), rule)
            fuse_reply_err(request, 0)
        }
    }

    static func setExtendedAttribute(
        _ request: fuse_req_t?, _ node: fuse_ino_t, _ name: UnsafePointer<CChar>?,
        _ value: UnsafePointer<CChar>?, _ size: Int, _ flags: Int32
    ) {
        change(request) { fileSystem throws(FileSystemError) in
            guard let rule = AttributeRule(flags: flags) else { throw .invalid }
            let value = Array(UnsafeRawBufferPointer(start: value, count: size))
            let (name, node) = (try attributeName(name), NodeID(rawValue: UInt64(node)))
            if name == AccessList.name {
                try setAccessList(value, of: node, fileSystem)
                // The kernel does not know that it is the mode.
                server(request)?.forgetAttributes(of: node)
            } else {
                try fileSystem.setExtendedAttribute(name, value, of: node, rule)
            }
            fuse_reply_err(request, 0)
        }
    }

    /// Sets the mode that a list comes to; others are none that an image could hold. Special bits are
    /// not in it: whoever has to do with them sets the mode.
    private static func setAccessList(
        _ value: [UInt8], of node: NodeID, _ fileSystem: any WritableFileSystem
    ) throws(FileSystemError) {
        guard let permissions = AccessList.permissions(value),
            try fileSystem.attributes(of: node).permissions & 0o7000 == 0
        else { throw .unsupported }
        var change = AttributeChange()
        change.permissions = permissions
        _ = try fileSystem.change(node, change)
    }

    static func removeExtendedAttribute(
        _ request: fuse_req_t?, _ node: fuse_ino_t, _ name: UnsafePointer<CChar>?
    ) {
        change(request) { fileSystem throws(FileSystemError) in
            let name = try attributeName(name)
            // What is not there is removed.
            if !AccessList.names.contains(name) {
                try fileSystem.removeExtendedAttribute(name, of: NodeID(rawValue: UInt64(node)))
            }
            fuse_reply_err(request, 0)
        }
    }

    /// A name that is no text would come back as another.
    private static func attributeName(
        _ name: UnsafePointer<CChar>?
    ) throws(FileSystemError) -> String {
        guard let name, let text = String(validatingCString: name) else { throw .unsupported }
        return text
    }
}

extension NewNode {
    /// A node of the process that asks for it. A directory with the setgid bit hands down its group,
    /// and to directories the bit as well. Source: inode(7).
    init(
        _ kind: NodeKind, _ mode: mode_t, by request: fuse_req_t?, in directory: Attributes
    ) {
        let process = fuse_req_ctx(request).pointee
        self.init(
            kind, permissions: mode & 0o7777, user: process.uid, group: process.gid)
        guard directory.permissions & S_ISGID != 0 else { return }
        group = directory.group
        if kind == .directory { permissions |= S_ISGID }
    }
}

extension RenameRule {
    /// The rule of flags of renameat2(2); nil for what no rule says. Source: Linux
    /// `include/uapi/linux/fs.h`, `RENAME_NOREPLACE` and `RENAME_EXCHANGE`.
    fileprivate init?(flags: UInt32) {
        switch flags {
        case 0: self = .replace
        case 1: self = .keep
        case 2: self = .exchange
        default: return nil
        }
    }
}

extension AttributeRule {
    /// The rule of flags of setxattr(2). Source: Linux `include/uapi/linux/xattr.h`, `XATTR_CREATE`
    /// and `XATTR_REPLACE`.
    fileprivate init?(flags: Int32) {
        switch flags {
        case 0: self = .either
        case 1: self = .onlyNew
        case 2: self = .onlyPresent
        default: return nil
        }
    }
}
