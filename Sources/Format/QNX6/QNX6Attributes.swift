extension QNX6Volume {
    /// What a volume knows of a node beyond POSIX.
    ///
    /// | name | value |
    /// |---|---|
    /// | `qnx6.created` | when it was made, in seconds since 1970 |
    /// | `qnx6.accessed` | when it was read |
    /// | `qnx6.changed` | when its attributes were changed |
    /// | `qnx6.blocksize` | of the root: bytes of a block |
    /// | `qnx6.serial` | of the root: the number of the snapshot |
    /// | `qnx6.uuid` | of the root: the volume's identifier, hexadecimal, if it is no label |
    /// | `qnx6.label` | of the root: the volume's label |
    private enum Name: String, CaseIterable {
        case created = "qnx6.created"
        case accessed = "qnx6.accessed"
        case changed = "qnx6.changed"
        case blockSize = "qnx6.blocksize"
        case serial = "qnx6.serial"
        case uuid = "qnx6.uuid"
        case label = "qnx6.label"
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
        guard let number = UInt32(exactly: node.rawValue), let found = try self.node(number) else {
            return nil
        }
        switch name {
        case .created: return Array("\(found.inode.created)".utf8)
        case .accessed: return Array("\(found.inode.accessed)".utf8)
        case .changed: return Array("\(found.inode.changed)".utf8)
        case .blockSize where node == .root: return Array("\(superblock.blockSize)".utf8)
        case .serial where node == .root: return Array("\(superblock.serial)".utf8)
        case .uuid where node == .root && superblock.label == nil:
            return Array(hexDigits(superblock.identifier).utf8)
        case .label where node == .root: return superblock.label
        default: return nil
        }
    }
}

extension QNX6.Superblock {
    /// The identifier as text; nil where it is a UUID.
    public var label: [UInt8]? {
        flags & Self.labelFlag == 0 ? nil : Array(identifier.prefix { $0 != 0 })
    }

    /// The identifier where it is text, whether it is said to be or not; nil where there is none.
    public var printableIdentifier: [UInt8]? {
        let text = Array(identifier.prefix { $0 != 0 })
        let isText =
            label != nil
            || text.allSatisfy { (0x20..<0x7f).contains($0) }
                && identifier.dropFirst(text.count).allSatisfy { $0 == 0 }
        return text.isEmpty || !isText ? nil : text
    }
}
