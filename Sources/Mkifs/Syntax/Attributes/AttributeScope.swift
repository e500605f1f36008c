/// The attributes in force while a buildfile is gone through line by line.
///
/// A list alone on its line changes the defaults of the lines that follow; before words it holds
/// for its own line. What speaks of the whole image holds wherever it stands.
public struct AttributeScope: Sendable {
    /// What the attributes inside a boot or script section start from, and have come to.
    public struct Section: Equatable, Sendable {
        /// What holds for boot executables.
        public fileprivate(set) var entry: EntryAttributes
        /// What holds for commands.
        public fileprivate(set) var modifiers = ScriptModifiers()

        /// The section of an entry with these attributes.
        public init(of entry: EntryAttributes) { self.entry = entry }
    }

    /// What was said of the whole image so far.
    public private(set) var image = ImageAttributes()
    /// The defaults of the next line.
    public private(set) var defaults: EntryAttributes
    /// Where the attributes of the image got their values, by name.
    private(set) var imageMarks: [String: SourceMark] = [:]
    /// Names of attributes that something has set, for those that are conditional.
    private var known: Set<String> = []

    private let release: Release
    /// Names of attributes of which was said already that they do nothing, or come too early.
    private var told: Set<String> = []

    /// The defaults of a release.
    public init(_ release: Release) {
        self.release = release
        defaults = EntryAttributes(defaultsOf: release)
    }

    /// Goes over a line of the buildfile and gives the attributes of its entry.
    ///
    /// A line without words changes the defaults, but for `virtual=` and `physical=`, which name
    /// the bootfile of one line.
    public mutating func enter(
        _ line: BuildFile.Line, _ lookup: @escaping VariableLookup,
        _ diagnostics: inout Diagnostics
    ) -> EntryAttributes {
        var values = AttributeValues(defaults)
        apply(line.attributes, to: &values, .entry, lookup, &diagnostics)
        if line.words.isEmpty {
            defaults = values.entry
            defaults.virtual = nil
            defaults.physical = nil
        }
        return values.entry
    }

    /// Takes in attributes that stand on no line, such as a bootfile's: those of the image count.
    public mutating func enter(
        _ list: AttributeList, _ lookup: @escaping VariableLookup,
        _ diagnostics: inout Diagnostics
    ) {
        var values = AttributeValues(defaults)
        apply(list, to: &values, .entry, lookup, &diagnostics)
        defaults = values.entry
    }

    /// Goes over a line of a boot section and gives the attributes of its executable. A line
    /// without a command changes what holds in the rest of the section.
    public mutating func enterBoot(
        _ line: CommandLines.Line, in section: inout Section,
        _ lookup: @escaping VariableLookup, _ diagnostics: inout Diagnostics
    ) -> EntryAttributes {
        var values = AttributeValues(section.entry)
        apply(line.attributes, to: &values, .entry, lookup, &diagnostics)
        if line.words.isEmpty { section.entry = values.entry }
        return values.entry
    }

    /// Goes over a line of a script and gives the modifiers of its command. A line without a
    /// command changes what holds in the rest of the section.
    public mutating func enterScript(
        _ line: CommandLines.Line, in section: inout Section,
        _ lookup: @escaping VariableLookup, _ diagnostics: inout Diagnostics
    ) -> ScriptModifiers {
        var values = AttributeValues(section.entry)
        values.modifiers = section.modifiers
        apply(line.attributes, to: &values, .script, lookup, &diagnostics)
        if line.words.isEmpty { section.modifiers = values.modifiers }
        return values.modifiers
    }

    /// Sets what a list says; an attribute with an error says nothing, and the error is added. Once
    /// no more errors are kept nothing is looked at any longer.
    private mutating func apply(
        _ list: AttributeList?, to values: inout AttributeValues, _ place: AttributePlace,
        _ lookup: @escaping VariableLookup, _ diagnostics: inout Diagnostics
    ) {
        guard let list else { return }
        // Moved, not copied: what a list appends to grows in place.
        swap(&values.image, &image)
        values.entry.modules = []
        for attribute in list.attributes where !diagnostics.isFull {
            do {
                let definition = try apply(
                    attribute.settled(lookup), to: &values, place, lookup)
                warn(about: definition, at: attribute.mark, &diagnostics)
            } catch {
                diagnostics.add(error)
            }
        }
        swap(&values.image, &image)
    }

    /// Says once of an attribute that the release has not had it yet, or that nothing comes of it.
    private mutating func warn(
        about definition: AttributeDefinition, at mark: SourceMark,
        _ diagnostics: inout Diagnostics
    ) {
        let text =
            if definition.since > release {
                "'\(definition.name)' came with \(definition.since.rawValue), and the profile is"
                    + " \(release.rawValue)"
            } else if AttributeTable.withoutEffect.contains(definition.name) {
                "'\(definition.name)' has no effect: no document says what it does"
            } else {
                ""
            }
        guard !text.isEmpty, told.insert(definition.name).inserted else { return }
        diagnostics.add(Diagnostic(.warning, at: mark, text))
    }

    /// Sets what one attribute says, and gives the row of the table that it means.
    private mutating func apply(
        _ attribute: RawAttribute, to values: inout AttributeValues, _ place: AttributePlace,
        _ lookup: @escaping VariableLookup
    ) throws(Diagnostic) -> AttributeDefinition {
        let match = try AttributeTable.match(attribute, at: place, lookup)
        let name = match.definition.name
        if attribute.isConditional && known.contains(name) { return match.definition }
        do {
            try match.set(&values)
        } catch {
            throw Diagnostic(at: match.valueMark, "\(name): \(error)", hint: error.hint)
        }
        known.insert(name)
        if match.definition.scope == .image { imageMarks[name] = match.valueMark }
        return match.definition
    }
}
