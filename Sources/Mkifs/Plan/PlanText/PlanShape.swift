/// What a statement of a plan's text may have.
struct PlanShape {
    /// Keys of its pairs.
    let keys: [String]
    /// How many words it has that are no pairs.
    let words: ClosedRange<Int>
    /// Names of the statements below it that belong to it.
    let parts: [String]
    /// Whether it stands once.
    let isSingle: Bool

    private init(
        _ keys: [String] = [], words: ClosedRange<Int> = 0...0, parts: [String] = [],
        isSingle: Bool = true
    ) {
        self.keys = keys
        self.words = words
        self.parts = parts
        self.isSingle = isSingle
    }

    private static let content = ["text", "hex", "from", "size", "filter"]
    private static let inline = ["text", "hex"]
    private static let start = ["command", "environment", "link", "module"]
    private static let attributes = [
        "mode", "inode", "uid", "gid", "mtime", "extended", "padding", "role", "rules",
    ]
    private static let place = ["at", "unit", "block"]
    private static let range = ["start", "end", "maximum", "total", "align"]

    private static func entry(
        _ keys: [String] = [], parts: [String] = []
    ) -> PlanShape {
        PlanShape(attributes + place + keys, words: 1...1, parts: parts, isSingle: false)
    }

    /// The statements, by name.
    static let statements: [String: PlanShape] = [
        "image": PlanShape([
            "release", "order", "compression", "fast", "page", "bias", "directory",
        ]),
        "range": PlanShape(range), "ram": PlanShape(range),
        "boot-address": PlanShape(["address", "above"]),
        "header": PlanShape([
            "mountpoint", "chain", "flags", "boot", "script", "spare", "mountflags",
            "directory-offset", "directory-end", "size",
        ]),
        "prefix": PlanShape(content + ["notloaded"], parts: inline),
        "startup": PlanShape(content, parts: inline + start),
        "startup-header": PlanShape(
            content + ["order", "info"] + StartupField.all.map(\.name), parts: inline),
        "root": PlanShape(attributes),
        "file": entry(content, parts: inline),
        "program": entry(
            content + ["code", "data", "relocations"], parts: inline + start + ["keep"]),
        "extent": entry(["size"]), "hardlink": entry(["to"]), "directory": entry(),
        "symlink": entry(["target", "library"]), "device": entry(["device", "rdevice"]),
        "remain": PlanShape(content + ["at"], parts: inline, isSingle: false),
        "tail": PlanShape(content, parts: inline),
        "filter": PlanShape(["command", "arguments"]),
    ]

    /// The statements that belong to one above them.
    static let parts: [String: PlanShape] = [
        "text": PlanShape(words: 1...1, isSingle: false),
        "hex": PlanShape(words: 1...1, isSingle: false),
        "keep": PlanShape(words: 1...Int.max, isSingle: false),
        "command": PlanShape(words: 0...Int.max),
        "environment": PlanShape(words: 1...Int.max, isSingle: false),
        "link": PlanShape(["command", "kept"]),
        "module": PlanShape(words: 1...Int.max, isSingle: false),
    ]
}
