internal import Format

/// Where an attribute stands, and so which rows of the table it can mean.
enum AttributePlace {
    /// In the buildfile or in its boot section.
    case entry
    /// In a script.
    case script

    /// The rows that are tried here.
    var definitions: [AttributeDefinition] { self == .script ? Self.modifiers : Self.entries }

    private static let entries = AttributeTable.definitions.filter { $0.scope != .modifier }
    private static let modifiers = AttributeTable.definitions.filter { $0.scope == .modifier }
}

/// An attribute that the table knows, and what it was given.
struct MatchedAttribute {
    let definition: AttributeDefinition
    let set: @Sendable (inout AttributeValues) throws(ValueFault) -> Void
    let valueMark: SourceMark
}

extension AttributeTable {
    /// Finds the row that an attribute means. Throws for an unknown one.
    static func match(
        _ attribute: RawAttribute, at place: AttributePlace, _ lookup: @escaping VariableLookup
    ) throws(Diagnostic) -> MatchedAttribute {
        switch attribute.form {
        case .flag(let isOn, let name):
            let text = try name.expanded(lookup)
            return try matchFlag(isOn, text, attribute.mark, place)
        case .setting(let name, let value):
            let text = try value.expanded(lookup)
            return try matchSetting(name, text, attribute.mark, value.mark, place)
        case .deferred:
            return try match(attribute.settled(lookup), at: place, lookup)
        }
    }

    /// What a word that is neither flag nor setting may have been meant to be.
    static func hint(forBare word: [UInt8]) -> String? {
        definitions.first { word.elementsEqual($0.name.utf8) }
            .map { "did you mean '\($0.spelling)'?" }
    }

    private static func matchFlag(
        _ isOn: Bool, _ name: [UInt8], _ mark: SourceMark, _ place: AttributePlace
    ) throws(Diagnostic) -> MatchedAttribute {
        for definition in place.definitions where definition.name.utf8.starts(with: name) {
            guard case .flag(let set) = definition.setter else { continue }
            return MatchedAttribute(
                definition: definition, set: { set(isOn, &$0) }, valueMark: mark)
        }
        throw unknown(name, sign: isOn ? "+" : "-", mark, place)
    }

    private static func matchSetting(
        _ name: [UInt8], _ value: [UInt8], _ mark: SourceMark, _ valueMark: SourceMark,
        _ place: AttributePlace
    ) throws(Diagnostic) -> MatchedAttribute {
        // The vendor's own examples write CPU= for cpu=.
        let written =
            place == .script ? name.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 } : name
        for definition in place.definitions where written.elementsEqual(definition.name.utf8) {
            guard case .value(let set) = definition.setter else { continue }
            return MatchedAttribute(
                definition: definition,
                set: { values throws(ValueFault) in try set(value, &values) },
                valueMark: valueMark)
        }
        throw unknown(name, sign: nil, mark, place)
    }

    /// What to say of a name that no row has.
    private static func unknown(
        _ name: [UInt8], sign: String?, _ mark: SourceMark, _ place: AttributePlace
    ) -> Diagnostic {
        let rows = place.definitions
        if let other = rows.first(where: { name.elementsEqual($0.name.utf8) }) {
            return Diagnostic(
                at: mark, "'\(other.name)' takes \(sign == nil ? "a sign and no" : "a") value",
                hint: "write '\(other.spelling)'")
        }
        let known = rows.filter { ($0.kind == .flag) == (sign != nil) }.map(\.name)
        let near = nearest(to: String(decoding: name.prefix(32), as: UTF8.self), among: known)
        return Diagnostic(
            at: mark, "unknown attribute \(quoted(Array((sign ?? "").utf8) + name))",
            hint: near.map { "did you mean '\(sign ?? "")\($0)'?" })
    }
}
