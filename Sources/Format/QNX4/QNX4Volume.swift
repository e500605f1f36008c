/// The tree of a QNX 4 file system. A node's number is that of its record, as Linux has it: 8 for
/// each block before it, and its index; but the root, which has 8 there, is 1 here.
///
/// Left out of listings are names that no system can have, and those that lead to no file; to look
/// one of these up is an error. A subdirectory belongs to the directory that its `..` names: no walk
/// comes twice to the same place.
public final class QNX4Volume: SizedVolume {
    let blocks: QNX4.Blocks
    let share: VolumeCaches.Share
    private let root: Node
    /// The statistics once they were counted.
    private let counted = Lock<VolumeStatistics?>(nil)

    typealias Node = QNX4.Blocks.Node

    /// Opens the volume that starts at the source's first byte. Throws `corrupt` for a root block
    /// that is none, and for a broken root directory.
    public convenience init(_ source: any ByteSource) throws(FormatError) {
        try self.init(source, .whole)
    }

    init(_ source: any ByteSource, _ share: VolumeCaches.Share) throws(FormatError) {
        self.share = share
        blocks = QNX4.Blocks(source, share)
        let record = try QNX4.rootRecord(in: source)
        root = Node(place: .root, record: record, offset: blocks.offset(of: .root))
        try Self.checkDirectory(root, blocks)
    }

    /// Bytes of the volume by its bitmap, and those of free blocks. They are counted at the first
    /// call; where the bitmap cannot be read nothing is free.
    public var statistics: VolumeStatistics {
        counted.withLock { known in
            if let known { return known }
            // A medium that fails says so to whoever reads a file; here is no place for it.
            let found =
                (try? Self.statistics(of: root, blocks))
                ?? VolumeStatistics(
                    byteCount: UInt64(blocks.blockCount) &* UInt64(QNX4.blockSize),
                    freeByteCount: 0, nodeCount: 0, longestName: QNX4.LongNameBlock.mostOfName)
            known = found
            return found
        }
    }

    /// By the size of the bitmap; nil where that cannot be found.
    public var cutOff: FormatError? {
        (try? Self.bitmap(in: root, blocks)).flatMap { Self.excess(of: $0, blocks) }
    }

    /// That a bitmap is one of more blocks than there are. Its bytes have room for up to seven more.
    static func excess(of bitmap: Node, _ blocks: QNX4.Blocks) -> FormatError? {
        let bits = UInt64(bitmap.record.size) &* 8
        guard bits >= UInt64(blocks.blockCount) &+ 8 else { return nil }
        return .corrupt(
            QNX4.InodeRecord.At.size.place(0).moved(by: bitmap.offset),
            found: "\(bitmap.record.size), for \(bits) blocks",
            expected: "\(blocks.blockCount) blocks at most, which are there")
    }

    /// Counted in the bitmap, as Linux does; without one, nothing is free.
    private static func statistics(
        of root: Node, _ blocks: QNX4.Blocks
    ) throws(FormatError) -> VolumeStatistics {
        let all = UInt64(blocks.blockCount)
        guard let bitmap = try bitmap(in: root, blocks) else {
            return VolumeStatistics(
                byteCount: all &* UInt64(QNX4.blockSize), freeByteCount: 0, nodeCount: 0,
                longestName: QNX4.LongNameBlock.mostOfName)
        }
        let count = min(all, UInt64(bitmap.record.size) &* 8)
        var free: UInt64 = 0
        try eachPiece(of: bitmap, count: (count &+ 7) / 8, blocks) { piece, first in
            for (index, byte) in piece.enumerated() {
                let bits = min(8, count &- (first &+ UInt64(index)) &* 8)
                let mask = UInt8(truncatingIfNeeded: UInt16(1) &<< UInt16(bits) &- 1)
                free &+= UInt64((~byte & mask).nonzeroBitCount)
            }
        }
        return VolumeStatistics(
            byteCount: count &* UInt64(QNX4.blockSize),
            freeByteCount: free &* UInt64(QNX4.blockSize), nodeCount: 0,
            longestName: QNX4.LongNameBlock.mostOfName)
    }

    /// The record of `.bitmap`, which lies in the root directory itself.
    static func bitmap(
        in root: Node, _ blocks: QNX4.Blocks
    ) throws(FormatError) -> Node? {
        try file(".bitmap", in: root, blocks)
    }

