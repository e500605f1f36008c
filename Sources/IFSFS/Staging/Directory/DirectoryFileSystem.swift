public import Format
internal import Glibc
internal import Mkifs

/// A directory of the host that is changed through a mount: names and contents are the host's, and what
/// it refuses to hold, such as another owner, is kept in a stage and shown as if it had it.
///
/// The directory is locked for as long as this lives: the kernel believes what it was told.
public final class DirectoryFileSystem: WritableFileSystem {
    let tree: HostTree
    let stage: Stage
    /// What a commit holds while it looks at the directory.
    let gate = Gate()
    let limits: StageLimits
    let state = Lock(DirectoryState())
    /// Whether the host lets this process read and write whatever the modes are.
    let isPrivileged: Bool

    /// Opens a directory. Throws `busy` while another process changes it.
    public convenience init(at path: [UInt8], _ stage: Stage) throws(FileSystemError) {
        try self.init(at: path, stage, isPrivileged: geteuid() == 0)
    }

    /// The same for a process that is what it is said to be.
    init(
        at path: [UInt8], _ stage: Stage, isPrivileged: Bool
    ) throws(FileSystemError) {
        tree = try HostTree(at: path)
        self.stage = stage
        self.isPrivileged = isPrivileged
        limits = .ifs(imageSize: 0)
    }

    /// What the edits of a directory are of.
    public static func origin(of path: [UInt8]) -> [UInt8] {
        var status = stat()
        _ = unsafe stat(cString(path), &status)
        return Array("inode \(status.st_ino)\ndirectory ".utf8) + path + [0x0a]
    }

    /// Goes on with what an earlier mount has left in the stage. Before anything else is asked of the
    /// file system. Throws `busy` while another process has it, and `replaced` where it is of another
    /// directory.
    public func resume() throws(FileSystemError) {
        try withState { state throws(FileSystemError) in
            var changes: [[DirectoryEdit]] = []
            let isLeft = try stage.resume(
                [],
                records: { record, _ in
                    guard let edits = DirectoryEdit.edits(in: record) else { return false }
                    changes.append(edits)
                    return true
                })
            guard isLeft else { return }
            for (index, edits) in changes.enumerated() {
                let isLast = index == changes.count - 1
                for edit in edits {
                    if isLast { guard try wasMade(edit) else { continue } }
                    state.kept.apply(edit)
                }
            }
            try forgetMissing(&state)
            dropEmptyStage(of: state)
        }
    }

    /// A stage that knows nothing goes.
    private func dropEmptyStage(of state: DirectoryState) {
        if !state.kept.isChanged, state.kept.attributes.isEmpty { stage.remove() }
    }

    /// Whether an edit that is told of before it is made was made: a server may have been killed in
    /// between.
    private func wasMade(_ edit: DirectoryEdit) throws(FileSystemError) -> Bool {
        switch edit {
        case .changed, .saved, .kept, .done: true
        case .removed(let path, let inode): try self.inode(at: path) != inode
        case .moved(_, let path, let inode): try self.inode(at: path) == inode
        case .exchanged(_, let path, let inode): try self.inode(at: path) == inode
        }
    }

    private func inode(at path: [UInt8]) throws(FileSystemError) -> UInt64? {
        try status(at: path)?.identity.inode
    }

    /// What is at a path; nil where nothing is.
    private func status(at path: [UInt8]) throws(FileSystemError) -> HostNode? {
        let names = path.split(separator: UInt8(ascii: "/")).map { Array($0) }
        do throws(FileSystemError) {
            return try tree.with(names) { spot throws(FileSystemError) in try spot.status() }
        } catch .notFound, .notDirectory {
            return nil
        }
    }

    /// What is known of files that somebody has removed meanwhile, or has given contents where a device
    /// stood.
    private func forgetMissing(_ state: inout DirectoryState) throws(FileSystemError) {
        for (path, kept) in state.kept.attributes {
            let found = try status(at: path)
            let isDevice = kept.device != nil
            guard let found, !isDevice || found.kind == .file && found.byteCount == 0 else {
                try add([.kept(path, HostAttributes())], to: &state)
                continue
            }
        }
    }

