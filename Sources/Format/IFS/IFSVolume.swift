extension IFS {
    /// An entry of an image that its tree cannot show as it stands, or shows with a reservation.
    public struct Finding: Equatable, Sendable, CustomStringConvertible {
        /// What is odd about the entry.
        public enum Problem: String, Sendable {
            case oddName = "its name cannot be a path"
            case longPath = "its path is longer than 1023 bytes"
            case belowFile = "it lies below an entry that is no directory"
            case belowSymlink = "it lies below a symbolic link, which wins"
            case duplicate = "a later entry has the same path and wins"
            case void = "its inode number is 0: removed, or run and not to be run again"
            case unknownType = "its mode has no known type"
            case outside = "its data lies outside the image"
        }

        /// The path as stored.
        public let path: [UInt8]
        /// What is odd about it.
        public let problem: Problem
        /// The entry itself.
        public let entry: Dirent

        /// One line: the path and the problem.
        public var description: String { "'\(printable(path))': \(problem.rawValue)" }
    }

    /// The tree of an image, as a mount shows it.
    public struct ImageVolume: Volume {
        /// The image that the tree is of.
        public let image: Image
        /// What the tree leaves out, or shows with a reservation; in directory order of each kind.
        public let findings: [Finding]
        let tree: FileTree

        /// The tree of `image`. Throws what keeps its directory from being read to the end: a tree
        /// that lacks entries without saying so would be a lie, so only `partial` allows it.
        public init(_ image: Image, partial: Bool = false) throws(FormatError) {
            if let broken = image.directory.broken, !partial { throw broken }
            let (nodes, findings) = try TreeBuilder.tree(of: image)
            self.image = image
            self.findings = findings
            tree = FileTree(nodes, names: image.directory.bytes)
        }

        /// Whether another volume gives the same numbers to the same paths.
        public func isAlike(_ other: ImageVolume) -> Bool { tree.isAlike(other.tree) }

        /// The size of the image unpacked, all of it used.
        public var statistics: VolumeStatistics {
            VolumeStatistics(
                byteCount: UInt64(image.header.imageSize), freeByteCount: 0,
                nodeCount: UInt64(tree.nodes.count))
        }

        /// The attributes of a node. A directory that the image does not list has the root's time,
        /// which is when the image was built, and no owner.
        public func attributes(of node: NodeID) -> Attributes? {
            guard let index = tree.index(node) else { return nil }
            let place = tree.nodes[index]
            var attributes = Attributes(
                node: node, kind: NodeKind(rawValue: UInt32(place.mode) & 0o170000) ?? .file,
                permissions: UInt32(place.mode) & 0o7777, linkCount: place.linkCount)
            guard let entry = entry(at: place.record) else {
                attributes.modified = Int64(entry(at: tree.nodes[0].record)?.modified ?? 0)
                return attributes
            }
            attributes.user = entry.user
            attributes.group = entry.group
            attributes.modified = Int64(entry.modified)
            switch entry.kind {
            case .file(_, let size): attributes.byteCount = UInt64(size)
            case .symlink(let target, _): attributes.byteCount = UInt64(target.range.count)
            // Minor in the low 10 bits, major in the next 6: from memory of the vendor's headers.
            case .device(_, let raw): attributes.device = ((raw >> 10) & 0x3f, raw & 0x3ff)
            case .directory, .unknown: break
            }
            return attributes
        }

        /// A look-up; nothing is found below what is no directory.
        public func lookup(_ name: [UInt8], in directory: NodeID) -> NodeID? {
            tree.lookup(name, in: directory)
        }

        /// The entries of a directory, sorted by name.
        public func entries(
            of directory: NodeID, from index: Int,
            _ body: (Int, UnsafeBufferPointer<UInt8>, NodeID) -> Bool
        ) {
            unsafe tree.entries(of: directory, from: index, body)
        }

        /// The directory above one.
        public func parent(of directory: NodeID) -> NodeID? { tree.parent(of: directory) }

        /// A file's bytes; throws where they are damaged or outside the image.
        public func read(
            _ node: NodeID, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
        ) throws(FormatError) -> Int {
            guard let entry = entry(of: node) else { return 0 }
            return try unsafe image.read(entry, into: buffer, at: offset)
        }

        /// The image's.
        public func prepare(_ goesOn: () -> Bool) { image.prepare(goesOn) }

        /// A symlink's target.
        public func target(of node: NodeID) -> [UInt8]? {
            guard let entry = entry(of: node), case .symlink = entry.kind else { return nil }
            return Array(image.directory.target(of: entry))
        }

        /// The directory entry behind a node; nil for a directory that the image does not list.
        public func entry(of node: NodeID) -> Dirent? {
            guard let index = tree.index(node) else { return nil }
            return entry(at: tree.nodes[index].record)
        }

        /// The index, in the image's directory, of the record that gives a directory this name; nil
        /// where no record does.
        public func record(_ name: [UInt8], in directory: NodeID) -> Int? {
            tree.child(name, in: directory).flatMap { record(at: $0) }
        }

        /// The index of the root's record; nil where the image lists none.
        public var rootRecord: Int? { record(at: 0) }

        private func record(at index: Int) -> Int? {
            let record = tree.nodes[index].record
            return record == FileTree.noRecord ? nil : Int(record)
        }

        private func entry(at record: UInt32) -> Dirent? {
            record == FileTree.noRecord ? nil : image.directory.entries[Int(record)]
        }
    }
}
