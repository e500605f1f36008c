internal import Format

/// Makes the entries of a plan out of drafts: paths, links to shared objects, numbers, places.
struct EntryMaker {
    let resolver: Resolver
    let pageSize: UInt64
    /// The ELF file of each draft that is laid out.
    private var programs: [ELFFile?] = []
    /// What there is to say, what the resolver had to say included.
    private(set) var diagnostics: Diagnostics
    private(set) var root: Plan.Entry
    private var made: [Made] = []
    /// Where in `made` a path is; the last one of several.
    private var places: [[UInt8]: Int] = [:]

    /// A draft with its path, or the link to the shared object that `library` is.
    private struct Made {
        let draft: Int
        var path: [UInt8]
        var soname: [UInt8]?
        var library: Int?
        var isDropped = false
    }

    /// The first name of a host file that has several.
    private struct First {
        let draft: Int
        let inode: UInt32
    }

    /// Gives every draft its path.
    init(_ resolver: Resolver, root: Plan.Entry, pageSize: UInt64) {
        self.resolver = resolver
        self.root = root
        self.pageSize = pageSize
        diagnostics = resolver.diagnostics
        let prefix = resolver.boot == nil ? [] : Array("proc/boot".utf8)
        for index in resolver.drafts.indices {
            do throws(Diagnostic) {
                try add(index, resolver.drafts[index].path(defaultPrefix: prefix))
            } catch {
                diagnostics.add(error)
            }
        }
    }

    private var profile: Profile { resolver.profile }

    /// All entries, in the order of the buildfile; `programs` are the ELF files of the drafts.
    mutating func entries(
        _ programs: [ELFFile?], _ diagnostics: inout Diagnostics
    ) -> [Plan.Entry] {
        self.programs = programs
        self.diagnostics = diagnostics
        addLibraryLinks()
        let entries = numbered()
        diagnostics = self.diagnostics
        return entries
    }

    // MARK: Paths

    private mutating func add(_ index: Int, _ path: [UInt8]) throws(Diagnostic) {
        let draft = resolver.drafts[index]
        if path.isEmpty {
            guard draft.isDirectory else {
                throw Diagnostic(
                    at: draft.mark, "the root of the image is a directory and nothing else")
            }
            // The root of an imported tree says nothing of the image's.
            if draft.attributes.type == .dir { root = attributed(root, by: draft, program: nil) }
            return
        }
        guard !path.split(separator: .slash).contains([.dot, .dot]) else {
            throw Diagnostic(at: draft.mark, "\(quoted(path)): a path in an image has no '..'")
        }
        try refuseZeroByte(in: path, draft)
        if case .link(let text) = draft.kind { try refuseZeroByte(in: text, draft) }
        if let earlier = places[path], !profile.keepsDuplicates {
            guard try replaces(draft, made[earlier].draft, path) else { return }
            made[earlier].isDropped = true
        }
        places[path] = made.count
        made.append(Made(draft: index, path: path))
    }

    /// Names and texts end at a zero byte in an image.
    private func refuseZeroByte(in text: [UInt8], _ draft: Draft) throws(Diagnostic) {
        guard text.contains(0) else { return }
        throw Diagnostic(at: draft.mark, "found a zero byte in \(quoted(text)), expected text")
    }

    /// Whether a draft takes the place of an earlier one of the same path. Throws where they differ.
    private func replaces(
        _ draft: Draft, _ earlier: Int, _ path: [UInt8]
    ) throws(Diagnostic) -> Bool {
        if draft.attributes.ignoresDuplicates { return false }
        let first = resolver.drafts[earlier]
        guard draft.summary == first.summary else {
            throw Diagnostic(
                at: draft.mark, "\(quoted(path)) is in the image already, from \(first.mark)",
                hint: "'+dupignore' keeps the first")
        }
        return true
    }

    // MARK: Links to shared objects

