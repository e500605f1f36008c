internal import CLinux
public import Format
internal import Glibc
internal import Mkifs

extension DirectoryFileSystem {
    /// Makes it in the host's directory; a device that the host does not make is an empty file there.
    public func make(
        _ name: [UInt8], in directory: NodeID, _ new: NewNode
    ) throws(FileSystemError) -> Attributes {
        try check(name)
        try limits.check(device: new.device)
        // An image that is built of a directory has no sockets.
        if new.kind == .socket { throw .unsupported }
        return try changing { state throws(FileSystemError) in
            let path = try state.directory(directory, tree) + [name]
            guard try state.found(name, in: directory, tree) == nil else { throw .exists }
            try check(path: path)
            try noteChange(&state)
            try make(path, new, &state)
            do throws(FileSystemError) {
                let node = try state.node(name, in: directory, tree)
                try give(AttributeChange(new), to: node, &state)
                return try state.attributes(of: node, tree)
            } catch {
                // It was never there for anybody else.
                try? takeAway(path, isDirectory: new.kind == .directory)
                state.nodes.lose(name, in: directory)
                throw error
            }
        }
    }

    private func make(
        _ path: [[UInt8]], _ new: NewNode, _ state: inout DirectoryState
    ) throws(FileSystemError) {
        let failure = try tree.with(path) { spot throws(FileSystemError) -> Int32 in
            guard case .name(let name, let folder) = spot else { throw .exists }
            return Self.make(cString(name), in: folder, new)
        }
        let isDevice = new.kind == .characterDevice || new.kind == .blockDevice
        guard failure != 0 else { return }
        guard isDevice, failure == EPERM else { throw .ofHost(failure) }
        // Told before it is there: an empty file without it would be one.
        var kept = HostAttributes()
        kept.device = .init(new.kind, major: new.device.major, minor: new.device.minor)
        try add([.kept(DirectoryState.joined(path), kept)], to: &state)
        try make(path, NewNode(.file, permissions: 0o600), &state)
    }

    /// Makes a node; returns the errno of a refusal, or 0.
    private static func make(_ name: [CChar], in folder: Int32, _ new: NewNode) -> Int32 {
        let result: Int32
        switch new.kind {
        case .directory: result = unsafe mkdirat(folder, name, 0o700)
        case .symlink: result = unsafe symlinkat(cString(new.target), folder, name)
        case .file:
            let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
            let file = unsafe openat(folder, name, flags, 0o600)
            if file >= 0 { Glibc.close(file) }
            result = file < 0 ? -1 : 0
        case .fifo, .characterDevice, .blockDevice, .socket:
            result = unsafe mknodat(
                folder, name, new.kind.rawValue | 0o600,
                dev_t(new.device.major) << 8 | dev_t(new.device.minor & 0xff)
                    | dev_t(new.device.minor >> 8) << 20)
        }
        return result == 0 ? 0 : errno
    }

    /// Takes a name away from the host's directory.
    public func remove(
        _ name: [UInt8], from directory: NodeID, isDirectory: Bool
    ) throws(FileSystemError) {
        try check(name)
        try changing { state throws(FileSystemError) in
            let path = try state.directory(directory, tree) + [name]
            let node = try state.node(name, in: directory, tree)
            try state.requireRemovable(node, isDirectory: isDirectory, tree)
            try noteChange(&state)
            let kept = state.kept(of: node)
            let own = DirectoryState.joined(path)
            var edits: [DirectoryEdit] = []
            if state.kept.has(own) { edits = [.removed(own, inode: try inode(path))] }
            try making(edits, &state) { () throws(FileSystemError) in
                try takeAway(path, isDirectory: isDirectory)
            }
            state.nodes.lose(name, in: directory)
            state.didLose(node, with: kept)
        }
    }

    private func takeAway(_ path: [[UInt8]], isDirectory: Bool) throws(FileSystemError) {
        try tree.with(path) { spot throws(FileSystemError) in
            guard case .name(let name, let folder) = spot else { throw .busy }
            let flags = isDirectory ? Int32(AT_REMOVEDIR) : 0
            guard unsafe unlinkat(folder, cString(name), flags) == 0 else {
                throw .ofHost(errno)
            }
        }
    }

