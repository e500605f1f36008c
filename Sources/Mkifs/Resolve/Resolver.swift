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
    public internal(set) var dependencies: [[UInt8]] = []
    /// How many files of the host were not there.
    public internal(set) var missingCount = 0
    /// Texts that diagnostics speak of, by name; each `-l` is one of its own.
    var sources: [String: [SourceText]] = [:]

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
    var environment: [[UInt8]: [UInt8]]
    private var includeDepth = 0
    var imported: Set<[[UInt8]]> = []
    /// Directories of the host that were taken in with all that is in them, these included.
    var importedFolders: [[UInt8]] = []
    /// What of the operand that is being taken in has an entry already.
    var named = NamedFiles()

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
    static func environment(
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

    /// Takes in, behind all lines, what of a directory of the host they have not named.
    public mutating func add(directory: [UInt8]) {
        let mark = SourceMark(file: printable(directory), line: 1, column: 1)
        do throws(Diagnostic) {
            guard let status = options.files.status(of: directory, followsLinks: true),
                status.kind == .directory
            else { throw Diagnostic(at: mark, "found no directory") }
            try importOperand(directory, status, mark)
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
            let name = line.inline == nil && line.words.count == 1 ? lastComponent(target) : target
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

}
