import Format
import IFSFS
import TestSupport
import Testing

/// A directory of a volume as a root, held against the whole.
struct SubtreeVolumeTests {
    /// The sample, with a file, a link and a directory in `dir/inner` besides.
    private static func whole() -> DictionaryVolume {
        var volume = DictionaryVolume.sample()
        let inner = node("inner")
        func add(_ name: String, _ number: UInt64, _ kind: NodeKind) -> NodeID {
            let id = NodeID(rawValue: number)
            volume.nodes[id] = DictionaryVolume.Node(
                attributes: Attributes(node: id, kind: kind, permissions: 0o640, user: 5),
                parent: inner)
            volume.nodes[inner]?.children.append((Array(name.utf8), id))
            return id
        }
        let file = add("deep", 20, .file)
        volume.nodes[file]?.contents = Array("far below".utf8)
        volume.nodes[file]?.attributes.byteCount = 9
        volume.nodes[file]?.extended = ["x.note": "deep"]
        volume.nodes[add("up", 21, .symlink)]?.target = Array("../..".utf8)
        _ = add("more", 22, .directory)
        volume.nodes[inner]?.extended = ["x.note": "inner", "x.own": "1"]
        return volume
    }

    private static func node(_ name: String) -> NodeID { DictionaryVolume.numbers[name] ?? .root }

    private static func subtree(
        _ path: String, _ volume: DictionaryVolume = whole()
    ) throws(FileSystemError) -> SubtreeVolume {
        try SubtreeVolume(volume, at: Array(path.utf8))
    }

    /// A number of the whole as the subtree has it: the top and the root have changed places.
    private static func turned(_ node: NodeID, _ top: NodeID) -> NodeID {
        node == top ? .root : node == .root ? top : node
    }

    // MARK: The directory

    @Test(arguments: ["dir", "dir/inner", "/dir/inner/", "dir//inner", "empty", "", "/"])
    func aPathLeadsToItsDirectory(path: String) throws {
        let whole = Self.whole()
        let top = try #require(try whole.node(at: path))
        let subtree = try Self.subtree(path)
        #expect(try subtree.list(.root).map(\.name) == whole.list(top).map(\.name))
        #expect(
            try subtree.attributes(of: .root)?.permissions == whole.attributes(of: top)?.permissions
        )
    }

    @Test(arguments: ["absent", "dir/absent", "file/x", "dir/inner/deep/x", ".", "dir/..", "Dir"])
    func aPathThatLeadsNowhereIsNotFound(path: String) {
        #expect(throws: FileSystemError.notFound) { try Self.subtree(path) }
    }

    @Test(arguments: ["file", "link", "fifo", "dir/inner/up"])
    func whatIsNoDirectoryIsNoSubtreeAndLinksAreNotFollowed(path: String) {
        #expect(throws: FileSystemError.notDirectory) { try Self.subtree(path) }
    }

    @Test func aVolumesErrorIsCarried() {
        var volume = Self.whole()
        volume.failure = DictionaryVolume.damage
        #expect(throws: FileSystemError.format(DictionaryVolume.damage)) {
            try Self.subtree("dir", volume)
        }
    }

    // MARK: Every call

    @Test(arguments: ["", "dir", "dir/inner", "empty"])
    func everyCallIsTheWholesWithTheTwoNumbersSwapped(path: String) throws {
        let whole = Self.whole()
        let top = try #require(try whole.node(at: path))
        let subtree = try Self.subtree(path)
        #expect(subtree.statistics == whole.statistics)
        for node in whole.nodes.keys + [DictionaryVolume.absent] {
            let here = Self.turned(node, top)
            var attributes = try whole.attributes(of: node)
            attributes?.node = here
            #expect(try subtree.attributes(of: here) == attributes)
            #expect(try subtree.target(of: here) == whole.target(of: node))
            #expect(
                try subtree.bytes(of: here, at: 2, count: 5)
                    == whole.bytes(of: node, at: 2, count: 5))
            let entries = try whole.list(node)
            let listed = try subtree.list(here)
            #expect(listed.map(\.name) == entries.map(\.name))
            #expect(listed.map(\.node) == entries.map { Self.turned($0.node, top) })
            for entry in entries {
                #expect(
                    try subtree.lookup(entry.name, in: here) == Self.turned(entry.node, top))
            }
            #expect(try subtree.lookup(Array("none".utf8), in: here) == nil)
            guard node != top else { continue }
            #expect(
                try subtree.parent(of: here) == whole.parent(of: node).map { Self.turned($0, top) })
        }
    }

    @Test func aListingGoesOnFromAnyIndex() throws {
        let subtree = try Self.subtree("dir/inner")
        var seen: [Int] = []
        try subtree.entries(of: .root, from: 1) { index, _, _ in
            seen.append(index)
            return seen.count < 2
        }
        #expect(seen == [1, 2])
    }

    @Test func aboveTheTopThereIsTheTop() throws {
        let subtree = try Self.subtree("dir/inner")
        #expect(try subtree.parent(of: .root) == .root)
        let more = try #require(try subtree.lookup(Array("more".utf8), in: .root))
        #expect(try subtree.parent(of: more) == .root)
        let fileSystem = VolumeFileSystem(subtree)
        #expect(try fileSystem.list(.root).prefix(2).map(\.attributes.node) == [.root, .root])
        #expect(try fileSystem.list(more).map(\.attributes.node) == [more, .root])
    }

    @Test func whatIsReachedFromTheTopIsOnlyWhatIsBelow() throws {
        let paths = try Self.subtree("dir").walk().map(\.path)
        #expect(paths.sorted() == ["inner", "inner/deep", "inner/more", "inner/up"])
    }

    // MARK: Extended attributes

    /// The image's own facts belong to what is mounted, whichever part that is.
    @Test func theTopHasItsOwnAttributesAndThoseOfTheRootThatItHasNot() throws {
        var volume = Self.whole()
        volume.nodes[.root]?.extended = ["x.note": "the root", "x.info": "facts"]
        let subtree = try Self.subtree("dir/inner", volume)
        #expect(try subtree.extendedAttributeNames(of: .root) == ["x.note", "x.own", "x.info"])
        for (name, value) in [("x.note", "inner"), ("x.own", "1"), ("x.info", "facts")] {
            #expect(try subtree.extendedAttribute(name, of: .root) == Array(value.utf8))
        }
        #expect(try subtree.extendedAttribute("x.none", of: .root) == nil)
        let deep = NodeID(rawValue: 20)
        #expect(try subtree.extendedAttributeNames(of: deep) == ["x.note"])
        #expect(try subtree.extendedAttribute("x.info", of: deep) == nil)
        let all = try Self.subtree("", volume)
        #expect(try all.extendedAttributeNames(of: .root) == ["x.info", "x.note"])
    }
}
