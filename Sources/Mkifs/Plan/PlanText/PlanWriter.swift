public import Format

extension Plan {
    /// Keeps bytes of a plan as a file of their own. The path is that from the plan's directory on,
    /// name by name: none is empty, `.` or `..`, or has a slash or a NUL, and no two paths are in
    /// each other's way.
    public typealias PartKeeper = (
        _ path: [[UInt8]], _ source: any ByteSource
    ) throws(MkifsError) -> Void

    /// The plan as text.
    ///
    /// Paths of the host that are not absolute are written from `workingDirectory` on. Bytes of an
    /// open image, and many bytes that the plan itself holds, go to `keep`; without it, the latter
    /// stand in the text, and of the former the plan has no text: that throws `refused`.
    public func text(
        workingDirectory: [UInt8] = [], keeping keep: PartKeeper? = nil
    ) throws(MkifsError) -> [UInt8] {
        var writer = PlanWriter(workingDirectory, keep)
        try writer.add(self)
        return writer.text
    }
}

/// Writes the text of a plan.
struct PlanWriter {
    private(set) var text: [UInt8] = []
    private let workingDirectory: [UInt8]
    private let keep: Plan.PartKeeper?
    private var names = PartNames()

    /// Bytes that stand in the line of their statement.
    private static let shortSize = 60
    /// Bytes from which on a part is kept as a file.
    private static let longSize = 1024
    /// Bytes in a line of base 16.
    private static let hexSize = 32

    init(_ workingDirectory: [UInt8], _ keep: Plan.PartKeeper?) {
        self.workingDirectory = workingDirectory
        self.keep = keep
    }

    private mutating func add(_ line: PlanLine) { text += line.bytes + [.newline] }

    private mutating func add(_ line: PlanLine, _ parts: [PlanLine]) {
        add(line)
        for part in parts { add(part) }
    }

    // MARK: The image

    mutating func add(_ plan: Plan) throws(MkifsError) {
        text += Array("\(PlanReader.signature) \(PlanReader.version)\n".utf8)
        text += Array("# Paths that are not absolute start in the directory of this file.\n".utf8)
        addImage(plan)
        if plan.range != AddressRange() { add(Self.range("range", plan.range)) }
        if let ram = plan.ram { add(Self.range("ram", ram)) }
        if let address = plan.bootAddress {
            var line = PlanLine("boot-address")
            line.hexadecimal("address", address.address)
            if address.isAboveImage { line.pair("above", "yes") }
            add(line)
        }
        addHeader(plan.header)
        try addPrefix(plan)
        try addStartup(plan.startup)
        var root = PlanLine("root")
        Self.add(plan.root, to: &root)
        add(root)
        for entry in plan.entries { try add(entry) }
        for remain in plan.remains {
            var line = PlanLine("remain")
            line.hexadecimal("at", remain.offset)
            try add(line, remain.content, name: "remains/\(hex(remain.offset))")
        }
        if !plan.tail.isEmpty { try add(PlanLine("tail"), plan.tail, name: "tail") }
        if let filter = plan.filter {
            var line = PlanLine("filter")
            line.pair("command", filter.command)
            if !filter.arguments.isEmpty { line.pair("arguments", filter.arguments) }
            add(line)
        }
    }

    private mutating func addImage(_ plan: Plan) {
        var line = PlanLine("image")
        line.pair("release", plan.release.rawValue)
        line.pair("order", PlanNames.name(of: plan.order, in: PlanNames.orders))
        line.pair("compression", plan.encoding.compression.name)
        if plan.encoding.isFast { line.pair("fast", "yes") }
        line.decimal("page", plan.pageSize)
        if plan.physicalBias != 0 { line.hexadecimal("bias", plan.physicalBias) }
        line.pair(
            "directory", PlanNames.name(of: plan.keepsOrder, in: PlanNames.directories))
        add(line)
    }

    private static func range(_ name: String, _ range: AddressRange) -> PlanLine {
        var line = PlanLine(name)
        line.hexadecimal("start", range.start)
        line.hexadecimal("end", range.end)
        line.hexadecimal("maximum", range.maximumSize)
        line.hexadecimal("total", range.totalSize)
        line.hexadecimal("align", range.alignment)
        return line
    }

