internal import Format

/// What a plan says of the image as a whole.
extension PlanReader {
    /// The largest page, as in a bootfile.
    private static let pageLimit: UInt64 = 1 << 30

    /// A plan with the values of `image`, without root and entries.
    mutating func image(_ statement: PlanStatement?) -> Plan {
        let root = Plan.Entry([], .directory, mode: 0o40755, inode: 1)
        var plan = Plan(.v70, .little, root: root)
        guard let statement else {
            if !diagnostics.hasErrors {
                add(at: source.bytes.count, "found no 'image', expected its release and byte order")
            }
            return plan
        }
        for key in ["release", "order"] where statement.value(key) == nil {
            missing(key, of: statement)
        }
        plan.release = choice(statement, "release", PlanNames.releases) ?? .v70
        plan.order = choice(statement, "order", PlanNames.orders) ?? .little
        plan.encoding = IFS.Encoding(
            choice(statement, "compression", PlanNames.compressions) ?? .none,
            isFast: flag(statement, "fast") ?? false)
        if let page = statement.value("page") {
            plan.pageSize = number(page, "page", through: Self.pageLimit)
        }
        plan.physicalBias = number(statement, "bias") ?? 0
        plan.keepsOrder = choice(statement, "directory", PlanNames.directories) ?? false
        return plan
    }

    /// Everything else that stands once.
    mutating func addParts(of single: [String: PlanStatement], to plan: inout Plan) {
        if let statement = single["range"] { plan.range = range(statement) }
        plan.ram = single["ram"].map { range($0) }
        if let statement = single["boot-address"] {
            plan.bootAddress = Plan.BootAddress(
                needed(statement, "address"), isAboveImage: flag(statement, "above") ?? false)
        }
        if let statement = single["header"] { plan.header = header(statement) }
        if let statement = single["prefix"] {
            plan.prefix = content(statement) ?? .bytes([])
            plan.notLoaded = number(statement, "notloaded") ?? 0
        }
        if let statement = single["startup"] {
            plan.startup = .program(
                Plan.Executable(
                    neededContent(statement), link(statement),
                    arguments(statement) ?? IFS.BootArguments(arguments: [])))
        } else if let statement = single["startup-header"] {
            plan.startup = .stored(startupHeader(statement), neededContent(statement))
        }
        if let statement = single["tail"] { plan.tail = neededContent(statement) }
        if let statement = single["filter"] {
            if statement.value("command") == nil { missing("command", of: statement) }
            plan.filter = Plan.ImageFilter(
                name(statement.value("command"), "command") ?? [],
                arguments: name(statement.value("arguments"), "arguments") ?? [])
        }
    }

    private mutating func range(_ statement: PlanStatement) -> AddressRange {
        var range = AddressRange()
        range.start = number(statement, "start")
        range.end = number(statement, "end")
        range.maximumSize = number(statement, "maximum")
        range.totalSize = number(statement, "total")
        range.alignment = number(statement, "align")
        return range
    }

    private mutating func header(_ statement: PlanStatement) -> Plan.Header {
        var header = Plan.Header()
        header.mountpoint = name(statement.value("mountpoint"), "mountpoint") ?? []
        header.chain = number(statement, "chain") ?? 0
        header.flags = statement.value("flags").map {
            UInt8(number($0, "flags", through: UInt64(IFS.ImageHeader.knownFlags)))
        }
        header.bootInodes = numbers(statement, "boot", atMost: 4)
        header.scriptInode = number(statement, "script")
        header.spare = numbers(statement, "spare", atMost: 10)
        header.mountFlags = number(statement, "mountflags") ?? 0
        header.directoryOffset = number(statement, "directory-offset")
        header.directoryEnd = number(statement, "directory-end")
        header.imageSize = number(statement, "size")
        return header
    }

    private mutating func startupHeader(_ statement: PlanStatement) -> IFS.StartupHeader {
        let order = choice(statement, "order", PlanNames.orders) ?? .little
        var header = IFS.StartupHeader(order)
        let before = diagnostics.count(of: .error)
        if statement.value("order") == nil { missing("order", of: statement) }
        for field in StartupField.all {
            guard let value = statement.value(field.name) else { continue }
            field.set(&header, number(value, field.name, through: field.limit))
        }
        header.info = statement.value("info").map { hexadecimal($0, "info") } ?? []
        let missing = IFS.StartupHeader.infoByteCount - header.info.count
        guard missing >= 0, diagnostics.count(of: .error) == before else {
            if missing < 0, let value = statement.value("info") {
                add(
                    at: value.offset,
                    "info: found \(header.info.count) bytes,"
                        + " expected \(IFS.StartupHeader.infoByteCount) at most")
            }
            return IFS.StartupHeader(order)
        }
        header.info += [UInt8](repeating: 0, count: missing)
        do throws(FormatError) {
            _ = try IFS.StartupHeader(parsing: unsafe header.bytes.span.bytes)
        } catch {
            add(at: statement.offset, error.description)
        }
        return header
    }
}
