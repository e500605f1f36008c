import Format
import IFSFS
import TestSupport
import Testing

/// The same operations on both, one by one.
struct ModelRun {
    var fileSystem: any WritableFileSystem
    /// Permission bits that are given to files.
    private let bits: UInt32
    /// Whether a link has a mode of its own.
    private let linksHaveModes: Bool
    private(set) var model: TreeModel
    private var random: SplitMix64

    init(
        _ fileSystem: any WritableFileSystem, _ model: TreeModel, _ random: SplitMix64,
        bits: UInt32 = 0o7777, linksHaveModes: Bool = true
    ) {
        self.fileSystem = fileSystem
        self.bits = bits
        self.linksHaveModes = linksHaveModes
        self.model = model
        self.random = random
    }

    // MARK: Choosing

    private mutating func number(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }

    private mutating func known() -> String {
        let paths = model.paths
        return paths[number(paths.count)]
    }

    private mutating func file() -> String? {
        let files = model.paths.filter {
            if case .file? = model[$0]?.contents { true } else { false }
        }
        return files.isEmpty ? nil : files[number(files.count)]
    }

    /// A path that may be taken or not, in a directory or in something else.
    private mutating func some() -> String {
        let parent = known()
        let name = "m\(number(12))"
        return parent.isEmpty ? name : parent + "/" + name
    }

    // MARK: Steps

    mutating func step() throws {
        switch number(20) {
        case 0...2: try make(.file([]), some())
        case 3: try make(.directory, some())
        case 4: try make(.link(Array("target\(number(9))".utf8)), some())
        case 5: try make(.fifo, some())
        case 6...8: try write()
        case 9: try resize()
        case 10, 11: try remove()
        case 12...14: try rename()
        case 15, 16: try change()
        default: try compareOne(known(), fileSystem)
        }
    }

    private func node(_ path: String, _ other: (any FileSystem)? = nil) throws -> NodeID {
        var node = NodeID.root
        for name in path.split(separator: "/") {
            node = try (other ?? fileSystem).lookup(Array(name.utf8), in: node).node
        }
        return node
    }

    private static func name(_ path: String) -> [UInt8] {
        Array((path.split(separator: "/").last ?? "").utf8)
    }

    /// Does it to both, which must agree whether it can be done and why not.
    private mutating func both(
        _ what: String, _ change: (inout TreeModel) throws -> Void, is body: () throws -> Void
    ) {
        var changed = model
        let expected = Result { try change(&changed) }
        let found = Result { try body() }
        switch (expected, found) {
        case (.success, .success): model = changed
        case (.failure(let one), .failure(let other)):
            #expect("\(one)" == "\(other)", "\(what)")
        default: Issue.record("\(what): expected \(expected), found \(found)")
        }
    }

    private mutating func make(_ contents: TreeModel.Contents, _ path: String) throws {
        var permissions = UInt32(number(0o1000))
        if case .link = contents, !linksHaveModes { permissions = 0o777 }
        var new = NewNode(.file, permissions: permissions, user: 7, group: 8)
        switch contents {
        case .directory: new.kind = .directory
        case .file: new.kind = .file
        case .fifo: new.kind = .fifo
        case .link(let target):
            new.kind = .symlink
            new.target = target
        }
        let item = TreeModel.Item(
            contents: contents, permissions: permissions, user: 7, group: 8)
        let parent = try node(TreeModel.parent(path))
        let fileSystem = fileSystem
        both(
            "make \(path)", { try $0.make(item, at: path) },
            is: {
                _ = try fileSystem.make(Self.name(path), in: parent, new)
            })
    }

    private mutating func write() throws {
        guard let path = file(), case .file(var bytes)? = model[path]?.contents else { return }
        let offset = number(bytes.count + 5000)
        let new = random.noise(number(6000) + 1)
        bytes += [UInt8](repeating: 0, count: max(0, offset + new.count - bytes.count))
        bytes.replaceSubrange(offset..<(offset + new.count), with: new)
        let node = try node(path)
        let isOpen = number(2) == 0
        if isOpen { try fileSystem.open(node) }
        try new.withUnsafeBytes { try fileSystem.write($0, to: node, at: UInt64(offset)) }
        if isOpen { fileSystem.close(node) }
        set(path, bytes)
    }

