internal import Format

/// What each entry of a changed image has for bytes: those of a record, or new ones.
struct RevisedContents {
    /// The bytes of one entry.
    enum Bytes {
        /// It is no file.
        case none
        /// Those of a record, which lie in the image.
        case found(record: Int)
        /// None; the offset is that which the record had.
        case empty(offset: UInt32?)
        /// New ones, by their number.
        case new(Int)
    }

    /// New bytes, and the names that they have.
    struct New {
        let payload: Payload
        /// The entries that have them; one, but for hard links.
        var slots: [Int]
        /// Where the old ones lie; nil for a new file.
        let old: Range<UInt64>?
    }

    /// By entry.
    private(set) var bytes: [Bytes] = []
    private(set) var news: [New] = []
    /// How new ones are stored.
    private(set) var new: NewContents
    let addresses: ImageAddresses

    private let image: IFS.Image
    /// Whether an entry has the bytes of a record, by record.
    private var isHeld: [Bool]
    /// New bytes of a file with several names, by where the old ones lie.
    private var groups: [Extent: Int] = [:]

    private struct Extent: Hashable {
        let inode: UInt32
        let range: Range<UInt64>
    }

    /// What there is to say, a line each.
    var warnings: [String] { new.warnings }

    init(
        _ image: IFS.Image, _ plan: Plan, _ directory: RevisedDirectory
    ) throws(MkifsError) {
        self.image = image
        isHeld = [Bool](repeating: false, count: image.directory.entries.count)
        do throws(FormatError) {
            let evidence = try ProgramEvidence(image)
            addresses = ImageAddresses(image, plan, evidence)
            new = NewContents(image, plan, addresses, evidence)
        } catch {
            throw .format(error)
        }
        for slot in directory.slots {
            if let record = slot.record, slot.keepsBytes { isHeld[record] = true }
        }
        bytes.reserveCapacity(directory.slots.count)
        for (index, slot) in directory.slots.enumerated() {
            bytes.append(try bytes(of: slot, index))
        }
    }

    private mutating func bytes(
        of slot: RevisedDirectory.Slot, _ index: Int
    ) throws(MkifsError) -> Bytes {
        if slot.keepsBytes, let record = slot.record { return found(record) }
        guard let node = slot.node, case .file(let content) = node.kind else { return .none }
        switch content {
        case .record(let record): return try other(record, node, index)
        case .new(let content): return try added(content, node, index)
        }
    }

    private func found(_ record: Int) -> Bytes {
        guard case .file(let offset, let size) = image.directory.entries[record].kind else {
            return .none
        }
        return size == 0 ? .empty(offset: offset) : .found(record: record)
    }

    /// The bytes of a record that the entry was not: they are taken over where it has none any more,
    /// else there are two files with the same.
    private mutating func other(
        _ record: Int, _ node: Revision.Node, _ index: Int
    ) throws(MkifsError) -> Bytes {
        guard image.directory.entries.indices.contains(record),
            case .file(_, let size) = image.directory.entries[record].kind
        else {
            throw .refused(
                "\(RevisedDirectory.name(node)): found no file at record \(record), expected one")
        }
        guard size > 0 else { return .empty(offset: nil) }
        guard isHeld[record] else {
            isHeld[record] = true
            return .found(record: record)
        }
        do throws(FormatError) {
            let old = node.record.flatMap { image.extent(of: $0) }
            return add(try new.copy(of: record), index, old: old)
        } catch {
            throw .format(error)
        }
    }

    private mutating func added(
        _ content: Content, _ node: Revision.Node, _ index: Int
    ) throws(MkifsError) -> Bytes {
        let old = node.record.flatMap { image.extent(of: $0) }
        let inode = node.record.map { image.directory.entries[$0].inode }
        let extent = old.flatMap { old in inode.map { Extent(inode: $0, range: old) } }
        if let extent, let group = groups[extent] {
            news[group].slots.append(index)
            return .new(group)
        }
        try requireLaidOut(node, content)
        let byteCount = try content.source().byteCount
        guard byteCount > 0 || new.isScript(node) else {
            let entry = node.record.map { image.directory.entries[$0] }
            guard case .file(let offset, _)? = entry?.kind else { return .empty(offset: nil) }
            return .empty(offset: offset)
        }
        let payload = try new.payload(of: node, content)
        if let extent { groups[extent] = news.count }
        return add(payload, index, old: old)
    }

    private mutating func add(_ payload: Payload, _ slot: Int, old: Range<UInt64>?) -> Bytes {
        news.append(New(payload: payload, slots: [slot], old: old))
        return .new(news.count - 1)
    }

    /// Throws where a bootstrap executable has been exchanged: it would have to be linked.
    private mutating func requireLaidOut(
        _ node: Revision.Node, _ content: Content
    ) throws(MkifsError) {
        guard let record = node.record, image.isBootstrap(image.directory.entries[record]) else {
            return
        }
        let payload = try new.payload(of: node, content)
        guard payload.flags & IFS.Dirent.bootstrapFlag != 0 else {
            throw .refused(
                "\(RevisedDirectory.name(node)): found another bootstrap executable, expected the"
                    + " image's with other bytes in its segments; mkifs builds images with others")
        }
    }
}

extension RevisedDirectory.Slot {
    /// Whether the entry is the record that it was, with the same bytes.
    var keepsBytes: Bool {
        guard let record else { return false }
        guard let node else { return true }
        if case .file(.record(record)) = node.kind { return true }
        return false
    }
}
