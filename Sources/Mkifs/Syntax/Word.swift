/// A word of a buildfile as it was written, quotes and backslashes taken away: bytes, and
/// references to variables that are not looked up before `expanded`.
public struct Word: Equatable, Sendable {
    /// A piece of a word.
    public enum Fragment: Equatable, Sendable {
        /// Bytes that stand for themselves.
        case literal(Literal)
        /// A variable's value.
        case reference(Reference)
    }

    /// Bytes that stand side by side in one line of the file.
    public struct Literal: Equatable, Sendable {
        /// The bytes.
        public let bytes: [UInt8]
        /// Where the first of them stands.
        public let mark: SourceMark
    }

    /// `${NAME}`, where the name may hold references of its own.
    public struct Reference: Equatable, Sendable {
        /// What the name is made of.
        public let name: [Fragment]
        /// Where its `$` stands.
        public let mark: SourceMark
    }

    /// The pieces, in order; none for `""`.
    public let fragments: [Fragment]
    /// Where the word begins, its quote included.
    public let mark: SourceMark

    /// A word of these pieces.
    public init(_ fragments: [Fragment], at mark: SourceMark) {
        self.fragments = fragments
        self.mark = mark
    }

    /// A word without references, as if it had been written at `mark`.
    public init(literal bytes: [UInt8], at mark: SourceMark) {
        self.init(bytes.isEmpty ? [] : [.literal(Literal(bytes: bytes, mark: mark))], at: mark)
    }

    /// A word that is one variable's value.
    init(reference name: String, at mark: SourceMark) {
        let literal = Literal(bytes: Array(name.utf8), mark: mark)
        self.init([.reference(Reference(name: [.literal(literal)], mark: mark))], at: mark)
    }

    /// The bytes of a word without references; nil for one that has some.
    public var literal: [UInt8]? {
        var bytes: [UInt8] = []
        for fragment in fragments {
            guard case .literal(let literal) = fragment else { return nil }
            bytes += literal.bytes
        }
        return bytes
    }

    /// The word as it would be written without quotes, for messages.
    public var spelling: [UInt8] { Self.spelling(of: fragments) }

    /// The bytes up to the first reference.
    var literalPrefix: [UInt8] {
        fragments.prefix { if case .literal = $0 { true } else { false } }
            .reduce(into: []) { if case .literal(let literal) = $1 { $0 += literal.bytes } }
    }

    /// The words before and behind the first such byte that no reference brings in.
    func split(at separator: UInt8) -> (before: Word, after: Word)? {
        for (index, fragment) in fragments.enumerated() {
            guard case .literal(let literal) = fragment,
                let place = literal.bytes.firstIndex(of: separator)
            else { continue }
            let (head, tail) = (literal.prefix(place), literal.dropping(place + 1))
            return (
                Word(fragments[..<index] + head.fragments, at: mark),
                Word(tail.fragments + fragments[(index + 1)...], at: tail.mark)
            )
        }
        return nil
    }

    /// The word without its first byte, which is none of a reference.
    func droppingFirst() -> Word {
        guard case .literal(let literal)? = fragments.first else { return self }
        let tail = literal.dropping(1)
        return Word(tail.fragments + fragments.dropFirst(), at: tail.mark)
    }

    private init(_ fragments: some Sequence<Fragment>, at mark: SourceMark) {
        self.init(Array(fragments), at: mark)
    }

    private static func spelling(of fragments: [Fragment]) -> [UInt8] {
        fragments.reduce(into: []) { bytes, fragment in
            switch fragment {
            case .literal(let literal): bytes += literal.bytes
            case .reference(let reference): bytes += reference.spelling
            }
        }
    }
}

extension Word.Reference {
    /// As it is written.
    var spelling: [UInt8] {
        Array("${".utf8) + Word(name, at: mark).spelling + [.closeBrace]
    }
}

extension Word.Literal {
    fileprivate var fragments: [Word.Fragment] { bytes.isEmpty ? [] : [.literal(self)] }

    fileprivate func prefix(_ count: Int) -> Self {
        Self(bytes: Array(bytes[..<count]), mark: mark)
    }

    fileprivate func dropping(_ count: Int) -> Self {
        Self(bytes: Array(bytes[count...]), mark: mark.advanced(by: count))
    }
}