    // MARK: What a commit asks

    /// Whether anything was changed that no image has.
    var isChanged: Bool { state.withLock { $0.kept.isChanged } }

    /// Notes that an image has all changes. A stage that knows nothing goes.
    func didSave() throws(FileSystemError) {
        try withState { state throws(FileSystemError) in
            guard state.kept.isChanged else { return }
            try add([.saved], to: &state)
            dropEmptyStage(of: state)
        }
    }

    /// What files are to have that the host could not take, by what the host calls them.
    func keptAttributes() throws(FileSystemError) -> [HostNode.Identity: HostAttributes] {
        var found: [HostNode.Identity: HostAttributes] = [:]
        for (path, kept) in state.withLock({ $0.kept.attributes }) {
            if let status = try status(at: path) { found[status.identity] = kept }
        }
        return found
    }

    // MARK: Reading

    /// The host's.
    public var statistics: VolumeStatistics {
        var status = statvfs()
        unsafe fstatvfs(tree.root, &status)
        let unit = UInt64(status.f_frsize)
        return VolumeStatistics(
            byteCount: UInt64(status.f_blocks) &* unit,
            freeByteCount: UInt64(status.f_bavail) &* unit, nodeCount: UInt64(status.f_files))
    }

    /// Nothing: what the host has is what is there.
    public func verify() throws(FileSystemError) {}

    /// Nothing.
    public func prepare(_ goesOn: () -> Bool) {}

    /// The host's, with what it could not take.
    public func attributes(of node: NodeID) throws(FileSystemError) -> Attributes {
        try withState { state throws(FileSystemError) in try state.attributes(of: node, tree) }
    }

    /// A look-up in the host's directory.
    public func lookup(
        _ name: [UInt8], in directory: NodeID
    ) throws(FileSystemError) -> Attributes {
        try check(name)
        return try withState { state throws(FileSystemError) in
            _ = try state.directory(directory, tree)
            let node = try state.node(name, in: directory, tree)
            return try state.attributes(of: node, tree)
        }
    }

    /// `.` and `..`, then what the host has, asked anew whenever a listing starts.
    public func entries(
        of directory: NodeID, from index: Int,
        _ body: (Int, UnsafeBufferPointer<UInt8>, Attributes) -> Bool
    ) throws(FileSystemError) {
        try withState { state throws(FileSystemError) in
            let path = try state.directory(directory, tree)
            let above = state.nodes.place(of: directory)?.directory ?? directory
            for (place, node) in [directory, above].enumerated() where place >= index {
                let name = [UInt8](repeating: UInt8(ascii: "."), count: place + 1)
                let attributes = try state.attributes(of: node, tree)
                let goesOn = unsafe name.withUnsafeBufferPointer {
                    unsafe body(place, $0, attributes)
                }
                guard goesOn else { return }
            }
            if index <= 2 { try meetAll(in: directory, path, &state) }
            try unsafe list(directory, path, from: max(2, index) - 2, state, body)
        }
    }

    /// Gives all that is in a directory its number and its place.
    private func meetAll(
        in directory: NodeID, _ path: [[UInt8]], _ state: inout DirectoryState
    ) throws(FileSystemError) {
        let names = try tree.names(in: path)
        state.nodes.keep(Set(names), in: directory)
        try tree.withDirectory(path) { folder throws(FileSystemError) in
            for name in names {
                do throws(FileSystemError) {
                    _ = state.meet(
                        name, in: directory, try HostSpot.name(name, in: folder).status())
                } catch .notFound {
                    // It has gone since the names were read.
                    state.nodes.lose(name, in: directory)
                }
            }
        }
    }

