/// The text of a boot or script section: a command, or variables, in each line.
///
/// ```
/// [attribute...] NAME=value... program argument... &
/// ```
///
/// Each part may be absent. In a boot section the brackets hold attributes of the executable, in a
/// script modifiers of the command.
public struct CommandLines: Equatable, Sendable {
    /// A line that says something.
    public struct Line: Equatable, Sendable {
        /// What stands in brackets before the words; nil without brackets.
        public let attributes: AttributeList?
        /// The variables before the command. Without a command they hold for all that follow.
        public let assignments: [Assignment]
        /// The program and its arguments; empty where attributes and variables stand alone.
        public let words: [Word]
        /// Where a last word `&` stands, which is not in `words`: the command is not waited for.
        public let background: SourceMark?
        /// Where the line begins.
        public let mark: SourceMark
    }

    /// `NAME=value`.
    public struct Assignment: Equatable, Sendable {
        /// Letters, digits and underscores, of which the first is no digit.
        public let name: [UInt8]
        /// The value.
        public let value: Word
        /// Where the name begins.
        public let mark: SourceMark

        /// Takes a word apart; nil for one that is no assignment.
        init?(_ word: Word) {
            guard let (before, after) = word.split(at: .equals), let name = before.literal,
                let first = name.first, first.isNameStart,
                name.allSatisfy({ $0.isNameStart || $0.isDigit })
            else { return nil }
            self.name = name
            value = after
            mark = word.mark
        }
    }

    /// The lines, in order.
    public let lines: [Line]

    /// Reads a section. A line with an error is left out, and the error added to `diagnostics`.
    public init(parsing source: SourceText, _ diagnostics: inout Diagnostics) {
        var reader = LineReader(context: .command, lexer: Lexer(source, diagnostics))
        var lines: [Line] = []
        while let line = reader.next() { lines.append(Line(line)) }
        self.lines = lines
        diagnostics = reader.lexer.diagnostics
    }
}

extension CommandLines.Line {
    fileprivate init(_ line: LineReader.Line) {
        var assignments: [CommandLines.Assignment] = []
        for word in line.words {
            guard let assignment = CommandLines.Assignment(word) else { break }
            assignments.append(assignment)
        }
        var words = Array(line.words.dropFirst(assignments.count))
        let last = words.last.flatMap { $0.literal == [.ampersand] ? $0.mark : nil }
        if last != nil && words.count > 1 { words.removeLast() }
        self.init(
            attributes: line.attributes, assignments: assignments, words: words,
            background: words.count < line.words.count - assignments.count ? last : nil,
            mark: line.mark)
    }
}
