internal import Format

/// A word with its variables' values, and where it stands.
struct ExpandedWord {
    let bytes: [UInt8]
    let mark: SourceMark
}

/// What a line of a script says once its variables have values.
struct LineText {
    /// The command's name and what follows it; never empty.
    let words: [ExpandedWord]
    /// `NAME=value` of the line's own variables.
    let environment: [[UInt8]]
    /// The line as it was written.
    let line: CommandLines.Line

    /// The command's name.
    var command: ExpandedWord { words[0] }
    /// What follows the command's name.
    var operands: ArraySlice<ExpandedWord> { words.dropFirst() }

    /// The texts of a line that has a command; nil where one has an error.
    init?(
        _ line: CommandLines.Line, _ lookup: @escaping VariableLookup,
        _ diagnostics: inout Diagnostics
    ) {
        var isGood = true
        func text(_ word: Word, _ remaining: inout Int) -> ExpandedWord? {
            // One message is enough for all that is too long.
            guard remaining >= 0, !diagnostics.isFull else { return nil }
            do {
                return try word.text(lookup, &remaining)
            } catch {
                diagnostics.add(error)
                isGood = false
                return nil
            }
        }
        // The record of a built-in has room for its operands and not for its name.
        var nameRemaining = IFS.Script.recordByteLimit
        var remaining = IFS.Script.recordByteLimit
        environment = line.assignments.compactMap { assignment in
            text(assignment.value, &remaining).map { assignment.name + [.equals] + $0.bytes }
        }
        let command = line.words.prefix(1).compactMap { text($0, &nameRemaining) }
        words = command + line.words.dropFirst().compactMap { text($0, &remaining) }
        self.line = line
        guard isGood, !words.isEmpty else { return nil }
    }
}

extension Word {
    /// The word's bytes with all variables' values. They are taken from what `remaining` says that a
    /// record has room for, which is below 0 once that was too little.
    func text(
        _ lookup: @escaping VariableLookup, _ remaining: inout Int
    ) throws(Diagnostic) -> ExpandedWord {
        let bytes = try expanded(lookup)
        guard !bytes.contains(0) else {
            throw Diagnostic(at: mark, "found a zero byte in \(quoted(bytes)), expected text")
        }
        remaining -= bytes.count + 1
        guard remaining >= 0 else {
            throw Diagnostic(
                at: mark,
                "found more than \(IFS.Script.recordByteLimit) bytes up to \(quoted(spelling)), "
                    + "expected no more than a record holds")
        }
        return ExpandedWord(bytes: bytes, mark: mark)
    }
}