    /// Gives what the host has under a name another one.
    public func rename(
        _ name: [UInt8], in directory: NodeID, to newName: [UInt8], in newDirectory: NodeID,
        _ rule: RenameRule
    ) throws(FileSystemError) {
        try check(name)
        try check(newName)
        try changing { state throws(FileSystemError) in
            let old = try state.directory(directory, tree) + [name]
            let new = try state.directory(newDirectory, tree) + [newName]
            let node = try state.node(name, in: directory, tree)
            let other = try state.found(newName, in: newDirectory, tree)
            if node == other { return }
            guard !state.nodes.isBelow(newDirectory, node) else { throw .loop }
            try checkPath(old, to: new)
            switch rule {
            case .keep where other != nil: throw .exists
            case .exchange:
                guard let other else { throw .notFound }
                guard !state.nodes.isBelow(directory, other) else { throw .loop }
                try checkPath(new, to: old)
            case .keep, .replace:
                guard let other else { break }
                let isDirectory = try state.attributes(of: node, tree).kind == .directory
                try state.requireRemovable(other, isDirectory: isDirectory, tree)
                // What takes another's place must be whole before that is gone.
                try synchronizeContents(of: node, state)
            }
            try noteChange(&state)
            let kept = other.map(state.kept)
            try move(old, to: new, rule, &state)
            note(
                .init(directory: directory, name: name),
                .init(directory: newDirectory, name: newName), rule, &state)
            if let other, let kept { state.didLose(other, with: kept) }
        }
    }

    /// The paths of a node and of all below it, once it has another.
    private func checkPath(_ old: [[UInt8]], to new: [[UInt8]]) throws(FileSystemError) {
        try check(path: new)
        let length = new.map(\.count).reduce(new.count - 1, +)
        guard length > old.map(\.count).reduce(old.count - 1, +) else { return }
        let kind = try tree.with(old) { spot throws(FileSystemError) in try spot.status().kind }
        guard kind == .directory else { return }
        try check(
            path: new, deeper: try tree.depth(below: old, limit: limits.longestPath - length))
    }

    private func move(
        _ old: [[UInt8]], to new: [[UInt8]], _ rule: RenameRule, _ state: inout DirectoryState
    ) throws(FileSystemError) {
        let (one, other) = (DirectoryState.joined(old), DirectoryState.joined(new))
        var edits: [DirectoryEdit] = []
        if state.kept.has(one) || state.kept.has(other) {
            let inode = try inode(old)
            edits = [
                rule == .exchange
                    ? .exchanged(one, other, inode: inode) : .moved(one, to: other, inode: inode)
            ]
        }
        try making(edits, &state) { () throws(FileSystemError) in
            try tree.with(old) { from throws(FileSystemError) in
                try tree.with(new) { to throws(FileSystemError) in
                    guard case .name(let oldName, let oldFolder) = from,
                        case .name(let newName, let newFolder) = to
                    else { throw .busy }
                    // Whether a name is taken was asked before, and nobody else changes it.
                    let flags: UInt32 = rule == .exchange ? 2 : 0  // RENAME_EXCHANGE
                    let result = unsafe renameat2(
                        oldFolder, cString(oldName), newFolder, cString(newName), flags)
                    guard result == 0 else { throw .ofHost(errno) }
                }
            }
        }
    }

    private func note(
        _ old: HostNodes.Place, _ new: HostNodes.Place, _ rule: RenameRule,
        _ state: inout DirectoryState
    ) {
        guard rule != .exchange else { return state.nodes.exchange(old, new) }
        state.nodes.lose(new.name, in: new.directory)
        state.nodes.move(old, to: new)
    }

    /// Tells the stage of edits before `body` makes them in the host's directory; where that fails, the
    /// stage is told otherwise.
    private func making(
        _ edits: [DirectoryEdit], _ state: inout DirectoryState,
        _ body: () throws(FileSystemError) -> Void
    ) throws(FileSystemError) {
        let before = state.kept
        try add(edits, to: &state)
        do throws(FileSystemError) {
            try body()
        } catch {
            try add(before.edits(from: state.kept), to: &state)
            throw error
        }
        guard !edits.isEmpty else { return }
        // Where this fails, the next mount asks the host whether it was done.
        try? add([.done], to: &state)
    }

    private func inode(_ path: [[UInt8]]) throws(FileSystemError) -> UInt64 {
        try tree.with(path) { spot throws(FileSystemError) in
            try spot.status().identity.inode
        }
    }
}

extension AttributeChange {
    /// What a new node is to have.
    fileprivate init(_ new: NewNode) {
        self.init()
        permissions = new.permissions & 0o7777
        user = new.user
        group = new.group
    }
}