    /// A shared object is stored under the name that it gives itself; a link without the version
    /// leads to it.
    private mutating func addLibraryLinks() {
        let given = made
        // How many entries have a path: some releases have several.
        var paths: [[UInt8]: Int] = [:]
        for entry in given where !entry.isDropped { paths[entry.path, default: 0] += 1 }
        made = []
        var links: [[UInt8]: Int] = [:]
        var libraries: [[UInt8]: Int] = [:]
        for entry in given where !entry.isDropped {
            var entry = entry
            let draft = resolver.drafts[entry.draft]
            guard draft.attributes.autolink, !draft.isBootstrap,
                let program = programs[entry.draft],
                let soname = soname(of: program, draft)
            else {
                made.append(entry)
                continue
            }
            let folder = Array(
                entry.path[..<(entry.path.lastIndex(of: .slash).map { $0 + 1 } ?? 0)])
            var link = folder + Self.withoutVersion(soname)
            let name = folder + soname
            if entry.path != name {
                paths[entry.path, default: 0] -= 1
                link = entry.path
                entry.path = name
                paths[name, default: 0] += 1
            }
            var library = made.count
            if !profile.keepsDuplicates, let earlier = libraries[name] {
                say(of: draft, name, inImageFrom: made[earlier].draft)
                library = earlier
            } else {
                libraries[name] = library
                made.append(entry)
            }
            guard link != folder, link != entry.path, paths[link, default: 0] == 0 else { continue }
            if !profile.keepsDuplicates, let earlier = links[link] {
                made[earlier].isDropped = true
            }
            links[link] = made.count
            made.append(
                Made(draft: entry.draft, path: link, soname: soname, library: library))
        }
    }

    /// Two lines can mean the same library by different names.
    private mutating func say(of draft: Draft, _ name: [UInt8], inImageFrom index: Int) {
        let earlier = resolver.drafts[index]
        guard draft.summary != earlier.summary else { return }
        diagnostics.add(
            Diagnostic(
                .warning, at: draft.mark,
                "\(quoted(name)) is in the image already, from \(earlier.mark); left out"))
    }

    private mutating func soname(of program: ELFFile, _ draft: Draft) -> [UInt8]? {
        do throws(FormatError) {
            guard let name = try program.soname(), !name.isEmpty, !name.contains(.slash) else {
                return nil
            }
            return name
        } catch {
            diagnostics.add(
                Diagnostic(at: draft.mark, "\(printable(draft.contentName)): \(error)"))
            return nil
        }
    }

    private static func withoutVersion(_ name: [UInt8]) -> [UInt8] {
        Array(name[..<(name.lastIndex { !$0.isDigit && $0 != .dot }.map { $0 + 1 } ?? 0)])
    }

    // MARK: Numbers and places

    private mutating func numbered() -> [Plan.Entry] {
        var entries: [Plan.Entry] = []
        var numbers: [Int: UInt32] = [:]
        var firsts: [HostStatus.Identity: [First]] = [:]
        for (index, one) in made.enumerated() where !one.isDropped {
            let draft = resolver.drafts[one.draft]
            let number = UInt32(clamping: 2 + entries.count)
            numbers[index] = number
            guard one.library == nil else {
                entries.append(libraryLink(one, draft, number, numbers))
                continue
            }
            let kind: Plan.Kind
            do throws(MkifsError) {
                kind = try self.kind(of: one.draft, draft, firsts)
            } catch {
                diagnostics.add(Diagnostic(at: draft.mark, error.description))
                continue
            }
            var entry = Plan.Entry(one.path, kind, mode: 0, inode: number)
            if case .hardLink(let first) = kind { entry.inode = first }
            if let identity = draft.hardLink, entry.inode == number {
                firsts[identity, default: []].append(First(draft: one.draft, inode: number))
            }
            entry = attributed(entry, by: draft, program: programs[one.draft])
            entry.place = place(of: entry, draft, programs[one.draft])
            if let fault = entry.recordFault {
                diagnostics.add(Diagnostic(at: draft.mark, fault))
            }
            entries.append(entry)
        }
        return profile.listsParents ? entries + parents(of: entries) : entries
    }

    private func libraryLink(
        _ one: Made, _ draft: Draft, _ number: UInt32, _ numbers: [Int: UInt32]
    ) -> Plan.Entry {
        let library = one.library.flatMap { numbers[$0] }
        var entry = Plan.Entry(
            one.path, .symlink(target: one.soname ?? [], library: library), mode: 0, inode: number)
        entry = attributed(entry, by: draft, program: nil)
        entry.mode =
            IFS.Dirent.ModeType.symlink
            | (profile.linksTakePermissions ? entry.mode & 0o7777 & ~0o1000 : 0o777)
        entry.modeRules = profile.linksTakePermissions ? .executableWhenLinked : []
        entry.role = .none
        let page = programs[one.draft].flatMap { bigPage(for: $0, draft) }
        entry.place = .inOrder(unit: profile.linksAreAligned ? page ?? 1 : 1)
        return entry
    }

