internal import Format

/// Gives everything in a changed image its place.
struct RevisedLayout {
    private let image: IFS.Image
    /// The image's.
    private let found: Plan
    private let directory: RevisedDirectory
    private let addresses: ImageAddresses
    /// What files of the image have, sorted by where it lay.
    private var blocks: [DataBlock]
    /// Bytes of no entry.
    private let remains: [Plan.Remain]
    /// Where the directory ends.
    private let directoryEnd: UInt64
    private var room: FreeRoom
    /// Where new bytes go, by their number.
    private var places: [Range<UInt64>?]

    init(
        _ image: IFS.Image, _ plan: Plan, _ directory: RevisedDirectory,
        _ contents: RevisedContents, isCompacting: Bool = false
    ) throws(MkifsError) {
        self.image = image
        found = plan
        self.directory = directory
        addresses = contents.addresses
        remains = image.unowned(plan.remains)
        blocks = DataBlock.blocks(
            contents.bytes.enumerated().compactMap { slot, bytes in
                guard case .found(let record) = bytes, let range = image.extent(of: record) else {
                    return nil
                }
                return (range, DataBlock.Member(slot: slot, record: record))
            }, within: image.dataBounds)
        let room = DirectoryRoom(image, plan, addresses)
        directoryEnd = try room.end(for: directory)
        places = [Range<UInt64>?](repeating: nil, count: contents.news.count)
        let reach = directoryEnd > UInt64(image.header.directoryEnd) ? directoryEnd : 0
        let inTheWay = blocks.prefix { $0.range.lowerBound < reach }.count
        if reach > 0 { try room.require(reach, blocks[..<inTheWay], remains) }
        let other = BlockMoves(image, contents.addresses)
        let moves = try isCompacting ? other.all(blocks) : other.first(inTheWay, of: blocks)
        let moving = Set(moves.map(\.block))
        let staying = blocks.enumerated().filter { !moving.contains($0.offset) }
        self.room = FreeRoom(
            from: directoryEnd,
            occupied: (staying.map(\.element.range) + remains.map(\.range))
                .sorted { $0.lowerBound < $1.lowerBound })
        try place(contents, moves)
    }

    // MARK: Places

    /// What was changed stays where it was if it fits there, first what has not grown. What has to
    /// move, has grown or is new goes into the first hole that is large enough.
    private mutating func place(
        _ contents: RevisedContents, _ moves: [BlockMove]
    ) throws(MkifsError) {
        try placeWhereOldOnesLie(contents.news, grown: false)
        try placeWhereOldOnesLie(contents.news, grown: true)
        for move in moves { try make(move) }
        for (index, new) in contents.news.enumerated() where places[index] == nil {
            places[index] = try hole(for: new)
        }
    }

    private mutating func placeWhereOldOnesLie(
        _ news: [RevisedContents.New], grown: Bool
    ) throws(MkifsError) {
        for (index, new) in news.enumerated() {
            guard let old = new.old, places[index] == nil,
                new.payload.fits(old.lowerBound, addresses)
            else { continue }
            let size = try new.payload.size(at: old.lowerBound, addresses)
            guard grown == (size > old.upperBound &- old.lowerBound) else { continue }
            let range = old.lowerBound..<(old.lowerBound &+ size)
            if room.take(range) { places[index] = range }
        }
    }

    private mutating func hole(
        for new: RevisedContents.New
    ) throws(MkifsError) -> Range<UInt64> {
        let payload = new.payload
        let path = directory.slots[new.slots[0]].path
        guard !payload.isFixed else {
            throw .refused(
                "'\(printable(path))': found \(payload.least) bytes that work at their old place"
                    + " only, expected room for them there")
        }
        let (unit, phase) = payload.alignment(addresses)
        let addresses = addresses
        let range = try room.takeFirst(atLeast: payload.least, unit: unit, phase: phase) {
            offset throws(MkifsError) in try payload.size(at: offset, addresses)
        }
        guard let range else { throw Self.noRoom(payload.least, path) }
        return range
    }

    private static func noRoom(_ byteCount: UInt64, _ path: [UInt8]) -> MkifsError {
        .refused(
            "'\(printable(path))': found \(byteCount) bytes, expected as many as an image of less"
                + " than 4 GiB has room for; 'ifsctl compact' closes its holes")
    }

