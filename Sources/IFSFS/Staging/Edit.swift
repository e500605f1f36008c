internal import Format

/// One thing that is so from now on: said again, it changes nothing.
enum Edit: Equatable {
    /// What a node is.
    case node(NodeID, StagedNode)
    /// Which node a name in a directory leads to; nil for none.
    case name([UInt8], in: NodeID, NodeID?)
}

extension Edit {
    /// The same of nodes that have other numbers.
    func renumbered(_ number: (NodeID) -> NodeID) -> Edit {
        switch self {
        case .node(let node, let staged): .node(number(node), staged)
        case .name(let name, let directory, let node):
            .name(name, in: number(directory), node.map(number))
        }
    }
}

/// A node that was made or changed, with all that is its own.
struct StagedNode: Equatable, Sendable {
    /// Where a file's bytes are.
    enum Contents: UInt8, Sendable {
        /// In the volume underneath, under the same number; of nodes without bytes too.
        case base
        /// In a file of the stage, whose size is theirs.
        case data
        /// In the edit log: those that it tells of last, else none.
        case log
    }

    var kind: NodeKind
    var permissions: UInt32
    var user: UInt32
    var group: UInt32
    /// Seconds since 1970.
    var modified: Int64
    /// Whether somebody asked for that time; else it tells only of a change.
    var isTimeSet = false
    var contents = Contents.base
    /// Which bytes of contents in the stage are in the volume still: the file of the stage has none
    /// there. What of them lies behind the end of that file counts no more.
    var borrowed = RangeSet<UInt64>()
    /// The text of a symlink.
    var target: [UInt8] = []
    /// Major and minor number of a device.
    var device = Device()
    /// What was set here, by name without its `user.`.
    var extendedAttributes: [String: [UInt8]] = [:]

    struct Device: Equatable, Sendable {
        var major: UInt32 = 0
        var minor: UInt32 = 0
    }
}

// MARK: As bytes

extension Edit {
    /// What begins an edit, or a record of contents.
    enum Tag {
        static let node: UInt8 = 1
        static let name: UInt8 = 2
        static let removal: UInt8 = 3
        static let contents: UInt8 = 4
    }

    /// The edits of one change as a record of the edit log.
    static func bytes(of edits: [Edit]) -> [UInt8] {
        var writer = RecordWriter()
        for edit in edits {
            switch edit {
            case .node(let number, let node):
                writer.add(Tag.node)
                writer.add(number.rawValue)
                node.write(to: &writer)
            case .name(let name, let directory, let node):
                writer.add(node == nil ? Tag.removal : Tag.name)
                writer.add(directory.rawValue)
                writer.add(name)
                if let node { writer.add(node.rawValue) }
            }
        }
        return writer.bytes
    }

    /// The edits of a record; nil for bytes that are none.
    static func edits(in record: [UInt8]) -> [Edit]? {
        var reader = RecordReader(record)
        var edits: [Edit] = []
        while !reader.isAtEnd {
            guard let tag: UInt8 = reader.next(), let first: UInt64 = reader.next() else {
                return nil
            }
            let number = NodeID(rawValue: first)
            switch tag {
            case Tag.node:
                guard let node = StagedNode(from: &reader) else { return nil }
                edits.append(.node(number, node))
            case Tag.name:
                guard let name = reader.text(), let node: UInt64 = reader.next() else { return nil }
                edits.append(.name(name, in: number, NodeID(rawValue: node)))
            case Tag.removal:
                guard let name = reader.text() else { return nil }
                edits.append(.name(name, in: number, nil))
            default: return nil
            }
        }
        return edits
    }
}

extension StagedNode {
    fileprivate func write(to writer: inout RecordWriter) {
        writer.add(kind.rawValue)
        writer.add(permissions)
        writer.add(user)
        writer.add(group)
        writer.add(UInt64(bitPattern: modified))
        writer.add(UInt8(isTimeSet ? 1 : 0))
        writer.add(contents.rawValue)
        writer.add(UInt32(clamping: borrowed.ranges.count))
        for range in borrowed.ranges {
            writer.add(range.lowerBound)
            writer.add(range.upperBound)
        }
        writer.add(target)
        writer.add(device.major)
        writer.add(device.minor)
        writer.add(UInt32(clamping: extendedAttributes.count))
        for (name, value) in extendedAttributes.sorted(by: { $0.key < $1.key }) {
            writer.add(Array(name.utf8))
            writer.add(value)
        }
    }

    fileprivate init?(from reader: inout RecordReader) {
        guard let kind: UInt32 = reader.next(), let kind = NodeKind(rawValue: kind),
            let permissions: UInt32 = reader.next(), let user: UInt32 = reader.next(),
            let group: UInt32 = reader.next(), let modified: UInt64 = reader.next(),
            let isTimeSet: UInt8 = reader.next(), let contents: UInt8 = reader.next(),
            let contents = Contents(rawValue: contents),
            let borrowed = RangeSet(from: &reader), let target = reader.text(),
            let major: UInt32 = reader.next(), let minor: UInt32 = reader.next(),
            let count: UInt32 = reader.next()
        else { return nil }
        self.init(
            kind: kind, permissions: permissions, user: user, group: group,
            modified: Int64(bitPattern: modified), isTimeSet: isTimeSet != 0, contents: contents,
            borrowed: borrowed, target: target, device: Device(major: major, minor: minor))
        for _ in 0..<count {
            guard let name = reader.text(), let value = reader.text() else { return nil }
            extendedAttributes[String(decoding: name, as: UTF8.self)] = value
        }
    }
}

extension RangeSet<UInt64> {
    fileprivate init?(from reader: inout RecordReader) {
        guard let count: UInt32 = reader.next() else { return nil }
        self.init()
        for _ in 0..<count {
            guard let start: UInt64 = reader.next(), let end: UInt64 = reader.next(), start < end
            else { return nil }
            insert(contentsOf: start..<end)
        }
    }
}
