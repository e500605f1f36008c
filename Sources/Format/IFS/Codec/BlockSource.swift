extension IFS {
    /// What an LZO or UCL image unpacks to, decoded block by block as it is read.
    ///
    /// The stream is a chain of blocks, each behind its packed length (2 bytes, most significant
    /// first, 0 ends the chain); how long a block unpacks to is not stored. It is 64 KiB, but for the
    /// last block and for blocks that were split because they did not pack. So a place is found in
    /// one of two ways:
    ///
    /// - **Proof.** When there are as many blocks as the size needs, and the last one unpacks to
    ///   just the rest, none of the others can be shorter than 64 KiB, as none can be longer.
    /// - **Learning.** Otherwise blocks are decoded in order, up to the place asked for, and their
    ///   lengths kept.
    ///
    /// Nothing is walked before it is needed: reading the directory decodes its blocks alone.
    final class BlockSource: ByteSource {
        /// The most bytes that one block unpacks to.
        static let blockSize = 0x10000
        /// Blocks shorter than this, on average, are refused: no packer makes them, and the table of
        /// an endless chain of them would have no bound.
        private static let leastAverage: UInt64 = 0x200
        /// How much of the stream is fetched ahead of a walk over all lengths: two bytes in each
        /// 30 KiB would else be waited for one by one.
        private static let walkAhead: UInt64 = 4 << 20

        let byteCount: UInt64
        private let stream: any ByteSource
        /// Where the stream starts in its file, for messages.
        private let origin: UInt64
        private let method: Compression
        private let cache: BlockCache
        /// Guards what is known of the chain; held for table work and hops, never while decoding.
        private let chain = Lock(Chain())
        /// Held by the one thread that learns lengths in order.
        private let learner = Lock(())

        /// `stream` starts at the first block's length, which is byte `origin` of the file; `size` is
        /// what the startup header promises.
        init(
            _ stream: any ByteSource, at origin: UInt64, _ method: Compression, size: UInt64,
            cacheLimit: Int
        ) {
            self.stream = stream
            self.origin = origin
            self.method = method
            byteCount = size
            cache = BlockCache(limit: cacheLimit)
        }

        func read(
            into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
        ) throws(FormatError) -> Int {
            guard offset < byteCount else { return 0 }
            let wanted = Int(clamping: min(UInt64(buffer.count), byteCount &- offset))
            var done = 0
            while done < wanted {
                let position = offset &+ UInt64(done)
                let (index, start) = try place(of: position)
                let count = try unsafe read(
                    index, from: Int(clamping: position &- start),
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[done..<wanted]))
                guard count > 0 else { throw shortBlock(index, start, position) }
                done &+= count
            }
            return done
        }

        /// Bytes of a block from its byte `skip` on, as many as there are and `buffer` holds.
        ///
        /// A block that is read whole is decoded where it is wanted and not kept: its reader is
        /// through with it, and the cache is left to those who read blocks in parts.
        private func read(
            _ index: Int, from skip: Int, into buffer: UnsafeMutableRawBufferPointer
        ) throws(FormatError) -> Int {
            if skip == 0, buffer.count >= Self.blockSize, cache.cached(index) == nil {
                let count = try unsafe decode(
                    index, into: .init(rebasing: buffer[..<Self.blockSize]))
                if count > 0 { note(index, count) }
                return count
            }
            let bytes = try block(index).bytes
            let count = min(buffer.count, bytes.count &- skip)
            guard count > 0 else { return 0 }
            unsafe bytes.withUnsafeBytes { bytes in
                unsafe buffer.copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: bytes[skip..<(skip &+ count)]))
            }
            return count
        }

        /// How many blocks the chain has. Walks the whole chain.
        func blockCount() throws(FormatError) -> Int {
            try chain.withLock { chain throws(FormatError) in
                try hop(&chain, until: .max)
                return chain.links.count
            }
        }

        /// Bytes of the packed stream, end mark included. Walks the whole chain.
        func packedByteCount() throws(FormatError) -> UInt64 {
            try chain.withLock { chain throws(FormatError) in
                try hop(&chain, until: .max)
                return chain.next
            }
        }

        /// A block as it is stored.
        struct StoredBlock {
            /// Its bytes behind their length.
            let packed: [UInt8]
            /// Bytes that it unpacks to.
            let byteCount: Int
            /// Whether the end of the stream follows.
            let isLast: Bool
        }

        /// The block at `index`; nil behind the last one.
        func stored(_ index: Int) throws(FormatError) -> StoredBlock? {
            let (link, count) = try chain.withLock { chain throws(FormatError) in
                try hop(&chain, until: index &+ 1)
                return (index < chain.links.count ? chain.links[index] : nil, chain.links.count)
            }
            guard let link, let range = try range(of: index), !range.isEmpty else { return nil }
            return StoredBlock(
                packed: try packed(link, index),
                byteCount: Int(clamping: range.upperBound &- range.lowerBound),
                isLast: index &+ 1 == count)
        }

        /// What the block at `index` unpacks to.
        func plain(_ index: Int) throws(FormatError) -> [UInt8] { try block(index).bytes }

        /// How many bytes from `offset` on another source unpacks to as well, at the same place and from
        /// the same packed bytes; 0 where another look is needed.
        func sharedCount(
            with other: BlockSource, at offset: UInt64
        ) throws(FormatError) -> UInt64 {
            let (index, otherIndex) = (
                try place(of: offset).index, try other.place(of: offset).index
            )
            guard method == other.method, let range = try range(of: index),
                try range == other.range(of: otherIndex), range.contains(offset),
                let link = try link(index), let otherLink = try other.link(otherIndex),
                link.length == otherLink.length,
                try packed(link, index)
                    .firstDifference(from: other.packed(otherLink, otherIndex)) == nil
            else { return 0 }
            return range.upperBound &- offset
        }

        /// Bytes of a block behind their length.
        private func packed(_ link: Link, _ index: Int) throws(FormatError) -> [UInt8] {
            try stream.bytes(
                UInt64(link.length) &+ 2, at: link.offset &- 2, "packed block \(index)")
        }

        private func link(_ index: Int) throws(FormatError) -> Link? {
            try chain.withLock { chain throws(FormatError) in
                try hop(&chain, until: index)
                return index < chain.links.count ? chain.links[index] : nil
            }
        }

        /// Which bytes a block unpacks to; nil where nobody has come as far.
        private func range(of index: Int) throws(FormatError) -> Range<UInt64>? {
            try prove()
            if let known = chain.withLock({ Self.range(of: index, $0, byteCount) }) { return known }
            // It learns where the block ends.
            _ = try block(index)
            return chain.withLock { Self.range(of: index, $0, byteCount) }
        }

        private static func range(
            of index: Int, _ chain: Chain, _ byteCount: UInt64
        ) -> Range<UInt64>? {
            if chain.proof == .uniform {
                let start = min(UInt64(clamping: index) &* UInt64(blockSize), byteCount)
                return start..<min(start &+ UInt64(blockSize), byteCount)
            }
            guard index &+ 1 < chain.starts.count else { return nil }
            return chain.starts[index]..<chain.starts[index &+ 1]
        }

        // MARK: Where is a byte?

        private struct Link {
            let offset: UInt64
            let length: UInt16
        }

        private enum Proof {
            case untried
            case uniform
            case failed
        }

        private struct Chain {
            /// The blocks walked over so far.
            var links: [Link] = []
            /// Where the next length stands in the stream.
            var next: UInt64 = 0
            var isComplete = false
            /// Up to where the stream was fetched ahead.
            var fetched: UInt64 = 0
            /// `starts[i]` is where block `i` begins in the unpacked bytes; the last entry is where
            /// the first block of unknown place begins.
            var starts: [UInt64] = [0]
            var proof = Proof.untried
        }

        private func place(of position: UInt64) throws(FormatError) -> (index: Int, start: UInt64) {
            if let known = chain.withLock({ Self.known(position, $0) }) { return known }
            try prove()
            while true {
                if let known = chain.withLock({ Self.known(position, $0) }) { return known }
                try learnNext(toReach: position)
            }
        }

        private static func known(_ position: UInt64, _ chain: Chain) -> (Int, UInt64)? {
            if chain.proof == .uniform {
                let index = position / UInt64(blockSize)
                return (Int(clamping: index), index &* UInt64(blockSize))
            }
            let last = chain.starts.count &- 1
            let end = chain.starts[last]
            guard position < end else {
                // A short block before it was split, or is damaged; without a try at the proof, one
                // cannot tell where its successor starts.
                let isOnGrid = end == UInt64(last) &* UInt64(blockSize)
                guard isOnGrid || chain.proof == .failed else { return nil }
                // The block behind the last known one starts at a known place, and holds its first
                // byte at least.
                return position == end
                    && !(chain.isComplete && chain.links.count < chain.starts.count)
                    ? (chain.starts.count &- 1, end) : nil
            }
            var low = 0
            var high = chain.starts.count &- 1
            while high &- low > 1 {
                let middle = (low &+ high) / 2
                if chain.starts[middle] <= position { low = middle } else { high = middle }
            }
            return (low, chain.starts[low])
        }

        /// Tries the proof, which walks the whole chain and decodes its last block; does nothing if it
        /// was tried before, and gives up when `goesOn` says no. Nobody waits for a walk that is not
        /// urgent, so nothing is fetched ahead of it.
        func prove(
            isUrgent: Bool = true, _ goesOn: () -> Bool = { true }
        ) throws(FormatError) {
            while try chain.withLock({ chain throws(FormatError) in
                guard chain.proof == .untried, !chain.isComplete else { return false }
                // In steps, so that readers of known blocks come between.
                try hop(&chain, until: chain.links.count &+ 255, fetchingAhead: isUrgent)
                return !chain.isComplete
            }) {
                guard goesOn() else { return }
            }
            let last = chain.withLock { chain -> Int? in
                guard chain.proof == .untried else { return nil }
                let size = UInt64(Self.blockSize)
                guard UInt64(chain.links.count) == (byteCount &+ size &- 1) / size else {
                    chain.proof = .failed
                    return nil
                }
                return chain.links.count &- 1
            }
            guard let last else { return }
            let rest = byteCount &- UInt64(last) &* UInt64(Self.blockSize)
            // A last block that cannot be decoded proves nothing; whoever reads it meets its error.
            let isProven = (try? block(last).bytes.count) == Int(clamping: rest)
            chain.withLock { $0.proof = isProven ? .uniform : .failed }
        }

        private func learnNext(toReach position: UInt64) throws(FormatError) {
            try learner.withLock { _ throws(FormatError) in
                // Another thread may have learnt it while this one waited for its turn.
                if chain.withLock({ Self.known(position, $0) }) != nil { return }
                let (index, start) = chain.withLock {
                    ($0.starts.count &- 1, $0.starts[$0.starts.count &- 1])
                }
                let count = try block(index).bytes.count
                guard count > 0 else { throw shortBlock(index, start, start) }
                note(index, count)
            }
        }

        private func note(_ index: Int, _ count: Int) {
            chain.withLock { chain in
                guard index == chain.starts.count &- 1 else { return }
                chain.starts.append(chain.starts[index] &+ UInt64(count))
            }
        }

        /// Walks over lengths until block `index` is known or the chain ends.
        private func hop(
            _ chain: inout Chain, until index: Int, fetchingAhead: Bool = false
        ) throws(FormatError) {
            while chain.links.count <= index, !chain.isComplete {
                if fetchingAhead, chain.next &+ Self.walkAhead / 2 > chain.fetched {
                    let start = max(chain.fetched, chain.next)
                    stream.willRead(Self.walkAhead, from: start)
                    chain.fetched = start &+ Self.walkAhead
                }
                let prefix = try stream.prefix(2, at: chain.next)
                guard prefix.count == 2 else {
                    chain.isComplete = true
                    return
                }
                let length = UInt16(prefix[0]) << 8 | UInt16(prefix[1])
                guard length != 0 else {
                    chain.next &+= 2
                    chain.isComplete = true
                    return
                }
                let limit = byteCount / Self.leastAverage &+ 16
                guard UInt64(chain.links.count) < limit else {
                    throw .corrupt(
                        Place("packed block", origin &+ chain.next),
                        found: "more than \(limit) blocks",
                        expected: "\(limit) at most for \(byteCount) bytes")
                }
                chain.links.append(Link(offset: chain.next &+ 2, length: length))
                chain.next &+= 2 &+ UInt64(length)
            }
        }

        // MARK: What is in a block?

        private func block(_ index: Int) throws(FormatError) -> DecodedBlock {
            let block = try cache.block(index) { () throws(FormatError) in
                DecodedBlock(
                    try unsafe [UInt8].filled(upTo: Self.blockSize) { buffer throws(FormatError) in
                        try unsafe decode(index, into: buffer)
                    })
            }
            if block.bytes.count > 0 { note(index, block.bytes.count) }
            return block
        }

        private func decode(
            _ index: Int, into buffer: UnsafeMutableRawBufferPointer
        ) throws(FormatError) -> Int {
            let (link, end) = try chain.withLock { chain throws(FormatError) in
                try hop(&chain, until: index)
                return (index < chain.links.count ? chain.links[index] : nil, chain.next)
            }
            guard let link else {
                throw .truncated(
                    Place("packed block \(index)", origin &+ end), needed: 2, available: 0)
            }
            let packed = try located(at: origin) { () throws(FormatError) in
                try stream.bytes(
                    UInt64(link.length), at: link.offset, "packed block \(index)")
            }
            return try unsafe method.unpack(
                packed, into: buffer, Place("packed block \(index)", origin &+ link.offset))
        }

        private func shortBlock(
            _ index: Int, _ start: UInt64, _ position: UInt64
        ) -> FormatError {
            .corrupt(
                Place("packed block \(index)", start), found: "\(position &- start) bytes",
                expected: "more, up to unpacked byte \(hex(position))")
        }
    }
}