    private func list(
        _ directory: NodeID, _ path: [[UInt8]], from place: Int, _ state: DirectoryState,
        _ body: (Int, UnsafeBufferPointer<UInt8>, Attributes) -> Bool
    ) throws(FileSystemError) {
        try tree.withDirectory(path) { folder throws(FileSystemError) in
            var carried = CarriedError()
            state.nodes.forEach(in: directory, from: place) { place, name, node in
                carried.goesOn { () throws(FileSystemError) in
                    let status: HostNode
                    do throws(FileSystemError) {
                        status = try HostSpot.name(name, in: folder).status()
                    } catch .notFound {
                        return true
                    }
                    let attributes = Attributes(node, status, state.kept(of: node))
                    return unsafe name.withUnsafeBufferPointer {
                        unsafe body(place + 2, $0, attributes)
                    }
                }
            }
            try carried.rethrow()
        }
    }

    /// The host's bytes.
    public func read(
        _ node: NodeID, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FileSystemError) -> Int {
        let file = try withState { state throws(FileSystemError) in try handle(of: node, state) }
        defer { file.done() }
        return try unsafe StageFile.read(file.descriptor, into: buffer, at: offset)
    }

    /// The link's text.
    public func target(of node: NodeID) throws(FileSystemError) -> [UInt8] {
        try withState { state throws(FileSystemError) in
            guard try state.attributes(of: node, tree).kind == .symlink else { throw .invalid }
            return try state.with(node, tree) { spot throws(FileSystemError) in
                guard case .name(let name, let folder) = spot else { throw .invalid }
                var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
                let count = unsafe readlinkat(folder, cString(name), &buffer, buffer.count)
                guard count >= 0 else { throw .ofHost(errno) }
                return buffer.prefix(count).map(UInt8.init(bitPattern:))
            }
        }
    }

    // MARK: Extended attributes

    /// None are listed.
    public func extendedAttributeNames(of node: NodeID) throws(FileSystemError) -> [String] { [] }

    /// There are none.
    public func extendedAttribute(
        _ name: String, of node: NodeID
    ) throws(FileSystemError) -> [UInt8] { throw .noAttribute }

    /// No image keeps any.
    public func setExtendedAttribute(
        _ name: String, _ value: [UInt8], of node: NodeID, _ rule: AttributeRule
    ) throws(FileSystemError) { throw .unsupported }

    /// No image keeps any.
    public func removeExtendedAttribute(
        _ name: String, of node: NodeID
    ) throws(FileSystemError) { throw .unsupported }
}

extension DirectoryFileSystem {
    func withState<Result>(
        _ body: (inout DirectoryState) throws(FileSystemError) -> Result
    ) throws(FileSystemError) -> Result {
        try state.withLock { state throws(FileSystemError) in try body(&state) }
    }

    /// As `withState`, for what a commit must not see half of.
    func changing<Result>(
        _ body: (inout DirectoryState) throws(FileSystemError) -> Result
    ) throws(FileSystemError) -> Result {
        try gate.pass { () throws(FileSystemError) in try withState(body) }
    }

    /// Keeps edits in the stage, and only then makes them so.
    func add(
        _ edits: [DirectoryEdit], to state: inout DirectoryState
    ) throws(FileSystemError) {
        guard !edits.isEmpty else { return }
        try stage.add(DirectoryEdit.bytes(of: edits))
        for edit in edits { state.kept.apply(edit) }
    }

    /// Notes, before the first change that no image has, that there will be one.
    func noteChange(_ state: inout DirectoryState) throws(FileSystemError) {
        if !state.kept.isChanged { try add([.changed], to: &state) }
    }

    // MARK: Limits

    /// A name that an image can hold, and that leads nowhere else.
    func check(_ name: [UInt8]) throws(FileSystemError) {
        let dot = UInt8(ascii: ".")
        guard !name.isEmpty, name != [dot], name != [dot, dot], !name.contains(0),
            !name.contains(UInt8(ascii: "/"))
        else { throw .invalid }
        try limits.check(name)
    }

    func check(path: [[UInt8]], deeper: Int = 0) throws(FileSystemError) {
        guard path.map(\.count).reduce(path.count - 1, +) + deeper <= limits.longestPath else {
            throw .nameTooLong
        }
    }
}
