import Format
import Mkifs

/// A buildfile, and what there was to say about it.
struct Reading {
    let file: BuildFile
    var diagnostics = Diagnostics()
    let source: SourceText

    init(_ bytes: some Sequence<UInt8>, name: String = "a.build") {
        source = SourceText(name: name, bytes: Array(bytes))
        file = BuildFile(parsing: source, &diagnostics)
    }

    init(_ text: String) { self.init(text.utf8) }

    /// All diagnostics, a line each.
    var messages: [String] { diagnostics.kept.map(\.description) }
}

/// A section's lines, and what there was to say about them.
func commandLines(_ text: String) -> (lines: [CommandLines.Line], messages: [String]) {
    var diagnostics = Diagnostics()
    let section = CommandLines(
        parsing: SourceText(name: "s", bytes: Array(text.utf8)), &diagnostics)
    return (section.lines, diagnostics.kept.map(\.description))
}

/// No variable has a value.
func noVariables(_ name: [UInt8]) -> [UInt8]? { nil }

/// Variables with these values.
func variables(_ values: [String: String]) -> VariableLookup {
    { name in values[text(name)].map { Array($0.utf8) } }
}

/// Bytes as text.
func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

extension Word {
    /// The word as text, with its references.
    var text: String { String(decoding: spelling, as: UTF8.self) }
}

extension RawAttribute {
    /// As it would be written without quotes.
    var text: String {
        let body =
            switch form {
            case .flag(let isOn, let name): (isOn ? "+" : "-") + name.text
            case .setting(let name, let value): MkifsTests.text(name) + "=" + value.text
            case .deferred(let word): word.text
            }
        return (isConditional ? "?" : "") + body
    }
}

extension BuildFile.Line {
    /// Attributes in brackets, words with commas between, and the text of an inline file.
    var text: String {
        var parts =
            attributes.map { ["[" + $0.attributes.map(\.text).joined(separator: "|") + "]"] } ?? []
        parts += words.map(\.text)
        if let inline { parts.append("{" + MkifsTests.text(inline.text.bytes) + "}") }
        return parts.joined(separator: ",")
    }
}

extension CommandLines.Line {
    /// Attributes, variables, words and `&`, with commas between.
    var text: String {
        var parts =
            attributes.map { ["[" + $0.attributes.map(\.text).joined(separator: "|") + "]"] } ?? []
        parts += assignments.map { "$" + MkifsTests.text($0.name) + "=" + $0.value.text }
        parts += words.map(\.text) + (background == nil ? [] : ["<&>"])
        return parts.joined(separator: ",")
    }
}

/// Goes through a whole buildfile as a resolver would, attributes and sections included.
func check(_ reading: Reading, _ lookup: @escaping VariableLookup = noVariables) -> Diagnostics {
    var diagnostics = reading.diagnostics
    var scope = AttributeScope(.v80)
    for line in reading.file.lines {
        let attributes = scope.enter(line, lookup, &diagnostics)
        guard let inline = line.inline, attributes.isScript || attributes.virtual != nil else {
            continue
        }
        var section = AttributeScope.Section(of: attributes)
        for line in CommandLines(parsing: inline.text, &diagnostics).lines {
            if attributes.isScript {
                _ = scope.enterScript(line, in: &section, lookup, &diagnostics)
            } else {
                _ = scope.enterBoot(line, in: &section, lookup, &diagnostics)
            }
        }
    }
    return diagnostics
}
