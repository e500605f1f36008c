internal import Format

/// Goes over buildfiles line by line: attributes get their values, variables theirs, names of the
/// host are looked for. What comes out is a list of drafts, of which `plan` makes a plan.
///
/// All errors that can be told are, in one run; they gather in `diagnostics`.
public struct Resolver {
    let options: BuildOptions
    let profile: Profile
    let toolbox: Toolbox
    /// What there is to say so far.
    public internal(set) var diagnostics = Diagnostics()
    /// Files of the host that the image depends on, in the order in which they were met.
    public private(set) var dependencies: [[UInt8]] = []
    /// How many files of the host were not there.
    public private(set) var missingCount = 0
    /// Texts that diagnostics speak of, by name; each `-l` is one of its own.
    private var sources: [String: [SourceText]] = [:]

    var scope: AttributeScope
    var globals = GlobalVariables()
    var drafts: [Draft] = []
    var boot: BootSection?
    /// Owners and permissions that are set at last.
    var patches: PatchFile?
    private var compiler = ScriptCompiler()
    /// The compiled script.
    var script: [UInt8] { compiler.file }
    private var scriptTargets: Set<[UInt8]> = []
    private var environment: [[UInt8]: [UInt8]]
    private var includeDepth = 0
    private var imported: Set<[[UInt8]]> = []

    /// How deep `+include` may go.
    private static let includeLimit = 20
    /// How large a buildfile may be.
    static let textLimit: UInt64 = 64 << 20

    /// Starts with nothing.
    public init(_ options: BuildOptions, _ toolbox: Toolbox) {
        self.options = options
        self.toolbox = toolbox
        profile = Profile(options.release)
        scope = AttributeScope(options.release)
        environment = Self.environment(options, profile, processor: nil)
    }

    // MARK: Variables

    /// Values of variables: the buildfile's own, those that mkifs itself sets, the environment's.
    var lookup: VariableLookup { globals.lookup(before: environmentLookup) }

    /// Values of variables that no line of a section has set.
    var environmentLookup: VariableLookup {
        let environment = environment
        return { environment[$0] }
    }

    /// The environment as the vendor's tool adjusts it.
    private static func environment(
        _ options: BuildOptions, _ profile: Profile, processor: [UInt8]?
    ) -> [[UInt8]: [UInt8]] {
        var values = options.environment
        let processor =
            processor ?? values[Array("PROCESSOR".utf8)] ?? Array(profile.processor.utf8)
        let base =
            processor.suffix(2) == Array("le".utf8) || processor.suffix(2) == Array("be".utf8)
            ? Array(processor.dropLast(2)) : processor
        values[Array("PROCESSOR".utf8)] = processor
        values[Array("CPU_BASE".utf8)] = base
        values[Array("PROCESSOR_BASE".utf8)] = base
        if let root = options.root { values[Array("_ROOTDIR_".utf8)] = root }
        let path = Array("MKIFS_PATH".utf8)
        if values[path] == nil {
            values[path] = HostSearch.defaultPath(hasRoot: values[Array("_ROOTDIR_".utf8)] != nil)
        }
        return values
    }

    // MARK: Lines

    /// Takes in a buildfile, or a line of the command line.
    public mutating func add(_ source: SourceText) {
        sources[source.name, default: []].append(source)
        let file = BuildFile(parsing: source, &diagnostics)
        for line in file.lines where !diagnostics.isFull { add(line) }
    }

    /// Takes in a patch file.
    public mutating func add(patches source: SourceText) {
        sources[source.name] = [source]
        patches = PatchFile(parsing: source, &diagnostics)
    }

    /// A diagnostic with the line that it is about, where that is known.
    public func rendered(_ diagnostic: Diagnostic) -> String {
        let texts = sources[diagnostic.mark.file] ?? []
        let text = texts.first { $0.line(diagnostic.mark.line) != nil }
        return text.map(diagnostic.rendered(from:)) ?? diagnostic.description
    }

    /// Takes in a directory of the host as if a line named it.
    public mutating func add(directory: [UInt8]) {
        let mark = SourceMark(file: printable(directory), line: 1, column: 1)
        do throws(Diagnostic) {
            guard let status = options.files.status(of: directory, followsLinks: true),
                status.kind == .directory
            else { throw Diagnostic(at: mark, "found no directory") }
            try importDirectory(directory, status, as: [], scope.defaults, mark)
        } catch {
            diagnostics.add(error)
        }
    }

