internal import Format

/// Contents, and what runs.
extension PlanReader {
    /// The content of a statement; nil where it has none.
    mutating func content(_ statement: PlanStatement) -> Content? {
        let parts = statement.parts.filter { $0.name == "text" || $0.name == "hex" }
        let hasInline =
            statement.value("text") != nil || statement.value("hex") != nil || !parts.isEmpty
        guard let from = statement.value("from") else {
            for key in ["size", "filter"] {
                guard let value = statement.value(key) else { continue }
                add(at: value.offset, "'\(key)=' without 'from='")
            }
            return hasInline ? .bytes(inline(statement, parts)) : nil
        }
        if hasInline {
            add(at: from.offset, "'from=' and bytes in the plan do not go together")
            return nil
        }
        let path = path(from, "from")
        let size: UInt64? = number(statement, "size")
        let file = HostFile(path, byteCount: byteCount(of: path, from, size, statement))
        return name(statement.value("filter"), "filter").map { .filtered(file, command: $0) }
            ?? .file(file)
    }

    /// The content that a statement has to have.
    mutating func neededContent(_ statement: PlanStatement) -> Content {
        if let content = content(statement) { return content }
        if !["from", "size", "filter"].contains(where: { statement.value($0) != nil }) {
            add(
                at: statement.offset, "'\(statement.name)' without bytes",
                hint: "they come as 'from=', 'text=' or 'hex=', or in lines of 'text' or 'hex'")
        }
        return .bytes([])
    }

    private mutating func inline(
        _ statement: PlanStatement, _ parts: [PlanStatement]
    ) -> [UInt8] {
        var bytes = statement.value("text")?.bytes ?? []
        if let value = statement.value("hex") { bytes += hexadecimal(value, "hex") }
        for part in parts {
            guard let word = part.words.first else { continue }
            bytes += part.name == "hex" ? hexadecimal(word, "hex") : word.bytes
        }
        return bytes
    }

    /// The size of a file of the host, which is that of the plan.
    private mutating func byteCount(
        of path: [UInt8], _ from: PlanStatement.Value, _ size: UInt64?, _ statement: PlanStatement
    ) -> UInt64 {
        guard checksFiles else {
            if size == nil { missing("size", of: statement) }
            return size ?? 0
        }
        guard !from.bytes.isEmpty else { return 0 }
        guard let status = HostStatus(path, followsLinks: true) else {
            add(at: from.offset, "host file \(quoted(path)) not available")
            return 0
        }
        guard status.kind == .file else {
            add(
                at: from.offset,
                "\(quoted(path)): found a directory or a special file, expected a file")
            return 0
        }
        if let size, size != status.byteCount {
            add(
                at: statement.value("size")?.offset ?? from.offset,
                "\(quoted(path)): found \(status.byteCount) bytes, expected \(size)",
                hint: "without 'size=' a file of any size will do")
        }
        return status.byteCount
    }

    // MARK: Programs

    /// How a program is linked; nil without a line that says so.
    mutating func link(_ statement: PlanStatement) -> Plan.Link? {
        guard let line = statement.parts.first(where: { $0.name == "link" }) else {
            if let module = statement.parts.first(where: { $0.name == "module" }) {
                add(at: module.offset, "'module' without 'link'")
            }
            return nil
        }
        var link = Plan.Link(name(line.value("command"), "command"))
        link.kept = line.value("kept").map { path($0, "kept") }
        for word in statement.words(of: "module") {
            if let module = name(word, "module") { link.modules.append(module) }
        }
        return link
    }

    /// The command line of a program; nil without one.
    mutating func arguments(_ statement: PlanStatement) -> IFS.BootArguments? {
        guard statement.parts.contains(where: { $0.name == "command" }) else {
            if let line = statement.parts.first(where: { $0.name == "environment" }) {
                add(at: line.offset, "'environment' without 'command'")
            }
            return nil
        }
        var arguments: [[UInt8]] = []
        for word in statement.words(of: "command") {
            arguments.append(name(word, "command") ?? [])
        }
        var environment: [[UInt8]] = []
        for word in statement.words(of: "environment") {
            environment.append(name(word, "environment") ?? [])
        }
        return IFS.BootArguments(arguments: arguments, environment: environment)
    }
}
