internal import Format

/// The directory of an image that is laid out.
struct Records {
    private let layout: Layout
    private let imageOffset: UInt64
    /// In the order of the directory, without the root.
    private let ordered: [(place: Layout.Placed, record: IFS.DirectoryRecord)]

    init(_ layout: Layout, imageOffset: UInt64) {
        self.layout = layout
        self.imageOffset = imageOffset
        var byInode: [UInt32: Layout.Placed] = [:]
        let plan = layout.plan
        for place in layout.places where !plan.entries[place.entry].isHardLink {
            byInode[plan.entries[place.entry].inode] = place
        }
        var ordered: [(place: Layout.Placed, record: IFS.DirectoryRecord)] = []
        for place in layout.places {
            let entry = plan.entries[place.entry]
            ordered.append((place, Self.record(entry, place, byInode, layout, imageOffset)))
        }
        self.ordered = layout.isSorted ? Self.sorted(ordered, plan) : ordered
    }

    /// Bootstrap executables as they are started, then the rest by path, as the later of the 8.0
    /// tools has them.
    private static func sorted(
        _ records: [(place: Layout.Placed, record: IFS.DirectoryRecord)], _ plan: Plan
    ) -> [(place: Layout.Placed, record: IFS.DirectoryRecord)] {
        // A plan of another image says it by the numbers only.
        let boots = records.filter {
            plan.entries[$0.place.entry].role == .bootstrap
                || $0.record.inode & IFS.Dirent.bootstrapFlag != 0
        }.sorted { $0.place.entry < $1.place.entry }
        let known = Set(boots.map(\.place.entry))
        let others = records.filter { !known.contains($0.place.entry) }.sorted {
            $0.record.path.lexicographicallyPrecedes($1.record.path)
        }
        return boots + others
    }

    /// All records, the root's first.
    var all: [IFS.DirectoryRecord] {
        let root = layout.plan.root
        return [Self.plain(root, body: .directory)] + ordered.map(\.record)
    }

    // MARK: Records

    private static func record(
        _ entry: Plan.Entry, _ place: Layout.Placed, _ byInode: [UInt32: Layout.Placed],
        _ layout: Layout, _ imageOffset: UInt64
    ) -> IFS.DirectoryRecord {
        let body: IFS.DirectoryRecord.Body
        var owner = place
        switch entry.kind {
        case .file, .program, .extent: body = file(place, imageOffset)
        case .hardLink(let inode):
            owner = byInode[inode] ?? place
            body = file(owner, imageOffset)
        case .directory: body = .directory
        case .symlink(let target, let library):
            body = .symlink(target: target)
            if let library, let place = byInode[library] { owner = place }
        case .device(let device, let rawDevice):
            body = .device(device: device, rawDevice: rawDevice)
        }
        var record = plain(entry, body: body)
        let source = layout.plan.entries[owner.entry]
        record.inode |= flags(of: source, owner, layout)
        if entry.modeRules.contains(.executableWhenLinked), owner.isLinked { record.mode |= 0o111 }
        if entry.modeRules.contains(.sticky), record.mode & 0o111 != 0, !owner.isRunOnce {
            record.mode |= 0o1000
        }
        return record
    }

    private static func plain(
        _ entry: Plan.Entry, body: IFS.DirectoryRecord.Body
    ) -> IFS.DirectoryRecord {
        var record = IFS.DirectoryRecord(
            path: entry.path, mode: entry.mode, body: body, inode: entry.inode, user: entry.user,
            group: entry.group, modified: entry.modified,
            extendedAttributes: entry.extendedAttributes)
        record.padding = entry.padding
        return record
    }

    private static func file(
        _ place: Layout.Placed, _ imageOffset: UInt64
    ) -> IFS.DirectoryRecord.Body {
        .file(
            offset: UInt32(clamping: place.offset &- min(place.offset, imageOffset)),
            size: UInt32(clamping: place.byteCount))
    }

    /// What the high bits of an inode number say of a program.
    private static func flags(
        of entry: Plan.Entry, _ place: Layout.Placed, _ layout: Layout
    ) -> UInt32 {
        guard case .program(let program) = entry.kind else { return 0 }
        return IFS.Dirent.processedFlag
            | (place.isRunOnce ? IFS.Dirent.runOnceFlag : 0)
            | (program.arguments != nil ? IFS.Dirent.bootstrapFlag : 0)
    }

    // MARK: Header

    func header(_ head: (start: UInt32, end: UInt32), imageSize: UInt32) -> IFS.ImageHeader {
        let plan = layout.plan
        var header = IFS.ImageHeader(plan.order)
        if let flags = plan.header.flags {
            header.flags |= flags & ~IFS.ImageHeader.bigEndianFlag
        } else {
            header.flags = flags
        }
        header.imageSize = imageSize
        header.directoryOffset = head.start
        header.directoryEnd = head.end
        let boots = plan.header.bootInodes ?? inodes(of: .bootstrap)
        header.bootInodes = Array((boots + [0, 0, 0, 0]).prefix(4))
        header.scriptInode = plan.header.scriptInode ?? inodes(of: .script).first ?? 0
        header.chainAddress = plan.header.chain
        if let spare = plan.header.spare { header.spare = spare }
        header.mountFlags = plan.header.mountFlags
        header.mountpoint = plan.header.mountpoint
        return header
    }

