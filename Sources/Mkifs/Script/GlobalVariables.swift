internal import Format

/// The variables that lines of nothing but `NAME=value` set in boot and script sections: the
/// environment of the commands that follow, and the first place where `${NAME}` is looked up.
public struct GlobalVariables: Sendable {
    /// How many bytes all of them may take, a zero behind each. No command can be given more.
    public static let byteLimit = IFS.Script.recordByteLimit

    /// `NAME=value` in the order in which the names first came.
    public private(set) var strings: [[UInt8]] = []
    /// The bytes of `strings`, with a zero behind each.
    public private(set) var byteCount = 0
    private var places: [[UInt8]: Int] = [:]

    /// None.
    public init() {}

    /// A variable's value; nil where it has none.
    public subscript(name: [UInt8]) -> [UInt8]? {
        places[name].map { Array(strings[$0].dropFirst(name.count + 1)) }
    }

    /// Sets a variable. One that has a value already keeps its place.
    public mutating func set(_ name: [UInt8], _ value: [UInt8]) {
        let string = name + [.equals] + value
        if let place = places[name] {
            byteCount += string.count - strings[place].count
            strings[place] = string
        } else {
            places[name] = strings.count
            byteCount += string.count + 1
            strings.append(string)
        }
    }

    /// Looks a name up here, and then in `environment`.
    public func lookup(before environment: @escaping VariableLookup) -> VariableLookup {
        { self[$0] ?? environment($0) }
    }

    /// Sets the variables of a line that has no command. They get their values all at once: none
    /// sees what stands before it in its line. One without room or with an error is left out.
    public mutating func define(
        _ line: CommandLines.Line, environment: @escaping VariableLookup,
        _ diagnostics: inout Diagnostics
    ) {
        let values = Self.values(line, lookup(before: environment), &diagnostics)
        for (assignment, value) in values {
            let old = self[assignment.name].map { $0.count + assignment.name.count + 2 } ?? 0
            guard byteCount - old + assignment.name.count + value.count + 2 <= Self.byteLimit else {
                diagnostics.add(
                    Diagnostic(
                        at: assignment.mark,
                        "with \(quoted(assignment.name)) the variables of all commands have more "
                            + "than \(Self.byteLimit) bytes"))
                continue
            }
            set(assignment.name, value)
        }
    }

    /// The lookup ends with this call: it holds a copy, which setting a variable would pay for.
    private static func values(
        _ line: CommandLines.Line, _ lookup: @escaping VariableLookup,
        _ diagnostics: inout Diagnostics
    ) -> [(CommandLines.Assignment, [UInt8])] {
        var values: [(CommandLines.Assignment, [UInt8])] = []
        var remaining = byteLimit
        for assignment in line.assignments where !diagnostics.isFull {
            do {
                let text = try assignment.value.text(lookup, &remaining)
                values.append((assignment, text.bytes))
            } catch {
                diagnostics.add(error)
            }
        }
        return values
    }
}
