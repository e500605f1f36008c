import Format
import Glibc
import IFSFS
import Synchronization

/// A file system in memory, which does by the book what a writable one is asked for.
///
/// Unchecked: `lock` guards all that changes.
final class MemoryFileSystem: WritableFileSystem, @unchecked Sendable {
    private let lock = Mutex(())
    private var nodes: [NodeID: MemoryNode] = [:]
    private var last = NodeID.root
    private var tally = Tally()
    private let goingOn = {
        let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
        return semaphore
    }()

    /// What was asked for, for whoever looks at the end.
    struct Tally {
        var reads = 0
        var writes = 0
        var largestWrite = 0
        var synchronized = 0
        var closed = 0
    }

    /// A root, and in `linked` one file of two names.
    init() throws(FileSystemError) {
        nodes[.root] = MemoryNode(.root, NewNode(.directory, permissions: 0o755), parent: .root)
        let linked = try make(
            Array("linked".utf8), in: .root, NewNode(.directory, permissions: 0o755)
        ).node
        let file = try make(Array("one".utf8), in: linked, NewNode(.file, permissions: 0o644)).node
        try directory(linked).add(Array("two".utf8), file)
        let both = try node(file)
        both.bytes = Array("both\n".utf8)
        both.attributes.linkCount = 2
        both.attributes.byteCount = 5
    }

    private func locked<Result>(
        _ body: () throws(FileSystemError) -> Result
    ) throws(FileSystemError) -> Result {
        try lock.withLock { _ throws(FileSystemError) in try body() }
    }

    private func node(_ id: NodeID) throws(FileSystemError) -> MemoryNode {
        guard let node = nodes[id] else { throw .notFound }
        return node
    }

    private func directory(_ id: NodeID) throws(FileSystemError) -> MemoryNode {
        let node = try node(id)
        guard node.attributes.kind == .directory else { throw .notDirectory }
        return node
    }

    private func file(_ id: NodeID) throws(FileSystemError) -> MemoryNode {
        let node = try node(id)
        guard node.attributes.kind != .directory else { throw .isDirectory }
        guard node.attributes.kind == .file else { throw .invalid }
        return node
    }

    private func forget(_ node: MemoryNode) {
        guard node.attributes.linkCount == 0, node.openCount == 0 else { return }
        nodes[node.attributes.node] = nil
    }

    private func loseName(_ node: MemoryNode) {
        if node.attributes.kind == .directory {
            node.attributes.linkCount = 0
            nodes[node.parent]?.attributes.linkCount -= 1
        } else {
            node.attributes.linkCount -= 1
        }
        forget(node)
    }

    // MARK: Reading

    /// As many nodes are free as times that files are open: so a test can tell when all are closed.
    var statistics: VolumeStatistics {
        VolumeStatistics(
            byteCount: 1 << 30, freeByteCount: 1 << 29, nodeCount: 1 << 20,
            freeNodeCount: lock.withLock { _ in openCount })
    }

    private var openCount: UInt64 {
        UInt64(clamping: nodes.values.reduce(0) { $0 + $1.openCount })
    }

    func verify() {}

    func prepare(_ goesOn: () -> Bool) {}

    func attributes(of node: NodeID) throws(FileSystemError) -> Attributes {
        try locked { () throws(FileSystemError) in try self.node(node).attributes }
    }

    func lookup(
        _ name: [UInt8], in directory: NodeID
    ) throws(FileSystemError) -> Attributes {
        // Who asks for one of these waits until somebody asks for the other.
        if name == Array("waits".utf8) { sem_wait(goingOn) }
        if name.starts(with: Array("goes on".utf8)) { sem_post(goingOn) }
        return try locked { () throws(FileSystemError) in
            guard let found = try self.directory(directory).child(name) else { throw .notFound }
            return try node(found).attributes
        }
    }

    func entries(
        of directory: NodeID, from index: Int,
        _ body: (Int, UnsafeBufferPointer<UInt8>, Attributes) -> Bool
    ) throws(FileSystemError) {
        try locked { () throws(FileSystemError) in
            let own = try self.directory(directory)
            let parent = nodes[own.parent] ?? own
            let dots = [own, parent].enumerated().map { place, node in
                ([UInt8](repeating: UInt8(ascii: "."), count: place + 1), node)
            }
            for place in max(0, index)..<max(index, own.slots.count + 2) {
                let entry: ([UInt8], MemoryNode)
                if place < 2 {
                    entry = dots[place]
                } else if let slot = own.slots[place - 2] {
                    entry = (slot.name, try node(slot.node))
                } else {
                    continue
                }
                let goesOn = entry.0.withUnsafeBufferPointer {
                    body(place, $0, entry.1.attributes)
                }
                if !goesOn { return }
            }
        }
    }