    private var flags: UInt8 {
        IFS.ImageHeader.inodeBitsFlag
            | (layout.plan.order == .big ? IFS.ImageHeader.bigEndianFlag : 0)
            | (layout.isSplit ? IFS.ImageHeader.readOnlyFlag : 0)
            | (layout.isSorted ? IFS.ImageHeader.sortedFlag : 0)
            | (layout.profile.hasDigests ? IFS.ImageHeader.trailerV2Flag : 0)
    }

    /// The inode numbers of a role, in the order of the plan.
    private func inodes(of role: Plan.Role) -> [UInt32] {
        let records = [Int: UInt32](
            ordered.map { ($0.place.entry, $0.record.inode) },
            uniquingKeysWith: { first, _ in first })
        return layout.plan.entries.indices
            .filter { layout.plan.entries[$0].role == role }.compactMap { records[$0] }
    }

    // MARK: Listing

    func listing(
        prefix: UInt64, startup: StartupArea?, imageOffset: UInt64, _ header: IFS.ImageHeader
    ) -> [LaidOutImage.Item] {
        let base = layout.base
        func item(
            _ kind: LaidOutImage.Item.Kind, _ offset: UInt64, _ size: UInt64,
            entry: UInt64? = nil, source: [UInt8] = []
        ) -> LaidOutImage.Item {
            LaidOutImage.Item(
                kind: kind, address: base &+ offset, byteCount: size, entryAddress: entry,
                ramOffset: nil, source: source)
        }
        var items: [LaidOutImage.Item] = []
        if prefix > 0 { items.append(item(.prefix, 0, prefix)) }
        let head = UInt64(IFS.StartupHeader.byteCount)
        if let startup {
            items.append(item(.startupHeader, prefix, head))
            items.append(
                item(
                    .startup, prefix &+ head, UInt64(startup.header.startupSize) &- head,
                    entry: startup.entryAddress, source: startup.path ?? []))
        }
        items.append(item(.imageHeader, imageOffset, UInt64(header.directoryOffset)))
        items.append(
            item(
                .directory, imageOffset &+ UInt64(header.directoryOffset),
                UInt64(header.directoryEnd &- header.directoryOffset)))
        items += ordered.map { entry(of: $0.place, $0.record) }
        let trailer = UInt64(header.trailerSize)
        let end = imageOffset &+ UInt64(header.imageSize)
        return items + [item(.trailer, end &- min(end, trailer), trailer)]
    }

    private func entry(
        of place: Layout.Placed, _ record: IFS.DirectoryRecord
    ) -> LaidOutImage.Item {
        let entry = layout.plan.entries[place.entry]
        var address: UInt64?
        var byteCount: UInt64 = 0
        if case .file(let offset, let size) = record.body {
            address = layout.base &+ imageOffset &+ UInt64(offset)
            byteCount = UInt64(size)
        }
        return LaidOutImage.Item(
            kind: .entry(path: record.path, hasData: address != nil), address: address,
            byteCount: byteCount, entryAddress: place.entryAddress,
            ramOffset: place.ramOffset, source: entry.kind.source)
    }
}

extension Layout {
    /// Whether the directory is sorted by path.
    var isSorted: Bool {
        if plan.keepsOrder { return false }
        return plan.header.flags.map { $0 & IFS.ImageHeader.sortedFlag != 0 }
            ?? (profile.order == .byPath)
    }
}

extension Plan.Kind {
    /// The host's file, or a link's text.
    var source: [UInt8] {
        switch self {
        case .file(let content): content.name
        case .program(let program): program.content.name
        case .symlink(let target, _): target
        case .extent, .hardLink, .directory, .device: []
        }
    }
}

extension Plan.Entry {
    var isHardLink: Bool {
        if case .hardLink = kind { true } else { false }
    }

    /// Why the directory cannot hold it; nil where it can.
    var recordFault: String? {
        let size = recordSize
        guard size > 0xffff || size & 3 != 0 else { return nil }
        return "'\(printable(path.prefix(64)))...': found a directory record of \(size) bytes,"
            + " expected " + (size > 0xffff ? "65535 at most" : "a multiple of 4")
    }

    /// Bytes of the directory record.
    var recordSize: Int {
        let body: IFS.DirectoryRecord.Body =
            switch kind {
            case .file, .program, .extent, .hardLink: .file(offset: 0, size: 0)
            case .directory: .directory
            case .symlink(let target, _): .symlink(target: target)
            case .device: .device(device: 0, rawDevice: 0)
            }
        var record = IFS.DirectoryRecord(path: path, mode: mode, body: body, inode: inode)
        record.padding = padding
        return record.byteCount
    }
}
