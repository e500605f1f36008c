internal import Format
internal import Glibc
internal import Mkifs

/// What a directory that is mounted for changes knows besides the host: names, open files, and what the
/// host could not take.
struct DirectoryState {
    var nodes = HostNodes()
    var kept = KeptFiles()
    var open: [NodeID: OpenFile] = [:]

    /// A file that somebody has open; it lives on without a name.
    struct OpenFile {
        var count = 0
        let descriptor: Int32
        /// Of a file without a name: what the host could not take.
        var kept = HostAttributes()
    }

    /// What a node is to have that the host could not take.
    func kept(of node: NodeID) -> HostAttributes {
        guard let path = nodes.path(of: node) else { return open[node]?.kept ?? HostAttributes() }
        if kept.attributes.isEmpty { return HostAttributes() }
        return kept.attributes[Self.joined(path)] ?? HostAttributes()
    }

    /// Goes on knowing, of a file that has lost its last name and is open, what the host could not take.
    mutating func didLose(_ node: NodeID, with kept: HostAttributes) {
        if nodes.place(of: node) == nil { open[node]?.kept = kept }
    }

    /// A path as the stage has it.
    static func joined(_ path: [[UInt8]]) -> [UInt8] {
        Array(path.joined(separator: [UInt8(ascii: "/")]))
    }

    /// Where a node is now.
    func with<Result>(
        _ node: NodeID, _ tree: HostTree, _ body: (HostSpot) throws(FileSystemError) -> Result
    ) throws(FileSystemError) -> Result {
        if let file = open[node] { return try body(.descriptor(file.descriptor)) }
        guard let path = nodes.path(of: node) else { throw .notFound }
        return try tree.with(path, body)
    }

    /// What the host knows of a node, with what it could not take.
    func attributes(
        of node: NodeID, _ tree: HostTree
    ) throws(FileSystemError) -> Attributes {
        let status = try with(node, tree) { spot throws(FileSystemError) in try spot.status() }
        return Attributes(node, status, kept(of: node))
    }

    // MARK: What must be so

    /// The path of a directory.
    func directory(_ node: NodeID, _ tree: HostTree) throws(FileSystemError) -> [[UInt8]] {
        guard try attributes(of: node, tree).kind == .directory else { throw .notDirectory }
        guard let path = nodes.path(of: node) else { throw .notFound }
        return path
    }

    func requireFile(_ node: NodeID, _ tree: HostTree) throws(FileSystemError) {
        try attributes(of: node, tree).kind.requireFile()
    }

    func requireRemovable(
        _ node: NodeID, isDirectory: Bool, _ tree: HostTree
    ) throws(FileSystemError) {
        try attributes(of: node, tree).kind.requireRemovable(asDirectory: isDirectory)
        guard isDirectory else { return }
        guard let path = nodes.path(of: node) else { throw .notFound }
        guard try tree.names(in: path).isEmpty else { throw .notEmpty }
    }

    // MARK: Names

    /// The node of a name, as the host has it now; nil where there is none.
    mutating func found(
        _ name: [UInt8], in directory: NodeID, _ tree: HostTree
    ) throws(FileSystemError) -> NodeID? {
        guard let path = nodes.path(of: directory) else { throw .notFound }
        do throws(FileSystemError) {
            let status = try tree.with(path + [name]) { spot throws(FileSystemError) in
                try spot.status()
            }
            return meet(name, in: directory, status)
        } catch .notFound {
            nodes.lose(name, in: directory)
            return nil
        }
    }

    mutating func meet(
        _ name: [UInt8], in directory: NodeID, _ status: HostNode
    ) -> NodeID {
        let hasNames = status.kind != .directory && status.linkCount > 1
        return nodes.meet(name, in: directory, hasNames ? status.identity : nil)
    }

    mutating func node(
        _ name: [UInt8], in directory: NodeID, _ tree: HostTree
    ) throws(FileSystemError) -> NodeID {
        guard let node = try found(name, in: directory, tree) else { throw .notFound }
        return node
    }
}

extension Attributes {
    /// A node of the host, with what the host could not take.
    init(_ node: NodeID, _ status: HostNode, _ kept: HostAttributes) {
        self.init(
            node: node, kind: kept.device?.kind ?? status.kind,
            permissions: kept.permissions ?? status.permissions, user: kept.user ?? status.user,
            group: kept.group ?? status.group, modified: kept.modified ?? status.modified,
            linkCount: status.linkCount)
        switch kind {
        case .file, .symlink: byteCount = status.byteCount
        case .characterDevice, .blockDevice:
            let device =
                kept.device ?? HostAttributes.Device(kind, hostNumber: status.deviceNumber)
            self.device = (device.major, device.minor)
        case .directory, .fifo, .socket: break
        }
    }
}
