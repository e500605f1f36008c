extension IFS.Script {
    /// The script as lines of a buildfile's script section, which mkifs compiles to the same
    /// commands. Commands of unknown type become comments.
    public var buildfileLines: [String] {
        buildfileText.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The same lines, a command each, with words that are no UTF-8 as they are.
    package var buildfileText: [[UInt8]] {
        let names = partitionNames
        return commands.map { Self.line($0, names, .buildfile) }
    }

    /// The script as `dumpifs -vv` shows it.
    public var listingLines: [String] {
        let names = partitionNames
        return commands.map {
            String(decoding: Self.line($0, names, .listing), as: UTF8.self)
        }
    }

    private enum Style {
        case buildfile
        case listing

        /// How a word is written.
        var show: @Sendable ([UInt8]) -> [UInt8] {
            switch self {
            case .buildfile: { BuildfileWord.sectionWord($0) }
            case .listing: { $0 }
            }
        }
    }

    /// Adaptive partitions by id; 0 is the one that always exists.
    private var partitionNames: [UInt8: [UInt8]] {
        var names: [UInt8: [UInt8]] = [0: Array("System".utf8)]
        for case .partition(let name, let id, _, _) in commands { names[id] = name }
        return names
    }

    private static func line(
        _ command: Command, _ partitions: [UInt8: [UInt8]], _ style: Style
    ) -> [UInt8] {
        let isListing = style == .listing
        let show = style.show
        switch command {
        case .external(let modifiers, let path, let arguments, let environment):
            return external(modifiers, path, arguments, environment, partitions, style)
        case .waitfor(let path, let tenths):
            return timed("waitfor", path, tenths, style)
        case .reopen(let path, let tenths):
            return timed("reopen", path, tenths, style)
        case .displayMessage(let text):
            return isListing ? "display_msg '" + text + "'" : "display_msg" + message(text)
        case .symlink(let target, let path):
            return isListing
                ? "procmgr_symlink '" + target + "' '" + path + "'"
                : "procmgr_symlink " + show(target) + " " + show(path)
        case .partition(let name, _, let budget, let critical):
            return "sched_aps " + show(name) + " \(budget) \(critical)"
        case .unknown(let type, let payload):
            return isListing
                ? Array("Unknown type \(type)".utf8)
                : Array("# unknown command type \(type): \(hexDigits(payload))".utf8)
        }
    }

    private static func timed(
        _ name: String, _ path: [UInt8], _ tenths: UInt16, _ style: Style
    ) -> [UInt8] {
        let seconds = "\(tenths / 10).\(tenths % 10)"
        return style == .listing
            ? "\(name) \(seconds) " + path
            : "\(name) " + BuildfileWord.sectionWord(path) + " \(seconds)"
    }

    private static func external(
        _ modifiers: Modifiers, _ path: [UInt8], _ arguments: [[UInt8]],
        _ environment: [[UInt8]], _ partitions: [UInt8: [UInt8]], _ style: Style
    ) -> [UInt8] {
        let show = style.show
        var attributes: [[UInt8]] = []
        func add(_ text: String) { attributes.append(Array(text.utf8)) }
        let base = path.split(separator: UInt8(ascii: "/")).last.map(Array.init) ?? path
        if let name = arguments.first, name != base { attributes.append("argv0=" + show(name)) }
        if modifiers.isSession { add("+session") }
        if modifiers.isDebug { add("+debug") }
        if modifiers.hasPriority {
            let name = style == .listing ? "priority" : "pri"
            add("\(name)=\(modifiers.priority)\(modifiers.policyLetter)")
        }
        if modifiers.hasCPU { add("cpu=\(modifiers.cpu)") }
        if modifiers.hasPartition {
            let id = modifiers.partition
            attributes.append("sched_aps=" + (partitions[id].map(show) ?? Array("\(id)".utf8)))
        }
        if style == .buildfile, isBuiltIn(path) { add("+external") }
        var parts: [[UInt8]] = []
        if !attributes.isEmpty {
            let inside = Array(attributes.joined(separator: [0x20]))
            parts.append(style == .listing ? "[ " + inside + " ]" : "[" + inside + "]")
        }
        parts += environment.map(show)
        parts.append(show(path))
        parts += arguments.dropFirst().map(show)
        if modifiers.isBackground { parts.append([UInt8(ascii: "&")]) }
        return Array(parts.joined(separator: [0x20]))
    }

    private static func isBuiltIn(_ path: [UInt8]) -> Bool {
        ["waitfor", "reopen", "display_msg", "procmgr_symlink", "sched_aps"]
            .contains { Array($0.utf8) == path }
    }

    /// The text without the newline that mkifs adds, as one word behind a blank.
    private static func message(_ text: [UInt8]) -> [UInt8] {
        guard !text.isEmpty else { return [] }
        return " " + BuildfileWord.sectionWord(text.last == 10 ? Array(text.dropLast()) : text)
    }
}

private func + (text: String, bytes: [UInt8]) -> [UInt8] { Array(text.utf8) + bytes }

private func + (bytes: [UInt8], text: String) -> [UInt8] { bytes + Array(text.utf8) }
