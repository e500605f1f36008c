internal import Format

/// How far the directory of an image can reach.
struct DirectoryRoom {
    private let image: IFS.Image
    private let plan: Plan
    private let addresses: ImageAddresses

    init(_ image: IFS.Image, _ plan: Plan, _ addresses: ImageAddresses) {
        self.image = image
        self.plan = plan
        self.addresses = addresses
    }

    /// Where the directory of a changed image ends, its end mark included. Room that is left behind
    /// the mark stays as long as the directory does not need it.
    func end(for directory: RevisedDirectory) throws(MkifsError) -> UInt64 {
        var size = UInt64(plan.root.recordSize)
        for slot in directory.slots {
            let entry = slot.entry(plan)
            if let fault = entry.recordFault { throw .refused(fault) }
            size &+= UInt64(entry.recordSize)
        }
        let known = UInt64(image.header.directoryEnd)
        let start = UInt64(image.header.directoryOffset)
        if size == UInt64(clamping: image.directory.end) { return known }
        let needed = start &+ size &+ 4
        let hasSlack = known > start &+ UInt64(clamping: image.directory.end) &+ 4
        return hasSlack && needed <= known ? known : needed
    }

    /// Throws the numbers where the directory would have to reach into what cannot move: `blocks` are
    /// those that begin before its end.
    func require(
        _ end: UInt64, _ blocks: ArraySlice<DataBlock>, _ remains: [Plan.Remain]
    ) throws(MkifsError) {
        guard let limit = try limit(blocks, remains), limit.offset < end else { return }
        let start = UInt64(image.header.directoryOffset)
        throw .refused(
            "image directory: found \(end &- start) bytes, expected"
                + " \(limit.offset &- min(limit.offset, start)) at most, for at"
                + " \(hex(limit.offset)) \(limit.reason); fewer entries or shorter paths fit")
    }

    /// The first byte that the directory cannot have, and why; nil where all can move. `blocks` are
    /// sorted; `visit` gets those before that byte, and by which multiples they can move.
    func limit(
        _ blocks: ArraySlice<DataBlock>, _ remains: [Plan.Remain],
        _ visit: (DataBlock, _ unit: UInt64) -> Void = { _, _ in }
    ) throws(MkifsError) -> (offset: UInt64, reason: String)? {
        let remain = remains.first.map {
            (offset: $0.offset, reason: "bytes begin that belong to no file")
        }
        do throws(FormatError) {
            for block in blocks where block.range.lowerBound < remain?.offset ?? .max {
                let freedom = try block.freedom(image, addresses)
                guard freedom.isFixed else {
                    visit(block, freedom.unit)
                    continue
                }
                let record = freedom.fixed ?? block.members[0].record
                let path = image.directory.path(of: image.directory.entries[record])
                return (
                    block.range.lowerBound,
                    "'\(printable(path))' begins, which works at its place only"
                )
            }
        } catch {
            throw .format(error)
        }
        return remain
    }
}
