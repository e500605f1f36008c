internal import Format

/// A buildfile as it was written: lines with attributes, words and inline files. No variable is
/// looked up yet, and no attribute held against the table.
///
/// ```
/// [attribute...]                  the defaults of all lines below
/// [attribute...] path             a file or directory of the host
/// [attribute...] target = source  the same under another name; a link and its text
/// [attribute...] target = {       an inline file, to the first `}` without a backslash
/// text
/// }
/// ```
///
/// Brackets may go over several lines and be absent; a `#` where a word could begin starts a
/// comment; a backslash at its end joins a line with the next.
public struct BuildFile: Equatable, Sendable {
    /// A line that says something.
    public struct Line: Equatable, Sendable {
        /// What stands in brackets before the words; nil without brackets.
        public let attributes: AttributeList?
        /// The target; with a second word, what it is made from. Empty where the attributes become
        /// the defaults of the lines that follow. An inline file's line has the target alone.
        public let words: [Word]
        /// The text of an inline file.
        public let inline: InlineFile?
        /// Where the line begins.
        public let mark: SourceMark
    }

    /// What stands between `{` and `}`.
    public struct InlineFile: Equatable, Sendable {
        /// The text, with one level of backslashes taken away.
        public let text: SourceText
        /// Where the `{` stands.
        public let mark: SourceMark
    }

    /// The lines, in order.
    public let lines: [Line]

    /// Reads a buildfile. A line with an error is left out, and the error added to `diagnostics`.
    public init(parsing source: SourceText, _ diagnostics: inout Diagnostics) {
        var reader = LineReader(context: .file, lexer: Lexer(source, diagnostics))
        var lines: [Line] = []
        while let line = reader.next() {
            do {
                lines.append(try Self.line(line, &reader))
            } catch {
                reader.lexer.diagnostics.add(error)
            }
        }
        self.lines = lines
        diagnostics = reader.lexer.diagnostics
    }

    private static func line(
        _ line: LineReader.Line, _ reader: inout LineReader
    ) throws(Diagnostic) -> Line {
        var inline: InlineFile?
        if let brace = line.words.dropFirst().first, brace.literalPrefix.first == .openBrace {
            try refuseTextBehind(brace, line.words, &reader)
            let text = try reader.inlineText(opening: brace.mark)
            inline = InlineFile(text: text, mark: brace.mark)
        } else {
            try checkNames(line.words, &reader)
        }
        return Line(
            attributes: line.attributes, words: inline == nil ? line.words : [line.words[0]],
            inline: inline, mark: line.mark)
    }

    /// An inline file begins in the line after its brace.
    private static func refuseTextBehind(
        _ brace: Word, _ words: [Word], _ reader: inout LineReader
    ) throws(Diagnostic) {
        let behind =
            brace.literal == [.openBrace] ? words.dropFirst(2).first : brace.droppingFirst()
        guard let behind else { return }
        if !words.dropFirst().contains(where: { $0.spelling.contains(.closeBrace) }) {
            reader.skipInlineText()
        }
        throw Diagnostic(
            at: behind.mark,
            "found \(quoted(behind.spelling)) behind '{', expected the end of the line")
    }

    private static func checkNames(
        _ words: [Word], _ reader: inout LineReader
    ) throws(Diagnostic) {
        if let last = words.last, last.literal == [.openBrace] { reader.skipInlineText() }
        if words.count > 2 {
            throw Diagnostic(
                at: words[2].mark,
                "found \(quoted(words[2].spelling)), expected no more than a target and its source",
                hint: "a name with a blank or '=' is written in quotes")
        }
        guard words.count == 1 else { return }
        if words[0].literal == [.openBrace] {
            throw Diagnostic(
                at: words[0].mark, "'{' has no name before it", hint: "write 'name = {' in one line"
            )
        }
        if words[0].literal == [.closeBrace] {
            reader.lexer.diagnostics.add(
                Diagnostic(
                    .warning, at: words[0].mark,
                    "'}' closes nothing and is taken for a file's name",
                    hint: "a '}' inside the text is written '\\}'"))
        }
    }
}