    private mutating func resize() throws {
        guard let path = file(), case .file(var bytes)? = model[path]?.contents else { return }
        let count = number(2 * bytes.count + 100)
        if count < bytes.count { bytes.removeLast(bytes.count - count) }
        bytes += [UInt8](repeating: 0, count: max(0, count - bytes.count))
        var change = AttributeChange()
        change.byteCount = UInt64(count)
        _ = try fileSystem.change(try node(path), change)
        set(path, bytes)
    }

    private mutating func set(_ path: String, _ bytes: [UInt8]) {
        guard var item = model[path] else { return }
        item.contents = .file(bytes)
        item.modified = nil
        model.put(item, at: path)
    }

    private mutating func remove() throws {
        let path = known()
        guard !path.isEmpty else { return }
        let isDirectory = number(3) == 0 || model.isDirectory(path)
        let parent = try node(TreeModel.parent(path))
        let fileSystem = fileSystem
        both(
            "remove \(path)", { try $0.remove(path, isDirectory: isDirectory) },
            is: {
                try fileSystem.remove(Self.name(path), from: parent, isDirectory: isDirectory)
            })
    }

    private mutating func rename() throws {
        let (old, new) = (known(), number(2) == 0 ? known() : some())
        guard !old.isEmpty, !new.isEmpty, model[TreeModel.parent(new)] != nil else { return }
        let rule: RenameRule = [.replace, .replace, .keep, .exchange][number(4)]
        let (from, to) = (try node(TreeModel.parent(old)), try node(TreeModel.parent(new)))
        let fileSystem = fileSystem
        both(
            "rename \(old) to \(new), \(rule)", { try $0.rename(old, to: new, rule) },
            is: {
                try fileSystem.rename(Self.name(old), in: from, to: Self.name(new), in: to, rule)
            })
    }

    private mutating func change() throws {
        let path = known()
        guard !path.isEmpty, var item = model[path] else { return }
        var change = AttributeChange()
        switch number(3) {
        case 0:
            if case .link = item.contents, !linksHaveModes { return }
            item.permissions = UInt32(number(0o10000)) & bits
            change.permissions = item.permissions
        case 1:
            item.user = UInt32(number(1000))
            change.user = item.user
        default:
            item.modified = Int64(number(1 << 31))
            change.modified = item.modified
        }
        _ = try fileSystem.change(try node(path), change)
        model.put(item, at: path)
    }

    // MARK: Comparing

    func compareAll(_ other: any FileSystem) throws {
        for path in model.paths { try compareOne(path, other) }
    }

    private func compareOne(_ path: String, _ other: any FileSystem) throws {
        guard let item = model[path] else { return }
        let node = try node(path, other)
        let found = try other.attributes(of: node)
        if !path.isEmpty {
            #expect(found.permissions == item.permissions, "\(path)")
            #expect(found.user == item.user && found.group == item.group, "\(path)")
            if let time = item.modified { #expect(found.modified == time, "\(path)") }
        }
        switch item.contents {
        case .directory:
            let listed = try other.list(node).dropFirst(2).map(\.text).sorted()
            #expect(listed == model.names(in: path), "\(path)")
            let inside = model.names(in: path).filter {
                model.isDirectory(path.isEmpty ? $0 : path + "/" + $0)
            }
            #expect(Int(found.linkCount) == 2 + inside.count, "\(path)")
        case .file(let bytes):
            #expect(Int(found.byteCount) == bytes.count, "\(path)")
            let same = try other.bytes(node, count: bytes.count + 1) == bytes
            #expect(same, "contents of \(path)")
        case .link(let target): #expect(try other.target(of: node) == target, "\(path)")
        case .fifo: #expect(found.kind == .fifo, "\(path)")
        }
    }
}
