internal import Format

/// Makes the entries of a changed image's plan.
struct RevisedEntries {
    private let image: IFS.Image
    /// The image's.
    private let plan: Plan
    private let directory: RevisedDirectory
    private let contents: RevisedContents
    /// The next number that no record of the image has.
    private var nextInode: UInt32
    /// The numbers that the entries have got, with their flags.
    private var inodes: [UInt32] = []
    /// Whether a program is to be laid out.
    private(set) var hasPrograms = false

    init(
        _ image: IFS.Image, _ plan: Plan, _ directory: RevisedDirectory,
        _ contents: RevisedContents
    ) {
        self.image = image
        self.plan = plan
        self.directory = directory
        self.contents = contents
        nextInode =
            (image.directory.entries.map { $0.inode & IFS.Dirent.inodeMask }.max() ?? 0) &+ 1
    }

    /// The root with other attributes.
    func root(_ node: Revision.Node) -> Plan.Entry {
        var root = plan.root
        root.mode = node.mode & ~IFS.Dirent.ModeType.mask | IFS.Dirent.ModeType.directory
        (root.user, root.group, root.modified) = (node.user, node.group, node.modified)
        return root
    }

    /// All entries with their places, in the order of the directory; `places` are those of new bytes.
    mutating func entries(
        _ blocks: [DataBlock], _ places: [Range<UInt64>?]
    ) throws(MkifsError) -> [Plan.Entry] {
        var entries = directory.slots.map { $0.entry(plan) }
        try number(&entries)
        for (slot, bytes) in contents.bytes.enumerated() {
            place(&entries[slot], bytes)
        }
        do throws(FormatError) {
            for block in blocks { try place(block, &entries) }
            for (new, place) in zip(contents.news, places) {
                guard let place else { continue }
                try self.place(new, place, &entries)
            }
        } catch {
            throw .format(error)
        }
        inodes = entries.map(\.inode)
        return entries
    }

    // MARK: Data

    /// Bytes that are where a record says, and those of empty files.
    private func place(_ entry: inout Plan.Entry, _ bytes: RevisedContents.Bytes) {
        switch bytes {
        case .none, .new: break
        case .empty(let offset):
            entry.kind = .file(.bytes([]))
            entry.place = .fixed(UInt64(offset ?? image.header.directoryEnd))
        case .found(let record):
            guard case .file(let offset, let size) = image.directory.entries[record].kind else {
                return
            }
            entry.kind = .extent(byteCount: size)
            entry.place = .fixed(UInt64(offset))
        }
    }

    /// Moves the files of a block with it. The first of them has the bytes, where it has all of them.
    private func place(
        _ block: DataBlock, _ entries: inout [Plan.Entry]
    ) throws(FormatError) {
        let distance = block.place &- block.range.lowerBound
        for member in block.members {
            guard case .fixed(let offset) = entries[member.slot].place else { continue }
            entries[member.slot].place = .fixed(offset &+ distance)
        }
        guard !isShared(block) else { return }
        let source = try block.contents(image, contents.addresses)
        entries[block.members[0].slot].kind = .file(.source(source))
    }

    /// Whether a block is more than one file with all its names.
    private func isShared(_ block: DataBlock) -> Bool {
        block.members.contains { image.extent(of: $0.record) != block.range }
    }

    /// The bytes of files that overlap.
    func sharedBytes(of blocks: [DataBlock]) throws(MkifsError) -> [Plan.Remain] {
        do throws(FormatError) {
            var remains: [Plan.Remain] = []
            for block in blocks where isShared(block) {
                let source = try block.contents(image, contents.addresses)
                remains.append(Plan.Remain(at: block.place, .source(source)))
            }
            return remains
        } catch {
            throw .format(error)
        }
    }

    private mutating func place(
        _ new: RevisedContents.New, _ place: Range<UInt64>, _ entries: inout [Plan.Entry]
    ) throws(FormatError) {
        let kind = try new.payload.kind(at: place.lowerBound)
        var rules: Plan.ModeRules = []
        if case .program = kind {
            hasPrograms = true
            rules = contents.new.modeRules
        }
        for slot in new.slots {
            entries[slot].kind = kind
            entries[slot].place = .fixed(place.lowerBound)
            entries[slot].modeRules = rules
        }
        for slot in new.slots.dropFirst() {
            entries[slot].kind = .hardLink(to: entries[new.slots[0]].inode)
            entries[slot].place = .free
        }
    }

    // MARK: Numbers

