import Format
import Mkifs
import TestSupport
import Testing

@testable import IFSFS

/// A directory that cannot grow as it would have to: told by the call, and by no other.
struct DirectoryRoomTests {
    /// An image whose directory has so many bytes before it meets some that belong to nobody.
    private static func image(_ entries: [ImageEntry], room: Int) -> [UInt8] {
        var last = ImageEntry.file("zz", [1])
        last.alignment = 0x4000
        let builder = ImageBuilder.bare(entries + [last])
        let end = builder.build().directoryEnd
        return builder.with { $0.imagePatches = [.init(end + room, [7])] }.build().bytes
    }

    private func make(
        _ name: String, _ fileSystem: StagedFileSystem
    ) throws(FileSystemError) {
        _ = try fileSystem.make(
            Array(name.utf8), in: .root, NewNode(.file, permissions: 0o755))
    }

    /// The images of real systems, as far as something stands in the way of their directories.
    static let fixed = Fixtures.allImages.filter { name in
        guard let image = try? IFS.Image.only(in: Fixtures.image(name)),
            let volume = try? IFS.ImageVolume(image), ImageCommit.obstacle(volume) == nil,
            let room = try? RevisionRoom(image)
        else { return false }
        return room.directoryGrowth < 20_000
    }

    /// Records of 40 bytes: head, four letters and a NUL, in multiples of 4. Source: `sys/image.h`.
    @Test(arguments: fixed)
    func aDirectoryIsFilledToItsLastRecord(name: String) throws {
        let bytes = try Fixtures.image(name)
        let image = try StagedImage(bytes)
        let count = try RevisionRoom(.only(in: bytes)).directoryGrowth / 40
        for index in 0..<count { try make("\(1000 + index)", image.fileSystem) }
        #expect(throws: FileSystemError.noSpace) { try make("9999", image.fileSystem) }
        #expect(try image.commit.run() == (count == 0 ? .unchanged : .written))
        // The new image has no more room than what its edits have left.
        #expect(throws: FileSystemError.noSpace) { try make("9999", image.fileSystem) }
        guard count > 0 else { return }
        try image.fileSystem.remove(Array("1000".utf8), from: .root, isDirectory: false)
        try make("9999", image.fileSystem)
        #expect(try image.commit.run() == .written)
        let found = try StagedImage.open(image.path).volume.findings.count
        #expect(try found == IFS.ImageVolume(.only(in: bytes)).findings.count)
    }

    @Test func aLongerNameNeedsRoomAndAShorterNone() throws {
        let image = try StagedImage(Self.image([.file("dir/a", [1]), .file("b", [2])], room: 8))
        func rename(_ old: String, _ new: String) throws(FileSystemError) {
            try image.fileSystem.rename(
                Array(old.utf8), in: .root, to: Array(new.utf8), in: .root, .keep)
        }
        #expect(throws: FileSystemError.noSpace) { try rename("b", "a name too long") }
        // A directory that only a path told of gets a record with another name, of 28 bytes.
        #expect(throws: FileSystemError.noSpace) { try rename("dir", "d") }
        try rename("b", "longer")
        #expect(throws: FileSystemError.noSpace) { try make("c", image.fileSystem) }
        try rename("longer", "b")
        #expect(try image.commit.run() == .unchanged)
    }

    /// `df -i` tells of files with paths of 16 bytes: records of 52 bytes.
    @Test func freeNodesAreRecordsThatTheDirectoryHasRoomFor() throws {
        let image = try StagedImage(Self.image([.file("a", [1])], room: 520))
        #expect(image.fileSystem.statistics.nodeCount == 3)
        #expect(image.fileSystem.statistics.freeNodeCount == 10)
        try make("123456789 123456", image.fileSystem)
        #expect(image.fileSystem.statistics.nodeCount == 4)
        #expect(image.fileSystem.statistics.freeNodeCount == 9)
        try image.fileSystem.remove(Array("a".utf8), from: .root, isDirectory: false)
        #expect(image.fileSystem.statistics.nodeCount == 3)
        #expect(try image.commit.run() == .written)
        #expect(image.fileSystem.statistics.nodeCount == 3)
        #expect(image.fileSystem.statistics.freeNodeCount == 9)
    }

    /// Until something is changed, nobody asks.
    @Test func mountingAsksForNoRoom() throws {
        final class Asked: StageRoom {
            func directoryGrowth() throws(FileSystemError) -> UInt64 { throw .noSpace }
            func holeByteCount() throws(FileSystemError) -> UInt64 { throw .noSpace }
            func freeNumbers() -> UInt64 { 0 }
            func recordSize(_ kind: NodeKind, path: Int, target: Int) -> UInt64 { 40 }
            func hasRecord(_ directory: NodeID) -> Bool { true }
            func mostBytes(_ load: StageLoad) throws(FileSystemError) -> UInt64 { throw .noSpace }
        }
        let image = try StagedImage(ImageBuilder([.file("a", "text")]).build().bytes) {
            $0.room = { _ in Asked() }
        }
        #expect(try image.fileSystem.bytes(image.fileSystem.lookup("a", in: .root).node).count == 4)
        #expect(try image.commit.run() == .unchanged)
        #expect(throws: FileSystemError.noSpace) { try make("b", image.fileSystem) }
    }