    func read(
        _ node: NodeID, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FileSystemError) -> Int {
        try locked { () throws(FileSystemError) in
            let bytes = try file(node).bytes
            tally.reads += 1
            let start = min(Int(clamping: offset), bytes.count)
            let count = min(buffer.count, bytes.count - start)
            bytes.withUnsafeBytes { bytes in
                buffer.copyMemory(from: .init(rebasing: bytes[start..<(start + count)]))
            }
            return count
        }
    }

    func target(of node: NodeID) throws(FileSystemError) -> [UInt8] {
        try locked { () throws(FileSystemError) in
            let node = try self.node(node)
            guard node.attributes.kind == .symlink else { throw .invalid }
            return node.bytes
        }
    }

    func extendedAttributeNames(of node: NodeID) throws(FileSystemError) -> [String] {
        try locked { () throws(FileSystemError) in
            try self.node(node).extendedAttributes.keys.sorted()
        }
    }

    func extendedAttribute(
        _ name: String, of node: NodeID
    ) throws(FileSystemError) -> [UInt8] {
        try locked { () throws(FileSystemError) in
            guard let value = try self.node(node).extendedAttributes[name] else {
                throw .noAttribute
            }
            return value
        }
    }

    // MARK: Names

    func open(_ node: NodeID) throws(FileSystemError) {
        try locked { () throws(FileSystemError) in try file(node).openCount += 1 }
    }

    func close(_ node: NodeID) {
        lock.withLock { _ in
            guard let node = nodes[node] else { return }
            tally.closed += 1
            node.openCount -= 1
            forget(node)
        }
    }

    func make(
        _ name: [UInt8], in directory: NodeID, _ new: NewNode
    ) throws(FileSystemError) -> Attributes {
        if let failure = Self.failures[String(decoding: name, as: UTF8.self)] { throw failure }
        return try locked { () throws(FileSystemError) in
            let parent = try self.directory(directory)
            guard parent.child(name) == nil else { throw .exists }
            last = NodeID(rawValue: last.rawValue + 1)
            let node = MemoryNode(last, new, parent: directory)
            nodes[last] = node
            parent.add(name, last)
            if new.kind == .directory { parent.attributes.linkCount += 1 }
            return node.attributes
        }
    }

    /// Names that cannot be made, for all sorts of reasons.
    private static let failures: [String: FileSystemError] = [
        "full": .noSpace, "disk": .disk(EROFS), "quota": .disk(EDQUOT), "unknown": .unsupported,
        "read-only": .readOnly, "long": .nameTooLong, "large": .tooLarge, "range": .outOfRange,
        "replaced": .replaced,
    ]

    func remove(
        _ name: [UInt8], from directory: NodeID, isDirectory: Bool
    ) throws(FileSystemError) {
        try locked { () throws(FileSystemError) in
            let parent = try self.directory(directory)
            guard let id = parent.child(name) else { throw .notFound }
            let node = try self.node(id)
            try node.mustBeRemovable(isDirectory: isDirectory)
            parent.remove(name)
            loseName(node)
        }
    }

    func rename(
        _ name: [UInt8], in directory: NodeID, to newName: [UInt8], in newDirectory: NodeID,
        _ rule: RenameRule
    ) throws(FileSystemError) {
        try locked { () throws(FileSystemError) in
            let (from, to) = (try self.directory(directory), try self.directory(newDirectory))
            guard let id = from.child(name) else { throw .notFound }
            let node = try self.node(id)
            let other = try to.child(newName).map { id throws(FileSystemError) in
                try self.node(id)
            }
            try mustNotHold(node, to)
            switch (rule, other) {
            case (.keep, .some): throw .exists
            case (.exchange, nil): throw .notFound
            case (.exchange, .some(let other)):
                try mustNotHold(other, from)
                from.replace(name, other.attributes.node)
                to.replace(newName, id)
                move(other, to: directory)
            case (.replace, .some(let other)):
                if other === node { return }
                try other.mustBeRemovable(isDirectory: node.attributes.kind == .directory)
                loseName(other)
                from.remove(name)
                to.replace(newName, id)
            case (.replace, nil), (.keep, nil):
                from.remove(name)
                to.add(newName, id)
            }
            move(node, to: newDirectory)
        }
    }

    private func move(_ node: MemoryNode, to directory: NodeID) {
        guard node.attributes.kind == .directory else { return }
        nodes[node.parent]?.attributes.linkCount -= 1
        node.parent = directory
        nodes[directory]?.attributes.linkCount += 1
    }

