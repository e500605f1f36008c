internal import Format

/// Which characters part words and which one ends them.
enum Context {
    /// Between `[` and `]`.
    case attributes
    /// A line of a buildfile.
    case file
    /// A line of a boot or script section.
    case command

    /// The character that ends the list of words.
    var terminator: UInt8 { self == .attributes ? .closeBracket : .newline }

    /// Whether a character parts words.
    func separates(_ byte: UInt8) -> Bool {
        switch byte {
        case .blank, .tab, .carriageReturn: true
        case .newline: self == .attributes
        case .equals: self == .file
        default: false
        }
    }
}

/// Takes words off a text. Every byte is looked at once.
struct Lexer {
    /// How deep references may stand in the names of others.
    static let nestingLimit = 20

    let source: SourceText
    private(set) var offset = 0
    /// What there is to say about the words so far.
    var diagnostics: Diagnostics

    init(_ source: SourceText, _ diagnostics: Diagnostics) {
        self.source = source
        self.diagnostics = diagnostics
    }

    /// The next byte; nil at the end.
    var next: UInt8? { byte(0) }

    /// Where the next byte stands.
    var mark: SourceMark { source.mark(at: offset) }

    /// Whether nothing but blanks stands before it in its line.
    var isFirstInLine: Bool {
        let before = source.bytes[..<offset].last { $0 != .blank && $0 != .tab }
        return before == nil || before == .newline
    }

    /// Passes over the next byte.
    mutating func skip() { offset = min(offset + 1, source.bytes.count) }

    /// Passes over what satisfies `belongs`.
    mutating func skip(while belongs: (UInt8) -> Bool) {
        while let byte = next, belongs(byte) { skip() }
    }

    /// The words up to the terminator of the context, which is passed over as well.
    ///
    /// `opening` is where an attribute list began, for the message that it never ends.
    mutating func words(_ context: Context, opening: SourceMark) throws(Diagnostic) -> [Word] {
        var words: [Word] = []
        while try findWord(context, opening) { words.append(try word(context)) }
        return words
    }

    private func byte(_ distance: Int) -> UInt8? {
        let place = offset + distance
        return place < source.bytes.count ? source.bytes[place] : nil
    }

    /// Goes to where a word begins; false where the list ends instead.
    private mutating func findWord(
        _ context: Context, _ opening: SourceMark
    ) throws(Diagnostic) -> Bool {
        while let byte = next {
            if byte == context.terminator {
                skip()
                return false
            }
            if byte == .hash {
                skip { $0 != .newline }
            } else if byte == .backslash && self.byte(1) == .newline {
                offset += 2
            } else if context.separates(byte) {
                skip()
            } else if context == .attributes && byte == .openBracket {
                throw Diagnostic(at: opening, "'[' has no ']' before the next '['")
            } else {
                return true
            }
        }
        if context == .attributes { throw Diagnostic(at: opening, "'[' has no ']'") }
        return false
    }

    /// The word that begins here, up to an unquoted separator or the terminator.
    private mutating func word(_ context: Context) throws(Diagnostic) -> Word {
        var builder = FragmentBuilder(source)
        let start = mark
        var opened: SourceMark?
        while let byte = next {
            if let escaped = escaped(context) {
                if escaped != .newline { builder.append(escaped, at: offset + 1) }
                offset += 2
            } else if byte == context.terminator && (opened == nil || byte == .newline) {
                break
            } else if byte == .quote {
                opened = opened == nil ? mark : nil
                skip()
            } else if opened == nil && context.separates(byte) {
                break
            } else if opened == nil && byte == .dollar && self.byte(1) == .openBrace {
                builder.append(.reference(try reference(depth: 1)))
            } else {
                builder.append(byte, at: offset)
                skip()
            }
        }
        if let opened { try unclosed(opened, context) }
        return Word(builder.finish(), at: start)
    }

    /// The character that a backslash here makes literal; nil where it stands for itself.
    private func escaped(_ context: Context) -> UInt8? {
        guard next == .backslash, let following = byte(1) else { return nil }
        switch following {
        case .backslash, .newline, .dollar, .quote, context.terminator: return following
        default: return nil
        }
    }

    /// A quote that no other closes ends with its line; in a list it takes all that follows.
    private mutating func unclosed(_ quote: SourceMark, _ context: Context) throws(Diagnostic) {
        guard context != .attributes else { throw Diagnostic(at: quote, "'\"' has no second one") }
        diagnostics.add(
            Diagnostic(.warning, at: quote, "'\"' has no second one; it ends with the line"))
    }
}

extension Lexer {
    /// All of the text as one word in which nothing but references has a meaning: a variable's
    /// value.
    mutating func value() throws(Diagnostic) -> Word {
        var builder = FragmentBuilder(source)
        let start = mark
        while let byte = next {
            if byte == .dollar && self.byte(1) == .openBrace {
                builder.append(.reference(try reference(depth: 1)))
            } else {
                builder.append(byte, at: offset)
                skip()
            }
        }
        return Word(builder.finish(), at: start)
    }

    /// The reference that begins here. Its name ends at `}`, which belongs to it, or before a
    /// character that no name can hold.
    private mutating func reference(depth: Int) throws(Diagnostic) -> Word.Reference {
        let start = mark
        guard depth <= Self.nestingLimit else {
            throw Diagnostic(at: start, "more than \(Self.nestingLimit) '${' inside each other")
        }
        offset += 2
        var name = FragmentBuilder(source)
        while let byte = next, byte != .closeBrace {
            if byte == .dollar && self.byte(1) == .openBrace {
                name.append(.reference(try reference(depth: depth + 1)))
            } else if Self.endsName(byte) {
                break
            } else {
                name.append(byte, at: offset)
                skip()
            }
        }
        closeName(of: start)
        return Word.Reference(name: name.finish(), mark: start)
    }

    private mutating func closeName(of reference: SourceMark) {
        if next == .closeBrace {
            skip()
        } else {
            let end = next.map { "before " + quoted([$0]) } ?? "with the text"
            diagnostics.add(
                Diagnostic(
                    .warning, at: reference, "'${' has no '}'; the name ends \(end)",
                    hint: next == nil ? "inside braces a '}' is written '\\}'" : nil))
        }
    }

    private static func endsName(_ byte: UInt8) -> Bool {
        switch byte {
        case .dollar, .closeBracket, .openBracket, .slash, .backslash, .blank, .newline, .tab: true
        default: false
        }
    }
}

/// Collects fragments. A literal is broken where its bytes do not follow each other in the text.
private struct FragmentBuilder {
    private let source: SourceText
    private var fragments: [Word.Fragment] = []
    private var bytes: [UInt8] = []
    private var start = 0

    init(_ source: SourceText) { self.source = source }

    mutating func append(_ byte: UInt8, at offset: Int) {
        if offset != start + bytes.count || bytes.last == .newline { flush() }
        if bytes.isEmpty { start = offset }
        bytes.append(byte)
    }

    mutating func append(_ fragment: Word.Fragment) {
        flush()
        fragments.append(fragment)
    }

    mutating func finish() -> [Word.Fragment] {
        flush()
        return fragments
    }

    private mutating func flush() {
        guard !bytes.isEmpty else { return }
        fragments.append(.literal(.init(bytes: bytes, mark: source.mark(at: start))))
        bytes = []
    }
}
