internal import Format

/// The options of a tool: the one table behind its parser, `--help` and completions.
public struct OptionTable: Sendable {
    /// What a shell should offer for a word.
    public enum Words: Sendable {
        case files
        case directories
        case words([String])
        /// Words joined by commas; one that ends in `=` is followed by a value.
        case list([String])
        case none
    }

    /// One option: a letter, a long name, or both; with an argument or without.
    public struct Option: Sendable {
        /// As in `-x`.
        public let letter: Character?
        /// As in `--extract`.
        public let name: String?
        /// What the argument is called in the help; nil where there is none.
        public let argument: String?
        /// What it does, in a few words.
        public let help: String
        /// What completes its argument.
        public let words: Words

        /// What the code calls the option: its long name, else its letter.
        public var id: String { name ?? letter.map(String.init) ?? "" }

        /// An option with a letter, a name or both.
        public init(
            _ letter: Character? = nil, _ name: String? = nil, argument: String? = nil,
            words: Words = .none, _ help: String
        ) {
            self.letter = letter
            self.name = name
            self.argument = argument
            self.words = words
            self.help = help
        }
    }

    /// The options given and the other words, in order.
    public struct Parsed: Sendable {
        /// The options with their values, in order.
        fileprivate(set) public var options: [(id: String, value: Argument?)] = []
        /// The other words, in order.
        fileprivate(set) public var operands: [Argument] = []

        /// How often an option was given.
        public func count(_ id: String) -> Int { options.count { $0.id == id } }

        /// Whether an option was given.
        public func has(_ id: String) -> Bool { count(id) > 0 }

        /// The values of an option, in order.
        public func values(_ id: String) -> [Argument] {
            options.compactMap { $0.id == id ? $0.value : nil }
        }

        /// The value given last.
        public func value(_ id: String) -> Argument? { values(id).last }

        /// The value given last, as a whole number of at least `least`; decimal, or hexadecimal
        /// after `0x`.
        public func number(_ id: String, atLeast least: UInt64 = 0) throws(ToolError) -> UInt64? {
            guard let text = value(id)?.text else { return nil }
            let number =
                text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
            guard let number, number >= least else {
                let dashes = id.count == 1 ? "-" : "--"
                throw ToolError(
                    "option '\(dashes)\(id)': found '\(text)', expected a whole number from \(least) on"
                )
            }
            return number
        }
    }

    /// What the tool is called.
    public let tool: String
    /// What it does, in a line.
    public let summary: String
    /// The lines behind `usage:`.
    public let usage: [String]
    /// All options, the ones that every tool has at the end.
    public let options: [Option]
    /// Paragraphs behind the options.
    public let notes: [String]
    /// What the words are that are no options.
    public let operands: Words

    /// The table of a tool; `--help` and the like are added.
    public init(
        tool: String, summary: String, usage: [String], options: [Option], notes: [String] = [],
        operands: Words = .files
    ) {
        self.tool = tool
        self.summary = summary
        self.usage = usage
        self.options = options + Self.common
        self.notes = notes
        self.operands = operands
    }

    /// What every tool has.
    private static let common = [
        Option(nil, "help", "print this and exit"),
        Option(nil, "version", "print the version and exit"),
        Option(
            nil, "generate-completion-script", argument: "SHELL",
            words: .words(["bash", "zsh", "fish"]),
            "print completions for bash, zsh or fish and exit"),
    ]

    // MARK: Parsing

    /// Reads the words behind the tool's name. Letters can be joined (`-xv`), a value may follow its
    /// letter at once, options may stand behind operands, and `--` ends them; `-` is an operand.
    public func parse(_ arguments: some Collection<Argument>) throws(ToolError) -> Parsed {
        var parsed = Parsed()
        var rest = Array(arguments)[...]
        while let word = rest.popFirst() {
            let text = word.text
            if text == "--" {
                parsed.operands += rest
                break
            } else if text.hasPrefix("--") {
                try long(word, &rest, &parsed)
            } else if text.hasPrefix("-"), text != "-" {
                try letters(word, &rest, &parsed)
            } else {
                parsed.operands.append(word)
            }
        }
        return parsed
    }