    /// Gives a block another place.
    private mutating func make(_ move: BlockMove) throws(MkifsError) {
        let block = blocks[move.block]
        let place = try room.takeFirst(
            atLeast: block.byteCount, unit: move.unit, phase: block.range.lowerBound % move.unit
        ) { _ throws(MkifsError) in block.byteCount }
        guard let place else {
            throw Self.noRoom(block.byteCount, directory.slots[block.members[0].slot].path)
        }
        blocks[move.block].place = place.lowerBound
    }

    // MARK: The plan

    /// The plan of the changed image.
    func plan(_ contents: RevisedContents) throws(MkifsError) -> Plan {
        var plan = found
        var entries = RevisedEntries(image, found, directory, contents)
        plan.entries = try entries.entries(blocks, places)
        plan.remains = try remains + entries.sharedBytes(of: blocks)
        if let root = directory.root { plan.root = entries.root(root) }
        plan.keepsOrder = true
        if entries.hasPrograms {
            plan.release = contents.new.release
            plan.range.start = addresses.start(of: image)
        }
        plan.header.directoryEnd = UInt32(clamping: directoryEnd)
        plan.header.imageSize = try imageSize()
        entries.setRoles(in: &plan.header)
        return plan
    }

    /// Bytes of the image: as many as before, unless its data ends earlier or later.
    private func imageSize() throws(MkifsError) -> UInt32 {
        let extents = image.directory.entries.indices.compactMap {
            image.extent(of: $0)?.clamped(to: image.dataBounds)
        }.filter { !$0.isEmpty }
        let remain = remains.map(\.range.upperBound).max() ?? 0
        let before = max(
            UInt64(image.header.directoryEnd), remain, extents.map(\.upperBound).max() ?? 0)
        let after = max(
            directoryEnd, remain, blocks.map(\.placedRange.upperBound).max() ?? 0,
            places.compactMap { $0?.upperBound }.max() ?? 0)
        let needed = after.rounded(up: 4) &+ UInt64(image.header.trailerSize)
        let known = UInt64(image.header.imageSize)
        let size = after == before ? known : after > before ? max(known, needed) : needed
        guard let size = UInt32(exactly: size) else {
            throw .refused("image: found \(size) bytes, expected less than 4 GiB")
        }
        return size
    }
}

extension Payload {
    /// Whether it can begin at an offset.
    func fits(_ offset: UInt64, _ addresses: ImageAddresses) -> Bool {
        let (unit, phase) = alignment(addresses)
        return offset % max(unit, 1) == phase % max(unit, 1)
    }
}

extension Plan.Remain {
    /// Where the bytes lie, from the image header on.
    var range: Range<UInt64> {
        guard case .source(let source) = content else { return offset..<offset }
        return offset..<(offset &+ source.byteCount)
    }
}

extension IFS.Image {
    /// What of the remains of the image's plan no record reaches into.
    func unowned(_ remains: [Plan.Remain]) -> [Plan.Remain] {
        guard !remains.isEmpty else { return [] }
        let extents = directory.entries.indices.compactMap { extent(of: $0) }
            .sorted { $0.lowerBound < $1.lowerBound }
        var unowned: [Plan.Remain] = []
        var next = 0
        var reach: UInt64 = 0
        for remain in remains {
            let range = remain.range
            var position = range.lowerBound
            while next < extents.count, extents[next].lowerBound < range.upperBound {
                let start = max(position, reach)
                add(start, extents[next].lowerBound, of: range, to: &unowned)
                reach = max(reach, extents[next].upperBound)
                position = max(position, reach)
                next += 1
            }
            add(max(position, reach), range.upperBound, of: range, to: &unowned)
        }
        return unowned
    }

    private func add(
        _ start: UInt64, _ end: UInt64, of range: Range<UInt64>, to remains: inout [Plan.Remain]
    ) {
        let (start, end) = (max(start, range.lowerBound), min(end, range.upperBound))
        guard start < end else { return }
        remains.append(
            Plan.Remain(
                at: start, .source(WindowSource(contents, from: start, count: end &- start))))
    }
}
