extension FAT.Check {
    private typealias At = FAT.DirectoryEntry.At

    /// A directory's own chain, its entries and their chains.
    mutating func checkDirectory(_ number: Int) {
        let directory = volume.index.directories[number]
        guard number == 0 || !falseDirectories.contains(directory.parent) else {
            falseDirectories.insert(number)
            return
        }
        var isWhole = true
        if geometry.kind == .fat32 || number > 0 { isWhole = checkChain(of: directory) }
        if number > 0, isFalse(directory, isWhole: isWhole) {
            falseDirectories.insert(number)
            add(
                volume.startPlace(of: directory.node), "a directory without '.' or '..'",
                "these two first")
            return
        }
        var reader = FAT.EntryReader(volume.source, volume.index.runs(of: directory))
        reader.notesOrphans = true
        var names: Set<[UInt8]> = []
        var dotCount = 0
        do throws(FormatError) {
            while let record = try reader.next() {
                if record.entry.isDots {
                    dotCount &+= checkDots(record, number)
                } else if record.isNode {
                    check(record, &names)
                } else {
                    checkLabel(record)
                }
            }
        } catch {
            add(error)
        }
        if number > 0, dotCount < 2 {
            add(
                volume.startPlace(of: directory.node), "a directory without '.' or '..'",
                "these two first")
        }
        for (place, part) in reader.oddParts {
            typealias At = FAT.LongNamePart.At
            if part.type != 0 { add(At.type.place(0).moved(by: place), hex(part.type), "0x0") }
            if part.cluster != 0 {
                add(At.cluster.place(0).moved(by: place), "\(part.cluster)", "0")
            }
        }
        for orphan in reader.orphans {
            add(
                Place("long name part", orphan), "a part of a name that no entry has",
                "the other parts and the short name behind it")
        }
        if let fault = directory.fault, fault.problem == .long, !reader.hasEnded {
            add(volume.error(fault, of: directory.node))
        }
    }

    /// Whether the chain ends well.
    private mutating func checkChain(of directory: FAT.DirectoryIndex.Directory) -> Bool {
        follow(directory.start, from: volume.startPlace(of: directory.node)) != nil
    }

    /// Whether what a directory begins with is no entry, but the bytes of some file: then they are not
    /// gone through.
    private func isFalse(
        _ directory: FAT.DirectoryIndex.Directory, isWhole: Bool
    ) -> Bool {
        var reader = FAT.EntryReader(volume.source, volume.index.runs(of: directory))
        // What cannot be read is told by who goes through it.
        guard let first = (try? reader.next()) ?? nil, !first.entry.isDots else { return false }
        return !isWhole || !Self.isGood(shortName: first.entry.name)
    }

    /// Whether `.` or `..` is in its place and leads where it must; 1 if it is in its place.
    private mutating func checkDots(_ record: FAT.Record, _ number: Int) -> Int {
        let isDot = record.entry.name == FAT.DirectoryEntry.dot
        let name = isDot ? "." : ".."
        guard number > 0, record.slot == (isDot ? 0 : 1) else {
            add(
                place(At.name, record.place, name), "entry \(record.slot) of its directory",
                number > 0 ? "entry \(isDot ? 0 : 1)" : "none in the root")
            return 0
        }
        let own = volume.index.directories[number]
        let parent = volume.index.directories[own.parent]
        let above = own.parent == 0 ? FAT.Cluster(rawValue: 0) : parent.start
        let expected = isDot ? own.start : above
        let found = record.entry.start(geometry.kind)
        if found != expected {
            add(
                place(At.startLow, record.place, name), "\(found.rawValue)",
                "\(expected.rawValue)")
        }
        if !record.entry.isDirectory {
            add(
                place(At.attributes, record.place, name), hex(record.entry.attributes.rawValue),
                "those of a directory")
        }
        if record.entry.caseBits != 0 {
            add(place(At.caseBits, record.place, name), hex(record.entry.caseBits), "0x0")
        }
        return 1
    }

