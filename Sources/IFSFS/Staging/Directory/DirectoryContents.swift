public import Format
internal import Glibc
internal import Mkifs

extension DirectoryFileSystem {
    /// A file that is at hand for one call.
    struct Handle {
        let descriptor: Int32
        let isKept: Bool

        func done() { if !isKept { Glibc.close(descriptor) } }
    }

    /// Opens the host's file, and keeps it open.
    public func open(_ node: NodeID) throws(FileSystemError) {
        try withState { state throws(FileSystemError) in
            let file = try handle(of: node, state)
            state.open[node, default: .init(descriptor: file.descriptor)].count += 1
        }
    }

    /// With the last, the host's file is closed.
    public func close(_ node: NodeID) {
        let left = state.withLock { state -> Int32? in
            guard var file = state.open[node] else { return nil }
            file.count -= 1
            state.open[node] = file.count > 0 ? file : nil
            return file.count > 0 ? nil : file.descriptor
        }
        if let left { Glibc.close(left) }
    }

    /// A file of the host, for reading and, if it can be had, for writing.
    func handle(
        of node: NodeID, _ state: DirectoryState
    ) throws(FileSystemError) -> Handle {
        try state.requireFile(node, tree)
        if let file = state.open[node] {
            return Handle(descriptor: file.descriptor, isKept: true)
        }
        return try state.with(node, tree) { spot throws(FileSystemError) in
            guard case .name(let name, let folder) = spot else { throw .isDirectory }
            var file = Self.open(name, in: folder, O_RDWR)
            if file < 0, errno == EACCES, !isPrivileged {
                file = try granted(spot) { Self.open(name, in: folder, O_RDWR) }
            }
            // Who only reads is served; writing fails later.
            if file < 0 { file = Self.open(name, in: folder, O_RDONLY) }
            guard file >= 0 else { throw .ofHost(errno) }
            return Handle(descriptor: file, isKept: false)
        }
    }

    private static func open(_ name: [UInt8], in folder: Int32, _ flags: Int32) -> Int32 {
        unsafe openat(
            folder, cString(name), flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    }

    /// Opens a file whose mode keeps even its owner away: to a mount, modes are data.
    private func granted(
        _ spot: HostSpot, _ open: () -> Int32
    ) throws(FileSystemError) -> Int32 {
        let mode = try spot.status().permissions
        guard spot.changeMode(mode | 0o600) == 0 else { return -1 }
        let file = open()
        _ = spot.changeMode(mode)
        return file
    }

    /// Writes into the host's file.
    public func write(
        _ bytes: UnsafeRawBufferPointer, to node: NodeID, at offset: UInt64
    ) throws(FileSystemError) {
        let (end, overflow) = offset.addingReportingOverflow(UInt64(bytes.count))
        guard !overflow, end <= limits.largestFile else { throw .tooLarge }
        try gate.pass { () throws(FileSystemError) in
            let file = try withState { state throws(FileSystemError) in
                let file = try handle(of: node, state)
                try noteWriting(to: node, &state)
                return file
            }
            defer { file.done() }
            do throws(FileSystemError) {
                try unsafe StageFile.write(bytes, to: file.descriptor, at: offset)
            } catch .disk(EBADF) {
                // It could be opened for reading alone.
                throw .host(EACCES)
            }
        }
    }

    /// What fallocate(2) does, to the host's file.
    public func allocate(
        _ range: Range<UInt64>, of node: NodeID, _ mode: Allocation
    ) throws(FileSystemError) {
        guard range.upperBound <= limits.largestFile else { throw .tooLarge }
        try changing { state throws(FileSystemError) in
            let file = try handle(of: node, state)
            defer { file.done() }
            try noteWriting(to: node, &state)
            try StageFile.allocate(range, of: file.descriptor, mode)
        }
    }

    /// Cuts a file, or makes it longer by zeros.
    func resize(
        _ node: NodeID, to count: UInt64, _ state: inout DirectoryState
    ) throws(FileSystemError) {
        guard count <= limits.largestFile else { throw .tooLarge }
        let file = try handle(of: node, state)
        defer { file.done() }
        try noteWriting(to: node, &state)
        guard ftruncate(file.descriptor, off_t(clamping: count)) == 0 else {
            throw errno == EINVAL ? .host(EACCES) : .ofHost(errno)
        }
    }

    /// Notes that contents are about to change: a time that the host did not take counts no longer.
    private func noteWriting(
        to node: NodeID, _ state: inout DirectoryState
    ) throws(FileSystemError) {
        try noteChange(&state)
        var kept = state.kept(of: node)
        kept.modified = nil
        try keep(kept, of: node, &state)
    }

    /// The node, the directory that has its name, and the stage.
    public func synchronize(_ node: NodeID) throws(FileSystemError) {
        try withState { state throws(FileSystemError) in
            if let path = state.nodes.path(of: node) { try synchronize(Array(path.dropLast())) }
            if let file = state.open[node] {
                guard fsync(file.descriptor) == 0 else { throw .ofHost(errno) }
            } else {
                switch try state.attributes(of: node, tree).kind {
                case .directory: try synchronize(state.directory(node, tree))
                case .file: try synchronizeContents(of: node, state)
                case .symlink, .fifo, .characterDevice, .blockDevice, .socket: break
                }
            }
            try stage.synchronize(nil)
        }
    }

    private func synchronize(_ directory: [[UInt8]]) throws(FileSystemError) {
        try tree.withDirectory(directory) { way throws(FileSystemError) in
            let folder = unsafe openat(way, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard folder >= 0 else { throw .ofHost(errno) }
            defer { Glibc.close(folder) }
            guard fsync(folder) == 0 else { throw .ofHost(errno) }
        }
    }

    /// Brings a file's bytes to the disk, before something is gone that they replace.
    func synchronizeContents(
        of node: NodeID, _ state: DirectoryState
    ) throws(FileSystemError) {
        guard try state.attributes(of: node, tree).kind == .file else { return }
        let file = try handle(of: node, state)
        defer { file.done() }
        guard fdatasync(file.descriptor) == 0 else { throw .ofHost(errno) }
    }
}
