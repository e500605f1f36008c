extension FAT.Volume {
    /// What a volume knows of a node beyond POSIX.
    ///
    /// | name | value |
    /// |---|---|
    /// | `fat.attributes` | a letter for each of read-only, hidden, system and archive that is set |
    /// | `fat.shortname` | the short name as stored, in UTF-8 |
    /// | `fat.created` | when the file was made, by the clock that wrote it |
    /// | `fat.label` | of the root: the volume's label, if it has one |
    /// | `fat.serial` | of the root: the volume's number, as in `1234-ABCD` |
    /// | `fat.type` | of the root: `FAT12`, `FAT16` or `FAT32` |
    private enum Name: String, CaseIterable {
        case attributes = "fat.attributes"
        case shortName = "fat.shortname"
        case created = "fat.created"
        case label = "fat.label"
        case serial = "fat.serial"
        case type = "fat.type"
    }

    /// The names that have a value on the node.
    public func extendedAttributeNames(of node: NodeID) throws(FormatError) -> [String] {
        var names: [String] = []
        for name in Name.allCases where try value(name, of: node) != nil {
            names.append(name.rawValue)
        }
        return names
    }

    /// The value of a name, as text.
    public func extendedAttribute(
        _ name: String, of node: NodeID
    ) throws(FormatError) -> [UInt8]? {
        guard let name = Name(rawValue: name) else { return nil }
        return try value(name, of: node)
    }

    private func value(_ name: Name, of node: NodeID) throws(FormatError) -> [UInt8]? {
        if node == .root {
            switch name {
            case .label: return try label()
            case .serial: return serial.map { Array($0.utf8) }
            case .type: return Array(geometry.kind.name.utf8)
            case .attributes, .shortName, .created: return nil
            }
        }
        guard let entry = try entry(of: node) else { return nil }
        switch name {
        case .attributes: return Array(entry.attributes.letters.utf8)
        case .shortName: return entry.shortName(options.codePage)
        case .created: return entry.created.text.map { Array($0.utf8) }
        case .label, .serial, .type: return nil
        }
    }

    /// The volume's label in UTF-8, of the root directory's entry, else of the boot sector; nil where
    /// neither has one. Throws where the root cannot be read.
    public func label() throws(FormatError) -> [UInt8]? {
        var reader = FAT.EntryReader(source, index.runs(of: index.directories[0]))
        while let record = try reader.next() {
            guard record.entry.isLabel, !record.entry.isDirectory else { continue }
            return text(record.entry.name)
        }
        let hasLabel = boot.extendedSignature == FAT.BootSector.extendedMark
        guard hasLabel, boot.label != Array("NO NAME    ".utf8) else { return nil }
        return text(boot.label)
    }

    private func text(_ name: [UInt8]) -> [UInt8]? {
        var name = name.prefix { $0 != 0 }
        while name.last == 0x20 { name.removeLast() }
        if name.first == 0x05 { name[0] = 0xe5 }
        return name.isEmpty
            ? nil : name.flatMap { Array(String(options.codePage.scalar($0)).utf8) }
    }

    /// The volume's number as `1234-ABCD`; nil where the boot sector has none.
    public var serial: String? {
        guard [0x28, FAT.BootSector.extendedMark].contains(boot.extendedSignature) else {
            return nil
        }
        let digits = String(boot.serial, radix: 16, uppercase: true)
        let padded = String(repeating: "0", count: 8 &- digits.utf8.count) + digits
        return "\(padded.prefix(4))-\(padded.suffix(4))"
    }
}