    private mutating func addHeader(_ header: Plan.Header) {
        guard header != Plan.Header() else { return }
        var line = PlanLine("header")
        if !header.mountpoint.isEmpty { line.pair("mountpoint", header.mountpoint) }
        if header.chain != 0 { line.hexadecimal("chain", header.chain) }
        line.hexadecimal("flags", header.flags)
        if let boot = header.bootInodes { line.pair("boot", Self.list(boot)) }
        line.decimal("script", header.scriptInode)
        if let spare = header.spare { line.pair("spare", Self.list(spare)) }
        if header.mountFlags != 0 { line.hexadecimal("mountflags", header.mountFlags) }
        line.hexadecimal("directory-offset", header.directoryOffset)
        line.hexadecimal("directory-end", header.directoryEnd)
        line.decimal("size", header.imageSize)
        add(line)
    }

    private static func list(_ numbers: [UInt32]) -> String {
        numbers.map { $0 < 0x1000 ? String($0) : hex($0) }.joined(separator: ",")
    }

    // MARK: Startup

    private mutating func addPrefix(_ plan: Plan) throws(MkifsError) {
        guard plan.notLoaded != 0 || !plan.prefix.isEmpty else { return }
        var line = PlanLine("prefix")
        if plan.notLoaded != 0 { line.hexadecimal("notloaded", plan.notLoaded) }
        try add(line, plan.prefix, name: "prefix")
    }

    private mutating func addStartup(_ startup: Plan.Startup?) throws(MkifsError) {
        switch startup {
        case nil: break
        case .program(let program):
            try add(
                PlanLine("startup"), program.content, name: "startup", [],
                Self.arguments(program.arguments) + link(program.link))
        case .stored(let header, let content):
            try add(Self.startupHeader(header), content, name: "startup")
        }
    }

    /// What is as in a header without values is left out.
    private static func startupHeader(_ header: IFS.StartupHeader) -> PlanLine {
        var line = PlanLine("startup-header")
        line.pair("order", PlanNames.name(of: header.order, in: PlanNames.orders))
        let plain = IFS.StartupHeader(header.order)
        for field in StartupField.all where field.value(header) != field.value(plain) {
            line.hexadecimal(field.name, field.value(header))
        }
        let end = header.info.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
        if end > 0 { line.pair("info", PlanHex.text(header.info[..<end])) }
        return line
    }

    private static func arguments(_ arguments: IFS.BootArguments?) -> [PlanLine] {
        guard let arguments else { return [] }
        var command = PlanLine("command", isPart: true)
        for word in arguments.arguments { command.word(word) }
        guard !arguments.environment.isEmpty else { return [command] }
        var environment = PlanLine("environment", isPart: true)
        for word in arguments.environment { environment.word(word) }
        return [command, environment]
    }

    private func link(_ link: Plan.Link?) -> [PlanLine] {
        guard let link else { return [] }
        var line = PlanLine("link", isPart: true)
        if let command = link.command { line.pair("command", command) }
        if let kept = link.kept { line.pair("kept", path(kept)) }
        guard !link.modules.isEmpty else { return [line] }
        var modules = PlanLine("module", isPart: true)
        for module in link.modules { modules.word(module) }
        return [line, modules]
    }

    // MARK: Entries

    private mutating func add(_ entry: Plan.Entry) throws(MkifsError) {
        var line = PlanLine(entry.kind.statement)
        line.word(entry.path)
        Self.add(entry, to: &line)
        let name = "tree/"
        switch entry.kind {
        case .file(let content): try add(line, content, name: name, entry.path)
        case .program(let program): try add(line, program, name: name, entry.path)
        case .extent(let byteCount):
            line.decimal("size", byteCount)
            add(line)
        case .hardLink(let inode):
            line.decimal("to", inode)
            add(line)
        case .directory: add(line)
        case .symlink(let target, let library):
            line.pair("target", target)
            line.decimal("library", library)
            add(line)
        case .device(let device, let rawDevice):
            if device != 0 { line.hexadecimal("device", device) }
            if rawDevice != 0 { line.hexadecimal("rdevice", rawDevice) }
            add(line)
        }
    }

    /// The attributes that all kinds have.
    private static func add(_ entry: Plan.Entry, to line: inout PlanLine) {
        let types = entry.kind.modeTypes
        let type = entry.mode & IFS.Dirent.ModeType.mask
        let mode = types == [type] ? entry.mode & ~type : entry.mode
        line.pair("mode", "0" + String(mode, radix: 8))
        line.pair("inode", list([entry.inode]))
        if entry.user != 0 { line.decimal("uid", entry.user) }
        if entry.group != 0 { line.decimal("gid", entry.group) }
        if entry.modified != 0 { line.decimal("mtime", entry.modified) }
        switch entry.place {
        case .free: break
        case .fixed(let offset): line.hexadecimal("at", offset)
        case .inOrder(let unit, let group):
            line.decimal("unit", unit)
            line.decimal("block", group)
        }
        let rules = PlanNames.modeRules.filter { entry.modeRules.contains($0.1) }.map(\.0)
        if !rules.isEmpty { line.pair("rules", rules.joined(separator: ",")) }
        if entry.role != .none {
            line.pair("role", PlanNames.name(of: entry.role, in: PlanNames.roles))
        }
        if entry.extendedAttributes != 0 { line.decimal("extended", entry.extendedAttributes) }
        if let padding = entry.padding { line.pair("padding", PlanHex.text(padding)) }
    }

