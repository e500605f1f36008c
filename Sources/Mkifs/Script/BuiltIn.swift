internal import Format

/// A command that is no program, but a record of its own type.
enum BuiltIn: String {
    case waitfor
    case reopen
    case message = "display_msg"
    case symlink = "procmgr_symlink"
    case partition = "sched_aps"

    /// How it is written, where its operands are wrong.
    var usage: String {
        switch self {
        case .waitfor: "waitfor path [seconds]"
        case .reopen: "reopen [path [seconds]]"
        case .message: "display_msg [text]"
        case .symlink: "procmgr_symlink text path"
        case .partition: "sched_aps name budget [milliseconds]"
        }
    }
}

extension BuiltIn {
    /// A line that is about one.
    struct Call {
        let name: BuiltIn
        let text: LineText
        /// Whether the line has modifiers beside the one for built-ins.
        private let isModified: Bool

        /// Nil for the name of a program, and where `+external` makes a built-in's name one.
        init?(_ text: LineText, _ modifiers: ScriptModifiers, defaults: ScriptModifiers) {
            let name = BuiltIn(rawValue: String(decoding: text.command.bytes, as: UTF8.self))
            guard let name, !modifiers.isExternal else { return nil }
            self.name = name
            self.text = text
            var lasting = defaults
            lasting.isExternal = false
            isModified = modifiers != lasting
        }
    }
}

extension BuiltIn.Call {
    private static let console = Array("/dev/console".utf8)
    /// Five seconds.
    private static let defaultTenths: UInt16 = 50

    /// Says what of the line its record has no room for.
    func warn(_ diagnostics: inout Diagnostics) {
        func warn(_ mark: SourceMark, _ what: String, hint: String? = nil) {
            diagnostics.add(
                Diagnostic(
                    .warning, at: mark, "'\(name.rawValue)' is built in: \(what)", hint: hint))
        }
        if isModified {
            warn(text.line.attributes?.mark ?? text.line.mark, "modifiers have no effect on it")
        }
        if let variable = text.line.assignments.first {
            warn(
                variable.mark, "\(quoted(variable.name)) has no effect on it",
                hint: "on a line of its own a variable holds for the commands that follow")
        }
        if name != .message, let mark = text.line.background {
            warn(mark, "it is waited for with '&' as well")
        }
    }

    /// The command of any but `sched_aps`, which needs to know those before it.
    func command(_ diagnostics: inout Diagnostics) throws(Diagnostic) -> IFS.Script.Command? {
        switch name {
        case .waitfor: try waitfor(&diagnostics)
        case .reopen: try reopen(&diagnostics)
        case .message: .displayMessage(message)
        case .symlink: try symlink()
        case .partition: nil
        }
    }

    private func waitfor(
        _ diagnostics: inout Diagnostics
    ) throws(Diagnostic) -> IFS.Script.Command {
        text.warn(ofOperandsBehind: 2, in: name, &diagnostics)
        guard let path = text.operands.first else {
            throw Diagnostic(
                at: text.command.mark, "'waitfor' has no path", hint: "write '\(name.usage)'")
        }
        let time = text.operands.dropFirst().first
        if let time, Seconds(path.bytes) != nil, Seconds(time.bytes) == nil {
            throw Diagnostic(
                at: path.mark, "found \(quoted(path.bytes)), expected a path",
                hint: "write '\(name.usage)'")
        }
        return .waitfor(path: try nonEmpty(path), tenths: try tenths(time, &diagnostics))
    }

    /// The path and the time stand in either order: newer guides have the time first.
    private func reopen(
        _ diagnostics: inout Diagnostics
    ) throws(Diagnostic) -> IFS.Script.Command {
        text.warn(ofOperandsBehind: 2, in: name, &diagnostics)
        var path = text.operands.first
        var time = text.operands.dropFirst().first
        if let first = path, Seconds(first.bytes) != nil {
            if let second = time, Seconds(second.bytes) == nil {
                swap(&path, &time)
            } else if time == nil {
                diagnostics.add(
                    Diagnostic(
                        .warning, at: first.mark, "\(quoted(first.bytes)) is taken for the path",
                        hint: "write 'reopen /dev/console \(printable(first.bytes))'"))
            }
        }
        return .reopen(
            path: try path.map(nonEmpty) ?? Self.console, tenths: try tenths(time, &diagnostics))
    }

    /// The words with blanks between and a newline behind. An `&` is text like any other.
    private var message: [UInt8] {
        var words = text.operands.map(\.bytes)
        if text.line.background != nil { words.append([.ampersand]) }
        return words.isEmpty ? [] : Array(words.joined(separator: [.blank])) + [.newline]
    }

    private func symlink() throws(Diagnostic) -> IFS.Script.Command {
        let words = Array(text.operands)
        guard words.count == 2 else {
            throw Diagnostic(
                at: words.count > 2 ? words[2].mark : text.command.mark,
                "'procmgr_symlink': found \(words.count) word\(words.count == 1 ? "" : "s"), expected 2",
                hint: "write '\(name.usage)'")
        }
        return .symlink(target: try nonEmpty(words[0]), path: try nonEmpty(words[1]))
    }

    private func nonEmpty(_ path: ExpandedWord) throws(Diagnostic) -> [UInt8] {
        guard !path.bytes.isEmpty else {
            throw Diagnostic(at: path.mark, "'\(name.rawValue)': found '', expected a path")
        }
        return path.bytes
    }

    private func tenths(
        _ text: ExpandedWord?, _ diagnostics: inout Diagnostics
    ) throws(Diagnostic) -> UInt16 {
        guard let text else { return Self.defaultTenths }
        guard let seconds = Seconds(text.bytes) else {
            throw Diagnostic(
                at: text.mark,
                "'\(name.rawValue)': found \(quoted(text.bytes)), expected seconds such as 5 or 2.5"
            )
        }
        if !seconds.isExact {
            diagnostics.add(
                Diagnostic(
                    .warning, at: text.mark,
                    "'\(name.rawValue)': \(quoted(text.bytes)) becomes "
                        + "\(seconds.tenths / 10).\(seconds.tenths % 10)",
                    hint: "times are tenths of a second, up to 6553.5"))
        }
        return seconds.tenths
    }
}

extension LineText {
    /// Says that words behind the last one with a meaning are passed over.
    func warn(
        ofOperandsBehind count: Int, in name: BuiltIn, _ diagnostics: inout Diagnostics
    ) {
        guard let surplus = operands.dropFirst(count).first else { return }
        diagnostics.add(
            Diagnostic(
                .warning, at: surplus.mark,
                "'\(name.rawValue)': \(quoted(surplus.bytes)) and what follows it is ignored",
                hint: "write '\(name.usage)'"))
    }
}