    private func mustNotHold(
        _ node: MemoryNode, _ directory: MemoryNode
    ) throws(FileSystemError) {
        var place = directory
        while place.attributes.node != .root {
            if place === node { throw .loop }
            place = try self.node(place.parent)
        }
    }

    // MARK: Contents

    func change(
        _ node: NodeID, _ change: AttributeChange
    ) throws(FileSystemError) -> Attributes {
        try locked { () throws(FileSystemError) in
            if let time = change.modified, UInt32(exactly: time) == nil { throw .outOfRange }
            let node = try self.node(node)
            if let count = change.byteCount {
                try file(node.attributes.node).resize(Int(try Self.checked(count)))
            }
            node.attributes.permissions = change.permissions ?? node.attributes.permissions
            node.attributes.user = change.user ?? node.attributes.user
            node.attributes.group = change.group ?? node.attributes.group
            node.attributes.modified = change.modified ?? node.attributes.modified
            return node.attributes
        }
    }

    /// The end of a file as large as one may be: 64 MiB.
    private static func checked(_ end: UInt64) throws(FileSystemError) -> UInt64 {
        guard end <= 1 << 26 else { throw .tooLarge }
        return end
    }

    func write(
        _ bytes: UnsafeRawBufferPointer, to node: NodeID, at offset: UInt64
    ) throws(FileSystemError) {
        try locked { () throws(FileSystemError) in
            let end = Int(try Self.checked(offset + UInt64(bytes.count)))
            let file = try self.file(node)
            if end > file.bytes.count { file.resize(end) }
            file.bytes.withUnsafeMutableBytes {
                UnsafeMutableRawBufferPointer(rebasing: $0[Int(offset)..<end])
                    .copyMemory(from: bytes)
            }
            file.touch()
            tally.writes += 1
            tally.largestWrite = max(tally.largestWrite, bytes.count)
        }
    }

    func allocate(
        _ range: Range<UInt64>, of node: NodeID, _ mode: Allocation
    ) throws(FileSystemError) {
        try locked { () throws(FileSystemError) in
            let file = try self.file(node)
            let end = Int(try Self.checked(range.upperBound))
            switch mode {
            case .reserve(let keepsSize), .zero(let keepsSize):
                if !keepsSize, end > file.bytes.count { file.resize(end) }
            case .punchHole: break
            }
            if case .reserve = mode { return }
            let zeros = (Int(range.lowerBound)..<end).clamped(to: 0..<file.bytes.count)
            for index in zeros { file.bytes[index] = 0 }
            file.touch()
        }
    }

    func synchronize(_ node: NodeID) throws(FileSystemError) {
        try locked { () throws(FileSystemError) in
            _ = try self.node(node)
            tally.synchronized += 1
        }
    }

    // MARK: Extended attributes

    func setExtendedAttribute(
        _ name: String, _ value: [UInt8], of node: NodeID, _ rule: AttributeRule
    ) throws(FileSystemError) {
        try locked { () throws(FileSystemError) in
            guard name.hasPrefix("user.") else { throw .unsupported }
            let node = try self.node(node)
            let isThere = node.extendedAttributes[name] != nil
            if rule == .onlyNew, isThere { throw .exists }
            if rule == .onlyPresent, !isThere { throw .noAttribute }
            node.extendedAttributes[name] = value
        }
    }

    func removeExtendedAttribute(_ name: String, of node: NodeID) throws(FileSystemError) {
        try locked { () throws(FileSystemError) in
            guard try self.node(node).extendedAttributes.removeValue(forKey: name) != nil else {
                throw .noAttribute
            }
        }
    }

    // MARK: The end

    /// What was asked for, what is still open, and the files of the root, in lines.
    var report: [String] {
        lock.withLock { _ in
            var lines = [
                "reads \(tally.reads)", "writes \(tally.writes)",
                "largest write \(tally.largestWrite)",
                "synchronized \(tally.synchronized)", "closed \(tally.closed)", "open \(openCount)",
                "nodes \(nodes.count)",
            ]
            for slot in (nodes[.root]?.slots ?? []).compactMap({ $0 }) {
                guard let node = nodes[slot.node], node.attributes.kind == .file else { continue }
                let sum = node.bytes.reduce(UInt64(0)) { $0 &+ UInt64($1) }
                let name = String(decoding: slot.name, as: UTF8.self)
                lines.append("file \(name) \(node.bytes.count) bytes, sum \(sum)")
            }
            return lines
        }
    }
}
