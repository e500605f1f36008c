internal import Synchronization

extension IFS {
    /// What a zlib image unpacks to: one deflate stream, read by way of checkpoints.
    ///
    /// A checkpoint is the decoder's state at the start of a unit; a unit is 1 MiB, or as much more
    /// as keeps all checkpoints of the image within 16 MiB. A unit whose checkpoint is known decodes
    /// from there, in parallel with others; the stream is walked once, as far as reads reach.
    final class InflateSource: ByteSource {
        /// Bytes that all checkpoints together may hold.
        static let checkpointMemory = 16 << 20
        private static let leastUnit = 1 << 20

        let byteCount: UInt64
        /// Unpacked bytes between two checkpoints.
        let unitSize: Int
        private let stream: any ByteSource
        /// Where the stream starts in its file, for messages.
        private let origin: UInt64
        private let cache: BlockCache
        /// The states at the starts of units, as far as the stream was walked; held while it is
        /// walked on, since only one thread can.
        private let frontier = Mutex<[Inflater]>([])

        /// `stream` starts at the gzip or zlib header, which is byte `origin` of the file; `size` is
        /// what the startup header promises.
        init(_ stream: any ByteSource, at origin: UInt64, size: UInt64, cacheLimit: Int) {
            self.stream = stream
            self.origin = origin
            byteCount = size
            var unit = Self.leastUnit
            let most = UInt64(Self.checkpointMemory / Inflater.footprint)
            while size / UInt64(unit) >= most { unit &*= 2 }
            unitSize = unit
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
                let index = Int(clamping: position / UInt64(unitSize))
                let skip = Int(clamping: position % UInt64(unitSize))
                let unit = try cache.block(index) { () throws(FormatError) in try decode(index) }
                let count = min(wanted &- done, unit.bytes.count &- skip)
                guard count > 0 else { throw unit.fault ?? endedEarly(position) }
                unsafe unit.bytes.withUnsafeBytes { bytes in
                    unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<wanted])
                        .copyMemory(
                            from: UnsafeRawBufferPointer(rebasing: bytes[skip..<(skip &+ count)]))
                }
                done &+= count
            }
            return done
        }

        /// Walks the stream to its end, so that zlib compares its checksum; throws what stands in
        /// the way.
        func verify() throws(FormatError) {
            let state = try Inflater()
            var position: UInt64 = 0
            while !state.isFinished, position <= byteCount {
                let unit = try unit(state)
                if let fault = unit.fault { throw fault }
                position &+= UInt64(unit.bytes.count)
            }
            guard position == byteCount else { throw endedEarly(position) }
        }

        private func decode(_ index: Int) throws(FormatError) -> DecodedBlock {
            let known = try frontier.withLock { states throws(FormatError) -> Inflater? in
                if states.isEmpty { states.append(try Inflater()) }
                while states.count <= index {
                    let state = try states[states.count &- 1].copy()
                    let unit = try unit(state)
                    cache.insert(unit, at: states.count &- 1)
                    if let fault = unit.fault { throw fault }
                    guard unit.bytes.count == unitSize else {
                        throw endedEarly(
                            UInt64(states.count &- 1) &* UInt64(unitSize)
                                &+ UInt64(unit.bytes.count))
                    }
                    states.append(state)
                }
                return try states[index].copy()
            }
            guard let known else { throw endedEarly(0) }
            return try unit(known)
        }

        /// The unit that starts where `state` stands.
        private func unit(_ state: Inflater) throws(FormatError) -> DecodedBlock {
            var fault: FormatError?
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: unitSize) { buffer, count in
                do throws(FormatError) {
                    let output = unsafe UnsafeMutableRawBufferPointer(
                        start: buffer.baseAddress, count: unitSize)
                    try unsafe state.fill(output, from: stream, decoded: &count)
                } catch {
                    fault = error.moved(by: origin)
                }
            }
            return DecodedBlock(bytes, fault: fault)
        }

        private func endedEarly(_ position: UInt64) -> FormatError {
            .corrupt(
                Place("deflate stream", origin), found: "\(position) unpacked bytes",
                expected: "\(byteCount)")
        }
    }
}
