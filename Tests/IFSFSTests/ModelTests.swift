import Format
import IFSFS
import TestSupport
import Testing

/// An image's volume as a file system, held against a dictionary under random questions.
struct ModelTests {
    /// What the dictionary knows of a path.
    private enum Kind {
        case directory
        case file([UInt8])
        case link(String)
    }

    private static func parent(_ path: String) -> String {
        path.split(separator: "/").dropLast().joined(separator: "/")
    }

    /// A tree of random shape, and the image of it. Some of its directories are not listed.
    private static func tree(
        _ random: inout SplitMix64
    ) -> (paths: [String: Kind], entries: [ImageEntry]) {
        var paths: [String: Kind] = ["": .directory]
        var entries: [ImageEntry] = []
        var directories = [""]
        for index in 0..<120 {
            let parent = directories[Int(random.next() % UInt64(directories.count))]
            let name = String(repeating: "abc", count: Int(random.next() % 3)) + "\(index)"
            let path = parent.isEmpty ? name : parent + "/" + name
            switch random.next() % 4 {
            case 0:
                directories.append(path)
                paths[path] = .directory
                entries.append(.directory(path))
            case 1:
                paths[path] = .link("to/\(index)")
                entries.append(.symlink(path, to: "to/\(index)"))
            default:
                let bytes = random.noise(Int(random.next() % 3000))
                paths[path] = .file(bytes)
                entries.append(.file(path, bytes))
            }
        }
        // A directory that holds something is there even if it is not listed.
        let holders = Set(paths.keys.map(parent))
        entries.removeAll { entry in
            guard case .directory = entry.body else { return false }
            return holders.contains(String(decoding: entry.path, as: UTF8.self))
                && random.next() % 2 == 0
        }
        return (paths, entries.shuffled(using: &random))
    }

    @Test(arguments: 0..<12 as Range<UInt64>)
    func randomQuestionsGetTheDictionarysAnswers(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let (paths, entries) = Self.tree(&random)
        let builder = ImageBuilder(entries).with { $0.packing = seed % 2 == 0 ? .none : .lzo() }
        let fileSystem = VolumeFileSystem(
            try IFS.ImageVolume(IFS.Image.only(in: builder.build().bytes)))
        #expect(Int(fileSystem.statistics.nodeCount) == paths.count)
        let known = paths.keys.sorted()
        for _ in 0..<400 {
            let path = known[Int(random.next() % UInt64(known.count))]
            let found = try Self.walk(path, fileSystem)
            let names = known.filter { !$0.isEmpty && Self.parent($0) == path }
                .compactMap { $0.split(separator: "/").last.map(String.init) }
            switch try #require(paths[path]) {
            case .directory:
                let listed = try fileSystem.list(found.node)
                #expect(listed.dropFirst(2).map(\.text).sorted() == names.sorted())
                #expect(
                    listed[1].attributes.node == (try Self.walk(Self.parent(path), fileSystem)).node
                )
                #expect(throws: FileSystemError.notFound) {
                    try fileSystem.lookup("absent", in: found.node)
                }
            case .file(let bytes):
                let offset = Int(random.next() % 3200)
                let count = Int(random.next() % 3200)
                #expect(found.byteCount == UInt64(bytes.count))
                #expect(
                    try fileSystem.bytes(found.node, at: UInt64(offset), count: count)
                        == Array(bytes.dropFirst(offset).prefix(count)))
            case .link(let target):
                #expect(try fileSystem.target(of: found.node) == Array(target.utf8))
            }
        }
    }

    private static func walk(
        _ path: String, _ fileSystem: VolumeFileSystem
    ) throws -> Attributes {
        try path.split(separator: "/").reduce(try fileSystem.attributes(of: .root)) {
            try fileSystem.lookup(String($1), in: $0.node)
        }
    }
}
