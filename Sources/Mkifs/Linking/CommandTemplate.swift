internal import Format

/// A linker's command taken apart at its codes.
struct CommandTemplate: Equatable, Sendable {
    /// What stands behind a `%`, and is replaced.
    enum Code: String, CaseIterable, Sendable {
        case headerAddress = "h"
        case textAddress = "t"
        case dataAddress = "d"
        case output = "o"
        case input = "i"
        case outputDirectory = "^o"
        case inputDirectory = "^i"
        case module = "n"
        case moduleStem = "^n"

        var needsModule: Bool { self == .module || self == .moduleStem }
    }

    /// What a condition compares.
    enum Variable: String, CaseIterable, Sendable {
        case machine = "m"
        case bigEndian = "e"
        case dataAddress = "d"
        case headerAddress = "h"
        case kind = "f"
        case virtualFile = "v"
        case virtualSystem = "V"
        case architecture = "a"
    }

    /// How a condition compares; those of two characters come first.
    enum Comparison: String, CaseIterable, Sendable {
        case equal = "=="
        case unequal = "!="
        case atMost = "<="
        case atLeast = ">="
        case less = "<"
        case more = ">"

        func holds(_ left: UInt64, _ right: UInt64) -> Bool {
            switch self {
            case .equal: left == right
            case .unequal: left != right
            case .atMost: left <= right
            case .atLeast: left >= right
            case .less: left < right
            case .more: left > right
            }
        }
    }

    /// A part of the command.
    indirect enum Piece: Equatable, Sendable {
        case text([UInt8])
        case code(Code)
        case conditional(Variable, Comparison, UInt64, [Piece])
        case modules([Piece])
    }

    private let pieces: [Piece]

    /// Takes a command apart. Throws for a code that is none, and for `%(` and `%[` without their end.
    init(parsing command: [UInt8]) throws(LinkingError) {
        var parser = CommandParser(command)
        pieces = try parser.pieces()
    }

    /// The command for a request.
    func text(for request: LinkRequest) -> [UInt8] {
        Self.text(of: pieces, request, module: [])
    }

    private static func text(
        of pieces: [Piece], _ request: LinkRequest, module: [UInt8]
    ) -> [UInt8] {
        pieces.reduce(into: []) { result, piece in
            switch piece {
            case .text(let bytes): result += bytes
            case .code(let code): result += request.text(of: code, module: module)
            case .conditional(let variable, let comparison, let number, let inner):
                if comparison.holds(request.value(of: variable), number) {
                    result += text(of: inner, request, module: module)
                }
            case .modules(let inner):
                for name in request.modules { result += text(of: inner, request, module: name) }
            }
        }
    }
}

/// Reads a command from front to back.
private struct CommandParser {
    typealias Template = CommandTemplate

    /// An open `%(` or `%[`.
    private struct Group {
        let start: Int
        let closer: UInt8
    }

    /// Conditions in each other; far more than a sane command has, far fewer than the stack holds.
    private static let deepest = 64

    private let command: [UInt8]
    private var position = 0
    private var open: [Group] = []
    private var isInModules = false

    init(_ command: [UInt8]) { self.command = command }

    /// The pieces up to the end of the innermost group, or of the command where none is open.
    mutating func pieces() throws(LinkingError) -> [Template.Piece] {
        var found: [Template.Piece] = []
        while position < command.count {
            let start = position
            position = command[start...].firstIndex(of: UInt8(ascii: "%")) ?? command.count
            if position > start { found.append(.text(Array(command[start..<position]))) }
            guard position < command.count else { break }
            if try closesGroup() { return found }
            found.append(try piece())
        }
        if let group = open.last {
            throw fault(
                at: group.start,
                "\(quoted(command[group.start..<group.start + 2])) without its end",
                "'%\(Character(Unicode.Scalar(group.closer)))' behind it")
        }
        return found
    }

