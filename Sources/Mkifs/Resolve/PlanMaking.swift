internal import Format

extension Resolver {
    /// The plan of what was read. Throws the errors that were found, here or before.
    public mutating func plan() throws(MkifsError) -> Plan {
        applyBootfileAttributes()
        let image = scope.image
        let page = boot?.contents?.pageSize ?? 4096
        checkBootSection()
        var maker = EntryMaker(self, root: root(), pageSize: max(page, 1))
        // What is wrong with the text is told before any file is opened, and what is wrong with
        // the files before any is linked.
        diagnostics = maker.diagnostics
        try diagnostics.throwErrors()
        let programs = programs()
        try diagnostics.throwErrors()
        let order = byteOrder(programs)
        var plan = Plan(options.release, order, root: root())
        plan.encoding = IFS.Encoding(image.compression ?? .none, isFast: options.isFast)
        plan.pageSize = max(page, 1)
        plan.header.mountpoint = try mountpoint(image)
        plan.header.chain = image.chain ?? 0
        plan.range = range(image)
        plan.ram =
            image.ram.map { $0.completed(from: boot?.contents?.ram ?? AddressRange()) }
            ?? boot?.contents?.ram
        if let contents = boot?.contents { add(contents, to: &plan) }
        addStartup(to: &plan)
        plan.entries = maker.entries(programs, &diagnostics)
        plan.root = maker.root
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

    private mutating func programs() -> [ELFFile?] {
        var programs: [ELFFile?] = []
        for draft in drafts {
            do throws(MkifsError) {
                programs.append(try elf(draft))
            } catch {
                diagnostics.add(Diagnostic(at: draft.mark, error.description))
                programs.append(nil)
            }
        }
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
            // Without its bootfile, which may have a linker, a check cannot tell.
            guard isBoot, !options.isCheck || boot?.contents != nil else { return nil }
            throw .refused(
                "\(quoted(content.name)): found an \(file.header.typeName) file for"
                    + " \(file.header.machineName), expected an ET_REL file, or a 'linker=' that is"
                    + " for this one")
        }
        if let command = link.command {
            do throws(LinkingError) {
                _ = try CommandTemplate(parsing: command)
            } catch {
                throw .command(content.name, error)
            }
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
            lastComponent(path) + (options.suffix.map { [.dot] + $0 } ?? []) + Array(".sym".utf8)
        return join(options.outputDirectory ?? [], name)
    }

    private mutating func checkBootSection() {
        guard let boot, boot.programCount == 0 else { return }
        diagnostics.add(
            Diagnostic(
                at: boot.mark, "no startup program found while creating a bootable image",
                hint: "the first command of the section is the startup program"))
    }

    private mutating func addStartup(to plan: inout Plan) {
        guard let startup = boot?.startup else { return }
        do throws(MkifsError) {
            guard let file = try elf(startup.content) else {
                throw .refused(
                    "\(quoted(startup.content.name)): found no ELF file, expected the startup"
                        + " program")
            }
            plan.startup = .program(
                Plan.Executable(
                    startup.content,
                    try link(file, startup.content, startup.attributes, isBoot: true),
                    startup.arguments))
        } catch {
            diagnostics.add(Diagnostic(at: startup.mark, error.description))
        }
    }
}
