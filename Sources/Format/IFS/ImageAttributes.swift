extension IFS.ImageVolume {
    /// What an image knows of a node beyond POSIX.
    ///
    /// | name | value |
    /// |---|---|
    /// | `ifs.inode` | the stored inode number, flag bits included, hexadecimal |
    /// | `ifs.flags` | the names of its flag bits, joined by commas |
    /// | `ifs.mode` | the stored mode, octal |
    /// | `ifs.record` | offset of the directory record from the image header |
    /// | `ifs.offset` | of a file: offset of its data from the image header |
    /// | `ifs.size` | of a file: bytes of its data |
    /// | `ifs.compression` | of a file: how the image that holds it is packed |
    /// | `ifs.rdev` | of a device: the stored number |
    /// | `ifs.script` | of the startup script: its commands as buildfile text |
    /// | `ifs.arguments` | of a bootstrap executable: its command line, variables first |
    /// | `ifs.mountpoint` | of the root: where the target puts the image |
    /// | `ifs.info` | of the root: the image's facts, as JSON |
    private enum Name: String, CaseIterable {
        case inode = "ifs.inode"
        case flags = "ifs.flags"
        case mode = "ifs.mode"
        case record = "ifs.record"
        case offset = "ifs.offset"
        case size = "ifs.size"
        case compression = "ifs.compression"
        case rawDevice = "ifs.rdev"
        case script = "ifs.script"
        case arguments = "ifs.arguments"
        case mountpoint = "ifs.mountpoint"
        case info = "ifs.info"
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
        switch name {
        case .mountpoint: return node == .root ? image.header.mountpoint : nil
        case .info: return node == .root ? Array(JSON.object(image.facts).compactText.utf8) : nil
        default: break
        }
        guard let entry = entry(of: node) else { return nil }
        switch (name, entry.kind) {
        case (.script, _):
            // The number first: to find the script, all entries are looked through.
            guard entry.inode == image.header.scriptInode, entry == image.script else {
                return nil
            }
            let lines = IFS.Script(try image.scriptData()).buildfileLines
            return Array(lines.map { $0 + "\n" }.joined().utf8)
        case (.arguments, _):
            guard entry.inode != 0, image.header.bootInodes.contains(entry.inode),
                let found = try image.bootArguments(of: entry)
            else { return nil }
            return Array((found.environment + found.arguments).joined(separator: [0x20]))
        case (.offset, .file(let offset, _)): return Array("\(offset)".utf8)
        case (.size, .file(_, let size)): return Array("\(size)".utf8)
        case (.compression, .file): return Array(image.compression.name.utf8)
        case (.rawDevice, .device(_, let raw)): return Array(hex(raw).utf8)
        case (.inode, _): return Array(hex(entry.inode).utf8)
        case (.flags, _): return Array(Self.flagNames(entry.inode).utf8)
        case (.mode, _): return Array(("0" + String(entry.mode, radix: 8)).utf8)
        case (.record, _):
            let offset = UInt64(image.header.directoryOffset) &+ UInt64(entry.recordOffset)
            return Array("\(offset)".utf8)
        default: return nil
        }
    }

    private static func flagNames(_ inode: UInt32) -> String {
        [
            (IFS.Dirent.processedFlag, "processed"), (IFS.Dirent.runOnceFlag, "runonce"),
            (IFS.Dirent.bootstrapFlag, "bootstrap"),
        ].filter { inode & $0.0 != 0 }.map(\.1).joined(separator: ",")
    }
}
