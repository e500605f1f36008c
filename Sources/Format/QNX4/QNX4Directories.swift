extension QNX4Volume {
    // MARK: Records

    /// The number of a record's node.
    static func id(_ place: QNX4.RecordPlace) -> NodeID {
        place == .root ? .root : NodeID(rawValue: place.number)
    }

    /// The file of a number; nil for a number that has none.
    func node(_ node: NodeID) throws(FormatError) -> Node? {
        if node == .root { return try blocks.node(at: .root) }
        guard let place = QNX4.RecordPlace(number: node.rawValue), place != .root else {
            return nil
        }
        return try blocks.node(at: place)
    }

    /// What a record says that cannot be.
    static func problem(with node: Node) -> FormatError? {
        typealias At = QNX4.InodeRecord.At
        guard let kind = node.record.kind else {
            return .corrupt(
                At.mode.place(0).moved(by: node.offset), found: hex(node.record.mode),
                expected: "a type that is known")
        }
        if kind == .symlink, node.record.size >= longestTarget {
            return .corrupt(
                At.size.place(0).moved(by: node.offset), found: "\(node.record.size)",
                expected: "a target below \(longestTarget) bytes")
        }
        return nil
    }

    /// Linux has no longer path.
    private static var longestTarget: UInt32 { 4096 }

    // MARK: Directories

    /// The node if it is a directory. Throws `corrupt` for one larger than its volume.
    func directory(_ node: NodeID) throws(FormatError) -> Node? {
        guard let found = try self.node(node), found.isDirectory else { return nil }
        try Self.checkDirectory(found, blocks)
        return found
    }

    static func checkDirectory(_ node: Node, _ blocks: QNX4.Blocks) throws(FormatError) {
        let size = UInt64(node.record.size)
        let place = QNX4.InodeRecord.At.size.place(0).moved(by: node.offset)
        guard size <= UInt64(blocks.blockCount) &* UInt64(QNX4.blockSize) else {
            throw .corrupt(
                place, found: "a directory of \(size) bytes",
                expected: "no more than the volume has")
        }
        guard size <= QNX4.mostOfDirectory else {
            throw .unsupported(
                place, found: "a directory of \(size) bytes",
                expected: "\(QNX4.mostOfDirectory) at most")
        }
    }

    /// Where the record of the file stands that a directory's record is of.
    static func target(
        of record: QNX4.DirectoryRecord, at place: QNX4.RecordPlace
    ) -> QNX4.RecordPlace {
        if case .link(let link) = record { return link.target }
        return place
    }

    /// The name of a record, the long one where there is one; nil for `.` and `..` and for one that
    /// no system can have.
    func name(
        of record: QNX4.DirectoryRecord, at place: QNX4.RecordPlace
    ) throws(FormatError) -> [UInt8]? {
        var name = record.shortName
        if case .link(let link) = record, link.longName != 0,
            let long = try longName(link.longName), long.isName(of: place)
        {
            name = long.name
        }
        guard !name.isEmpty, name != [0x2e], name != [0x2e, 0x2e] else { return nil }
        return name.contains(UInt8(ascii: "/")) ? nil : name
    }

    /// The long name in a block; nil where the volume has no such block.
    func longName(_ block: UInt32) throws(FormatError) -> QNX4.LongNameBlock? {
        guard blocks.has(block) else { return nil }
        return try blocks.withBlock(block) { bytes, base throws(FormatError) in
            try QNX4.LongNameBlock(parsing: bytes, at: base)
        }
    }

    /// Whether a file's record is at a place; of a subdirectory, whether it belongs here.
    func leadsOn(
        _ place: QNX4.RecordPlace, in directory: Node
    ) throws(FormatError) -> Bool {
        guard let node = try blocks.node(at: place), Self.problem(with: node) == nil else {
            return false
        }
        guard node.isDirectory else { return true }
        guard place != .root else { return false }
        return try parentPlace(of: node) == directory.place
    }

    /// Where the record of the directory stands that the `..` of another names. The driver makes
    /// it lead there; dinit, to the first record of the parent, which leads there then. Nil where
    /// there is none or where it cannot be read.
    func parentPlace(of directory: Node) throws(FormatError) -> QNX4.RecordPlace? {
        do throws(FormatError) {
            guard case .link(let link)? = try blocks.record(ofSlot: 1, of: directory)?.1,
                link.name.starts(with: [0x2e, 0x2e, 0])
            else { return nil }
            guard case .link(let own)? = try blocks.record(at: link.target) else {
                return link.target
            }
            return own.target
        } catch {
            if case .io = error { throw error }
            return nil
        }
    }

    func index(of directory: Node) throws(FormatError) -> QNX.DirectoryIndex {
        try share.index(of: directory.place.number) { () throws(FormatError) in
            var builder = QNX.DirectoryIndex.Builder()
            try blocks.records(of: directory, from: 0) { slot, place, record throws(FormatError) in
                if let name = try name(of: record, at: place) {
                    builder.add(slot, name, Self.target(of: record, at: place).number)
                }
                return true
            }
            return try QNX.DirectoryIndex(builder) { number throws(FormatError) in
                guard let place = QNX4.RecordPlace(number: number) else { return false }
                return try blocks.node(at: place)?.isDirectory ?? false
            }
        }
    }
}

extension QNX4Volume {
    /// What a volume knows of a node beyond POSIX.
    ///
    /// | name | value |
    /// |---|---|
    /// | `qnx4.created` | when it was made, in seconds since 1970 |
    /// | `qnx4.accessed` | when it was read |
    /// | `qnx4.changed` | when its attributes were changed |
    /// | `qnx4.status` | the bits of its record's last byte, hexadecimal |
    private enum Name: String, CaseIterable {
        case created = "qnx4.created"
        case accessed = "qnx4.accessed"
        case changed = "qnx4.changed"
        case status = "qnx4.status"
    }

    /// The names that have a value on the node.
    public func extendedAttributeNames(of node: NodeID) throws(FormatError) -> [String] {
        try self.node(node) == nil ? [] : Name.allCases.map(\.rawValue)
    }

    /// The value of a name, as text.
    public func extendedAttribute(
        _ name: String, of node: NodeID
    ) throws(FormatError) -> [UInt8]? {
        guard let name = Name(rawValue: name), let record = try self.node(node)?.record else {
            return nil
        }
        switch name {
        case .created: return Array("\(record.created)".utf8)
        case .accessed: return Array("\(record.accessed)".utf8)
        case .changed: return Array("\(record.changed)".utf8)
        case .status: return Array(hex(record.status).utf8)
        }
    }
}