    /// The volume's label has no contents.
    private mutating func checkLabel(_ record: FAT.Record) {
        let (entry, name) = (record.entry, printable(record.entry.name))
        let start = entry.start(geometry.kind)
        if start.rawValue != 0 {
            add(
                place(At.startLow, record.place, name), "\(start.rawValue)",
                "0, it being a label's")
        }
        if entry.size != 0 {
            add(place(At.size, record.place, name), "\(entry.size)", "0, it being a label's")
        }
    }

    /// An entry of a file or a directory.
    private mutating func check(_ record: FAT.Record, _ names: inout Set<[UInt8]>) {
        let entry = record.entry
        let shown = FAT.shownName(entry, long: record.longName, volume.options.codePage)
        let name = printable(shown ?? entry.shortName(volume.options.codePage))
        if shown == nil || !Self.isGood(shortName: entry.name) {
            add(
                place(At.name, record.place, name), "'\(printable(entry.name))'",
                "8 and 3 characters of a short name")
        }
        if let units = record.longName, !Self.isGood(longName: units) {
            add(
                place(At.name, record.place, name), "a long name that is none",
                "none of \"*/:<>?\\|, no control character, no half of a pair, "
                    + "no dot or blank at the end")
        }
        // A zero keeps the two sorts of names apart.
        let isNew = names.insert([0] + entry.name).inserted
        if !(names.insert(FAT.folded(shown ?? entry.name)).inserted && isNew) {
            add(place(At.name, record.place, name), "a name twice", "another name")
        }
        if entry.isDirectory {
            guard entry.size != 0 else { return }
            add(
                place(At.size, record.place, name), "\(entry.size)", "0, it being a directory's")
        } else {
            checkFile(entry, record.place, name)
        }
    }

    private mutating func checkFile(
        _ entry: FAT.DirectoryEntry, _ base: UInt64, _ name: String
    ) {
        let start = entry.start(geometry.kind)
        if entry.size == 0, start.rawValue == 0 { return }
        let wanted = geometry.clusterCount(for: UInt64(entry.size))
        let found = follow(start, from: place(At.startLow, base, name))
        guard let found, found != wanted else { return }
        add(
            place(At.size, base, name), "\(entry.size), \(wanted) clusters",
            "what takes \(found) clusters, as its chain has")
    }

    private func place<Value>(_ field: Field<Value>, _ base: UInt64, _ name: String) -> Place {
        place(field.name, field.offset, base, name)
    }

    private func place(_ field: ByteField, _ base: UInt64, _ name: String) -> Place {
        place(field.name, field.offset, base, name)
    }

    /// A field's place, with the entry's name in its own.
    private func place(
        _ field: String, _ offset: Int, _ base: UInt64, _ name: String
    ) -> Place {
        let part = field.drop { $0 != "." }
        return Place("directory entry '\(name)'\(part)", base &+ UInt64(clamping: offset))
    }

    // MARK: Names

    /// Whether 11 bytes are a short name: upper case, and only characters that one may have.
    static func isGood(shortName name: [UInt8]) -> Bool {
        guard let first = name.first, first != 0x20 else { return false }
        return name.enumerated().allSatisfy { index, byte in
            switch byte {
            case 0x80...: true
            case 0x05: index == 0
            case ..<0x20, 0x7f: false
            case UInt8(ascii: "a")...UInt8(ascii: "z"): false
            default: !"\"*+,./:;<=>?[\\]|".utf8.contains(byte)
            }
        }
    }

    /// Whether UTF-16 units are a long name that every system takes.
    static func isGood(longName units: [UInt16]) -> Bool {
        guard let last = units.last, last != 0x20, last != 0x2e else { return false }
        let text = String(validating: units, as: UTF16.self)
        return text?.unicodeScalars.allSatisfy {
            $0.value >= 0x20 && !"\"*/:<>?\\|".unicodeScalars.contains($0)
        } ?? false
    }
}
