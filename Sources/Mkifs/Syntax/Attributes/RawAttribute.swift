internal import Format

/// The attributes between one pair of brackets.
public struct AttributeList: Equatable, Sendable {
    /// In the order in which they stand; those that are malformed are left out.
    public let attributes: [RawAttribute]
    /// Where the `[` stands.
    public let mark: SourceMark
}

/// An attribute as it was written, not yet held against the table.
public struct RawAttribute: Equatable, Sendable {
    /// The two ways to write an attribute, and one that shows only when variables have values.
    public enum Form: Equatable, Sendable {
        /// `+name` or `-name`.
        case flag(isOn: Bool, name: Word)
        /// `name=value`.
        case setting(name: [UInt8], value: Word)
        /// A word that has a reference where its sign or name should be.
        case deferred(Word)
    }

    /// Whether a `?` before it says that it counts only if nothing has set it yet.
    public let isConditional: Bool
    /// What it says.
    public let form: Form
    /// Where it begins.
    public let mark: SourceMark

    /// Takes a word of an attribute list apart. Throws where it has neither sign nor `=`.
    public init(_ word: Word) throws(Diagnostic) {
        mark = word.mark
        isConditional = word.literalPrefix.first == UInt8(ascii: "?")
        form = try Self.form(of: isConditional ? word.droppingFirst() : word, in: word)
    }

    /// The attribute with its form decided: what a deferred one is once variables have values.
    public func settled(_ lookup: @escaping VariableLookup) throws(Diagnostic) -> RawAttribute {
        guard case .deferred(let word) = form else { return self }
        let text = (isConditional ? [UInt8(ascii: "?")] : []) + (try word.expanded(lookup))
        return try RawAttribute(Word(literal: text, at: mark))
    }

    private static func form(of text: Word, in word: Word) throws(Diagnostic) -> Form {
        switch text.literalPrefix.first {
        case UInt8(ascii: "+"):
            return .flag(isOn: true, name: try name(text.droppingFirst(), in: word))
        case UInt8(ascii: "-"):
            return .flag(isOn: false, name: try name(text.droppingFirst(), in: word))
        default: break
        }
        if let (name, value) = text.split(at: .equals), let literal = name.literal {
            guard !literal.isEmpty else {
                throw malformed(word, "a name before the '='")
            }
            return .setting(name: literal, value: value)
        }
        guard text.literal != nil else { return .deferred(text) }
        throw malformed(word, "+name, -name or name=value")
    }

    private static func name(_ name: Word, in word: Word) throws(Diagnostic) -> Word {
        guard !name.fragments.isEmpty else { throw malformed(word, "a name behind the sign") }
        return name
    }

    private static func malformed(_ word: Word, _ expected: String) -> Diagnostic {
        let text = word.spelling
        return Diagnostic(
            at: word.mark, "malformed attribute: found \(quoted(text)), expected \(expected)",
            hint: AttributeTable.hint(forBare: text))
    }
}
