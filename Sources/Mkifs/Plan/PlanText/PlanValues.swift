internal import Format

extension PlanStatement {
    /// The value of a key; nil without it.
    func value(_ key: String) -> Value? { pairs.first { $0.key == key }?.value }

    /// All words of the parts of a name.
    func words(of part: String) -> [Value] {
        parts.filter { $0.name == part }.flatMap(\.words)
    }
}

/// Values of statements. What is wrong with one is told, and something harmless given in its place.
extension PlanReader {
    /// A number that a key may give.
    mutating func number<Value: FixedWidthInteger & UnsignedInteger>(
        _ statement: PlanStatement, _ key: String, _: Value.Type = Value.self
    ) -> Value? {
        guard let value = statement.value(key) else { return nil }
        return Value(truncatingIfNeeded: number(value, key, through: UInt64(Value.max)))
    }

    /// A number that a key has to give.
    mutating func needed<Value: FixedWidthInteger & UnsignedInteger>(
        _ statement: PlanStatement, _ key: String
    ) -> Value {
        guard statement.value(key) != nil else {
            missing(key, of: statement)
            return 0
        }
        return number(statement, key) ?? 0
    }

    mutating func number(
        _ value: PlanStatement.Value, _ key: String, through limit: UInt64
    ) -> UInt64 {
        do throws(ValueFault) {
            return try Number.parse(value.bytes, through: limit)
        } catch {
            add(at: value.offset, "\(key): \(error)")
            return 0
        }
    }

    mutating func missing(_ key: String, of statement: PlanStatement) {
        add(at: statement.offset, "'\(statement.name)' without '\(key)='")
    }

    /// Numbers with commas between.
    mutating func numbers(_ statement: PlanStatement, _ key: String, atMost: Int) -> [UInt32]? {
        guard let value = statement.value(key) else { return nil }
        let texts = value.bytes.split(separator: UInt8(ascii: ","))
        if texts.count > atMost {
            add(
                at: value.offset, "\(key): found \(texts.count) numbers, expected \(atMost) at most"
            )
        }
        return texts.prefix(atMost).map { text in
            let part = PlanStatement.Value(bytes: Array(text), offset: value.offset)
            return UInt32(truncatingIfNeeded: number(part, key, through: UInt64(UInt32.max)))
        }
    }

    /// One of several words.
    mutating func choice<Value>(
        _ statement: PlanStatement, _ key: String, _ choices: [(String, Value)]
    ) -> Value? {
        guard let value = statement.value(key) else { return nil }
        return choice(value.bytes[...], at: value.offset, key, choices)
    }

    mutating func choice<Value>(
        _ text: ArraySlice<UInt8>, at offset: Int, _ key: String,
        _ choices: [(String, Value)]
    ) -> Value? {
        let found = choices.first { text.elementsEqual($0.0.utf8) }
        if found == nil {
            let names = choices.map(\.0)
            let near = nearest(
                to: String(decoding: text.prefix(32), as: UTF8.self), among: names)
            add(
                at: offset,
                "\(key): found \(quoted(text)), expected one of \(names.joined(separator: ", "))",
                hint: near.map { "did you mean '\($0)'?" })
        }
        return found?.1
    }

    /// `yes` or `no`.
    mutating func flag(_ statement: PlanStatement, _ key: String) -> Bool? {
        choice(statement, key, [("yes", true), ("no", false)])
    }

    /// Bytes in base 16.
    mutating func hexadecimal(_ value: PlanStatement.Value, _ key: String) -> [UInt8] {
        if let bytes = PlanHex.bytes(value.bytes) { return bytes }
        add(
            at: value.offset,
            "\(key): found \(quoted(value.bytes)), expected an even number of digits of base 16")
        return []
    }

    /// A text that goes into a record, or to the system: it has no NUL.
    mutating func name(_ value: PlanStatement.Value?, _ key: String) -> [UInt8]? {
        guard let value else { return nil }
        if value.bytes.contains(0) { add(at: value.offset, "\(key): found a NUL in a name") }
        return value.bytes
    }

    /// A path of the host.
    mutating func path(_ value: PlanStatement.Value, _ key: String) -> [UInt8] {
        let path = name(value, key) ?? []
        if path.isEmpty { add(at: value.offset, "\(key): found no path") }
        return path.first == .slash ? path : join(directory, path)
    }
}
