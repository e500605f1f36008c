import TestSupport

/// Lines that make entries.
extension RandomBuild {
    /// Adds an entry, or attributes for those that follow.
    mutating func addSomething() {
        switch random.number(0...19) {
        case 0...5: addFile()
        case 6, 7: addInline()
        case 8: addDirectory()
        case 9, 10: addLink()
        case 11: addFIFO()
        case 12, 13, 14: addELF()
        case 15: addGolden()
        case 16, 17: addScript()
        case 18: addMissing()
        default: addDefaults()
        }
    }

    /// Adds a line for a host file, under its own name or another.
    private mutating func add(_ attributes: [String], host: String) {
        let spelled = random.chance(10) ? "${HOST}/" + host : spelled(host, .name)
        guard random.chance(60) else { return add(attributes, spelled) }
        let target = self.spelled(newName(), .name)
        add(attributes, target + random.pick(["=", " = ", " ", "= ", "\t=\t"]) + spelled)
    }

    private mutating func addFile() {
        var list = attributes()
        if random.chance(15) { list.append("+page_align") }
        if random.chance(10) { list.append("phys_align=" + random.pick(["16k", "4096"])) }
        if random.chance(10) {
            list.append(random.pick(["filter=\"tr a-z A-Z\"", "filter=cat", "filter=none"]))
        }
        if random.chance(5) { list.append("+raw") }
        add(list, host: newFile(contents()))
    }

    private mutating func addInline() {
        let lines = [
            "# kept", "text é", "a { b } c", "back\\slash \\\\ two", "${NAME}", "\"quotes\"", "",
            "\tx",
        ]
        let text = random.shuffled(random.some(lines)).map { $0 + end }.joined()
        let list = attributes() + random.some(["+page_align"], 15)
        add(list, inline(spelled(newName(), .name), text))
    }

    private mutating func addDirectory() {
        add(["type=dir"] + attributes(), spelled(newName(), .name))
    }

    private mutating func addFIFO() {
        add(attributes() + ["type=fifo"], spelled(newName(), .name))
    }

    private mutating func addLink() {
        let text = random.pick([
            "/dev/shmem", "../x", "\"a = b\"", "${CHAIN}/y", "\"${NAME}\"", "a\\b",
        ])
        let list = random.shuffled(attributes() + ["type=link"])
        add(list, spelled(newName(), .name) + random.pick(["=", " = ", " "]) + text)
    }

    /// A host file that is not there is no error, unless `-optional` says so.
    private mutating func addMissing() {
        let target = spelled(newName(), .name)
        add(attributes() + ["+optional"], target + " = not/here")
    }

    // MARK: Programs

    private mutating func addELF() {
        let role = random.pick(
            [.library, .program] + (isBootable ? [.object] : []) as [RandomELF.Role])
        let isLibrary = role == .library
        let isBig = isBootable ? processor.isBig : random.chance(50)
        let soname = random.pick(["libx.so.\(random.number(1...9))", "liby.so", "z.1.2", "12.3"])
        let file = RandomELF(
            role, isBig: isBig,
            machine: isBootable ? processor.machine : random.pick([3, 8, 20, 40, 42]),
            soname: soname, SplitMix64(seed: random.next()))
        var list = attributes()
        if random.chance(8) { list.append("+raw") }
        if random.chance(30) { list.append(keepSection()) }
        if random.chance(15) { list.append(random.pick(["-autolink", "+autolink"])) }
        if random.chance(10) { list.append("+page_align") }
        list += usage(of: file)
        // A filter takes the place of what a linker would be given.
        if defaults.isFiltered { list.append("filter=none") }
        estimate += 0x5_0000
        let name = newFile(file.bytes, ending: isLibrary && random.chance(50) ? "-" + soname : "")
        add(list, host: name)
    }

    /// What is used in place and where, such that the size that is computed in advance suffices.
    private mutating func usage(of file: RandomELF) -> [String] {
        var list: [String] = []
        var use = defaults
        if random.chance(30) { list.append(random.pick(["code=copy", "code=uip"])) }
        if random.chance(30) { list.append(random.pick(["data=copy", "data=uip"])) }
        if random.chance(20) {
            list.append("phys_align=" + random.pick(["64k", "4096", "0", "32"]))
        }
        for attribute in list {
            switch attribute {
            case "code=copy": use.usesCodeInPlace = false
            case "code=uip": use.usesCodeInPlace = true
            case "data=copy": use.usesDataInPlace = false
            case "data=uip": use.usesDataInPlace = true
            case "phys_align=64k": use.alignment = 0x10000
            case "phys_align=4096": use.alignment = 4096
            default: use.alignment = attribute == "phys_align=32" ? 32 : 0
            }
        }
        let isWrittenInPlace = file.isWritten && (file.role == .library || use.usesDataInPlace)
        if !use.usesCodeInPlace, isWrittenInPlace, use.alignment < file.alignment {
            list.append("phys_align=64k")
        }
        return list
    }

    private mutating func addGolden() {
        let cpu = processor.name
        let program = random.pick(["sbin/daemon", "sbin/tool", "lib/libdemo.so", "lib/libplain.so"])
        var list = attributes() + ["code=uip", "phys_align=0"]
        if defaults.isFiltered { list.append("filter=none") }
        if random.chance(30) { list.append("data=copy") }
        if random.chance(20) { list.append(keepSection()) }
        if random.chance(10) { list.append("+raw") }
        estimate += 0x5_0000
        add(list, spelled(newName(), .name) + "=${INPUTS}/\(cpu)/\(program)")
    }
}
