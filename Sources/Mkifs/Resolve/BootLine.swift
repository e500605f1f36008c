internal import Format

extension Resolver {
    mutating func addBoot(
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
