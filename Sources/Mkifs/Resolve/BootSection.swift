internal import Format

/// The boot section of a buildfile: the bootfile, and the programs that are started by it.
struct BootSection: Sendable {
    /// What the bootfile says; nil where it is missing.
    var contents: BootfileContents?
    /// What the image filter is given.
    let arguments: [UInt8]
    /// The line of `virtual=`.
    let mark: SourceMark
    /// The startup program; nil until one is found.
    var startup: Command?
    /// How many programs are named, the startup included.
    var programCount = 0

    /// A program of the section.
    struct Command: Sendable {
        let content: Content
        let arguments: IFS.BootArguments
        let attributes: EntryAttributes
        let mark: SourceMark
    }

    init(arguments: [UInt8], mark: SourceMark) {
        self.arguments = arguments
        self.mark = mark
    }
}

extension Resolver {
    /// Goes over the lines of a boot section. The first program is the startup; all others are files
    /// of the image as well.
    mutating func addCommands(
        _ commands: CommandLines, of boot: inout BootSection, _ attributes: EntryAttributes
    ) {
        var section = AttributeScope.Section(of: attributes)
        for line in commands.lines where !diagnostics.isFull {
            let attributes = scope.enterBoot(line, in: &section, lookup, &diagnostics)
            do throws(Diagnostic) {
                try add(line, to: &boot, attributes)
            } catch {
                diagnostics.add(error)
            }
        }
    }

    private mutating func add(
        _ line: CommandLines.Line, to boot: inout BootSection, _ attributes: EntryAttributes
    ) throws(Diagnostic) {
        guard let program = line.words.first else {
            return globals.define(line, environment: environmentLookup, &diagnostics)
        }
        var own: [[UInt8]] = []
        for assignment in line.assignments {
            own.append(assignment.name + [.equals] + (try assignment.value.expanded(lookup)))
        }
        let name = try program.expanded(lookup)
        var words = [lastComponent(name)]
        for word in line.words.dropFirst() { words.append(try word.expanded(lookup)) }
        if line.background != nil { words.append([.ampersand]) }
        let isStartup = boot.programCount == 0
        try count(&boot, line.mark)
        guard let found = try find(name, attributes, program.mark, isNeeded: true) else { return }
        let content = options.files.content(found.path, found.status)
        let arguments = IFS.BootArguments(arguments: words, environment: globals.strings + own)
        if isStartup {
            boot.startup = BootSection.Command(
                content: content, arguments: arguments, attributes: attributes,
                mark: program.mark)
        } else {
            addDraft(
                lastComponent(name), .bootstrap(content, arguments), attributes,
                .init(found.status),
                program.mark)
        }
    }

    private mutating func count(_ boot: inout BootSection, _ mark: SourceMark) throws(Diagnostic) {
        boot.programCount += 1
        guard boot.programCount == 6 else { return }
        switch options.bootstraps {
        case .four:
            throw Diagnostic(
                at: mark, "maximum of 4 bootstrap files", hint: "-N allows more")
        case .warned:
            diagnostics.add(
                Diagnostic(
                    .warning, at: mark, "the image header names the first 4 bootstrap files only"))
        case .none: break
        }
    }
}
