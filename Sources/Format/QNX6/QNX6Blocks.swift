extension QNX6 {
    /// The blocks of a volume, and the files that lie in them. What is read of directories, inodes
    /// and pointers stays in a cache of bounded size; the data of files is read past it.
    final class Blocks: Sendable {
        let source: any ByteSource
        let order: ByteOrder
        /// Bytes of a block.
        let blockSize: Int
        /// The power of two that this is.
        let shift: UInt64
        /// Blocks of the volume.
        let blockCount: UInt32
        /// Where block 0 lies.
        let dataStart: UInt64

        /// Blocks that are read into the cache at once.
        private let groupSize: Int
        private let cache: BlockCache

        init(
            _ source: any ByteSource, _ superblock: Superblock, dataStart: UInt64,
            _ share: VolumeCaches.Share = .whole
        ) {
            self.source = source
            cache = BlockCache(limit: share.part(of: 8 << 20))
            order = superblock.order
            blockSize = Int(superblock.blockSize)
            shift = UInt64(blockSize.trailingZeroBitCount)
            blockCount = superblock.blockCount
            self.dataStart = dataStart
            groupSize = max(1, (16 << 10) / blockSize)
        }

        /// Blocks that the source would have room for.
        private var storedCount: UInt64 {
            (source.byteCount &- min(source.byteCount, dataStart)) &>> shift
        }

        /// Where a block lies in the source.
        func offset(of block: UInt32) -> UInt64 { dataStart &+ UInt64(block) &<< shift }

        /// The number of blocks that so many bytes take.
        func blocks(_ size: UInt64) -> UInt64 {
            size &>> shift &+ (size & UInt64(blockSize &- 1) == 0 ? 0 : 1)
        }

        /// The power of two of how many pointers a block has.
        private var fanShift: UInt64 { shift &- 2 }

        /// Whether the tree has a place for each of the file's blocks.
        func reaches(_ tree: BlockTree) -> Bool {
            let bits = 4 &+ fanShift &* UInt64(tree.depth)
            return bits >= 64 || blocks(tree.size) <= 1 &<< bits
        }

        /// Throws `corrupt` for a pointer behind the last block.
        func check(_ pointer: UInt32, _ place: @autoclosure () -> Place) throws(FormatError) {
            guard pointer < blockCount else {
                throw .corrupt(
                    place(), found: "block \(pointer)", expected: "less than \(blockCount)")
            }
        }

        /// Runs `body` with bytes in which the block, which must be one of the volume, starts at the
        /// index given.
        func withBlock<Result>(
            _ block: UInt32, _ body: (RawSpan, Int) throws(FormatError) -> Result
        ) throws(FormatError) -> Result {
            let group = Int(block) / groupSize
            let found = try cache.block(group) { () throws(FormatError) in
                let first = UInt32(clamping: group &* groupSize)
                // Of a volume that was cut off, the last group has the blocks that are there.
                let end = max(UInt64(block) &+ 1, min(UInt64(blockCount), storedCount))
                let count = min(UInt64(groupSize), end &- UInt64(first))
                return DecodedBlock(
                    try source.bytes(count &<< shift, at: offset(of: first), "qnx6 block"))
            }
            return try found.bytes.parsed { bytes throws(FormatError) in
                try body(bytes, Int(block) % groupSize &* blockSize)
            }
        }

        /// Blocks of a file that lie side by side, or a hole.
        struct Run {
            /// The first of them; nil in a hole.
            var start: UInt32?
            /// How many, 1 or more.
            var count: UInt64
        }

        /// The run of a file's blocks from the `index`th on, `most` of them at most. A run may end
        /// before its time. Throws `corrupt` for a pointer out of range and behind what the tree
        /// reaches.
        func run(
            of tree: BlockTree, at index: UInt64, most: UInt64
        ) throws(FormatError) -> Run {
            var level = UInt64(tree.depth)
            let bits = fanShift &* level
            let slot = bits >= 64 ? 0 : index &>> bits
            guard level <= UInt64(RootNode.maximumDepth), slot < RootNode.pointerCount else {
                throw .corrupt(
                    tree.place, found: "block \(index) of the file asked for",
                    expected: "one that \(RootNode.pointerCount) pointers, \(level) levels deep,"
                        + " reach")
            }
            if level == 0 {
                let run = Self.run(in: tree.pointers, from: Int(slot), most: most)
                try check(run) { tree.place(ofSlot: Int(slot)) }
                return run
            }
            var pointer = tree.pointers[Int(slot)]
            var place = tree.place(ofSlot: Int(slot))
            while true {
                if BlockTree.isHole(pointer) {
                    let whole = level &* fanShift
                    let rest =
                        whole >= 63 ? most : 1 &<< whole &- index & (1 &<< whole &- 1)
                    return Run(start: nil, count: min(most, rest))
                }
                try check(pointer, place)
                level &-= 1
                let entry = Int(index &>> (level &* fanShift) & (1 &<< fanShift &- 1))
                if level == 0 {
                    return try lowestRun(in: pointer, from: entry, most: most)
                }
                place = Place(
                    "qnx6 pointer block", offset(of: pointer) &+ 4 &* UInt64(entry))
                pointer = try withBlock(pointer) { bytes, base throws(FormatError) in
                    try bytes.read(Self.pointer(entry), from: base, order)
                }
            }
        }

        static func pointer(_ index: Int) -> Field<UInt32> {
            Field(4 &* index, "qnx6 pointer block")
        }

        private func lowestRun(
            in block: UInt32, from entry: Int, most: UInt64
        ) throws(FormatError) -> Run {
            let run = try withBlock(block) { bytes, base throws(FormatError) in
                let first = try bytes.read(Self.pointer(entry), from: base, order)
                var run = Run(start: BlockTree.isHole(first) ? nil : first, count: 1)
                var next = entry &+ 1
                while run.count < most, next < blockSize / 4,
                    run.goesOn(with: try bytes.read(Self.pointer(next), from: base, order))
                {
                    run.count &+= 1
                    next &+= 1
                }
                return run
            }
            try check(run) { Place("qnx6 pointer block", offset(of: block) &+ 4 &* UInt64(entry)) }
            return run
        }

        private static func run(in pointers: [UInt32], from slot: Int, most: UInt64) -> Run {
            let first = pointers[slot]
            var run = Run(start: BlockTree.isHole(first) ? nil : first, count: 1)
            for pointer in pointers[(slot &+ 1)...] {
                guard run.count < most, run.goesOn(with: pointer) else { break }
                run.count &+= 1
            }
            return run
        }

        private func check(_ run: Run, _ place: () -> Place) throws(FormatError) {
            guard let start = run.start else { return }
            try check(start, place())
            let last = UInt64(start) &+ run.count &- 1
            try check(UInt32(clamping: last), place())
        }
    }
}

extension QNX6.Blocks.Run {
    /// Whether the block that a pointer names follows.
    func goesOn(with pointer: UInt32) -> Bool {
        guard let start else { return QNX6.BlockTree.isHole(pointer) }
        return UInt64(pointer) == UInt64(start) &+ count && !QNX6.BlockTree.isHole(pointer)
    }
}
