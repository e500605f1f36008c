import Format
import TestSupport
import Testing

/// A tree of 2,000 entries by chance, many of them odd, against a dictionary that applies the rules
/// one path at a time.
struct TreeModelTests {
    /// What a path shows.
    private struct Shown: Equatable {
        var kind: UInt32
        var permissions: UInt32
        var user: UInt32
        var modified: Int64
        var bytes: [UInt8]
    }

    private struct Model {
        var nodes: [String: Shown] = [:]
        /// Paths of one file with several names.
        var links: [[String]] = []

        init(_ entries: [ImageEntry]) {
            var last: [String: Int] = [:]
            for (index, entry) in entries.enumerated() {
                let path = String(decoding: entry.path, as: UTF8.self)
                if Self.isShowable(entry, path) { last[path] = index }
            }
            var groups: [[Int]: [String]] = [:]
            for (path, index) in last where !path.isEmpty {
                let parents = Self.parents(of: path)
                let isHidden = parents.contains { parent in
                    last[parent].map { entries[$0].mode & 0xf000 != 0x4000 } ?? false
                }
                if isHidden { continue }
                nodes[path] = Self.shown(entries, index)
                for parent in parents where last[parent] == nil {
                    nodes[parent] = Shown(
                        kind: 0x4000, permissions: 0o555, user: 0, modified: 0, bytes: [])
                }
                if let key = Self.identity(entries, index) { groups[key, default: []].append(path) }
            }
            links = groups.values.map { $0.sorted() }
        }

        private static func isShowable(_ entry: ImageEntry, _ path: String) -> Bool {
            let names = path.split(separator: "/", omittingEmptySubsequences: false)
            let isOdd = !path.isEmpty && names.contains { ["", ".", ".."].contains($0) }
            let isRootOnly = path.isEmpty && entry.mode & 0xf000 != 0x4000
            return !isOdd && !isRootOnly && entry.inode != 0 && entry.mode & 0xf000 != 0x3000
        }

        private static func parents(of path: String) -> [String] {
            let names = path.split(separator: "/")
            return (1..<max(1, names.count)).map { names.prefix($0).joined(separator: "/") }
        }

        private static func shown(_ entries: [ImageEntry], _ index: Int) -> Shown {
            let entry = entries[index]
            var shown = Shown(
                kind: entry.mode & 0xf000, permissions: entry.mode & 0xfff, user: entry.user,
                modified: Int64(entry.modified), bytes: [])
            switch entry.body {
            case .file(let data): shown.bytes = data
            case .hardLink(let other):
                if case .file(let data) = entries[other].body { shown.bytes = data }
            case .symlink(let target): shown.bytes = target
            case .directory, .device, .record: break
            }
            if shown.kind == 0x5000 {
                shown.kind = 0x8000
                shown.permissions &= 0o7555
            }
            return shown
        }

        /// Which file's data an entry is: a name for each, and none for what is empty.
        private static func identity(_ entries: [ImageEntry], _ index: Int) -> [Int]? {
            switch entries[index].body {
            case .file(let data): return data.isEmpty ? nil : [index]
            case .hardLink(let other):
                guard case .file(let data) = entries[other].body else { return nil }
                return data.isEmpty ? nil : [other]
            default: return nil
            }
        }
    }

    private static func shown(_ volume: IFS.ImageVolume, _ node: NodeID) throws -> Shown {
        let found = try #require(volume.attributes(of: node))
        var shown = Shown(
            kind: found.kind.rawValue, permissions: found.permissions, user: found.user,
            modified: found.modified, bytes: [])
        if found.kind == .file { shown.bytes = try volume.contents(of: node) }
        if found.kind == .symlink { shown.bytes = try #require(volume.target(of: node)) }
        if found.kind == .file || found.kind == .symlink {
            #expect(found.byteCount == UInt64(shown.bytes.count))
        }
        return shown
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func theTreeIsThatOfTheModel(seed: UInt64) throws {
        let entries = RandomTree.entries(count: 2000, seed: seed, odd: seed != 0)
        let image = try IFS.Image.only(
            in: ImageBuilder(entries).with { $0.packing = seed == 2 ? .lzo(isFast: true) : .none }
                .build().bytes)
        let volume = try IFS.ImageVolume(image)
        let model = Model(entries)
        let walked = try volume.walk()
        #expect(Set(walked.map(\.path)) == Set(model.nodes.keys))
        #expect(walked.count == model.nodes.count)
        let linked = Set(model.links.filter { $0.count > 1 }.joined())
        for (path, node) in walked where !linked.contains(path) {
            var expected = try #require(model.nodes[path])
            if volume.entry(of: node) == nil {
                expected.modified = try #require(volume.attributes(of: .root)).modified
            }
            #expect(try Self.shown(volume, node) == expected, "\(path)")
            #expect(try volume.node(at: path) == node)
        }
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func namesOfOneFileShareItsNode(seed: UInt64) throws {
        let entries = RandomTree.entries(count: 2000, seed: seed, odd: seed != 0)
        let volume = try IFS.ImageVolume(
            IFS.Image.only(in: ImageBuilder(entries).build().bytes))
        for names in Model(entries).links {
            let nodes = Set(try names.map { try volume.node(at: $0) })
            #expect(nodes.count == 1, "\(names)")
            let node = try #require(nodes.first ?? nil)
            #expect(volume.attributes(of: node)?.linkCount == UInt32(names.count), "\(names)")
        }
    }

    /// What `lookup`, `entries`, `parent` and `attributes` say of one tree is the same tree.
    @Test(arguments: 4..<8 as Range<UInt64>)
    func lookupsEntriesAndParentsAgree(seed: UInt64) throws {
        let entries = RandomTree.entries(count: 2000, seed: seed, odd: true)
        let volume = try IFS.ImageVolume(
            IFS.Image.only(in: ImageBuilder(entries).build().bytes))
        var directories: [NodeID] = [.root]
        while let directory = directories.popLast() {
            let list = try volume.list(directory)
            let names = list.map(\.name)
            #expect(names == names.sorted { $0.lexicographicallyPrecedes($1) })
            #expect(Set(names).count == names.count)
            var subdirectories: UInt32 = 0
            for (name, node) in list {
                #expect(volume.lookup(name, in: directory) == node)
                let attributes = try #require(volume.attributes(of: node))
                #expect(attributes.node == node)
                guard attributes.kind == .directory else { continue }
                #expect(volume.parent(of: node) == directory)
                subdirectories += 1
                directories.append(node)
            }
            #expect(volume.attributes(of: directory)?.linkCount == subdirectories + 2)
        }
    }
}
