import Format
import Foundation
import TestSupport
import Testing

@testable import IFSFS

/// Small files whose contents stand in the edit log.
struct LoggedContentsTests {
    private let image: StagedImage

    init() throws {
        image = try StagedImage(ImageBuilder([.file("old", Array("old one".utf8))]).build().bytes) {
            $0.largestInLog = 1000
            $0.largestLog = 5000
        }
    }

    private func make(_ name: String) throws -> NodeID {
        try image.fileSystem.make(
            Array(name.utf8), in: .root, NewNode(.file, permissions: 0o644)
        ).node
    }

    private func write(_ bytes: [UInt8], to node: NodeID, at offset: UInt64 = 0) throws {
        try bytes.withUnsafeBytes { try image.fileSystem.write($0, to: node, at: offset) }
    }

    private func resize(_ node: NodeID, to count: UInt64) throws {
        var change = AttributeChange()
        change.byteCount = count
        _ = try image.fileSystem.change(node, change)
    }

    /// Files that the stage has contents in.
    private func files() throws -> [String] {
        let place = String(decoding: image.stage.path, as: UTF8.self) + "/data"
        return try FileManager.default.contentsOfDirectory(atPath: place).sorted()
    }

    /// A file has these bytes: now, on another mount after a kill, and in the image that is made.
    private func expect(
        _ name: String, _ bytes: [UInt8], _ location: SourceLocation = #_sourceLocation
    ) throws {
        func found(_ fileSystem: any FileSystem) throws -> [UInt8] {
            let node = try fileSystem.lookup(Array(name.utf8), in: .root)
            #expect(node.byteCount == UInt64(bytes.count), sourceLocation: location)
            return try fileSystem.bytes(node.node, count: 10_000)
        }
        #expect(try found(image.fileSystem) == bytes, sourceLocation: location)
        let next = try image.afterKill()
        #expect(try found(next.fileSystem) == bytes, sourceLocation: location)
        #expect(try next.commit.run() == .written, sourceLocation: location)
        let saved = try VolumeFileSystem(StagedImage.open(image.path).volume)
        #expect(try found(saved) == bytes, sourceLocation: location)
    }

    @Test func aSmallFileTakesNoFileOfTheStage() throws {
        let bytes = SplitMix64.noise(1000)
        try write(bytes, to: make("new"))
        #expect(try files() == [])
        try expect("new", bytes)
    }

    @Test func anEmptyFileTakesNone() throws {
        _ = try make("new")
        #expect(try files() == [])
        try expect("new", [])
    }

    @Test func aLargerOneDoes() throws {
        let node = try make("new")
        let bytes = SplitMix64.noise(1001)
        try write(bytes, to: node)
        #expect(try files() == ["\(node.rawValue)"])
        try expect("new", bytes)
    }

    @Test func whatIsChangedAgainGetsAFile() throws {
        let node = try make("new")
        try write(Array("first".utf8), to: node)
        try write(Array("and more".utf8), to: node, at: 3)
        #expect(try files() == ["\(node.rawValue)"])
        try expect("new", Array("firand more".utf8))
    }

    @Test func whatIsCutGetsAFile() throws {
        let node = try make("new")
        try write(Array("first".utf8), to: node)
        try resize(node, to: 3)
        #expect(try files() == ["\(node.rawValue)"])
        try resize(node, to: 5)
        try expect("new", Array("fir".utf8) + [0, 0])
    }

    @Test func aFileThatIsEmptiedCanHaveOthersThere() throws {
        let node = try make("new")
        try write(Array("first".utf8), to: node)
        try resize(node, to: 0)
        try write(Array("second one".utf8), to: node)
        #expect(try files() == [])
        try expect("new", Array("second one".utf8))
    }

    @Test func anEmptiedFileIsEmptyForTheNextMount() throws {
        let node = try make("new")
        try write(Array("first".utf8), to: node)
        try resize(node, to: 0)
        try expect("new", [])
    }

    @Test func aFileOfTheImageThatIsWrittenAnewTakesNone() throws {
        let node = try image.fileSystem.lookup(Array("old".utf8), in: .root).node
        try resize(node, to: 0)
        #expect(try image.fileSystem.bytes(node, count: 100) == [])
        try write(Array("anew".utf8), to: node)
        #expect(try files() == [])
        try expect("old", Array("anew".utf8))
    }

    @Test func aFileOfTheImageCanBeEmptied() throws {
        try resize(image.fileSystem.lookup(Array("old".utf8), in: .root).node, to: 0)
        #expect(try files() == [])
        try expect("old", [])
    }

    /// What is removed and written anew for long does not fill the disk.
    @Test func aLongLogTakesNoMore() throws {
        for index in 0..<10 {
            try write(SplitMix64.noise(900), to: make("new\(index)"))
        }
        #expect(try files().count == 5)
        try expect("new9", SplitMix64.noise(900))
    }

    @Test func whatIsReadInPartsIsTheSame() throws {
        let node = try make("new")
        try write(Array("0123456789".utf8), to: node)
        var buffer = [UInt8](repeating: 0, count: 4)
        let counts = try [0, 8, 10, 12, .max].map { offset in
            try buffer.withUnsafeMutableBytes {
                try image.fileSystem.read(node, into: $0, at: offset)
            }
        }
        #expect(counts == [4, 2, 0, 0, 0])
    }

    @Test func aFileWithoutANameKeepsThemBeyondASave() throws {
        let node = try make("new")
        try write(Array("first".utf8), to: node)
        try image.fileSystem.open(node)
        try image.fileSystem.remove(Array("new".utf8), from: .root, isDirectory: false)
        _ = try make("other")
        #expect(try image.commit.run(isLast: false) == .written)
        #expect(try image.fileSystem.bytes(node, count: 100) == Array("first".utf8))
        image.fileSystem.close(node)
    }

    /// A log that became shorter is no empty file.
    @Test func contentsThatAreGoneAreNotTakenForNone() throws {
        try write(Array("first".utf8), to: make("new"))
        let before = try image.bytes()
        let log = String(decoding: image.stage.path, as: UTF8.self) + "/edits"
        truncate(log, 20)
        #expect(throws: CommitError.self) { try image.commit.run() }
        #expect(try image.bytes() == before)
    }
}