    // MARK: Random changes

    /// A change by paths, so that it can be made twice.
    private enum Change {
        case make(String, NodeKind, target: String)
        case remove(String, isDirectory: Bool)
        case rename(String, String, RenameRule)
        case mode(String)

        func make(_ fileSystem: StagedFileSystem) throws(FileSystemError) {
            switch self {
            case .make(let path, let kind, let target):
                var new = NewNode(kind, permissions: 0o755)
                if kind == .symlink { new.target = Array(target.utf8) }
                let (parent, name) = try Self.found(path, fileSystem)
                _ = try fileSystem.make(name, in: parent, new)
            case .remove(let path, let isDirectory):
                let (parent, name) = try Self.found(path, fileSystem)
                try fileSystem.remove(name, from: parent, isDirectory: isDirectory)
            case .rename(let old, let new, let rule):
                let (from, to) = (
                    try Self.found(old, fileSystem), try Self.found(new, fileSystem)
                )
                try fileSystem.rename(
                    from.name, in: from.parent, to: to.name, in: to.parent, rule)
            case .mode(let path):
                let (parent, name) = try Self.found(path, fileSystem)
                var change = AttributeChange()
                change.permissions = 0o700
                _ = try fileSystem.change(
                    try fileSystem.lookup(name, in: parent).node, change)
            }
        }

        private static func found(
            _ path: String, _ fileSystem: StagedFileSystem
        ) throws(FileSystemError) -> (parent: NodeID, name: [UInt8]) {
            var names = path.split(separator: "/").map { Array($0.utf8) }
            let last = names.removeLast()
            var parent = NodeID.root
            for name in names { parent = try fileSystem.lookup(name, in: parent).node }
            return (parent, last)
        }
    }

    private static func change(_ random: inout SplitMix64) -> Change {
        func number(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
        func path() -> String {
            let folder = ["", "", "p/", "p/q/", "d/", "n0/", "n1/"][number(7)]
            let name = ["p", "d", "q", "f", "n0", "n1", "f\(number(5))"][number(7)]
            return folder + name + (number(3) == 0 ? "long" : "")
        }
        switch number(10) {
        case 0...2:
            let kind: NodeKind = [.file, .directory, .symlink, .fifo][number(4)]
            return .make(path(), kind, target: String(repeating: "t", count: number(40)))
        case 3: return .remove(path(), isDirectory: true)
        case 4, 5: return .remove(path(), isDirectory: false)
        case 6...8: return .rename(path(), path(), [.keep, .replace, .exchange][number(3)])
        default: return .mode(path())
        }
    }

    /// What is refused for want of room does not fit, and what is not refused does: the same image
    /// without limits is the judge.
    @Test(arguments: 0..<100)
    func whatIsRefusedDoesNotFitAndAllElseDoes(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let bytes = Self.image(
            [
                .file("p/q/f", [1]), .file("p/f", [2]), .directory("d"), .file("d/f", [3]),
                .symlink("d/l", to: "f"), .file("f", [4]),
            ], room: seed % 5 * 60)
        let (image, judge) = (
            try StagedImage(bytes), try StagedImage(bytes) { $0.room = { _ in nil } }
        )
        for _ in 0..<(40 + seed) {
            let change = Self.change(&random)
            do throws(FileSystemError) {
                try change.make(image.fileSystem)
            } catch .noSpace {
                try change.make(judge.fileSystem)
                let error = try #require(throws: CommitError.self) { try judge.commit.run() }
                #expect(error.description.contains("image directory: found"), "\(change)")
                break
            } catch {
                #expect(throws: error) { try change.make(judge.fileSystem) }
                continue
            }
            try change.make(judge.fileSystem)
        }
        _ = try image.commit.run()
    }

    /// What a killed server has left counts.
    @Test func editsThatGoOnCount() throws {
        let bytes = Self.image([.file("p/q/f", [1]), .file("g", [2])], room: 200)
        let image = try StagedImage(bytes)
        let fileSystem = image.fileSystem
        try make("new", fileSystem)
        let above = try fileSystem.lookup("p", in: .root).node
        try fileSystem.remove(
            Array("f".utf8), from: fileSystem.lookup("q", in: above).node, isDirectory: false)
        try fileSystem.rename(
            Array("p".utf8), in: .root, to: Array("other".utf8), in: .root, .keep)
        try fileSystem.remove(Array("g".utf8), from: .root, isDirectory: false)
        let (load, count) = fileSystem.state.withLock { ($0.load, $0.nodeCount) }
        try fileSystem.state.withLock { state in try state.countLoad() }
        #expect(load == fileSystem.state.withLock { $0.load })
        #expect(count == fileSystem.state.withLock { $0.nodeCount })
    }
}