    private func long(
        _ word: Argument, _ rest: inout ArraySlice<Argument>, _ parsed: inout Parsed
    ) throws(ToolError) {
        let equals = word.bytes.firstIndex(of: UInt8(ascii: "="))
        let name = String(
            decoding: word.bytes[2..<(equals ?? word.bytes.endIndex)], as: UTF8.self)
        guard let option = options.first(where: { $0.name == name }) else {
            let near = suggestion(for: name, among: options.compactMap(\.name)) { "--" + $0 }
            throw unknown("--\(name)", near)
        }
        var value = equals.map { Argument(bytes: Array(word.bytes[($0 + 1)...])) }
        if option.argument == nil, value != nil {
            throw ToolError("option '--\(name)' takes no value")
        }
        if option.argument != nil, value == nil { value = rest.popFirst() }
        try add(option, value, "--" + name, &parsed)
    }

    private func letters(
        _ word: Argument, _ rest: inout ArraySlice<Argument>, _ parsed: inout Parsed
    ) throws(ToolError) {
        var position = 1
        while position < word.bytes.count {
            let letter = Character(Unicode.Scalar(word.bytes[position]))
            position += 1
            guard let option = options.first(where: { $0.letter == letter }) else {
                throw unknown("-\(letter)", "")
            }
            guard option.argument != nil else {
                parsed.options.append((option.id, nil))
                continue
            }
            let joined = position < word.bytes.count
            let value = joined ? Argument(bytes: Array(word.bytes[position...])) : rest.popFirst()
            return try add(option, value, "-\(letter)", &parsed)
        }
    }

    private func unknown(_ spelling: String, _ suggestion: String) -> ToolError {
        let hint = suggestion.isEmpty ? "; '\(tool) --help' lists them" : suggestion
        return ToolError("unknown option '\(spelling)'" + hint)
    }

    private func add(
        _ option: Option, _ value: Argument?, _ spelling: String, _ parsed: inout Parsed
    ) throws(ToolError) {
        if let argument = option.argument, value == nil {
            throw ToolError("option '\(spelling)' needs a value, \(argument)")
        }
        parsed.options.append((option.id, value))
    }

    // MARK: Help

    /// The text that `--help` prints.
    public var help: String {
        var lines = ["\(tool): \(summary)", ""]
        for (index, line) in usage.enumerated() {
            lines.append((index == 0 ? "usage: " : "       ") + line)
        }
        lines.append("")
        for option in options {
            let left = spelling(option)
            let help = Self.wrapped(option.help, width: Self.lineWidth - Self.helpColumn)
            let isLong = left.count > Self.helpColumn - 4
            if isLong { lines.append("  " + left) }
            for (index, text) in help.enumerated() {
                let lead = index == 0 && !isLong ? "  " + left : ""
                let pad = String(repeating: " ", count: Self.helpColumn - lead.count)
                lines.append(lead + pad + text)
            }
        }
        for note in notes { lines += ["", note] }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Where the descriptions of options start, and how long a line may be: 80 columns are a terminal's.
    private static let helpColumn = 24
    private static let lineWidth = 80

    private static func wrapped(_ text: String, width: Int) -> [String] {
        text.split(separator: " ").reduce(into: []) { lines, word in
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
    }

    private func spelling(_ option: Option) -> String {
        var forms: [String] = []
        if let letter = option.letter { forms.append("-\(letter)") }
        if let name = option.name { forms.append("--\(name)") }
        let lead = option.letter == nil ? "    " : ""
        return lead + forms.joined(separator: ", ") + (option.argument.map { " " + $0 } ?? "")
    }
}
