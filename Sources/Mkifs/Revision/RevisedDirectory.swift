internal import Format

/// Which entries a changed image has, in the order of its directory.
struct RevisedDirectory {
    /// One entry, and what it was.
    struct Slot {
        /// The record that it was; nil for a new entry.
        let record: Int?
        /// What it has become; nil for one that stays as it was, but perhaps for its path.
        let node: Revision.Node?
        let path: [UInt8]
    }

    /// What the root has become; nil for no change.
    private(set) var root: Revision.Node?
    /// All other entries.
    private(set) var slots: [Slot] = []

    private let image: IFS.Image
    /// By record; the root's is the first.
    private let paths: [[UInt8]]
    private var fates: [Fate]

    private enum Fate {
        case kept
        case gone
        case changed(Revision.Node)
        /// One that the tree does not show, and that goes with the entry that hides it.
        case follows([UInt8])
    }

    /// Puts the changes of `revision` into the directory of an image; `plan` is the image's. Throws
    /// `refused` for lists that contradict each other or the image.
    init(_ image: IFS.Image, _ plan: Plan, _ revision: Revision) throws(MkifsError) {
        self.image = image
        paths = [plan.root.path] + plan.entries.map(\.path)
        fates = [Fate](repeating: .kept, count: paths.count)
        for node in revision.changed + revision.added { try Self.requireTexts(node) }
        for record in revision.removed {
            try require(record)
            fates[record] = .gone
        }
        for node in revision.changed {
            guard let record = node.record else {
                throw .refused("\(Self.name(node)): found no record, expected the one that it was")
            }
            try require(record, orRoot: true)
            fates[record] = .changed(node)
        }
        let added = try replacing(revision.added)
        try moveHiddenEntries()
        if case .changed(let node) = fates[0] { root = node }
        slots = ordered(with: added, keepsOrder: plan.keepsOrder)
        try requireOneOfEach()
    }

    static func name(_ node: Revision.Node) -> String { "'\(printable(node.path))'" }

    /// Texts of a record end at a zero byte.
    private static func requireTexts(_ node: Revision.Node) throws(MkifsError) {
        var texts = node.path
        if case .symlink(let target) = node.kind { texts += target }
        guard texts.contains(0) else { return }
        throw .refused("\(name(node)): found a zero byte in a path, expected text")
    }

    private func require(_ record: Int, orRoot: Bool = false) throws(MkifsError) {
        guard fates.indices.contains(record), orRoot || record > 0 else {
            throw .refused(
                "record \(record): expected one of 1 through \(fates.count - 1) of the image")
        }
        guard case .kept = fates[record] else {
            throw .refused("'\(printable(paths[record]))': found two changes, expected one")
        }
    }

    // MARK: New for old

    /// New files at the paths of removed ones are these with other contents: editors write anew and
    /// rename. Gives the other entries that are new.
    private mutating func replacing(
        _ added: [Revision.Node]
    ) throws(MkifsError) -> [Revision.Node] {
        var gone: [[UInt8]: Int] = [:]
        for (record, fate) in fates.enumerated() {
            if case .gone = fate { gone[paths[record]] = record }
        }
        var others: [Revision.Node] = []
        for var node in added {
            guard node.record == nil, !node.path.isEmpty else {
                throw .refused(
                    "\(Self.name(node)): found a record of the image or the root, expected a new"
                        + " entry")
            }
            guard case .file = node.kind, let record = gone.removeValue(forKey: node.path),
                case .file = image.directory.entries[record].kind
            else {
                others.append(node)
                continue
            }
            node.record = record
            fates[record] = .changed(node)
        }
        return others
    }

    // MARK: What the tree hides

    /// Entries that others hide go with them, or with their new names.
    private mutating func moveHiddenEntries() throws(MkifsError) {
        var moves: [[UInt8]: [UInt8]?] = [:]
        for (record, fate) in fates.enumerated() where record > 0 {
            switch fate {
            case .gone: moves.updateValue(nil, forKey: paths[record])
            case .changed(let node) where node.path != paths[record]:
                moves.updateValue(node.path, forKey: paths[record])
            case .kept, .changed, .follows: break
            }
        }
        guard !moves.isEmpty else { return }
        for record in try hiddenRecords() {
            guard case .kept = fates[record],
                let (end, target) = Self.move(of: paths[record], moves)
            else { continue }
            fates[record] = target.map { .follows($0 + paths[record][end...]) } ?? .gone
        }
    }