    private mutating func add(_ line: BuildFile.Line) {
        let attributes = scope.enter(line, lookup, &diagnostics)
        guard let first = line.words.first else { return }
        do throws(Diagnostic) {
            let target = try first.expanded(lookup)
            guard !target.isEmpty else {
                throw Diagnostic(at: first.mark, "the name of the target is empty")
            }
            if attributes.physical != nil {
                throw Diagnostic(
                    at: line.mark, "'physical=' has never been implemented by any release",
                    hint: "write 'virtual='")
            }
            if let bootfile = attributes.virtual {
                try addBoot(bootfile, line, attributes)
            } else if attributes.isInclude {
                try include(target, attributes, line.mark)
            } else if attributes.isScript {
                try addScript(target, line, attributes)
            } else {
                try add(target, line, attributes)
            }
        } catch {
            diagnostics.add(error)
        }
    }

    private mutating func add(
        _ target: [UInt8], _ line: BuildFile.Line, _ attributes: EntryAttributes
    ) throws(Diagnostic) {
        let source = line.words.count > 1 ? try line.words[1].expanded(lookup) : nil
        guard attributes.type == .file || line.inline == nil else {
            throw Diagnostic(
                at: line.mark, "found a text, and 'type=\(attributes.type.rawValue)' has none")
        }
        let mark = line.words.first?.mark ?? line.mark
        switch attributes.type {
        case .link:
            guard let source else {
                throw Diagnostic(
                    at: mark, "a link has no text", hint: "write 'link = text'")
            }
            addDraft(target, .link(text: source), attributes, .init(permissions: 0o777), mark)
        case .fifo:
            addDraft(target, .fifo, attributes, .init(permissions: 0o666), mark)
        case .dir:
            try addDirectory(target, like: source, attributes, mark)
        case .file:
            if let inline = line.inline {
                let owner = Host.owner
                addDraft(
                    target, .content(.bytes(inline.text.bytes)), attributes,
                    .init(permissions: 0o666, user: owner.user, group: owner.group), mark)
            } else {
                try addFile(target, source, attributes, line.words.last?.mark ?? mark)
            }
        }
    }

    mutating func addDraft(
        _ target: [UInt8], _ kind: Draft.Kind, _ attributes: EntryAttributes, _ base: Draft.Base,
        _ mark: SourceMark, hardLink: HostStatus.Identity? = nil
    ) {
        drafts.append(
            Draft(
                target: target, kind: kind, attributes: attributes, base: base, mark: mark,
                hardLink: hardLink))
    }

    // MARK: Files of the host

    /// Finds a file of the host; nil after the warning, or the error, that it is missing.
    mutating func find(
        _ name: [UInt8], _ attributes: EntryAttributes, _ mark: SourceMark,
        isNeeded: Bool = false, followsLinks: Bool = true
    ) throws(Diagnostic) -> (path: [UInt8], status: HostStatus)? {
        let search: [UInt8]
        if let given = attributes.search {
            search = given
        } else {
            search = try Word(reference: "MKIFS_PATH", at: mark).expanded(lookup)
        }
        if let found = HostSearch.find(
            name, from: attributes.directory, search: search, in: options.files,
            followsLinks: followsLinks, telling: options.tellSearch)
        {
            dependencies.append(found.path)
            return found
        }
        missingCount += 1
        if options.isCheck { return nil }
        let target = options.environment[Array("QNX_TARGET".utf8)]
        let hint =
            name.first != .slash && target == nil && attributes.search == nil
            ? "QNX_TARGET is not set" : nil
        guard attributes.isOptional, !isNeeded else {
            throw Diagnostic(at: mark, "host file \(quoted(name)) not available", hint: hint)
        }
        diagnostics.add(
            Diagnostic(.warning, at: mark, "host file \(quoted(name)) missing", hint: hint))
        return nil
    }

    private mutating func addDirectory(
        _ target: [UInt8], like source: [UInt8]?, _ attributes: EntryAttributes, _ mark: SourceMark
    ) throws(Diagnostic) {
        var base = Draft.Base(permissions: 0o755)
        if let source {
            guard let found = try find(source, attributes, mark) else { return }
            base = Draft.Base(found.status)
        }
        addDraft(target, .directory, attributes, base, mark)
    }

