internal import Format
internal import Mkifs

/// What the edits of a stage make of an image: the tree as it is now, held against the image's.
struct ImageRevision {
    private let volume: IFS.ImageVolume
    private let tree: StagedTree
    /// Where the contents of a node in the stage are.
    private let contents: (NodeID) -> Content
    private var revision = Revision()
    /// Changed records whose time only tells of a change.
    private var untimed: Set<Int> = []
    /// Names that were the image's and lead elsewhere by now, by what they led to.
    private var left: [NodeID: [Int]] = [:]
    /// The same by path.
    private var leftPaths: [[UInt8]: Int] = [:]
    /// Names that the image does not have where they are.
    private var arrived: [Arrival] = []

    private struct Arrival {
        let path: [UInt8]
        let node: NodeID
    }

    /// The revision; empty where the edits come to nothing.
    static func revision(
        of volume: IFS.ImageVolume, _ tree: StagedTree, _ contents: @escaping (NodeID) -> Content
    ) throws(MkifsError) -> Revision {
        var maker = ImageRevision(volume: volume, tree: tree, contents: contents)
        do throws(FormatError) {
            try maker.walk(.root, path: [], isMoved: false)
            try maker.findLeft(.root, path: [])
            try maker.settle()
        } catch {
            throw .format(error)
        }
        return try maker.recognized()
    }

    private init(
        volume: IFS.ImageVolume, tree: StagedTree, contents: @escaping (NodeID) -> Content
    ) {
        self.volume = volume
        self.tree = tree
        self.contents = contents
    }

    // MARK: What is there

    /// Goes through a directory; what stands where the image has it is compared at once.
    private mutating func walk(
        _ directory: NodeID, path: [UInt8], isMoved: Bool
    ) throws(FormatError) {
        if directory == .root { try compare(.root, volume.rootRecord, path: [], isMoved: false) }
        for (name, node) in try names(in: directory) {
            let own = path.isEmpty ? name : path + [UInt8(ascii: "/")] + name
            let stays = try isHome(name, node, in: directory)
            if stays {
                try compare(node, record(name, in: directory), path: own, isMoved: isMoved)
            } else {
                arrived.append(Arrival(path: own, node: node))
            }
            guard try tree.attributes(of: node)?.kind == .directory else { continue }
            try walk(node, path: own, isMoved: isMoved || !stays)
        }
    }

    /// The entries of a directory as it is now, sorted by name, so that the order in which they were
    /// made decides nothing.
    private func names(
        in directory: NodeID
    ) throws(FormatError) -> [(name: [UInt8], node: NodeID)] {
        try tree.names(in: directory).sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }

    /// Whether the image has this name for this node in this directory.
    private func isHome(
        _ name: [UInt8], _ node: NodeID, in directory: NodeID
    ) throws(FormatError) -> Bool {
        guard !tree.isNew(directory) else { return false }
        return try tree.base.lookup(name, in: directory) == node
    }

    /// The record that gives a directory of the image this name.
    private func record(_ name: [UInt8], in directory: NodeID) -> Int? {
        number(of: directory).flatMap { volume.record(name, in: $0) }
    }

    /// What the image's own tree calls a node.
    private func number(of node: NodeID) -> NodeID? {
        guard let renumbered = tree.base as? RenumberedVolume else { return node }
        return renumbered.number(of: node)
    }

    /// An entry of the image that is still there.
    private mutating func compare(
        _ node: NodeID, _ record: Int?, path: [UInt8], isMoved: Bool
    ) throws(FormatError) {
        guard let record else {
            // Nothing told of it: as long as it is as it was and holds something, nothing has to.
            let isEmpty = try tree.isEmpty(node)
            if isEmpty || tree.nodes[node] != nil, node != .root {
                arrived.append(Arrival(path: path, node: node))
            }
            return
        }
        guard isMoved || tree.nodes[node] != nil else { return }
        try change(record, to: node, path: path)
    }

    // MARK: What has left

    /// Goes through the image's own tree for names that are no longer what they were.
    private mutating func findLeft(
        _ directory: NodeID, path: [UInt8]
    ) throws(FormatError) {
        var names: [(name: [UInt8], node: NodeID)] = []
        unsafe try tree.base.entries(of: directory, from: 0) { _, name, node in
            names.append((unsafe Array(name), node))
            return true
        }
        let isGone = try tree.attributes(of: directory)?.linkCount == 0
        for (name, node) in names {
            let own = path.isEmpty ? name : path + [UInt8(ascii: "/")] + name
            let now = isGone ? nil : try tree.lookup(name, in: directory)
            if now != node, let record = record(name, in: directory) {
                left[node, default: []].append(record)
                leftPaths[own] = record
            }
            if try tree.base.attributes(of: node)?.kind == .directory {
                try findLeft(node, path: own)
            }
        }
    }

    // MARK: What came

    /// Gives what came the records of what left: its own, else that of what had its name.
    private mutating func settle() throws(FormatError) {
        var taken: Set<Int> = []
        var new: [Arrival] = []
        for arrival in arrived {
            guard let record = left[arrival.node]?.first(where: { !taken.contains($0) }) else {
                new.append(arrival)
                continue
            }
            taken.insert(record)
            try change(record, to: arrival.node, path: arrival.path)
        }
        for arrival in new {
            if let record = leftPaths[arrival.path], !taken.contains(record),
                try isAlike(record, arrival.node)
            {
                taken.insert(record)
                try change(record, to: arrival.node, path: arrival.path)
            } else if let node = try entry(for: arrival.node, path: arrival.path, of: nil) {
                revision.added.append(node)
            }
        }
        revision.removed = left.values.flatMap(\.self).filter { !taken.contains($0) }.sorted()
    }