    /// Gives a number to what has none. Of several names of a file, those that have got other
    /// contents than the rest are a file of their own.
    private mutating func number(_ entries: inout [Plan.Entry]) throws(MkifsError) {
        var counts: [UInt32: Int] = [:]
        for slot in directory.slots {
            if let number = self.number(of: slot) { counts[number, default: 0] += 1 }
        }
        var groups: [Int: UInt32] = [:]
        for (index, slot) in directory.slots.enumerated() where !slot.keepsBytes {
            var (names, flags) = (1, UInt32(0))
            var group: Int?
            switch contents.bytes[index] {
            case .none:
                if slot.record != nil { continue }
            case .empty: break
            case .found(let record):
                flags =
                    image.directory.entries[record].inode
                    & (IFS.Dirent.processedFlag | IFS.Dirent.runOnceFlag)
            case .new(let new):
                (names, flags) = (contents.news[new].slots.count, contents.news[new].payload.flags)
                group = new
            }
            if let number = group.flatMap({ groups[$0] }) {
                entries[index].inode = number
                continue
            }
            let known = number(of: slot)
            let isShared = known.map { counts[$0] != names } ?? true
            let number = if let known, !isShared { known } else { try freshNumber() }
            entries[index].inode = number | flags
            if let group { groups[group] = entries[index].inode }
        }
    }

    private func number(of slot: RevisedDirectory.Slot) -> UInt32? {
        slot.record.map { image.directory.entries[$0].inode & IFS.Dirent.inodeMask }
    }

    private mutating func freshNumber() throws(MkifsError) -> UInt32 {
        guard nextInode <= IFS.Dirent.inodeMask else {
            throw .refused(
                "inode number: found \(hex(IFS.Dirent.inodeMask)) in use, the last one, expected a"
                    + " free one behind it")
        }
        defer { nextInode &+= 1 }
        return nextInode
    }

    /// Says in the header which entries the bootstrap executables and the script are now.
    func setRoles(in header: inout Plan.Header) {
        let old = image.directory.entries
        let entries = [Int: Int](
            uniqueKeysWithValues: directory.slots.enumerated().compactMap { index, slot in
                slot.record.map { ($0, index) }
            })
        func inode(_ number: UInt32) -> UInt32 {
            guard number != 0, let record = old.lastIndex(where: { $0.inode == number }) else {
                return number
            }
            if let slot = entries[record] { return inodes[slot] }
            // Another file has taken its name.
            let path = image.directory.path(of: old[record])
            let slot = directory.slots.indices.last { index in
                if case .none = contents.bytes[index] { return false }
                return directory.slots[index].path[...] == path
            }
            return slot.map { inodes[$0] } ?? 0
        }
        header.bootInodes = image.header.bootInodes.map(inode)
        header.scriptInode = inode(image.header.scriptInode)
    }
}

extension RevisedDirectory.Slot {
    /// The entry without its data: for a new one without its number, too.
    func entry(_ plan: Plan) -> Plan.Entry {
        let old = record.map { plan.entries[$0 - 1] }
        guard let node else {
            var entry = old ?? Plan.Entry(path, .directory, mode: 0, inode: 0)
            if entry.path != path { (entry.path, entry.padding) = (path, nil) }
            return entry
        }
        let isOld = keepsBytes
        let kind = isOld ? old?.kind ?? node.emptyKind : node.emptyKind
        var entry = Plan.Entry(
            path, kind, mode: node.typedMode, inode: old?.inode ?? 0, user: node.user,
            group: node.group, modified: node.modified)
        guard let old else { return entry }
        let type = IFS.Dirent.ModeType.mask
        if isOld { entry.mode = node.mode & ~type | old.mode & type }
        entry.extendedAttributes = old.extendedAttributes
        if old.path == path, old.kind.linkTarget == kind.linkTarget { entry.padding = old.padding }
        return entry
    }
}

extension Revision.Node {
    /// The mode with the type that the node's kind has.
    fileprivate var typedMode: UInt32 {
        let permissions = mode & ~IFS.Dirent.ModeType.mask
        return switch kind {
        case .file: permissions | IFS.Dirent.ModeType.regular
        case .directory: permissions | IFS.Dirent.ModeType.directory
        case .symlink: permissions | IFS.Dirent.ModeType.symlink
        case .device: mode
        }
    }

    /// What it is, without the bytes of a file.
    var emptyKind: Plan.Kind {
        switch kind {
        case .file: .file(.bytes([]))
        case .directory: .directory
        case .symlink(let target): .symlink(target: target, library: nil)
        case .device(let device, let rawDevice):
            .device(device: device, rawDevice: rawDevice)
        }
    }
}

extension Plan.Kind {
    /// The text of a symbolic link; nil for anything else.
    fileprivate var linkTarget: [UInt8]? {
        guard case .symlink(let target, _) = self else { return nil }
        return target
    }
}
