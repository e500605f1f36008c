/// What the two file systems share.
enum QNX {
    /// Whether a byte may be in no name, as both systems document it; Linux takes most of them.
    static func isForbidden(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == 0x2f || byte == 0x7f || byte == 0xff
    }
}

extension QNX {
    /// What a check found, the first thousand of it.
    struct Findings {
        /// How many are told.
        static let most = 1000

        /// In the order in which they were found.
        private(set) var list: [FormatError] = []

        /// Whether what comes is no longer told.
        var isFull: Bool { list.count >= Self.most }

        /// Takes a finding, if there is room for it and it is not told already.
        mutating func add(_ finding: FormatError) {
            guard !isFull, !list.suffix(8).contains(finding) else { return }
            list.append(finding)
        }

        /// Takes a value that breaks a rule.
        mutating func add(_ place: Place, found: String, expected: String) {
            add(.corrupt(place, found: found, expected: expected))
        }

        /// Runs `body` and takes what it throws.
        mutating func catching(_ body: (inout Findings) throws(FormatError) -> Void) {
            do throws(FormatError) {
                try body(&self)
            } catch {
                add(error)
            }
        }
    }

    /// A set of numbers below a limit, one bit each.
    struct BitSet {
        private(set) var bytes: [UInt8]

        /// The empty set of numbers below `count`.
        init(count: Int) { bytes = Array(repeating: 0, count: count / 8 &+ 1) }

        /// Whether a number is in it.
        func contains(_ number: UInt64) -> Bool {
            guard let index = Int(exactly: number &>> 3), index < bytes.count else { return false }
            return bytes[index] &>> UInt8(number & 7) & 1 == 1
        }

        /// The least number in it that is `start` or more; nil for none.
        func first(from start: UInt64) -> UInt64? {
            guard var index = Int(exactly: start &>> 3), index < bytes.count else { return nil }
            var byte = bytes[index] & (0xff &<< UInt8(start & 7))
            while byte == 0 {
                index &+= 1
                guard index < bytes.count else { return nil }
                byte = bytes[index]
            }
            return UInt64(index) &* 8 &+ UInt64(byte.trailingZeroBitCount)
        }

        /// Takes a number; false if it was there or is none of these.
        mutating func insert(_ number: UInt64) -> Bool {
            guard let index = Int(exactly: number &>> 3), index < bytes.count else { return false }
            let bit: UInt8 = 1 &<< UInt8(number & 7)
            guard bytes[index] & bit == 0 else { return false }
            bytes[index] |= bit
            return true
        }
    }

    /// Holds a bitmap of used blocks against the blocks that were found in use. Blocks side by side of
    /// the same fault are told as one.
    struct BitmapComparison {
        /// Blocks that are free by the bitmap.
        private(set) var freeCount: UInt64 = 0
        private let used: BitSet
        /// The number of the block that the bitmap's first bit stands for.
        private let firstBlock: UInt64
        private let blockCount: UInt64
        /// Whether the bits behind the last block must be set, up to the end of the bitmap's last
        /// block.
        private let isFull: Bool
        private var open: Open?

        private struct Open {
            /// Marked, and nobody's; otherwise somebody's, and not marked.
            var isLost: Bool
            var first: UInt64
            var place: Place
        }

        /// A comparison with blocks in use, of which the set has the bits.
        init(_ used: BitSet, blockCount: UInt64, firstBlock: UInt64, isFull: Bool = true) {
            self.used = used
            self.blockCount = blockCount
            self.firstBlock = firstBlock
            self.isFull = isFull
        }

        /// Takes the next block of the bitmap, which starts at the byte `index` of it and stands at
        /// `place`.
        mutating func take(
            _ piece: some Collection<UInt8>, from index: Int, at place: Place,
            _ findings: inout Findings
        ) {
            for (offset, byte) in piece.enumerated() {
                let first = UInt64(index &+ offset) &* 8
                let count = min(8, blockCount &- min(blockCount, first))
                let mask = UInt8(truncatingIfNeeded: UInt16(1) &<< UInt16(count) &- 1)
                if isFull, byte | mask != 0xff {
                    close(before: blockCount, &findings)
                    return findings.add(
                        Place(place.field, place.offset &+ UInt64(offset)),
                        found: "bits behind the last block clear", expected: "all of them set")
                }
                guard count > 0 else { continue }
                freeCount &+= UInt64((~byte & mask).nonzeroBitCount)
                let own = index &+ offset < used.bytes.count ? used.bytes[index &+ offset] : 0
                guard (own ^ byte) & mask != 0 || open != nil else { continue }
                for bit in 0..<count {
                    let marked = byte &>> UInt8(bit) & 1
                    let isUsed = own &>> UInt8(bit) & 1
                    let at = Place(place.field, place.offset &+ UInt64(offset))
                    step(first &+ bit, marked == isUsed ? nil : marked == 1, at, &findings)
                }
            }
        }

        private mutating func step(
            _ bit: UInt64, _ isLost: Bool?, _ place: Place, _ findings: inout Findings
        ) {
            if open?.isLost == isLost { return }
            close(before: bit, &findings)
            open = isLost.map { Open(isLost: $0, first: bit, place: place) }
        }

        private mutating func close(before bit: UInt64, _ findings: inout Findings) {
            guard let fault = open else { return }
            open = nil
            let first = fault.first &+ firstBlock
            let last = bit &- 1 &+ firstBlock
            let name = first == last ? "block \(first)" : "blocks \(first) through \(last)"
            findings.add(
                fault.place, found: "\(name) marked \(fault.isLost ? "used" : "free")",
                expected: fault.isLost ? "free, as nothing has them" : "used, as a file has them")
        }

        /// Ends the comparison.
        mutating func end(_ findings: inout Findings) { close(before: blockCount, &findings) }
    }
}
