import TestSupport

/// The boot section, the bootfile and linkers.
extension RandomBuild {
    /// Adds linkers and the boot section, and makes the files for it.
    mutating func addBootSection() {
        addLinkers()
        if random.chance(20) {
            isSplit = true
            add(["ram=" + random.pick(["0x80000000", "0x20001000%64k", "16m,512m"])])
            defaults.usesDataInPlace = false
        }
        let hasOwnRAM = !isSplit && random.chance(5)
        if hasOwnRAM { addCopiedData() }
        let isNew = hasOwnRAM || random.chance(50)
        let bootfile = isNew ? newBootfile(splits: hasOwnRAM) : goldenBootfile()
        let virtual = "virtual=\(processor.name),\(bootfile)"
        let list = [virtual.contains(" ") ? "\"\(virtual)\"" : virtual] + ownership()
        var lines: [String] = []
        if random.chance(30) { lines.append(assignments(always: true)) }
        lines.append(command(startup: true))
        for _ in 0..<random.pick([1, 1, 1, 0, 2, 3, 4]) {
            if random.chance(20) { lines.append(assignments(always: true)) }
            if random.chance(15) { lines.append(bootAttributes(always: true)) }
            lines.append(bootAttributes() + command(startup: false))
        }
        let text = lines.map { $0 + end }.joined()
        add(list, inline(random.pick([".bootstrap", "boot"]), text))
        knowsProcessor = true
    }

    private mutating func command(startup: Bool) -> String {
        let name =
            random.chance(50)
            ? newProgram(startup ? .startup : .boot)
            : startup ? "startup-\(processor.name)" : "procnto"
        let words = assignments() + spelled(name, .command) + arguments(0...3)
        return words + (random.chance(3) ? " &" : "")
    }

    private mutating func newProgram(_ role: RandomELF.Role) -> String {
        let file = RandomELF(
            role, isBig: processor.isBig, machine: processor.machine, soname: "",
            SplitMix64(seed: random.next()))
        return newFile(file.bytes, mode: random.chance(70) ? 0o755 : nil)
    }

    private mutating func bootAttributes(always: Bool = false) -> String {
        guard always || random.chance(30) else { return "" }
        var list = ownership()
        if !isSplit && random.chance(20) { list.append(random.pick(["data=copy", "data=uip"])) }
        if random.chance(20) { list.append(random.pick(["code=copy", "code=uip"])) }
        if random.chance(20) { list.append(keepSection()) }
        return list.isEmpty ? "" : "[" + list.joined(separator: " ") + "] "
    }

    // MARK: Bootfiles

    private mutating func goldenBootfile() -> String {
        random.pick([
            "plain", "prefixed", "biased", "virtual", "wrapped", "filtered", "filtered -a -b 7",
        ])
    }

    /// A bootfile splits the image, and that alone says nothing of data.
    private mutating func addCopiedData() {
        isSplit = true
        defaults.usesDataInPlace = false
        add(["data=copy"])
    }

    private mutating func newBootfile(splits: Bool) -> String {
        pageSize = random.pick([4096, 4096, 4096, 8192, 0x4000, 0x10000])
        var list = [
            "default_image=" + random.pick(["0x80100000", "1m", "0x40000%8k", "0x400080"]),
            "pagesize=\(pageSize)",
        ]
        if splits { list.append("default_ram=" + random.pick(["0x20000000", "1g%8k"])) }
        list += random.some([
            "attr=\"?\(processor.isBig ? "+" : "-")bigendian\"", "attr=\"?prefix=proc/boot\"",
            "len=" + random.pick(["0x180", "513", "4k"]), "attr=\"?chain=0x1000\"",
        ])
        list += random.some(
            [
                "notloaded=" + random.pick(["0x40", "0x180", "0x1000"]),
                "paddr_bias=" + random.pick(["-0x80000000", "0x1000", "-4096"]),
                "vboot=" + random.pick(["0xfe000000", "0xf0000800"]),
                random.pick(["+rsvd_vaddr", "-rsvd_vaddr"]),
            ], 30)
        let separator = random.pick([" ", "\n", " # attr=\n\t"])
        var text = "[" + random.shuffled(list).joined(separator: separator) + "]"
        if random.chance(70) {
            let code = random.noise(random.number(0...700))
            text += random.pick(["", "\n", " code: "])
            return String(
                newFile(Array(text.utf8) + Array("boot".utf8) + code, ending: ".boot").dropLast(5))
        }
        return String(newFile(Array(text.utf8), ending: ".boot").dropLast(5))
    }

    // MARK: Linkers

    /// Specifications of which the last that fits counts; all fit in the end.
    private mutating func addLinkers() {
        let machine = random.chance(50) ? "\(processor.machine)" : ""
        let types = random.pick(["1,2,3", "1,2,3", "1,2", "0x1,2,3,4"])
        let main = "(\(machine);\(types);" + random.pick(["", "", "1", "0x1,7"]) + ")"
        if random.chance(20) { add([linker(main, "false")]) }
        add([linker(main, relocate())])
        for spec in random.some(["(99;1,2,3;)", "(;7;)", "(;;)", "(;1,2,3;0x5555,99)"], 15) {
            add([linker(spec, spec == "(;;)" ? relocate() : "false")])
        }
    }

    private func linker(_ spec: String, _ command: String) -> String {
        "linker=\"" + spec + command + "\""
    }

    private mutating func relocate() -> String {
        let header = random.pick(["0x%h", "0x%h", "%(v==1,0x%h%)%(v==0,0x%h%)"])
        let data = random.pick([
            "0x%d", "0x%d", "%(f==1,0x%d%)%(f!=1,0%)", "%(d>0,0x%d%)%(d==0,0%)",
            "%(e==1,%(m==20,0x%d%)%(m!=20,99%)%)%(e==0,%(m!=20,0x%d%)%(m==20,98%)%)",
        ])
        return "relocate \(header) 0x%t \(data) %o %i"
    }
}
