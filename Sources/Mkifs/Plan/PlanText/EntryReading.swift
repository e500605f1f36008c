internal import Format

/// Entries of the tree.
extension PlanReader {
    /// The entry that a statement is; nil for another statement.
    mutating func entry(_ statement: PlanStatement) -> Plan.Entry? {
        let kind: Plan.Kind
        switch statement.name {
        case "file": kind = .file(neededContent(statement))
        case "program": kind = .program(program(statement))
        case "extent":
            kind = .extent(byteCount: needed(statement, "size"))
            if statement.value("at") == nil { missing("at", of: statement) }
        case "hardlink": kind = .hardLink(to: needed(statement, "to"))
        case "directory": kind = .directory
        case "symlink":
            if statement.value("target") == nil { missing("target", of: statement) }
            kind = .symlink(
                target: name(statement.value("target"), "target") ?? [],
                library: number(statement, "library"))
        case "device":
            kind = .device(
                device: number(statement, "device") ?? 0,
                rawDevice: number(statement, "rdevice") ?? 0)
        default: return nil
        }
        return entry(statement, name(statement.words.first, "path") ?? [], kind)
    }

    /// An entry of a kind, with the attributes of its statement.
    mutating func entry(
        _ statement: PlanStatement, _ path: [UInt8], _ kind: Plan.Kind
    ) -> Plan.Entry {
        var entry = Plan.Entry(
            path, kind, mode: mode(statement, kind), inode: needed(statement, "inode"),
            user: number(statement, "uid") ?? 0, group: number(statement, "gid") ?? 0,
            modified: number(statement, "mtime") ?? 0)
        entry.place = place(statement)
        entry.extendedAttributes = number(statement, "extended") ?? 0
        entry.padding = statement.value("padding").map { hexadecimal($0, "padding") }
        entry.role = choice(statement, "role", PlanNames.roles) ?? .none
        entry.modeRules = rules(statement)
        return entry
    }

    /// The mode, whose type bits may be left out where there is but one type.
    private mutating func mode(_ statement: PlanStatement, _ kind: Plan.Kind) -> UInt32 {
        let mode: UInt32 = needed(statement, "mode")
        let type = mode & IFS.Dirent.ModeType.mask
        guard let value = statement.value("mode") else { return mode }
        let types = kind.modeTypes
        if type == 0, types.count == 1 { return mode | types[0] }
        if !types.contains(type) {
            let known = types.map { "0" + String($0, radix: 8) }.joined(separator: ", ")
            add(
                at: value.offset,
                "mode: found \(quoted(value.bytes)), expected the type bits of a"
                    + " '\(statement.name)': \(known)")
        }
        return mode
    }

    private mutating func place(_ statement: PlanStatement) -> Plan.Location {
        let unit: UInt64? = number(statement, "unit")
        let block: UInt64? = number(statement, "block")
        if let offset = number(statement, "at", UInt32.self) {
            if let value = statement.value("unit") ?? statement.value("block") {
                add(at: value.offset, "'at=' and another place do not go together")
            }
            return .fixed(UInt64(offset))
        }
        if let unit { return .inOrder(unit: unit, group: block) }
        if block != nil, let value = statement.value("block") {
            add(at: value.offset, "'block=' without 'unit='")
        }
        return .free
    }

    private mutating func rules(_ statement: PlanStatement) -> Plan.ModeRules {
        guard let value = statement.value("rules") else { return [] }
        var rules: Plan.ModeRules = []
        for word in value.bytes.split(separator: UInt8(ascii: ",")) {
            rules.formUnion(choice(word, at: value.offset, "rules", PlanNames.modeRules) ?? [])
        }
        return rules
    }

    private mutating func program(_ statement: PlanStatement) -> Plan.Program {
        var rules = ELFLayout.Rules()
        rules.usesCodeInPlace = choice(statement, "code", PlanNames.uses) ?? true
        rules.usesDataInPlace = choice(statement, "data", PlanNames.uses) ?? true
        rules.keepsRelocations = flag(statement, "relocations") ?? true
        rules.keptSections = statement.words(of: "keep").map(\.bytes)
        var program = Plan.Program(neededContent(statement), rules)
        program.link = link(statement)
        program.arguments = arguments(statement)
        return program
    }

    /// Bytes that belong to no entry.
    mutating func remain(_ statement: PlanStatement) -> Plan.Remain {
        Plan.Remain(
            at: UInt64(needed(statement, "at") as UInt32), neededContent(statement))
    }
}

extension Plan.Kind {
    /// The type bits that modes of the kind can have.
    var modeTypes: [UInt32] {
        typealias ModeType = IFS.Dirent.ModeType
        return switch self {
        case .file, .program, .extent, .hardLink: [ModeType.regular]
        case .directory: [ModeType.directory]
        case .symlink: [ModeType.symlink]
        case .device:
            [
                ModeType.fifo, ModeType.character, ModeType.block, ModeType.socket,
                ModeType.namedSpecial,
            ]
        }
    }
}

/// What a plan's text calls things.
enum PlanNames {
    static let roles = [("bootstrap", Plan.Role.bootstrap), ("script", .script)]
    static let modeRules = [
        ("executable-when-linked", Plan.ModeRules.executableWhenLinked), ("sticky", .sticky),
    ]
    static let uses = [("in-place", true), ("copied", false)]
    static let orders = [("little", ByteOrder.little), ("big", .big)]
    static let directories = [("kept", true), ("placed", false)]
    static let compressions = IFS.Compression.allCases.map { ($0.name, $0) }
    static let releases = Release.allCases.map { ($0.rawValue, $0) }

    /// The name of a value.
    static func name<Value: Equatable>(of value: Value, in names: [(String, Value)]) -> String {
        names.first { $0.1 == value }?.0 ?? ""
    }
}
