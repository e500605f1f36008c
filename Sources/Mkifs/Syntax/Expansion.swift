/// Where the values of variables come from: the bytes of a name's value, nil where it has none.
public typealias VariableLookup = ([UInt8]) -> [UInt8]?

extension Word {
    /// How many values may stand in each other before a chain counts as endless.
    public static let expansionLimit = 20
    /// How many bytes of values one word may draw in, on all levels together.
    public static let expansionByteLimit = 1 << 24

    /// The word's bytes, with each variable's value in the place of its reference.
    ///
    /// Values are expanded in turn; an unknown variable has an empty one. Throws where a chain is
    /// endless, or would draw in more than `expansionByteLimit` bytes.
    public func expanded(_ lookup: @escaping VariableLookup) throws(Diagnostic) -> [UInt8] {
        if let literal { return literal }
        var expansion = Expansion(lookup: lookup, start: mark)
        return try expansion.bytes(of: fragments, depth: 0)
    }
}

/// The work on one word.
private struct Expansion {
    let lookup: VariableLookup
    /// The reference in the buildfile that led here.
    var start: SourceMark
    var remaining = Word.expansionByteLimit

    init(lookup: @escaping VariableLookup, start: SourceMark) {
        self.lookup = lookup
        self.start = start
    }

    mutating func bytes(
        of fragments: [Word.Fragment], depth: Int
    ) throws(Diagnostic) -> [UInt8] {
        var result: [UInt8] = []
        for fragment in fragments {
            switch fragment {
            case .literal(let literal): result += literal.bytes
            case .reference(let reference):
                if depth == 0 { start = reference.mark }
                result += try value(of: reference, depth: depth + 1)
            }
        }
        return result
    }

    private mutating func value(
        of reference: Word.Reference, depth: Int
    ) throws(Diagnostic) -> [UInt8] {
        let name = try bytes(of: reference.name, depth: depth)
        guard depth <= Word.expansionLimit else {
            throw Diagnostic(
                at: start,
                "the value of \(quoted(name)) comes after \(Word.expansionLimit) others in a chain",
                hint: "does a variable refer to itself?")
        }
        let value = lookup(name) ?? []
        try draw(value.count + 1, for: name)
        guard value.contains(.dollar) else { return value }
        var lexer = Lexer(SourceText(name: start.file, bytes: value), Diagnostics())
        let word: Word
        do {
            word = try lexer.value()
        } catch {
            throw Diagnostic(at: start, "the value of \(quoted(name)): \(error.message)")
        }
        return try bytes(of: word.fragments, depth: depth)
    }

    private mutating func draw(_ count: Int, for name: [UInt8]) throws(Diagnostic) {
        guard count <= remaining else {
            throw Diagnostic(
                at: start,
                "with \(quoted(name)) more than \(Word.expansionByteLimit) bytes are drawn in")
        }
        remaining -= count
    }
}
