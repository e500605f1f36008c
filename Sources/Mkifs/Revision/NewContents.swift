public import Format

/// Decides how new contents of a file are stored, as mkifs would for the image's release.
struct NewContents {
    private let image: IFS.Image
    private let plan: Plan
    private let addresses: ImageAddresses
    /// The processor of the image's programs, as an ELF `e_machine`; nil where nothing tells it.
    private let machine: UInt16?
    private let profile: Profile
    /// Whether the image's programs have their data copied by the loader.
    private let copiesData: Bool
    /// What there is to say, a line each.
    private(set) var warnings: [String] = []

    /// `plan` is the image's.
    init(
        _ image: IFS.Image, _ plan: Plan, _ addresses: ImageAddresses, _ evidence: ProgramEvidence
    ) {
        self.image = image
        self.plan = plan
        self.addresses = addresses
        machine = image.startup.map(\.machine).flatMap { $0 == 0 ? nil : $0 } ?? evidence.machine
        profile = Profile(evidence.release ?? plan.release)
        copiesData = evidence.copiesData
    }

    /// What is stored for a node's new contents.
    mutating func payload(
        of node: Revision.Node, _ content: Content
    ) throws(MkifsError) -> Payload {
        var content = content
        if isScript(node) { content = try compiled(node, content) }
        let source = try content.source()
        do throws(FormatError) {
            return try payload(of: node, content, source)
        } catch {
            throw .file(content.name.isEmpty ? node.path : content.name, error)
        }
    }

    /// Whether a node is the boot script of the image.
    func isScript(_ node: Revision.Node) -> Bool {
        guard let record = node.record, image.header.scriptInode != 0 else { return false }
        return image.directory.entries[record].inode == image.header.scriptInode
    }

    /// A script's records: text is compiled, and records are taken as they are.
    private func compiled(
        _ node: Revision.Node, _ content: Content
    ) throws(MkifsError) -> Content {
        let name = String(decoding: node.path, as: UTF8.self)
        let source = try content.source()
        guard source.byteCount <= UInt64(IFS.Script.byteLimit) else {
            throw .refused(
                "\(RevisedDirectory.name(node)): found a script of \(source.byteCount) bytes,"
                    + " expected \(IFS.Script.byteLimit) at most")
        }
        let bytes: [UInt8]
        do throws(FormatError) {
            bytes = try source.bytes(source.byteCount, at: 0, "script")
            if let broken = IFS.Script(bytes).broken, !ScriptCompiler.isText(bytes) { throw broken }
        } catch {
            throw .file(node.path, error)
        }
        guard ScriptCompiler.isText(bytes) else { return content }
        return .bytes(try ScriptCompiler.file(of: bytes, name: name, for: profile.release))
    }

    private mutating func payload(
        of node: Revision.Node, _ content: Content, _ source: any ByteSource
    ) throws(FormatError) -> Payload {
        let isPageAligned = node.treatment.isPageAligned
        let plain = Payload(content, source, isPageAligned: isPageAligned)
        if let patched = try patched(node, source) { return patched }
        let wasRaw = try wasRaw(node)
        guard !(node.treatment.isRaw ?? wasRaw), try ELFFile.isELF(source) else { return plain }
        guard let file = program(source, node) else { return plain }
        if let reason = foreignness(of: file) {
            warnings.append("\(RevisedDirectory.name(node)): \(reason); stored as it is")
            return plain
        }
        return Payload(Plan.Program(content, rules(node)), file, rules(node))
    }

    /// Whether a file of the image was an ELF file that is stored as it is: another version stays so.
    private func wasRaw(_ node: Revision.Node) throws(FormatError) -> Bool {
        guard let record = node.record else { return false }
        let entry = image.directory.entries[record]
        guard entry.inode & IFS.Dirent.processedFlag == 0 else { return false }
        return try ELFFile.isELF(image.window(of: entry))
    }

    /// An ELF file whose tables can be read; one of others is stored as it is.
    private mutating func program(_ source: any ByteSource, _ node: Revision.Node) -> ELFFile? {
        do throws(FormatError) {
            return try ELFFile(source)
        } catch {
            warnings.append("\(RevisedDirectory.name(node)): \(error); stored as it is")
            return nil
        }
    }

