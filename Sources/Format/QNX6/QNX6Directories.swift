extension QNX6Volume {
    // MARK: Inodes

    /// The inode of a number; nil for a number that has none, and for a free inode.
    func node(_ number: UInt32) throws(FormatError) -> Node? {
        guard number >= 1, number <= superblock.inodeCount,
            UInt64(number) &* UInt64(QNX6.Inode.byteCount) <= table.size
        else { return nil }
        let node = try blocks.record(
            of: table, size: QNX6.Inode.byteCount, at: UInt64(number &- 1)
        ) { bytes, base, offset throws(FormatError) in
            Node(
                number: number,
                inode: try QNX6.Inode(parsing: bytes, at: base, blocks.order), offset: offset)
        }
        guard let node, !node.inode.isFree else { return nil }
        return node
    }

    func node(_ node: NodeID) throws(FormatError) -> Node? {
        guard let number = UInt32(exactly: node.rawValue) else { return nil }
        return try self.node(number)
    }

    /// The node if all that its inode says can be; throws what cannot.
    func checked(_ node: Node) throws(FormatError) -> Node {
        if let problem = problem(with: node) { throw problem }
        return node
    }

    /// What an inode says that cannot be.
    func problem(with node: Node) -> FormatError? {
        typealias At = QNX6.Inode.At
        func corrupt(_ place: Place, _ found: String, _ expected: String) -> FormatError {
            .corrupt(
                place.moved(by: node.offset), found: "\(found) in inode \(node.number)",
                expected: expected)
        }
        let inode = node.inode
        guard let kind = inode.kind else {
            return corrupt(At.mode.place(0), hex(inode.mode), "a type that is known")
        }
        guard kind == .file || kind == .directory || kind == .symlink else { return nil }
        guard inode.depth <= QNX6.RootNode.maximumDepth else {
            return corrupt(
                At.depth.place(0), "\(inode.depth)",
                "0 through \(QNX6.RootNode.maximumDepth)")
        }
        guard inode.size <= UInt64(Int64.max), blocks.reaches(node.tree) else {
            return corrupt(
                At.size.place(0), "\(inode.size)",
                "bytes that 16 pointers, \(inode.depth) levels deep, reach")
        }
        if kind == .symlink, inode.size >= Self.longestTarget {
            return corrupt(
                At.size.place(0), "\(inode.size)", "a target below \(Self.longestTarget) bytes")
        }
        return nil
    }

    /// Linux has no longer path; QNX writes 512 bytes at most.
    private static var longestTarget: UInt64 { 4096 }

    // MARK: Directories

    /// The node if it is a directory. Throws `corrupt` for one larger than its volume, and
    /// `unsupported` for one that is a B-tree or larger than what is read.
    func directory(_ node: NodeID) throws(FormatError) -> Node? {
        guard let found = try self.node(node), try checked(found).isDirectory else { return nil }
        try checkDirectory(found)
        return found
    }

    func checkDirectory(_ node: Node) throws(FormatError) {
        typealias At = QNX6.Inode.At
        let size = node.inode.size
        let place = At.size.place(0).moved(by: node.offset)
        guard size <= UInt64(blocks.blockCount) &<< blocks.shift else {
            throw .corrupt(
                place, found: "a directory of \(size) bytes",
                expected: "no more than the volume has")
        }
        guard size <= QNX6.mostOfDirectory else {
            throw .unsupported(
                place, found: "a directory of \(size) bytes",
                expected: "\(QNX6.mostOfDirectory) at most")
        }
        guard node.inode.extendedMode & QNX6.Inode.treeFlag == 0 else {
            throw .unsupported(
                At.extendedMode.place(0).moved(by: node.offset),
                found: "a B-tree as directory \(node.number)", expected: "a list of entries")
        }
    }

    /// Calls `body` with each entry of a directory from a slot on, `.` and `..` too.
    func scanAll(
        _ directory: Node, from slot: UInt64 = 0,
        _ body: (UInt32, QNX6.DirectoryEntry) throws(FormatError) -> Bool
    ) throws(FormatError) {
        try blocks.records(
            of: directory.tree, size: QNX6.DirectoryEntry.byteCount, from: slot
        ) { slot, bytes, base throws(FormatError) in
            let entry = try QNX6.DirectoryEntry(parsing: bytes, at: base, blocks.order)
            guard let entry else { return true }
            return try body(UInt32(clamping: slot), entry)
        }
    }

    /// Calls `body` with each entry but `.` and `..`.
    func scan(
        _ directory: Node, from slot: UInt64,
        _ body: (UInt32, QNX6.DirectoryEntry) throws(FormatError) -> Bool
    ) throws(FormatError) {
        try scanAll(directory, from: slot) { slot, entry throws(FormatError) in
            try Self.isDots(entry) ? true : body(slot, entry)
        }
    }

    static func isDots(_ entry: QNX6.DirectoryEntry) -> Bool {
        entry.name == .short([0x2e]) || entry.name == .short([0x2e, 0x2e])
    }

    /// The entry of a slot and where it stands; nil for a free one.
    func entry(
        _ slot: UInt32, of directory: Node
    ) throws(FormatError) -> (QNX6.DirectoryEntry, UInt64)? {
        let found = try blocks.record(
            of: directory.tree, size: QNX6.DirectoryEntry.byteCount, at: UInt64(slot)
        ) { bytes, base, offset throws(FormatError) in
            (try QNX6.DirectoryEntry(parsing: bytes, at: base, blocks.order), offset)
        }
        guard let found, let entry = found.0 else { return nil }
        return (entry, found.1)
    }

    /// The name of an entry; nil for one that no system can have, and for one that cannot be read.
    func name(of entry: QNX6.DirectoryEntry) throws(FormatError) -> [UInt8]? {
        let name: [UInt8]
        switch entry.name {
        case .short(let short): name = short
        case .long(let index, _):
            do throws(FormatError) {
                guard let long = try longName(index) else { return nil }
                name = long
            } catch {
                if case .io = error { throw error }
                return nil
            }
        case .encrypted, .odd: return nil
        }
        return name.contains { $0 == 0 || $0 == UInt8(ascii: "/") } ? nil : name
    }

    /// A name of the long-name file; nil where that has none. Throws `corrupt`.
    func longName(_ index: UInt32) throws(FormatError) -> [UInt8]? {
        guard UInt64(index) < longNames.size &>> blocks.shift else { return nil }
        return try blocks.record(
            of: longNames, size: blocks.blockSize, at: UInt64(index)
        ) { bytes, base, offset throws(FormatError) in
            try located(at: offset &- UInt64(base)) { () throws(FormatError) in
                try QNX6.LongName(
                    parsing: bytes, at: base, blocks.order, blockSize: blocks.blockSize
                ).name
            }
        }
    }

    /// Whether an entry's inode is in use and whole; of a subdirectory, whether it belongs here.
    func leadsOn(
        _ entry: QNX6.DirectoryEntry, in directory: Node
    ) throws(FormatError) -> Bool {
        guard let node = try node(entry.inode), problem(with: node) == nil else { return false }
        guard node.isDirectory else { return true }
        guard node.number != QNX6.rootInode else { return false }
        return try parentNumber(of: node) == directory.number
    }

    /// The number that a directory's `..` has, which is one of its first entries. Nil where there is
    /// none or where it cannot be read.
    func parentNumber(of directory: Node) throws(FormatError) -> UInt32? {
        var parent: UInt32?
        do throws(FormatError) {
            try scanAll(directory) { slot, entry in
                if entry.name == .short([0x2e, 0x2e]) { parent = entry.inode }
                return parent == nil && slot < 2
            }
        } catch {
            if case .io = error { throw error }
        }
        return parent
    }

    func index(of directory: Node) throws(FormatError) -> QNX.DirectoryIndex {
        try share.index(of: UInt64(directory.number)) { () throws(FormatError) in
            var builder = QNX.DirectoryIndex.Builder()
            try scan(directory, from: 0) { slot, entry throws(FormatError) in
                if let name = try name(of: entry) {
                    builder.add(slot, name, UInt64(entry.inode))
                }
                return true
            }
            return try QNX.DirectoryIndex(builder) { node throws(FormatError) in
                try self.node(NodeID(rawValue: node))?.isDirectory ?? false
            }
        }
    }
}
