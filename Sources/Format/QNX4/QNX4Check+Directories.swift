extension QNX4Check {
    /// Goes through the records of a directory.
    mutating func checkDirectory(
        _ directory: Node, in parent: QNX4.RecordPlace
    ) throws(FormatError) {
        try QNX4Volume.checkDirectory(directory, blocks)
        var names: Set<[UInt8]> = []
        var hasDots = [false, false]
        try blocks.records(of: directory, from: 0) { slot, place, record throws(FormatError) in
            let short = record.shortName
            if slot < 2, short == [[0x2e], [0x2e, 0x2e]][Int(slot)], case .link(let link) = record {
                hasDots[Int(slot)] = true
                try checkDots(link, isOwn: slot == 0, at: place, of: directory, in: parent)
                return true
            }
            try checkRecord(record, at: place, in: directory, &names)
            return !findings.isFull
        }
        for (index, found) in hasDots.enumerated() where !found {
            findings.add(
                QNX4.InodeRecord.At.firstStart.place(0).moved(by: directory.offset),
                found: "another record as number \(index) of directory \(directory.place.number)",
                expected: "'\(index == 0 ? "." : "..")'")
        }
    }

    /// `.` leads to the directory's own record and carries a mark; `..` to the parent's.
    private mutating func checkDots(
        _ link: QNX4.LinkRecord, isOwn: Bool, at place: QNX4.RecordPlace, of directory: Node,
        in parent: QNX4.RecordPlace
    ) throws(FormatError) {
        typealias At = QNX4.LinkRecord.At
        let offset = blocks.offset(of: place)
        var target = link.target
        if !isOwn, case .link(let own)? = try blocks.record(at: target) { target = own.target }
        let expected = isOwn ? directory.place : parent
        links[target, default: 0] &+= 1
        if target != expected {
            findings.add(
                At.block.place(0).moved(by: offset),
                found: "record \(target.number) for '\(isOwn ? "." : "..")'",
                expected: "\(expected.number)")
        }
        guard isOwn else { return }
        if !link.name.dropFirst(At.mark.offset).starts(with: QNX4.LinkRecord.directoryMark) {
            findings.add(
                At.mark.place(0).moved(by: offset),
                found: "'\(printable(link.name[2..<7]))'", expected: "the mark of a directory")
        }
        let count = UInt32(link.name[8]) | UInt32(link.name[9]) &<< 8
        let size = directory.record.size / UInt32(QNX4.blockSize)
        if count != size & 0xffff {
            findings.add(
                At.blockCount.place(0).moved(by: offset), found: "\(count)", expected: "\(size)")
        }
    }

    private mutating func checkRecord(
        _ record: QNX4.DirectoryRecord, at place: QNX4.RecordPlace, in directory: Node,
        _ names: inout Set<[UInt8]>
    ) throws(FormatError) {
        let offset = blocks.offset(of: place)
        let spot = Place("qnx4 directory record", offset)
        let text = "'\(printable(record.shortName))'"
        checkStatus(record, text, at: offset)
        if case .inode(let inode) = record, inode.status & QNX4.Status.inode != 0 {
            findings.add(
                QNX4.InodeRecord.At.status.place(0).moved(by: offset),
                found: "\(hex(inode.status)) for \(text)",
                expected: "no bit 0x10, of a record outside of directories")
        }
        if case .link(let link) = record, link.longName != 0 {
            let long = try volume.longName(link.longName)
            if long?.isName(of: place) != true {
                findings.add(
                    QNX4.LinkRecord.At.longName.place(0).moved(by: offset),
                    found: "block \(link.longName) for \(text)",
                    expected: "a long name that belongs to this record")
            } else {
                longNames.insert(link.longName)
            }
        }
        if let name = try volume.name(of: record, at: place) {
            if !names.insert(name).inserted {
                findings.add(spot, found: text, expected: "a name that no other record has")
            }
            if name.contains(where: QNX.isForbidden) {
                findings.add(
                    spot, found: "'\(printable(name))'",
                    expected: "a name without control characters")
            }
        } else {
            findings.add(
                spot, found: text, expected: "a name without slash, neither '.' nor '..'")
        }
        let target = QNX4Volume.target(of: record, at: place)
        guard let node = try blocks.node(at: target) else {
            findings.add(
                spot, found: "record \(target.number) for \(text)", expected: "that of a file")
            return
        }
        let isFirst = meet(node, in: directory.place)
        links[target, default: 0] &+= 1
        if node.isDirectory, !isFirst {
            findings.add(
                spot, found: "directory \(target.number) for \(text)",
                expected: "one that no other name leads to")
        }
    }

    private mutating func checkStatus(
        _ record: QNX4.DirectoryRecord, _ text: String, at offset: UInt64
    ) {
        let status: UInt8
        switch record {
        case .inode(let inode): status = inode.status
        case .link(let link): status = link.status
        case .free: return
        }
        let both = QNX4.Status.used | QNX4.Status.link
        let place = QNX4.InodeRecord.At.status.place(0).moved(by: offset)
        if status & both == both {
            findings.add(
                place, found: "\(hex(status)) for \(text)",
                expected: "a file's own record or a link, not both")
        }
        if status & QNX4.Status.busy != 0 {
            findings.add(
                place, found: "\(hex(status)) for \(text)",
                expected: "no bit 0x4, of a file that was being grown or shrunk")
        }
    }
}