    private mutating func add(
        _ start: PlanLine, _ program: Plan.Program, name: String, _ path: [UInt8]
    ) throws(MkifsError) {
        var line = start
        if !program.rules.usesCodeInPlace { line.pair("code", "copied") }
        if !program.rules.usesDataInPlace { line.pair("data", "copied") }
        if !program.rules.keepsRelocations { line.pair("relocations", "no") }
        var kept: [PlanLine] = []
        if !program.rules.keptSections.isEmpty {
            var part = PlanLine("keep", isPart: true)
            for section in program.rules.keptSections { part.word(section) }
            kept = [part]
        }
        try add(
            line, program.content, name: name, path,
            kept + Self.arguments(program.arguments) + link(program.link))
    }

    // MARK: Contents

    /// Adds a statement with its content and its other parts. What is kept as a file is named after
    /// `name` and `path`.
    private mutating func add(
        _ start: PlanLine, _ content: Content, name: String, _ path: [UInt8] = [],
        _ parts: [PlanLine] = []
    ) throws(MkifsError) {
        var line = start
        switch content {
        case .bytes(let bytes):
            if bytes.count > Self.longSize, keep != nil {
                try add(MemorySource(bytes), to: &line, Array(name.utf8) + path)
            } else if bytes.count <= Self.shortSize {
                line.pair(
                    Self.isText(bytes) ? "text" : "hex",
                    Self.isText(bytes) ? bytes : PlanHex.text(bytes))
            } else {
                return add(line, parts + Self.lines(of: bytes))
            }
        case .file(let file): add(file, to: &line)
        case .filtered(let file, let command):
            add(file, to: &line)
            line.pair("filter", command)
        case .source(let source): try add(source, to: &line, Array(name.utf8) + path)
        }
        add(line, parts)
    }

    private func add(_ file: HostFile, to line: inout PlanLine) {
        line.pair("from", path(file.path))
        line.decimal("size", file.byteCount)
    }

    private mutating func add(
        _ source: any ByteSource, to line: inout PlanLine, _ name: [UInt8]
    ) throws(MkifsError) {
        guard source.byteCount > 0 else { return line.pair("text", "") }
        guard let keep else {
            throw .refused(
                "'\(printable(name))': found bytes of an image, which the text of a plan can name"
                    + " only as a file")
        }
        let path = names.unused(for: name)
        try keep(path, source)
        line.pair("from", Array(path.joined(separator: [.slash])))
        line.decimal("size", source.byteCount)
    }

    private func path(_ path: [UInt8]) -> [UInt8] {
        path.first == .slash ? path : join(workingDirectory, path)
    }

    private static func isText(_ bytes: [UInt8]) -> Bool {
        guard let text = String(validating: bytes, as: UTF8.self) else { return false }
        return text.unicodeScalars.allSatisfy {
            $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) || $0 == "\n" || $0 == "\t"
        }
    }

    /// Bytes as lines below their statement: a line of text each, or rows of base 16.
    private static func lines(of bytes: [UInt8]) -> [PlanLine] {
        let isText = isText(bytes)
        var lines: [PlanLine] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let count =
                isText
                ? rest.firstIndex(of: .newline).map { $0 + 1 - rest.startIndex } ?? rest.count
                : Self.hexSize
            let piece = Array(rest.prefix(count))
            var line = PlanLine(isText ? "text" : "hex", isPart: true)
            line.word(isText ? piece : PlanHex.text(piece))
            lines.append(line)
            rest = rest.dropFirst(count)
        }
        return lines
    }
}

extension Content {
    /// Whether it is known to have no bytes.
    fileprivate var isEmpty: Bool {
        switch self {
        case .bytes(let bytes): bytes.isEmpty
        case .source(let source): source.byteCount == 0
        case .file, .filtered: false
        }
    }
}

extension Plan.Kind {
    /// The name of its statement.
    fileprivate var statement: String {
        switch self {
        case .file: "file"
        case .program: "program"
        case .extent: "extent"
        case .hardLink: "hardlink"
        case .directory: "directory"
        case .symlink: "symlink"
        case .device: "device"
        }
    }
}
