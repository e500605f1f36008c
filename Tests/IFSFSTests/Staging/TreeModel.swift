import Format
import IFSFS
import TestSupport

/// A tree in a dictionary, the simplest that can be right: what each change does, and why it is refused.
struct TreeModel {
    enum Contents: Equatable {
        case directory
        case file([UInt8])
        case link([UInt8])
        case fifo
    }

    struct Item: Equatable {
        var contents: Contents
        var permissions: UInt32
        var user: UInt32 = 0
        var group: UInt32 = 0
        /// Nil where nobody has set it.
        var modified: Int64?
    }

    private(set) var items: [String: Item] = ["": Item(contents: .directory, permissions: 0o755)]

    /// Sorted, so that a seed means the same tree everywhere.
    var paths: [String] { items.keys.sorted() }

    subscript(path: String) -> Item? { items[path] }

    static func parent(_ path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }

    func isDirectory(_ path: String) -> Bool { items[path]?.contents == .directory }

    func names(in directory: String) -> [String] {
        items.keys.filter { !$0.isEmpty && Self.parent($0) == directory }
            .map { String($0.dropFirst(directory.isEmpty ? 0 : directory.count + 1)) }.sorted()
    }

    // MARK: Changes

    mutating func put(_ item: Item, at path: String) { items[path] = item }

    mutating func make(_ item: Item, at path: String) throws(FileSystemError) {
        guard isDirectory(Self.parent(path)) else { throw .notDirectory }
        guard items[path] == nil else { throw .exists }
        items[path] = item
        touch(Self.parent(path))
    }

    /// What happens in a directory gives it a time of its own.
    private mutating func touch(_ directory: String) { items[directory]?.modified = nil }

    mutating func remove(_ path: String, isDirectory: Bool) throws(FileSystemError) {
        guard let item = items[path] else { throw .notFound }
        if isDirectory {
            guard item.contents == .directory else { throw .notDirectory }
            guard names(in: path).isEmpty else { throw .notEmpty }
        } else if item.contents == .directory {
            throw .isDirectory
        }
        items[path] = nil
        touch(Self.parent(path))
    }

    mutating func rename(
        _ old: String, to new: String, _ rule: RenameRule
    ) throws(FileSystemError) {
        guard let item = items[old] else { throw .notFound }
        guard isDirectory(Self.parent(new)) else { throw .notDirectory }
        if old == new, rule != .exchange { return }
        if isBelow(new, old), new != old { throw .loop }
        if rule == .exchange, isBelow(old, new), new != old, items[new] != nil { throw .loop }
        let other = items[new]
        switch rule {
        case .keep where other != nil: throw .exists
        case .exchange:
            guard other != nil else { throw .notFound }
            touch(Self.parent(old))
            touch(Self.parent(new))
            let (one, two) = (takeAll(old), takeAll(new))
            putAll(one, at: new)
            putAll(two, at: old)
        case .keep, .replace:
            if let other {
                if item.contents == .directory {
                    guard other.contents == .directory else { throw .notDirectory }
                    guard names(in: new).isEmpty else { throw .notEmpty }
                } else if other.contents == .directory {
                    throw .isDirectory
                }
            }
            touch(Self.parent(old))
            touch(Self.parent(new))
            let moved = takeAll(old)
            items[new] = nil
            putAll(moved, at: new)
        }
    }

    private func isBelow(_ path: String, _ directory: String) -> Bool {
        path == directory || path.hasPrefix(directory + "/")
    }

    private mutating func takeAll(_ path: String) -> [(rest: String, item: Item)] {
        let all = items.filter { isBelow($0.key, path) }
        for key in all.keys { items[key] = nil }
        return all.map { (String($0.key.dropFirst(path.count)), $0.value) }
    }

    private mutating func putAll(_ all: [(rest: String, item: Item)], at path: String) {
        for (rest, item) in all { items[path + rest] = item }
    }
}

extension TreeModel {
    /// A tree of random shape, and the image of it.
    static func random(_ random: inout SplitMix64, count: Int) -> (TreeModel, [ImageEntry]) {
        var model = TreeModel()
        var entries: [ImageEntry] = []
        var directories = [""]
        for index in 0..<count {
            let parent = directories[Int(random.next() % UInt64(directories.count))]
            let path = (parent.isEmpty ? "" : parent + "/") + "n\(index)"
            var item = Item(contents: .directory, permissions: 0o755)
            switch random.next() % 5 {
            case 0:
                directories.append(path)
                entries.append(.directory(path, permissions: 0o755))
            case 1:
                item = Item(contents: .link(Array("to/\(index)".utf8)), permissions: 0o777)
                entries.append(.symlink(path, to: "to/\(index)"))
            default:
                let bytes = random.noise(Int(random.next() % 9000))
                item = Item(contents: .file(bytes), permissions: 0o644)
                entries.append(.file(path, bytes, permissions: 0o644))
            }
            model.put(item, at: path)
        }
        return (model, entries)
    }
}
