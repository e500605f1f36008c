public import Format

/// Turns script sections into the records that the process manager goes through when it starts.
///
/// One compiler serves a whole build: all sections become one file, and adaptive partitions are
/// numbered through them. A line is taken as it stands when its turn comes: its variables have the
/// values that lines above have given them.
public struct ScriptCompiler: Sendable {
    /// How many arguments and variables together the 6.4 process manager can hand on.
    static let pointerLimit = 100

    /// The records of all sections so far.
    public private(set) var records: [UInt8] = []
    private var partitions = AdaptivePartitions()
    /// Names of partitions of which was said already that they are unknown.
    private var missing: Set<[UInt8]> = []

    /// Nothing compiled yet.
    public init() {}

    /// The script's file: all records, and the terminator.
    public var file: [UInt8] { records + IFS.Script.terminator }

    private var isFull: Bool {
        records.count + IFS.Script.terminator.count > IFS.Script.byteLimit
    }

    /// Compiles a section, adds its records and gives its commands.
    ///
    /// A line without a command sets variables and modifiers for those that follow, the variables
    /// for later sections as well. A line with an error is left out, and the error added to
    /// `diagnostics`.
    public mutating func compile(
        _ text: SourceText, scope: inout AttributeScope, section: inout AttributeScope.Section,
        globals: inout GlobalVariables, environment: @escaping VariableLookup,
        diagnostics: inout Diagnostics
    ) -> [IFS.Script.Command] {
        var commands: [IFS.Script.Command] = []
        for line in CommandLines(parsing: text, &diagnostics).lines where !diagnostics.isFull {
            let defaults = section.modifiers
            let modifiers = scope.enterScript(
                line, in: &section, globals.lookup(before: environment), &diagnostics)
            guard !line.words.isEmpty else {
                globals.define(line, environment: environment, &diagnostics)
                continue
            }
            let lookup = globals.lookup(before: environment)
            guard let text = LineText(line, lookup, &diagnostics) else { continue }
            let call = BuiltIn.Call(text, modifiers, defaults: defaults)
            let command =
                call.map { builtIn($0, &diagnostics) }
                ?? external(text, modifiers, globals, &diagnostics)
            if let command, add(command, of: line, &diagnostics) { commands.append(command) }
            if isFull { break }
        }
        return commands
    }

    /// Adds a command's record; false where it is too large.
    private mutating func add(
        _ command: IFS.Script.Command, of line: CommandLines.Line,
        _ diagnostics: inout Diagnostics
    ) -> Bool {
        do {
            records += try command.record()
        } catch {
            diagnostics.add(Diagnostic(at: line.mark, Self.tooLarge(error)))
            return false
        }
        if isFull {
            diagnostics.add(
                Diagnostic(
                    at: line.mark,
                    "up to here the scripts take \(file.count) bytes, expected "
                        + "\(IFS.Script.byteLimit) at most"))
        }
        return true
    }

    private static func tooLarge(_ error: FormatError) -> String {
        guard case .unsupported(_, let found, let expected) = error else { return "\(error)" }
        return "the command with its variables: found \(found), expected \(expected)"
    }

    private mutating func builtIn(
        _ call: BuiltIn.Call, _ diagnostics: inout Diagnostics
    ) -> IFS.Script.Command? {
        call.warn(&diagnostics)
        do {
            return call.name == .partition
                ? partitions.define(call.text, &diagnostics) : try call.command(&diagnostics)
        } catch {
            diagnostics.add(error)
            return nil
        }
    }
}

extension ScriptCompiler {
    private mutating func external(
        _ text: LineText, _ modifiers: ScriptModifiers, _ globals: GlobalVariables,
        _ diagnostics: inout Diagnostics
    ) -> IFS.Script.Command? {
        do {
            try Self.check(text, globals.strings.count, &diagnostics)
        } catch {
            diagnostics.add(error)
            return nil
        }
        let path = text.command.bytes
        return .external(
            .init(
                processor: modifiers.processor,
                partition: partition(modifiers.partition, of: text.line, &diagnostics),
                priority: modifiers.priority?.level,
                policy: modifiers.priority?.policy.rawValue ?? 0, isSession: modifiers.isSession,
                isDebug: modifiers.isDebug, isBackground: text.line.background != nil),
            path: path,
            arguments: [Self.name(modifiers, path)] + text.operands.map(\.bytes),
            environment: globals.strings + text.environment)
    }

    /// What the command is told of its own name.
    private static func name(_ modifiers: ScriptModifiers, _ path: [UInt8]) -> [UInt8] {
        if let name = modifiers.argv0, !name.isEmpty { return name }
        return path.split(separator: .slash).last.map(Array.init) ?? path
    }

    private static func check(
        _ text: LineText, _ globalCount: Int, _ diagnostics: inout Diagnostics
    ) throws(Diagnostic) {
        guard !text.command.bytes.isEmpty, text.command.bytes != [.ampersand] else {
            throw Diagnostic(
                at: text.command.mark,
                "found \(quoted(text.line.words[0].spelling)), expected a command")
        }
        let limit = Int(UInt8.max)
        if text.words.count > limit {
            throw Diagnostic(
                at: text.words[limit].mark,
                "found \(text.words.count) arguments, expected \(limit) at most")
        }
        let variableCount = globalCount + text.environment.count
        if variableCount > limit {
            throw Diagnostic(
                at: text.line.mark, "found \(variableCount) variables, expected \(limit) at most")
        }
        if text.words.count + variableCount > pointerLimit {
            diagnostics.add(
                Diagnostic(
                    .warning, at: text.command.mark,
                    "found \(text.words.count) arguments and \(variableCount) variables; "
                        + "the process manager of 6.4 takes \(pointerLimit) in all"))
        }
    }

    /// The id of a modifier's partition; nil without one, and for one that no line above defines.
    private mutating func partition(
        _ name: [UInt8]?, of line: CommandLines.Line, _ diagnostics: inout Diagnostics
    ) -> UInt8? {
        guard let name else { return nil }
        if let id = partitions.id(of: name) { return id }
        if missing.insert(name).inserted {
            diagnostics.add(
                Diagnostic(
                    .warning, at: Self.partitionMark(line),
                    "no partition \(quoted(name)) is defined so far; the command runs in its "
                        + "parent's", hint: "write 'sched_aps name budget' on a line before it"))
        }
        return nil
    }

    /// Where the line names its partition, if it is this line that does.
    private static func partitionMark(_ line: CommandLines.Line) -> SourceMark {
        for attribute in (line.attributes?.attributes ?? []).reversed() {
            if case .setting(let name, let value) = attribute.form,
                String(decoding: name, as: UTF8.self).lowercased() == "sched_aps"
            {
                return value.mark
            }
        }
        return line.words.first?.mark ?? line.mark
    }
}
