extension QNX6 {
    /// Where the bytes of a file lie: its length, and the roots of its tree of pointers. Root nodes
    /// and inodes have the same.
    struct BlockTree: Sendable {
        /// Bytes of the file.
        let size: UInt64
        /// First-level block numbers, 16 of them.
        let pointers: [UInt32]
        /// Levels of pointer blocks below them.
        let depth: UInt8
        /// Where the first of the pointers stands.
        let place: Place

        /// Whether a pointer leads nowhere: a hole.
        static func isHole(_ pointer: UInt32) -> Bool { pointer >= QNX6.sparseBlock }

        /// Where the pointer of a slot stands.
        func place(ofSlot slot: Int) -> Place {
            Place(place.field, place.offset &+ 4 &* UInt64(clamping: slot))
        }
    }
}

extension QNX6.RootNode {
    /// The file's blocks, of the node at byte `offset` of the volume.
    func tree(at offset: UInt64) -> QNX6.BlockTree {
        QNX6.BlockTree(
            size: size, pointers: pointers, depth: depth,
            place: At.pointer(0).place(0).moved(by: offset))
    }
}

extension QNX6.Inode {
    /// The file's blocks, of the record at byte `offset` of the volume.
    func tree(at offset: UInt64) -> QNX6.BlockTree {
        QNX6.BlockTree(
            size: size, pointers: pointers, depth: depth,
            place: At.pointer(0).place(0).moved(by: offset))
    }
}
