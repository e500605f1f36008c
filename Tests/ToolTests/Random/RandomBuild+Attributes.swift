import TestSupport

/// Attributes of entries and of the image.
extension RandomBuild {
    /// The first lines: where files are looked for, and what all entries have.
    mutating func addOpening() {
        if isBootable && random.chance(50) { addImageRange() }
        add([searchPath()] + ownership())
        if random.chance(20) { add(["-optional", "+opt"]) }
        if random.chance(10) {
            add([random.pick(["prefix=opt/p", "prefix=", "prefix=proc/boot"])])
        }
    }

    /// Owner and permissions, as any entry can have them.
    mutating func ownership() -> [String] {
        let id = random.pick(["0", "*", "7", "1000", "4294967295", "${ID}"])
        let list = [
            "uid=\(id)", "gid=" + random.pick(["0", "*", "1${ID}", "65534"]),
            "perms=" + permissions(), "dperms=" + permissions(), "?uid=9", "?gid=9", "?perms=0640",
        ]
        return random.shuffled(random.some(list, 25))
    }

    private mutating func permissions() -> String {
        if random.chance(30) {
            return random.pick(["0644", "0755", "0400", "4755", "0", "07777", "*"])
        }
        var clauses: [String] = []
        for _ in 0..<random.number(1...3) {
            let who = random.pick(["", "u", "g", "o", "a", "ug", "go", "ugo"])
            let bits = random.pick(["r", "w", "x", "rw", "rx", "rwx"])
            clauses.append(who + random.pick(["+", "-", "="]) + bits)
        }
        return clauses.joined(separator: ",")
    }

    /// Attributes of one entry of any kind.
    mutating func attributes() -> [String] {
        guard random.chance(60) else { return [] }
        var list = ownership()
        if random.chance(10) {
            list.append(
                "prefix=" + spelled(random.pick(["", "usr", "/abs", "my files"]), .attribute))
        }
        if random.chance(8) { list.append(searchPath()) }
        return list
    }

    /// Attributes that all lines below inherit.
    mutating func addDefaults() {
        var list = random.some([searchPath()], 30) + ownership()
        if random.chance(25) { list.append(code()) }
        if random.chance(25) { list.append(data()) }
        if random.chance(15) {
            defaults.alignment = random.pick([0, 16, 4096, 0x4000])
            list.append("phys_align=\(defaults.alignment)")
        }
        if random.chance(15) {
            defaults.isFiltered = random.chance(50)
            list.append("filter=" + (defaults.isFiltered ? "\"tr a-z A-Z\"" : "none"))
        }
        if random.chance(15) {
            list.append(random.pick(["-autolink", "+autolink", "-auto", "+a"]))
        }
        if random.chance(15) { list.append(keepSection()) }
        if !list.isEmpty { add(list) }
    }

    private mutating func code() -> String {
        defaults.usesCodeInPlace = random.chance(50)
        return "code=" + random.pick(defaults.usesCodeInPlace ? ["uip", "u"] : ["copy", "c"])
    }

    private mutating func data() -> String {
        defaults.usesDataInPlace = random.chance(50)
        return "data=" + random.pick(defaults.usesDataInPlace ? ["uip", "u"] : ["copy", "c"])
    }

    mutating func keepSection() -> String {
        "keepsection=" + random.pick(["extra", "QNX_usage,extra", ".comment,QNX_info", "nothing"])
    }

    // MARK: The image

    /// Where the image lies, and what its length is a multiple of.
    private mutating func addImageRange() {
        var range = random.pick(["0x10000000", "4m", "0x80000000", "0x100200", "257k", "1048576"])
        range += random.pick(["", "", "", "-0xfffffff0", ",512m"])
        range += random.pick(["", "", "%64k", "%16", "%0x1000", "%2"])
        add(["image=" + range])
    }

    /// What may stand at the end as well as at the beginning.
    mutating func addImageAttributes() {
        addTotal()
        var list: [String] = []
        if random.chance(15) { list.append("chain=" + random.pick(["0x81000000", "1m", "0"])) }
        if random.chance(15) {
            list.append("mount=" + random.pick(["/", "/a/b", "\"/my mount\"", "x"]))
        }
        if !isSplit && random.chance(40) {
            list.append(random.pick(["compress=1", "compress=2", "compress=3", "+compress", "+c"]))
        }
        if !isBootable && random.chance(25) {
            list.append(random.pick(["+bigendian", "-bigendian", "+big"]))
        }
        if random.chance(20) { list.append("?compress=2") }
        if isSplit { list.removeAll { $0.hasPrefix("?") } }
        if !list.isEmpty { add(list) }
    }

    /// A length that the files do not reach.
    private mutating func addTotal() {
        guard random.chance(isBootable ? 8 : 25) else { return }
        let total = (estimate * 2 + 0xffff) & ~0xffff
        add([
            "image=" + random.pick(["", "0x100000"]) + "="
                + random.pick(["\(total)", "\(total / 1024)k"])
        ])
    }
}
