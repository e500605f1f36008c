internal import Synchronization

/// Finds the marks by which images are recognized, in a file of any size.
final class AnchorFinder: Sendable {
    /// A mark, and what starts where it stands.
    enum Anchor: CaseIterable, Sendable {
        case littleStartup
        case bigStartup
        case image
        case harman

        var bytes: [UInt8] {
            switch self {
            case .littleStartup: [0xeb, 0x7e, 0xff, 0x00]
            case .bigStartup: [0x00, 0xff, 0x7e, 0xeb]
            case .image: IFS.ImageHeader.signature
            case .harman: IFS.HarmanHeader.signature
            }
        }
    }

    struct Hit: Equatable, Sendable {
        let anchor: Anchor
        let offset: UInt64
    }

    private static let chunkSize = 1 << 20
    /// Most files begin with their image.
    private static let firstChunkSize = 1 << 12
    private static let longest = 7

    private let file: any ByteSource
    /// Images begin before this byte.
    private let reach: UInt64
    /// What is known of where `imagefs` stands, so that many false startup headers in one file cost
    /// a walk or two and not one each.
    private struct Searches {
        /// Where the last search started and what it found.
        var last: (from: UInt64, hit: UInt64?)?
        /// Bytes that searches may still read.
        var budget: UInt64
    }

    private let searches: Mutex<Searches>

    /// Finds marks that stand before byte `reach` of a file.
    init(_ file: any ByteSource, reach: UInt64 = .max) {
        self.file = file
        self.reach = min(reach, file.byteCount)
        searches = Mutex(Searches(budget: 2 &* min(self.reach, 1 << 62) &+ (16 << 20)))
    }

    /// All marks that start in the chunk at `offset`, in order, and where the next chunk starts;
    /// nil at the end of the search. The first chunk of a search is a small one.
    func hits(
        from offset: UInt64, isFirst: Bool
    ) throws(FormatError) -> (hits: [Hit], next: UInt64)? {
        let offset = behindHole(offset)
        guard offset < reach else { return nil }
        let usual = isFirst ? Self.firstChunkSize : Self.chunkSize
        let size = Int(clamping: min(UInt64(usual), reach &- offset))
        let chunk = try file.prefix(size + Self.longest - 1, at: offset)
        guard !chunk.isEmpty else { return nil }
        let hits = Self.hits(of: Anchor.allCases, in: chunk)
            .filter { $0.position < size }
            .map { Hit(anchor: $0.anchor, offset: offset &+ UInt64($0.position)) }
        return (hits, offset &+ UInt64(min(chunk.count, size)))
    }

    /// The first place from `offset` on where a mark can stand. A hole is zeros, with which marks only
    /// begin.
    private func behindHole(_ offset: UInt64) -> UInt64 {
        let data = file.dataStart(from: offset)
        return max(offset, data &- min(data, UInt64(Self.longest)))
    }

    /// Where the image header stands that belongs behind a startup area ending at `place`: there,
    /// else the next one before `end`.
    func imageHeader(from place: UInt64, before end: UInt64) throws(FormatError) -> UInt64 {
        let signature = IFS.ImageHeader.signature
        if try file.prefix(signature.count, at: place) == signature { return place }
        if let hit = try next(from: place), hit < end { return hit }
        throw .corrupt(
            Place("image header.signature", place),
            found: "'\(printable(try file.prefix(signature.count, at: place)))'",
            expected: "'imagefs' here or before \(hex(end))")
    }

    private func next(from place: UInt64) throws(FormatError) -> UInt64? {
        let (last, budget) = searches.withLock { ($0.last, $0.budget) }
        if let last, last.from <= place, last.hit.map({ $0 >= place }) ?? true { return last.hit }
        var offset = place
        var found: UInt64?
        while found == nil, offset < file.byteCount, offset &- place < budget {
            offset = behindHole(offset)
            let chunk = try file.prefix(Self.chunkSize + Self.longest - 1, at: offset)
            if chunk.isEmpty { break }
            found = Self.hits(of: [.image], in: chunk, most: 1).first
                .map { offset &+ UInt64($0.position) }
            offset &+= UInt64(min(chunk.count, Self.chunkSize))
        }
        let walked = offset &- place
        searches.withLock {
            $0.last = (place, found)
            $0.budget &-= min(walked, $0.budget)
        }
        return found
    }

    /// Where marks start in `chunk`, in order. A window of four bytes, as long as the shortest mark,
    /// moves on by as much as its last byte allows.
    private static func hits(
        of anchors: [Anchor], in chunk: [UInt8], most: Int = .max
    ) -> [(anchor: Anchor, position: Int)] {
        let marks = anchors.map(\.bytes)
        // The first four bytes of each mark, as they stand in memory.
        let heads = marks.map { mark in
            unsafe mark.withUnsafeBytes { unsafe $0.loadUnaligned(as: UInt32.self) }
        }
        var steps = [Int](repeating: 4, count: 256)
        for mark in marks {
            for index in 0..<4 { steps[Int(mark[index])] = min(steps[Int(mark[index])], 3 - index) }
        }
        var found: [(Anchor, Int)] = []
        unsafe chunk.withUnsafeBytes { bytes in
            var last = 3
            while last < bytes.count, found.count < most {
                let step = unsafe steps[Int(bytes[last])]
                if step > 0 {
                    last &+= step
                    continue
                }
                let start = last &- 3
                let head = unsafe bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self)
                guard heads.contains(head) else {
                    last &+= 1
                    continue
                }
                for (anchor, mark) in zip(anchors, marks)
                where unsafe bytes[start...].starts(with: mark) {
                    found.append((anchor, start))
                }
                last &+= 1
            }
        }
        return found
    }
}
