internal import Format

/// The value of a `linker=`: which files it is for, and the command that links them.
struct LinkerSpec: Equatable, Sendable {
    /// `e_machine` of the files; empty for any.
    let machines: Set<UInt16>
    /// `e_type` of the files; empty for relocatable ones.
    let types: Set<UInt16>
    /// Types of program headers, one of which a file has; empty for any file.
    let segments: Set<UInt32>
    /// A line for the shell, with codes that a `LinkRequest` replaces.
    let command: [UInt8]

    /// `(machines;types;segments)command`, or a command alone.
    init(parsing text: [UInt8]) throws(ValueFault) {
        var lists: [ArraySlice<UInt8>] = [[], [], []]
        var rest = text[...]
        if text.first == UInt8(ascii: "(") {
            guard let close = text.firstIndex(of: UInt8(ascii: ")")) else {
                throw ValueFault(text, "')' behind the machines, types and segments")
            }
            lists = text[1..<close].split(
                separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
            rest = text[(close + 1)...]
        }
        guard lists.count == 3 else {
            throw ValueFault(text, "'(machines;types;segments)' before the command")
        }
        guard rest.contains(where: { !$0.isSpace }) else { throw ValueFault(text, "a command") }
        machines = try Self.numbers(lists[0])
        types = try Self.numbers(lists[1])
        segments = try Self.numbers(lists[2])
        command = Array(rest)
    }

    private static func numbers<Value: FixedWidthInteger>(
        _ list: ArraySlice<UInt8>
    ) throws(ValueFault) -> Set<Value> {
        var found: Set<Value> = []
        for word in list.split(separator: UInt8(ascii: ",")) {
            let number = try Number.parse(word.withoutBlanks, through: UInt64(Value.max))
            found.insert(Value(truncatingIfNeeded: number))
        }
        return found
    }

    /// Whether the spec is for a file. One without program headers counts as if it had one of type 0.
    func matches(_ file: ELFFile) -> Bool {
        let wantedTypes = types.isEmpty ? [ELFFile.FileType.relocatable] : types
        let header = file.header
        let found =
            header.segments.isEmpty
            ? [ELFFile.SegmentType.null] : Set(header.segments.map(\.type))
        return (machines.isEmpty || machines.contains(header.machine))
            && wantedTypes.contains(header.type)
            && (segments.isEmpty || !segments.isDisjoint(with: found))
    }
}

extension ArraySlice<UInt8> {
    /// The text without the blanks around it.
    var withoutBlanks: ArraySlice<UInt8> {
        let start = drop { $0.isSpace }
        return start.lastIndex { !$0.isSpace }.map { start[...$0] } ?? []
    }
}