    private mutating func addFile(
        _ target: [UInt8], _ source: [UInt8]?, _ attributes: EntryAttributes, _ mark: SourceMark
    ) throws(Diagnostic) {
        let follows = attributes.followsLinks
        guard
            let found = try find(source ?? target, attributes, mark, followsLinks: follows)
        else { return }
        if found.status.kind == .directory {
            try importDirectory(
                found.path, found.status, as: source == nil ? [] : target, attributes, mark)
        } else {
            try addFound(
                found.path, found.status, as: source == nil ? baseName(target) : target,
                attributes, mark)
        }
    }

    mutating func addFound(
        _ path: [UInt8], _ status: HostStatus, as target: [UInt8], _ attributes: EntryAttributes,
        _ mark: SourceMark
    ) throws(Diagnostic) {
        switch status.kind {
        case .link:
            do throws(MkifsError) {
                let text = try Host.target(ofLink: path)
                addDraft(target, .link(text: text), attributes, .init(permissions: 0o777), mark)
            } catch {
                throw Diagnostic(at: mark, error.description)
            }
        case .file:
            guard attributes.filter != nil || status.byteCount <= UInt64(UInt32.max) else {
                throw Diagnostic(
                    at: mark,
                    "\(quoted(path)): found \(status.byteCount) bytes, expected less than 4 GiB")
            }
            let file = HostFile(path, byteCount: status.byteCount)
            let plain = options.files.content(path, status)
            try checkDigests(of: plain, path, attributes, mark)
            let content = attributes.filter.map { .filtered(file, command: $0) } ?? plain
            let isLinked = options.keepsHardLinks && status.linkCount > 1
            addDraft(
                target, .content(content), attributes, .init(status), mark,
                hardLink: isLinked ? status.identity : nil)
        case .fifo: addDraft(target, .fifo, attributes, .init(status), mark)
        case .directory, .other:
            throw Diagnostic(
                at: mark, "\(quoted(path)): found a special file, expected a file or a directory")
        }
    }

    /// Takes in what a directory of the host has, in the order of its names.
    mutating func importDirectory(
        _ path: [UInt8], _ status: HostStatus, as target: [UInt8], _ attributes: EntryAttributes,
        _ mark: SourceMark
    ) throws(Diagnostic) {
        guard imported.insert([path, target]).inserted else {
            diagnostics.add(
                Diagnostic(.warning, at: mark, "\(quoted(path)) is taken in already"))
            return
        }
        try importTree(path, status, as: target, attributes, mark, above: [])
    }

    private mutating func importTree(
        _ path: [UInt8], _ status: HostStatus, as target: [UInt8], _ attributes: EntryAttributes,
        _ mark: SourceMark, above: [HostStatus.Identity]
    ) throws(Diagnostic) {
        guard !above.contains(status.identity) else {
            throw Diagnostic(at: mark, "\(quoted(path)) leads back to a directory above it")
        }
        addDraft(target, .directory, attributes, .init(status), mark)
        let names: [[UInt8]]
        do throws(MkifsError) {
            names = try Host.names(in: path)
        } catch {
            throw Diagnostic(at: mark, error.description)
        }
        for name in names where !diagnostics.isFull {
            let (child, place) = (join(path, name), join(target, name))
            do throws(Diagnostic) {
                try importChild(child, as: place, attributes, mark, above + [status.identity])
            } catch {
                diagnostics.add(error)
            }
        }
    }

    private mutating func importChild(
        _ path: [UInt8], as target: [UInt8], _ attributes: EntryAttributes, _ mark: SourceMark,
        _ above: [HostStatus.Identity]
    ) throws(Diagnostic) {
        guard let found = options.files.status(of: path, followsLinks: attributes.followsLinks)
        else {
            _ = try find(path, attributes, mark)
            return
        }
        if found.kind == .directory {
            try importTree(path, found, as: target, attributes, mark, above: above)
        } else if found.kind == .other {
            diagnostics.add(
                Diagnostic(.warning, at: mark, "\(quoted(path)) is a special file; left out"))
        } else {
            dependencies.append(path)
            try addFound(path, found, as: target, attributes, mark)
        }
    }

    // MARK: Scripts

