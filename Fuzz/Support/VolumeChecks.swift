package import Format

/// What has to hold of the tree of any volume; a `precondition` that fails is a find.
package enum VolumeChecks {
    /// Names that are looked at in one volume.
    private static let mostNames = 500
    /// Bytes read of each file, at its start and at its end.
    private static let readCount = 700

    /// Goes through the tree. Unlike an image's, it need not be one: names can lead to the same node.
    package static func check(_ volume: any Volume) {
        keep(volume.statistics)
        var directories: [NodeID] = [.root]
        var seen: Set<NodeID> = [.root]
        var left = mostNames
        while let directory = directories.popLast(), left > 0 {
            for (name, node) in entries(of: directory, in: volume, &left) {
                precondition(isName(name), "a name that is none")
                keep(
                    Checks.attempt { () throws(FormatError) in
                        try volume.lookup(name, in: directory)
                    })
                let found = Checks.attempt { () throws(FormatError) in
                    try volume.attributes(of: node)
                }
                guard let attributes = found ?? nil else { continue }
                visit(attributes, volume)
                if attributes.kind == .directory, seen.insert(attributes.node).inserted {
                    directories.append(attributes.node)
                }
            }
        }
        for number: UInt64 in [0, 1 << 31, 1 << 47, .max] {
            let nobody = NodeID(rawValue: number)
            keep(Checks.attempt { () throws(FormatError) in try volume.attributes(of: nobody) })
            keep(Checks.attempt { () throws(FormatError) in try volume.parent(of: nobody) })
            keep(
                Checks.attempt { () throws(FormatError) in
                    try volume.lookup([0x61], in: nobody)
                })
            var none = 8
            keep(entries(of: nobody, in: volume, &none))
        }
    }

    private static func entries(
        of directory: NodeID, in volume: any Volume, _ left: inout Int
    ) -> [(name: [UInt8], node: NodeID)] {
        var found: [(name: [UInt8], node: NodeID)] = []
        var last = -1
        var rest = left
        keep(
            Checks.attempt { () throws(FormatError) in
                try unsafe volume.entries(of: directory, from: 0) { index, name, node in
                    precondition(index > last, "an entry before the one before it")
                    last = index
                    unsafe found.append((Array(name), node))
                    rest -= 1
                    return rest > 0
                }
            })
        left = rest
        return found
    }

    private static func visit(_ attributes: Attributes, _ volume: any Volume) {
        let node = attributes.node
        keep(Checks.attempt { () throws(FormatError) in try volume.target(of: node) })
        let names = Checks.attempt { () throws(FormatError) in
            try volume.extendedAttributeNames(of: node)
        }
        for name in names ?? [] {
            keep(
                Checks.attempt { () throws(FormatError) in
                    try volume.extendedAttribute(name, of: node)
                })
        }
        if attributes.kind == .directory {
            keep(Checks.attempt { () throws(FormatError) in try volume.parent(of: node) })
        }
        guard attributes.kind == .file else { return }
        let size = attributes.byteCount
        for offset in [0, size / 2, size - min(size, UInt64(readCount)), size] {
            read(node, volume, at: offset, of: size)
        }
    }

    private static func read(
        _ node: NodeID, _ volume: any Volume, at offset: UInt64, of size: UInt64
    ) {
        let got = Checks.attempt { () throws(FormatError) in
            try unsafe withUnsafeTemporaryAllocation(byteCount: readCount, alignment: 1) {
                buffer throws(FormatError) in
                try unsafe volume.read(node, into: buffer, at: offset)
            }
        }
        guard let got else { return }
        precondition(
            UInt64(got) == min(UInt64(readCount), size - min(size, offset)), "a read that is short")
    }

    private static func isName(_ name: [UInt8]) -> Bool {
        !name.isEmpty && name.count <= 1024 && !name.contains(0)
            && !name.contains(UInt8(ascii: "/")) && name != [0x2e] && name != [0x2e, 0x2e]
    }

    /// Each finding is one line.
    package static func check(_ findings: [some CustomStringConvertible]) {
        for finding in findings {
            precondition(!finding.description.utf8.contains(10), "a finding of several lines")
        }
    }
}
