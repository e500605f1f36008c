extension IFS.Script {
    /// The script as lines of a buildfile's script section, which mkifs compiles to the same
    /// commands. Commands of unknown type become comments.
    public var buildfileLines: [String] {
        let names = partitionNames
        return commands.map { Self.line($0, names, .buildfile) }
    }

    /// The script as `dumpifs -vv` shows it.
    public var listingLines: [String] {
        let names = partitionNames
        return commands.map { Self.line($0, names, .listing) }
    }

    private enum Style {
        case buildfile
        case listing
    }

    /// Adaptive partitions by id; 0 is the one that always exists.
    private var partitionNames: [UInt8: [UInt8]] {
        var names: [UInt8: [UInt8]] = [0: Array("System".utf8)]
        for case .partition(let name, let id, _, _) in commands { names[id] = name }
        return names
    }

    private static func line(
        _ command: Command, _ partitions: [UInt8: [UInt8]], _ style: Style
    ) -> String {
        switch command {
        case .external(let modifiers, let path, let arguments, let environment):
            external(modifiers, path, arguments, environment, partitions, style)
        case .waitfor(let path, let tenths):
            timed("waitfor", path, tenths, style)
        case .reopen(let path, let tenths):
            timed("reopen", path, tenths, style)
        case .displayMessage(let text):
            style == .listing
                ? "display_msg '\(plain(text))'"
                : ["display_msg", message(text)].filter { !$0.isEmpty }.joined(separator: " ")
        case .symlink(let target, let path):
            style == .listing
                ? "procmgr_symlink '\(plain(target))' '\(plain(path))'"
                : "procmgr_symlink \(word(target)) \(word(path))"
        case .partition(let name, _, let budget, let critical):
            style == .listing
                ? "sched_aps \(plain(name)) \(budget) \(critical)"
                : "sched_aps \(word(name)) \(budget) \(critical)"
        case .unknown(let type, let payload):
            style == .listing
                ? "Unknown type \(type)" : "# unknown command type \(type): \(hexDigits(payload))"
        }
    }

    private static func timed(
        _ name: String, _ path: [UInt8], _ tenths: UInt16, _ style: Style
    ) -> String {
        let seconds = "\(tenths / 10).\(tenths % 10)"
        return style == .listing
            ? "\(name) \(seconds) \(plain(path))" : "\(name) \(word(path)) \(seconds)"
    }

    private static func external(
        _ modifiers: Modifiers, _ path: [UInt8], _ arguments: [[UInt8]],
        _ environment: [[UInt8]], _ partitions: [UInt8: [UInt8]], _ style: Style
    ) -> String {
        let show = style == .listing ? plain : word
        var attributes: [String] = []
        let base = path.split(separator: UInt8(ascii: "/")).last.map(Array.init) ?? path
        if let name = arguments.first, name != base { attributes.append("argv0=" + show(name)) }
        if modifiers.isSession { attributes.append("+session") }
        if modifiers.isDebug { attributes.append("+debug") }
        if modifiers.hasPriority {
            let name = style == .listing ? "priority" : "pri"
            attributes.append("\(name)=\(modifiers.priority)\(modifiers.policyLetter)")
        }
        if modifiers.hasCPU { attributes.append("cpu=\(modifiers.cpu)") }
        if modifiers.hasPartition {
            let id = modifiers.partition
            attributes.append("sched_aps=" + (partitions[id].map(show) ?? "\(id)"))
        }
        var parts: [String] = []
        if !attributes.isEmpty {
            let inside = attributes.joined(separator: " ")
            parts.append(style == .listing ? "[ \(inside) ]" : "[\(inside)]")
        }
        if style == .buildfile, isBuiltIn(path) {
            parts = ["[\((attributes + ["+external"]).joined(separator: " "))]"]
        }
        parts += environment.map(show)
        parts.append(show(path))
        parts += arguments.dropFirst().map(show)
        if modifiers.isBackground { parts.append("&") }
        return parts.joined(separator: " ")
    }

    private static func isBuiltIn(_ path: [UInt8]) -> Bool {
        ["waitfor", "reopen", "display_msg", "procmgr_symlink", "sched_aps"]
            .contains { Array($0.utf8) == path }
    }

    /// The text without the newline that mkifs adds, as one word.
    private static func message(_ text: [UInt8]) -> String {
        guard !text.isEmpty else { return "" }
        return word(text.last == 10 ? Array(text.dropLast()) : text)
    }

    private static func plain(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// The bytes as one word of a script line: quoted when the grammar would split or read it.
    private static func word(_ bytes: [UInt8]) -> String {
        // Scalars, not characters: a CR LF is one character, and so is a blank with an accent.
        let text = plain(bytes).unicodeScalars
        let special = " \t\r\n#\"\\$[]{}&=".unicodeScalars
        let quoted = " \t\r\n#\"&[]".unicodeScalars
        let needsQuotes = text.isEmpty || text.contains(where: quoted.contains)
        guard needsQuotes || text.contains(where: special.contains) else { return String(text) }
        // Escapes twice: once for the inline file, once for the line.
        let escaped = text.reduce(into: "") { out, scalar in
            switch scalar {
            case "\\", "\"", "$": out += "\\\\" + (scalar == "\\" ? "\\\\" : "\(scalar)")
            case "}": out += "\\}"
            case "\n": out += "\\\\\n"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return needsQuotes ? "\"\(escaped)\"" : escaped
    }
}
