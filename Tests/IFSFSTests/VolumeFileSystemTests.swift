import Format
import IFSFS
import TestSupport
import Testing

/// A volume as a file system, by plain calls.
struct VolumeFileSystemTests {
    private let volume: DictionaryVolume
    private let fileSystem: VolumeFileSystem

    init() throws {
        volume = DictionaryVolume.sample()
        fileSystem = VolumeFileSystem(volume)
    }

    private func node(_ name: String) throws -> NodeID {
        try #require(DictionaryVolume.numbers[name])
    }

    private static let names = ["file", "link", "dir", "empty", "fifo"]

    @Test func statisticsAreTheVolumesOwn() {
        #expect(fileSystem.statistics == volume.statistics)
    }

    @Test(arguments: DictionaryVolume.numbers.keys.sorted())
    func attributesAreTheVolumesOwn(name: String) throws {
        let node = try node(name)
        #expect(try fileSystem.attributes(of: node) == volume.nodes[node]?.attributes)
    }

    @Test func aNodeThatIsNotThereIsNotFound() {
        let absent = DictionaryVolume.absent
        #expect(throws: FileSystemError.notFound) { try fileSystem.attributes(of: absent) }
        #expect(throws: FileSystemError.notFound) { try fileSystem.lookup("x", in: absent) }
        #expect(throws: FileSystemError.notFound) { try fileSystem.list(absent) }
        #expect(throws: FileSystemError.notFound) { try fileSystem.bytes(absent) }
        #expect(throws: FileSystemError.notFound) { try fileSystem.target(of: absent) }
    }

    // MARK: Look-ups

    @Test(arguments: names)
    func aNameIsFoundInItsDirectory(name: String) throws {
        #expect(try fileSystem.lookup(name, in: .root).node == node(name))
    }

    @Test func aNameBelowIsFoundThereAndNotAbove() throws {
        #expect(try fileSystem.lookup("inner", in: node("dir")).node == node("inner"))
        #expect(throws: FileSystemError.notFound) { try fileSystem.lookup("inner", in: .root) }
    }

    @Test func namesAreBytes() throws {
        #expect(
            try fileSystem.lookup(DictionaryVolume.strangeName, in: .root).node == node("strange"))
        for name in ["FILE", "file ", "fil", "", "dir/inner", "file\0"] {
            #expect(throws: FileSystemError.notFound) { try fileSystem.lookup(name, in: .root) }
        }
    }

    @Test(arguments: ["file", "link", "fifo"])
    func nothingIsBelowWhatIsNoDirectory(name: String) throws {
        let node = try node(name)
        #expect(throws: FileSystemError.notDirectory) { try fileSystem.lookup("x", in: node) }
        #expect(throws: FileSystemError.notDirectory) { try fileSystem.list(node) }
    }

    @Test func aNameWhoseNodeIsGoneIsNotFound() throws {
        var volume = volume
        volume.nodes[try node("file")] = nil
        let fileSystem = VolumeFileSystem(volume)
        #expect(throws: FileSystemError.notFound) { try fileSystem.lookup("file", in: .root) }
    }

    // MARK: Listings

    @Test func aListingBeginsWithTheDirectoryAndItsParent() throws {
        let dir = try node("dir")
        let listed = try fileSystem.list(dir)
        #expect(listed.map(\.text) == [".", "..", "inner"])
        #expect(listed.map(\.index) == [0, 1, 2])
        #expect(listed.map(\.attributes.node) == [dir, .root, try node("inner")])
        let inner = try fileSystem.list(node("inner"))
        #expect(inner.map(\.text) == [".", ".."])
        #expect(inner.map(\.attributes.node) == [try node("inner"), dir])
    }

    @Test func theRootIsItsOwnParent() throws {
        let listed = try fileSystem.list(.root)
        #expect(listed.prefix(2).map(\.attributes.node) == [.root, .root])
        #expect(listed.dropFirst(2).map(\.text).prefix(5) == Self.names[...])
        #expect(listed.last?.name == DictionaryVolume.strangeName)
    }

    @Test func attributesInAListingAreThoseOfLookUps() throws {
        for entry in try fileSystem.list(.root).dropFirst(2) {
            #expect(entry.attributes == (try fileSystem.lookup(entry.name, in: .root)))
        }
    }

    @Test func aListingGoesOnFromEveryIndex() throws {
        for directory in ["root", "dir", "empty"] {
            let node = try node(directory)
            let all = try fileSystem.list(node)
            for index in 0...(all.count + 2) {
                #expect(try fileSystem.list(node, from: index) == Array(all.dropFirst(index)))
            }
            #expect(try fileSystem.list(node, from: .max) == [])
            #expect(try fileSystem.list(node, from: -1) == all)
            #expect(try fileSystem.list(node, from: .min) == all)
        }
    }

    /// A kernel's buffer holds some entries; the next call asks for those behind the last index.
    @Test(arguments: 1...9)
    func aListingInPiecesIsTheWhole(size: Int) throws {
        let all = try fileSystem.list(.root)
        var found: [Listed] = []
        while true {
            let piece = try fileSystem.list(.root, from: (found.last?.index ?? -1) + 1, most: size)
            if piece.isEmpty { break }
            #expect(piece.count <= size)
            found += piece
        }
        #expect(found == all)
    }

    // MARK: Files and links

    @Test func aFileIsReadFromEveryByteOn() throws {
        let file = try node("file")
        let contents = Array("contents".utf8)
        for offset in 0...9 {
            for count in 0...9 {
                let expected = Array(contents.dropFirst(offset).prefix(count))
                #expect(
                    try fileSystem.bytes(file, at: UInt64(offset), count: count) == expected)
            }
        }
        #expect(try fileSystem.bytes(file, at: .max) == [])
    }

    @Test func onlyFilesAreRead() throws {
        let (dir, link, fifo) = try (node("dir"), node("link"), node("fifo"))
        #expect(throws: FileSystemError.isDirectory) { try fileSystem.bytes(dir) }
        #expect(throws: FileSystemError.invalid) { try fileSystem.bytes(link) }
        #expect(throws: FileSystemError.invalid) { try fileSystem.bytes(fifo) }
    }

    @Test func aLinkHasATargetAndNothingElseHas() throws {
        #expect(try fileSystem.target(of: node("link")) == Array("dir/inner".utf8))
        for name in ["root", "file", "dir", "fifo"] {
            let node = try node(name)
            #expect(throws: FileSystemError.invalid) { try fileSystem.target(of: node) }
        }
    }
}