    /// Why a file is none of the image's programs; nil for one that is.
    private func foreignness(of file: ELFFile) -> String? {
        let header = file.header
        guard [ELFFile.FileType.executable, ELFFile.FileType.shared].contains(header.type) else {
            return "found an ELF file of type \(header.typeName), expected a program or library"
        }
        guard let machine else {
            return "no program of the image tells its processor"
        }
        guard header.machine == machine, header.order == plan.order else {
            let name = ELF.machineName(machine) ?? "machine \(machine)"
            return "found an ELF file for \(header.machineName), \(header.order.rawValue)-endian,"
                + " expected one for \(name), \(plan.order.rawValue)-endian"
        }
        return nil
    }

    private func rules(_ node: Revision.Node) -> ELFLayout.Rules {
        var rules = ELFLayout.Rules(profile.release)
        rules.usesCodeInPlace = node.treatment.code != .copy
        rules.usesDataInPlace =
            (node.treatment.data ?? (copiesData ? .copy : profile.data)) == .inPlace
        rules.isSplit = plan.ram != nil
        rules.hasBootAddress = plan.bootAddress != nil
        rules.pageSize = plan.pageSize
        rules.keptSections = profile.keptSections.map { Array($0.utf8) }
        return rules
    }

    /// The release by whose rules a program is laid out.
    var release: Release { profile.release }

    /// What becomes of a program's permission bits.
    var modeRules: Plan.ModeRules { profile.sticky == .asFound ? [] : .sticky }

    // MARK: Programs of the image

    /// A program of the image with other bytes in its segments: its headers show that it is laid
    /// out already. It is laid out anew where somebody has said how.
    private func patched(
        _ node: Revision.Node, _ source: any ByteSource
    ) throws(FormatError) -> Payload? {
        guard let record = node.record, let old = try laidOut(record),
            node.treatment == Revision.Treatment()
                || image.isBootstrap(image.directory.entries[record]),
            case .file(let offset, let size) = image.directory.entries[record].kind,
            source.byteCount == UInt64(size),
            let new = try addresses.program(source, isProcessed: true, at: UInt64(offset)),
            new.hasHeaders(of: old)
        else { return nil }
        return Payload(
            source, new, origin: UInt64(offset),
            flags: image.directory.entries[record].inode & ~IFS.Dirent.inodeMask)
    }

    /// What the bytes of a record have to do with their place; nil where mkifs has not laid them out.
    private func laidOut(_ record: Int) throws(FormatError) -> ImageProgram? {
        let entry = image.directory.entries[record]
        guard entry.inode & IFS.Dirent.processedFlag != 0,
            case .file(let offset, _) = entry.kind
        else { return nil }
        return try addresses.program(
            image.window(of: entry), isProcessed: true, at: UInt64(offset))
    }

    /// What is stored for one more file with the bytes of a record.
    func copy(of record: Int) throws(FormatError) -> Payload {
        let entry = image.directory.entries[record]
        let source = image.window(of: entry)
        guard case .file(let offset, _) = entry.kind, let program = try laidOut(record),
            !program.isFixed, entry.inode & IFS.Dirent.bootstrapFlag == 0
        else { return Payload(.source(source), source) }
        return Payload(
            source, program, origin: UInt64(offset),
            flags: entry.inode & ~IFS.Dirent.inodeMask)
    }
}

extension IFS.Image {
    /// The bytes of an entry that is a file.
    func window(of entry: IFS.Dirent) -> WindowSource {
        guard case .file(let offset, let size) = entry.kind else {
            return WindowSource(contents, from: 0, count: 0)
        }
        return WindowSource(contents, from: UInt64(offset), count: UInt64(size))
    }
}

extension Content {
    /// The bytes. Throws `refused` for what only a command can make.
    public func source() throws(MkifsError) -> any ByteSource {
        switch self {
        case .bytes(let bytes): MemorySource(bytes)
        case .file(let file): LazyFileSource(file)
        case .source(let source): source
        case .filtered(let file, _):
            throw .refused("\(printable(file.path)): found a filter, expected bytes")
        }
    }
}
