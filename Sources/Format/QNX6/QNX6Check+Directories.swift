extension QNX6Check {
    /// Goes through all directories from the root on, each once.
    mutating func walk() {
        var pending: [(number: UInt32, parent: UInt32)] = [(QNX6.rootInode, QNX6.rootInode)]
        _ = reached.insert(UInt64(QNX6.rootInode))
        while let (number, parent) = pending.popLast(), !findings.isFull {
            do throws(FormatError) {
                guard let node = try volume.node(number), volume.problem(with: node) == nil else {
                    continue
                }
                try volume.checkDirectory(node)
                try checkDirectory(node, in: parent, &pending)
            } catch {
                findings.add(error)
            }
        }
        checkBootDirectory()
    }

    private mutating func checkDirectory(
        _ directory: QNX6Volume.Node, in parent: UInt32,
        _ pending: inout [(number: UInt32, parent: UInt32)]
    ) throws(FormatError) {
        let size = directory.inode.size
        if size % UInt64(blocks.blockSize) != 0 {
            findings.add(
                QNX6.Inode.At.size.place(0).moved(by: directory.offset),
                found: "\(size) in directory \(directory.number)",
                expected: "a multiple of \(blocks.blockSize)")
        }
        var names: Set<[UInt8]> = []
        var dots: [UInt32?] = [nil, nil]
        try volume.blocks.records(
            of: directory.tree, size: QNX6.DirectoryEntry.byteCount, from: 0
        ) { slot, bytes, base throws(FormatError) in
            guard let entry = try QNX6.DirectoryEntry(parsing: bytes, at: base, blocks.order)
            else { return true }
            if QNX6Volume.isDots(entry), slot < 2 {
                dots[Int(slot)] = entry.inode
                note(entry)
                return true
            }
            let place = try self.place(ofSlot: slot, in: directory)
            checkEntry(entry, place, in: directory, &names, &pending)
            return !findings.isFull
        }
        for (index, expected) in [directory.number, parent].enumerated()
        where dots[index] != expected {
            findings.add(
                try place(ofSlot: UInt64(index), in: directory),
                found: dots[index].map { "inode \($0)" } ?? "another entry",
                expected: "'\(index == 0 ? "." : "..")', inode \(expected)")
        }
    }

    private func place(
        ofSlot slot: UInt64, in directory: QNX6Volume.Node
    ) throws(FormatError) -> Place {
        let offset = try blocks.record(
            of: directory.tree, size: QNX6.DirectoryEntry.byteCount, at: slot
        ) { _, _, offset in offset }
        return Place("qnx6 directory entry", offset ?? directory.offset)
    }

    private mutating func checkEntry(
        _ entry: QNX6.DirectoryEntry, _ place: Place, in directory: QNX6Volume.Node,
        _ names: inout Set<[UInt8]>, _ pending: inout [(number: UInt32, parent: UInt32)]
    ) {
        note(entry)
        let text: String
        do throws(FormatError) {
            let name = try checkedName(of: entry, place)
            text = name.map { "'\(printable($0))'" } ?? "a name"
            if let name, !names.insert(name).inserted {
                findings.add(place, found: text, expected: "a name that no other entry has")
            }
            guard let node = try volume.node(entry.inode) else {
                findings.add(
                    place, found: "inode \(entry.inode) for \(text)",
                    expected: "one that is in use")
                return
            }
            guard node.isDirectory else { return }
            if reached.insert(UInt64(node.number)) {
                pending.append((node.number, directory.number))
            } else {
                findings.add(
                    place, found: "directory \(node.number) for \(text)",
                    expected: "one that no other name leads to")
            }
        } catch {
            findings.add(error)
        }
    }

    private mutating func note(_ entry: QNX6.DirectoryEntry) {
        guard let index = Int(exactly: entry.inode), index < links.count, links[index] < .max
        else { return }
        links[index] &+= 1
    }

    /// The name of an entry; nil for one that is none, which is told.
    private mutating func checkedName(
        of entry: QNX6.DirectoryEntry, _ place: Place
    ) throws(FormatError) -> [UInt8]? {
        let name: [UInt8]
        switch entry.name {
        case .short(let short): name = short
        case .long(let index, let checksum):
            guard let long = try volume.longName(index) else {
                findings.add(
                    place, found: "long name \(index)", expected: "one of the long-name file")
                return nil
            }
            name = long
            let computed = QNX6.nameChecksum(name)
            let hasSums = volume.superblock.flags & QNX6.Superblock.nameChecksumFlag != 0
            if hasSums, checksum != computed {
                findings.add(
                    Place(QNX6.DirectoryEntry.At.checksum.name, place.offset &+ 12),
                    found: hex(checksum), expected: "\(hex(computed)) for '\(printable(name))'")
            }
        case .encrypted:
            findings.add(
                .unsupported(place, found: "an encrypted name", expected: "one in the clear"))
            return nil
        case .odd(let length):
            findings.add(
                place, found: "a name of length \(length)", expected: "1 through 27, or 255")
            return nil
        }
        if QNX6Volume.isDots(entry) || name.contains(where: { $0 == 0 || $0 == 0x2f }) {
            findings.add(
                place, found: "'\(printable(name))'",
                expected: "a name without slash and zero, neither '.' nor '..'")
        } else if name.contains(where: QNX.isForbidden) {
            findings.add(
                place, found: "'\(printable(name))'", expected: "a name without control characters")
        }
        return name
    }

    /// QNX has `/.boot` in inode 2 of every volume; of the Audi layout that is not known.
    private mutating func checkBootDirectory() {
        guard volume.superblock.layout == .standard, !findings.isFull else { return }
        do throws(FormatError) {
            guard try volume.node(QNX6.bootInode)?.isDirectory != true else { return }
            findings.add(
                volume.table.place, found: "no directory as inode 2", expected: "that of /.boot")
        } catch {
            findings.add(error)
        }
    }
}
