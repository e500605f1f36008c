import Foundation
import TestSupport

/// A tree in memory: what a mount has to show after so many calls.
struct KnownTree: Equatable {
    enum Node: Equatable {
        case directory
        case file([UInt8], mode: UInt32)
        case link([UInt8])
    }

    var nodes: [Word: Node] = [:]

    /// The tree below a directory.
    static func read(_ root: Word) throws -> KnownTree {
        var tree = KnownTree()
        for path in try Calls.tree(root) {
            let status = try Calls.status(root / path)
            switch status.st_mode & S_IFMT {
            case S_IFDIR: tree.nodes[path] = .directory
            case S_IFLNK: tree.nodes[path] = .link(try Calls.target(root / path))
            default:
                tree.nodes[path] = .file(
                    try Calls.contents(root / path), mode: status.st_mode & 0o7777)
            }
        }
        return tree
    }

    /// What two trees do not have in common, a path each.
    func differences(_ other: KnownTree) -> [String] {
        Set(nodes.keys).union(other.nodes.keys).filter { nodes[$0] != other.nodes[$0] }
            .map { "\($0): \(Self.text(nodes[$0])), expected \(Self.text(other.nodes[$0]))" }
            .sorted()
    }

    private static func text(_ node: Node?) -> String {
        switch node {
        case nil: "nothing"
        case .directory: "a directory"
        case .file(let bytes, let mode): "\(bytes.count) bytes, mode \(String(mode, radix: 8))"
        case .link(let target): "a link to \(Word(target))"
        }
    }
}

/// One system call that changes a tree.
enum EditCall: Equatable {
    case make(Word)
    case makeDirectory(Word)
    case link(Word, to: Word)
    case write(Word, [UInt8], at: Int)
    case truncate(Word, Int)
    case mode(Word, UInt32)
    case rename(Word, Word)
    case remove(Word)
    case synchronize(Word)

    /// Does it below a directory; throws its error.
    func run(in root: Word) throws {
        switch self {
        case .make(let path):
            try open(root / path, O_CREAT | O_EXCL | O_WRONLY) { _ in 0 }
        case .makeDirectory(let path): try call(root / path) { mkdir($0, 0o755) }
        case .link(let path, let target):
            try target.withCString { target in try call(root / path) { symlink(target, $0) } }
        case .write(let path, let bytes, let offset):
            try open(root / path, O_WRONLY) { file in
                let count = bytes.withUnsafeBytes {
                    pwrite(file, $0.baseAddress, $0.count, off_t(offset))
                }
                // The kernel can ask for a write in two, of which the second is not answered.
                if count >= 0, count < bytes.count { errno = EIO }
                return count < bytes.count ? -1 : count
            }
        case .truncate(let path, let count):
            try call(root / path) { Foundation.truncate($0, off_t(count)) }
        case .mode(let path, let mode): try call(root / path) { chmod($0, mode) }
        case .rename(let path, let new):
            try (root / new).withCString { new in try call(root / path) { Glibc.rename($0, new) } }
        case .remove(let path): try call(root / path) { Glibc.remove($0) }
        case .synchronize(let path): try open(root / path, O_RDONLY) { Int(fsync($0)) }
        }
    }

    private func call(_ path: Word, _ body: (UnsafePointer<CChar>) -> Int32) throws {
        if let failure = path.withCString({ path in Calls.failure { body(path) } }) {
            throw failure
        }
    }

    private func open(_ path: Word, _ flags: Int32, _ body: (Int32) -> Int) throws {
        let file = path.withCString { Glibc.open($0, flags | O_CLOEXEC, 0o644) }
        guard file >= 0 else { throw SystemError(code: errno) }
        defer { close(file) }
        if body(file) < 0 { throw SystemError(code: errno) }
    }

    /// What comes of it.
    func apply(to tree: inout KnownTree) {
        switch self {
        case .make(let path): tree.nodes[path] = .file([], mode: 0o644)
        case .makeDirectory(let path): tree.nodes[path] = .directory
        case .link(let path, let target): tree.nodes[path] = .link(target.bytes)
        case .write(let path, let bytes, let offset):
            tree.change(path) { old in
                old += [UInt8](repeating: 0, count: max(0, offset + bytes.count - old.count))
                old.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
            }
        case .truncate(let path, let count):
            tree.change(path) { old in
                old = Array(old.prefix(count))
                old += [UInt8](repeating: 0, count: count - old.count)
            }
        case .mode(let path, let mode):
            if case .file(let bytes, _)? = tree.nodes[path] {
                tree.nodes[path] = .file(bytes, mode: mode)
            }
        case .rename(let path, let new): tree.nodes[new] = tree.nodes.removeValue(forKey: path)
        case .remove(let path): tree.nodes[path] = nil
        case .synchronize: break
        }
    }

    /// The file whose bytes it changes.
    var written: Word? {
        switch self {
        case .write(let path, _, _), .truncate(let path, _): path
        case .make, .makeDirectory, .link, .mode, .rename, .remove, .synchronize: nil
        }
    }
}

extension KnownTree {
    fileprivate mutating func change(_ path: Word, _ body: (inout [UInt8]) -> Void) {
        guard case .file(var bytes, let mode)? = nodes[path] else { return }
        body(&bytes)
        nodes[path] = .file(bytes, mode: mode)
    }
}

/// Calls that follow from a seed, and the trees between them.
struct EditScript {
    let calls: [EditCall]
    /// One more than calls: `trees[n]` is what is there after n of them.
    let trees: [KnownTree]

    /// Calls on a tree; only files below the root are moved and removed, and directories stay.
    init(_ tree: KnownTree, count: Int, seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var (calls, trees): ([EditCall], [KnownTree]) = ([], [tree])
        while calls.count < count {
            guard let call = Self.call(trees[calls.count], calls.count, &random) else { continue }
            var next = trees[calls.count]
            call.apply(to: &next)
            calls.append(call)
            trees.append(next)
        }
        self.calls = calls
        self.trees = trees
    }

    private static func call(
        _ tree: KnownTree, _ serial: Int, _ random: inout SplitMix64
    ) -> EditCall? {
        func number(_ count: Int) -> Int { Int(random.next() % UInt64(max(1, count))) }
        func paths(_ isWanted: (KnownTree.Node) -> Bool) -> [Word] {
            tree.nodes.filter { isWanted($0.value) }.keys.sorted { $0.description < $1.description }
        }
        let directories = paths { $0 == .directory } + [""]
        let files = paths { if case .file = $0 { true } else { false } }
        let directory = directories[number(directories.count)]
        let name = Word("n\(serial)")
        let new = directory.bytes.isEmpty ? name : directory / name
        let kind = number(16)
        guard kind > 3, !files.isEmpty else {
            return [.make(new), .makeDirectory(new), .link(new, to: "to"), .make(new)][kind % 4]
        }
        let file = files[number(files.count)]
        guard case .file(let bytes, _)? = tree.nodes[file] else { return nil }
        switch kind {
        case 4...8: return .write(file, random.noise(number(9000) + 1), at: number(bytes.count + 1))
        case 9: return .truncate(file, number(2 * bytes.count + 10))
        case 10: return .mode(file, UInt32(number(0o1000)) | 0o600)
        case 11: return .rename(file, new)
        case 12: return .rename(file, files[number(files.count)])
        case 13: return .remove(file)
        default: return .synchronize(file)
        }
    }
}