    /// Whether a record can go on as another node's.
    private func isAlike(_ record: Int, _ node: NodeID) throws(FormatError) -> Bool {
        guard let known = Revision.Node(record, of: volume.image),
            let found = try tree.attributes(of: node)
        else { return false }
        return known.mode & 0o170000 == found.kind.rawValue
    }

    /// Notes a record as changed if it is.
    private mutating func change(
        _ record: Int, to node: NodeID, path: [UInt8]
    ) throws(FormatError) {
        guard let known = Revision.Node(record, of: volume.image),
            let now = try entry(for: node, path: path, of: known)
        else { return }
        guard !now.isSame(as: known) else { return }
        revision.changed.append(now)
        if tree.nodes[node]?.isTimeSet != true { untimed.insert(record) }
    }

    /// The changes without those that came to nothing: contents that the image has are no new ones.
    private func recognized() throws(MkifsError) -> Revision {
        var revision = try revision.recognizing(volume.image)
        revision.changed = revision.changed.compactMap { node in
            guard let record = node.record, let known = Revision.Node(record, of: volume.image)
            else { return node }
            var node = node
            if untimed.contains(record), node.isSameKind(as: known) {
                node.modified = known.modified
            }
            return node.isSame(as: known) ? nil : node
        }
        return revision
    }

    /// A node as an entry; of what it was there is the known one.
    private func entry(
        for node: NodeID, path: [UInt8], of known: Revision.Node?
    ) throws(FormatError) -> Revision.Node? {
        guard let found = try tree.attributes(of: node) else { return nil }
        let staged = tree.nodes[node]
        // The image's own type bits say more than POSIX's, but for what has become another type.
        var type = found.kind.rawValue
        if let known, known.mode & 0o170000 == type || staged == nil { type = known.mode & ~0o7777 }
        var entry = Revision.Node(
            path, try kind(of: node, found, known), mode: type | found.permissions,
            user: found.user, group: found.group,
            modified: UInt32(clamping: found.modified), record: known?.record)
        entry.treatment = staged?.treatment ?? Revision.Treatment()
        return entry
    }

    private func kind(
        of node: NodeID, _ found: Attributes, _ known: Revision.Node?
    ) throws(FormatError) -> Revision.Kind {
        switch found.kind {
        case .file:
            if tree.hasContents(node) { return .file(.new(try newContent(of: node))) }
            if let known, case .file = known.kind { return known.kind }
            let record = number(of: node).flatMap(volume.entry)
                .flatMap(volume.image.directory.entries.firstIndex)
            return .file(record.map { .record($0) } ?? .new(.bytes([])))
        case .directory: return .directory
        case .symlink:
            let staged = tree.nodes[node]?.target ?? []
            return .symlink(target: try staged.isEmpty ? tree.base.target(of: node) ?? [] : staged)
        case .fifo, .characterDevice, .blockDevice, .socket:
            if let known, !tree.isNew(node) { return known.kind }
            let number = (found.device.major & 0x3f) << 10 | found.device.minor & 0x3ff
            return .device(device: number, rawDevice: number)
        }
    }
}

extension ImageRevision {
    /// The bytes of a file in the stage, with those that it has from the image.
    private func newContent(of node: NodeID) throws(FormatError) -> Content {
        let content = contents(node)
        let borrowed = tree.borrowed(node)
        guard !borrowed.isEmpty else { return content }
        let size = tree.sizes[node] ?? 0
        guard let entry = number(of: node).flatMap(volume.entry),
            case .file(let start, let count) = entry.kind, let file = try? content.source()
        else {
            throw .corrupt(
                Place("contents in the stage", 0), found: "bytes of no file of the image",
                expected: "one of its files")
        }
        let image = WindowSource(volume.image.contents, from: UInt64(start), count: UInt64(count))
        func parts(_ ranges: RangeSet<UInt64>, of source: any ByteSource) -> [AssembledSource.Part]
        {
            ranges.ranges.map { range in
                let count = range.upperBound &- range.lowerBound
                return AssembledSource.Part(
                    at: range.lowerBound,
                    WindowSource(source, from: range.lowerBound, count: count))
            }
        }
        let own = RangeSet(0..<size).subtracting(borrowed)
        return .source(
            try AssembledSource(
                parts(borrowed, of: image) + parts(own, of: file), byteCount: size))
    }
}

extension Revision.Node {
    /// Whether an image would hold the same for both.
    fileprivate func isSame(as other: Revision.Node) -> Bool {
        path == other.path && mode == other.mode && user == other.user && group == other.group
            && modified == other.modified && isSameKind(as: other)
    }

    /// Whether both have the same bytes, text or numbers.
    fileprivate func isSameKind(as other: Revision.Node) -> Bool {
        switch (kind, other.kind) {
        case (.file(.record(let a)), .file(.record(let b))): return a == b
        case (.directory, .directory): return true
        case (.symlink(let a), .symlink(let b)): return a == b
        case (.device(let a, let b), .device(let c, let d)): return a == c && b == d
        default: return false
        }
    }
}
