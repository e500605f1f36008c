internal import Format

extension Resolver {
    /// The plan of what was read. Throws the errors that were found, here or before.
    public mutating func plan() throws(MkifsError) -> Plan {
        applyBootfileAttributes()
        try diagnostics.throwErrors()
        let image = scope.image
        let page = boot?.contents?.pageSize ?? 4096
        let programs = try programs()
        let order = byteOrder(programs)
        var plan = Plan(options.release, order, root: root())
        plan.encoding = IFS.Encoding(image.compression ?? .none, isFast: options.isFast)
        plan.pageSize = max(page, 1)
        plan.header.mountpoint = try mountpoint(image)
        plan.header.chain = try chain(image)
        plan.range = range(image)
        plan.ram =
            image.ram.map { $0.completed(from: boot?.contents?.ram ?? AddressRange()) }
            ?? boot?.contents?.ram
        if let contents = boot?.contents { add(contents, to: &plan) }
        try addStartup(to: &plan)
        var maker = EntryMaker(self, programs, root: plan.root, pageSize: plan.pageSize)
        plan.entries = try maker.entries()
        plan.root = maker.root
        diagnostics = maker.diagnostics
        try diagnostics.throwErrors()
        return plan
    }

    // MARK: Image

    /// The attributes of the bootfile come behind all others.
    private mutating func applyBootfileAttributes() {
        guard let contents = boot?.contents, !contents.attributes.isEmpty else { return }
        scope.enter(
            AttributeList(attributes: contents.attributes, mark: contents.mark), lookup,
            &diagnostics)
    }

    private func root() -> Plan.Entry {
        let time = options.times == .kept ? options.buildTime : 0
        return Plan.Entry([], .directory, mode: 0o40755, inode: 1, modified: time)
    }

    private func mountpoint(_ image: ImageAttributes) throws(MkifsError) -> [UInt8] {
        guard let mount = image.mount else { return boot == nil ? [] : [.slash] }
        guard !mount.contains(0) else {
            throw .refused("mount: found a zero byte in \(quoted(mount)), expected a path")
        }
        return mount
    }

    private func chain(_ image: ImageAttributes) throws(MkifsError) -> UInt32 {
        guard let chain = image.chain else { return 0 }
        guard let narrow = UInt32(exactly: chain) else {
            throw .refused("chain: found \(hex(chain)), expected an address below 4 GiB")
        }
        return narrow
    }

    private func range(_ image: ImageAttributes) -> AddressRange {
        var defaults = boot?.contents?.image ?? AddressRange()
        if defaults.start == nil, boot != nil { defaults.start = profile.imageBase }
        return (image.range ?? AddressRange()).completed(from: defaults)
    }

    private func add(_ contents: BootfileContents, to plan: inout Plan) {
        plan.physicalBias = contents.physicalBias
        plan.prefix = .bytes(contents.prefix)
        plan.notLoaded = contents.notLoaded
        plan.bootAddress = contents.bootAddress.map {
            Plan.BootAddress($0, isAboveImage: contents.isAboveImage)
        }
        plan.filter = contents.filter.map {
            Plan.ImageFilter($0, arguments: boot?.arguments ?? [])
        }
    }

    /// What somebody said, else that of the first ELF file, else little-endian.
    private func byteOrder(_ programs: [ELFFile?]) -> ByteOrder {
        if let isBig = scope.image.isBigEndian { return isBig ? .big : .little }
        return programs.lazy.compactMap { $0 }.first?.header.order ?? .little
    }

    // MARK: Programs

    /// Sections that stay in files whose lines say nothing of them.
    var keptSections: [[UInt8]] {
        let own = profile.keptSections.map { Array($0.utf8) }
        if options.keptSections.isEmpty { return own }
        return (profile.addsNamedSections ? own : []) + options.keptSections
    }

    private func programs() throws(MkifsError) -> [ELFFile?] {
        var programs: [ELFFile?] = []
        for draft in drafts { programs.append(try elf(draft)) }
        return programs
    }

    /// The ELF file of a draft that is laid out; nil for anything else.
    private func elf(_ draft: Draft) throws(MkifsError) -> ELFFile? {
        switch draft.kind {
        case .content(let content) where !draft.attributes.isRaw: return try elf(content)
        case .bootstrap(let content, _): return try elf(content)
        default: return nil
        }
    }

    private func elf(_ content: Content) throws(MkifsError) -> ELFFile? {
        if options.isCheck, case .filtered = content { return nil }
        let source = try toolbox.source(of: content)
        do throws(FormatError) {
            return try ELFFile.isELF(source) ? try ELFFile(source) : nil
        } catch {
            throw .file(content.name, error)
        }
    }

    /// How a file is linked; nil for one that is stored as it is.
    func link(
        _ file: ELFFile, _ content: Content, _ attributes: EntryAttributes, isBoot: Bool
    ) throws(MkifsError) -> Plan.Link? {
        let isCandidate =
            isBoot || file.header.type == ELFFile.FileType.relocatable
            || file.header.type == ELFFile.FileType.shared
        guard isCandidate else { return nil }
        var link: Plan.Link?
        for text in scope.image.linkers.reversed() {
            do throws(ValueFault) {
                let spec = try LinkerSpec(parsing: text)
                guard spec.matches(file) else { continue }
                link = Plan.Link(spec.command)
                break
            } catch {
                throw .refused("linker: \(error)")
            }
        }
        if let command = link?.command { try check(command, for: content) }
        if link == nil, file.header.type == ELFFile.FileType.relocatable { link = Plan.Link(nil) }
        guard var link else {
            guard !isBoot else {
                throw .refused(
                    "\(printable(content.name)): found a boot file of type \(file.header.type) and"
                        + " machine \(file.header.machine) that no 'linker=' is for;"
                        + " expected one, or a relocatable file")
            }
            return nil
        }
        link.modules = attributes.modules
        link.kept = attributes.keepLinked ? keptName(of: content.name) : nil
        return link
    }

    /// Throws for a linker's command with a code that is none.
    private func check(_ command: [UInt8], for content: Content) throws(MkifsError) {
        do throws(LinkingError) {
            _ = try CommandTemplate(parsing: command)
        } catch {
            throw .command(content.name, error)
        }
    }

    private func keptName(of path: [UInt8]) -> [UInt8] {
        let name =
            baseName(path) + (options.suffix.map { [.dot] + $0 } ?? []) + Array(".sym".utf8)
        return join(options.outputDirectory ?? [], name)
    }

    private mutating func addStartup(to plan: inout Plan) throws(MkifsError) {
        guard let boot else { return }
        guard let startup = boot.startup else {
            if options.isCheck { return }
            throw .refused("no startup program found while creating a bootable image")
        }
        guard let file = try elf(startup.content) else {
            throw .refused(
                "\(printable(startup.content.name)): found no ELF file, expected the startup program"
            )
        }
        plan.startup = .program(
            Plan.Executable(
                startup.content,
                try link(file, startup.content, startup.attributes, isBoot: true),
                startup.arguments))
    }
}
