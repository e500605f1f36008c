import TestSupport

/// A buildfile that nobody wrote, and the host files that it names: the same for the same seed.
///
/// It has what `../shared/golden/model` models, and of that whatever the golden cases, real images or
/// the specification decide. `${HOST}` is the folder of its files, `${INPUTS}` that of the golden cases.
struct RandomBuild {
    /// A file to be made before the build.
    struct HostFile {
        let name: String
        let bytes: [UInt8]
        let mode: UInt16
        let user: UInt32
        let group: UInt32
    }

    /// A processor of the golden inputs.
    struct Processor {
        let name: String
        let machine: UInt16
        let isBig: Bool

        static let all = [
            Processor(name: "armle", machine: 40, isBig: false),
            Processor(name: "ppcbe", machine: 20, isBig: true),
            Processor(name: "x86", machine: 3, isBig: false),
        ]
    }

    /// What lines without words have set, as far as later lines have to know.
    struct Defaults {
        var usesCodeInPlace = true
        var usesDataInPlace = true
        var alignment = 0
        var isFiltered = false
    }

    /// Variables that the buildfiles use, beside those for folders. `UNSET` has no value.
    static let variables = [
        "NAME": "alpha", "CHAIN": "${NAME}-${EMPTY}beta", "EMPTY": "", "ID": "12",
    ]

    /// The buildfile.
    var text: String { source.joined() }
    private(set) var files: [HostFile] = []

    var random: SplitMix64
    let processor: Processor
    let isBootable: Bool
    /// Whether `ram=` splits the image.
    var isSplit = false
    /// Whether lines end as on Windows.
    let hasCarriageReturns: Bool
    var pageSize = 4096
    var defaults = Defaults()
    /// Whether `virtual=` has set `PROCESSOR`.
    var knowsProcessor = false
    /// More than the image's files can take.
    var estimate: Int
    private var source: [String] = []
    private var nameCount = 0

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        processor = random.pick(Processor.all)
        isBootable = random.chance(60)
        estimate = isBootable ? 0x10_0000 : 0x1_0000
        hasCarriageReturns = random.chance(5)
        addOpening()
        if isBootable { addBootSection() }
        for _ in 0..<random.number(1...14) { addSomething() }
        addImageAttributes()
    }

    // MARK: Lines

    /// Adds a line: attributes between brackets, if there are any, and words behind them.
    mutating func add(_ attributes: [String], _ words: String = "") {
        if random.chance(10) { source.append(random.pick(["# a { comment ]", "", "  \t"]) + end) }
        var line = random.chance(10) ? "  " : ""
        if !attributes.isEmpty { line += list(attributes) + random.pick([" ", "", "\t"]) }
        line += words
        if !words.hasSuffix("}"), random.chance(8) { line += " # [ behind" }
        source.append(line + end)
    }

    /// Attributes as one list, which may go over several lines.
    private mutating func list(_ attributes: [String]) -> String {
        var text = random.pick(["[", "[ "])
        for (index, attribute) in attributes.enumerated() {
            if index > 0 {
                text += random.pick([" ", " ", " ", "\t", "  ", end, " # and" + end + "  "])
            }
            let isQuotable = !attribute.contains { "\"$\\".contains($0) }
            text += isQuotable && random.chance(3) ? "\"\(attribute)\"" : attribute
        }
        return text + random.pick(["]", "]", " ]", end + "]"])
    }

    /// What ends a line.
    var end: String { hasCarriageReturns ? "\r\n" : "\n" }

    // MARK: Names and files

    /// A name for an entry; a few come twice, unless it is to be `unique`.
    mutating func newName(unique: Bool = false) -> String {
        if unique || nameCount == 0 || random.chance(95) { nameCount += 1 }
        let start = random.pick(["", "", "", "etc/", "usr/lib/", "/abs/", "/", "a/./b/", "é/"])
        let form = random.pick(["f", "a name ", "x=y", "c#", "q\"", "d$", "Z-"])
        return start + form + "\(nameCount)"
    }

    /// Makes a host file and returns the name that it is found by.
    mutating func newFile(
        _ bytes: [UInt8], ending: String = "", mode: UInt16? = nil
    ) -> String {
        nameCount += 1
        let name = "h\(nameCount)" + ending
        let mode =
            mode
            ?? random.pick([0o644, 0o644, 0o755, 0o600, 0o4755, 0o1644, 0o2711, 0o444, 0o7777])
        let ids: [UInt32] = [0, 0, 7, 1000, 65534]
        files.append(
            HostFile(
                name: name, bytes: bytes, mode: mode, user: random.pick(ids),
                group: random.pick(ids)))
        estimate += bytes.count
        return name
    }

    /// Folders that host files are looked for in.
    mutating func searchPath() -> String {
        let cpu =
            "${INPUTS}/" + (knowsProcessor && random.chance(30) ? "${PROCESSOR}" : processor.name)
        let folders = ["${HOST}", "${INPUTS}/data", cpu + "/boot/sys", cpu + "/sbin", cpu + "/lib"]
        return "search="
            + random.shuffled(folders + random.some(["/nowhere"])).joined(separator: ":")
    }
}