    private mutating func addScript(
        _ target: [UInt8], _ line: BuildFile.Line, _ attributes: EntryAttributes
    ) throws(Diagnostic) {
        guard scriptTargets.insert(target).inserted else {
            throw Diagnostic(at: line.mark, "a script has the name \(quoted(target)) already")
        }
        let text: SourceText
        var base = Draft.Base(permissions: profile.scriptMode)
        if let inline = line.inline {
            text = inline.text
            let owner = Host.owner
            base = .init(
                permissions: profile.scriptMode, user: owner.user, group: owner.group)
        } else {
            let name = line.words.count > 1 ? try line.words[1].expanded(lookup) : target
            guard let found = try find(name, attributes, line.mark) else { return }
            base = .init(found.status)
            text = try read(found.path, line.mark)
        }
        if scriptTargets.count == 1 {
            let name = line.inline == nil && line.words.count == 1 ? baseName(target) : target
            addDraft(name, .script, attributes, base, line.mark)
        }
        var section = AttributeScope.Section(of: attributes)
        _ = compiler.compile(
            text, scope: &scope, section: &section, globals: &globals,
            environment: environmentLookup, diagnostics: &diagnostics)
    }

    // MARK: Other texts

    /// A text file of the host, which diagnostics may then speak of.
    mutating func read(_ path: [UInt8], _ mark: SourceMark) throws(Diagnostic) -> SourceText {
        do throws(MkifsError) {
            let bytes = try options.files.contents(of: path, limit: Self.textLimit)
            let source = SourceText(name: printable(path), bytes: bytes)
            sources[source.name] = [source]
            return source
        } catch {
            throw Diagnostic(at: mark, error.description)
        }
    }

    private mutating func include(
        _ name: [UInt8], _ attributes: EntryAttributes, _ mark: SourceMark
    ) throws(Diagnostic) {
        guard includeDepth < Self.includeLimit else {
            throw Diagnostic(
                at: mark, "more than \(Self.includeLimit) buildfiles include each other")
        }
        guard let found = try find(name, attributes, mark) else { return }
        let source = try read(found.path, mark)
        includeDepth += 1
        add(source)
        includeDepth -= 1
    }

    // MARK: Boot section

    private mutating func addBoot(
        _ bootfile: Bootfile, _ line: BuildFile.Line, _ attributes: EntryAttributes
    ) throws(Diagnostic) {
        guard boot == nil else {
            throw Diagnostic(at: line.mark, "only one bootstrap file is allowed in an image")
        }
        guard drafts.isEmpty else {
            throw Diagnostic(
                at: line.mark, "the bootstrap file stands behind other files",
                hint: "it is the first file of a buildfile")
        }
        if let processor = bootfile.cpu {
            environment = Self.environment(options, profile, processor: processor)
        }
        var section = BootSection(arguments: bootfile.arguments ?? [], mark: line.mark)
        let name = bootfile.name + Array(".boot".utf8)
        if let found = try find(name, attributes, line.mark, isNeeded: true) {
            let source = try bootText(found.path, line.mark)
            section.contents = BootfileContents(parsing: source, lookup, &diagnostics)
        }
        let text: SourceText
        if let inline = line.inline {
            text = inline.text
        } else {
            let host = line.words.count > 1 ? line.words[1] : line.words[0]
            guard
                let found = try find(
                    try host.expanded(lookup), attributes, line.mark, isNeeded: true)
            else {
                boot = section
                return
            }
            text = try read(found.path, line.mark)
        }
        let commands = CommandLines(parsing: text, &diagnostics)
        addCommands(commands, of: &section, attributes)
        boot = section
    }

    /// A bootfile's text: of an ELF file the contents of its first executable section.
    private mutating func bootText(
        _ path: [UInt8], _ mark: SourceMark
    ) throws(Diagnostic) -> SourceText {
        let whole = try read(path, mark)
        do throws(FormatError) {
            let source = MemorySource(whole.bytes)
            guard try ELFFile.isELF(source) else { return whole }
            let file = try ELFFile(source)
            guard let section = file.sections.first(where: { $0.flags & 4 != 0 }) else {
                throw .corrupt(
                    Place("ELF header.e_shoff", 0), found: "no executable section",
                    expected: "one that holds the bootfile")
            }
            let bytes = try source.bytes(section.size, at: section.offset, "ELF section")
            let text = SourceText(name: whole.name, bytes: bytes)
            sources[text.name] = [text]
            return text
        } catch {
            throw Diagnostic(at: mark, "\(printable(path)): \(error)")
        }
    }
}
