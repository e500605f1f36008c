internal import Format

/// Reads line after line: an attribute list, then words. What is wrong with a line is added to the
/// diagnostics, and the next line is read.
struct LineReader {
    /// A line before its words have a meaning.
    struct Line {
        let attributes: AttributeList?
        let words: [Word]
        let mark: SourceMark
    }

    let context: Context
    var lexer: Lexer

    /// The next line with anything in it; nil at the end of the text.
    mutating func next() -> Line? {
        while true {
            lexer.skip { $0.isSpace }
            guard lexer.next != nil else { return nil }
            do {
                let line = try line()
                if line.attributes != nil || !line.words.isEmpty { return line }
            } catch {
                lexer.diagnostics.add(error)
                recover()
            }
        }
    }

    /// The text between braces, from behind the line that opened it at `opening`. One backslash
    /// goes from before each character that has one, and one character behind the `}` is dropped.
    mutating func inlineText(opening: SourceMark) throws(Diagnostic) -> SourceText {
        var bytes: [UInt8] = []
        var runs = [SourceText.Run(start: 0, place: lexer.offset)]
        while let byte = lexer.next, byte != .closeBrace {
            if byte == .backslash {
                lexer.skip()
                runs.append(.init(start: bytes.count, place: lexer.offset))
            }
            if let literal = lexer.next { bytes.append(literal) }
            lexer.skip()
        }
        guard lexer.next != nil else { throw Diagnostic(at: opening, "'{' has no '}'") }
        lexer.skip()
        dropByte()
        return SourceText(bytes: bytes, runs: runs, of: lexer.source)
    }

    private mutating func line() throws(Diagnostic) -> Line {
        let start = lexer.mark
        let attributes = try attributes()
        return Line(
            attributes: attributes, words: try lexer.words(context, opening: start), mark: start)
    }

    /// The list before a line's words; nil where there is none. Further lists are an error, and are
    /// read as if they were one with the first.
    private mutating func attributes() throws(Diagnostic) -> AttributeList? {
        guard lexer.next == .openBracket else { return nil }
        let start = lexer.mark
        var attributes: [RawAttribute] = []
        while lexer.next == .openBracket {
            let mark = lexer.mark
            if mark != start { addSecondList(at: mark) }
            lexer.skip()
            for word in try lexer.words(.attributes, opening: mark) {
                do {
                    attributes.append(try RawAttribute(word))
                } catch {
                    lexer.diagnostics.add(error)
                }
            }
            lexer.skip { $0 == .blank || $0 == .tab }
        }
        return AttributeList(attributes: attributes, mark: start)
    }

    private mutating func addSecondList(at mark: SourceMark) {
        let expected = context == .command ? "a command" : "a file's name"
        lexer.diagnostics.add(
            Diagnostic(
                at: mark, "found a second '[', expected \(expected)",
                hint: "all attributes of a line stand between one pair of brackets"))
    }

    /// Goes behind the line in which reading stopped, and behind the inline file that it opens. A
    /// list that nothing closed stopped at the `[` of a later line, which is read as it is.
    private mutating func recover() {
        if lexer.next == .openBracket && lexer.isFirstInLine { return }
        var last: UInt8?
        while let byte = lexer.next, byte != .newline {
            if !byte.isSpace { last = byte }
            lexer.skip()
        }
        lexer.skip()
        if context == .file && last == .openBrace { skipInlineText() }
    }

    /// Passes over an inline file that belongs to a line with an error.
    mutating func skipInlineText() {
        while let byte = lexer.next, byte != .closeBrace {
            if byte == .backslash { lexer.skip() }
            lexer.skip()
        }
        lexer.skip()
        lexer.skip()
    }

    private mutating func dropByte() {
        if let byte = lexer.next, !byte.isSpace {
            lexer.diagnostics.add(
                Diagnostic(
                    .warning, at: lexer.mark, "\(quoted([byte])) right behind '}' is dropped",
                    hint: "a '}' inside the text is written '\\}'"))
        }
        lexer.skip()
    }
}
