extension QNX6 {
    /// The two superblocks of a volume, and the one that counts.
    ///
    /// The first stands behind the boot area, or at the very start, where the Audi layout has it
    /// too; the second stands behind the last block. One of them is enough.
    public struct Superblocks: Sendable {
        /// The first, or why it could not be read.
        public let first: Result<Superblock, FormatError>
        /// The second, or why it could not be read.
        public let second: Result<Superblock, FormatError>
        /// Where the first stands.
        public let firstOffset: UInt64
        /// Where the second stands.
        public let secondOffset: UInt64
        /// The valid one with the higher serial number; of equals, the first.
        public let active: Superblock
        /// Whether that is the first.
        public let isFirstActive: Bool

        /// How far from the end a second superblock is looked for when the first is damaged.
        private static let searchedTail: UInt64 = 256 << 10

        /// Finds them in a source that a volume begins with. Throws `io`, or what is wrong with the
        /// first where neither can be read.
        public init(_ source: any ByteSource) throws(FormatError) {
            var refusals: [FormatError] = []
            for (start, layout) in Self.starts {
                do throws(FormatError) {
                    let first = try Self.read(source, at: start, layout)
                    if start == 0, !first.isConsistent { continue }
                    self = try Self(first, at: start, in: source)
                    return
                } catch {
                    if case .io = error { throw error }
                    refusals.append(error)
                }
            }
            let refusal = Self.strongest(refusals)
            if case .corrupt = refusal, let found = try Self(behind: refusal, in: source) {
                self = found
                return
            }
            throw refusal
        }

        private static let starts: [(UInt64, Superblock.Layout)] = [
            (bootAreaSize, .standard), (0, .standard), (0, .audi),
        ]

        /// Where block 0 lies: aligned to the blocks if those are larger than a page. At the very
        /// start no volume with such blocks is known.
        static func dataStart(behind start: UInt64, blockSize: UInt32) -> UInt64 {
            let end = start &+ superblockAreaSize
            let size = UInt64(blockSize)
            guard size > superblockAreaSize else { return end }
            return end > size ? end &+ (end &- size) : size
        }

        /// Where block 0 lies.
        public var dataStart: UInt64 {
            Self.dataStart(behind: firstOffset, blockSize: active.blockSize)
        }

        /// That the source ends before the last block; nil where it does not.
        func cutOff(of source: any ByteSource) -> FormatError? {
            let end = dataStart &+ UInt64(active.blockCount) &* UInt64(active.blockSize)
            guard source.byteCount < end else { return nil }
            return .truncated(
                Place("qnx6 volume", 0), needed: end, available: source.byteCount)
        }

        private init(
            _ first: Superblock, at start: UInt64, in source: any ByteSource
        ) throws(FormatError) {
            let end = Self.end(of: first, behind: start)
            var second: Result<Superblock, FormatError>
            do throws(FormatError) {
                let found = try Self.read(source, at: end, first.layout)
                second = .success(found)
                if found.blockSize != first.blockSize || found.blockCount != first.blockCount
                    || found.order != first.order
                {
                    second = .failure(
                        .corrupt(
                            Superblock.At.blockCount.place(0).moved(by: end),
                            found: "\(found.blockCount) blocks of \(found.blockSize)",
                            expected: "\(first.blockCount) of \(first.blockSize), as the first"))
                }
            } catch {
                if case .io = error { throw error }
                second = .failure(error)
            }
            self.first = .success(first)
            self.second = second
            firstOffset = start
            secondOffset = end
            let newer = (try? second.get()).flatMap { $0.serial > first.serial ? $0 : nil }
            active = newer ?? first
            isFirstActive = newer == nil
        }

        /// The second alone: where the boot block says, or near the end. Nil where there is none.
        private init?(behind refusal: FormatError, in source: any ByteSource) throws(FormatError) {
            for place in try Self.candidates(in: source) {
                for (start, layout) in Self.starts {
                    do throws(FormatError) {
                        let found = try Self.read(source, at: place, layout)
                        guard found.isConsistent, Self.end(of: found, behind: start) == place
                        else { continue }
                        first = .failure(refusal)
                        second = .success(found)
                        firstOffset = start
                        secondOffset = place
                        active = found
                        isFirstActive = false
                        return
                    } catch {
                        if case .io = error { throw error }
                    }
                }
            }
            return nil
        }

        /// Where a second superblock may stand: at least its magic number does.
        private static func candidates(in source: any ByteSource) throws(FormatError) -> [UInt64] {
            var places: [UInt64] = []
            let boot = try source.prefix(16, at: 0)
            if boot.starts(with: [0xeb, 0x10, 0x90]), boot.count == 16 {
                let sector = try boot.parsed { bytes throws(FormatError) in
                    try bytes.read(Field<UInt32>(12, "qnx6 boot block.sblk1"), from: 0, .little)
                }
                places = [512, 1024, 2048, 4096].map { UInt64(sector) &* $0 }
            }
            let tail = (source.byteCount &- min(source.byteCount, searchedTail)) & ~511
            let bytes = try source.prefix(Int(searchedTail) + 512, at: tail)
            for index in stride(from: bytes.count & ~511, through: 0, by: -512)
            where Superblock.magicOrder(Array(bytes[index...].prefix(4))) != nil {
                places.append(tail &+ UInt64(index))
            }
            return places
        }

        private static func read(
            _ source: any ByteSource, at offset: UInt64, _ layout: Superblock.Layout
        ) throws(FormatError) -> Superblock {
            let bytes = try source.bytes(
                UInt64(Superblock.byteCount), at: offset, "qnx6 superblock")
            return try located(at: offset) { () throws(FormatError) in
                try bytes.parsed { bytes throws(FormatError) in
                    try Superblock(parsing: bytes, layout: layout)
                }
            }
        }

        /// Where the blocks end, which is where the second superblock stands.
        private static func end(of superblock: Superblock, behind start: UInt64) -> UInt64 {
            dataStart(behind: start, blockSize: superblock.blockSize)
                &+ UInt64(superblock.blockCount) &* UInt64(superblock.blockSize)
        }

        /// What tells most: a lawful superblock that is not read, a damaged one, none at all.
        private static func strongest(_ refusals: [FormatError]) -> FormatError {
            func rank(_ error: FormatError) -> Int {
                if case .unsupported = error { return 0 }
                if case .truncated = error { return 3 }
                return error.place.field == Superblock.At.magic.name ? 2 : 1
            }
            let first = refusals.enumerated().min {
                (rank($0.element), $0.offset) < (rank($1.element), $1.offset)
            }
            return first?.element
                ?? .corrupt(
                    Superblock.At.inodeCount.place(0), found: "counts that contradict one another",
                    expected: "a superblock")
        }
    }
}

extension QNX6.Superblocks {
    /// Where the active one stands.
    public var activeOffset: UInt64 { isFirstActive ? firstOffset : secondOffset }
}

extension QNX6.Superblock {
    /// The root nodes' first bytes.
    func nodeOffset(_ index: Int) -> Int { At.node(index) + layout.shift }
}