    /// A file whose own record lies in the root directory.
    static func file(
        _ name: String, in root: Node, _ blocks: QNX4.Blocks
    ) throws(FormatError) -> Node? {
        let name = Array(name.utf8)
        var found: Node?
        try blocks.records(of: root, from: 0) { _, place, record in
            if case .inode(let inode) = record, record.shortName == name {
                found = Node(place: place, record: inode, offset: blocks.offset(of: place))
            }
            return found == nil
        }
        return found
    }

    /// Calls `body` with the bytes of a file, piece by piece, and with where each begins.
    static func eachPiece(
        of node: Node, count: UInt64, _ blocks: QNX4.Blocks,
        _ body: ([UInt8], UInt64) throws(FormatError) -> Void
    ) throws(FormatError) {
        var position: UInt64 = 0
        while position < count {
            let wanted = Int(min(64 << 10, count &- position))
            let piece = try unsafe [UInt8].filled(upTo: wanted) { buffer throws(FormatError) in
                try unsafe blocks.read(node, into: buffer, at: position)
            }
            guard !piece.isEmpty else { return }
            try body(piece, position)
            position &+= UInt64(piece.count)
        }
    }

    /// The attributes of a record; nil for a number that has none. Throws `corrupt` for one that is
    /// broken.
    public func attributes(of node: NodeID) throws(FormatError) -> Attributes? {
        guard let found = try self.node(node) else { return nil }
        if let problem = Self.problem(with: found) { throw problem }
        let record = found.record
        let kind = record.kind ?? .file
        return Attributes(
            node: node, kind: kind, permissions: UInt32(record.mode & 0o7777),
            user: UInt32(record.user), group: UInt32(record.group),
            modified: Int64(record.modified),
            byteCount: kind == .file || kind == .symlink ? UInt64(record.size) : 0,
            linkCount: UInt32(record.linkCount))
    }

    /// The file that a name leads to. Throws `corrupt` where that is none.
    public func lookup(_ name: [UInt8], in directory: NodeID) throws(FormatError) -> NodeID? {
        guard let directory = try self.directory(directory) else { return nil }
        let index = try index(of: directory)
        for slot in index.slots(of: name) {
            guard let (place, record) = try blocks.record(ofSlot: slot, of: directory),
                try self.name(of: record, at: place) == name
            else { continue }
            let target = Self.target(of: record, at: place)
            guard !index.isRepeated(slot), try leadsOn(target, in: directory) else {
                throw .corrupt(
                    Place("qnx4 directory record", blocks.offset(of: place)),
                    found: "record \(target.index) of block \(target.block) for"
                        + " '\(printable(name))'",
                    expected: "one that is a file's, and in no other directory")
            }
            return Self.id(target)
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
        try blocks.records(of: directory, from: UInt64(clamping: index)) {
            slot, place, record throws(FormatError) in
            let target = Self.target(of: record, at: place)
            guard let name = try name(of: record, at: place), !repeated.isRepeated(slot),
                try leadsOn(target, in: directory)
            else { return true }
            return unsafe name.withUnsafeBufferPointer {
                unsafe body(Int(slot), $0, Self.id(target))
            }
        }
    }

    /// What `..` says. Throws `corrupt` where it says nothing.
    public func parent(of directory: NodeID) throws(FormatError) -> NodeID? {
        guard let found = try self.directory(directory) else { return nil }
        if directory == .root { return .root }
        guard let parent = try parentPlace(of: found) else {
            throw .corrupt(
                QNX4.InodeRecord.At.firstStart.place(0).moved(by: found.offset),
                found: "no '..' in directory \(found.place.number)",
                expected: "one that leads to a directory")
        }
        return Self.id(parent)
    }

    /// A file's bytes.
    public func read(
        _ node: NodeID, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int {
        guard let found = try self.node(node), found.record.kind == .file else { return 0 }
        return try unsafe blocks.read(found, into: buffer, at: offset)
    }

    /// A symlink's target.
    public func target(of node: NodeID) throws(FormatError) -> [UInt8]? {
        guard let found = try self.node(node), found.record.kind == .symlink else { return nil }
        if let problem = Self.problem(with: found) { throw problem }
        return try blocks.contents(of: found)
    }
}
