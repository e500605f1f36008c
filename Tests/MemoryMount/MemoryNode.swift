import Format
import Glibc
import IFSFS

/// A node in memory. The file system's lock guards it.
final class MemoryNode {
    var attributes: Attributes
    /// A file's, or a symlink's target.
    var bytes: [UInt8]
    var extendedAttributes: [String: [UInt8]] = [:]
    /// The directory that holds a directory.
    var parent: NodeID
    var openCount = 0
    /// What a directory holds: an entry keeps its place, and no place is used again.
    private(set) var slots: [(name: [UInt8], node: NodeID)?] = []
    private var places: [[UInt8]: Int] = [:]

    init(_ id: NodeID, _ new: NewNode, parent: NodeID) {
        attributes = Attributes(
            node: id, kind: new.kind, permissions: new.permissions, user: new.user,
            group: new.group, modified: Int64(time(nil)), byteCount: UInt64(new.target.count),
            linkCount: new.kind == .directory ? 2 : 1, device: new.device)
        bytes = new.target
        self.parent = parent
    }

    func touch() { attributes.modified = Int64(time(nil)) }

    func resize(_ count: Int) {
        if count < bytes.count {
            bytes.removeLast(bytes.count - count)
        } else {
            bytes.append(contentsOf: repeatElement(0, count: count - bytes.count))
        }
        attributes.byteCount = UInt64(count)
        touch()
    }

    func child(_ name: [UInt8]) -> NodeID? {
        places[name].flatMap { slots[$0]?.node }
    }

    func add(_ name: [UInt8], _ node: NodeID) {
        places[name] = slots.count
        slots.append((name, node))
        touch()
    }

    func remove(_ name: [UInt8]) {
        if let place = places.removeValue(forKey: name) { slots[place] = nil }
        touch()
    }

    /// Has a name that is there lead elsewhere.
    func replace(_ name: [UInt8], _ node: NodeID) {
        if let place = places[name] { slots[place]?.node = node }
        touch()
    }

    func mustBeRemovable(isDirectory: Bool) throws(FileSystemError) {
        guard (attributes.kind == .directory) == isDirectory else {
            throw isDirectory ? .notDirectory : .isDirectory
        }
        guard places.isEmpty else { throw .notEmpty }
    }
}
