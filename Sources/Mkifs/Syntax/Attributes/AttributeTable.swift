internal import Format

/// The attributes that mkifs knows.
///
/// The order counts: of the flags that begin as a written one does the first is meant. Those that
/// all tools of the family share come first, then those of the 6.4 mkifs, then newer ones, so that
/// no new name changes what an old buildfile says.
public enum AttributeTable {
    /// The rows, in the order in which they are tried.
    public static let definitions: [AttributeDefinition] =
        shared + image + entry + newer + modifiers

    /// Those that are read and do nothing.
    static let withoutEffect: Set = ["autoso", "drop"]

    private static let shared: [AttributeDefinition] = [
        .flag("bigendian", .image) { $1.image.isBigEndian = $0 },
        .value("cd", .path, .entry) { $1.entry.directory = $0 },
        .value("dperms", .permissions, .entry) { text, values throws(ValueFault) in
            values.entry.directoryPermissions = try Permissions(parsing: text)
        },
        .value("filter", .text, .entry) { text, values in
            values.entry.filter = text.elementsEqual("none".utf8) ? nil : text
        },
        .flag("followlink", .entry) { $1.entry.followsLinks = $0 },
        .value("gid", .identifier, .entry) { text, values throws(ValueFault) in
            values.entry.group = try Owner(parsing: text)
        },
        .value("mount", .path, .image) { $1.image.mount = $0 },
        .flag("optional", .entry) { $1.entry.isOptional = $0 },
        .value("perms", .permissions, .entry) { text, values throws(ValueFault) in
            values.entry.permissions = try Permissions(parsing: text)
        },
        .value("prefix", .path, .entry) { $1.entry.prefix = $0 },
        .value("search", .pathList, .entry) { $1.entry.search = $0 },
        .value("type", .type, .entry) { text, values throws(ValueFault) in
            values.entry.type = try EntryType(parsing: text)
        },
        .value("uid", .identifier, .entry) { text, values throws(ValueFault) in
            values.entry.user = try Owner(parsing: text)
        },
    ]

    private static let image: [AttributeDefinition] = [
        .value("chain", .number, .image) { text, values throws(ValueFault) in
            values.image.chain = UInt32(
                clamping: try Number.parse(text, through: UInt64(UInt32.max)))
        },
        .flag("compress", .image) { $1.image.compression = $0 ? .ucl : IFS.Compression.none },
        .value("compress", .compression, .image) { text, values throws(ValueFault) in
            values.image.compression = try IFS.Compression(attribute: text)
        },
        .value("image", .range, .image) { text, values throws(ValueFault) in
            values.image.range = try AddressRange(parsing: text)
        },
        .value("linker", .text, .image) { text, values throws(ValueFault) in
            _ = try LinkerSpec(parsing: text)
            values.image.linkers.append(text)
        },
        .value("physical", .bootfile, .entry) { text, values throws(ValueFault) in
            values.entry.physical = try Bootfile(parsing: text)
        },
        .value("ram", .range, .image) { text, values throws(ValueFault) in
            values.image.ram = try AddressRange(parsing: text)
            values.entry.data = .copy
        },
        .value("virtual", .bootfile, .entry) { text, values throws(ValueFault) in
            values.entry.virtual = try Bootfile(parsing: text)
        },
    ]

    private static let entry: [AttributeDefinition] = [
        .flag("autolink", .entry) { $1.entry.autolink = $0 },
        .value("code", .segmentUse, .entry, until: .v70) { text, values throws(ValueFault) in
            values.entry.code = try SegmentUse(parsing: text)
        },
        .value("data", .segmentUse, .entry, until: .v70) { text, values throws(ValueFault) in
            values.entry.data = try SegmentUse(parsing: text)
        },
        .flag("keeplinked", .bootLine) { $1.entry.keepLinked = $0 },
        .value("keepsection", .names, .bootLine) { text, values in
            values.entry.keptSections = text.split(separator: UInt8(ascii: ",")).map(Array.init)
        },
        .value("module", .names, .bootLine) { $1.entry.modules.append($0) },
        .flag("page_align", .entry) { $1.entry.pageAlign = $0 },
        .value("phys_align", .alignment, .entry) { text, values throws(ValueFault) in
            values.entry.physicalAlignment = try PhysicalAlignment(parsing: text)
        },
        .flag("raw", .entry) { $1.entry.isRaw = $0 },
        .flag("relocs", .entry) { $1.entry.keepsRelocations = $0 },
        .flag("script", .entry) { $1.entry.isScript = $0 },
    ]

    private static let newer: [AttributeDefinition] = [
        .value("autoso", .libraries, .image, since: .v80) { text, values throws(ValueFault) in
            values.image.missingLibraries = try MissingLibraries(parsing: text)
        },
        .flag("big_pages", .entry, since: .v66) { $1.entry.bigPages = $0 },
        .value("cksum", .digest, .entry, since: .v70) { text, values throws(ValueFault) in
            values.entry.cksum = try DigestValue.cksum(text)
        },
        .value("drop", .text, .entry, since: .v70) { $1.entry.drop = $0 },
        .flag("dupignore", .entry, since: .v71) { $1.entry.ignoresDuplicates = $0 },
        .flag("include", .entry, since: .v80) { $1.entry.isInclude = $0 },
        .value("mtime", .time, .entry, since: .v66) { text, values throws(ValueFault) in
            values.entry.time = try FileTime(parsing: text)
        },
        .value("pagesizes", .pageSizes, .image, since: .v66) { text, values throws(ValueFault) in
            values.image.pageSizes = try PageSizes.parse(text)
        },
        .value("sha256", .digest, .entry, since: .v70) { text, values throws(ValueFault) in
            values.entry.sha256 = try DigestValue.bytes(text, count: 32)
        },
        .value("sha512", .digest, .entry, since: .v71) { text, values throws(ValueFault) in
            values.entry.sha512 = try DigestValue.bytes(text, count: 64)
        },
    ]

    private static let modifiers: [AttributeDefinition] = [
        .value("argv0", .text, .modifier) { $1.modifiers.argv0 = $0 },
        .value("cpu", .processor, .modifier) { text, values throws(ValueFault) in
            values.modifiers.processor = try ProcessorNumber.parse(text)
        },
        .flag("debug", .modifier) { $1.modifiers.isDebug = $0 },
        .flag("external", .modifier) { $1.modifiers.isExternal = $0 },
        .value("pri", .priority, .modifier) { text, values throws(ValueFault) in
            values.modifiers.priority = try Priority.parse(text)
        },
        .value("sched_aps", .text, .modifier) { $1.modifiers.partition = $0 },
        .flag("session", .modifier) { $1.modifiers.isSession = $0 },
    ]
}