    private func kind(
        of index: Int, _ draft: Draft, _ firsts: [HostStatus.Identity: [First]]
    ) throws(MkifsError) -> Plan.Kind {
        switch draft.kind {
        case .directory: return .directory
        case .fifo: return .device(device: 0, rawDevice: 0)
        case .device(let device):
            return .device(device: device.number ?? 0, rawDevice: device.number ?? 0)
        case .link(let text): return .symlink(target: text, library: nil)
        case .script: return .file(.bytes(resolver.script))
        case .content(let content):
            if let first = first(of: draft, firsts) { return .hardLink(to: first.inode) }
            guard let file = programs[index] else { return .file(content) }
            return .program(try program(content, file, draft, nil))
        case .bootstrap(let content, let arguments):
            guard let file = programs[index] else {
                throw .refused(
                    "\(quoted(content.name)): found no ELF file, expected a bootstrap executable")
            }
            return .program(try program(content, file, draft, arguments))
        }
    }

    /// The entry that has the data of a host file with several names. One that other attributes hold
    /// for may have other data.
    private func first(of draft: Draft, _ firsts: [HostStatus.Identity: [First]]) -> First? {
        guard let identity = draft.hardLink else { return nil }
        return firsts[identity]?.first {
            resolver.drafts[$0.draft].attributes == draft.attributes
        }
    }

    private func program(
        _ content: Content, _ file: ELFFile, _ draft: Draft, _ arguments: IFS.BootArguments?
    ) throws(MkifsError) -> Plan.Program {
        var rules = ELFLayout.Rules()
        rules.usesCodeInPlace = draft.attributes.code == .inPlace
        rules.usesDataInPlace =
            draft.attributes.data == .inPlace || arguments != nil && startsWhereItLies
        rules.keepsRelocations = draft.attributes.keepsRelocations ?? true
        rules.keptSections =
            draft.attributes.keptSections
            ?? (arguments == nil || profile.bootstrapsKeepSections ? resolver.keptSections : [])
        var program = Plan.Program(content, rules)
        program.arguments = arguments
        program.link = try resolver.link(
            file, content, draft.attributes, isBoot: arguments != nil)
        return program
    }

    /// Whether bootstrap executables use their data where it lies, whatever the default is: when they
    /// start there is no loader yet that would copy it. In a split image the startup does.
    private var startsWhereItLies: Bool {
        profile.data == .copy && resolver.scope.image.ram == nil
            && resolver.boot?.contents?.ram == nil
    }

    private func place(
        of entry: Plan.Entry, _ draft: Draft, _ program: ELFFile?
    ) -> Plan.Location {
        guard let program, case .program = entry.kind else {
            return draft.attributes.pageAlign ? .inOrder(unit: pageSize) : .free
        }
        let isInPlace =
            draft.isBootstrap || draft.attributes.code == .inPlace
            || profile.elf.useInPlace == .always
        var unit = isInPlace ? pageSize : 1
        guard let wanted = draft.attributes.physicalAlignment, wanted.size > 0 else {
            unit = max(unit, bigPage(for: program, draft) ?? 0)
            return .inOrder(unit: unit)
        }
        return wanted.isGroup
            ? .inOrder(unit: unit, group: wanted.size) : .inOrder(unit: max(unit, wanted.size))
    }

    /// The largest page that the text of a file fills; nil where pages are all of one size.
    private func bigPage(for program: ELFFile, _ draft: Draft) -> UInt64? {
        guard draft.attributes.bigPages ?? resolver.boot?.contents?.bigPages ?? false,
            draft.attributes.code == .inPlace, !draft.isBootstrap
        else { return nil }
        let listed = resolver.scope.image.pageSizes
        let sizes = listed.isEmpty ? resolver.boot?.contents?.pageSizes ?? [] : listed
        let text = program.header.segments.first {
            $0.type == ELFFile.SegmentType.load && $0.flags & ELFFile.SegmentFlag.execute != 0
        }
        return sizes.filter { $0 <= text?.fileSize ?? 0 }.max()
    }

