internal import Format

/// The adaptive partitions that `sched_aps` lines define, one after the other. Their ids count up
/// from 1; id 0 is the partition that exists at the start, of which all others get their budget.
struct AdaptivePartitions {
    /// How many can be defined beside the first.
    static let countLimit = 8
    /// Bytes of a name.
    static let nameLimit = 15

    /// By id.
    private var names = [Array("System".utf8)]
    /// Percent of all together.
    private var budget = 0

    /// The id of the partition of that name.
    func id(of name: [UInt8]) -> UInt8? {
        names.firstIndex(of: name).map { UInt8(clamping: $0) }
    }

    /// Defines a partition: `sched_aps name [budget[%] [critical[ms]]]`. What is not said is 0.
    ///
    /// Nil where something is wrong, all of which is added to the diagnostics. The name is known
    /// from here on all the same, so that the commands that use it are not blamed.
    mutating func define(
        _ text: LineText, _ diagnostics: inout Diagnostics
    ) -> IFS.Script.Command? {
        text.warn(ofOperandsBehind: 3, in: .partition, &diagnostics)
        let words = Array(text.operands)
        guard let name = words.first else {
            diagnostics.add(
                Diagnostic(
                    at: text.command.mark, "'sched_aps' has no name",
                    hint: "write '\(BuiltIn.partition.usage)'"))
            return nil
        }
        let id = Self.result(&diagnostics) { () throws(Diagnostic) in try add(name) }
        let budget = Self.result(&diagnostics) { () throws(Diagnostic) in
            try take(words.dropFirst().first)
        }
        let critical = Self.result(&diagnostics) { () throws(Diagnostic) in
            try Self.number(
                words.dropFirst(2).first, "ms", through: 1000, "milliseconds from 0 through 1000")
        }
        guard let id, let budget, let critical else { return nil }
        return .partition(
            name: name.bytes, id: id, budget: UInt8(clamping: budget),
            critical: UInt16(clamping: critical))
    }

    private static func result<Value>(
        _ diagnostics: inout Diagnostics, _ body: () throws(Diagnostic) -> Value
    ) -> Value? {
        do {
            return try body()
        } catch {
            diagnostics.add(error)
            return nil
        }
    }

    private mutating func add(_ name: ExpandedWord) throws(Diagnostic) -> UInt8 {
        let (bytes, mark) = (name.bytes, name.mark)
        if names.contains(bytes) {
            throw Diagnostic(at: mark, "there is a partition \(quoted(bytes)) already")
        }
        guard names.count <= Self.countLimit else {
            throw Diagnostic(
                at: mark,
                "found a further partition \(quoted(bytes)), expected \(Self.countLimit) at most")
        }
        names.append(bytes)
        guard (1...Self.nameLimit).contains(bytes.count) else {
            throw Diagnostic(
                at: mark,
                "found \(quoted(bytes)), expected a name of 1 through \(Self.nameLimit) bytes")
        }
        return UInt8(clamping: names.count - 1)
    }

    private mutating func take(_ text: ExpandedWord?) throws(Diagnostic) -> Int {
        let percent = try Self.number(text, "%", through: 100, "percent from 0 through 100")
        // A sum that is too large is said once, where it becomes so.
        let before = budget
        budget = min(budget + percent, 1000)
        if let text, before <= 100, budget > 100 {
            throw Diagnostic(
                at: text.mark,
                "the budgets of all partitions come to \(budget)%, expected 100% at most"
            )
        }
        return percent
    }

    /// A decimal number with or without its unit; 0 where there is none.
    private static func number(
        _ text: ExpandedWord?, _ unit: String, through limit: Int, _ expected: String
    ) throws(Diagnostic) -> Int {
        guard let text else { return 0 }
        let digits = text.bytes.prefix { $0.isDigit }
        let rest = text.bytes.dropFirst(digits.count)
        let value = digits.reduce(0) { min($0 * 10 + Int($1 - 0x30), 100_000) }
        guard !digits.isEmpty, rest.isEmpty || rest.elementsEqual(unit.utf8), value <= limit else {
            throw Diagnostic(at: text.mark, "found \(quoted(text.bytes)), expected \(expected)")
        }
        return value
    }
}
