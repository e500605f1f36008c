import Format

/// A volume in a dictionary, the simplest that can be right, which fails when told to.
struct DictionaryVolume: Volume {
    struct Node: Sendable {
        var attributes: Attributes
        var parent = NodeID.root
        /// In the order in which they are listed.
        var children: [(name: [UInt8], node: NodeID)] = []
        var contents: [UInt8] = []
        var target: [UInt8]?
        /// Values of extended attributes by name.
        var extended: [String: String] = [:]
    }

    var statistics: VolumeStatistics
    var nodes: [NodeID: Node]
    /// What every call throws, if set.
    var failure: FormatError?
    /// The nodes that have no attributes to tell: asking for them throws.
    var damaged: Set<NodeID> = []

    static let damage = FormatError.corrupt(
        Place("test", 7), found: "damage", expected: "attributes")

    /// A root, and in it, in this order: `file`, `link`, `dir` with `inner` in it, `empty`, `fifo`, and
    /// a name that is no UTF-8. Nodes are numbered in the order of `numbers`.
    static func sample() -> DictionaryVolume {
        func node(
            _ name: String, _ kind: NodeKind, _ permissions: UInt32, parent: String = "root"
        ) -> Node {
            Node(
                attributes: Attributes(
                    node: numbers[name] ?? .root, kind: kind, permissions: permissions, user: 11,
                    group: 22, modified: 33),
                parent: numbers[parent] ?? .root)
        }
        var nodes = [
            "root": node("root", .directory, 0o755), "file": node("file", .file, 0o6755),
            "link": node("link", .symlink, 0o777), "dir": node("dir", .directory, 0o1777),
            "empty": node("empty", .directory, 0o700), "fifo": node("fifo", .fifo, 0o666),
            "strange": node("strange", .file, 0o444),
            "inner": node("inner", .directory, 0o750, parent: "dir"),
        ]
        nodes["file"]?.contents = Array("contents".utf8)
        nodes["file"]?.attributes.byteCount = 8
        nodes["file"]?.extended = ["x.size": "8", "x.note": "a file"]
        nodes["root"]?.extended = ["x.note": "the root"]
        nodes["link"]?.target = Array("dir/inner".utf8)
        nodes["root"]?.children =
            ["file", "link", "dir", "empty", "fifo"].compactMap { name in
                numbers[name].map { (Array(name.utf8), $0) }
            } + [(strangeName, numbers["strange"] ?? .root)]
        nodes["dir"]?.children = [(Array("inner".utf8), numbers["inner"] ?? .root)]
        return DictionaryVolume(
            statistics: VolumeStatistics(byteCount: 4096, freeByteCount: 0, nodeCount: 8),
            nodes: Dictionary(uniqueKeysWithValues: nodes.values.map { ($0.attributes.node, $0) }))
    }

    static let numbers: [String: NodeID] = Dictionary(
        uniqueKeysWithValues: ["root", "file", "link", "dir", "inner", "empty", "fifo", "strange"]
            .enumerated().map { ($1, NodeID(rawValue: UInt64($0) + 1)) })
    static let strangeName: [UInt8] = [0xff, 0x20, 0xc3]
    static let absent = NodeID(rawValue: 99)

    private func check() throws(FormatError) {
        if let failure { throw failure }
    }

    func attributes(of node: NodeID) throws(FormatError) -> Attributes? {
        try check()
        if damaged.contains(node) { throw Self.damage }
        return nodes[node]?.attributes
    }

    func lookup(_ name: [UInt8], in directory: NodeID) throws(FormatError) -> NodeID? {
        try check()
        return nodes[directory]?.children.first { $0.name == name }?.node
    }

    func entries(
        of directory: NodeID, from index: Int,
        _ body: (Int, UnsafeBufferPointer<UInt8>, NodeID) -> Bool
    ) throws(FormatError) {
        try check()
        guard let children = nodes[directory]?.children, index < children.count else { return }
        for place in index..<children.count {
            let goesOn = children[place].name.withUnsafeBufferPointer {
                body(place, $0, children[place].node)
            }
            guard goesOn else { return }
        }
    }

    func parent(of directory: NodeID) throws(FormatError) -> NodeID? {
        try check()
        return nodes[directory]?.parent
    }

    func read(
        _ node: NodeID, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int {
        try check()
        guard let contents = nodes[node]?.contents, offset < UInt64(contents.count) else {
            return 0
        }
        let part = contents[Int(offset)...].prefix(buffer.count)
        buffer.copyBytes(from: part)
        return part.count
    }

    func target(of node: NodeID) throws(FormatError) -> [UInt8]? {
        try check()
        return nodes[node]?.target
    }

    func extendedAttributeNames(of node: NodeID) throws(FormatError) -> [String] {
        try check()
        return nodes[node].map { $0.extended.keys.sorted() } ?? []
    }

    func extendedAttribute(_ name: String, of node: NodeID) throws(FormatError) -> [UInt8]? {
        try check()
        return nodes[node]?.extended[name].map { Array($0.utf8) }
    }
}
