import TestSupport
import Testing

@testable import Format

/// Several volumes shown as directories of one.
struct DiskVolumeTests {
    private static let entries: [ImageEntry] = [
        .directory("d"), .file("d/inner", "inner"), .file("top", "top"),
    ]
    private let single: IFS.ImageVolume
    private let disk: DiskVolume

    init() throws {
        let image = ImageBuilder(Self.entries).build().bytes
        single = try IFS.ImageVolume(IFS.Image.only(in: image))
        disk = DiskVolume(
            [
                .init(Array("p1".utf8), .volume(single)),
                .init(Array("p2-unknown.img".utf8), .raw(MemorySource([1, 2, 3]))),
                .init(Array("p3".utf8), .volume(single)),
            ], modified: 77)
    }

    private func names(_ node: NodeID, from index: Int = 0) throws -> [String: NodeID] {
        var found: [String: NodeID] = [:]
        try disk.entries(of: node, from: index) { _, name, node in
            found[String(decoding: name, as: UTF8.self)] = node
            return true
        }
        return found
    }

    @Test func theRootHasADirectoryOfEach() throws {
        let found = try names(.root)
        #expect(found.keys.sorted() == ["p1", "p2-unknown.img", "p3"])
        #expect(try names(.root, from: 2).keys.sorted() == ["p3"])
        #expect(try names(.root, from: 3).isEmpty && names(.root, from: 9).isEmpty)
        let root = try #require(try disk.attributes(of: .root))
        #expect(root.kind == .directory && root.linkCount == 4 && root.modified == 77)
        #expect(try disk.lookup(Array("p4".utf8), in: .root) == nil)
        #expect(try disk.parent(of: .root) == .root)
    }

    @Test func everyTreeIsThatOfItsVolume() throws {
        for name in ["p1", "p3"] {
            let top = try #require(try disk.lookup(Array(name.utf8), in: .root))
            #expect(try disk.parent(of: top) == .root)
            let directory = try #require(try disk.lookup(Array("d".utf8), in: top))
            #expect(try disk.parent(of: directory) == top)
            let file = try #require(try disk.lookup(Array("inner".utf8), in: directory))
            #expect(try names(directory) == ["inner": file])
            let inner = try #require(single.lookup(Array("d".utf8), in: .root))
            let other = try #require(single.lookup(Array("inner".utf8), in: inner))
            var expected = try #require(single.attributes(of: other))
            expected.node = file
            #expect(try disk.attributes(of: file) == expected)
            let bytes = try [UInt8].filled(upTo: 100) { buffer throws(FormatError) in
                try disk.read(file, into: buffer, at: 1)
            }
            #expect(bytes == Array("nner".utf8))
        }
        let tops = try names(.root)
        let firstTop = try #require(tops["p1"])
        let thirdTop = try #require(tops["p3"])
        #expect(try names(firstTop)["top"] != names(thirdTop)["top"])
    }

    @Test func whatIsUnknownIsAFile() throws {
        let node = try #require(try disk.lookup(Array("p2-unknown.img".utf8), in: .root))
        let found = try #require(try disk.attributes(of: node))
        #expect(found.kind == .file && found.byteCount == 3 && found.permissions == 0o444)
        let bytes = try [UInt8].filled(upTo: 100) { buffer throws(FormatError) in
            try disk.read(node, into: buffer, at: 1)
        }
        #expect(bytes == [2, 3])
        #expect(try names(node).isEmpty && disk.lookup([0x61], in: node) == nil)
    }

    @Test func aNumberOfNoVolumeIsNone() throws {
        let numbers: [UInt64] = [0, 2, 4 << 48 | 1, .max, 2 << 48 | 2, 1 << 48 | 999]
        for number in numbers {
            #expect(try disk.attributes(of: NodeID(rawValue: number)) == nil)
        }
    }
}