    /// What becomes of the longest beginning of a path that something becomes of, and its end.
    private static func move(
        of path: [UInt8], _ moves: [[UInt8]: [UInt8]?]
    ) -> (end: Int, target: [UInt8]?)? {
        let ends = [path.count] + path.indices.reversed().filter { path[$0] == .slash }
        for end in ends {
            if let target = moves[Array(path[..<end])] { return (end, target) }
        }
        return nil
    }

    /// The records that the tree leaves out because of others.
    private func hiddenRecords() throws(MkifsError) -> [Int] {
        let findings: [IFS.Finding]
        do throws(FormatError) {
            findings = try IFS.ImageVolume(image).findings
        } catch {
            throw .format(error)
        }
        let hidden = Set(
            findings.compactMap { finding in
                switch finding.problem {
                case .duplicate, .belowFile, .belowSymlink: finding.entry.recordOffset
                case .oddName, .longPath, .void, .unknownType, .outside: nil
                }
            })
        guard !hidden.isEmpty else { return [] }
        return image.directory.entries.indices.filter {
            hidden.contains(image.directory.entries[$0].recordOffset)
        }
    }

    // MARK: Order

    /// Entries as found, new ones behind them; in a sorted directory those with new names where they
    /// belong.
    private func ordered(with added: [Revision.Node], keepsOrder: Bool) -> [Slot] {
        var found: [Slot] = []
        var moved: [Slot] = []
        let isSorted = image.header.flags & IFS.ImageHeader.sortedFlag != 0
        for (record, fate) in fates.enumerated() where record > 0 {
            let slot: Slot
            switch fate {
            case .gone: continue
            case .kept: slot = Slot(record: record, node: nil, path: paths[record])
            case .changed(let node): slot = Slot(record: record, node: node, path: node.path)
            case .follows(let path): slot = Slot(record: record, node: nil, path: path)
            }
            if isSorted, slot.path != paths[record] {
                moved.append(slot)
            } else {
                found.append(slot)
            }
        }
        moved += added.map { Slot(record: nil, node: $0, path: $0.path) }
        let boots = isSorted && keepsOrder ? found.prefix { isBootstrap($0.record) } : []
        let rest = found[boots.count...]
        guard isSorted, Self.isAscending(rest) else { return found + moved }
        return boots + Self.merged(rest, Self.sorted(moved))
    }

    /// Whether a record is one of those that the later 8.0 tools put before all others.
    private func isBootstrap(_ record: Int?) -> Bool {
        guard let record else { return false }
        let inode = image.directory.entries[record].inode
        return inode & IFS.Dirent.bootstrapFlag != 0
            || (inode != 0 && image.header.bootInodes.contains(inode))
    }

    private static func isAscending(_ slots: ArraySlice<Slot>) -> Bool {
        zip(slots, slots.dropFirst()).allSatisfy {
            !$1.path.lexicographicallyPrecedes($0.path)
        }
    }

    /// By path; equal ones in their order.
    private static func sorted(_ slots: [Slot]) -> [Slot] {
        slots.enumerated().sorted { left, right in
            if left.element.path == right.element.path { return left.offset < right.offset }
            return left.element.path.lexicographicallyPrecedes(right.element.path)
        }.map(\.element)
    }

    /// Both in order; of equal paths those of `left` first.
    private static func merged(_ left: ArraySlice<Slot>, _ right: [Slot]) -> [Slot] {
        var merged: [Slot] = []
        merged.reserveCapacity(left.count + right.count)
        var rest = right[...]
        for slot in left {
            while let next = rest.first, next.path.lexicographicallyPrecedes(slot.path) {
                merged.append(next)
                rest = rest.dropFirst()
            }
            merged.append(slot)
        }
        return merged + rest
    }

    /// Throws where an entry has got a name that another one has.
    private func requireOneOfEach() throws(MkifsError) {
        let named = slots.filter { slot in
            slot.node != nil && slot.record.map { paths[$0] != slot.path } ?? true
        }
        guard !named.isEmpty else { return }
        var counts: [[UInt8]: Int] = [:]
        for slot in named { counts[slot.path, default: 0] += 1 }
        for slot in slots where slot.node == nil || slot.record.map({ paths[$0] }) == slot.path {
            guard let record = slot.record, image.directory.entries[record].inode != 0,
                paths[record] == slot.path, counts[slot.path] != nil
            else { continue }
            counts[slot.path, default: 0] += 1
        }
        if let twice = named.first(where: { counts[$0.path, default: 0] > 1 }) {
            throw .refused("'\(printable(twice.path))': found two entries, expected one")
        }
    }
}
