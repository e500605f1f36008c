/// The tree of a QNX 6 file system. A node's number is that of its inode.
///
/// Left out of listings are names that no system can have, and those that lead to inodes which are
/// free or broken; to look one of these up is an error, as it is in Linux. A subdirectory belongs to
/// the directory that its `..` names: no walk comes twice to the same place.
public final class QNX6Volume: SizedVolume {
    /// The superblocks.
    public let superblocks: QNX6.Superblocks
    let blocks: QNX6.Blocks
    /// The inode table.
    let table: QNX6.BlockTree
    let longNames: QNX6.BlockTree
    let share: VolumeCaches.Share

    /// An inode with its number and where it stands.
    struct Node {
        let number: UInt32
        let inode: QNX6.Inode
        let offset: UInt64

        var tree: QNX6.BlockTree { inode.tree(at: offset) }
        var isDirectory: Bool { inode.kind == .directory }
    }

    /// The one that counts.
    public var superblock: QNX6.Superblock { superblocks.active }

    /// Opens the volume that starts at the source's first byte. Throws what is wrong with the
    /// superblocks, and `corrupt` for a root that is no directory.
    public convenience init(_ source: any ByteSource) throws(FormatError) {
        try self.init(source, .whole)
    }

    init(_ source: any ByteSource, _ share: VolumeCaches.Share) throws(FormatError) {
        self.share = share
        superblocks = try QNX6.Superblocks(source)
        let superblock = superblocks.active
        blocks = QNX6.Blocks(source, superblock, dataStart: superblocks.dataStart, share)
        let base = superblocks.activeOffset
        table = superblock.inodes.tree(at: base &+ UInt64(superblock.nodeOffset(0)))
        longNames = superblock.longNames.tree(at: base &+ UInt64(superblock.nodeOffset(2)))
        guard let root = try node(QNX6.rootInode), try checked(root).isDirectory else {
            throw .corrupt(
                table.place, found: "no directory as inode 1", expected: "the root directory")
        }
    }

    /// By the superblock's count of blocks. That the second superblock alone is missing is told by a check.
    public var cutOff: FormatError? { superblocks.cutOff(of: blocks.source) }

    /// The superblock's counts.
    public var statistics: VolumeStatistics {
        let size = UInt64(superblock.blockSize)
        let free = min(superblock.freeBlockCount, superblock.blockCount)
        let freeInodes = min(superblock.freeInodeCount, superblock.inodeCount)
        return VolumeStatistics(
            byteCount: UInt64(superblock.blockCount) &* size, freeByteCount: UInt64(free) &* size,
            nodeCount: UInt64(superblock.inodeCount &- freeInodes),
            freeNodeCount: UInt64(freeInodes), longestName: QNX6.LongName.mostOfName)
    }

    /// The attributes of an inode; nil for a number that has none, and for a free one. Throws
    /// `corrupt` for one that is broken.
    public func attributes(of node: NodeID) throws(FormatError) -> Attributes? {
        guard let found = try self.node(node) else { return nil }
        let inode = try checked(found).inode
        let kind = inode.kind ?? .file
        return Attributes(
            node: node, kind: kind, permissions: inode.permissions, user: inode.user,
            group: inode.group, modified: Int64(inode.modified),
            byteCount: kind == .file || kind == .symlink ? inode.size : 0,
            linkCount: UInt32(inode.linkCount))
    }

    /// The inode that a name leads to. Throws `corrupt` where that is none.
    public func lookup(_ name: [UInt8], in directory: NodeID) throws(FormatError) -> NodeID? {
        guard let directory = try self.directory(directory) else { return nil }
        let index = try index(of: directory)
        for slot in index.slots(of: name) {
            guard let (entry, offset) = try entry(slot, of: directory),
                try self.name(of: entry) == name
            else { continue }
            guard !index.isRepeated(slot), try leadsOn(entry, in: directory) else {
                throw .corrupt(
                    QNX6.DirectoryEntry.At.inode.place(0).moved(by: offset),
                    found: "inode \(entry.inode) for '\(printable(name))'",
                    expected: "one that is in use, and in no other directory")
            }
            return NodeID(rawValue: UInt64(entry.inode))
        }
        return nil
    }

    /// The entries of a directory; an index is a slot of it.
    public func entries(
        of directory: NodeID, from index: Int,
        _ body: (Int, UnsafeBufferPointer<UInt8>, NodeID) -> Bool
    ) throws(FormatError) {
        guard let directory = try self.directory(directory) else { return }
        let repeated = try self.index(of: directory)
        try scan(directory, from: UInt64(clamping: index)) { slot, entry throws(FormatError) in
            guard let name = try name(of: entry), !repeated.isRepeated(slot),
                try leadsOn(entry, in: directory)
            else { return true }
            let node = NodeID(rawValue: UInt64(entry.inode))
            return unsafe name.withUnsafeBufferPointer { unsafe body(Int(slot), $0, node) }
        }
    }

    /// What `..` says. Throws `corrupt` where it says nothing.
    public func parent(of directory: NodeID) throws(FormatError) -> NodeID? {
        guard let found = try self.directory(directory) else { return nil }
        if directory == .root { return .root }
        guard let parent = try parentNumber(of: found) else {
            throw .corrupt(
                found.tree.place, found: "no '..' in directory \(found.number)",
                expected: "one that leads to a directory")
        }
        return NodeID(rawValue: UInt64(parent))
    }

    /// A file's bytes; holes read as zeros. Throws `unsupported` for an encrypted file.
    public func read(
        _ node: NodeID, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int {
        guard let found = try self.node(node), try checked(found).inode.kind == .file else {
            return 0
        }
        try requirePlain(found)
        return try unsafe blocks.read(found.tree, into: buffer, at: offset)
    }

    /// A symlink's target.
    public func target(of node: NodeID) throws(FormatError) -> [UInt8]? {
        guard let found = try self.node(node), try checked(found).inode.kind == .symlink else {
            return nil
        }
        try requirePlain(found)
        return try blocks.contents(of: found.tree)
    }

    private func requirePlain(_ node: Node) throws(FormatError) {
        guard node.inode.key == 0 else {
            throw .unsupported(
                QNX6.Inode.At.key.place(0).moved(by: node.offset),
                found: "an encrypted file, inode \(node.number)", expected: "one in the clear")
        }
    }
}