    // MARK: Directories

    /// Entries for the directories above others that no line names, numbered behind all others.
    private func parents(of entries: [Plan.Entry]) -> [Plan.Entry] {
        var known = Set(entries.map(\.path))
        var parents: [Plan.Entry] = []
        for entry in entries {
            for end in entry.path.indices where entry.path[end] == .slash {
                let path = Array(entry.path[..<end])
                guard known.insert(path).inserted else { continue }
                parents.append(parent(path, UInt32(clamping: 2 + entries.count + parents.count)))
            }
        }
        return parents
    }

    private func parent(_ path: [UInt8], _ number: UInt32) -> Plan.Entry {
        var entry = Plan.Entry(
            path, .directory, mode: IFS.Dirent.ModeType.directory | 0o755, inode: number,
            modified: time(.host, nil))
        guard let patch = resolver.patches?.values(for: path, isDirectory: true) else {
            return entry
        }
        (entry.user, entry.group) = (patch.user, patch.group)
        entry.mode = IFS.Dirent.ModeType.directory | UInt32(patch.permissions)
        return entry
    }

    // MARK: Attributes

    /// Owner, permissions and time, as attributes, host, release and patches have them.
    private func attributed(
        _ plain: Plan.Entry, by draft: Draft, program: ELFFile?
    ) -> Plan.Entry {
        var entry = plain
        let attributes = draft.attributes
        entry.user = id(attributes.user, draft.base.user)
        entry.group = id(attributes.group, draft.base.group)
        entry.modified = time(attributes.time, draft.base.modified)
        if attributes.time == .host, draft.isDirectory, draft.base.modified == nil,
            !profile.datesDirectories
        {
            entry.modified = 0
        }
        let rule = draft.isDirectory ? attributes.directoryPermissions : attributes.permissions
        var bits = rule.applied(to: draft.base.permissions)
        let isDirectory = draft.isDirectory
        let patch = resolver.patches?.values(for: entry.path, isDirectory: isDirectory)
        if let patch {
            (entry.user, entry.group, bits) = (patch.user, patch.group, patch.permissions)
        }
        entry.mode = fileType(of: draft)
        addBits(bits, to: &entry, draft, program)
        if case .bootstrap = draft.kind { entry.role = .bootstrap }
        if case .script = draft.kind { entry.role = .script }
        return entry
    }

    private func addBits(
        _ bits: UInt16, to entry: inout Plan.Entry, _ draft: Draft, _ program: ELFFile?
    ) {
        var bits = bits
        if program != nil { entry.modeRules.insert(.executableWhenLinked) }
        if let program, profile.executables.includes(program) { bits |= 0o111 }
        let isTreated =
            switch (profile.sticky, draft.kind) {
            case (_, .directory), (_, .fifo), (_, .device), (.asFound, _): false
            case (.executableFiles, _): true
            case (.programs, _): program.map { !$0.isLibrary } ?? false
            }
        if isTreated {
            bits &= ~0o1000
            entry.modeRules.insert(.sticky)
        }
        entry.mode |= UInt32(bits)
    }

    private func fileType(of draft: Draft) -> UInt32 {
        switch draft.kind {
        case .content, .bootstrap, .script: IFS.Dirent.ModeType.regular
        case .directory: IFS.Dirent.ModeType.directory
        case .fifo: IFS.Dirent.ModeType.fifo
        case .device(let device): device.kind.rawValue
        case .link: IFS.Dirent.ModeType.symlink
        }
    }

    private func id(_ owner: Owner, _ host: UInt32) -> UInt32 {
        switch owner {
        case .id(let id): id
        case .host: profile.isOwnedByRoot ? 0 : host
        }
    }

    private func time(_ time: FileTime, _ host: UInt32?) -> UInt32 {
        if case .seconds(let seconds) = time { return seconds }
        switch resolver.options.times {
        case .zero: return 0
        case .zeroGenerated: return host ?? 0
        case .kept: return host ?? resolver.options.buildTime
        }
    }
}

extension Draft {
    var isBootstrap: Bool { if case .bootstrap = kind { true } else { false } }

    /// The host's path, for messages.
    var contentName: [UInt8] {
        switch kind {
        case .content(let content), .bootstrap(let content, _): content.name
        case .script, .directory, .fifo, .device, .link: target
        }
    }
}