    /// Whether the innermost group ends here; then its end is read.
    private mutating func closesGroup() throws(LinkingError) -> Bool {
        guard let byte = byte(at: position + 1), byte == UInt8(ascii: ")") || byte == .closeBracket
        else { return false }
        guard let group = open.last, group.closer == byte else {
            throw fault(at: position, quoted(command[position...].prefix(2)), "nothing to close")
        }
        position += 2
        return true
    }

    private mutating func piece() throws(LinkingError) -> Template.Piece {
        switch byte(at: position + 1) {
        case UInt8(ascii: "("): return try conditional()
        case .openBracket: return try modules()
        default: break
        }
        let start = position
        position += 1
        guard let code = take(Template.Code.self) else {
            throw fault(
                at: start, quoted(command[start...].prefix(2)),
                "a code: %h %t %d %o %i %^o %^i %n %^n %(...%) %[M...%]")
        }
        guard isInModules || !code.needsModule else {
            throw fault(at: start, "'%\(code.rawValue)'", "it between '%[M' and '%]' only")
        }
        return .code(code)
    }

    private mutating func conditional() throws(LinkingError) -> Template.Piece {
        let start = position
        position += 2
        skipBlanks()
        guard let variable = take(Template.Variable.self) else {
            throw fault(at: position, rest, "a variable: m e d h f v V a")
        }
        skipBlanks()
        guard let comparison = take(Template.Comparison.self) else {
            throw fault(at: position, rest, "== != < <= > or >=")
        }
        guard let comma = command[position...].firstIndex(of: UInt8(ascii: ",")),
            let number = number(command[position..<comma])
        else { throw fault(at: position, rest, "a number and a comma") }
        position = comma + 1
        let inner = try group(from: start, closer: UInt8(ascii: ")"))
        return .conditional(variable, comparison, number, inner)
    }

    private mutating func modules() throws(LinkingError) -> Template.Piece {
        let start = position
        guard byte(at: position + 2) == UInt8(ascii: "M") else {
            throw fault(at: start, quoted(command[start...].prefix(3)), "'%[M'")
        }
        guard !isInModules else {
            throw fault(at: start, "'%[M' in another", "one loop at a time")
        }
        position += 3
        isInModules = true
        defer { isInModules = false }
        return .modules(try group(from: start, closer: .closeBracket))
    }

    private mutating func group(
        from start: Int, closer: UInt8
    ) throws(LinkingError) -> [Template.Piece] {
        guard open.count < Self.deepest else {
            throw fault(at: start, "a condition in \(open.count) others", "fewer")
        }
        open.append(Group(start: start, closer: closer))
        let inner = try pieces()
        open.removeLast()
        return inner
    }

    private mutating func skipBlanks() {
        position = command[position...].prefix { $0.isSpace }.endIndex
    }

    /// The value whose spelling stands here.
    private mutating func take<Value: RawRepresentable & CaseIterable>(
        _: Value.Type
    ) -> Value? where Value.RawValue == String {
        let rest = command[position...]
        let value = Value.allCases.first { rest.starts(with: $0.rawValue.utf8) }
        position += value?.rawValue.utf8.count ?? 0
        return value
    }

    /// A number between blanks; nil where there is none.
    private func number(_ text: ArraySlice<UInt8>) -> UInt64? {
        do {
            return try Number.parse(text.withoutBlanks)
        } catch {
            // The caller names the place in the command, which says more than the fault.
            return nil
        }
    }

    private func byte(at index: Int) -> UInt8? {
        command.indices.contains(index) ? command[index] : nil
    }

    /// The next few bytes, for a message.
    private var rest: String {
        let next = command[position...].prefix(8)
        return next.isEmpty ? "the end" : quoted(next)
    }

    private func fault(at index: Int, _ found: String, _ expected: String) -> LinkingError {
        .badCommand(command, byte: index + 1, found: found, expected: expected)
    }
}
