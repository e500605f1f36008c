import Format
import Synchronization
import TestSupport
import Testing

@testable import IFSFS

/// Bytes that no new image has room for, by the format or by its disk.
struct BytesRoomTests {
    private static let bytes = ImageBuilder([
        .file("large", SplitMix64.noise(100_000)), .file("small", "text"),
    ]).build().bytes

    /// A disk that tests fill, and how often it was asked.
    private final class Disk: Sendable {
        private let state: Mutex<(free: UInt64, asked: Int)>
        init(free: UInt64) { state = Mutex((free, 0)) }
        var asked: Int { state.withLock { $0.asked } }
        func set(_ free: UInt64) { state.withLock { $0.free = free } }
        @Sendable func ask() -> UInt64 {
            state.withLock { state in
                state.asked += 1
                return state.free
            }
        }
    }

    private func image(
        _ disk: Disk, of bytes: [UInt8] = Self.bytes,
        _ change: @escaping (inout StageLimits) -> Void = { _ in }
    ) throws -> StagedImage {
        try StagedImage(bytes) {
            $0.freeByteCount = disk.ask
            change(&$0)
        }
    }

    private func node(_ name: String, _ image: StagedImage) throws -> NodeID {
        try image.fileSystem.lookup(name, in: .root).node
    }

    private func write(
        _ count: Int, to node: NodeID, at offset: Int = 0, _ image: StagedImage
    ) throws(FileSystemError) {
        try write([UInt8](repeating: 7, count: count), to: node, at: offset, image)
    }

    private func write(
        _ bytes: [UInt8], to node: NodeID, at offset: Int, _ image: StagedImage
    ) throws(FileSystemError) {
        var failure: FileSystemError?
        bytes.withUnsafeBytes { bytes in
            do throws(FileSystemError) {
                try image.fileSystem.write(bytes, to: node, at: UInt64(offset))
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private func make(_ name: String, _ image: StagedImage) throws -> NodeID {
        try image.fileSystem.make(
            Array(name.utf8), in: .root, NewNode(.file, permissions: 0o644)
        ).node
    }

    private func truncate(_ node: NodeID, _ count: UInt64, _ image: StagedImage) throws {
        var change = AttributeChange()
        change.byteCount = count
        _ = try image.fileSystem.change(node, change)
    }

    /// The directory grows, and the large file moves out of its way.
    @Test func whatTheDiskHasNoRoomForIsRefused() throws {
        let disk = Disk(free: UInt64(Self.bytes.count) + 160_000)
        let image = try image(disk)
        let file = try make("new", image)
        try write(40_000, to: file, image)
        #expect(throws: FileSystemError.noSpace) { try write(60_000, to: file, image) }
        #expect(throws: FileSystemError.noSpace) { try truncate(file, 60_000, image) }
        #expect(try image.fileSystem.attributes(of: file).byteCount == 40_000)
        disk.set(.max)
        try write(60_000, to: file, image)
        #expect(try image.commit.run() == .written)
    }

    /// As many bytes as the disk has are enough.
    @Test(arguments: [Packing.none, .lzo(), .ucl(), .zlib()])
    func whatIsNotRefusedFits(packing: Packing) throws {
        let bytes = ImageBuilder([.file("large", SplitMix64.text(300_000))]).with {
            $0.packing = packing
        }.build().bytes
        let free: UInt64 = 2_000_000
        let image = try image(Disk(free: free), of: bytes)
        let file = try make("new", image)
        var noise = SplitMix64(seed: 1)
        #expect(throws: FileSystemError.noSpace) {
            for index in 0..<1000 {
                try write(noise.noise(4096), to: file, at: 4096 * index, image)
            }
        }
        #expect(try image.fileSystem.attributes(of: file).byteCount >= 100_000)
        #expect(try image.commit.run() == .written)
        #expect(try UInt64(image.bytes().count) <= free)
    }

    /// Where nothing is left at all, files can be cut, removed, written over and renamed.
    @Test(arguments: [Packing.none, .lzo(), .zlib()])
    func whatTakesNoMoreIsNeverRefused(packing: Packing) throws {
        let bytes = ImageBuilder([
            .file("large", SplitMix64.text(100_000)), .file("small", "text"),
        ]).with { $0.packing = packing }.build().bytes
        let image = try image(Disk(free: 0), of: bytes)
        let (large, small) = (try node("large", image), try node("small", image))
        try write(4, to: small, image)
        try write(50_000, to: large, at: 50_000, image)
        try truncate(large, 10, image)
        try truncate(large, 0, image)
        try image.fileSystem.rename(
            Array("small".utf8), in: .root, to: Array("s".utf8), in: .root, .keep)
        try image.fileSystem.remove(Array("large".utf8), from: .root, isDirectory: false)
        #expect(throws: FileSystemError.noSpace) { try write(5, to: small, image) }
        #expect(throws: FileSystemError.noSpace) { try make("new", image) }
        #expect(try image.commit.run() == .written)
    }

    @Test func theDiskIsNotAskedForEveryWrite() throws {
        let disk = Disk(free: 1 << 40)
        let image = try image(disk)
        let file = try make("new", image)
        for index in 0..<1000 { try write(4096, to: file, at: 4096 * index, image) }
        #expect(disk.asked == 1)
        // And when it fills, that is noticed once a quarter of what was free may be written.
        let small = Disk(free: UInt64(Self.bytes.count) + 1_000_000)
        let other = try self.image(small)
        let second = try make("new", other)
        try write(1000, to: second, other)
        small.set(0)
        #expect(throws: FileSystemError.noSpace) {
            for index in 0..<100 { try write(4096, to: second, at: 4096 * index, other) }
        }
        #expect(try other.fileSystem.attributes(of: second).byteCount < 300_000)
    }

    /// What a removed or shortened file had, others can have.
    @Test func bytesThatAreGoneAreRoom() throws {
        let image = try image(Disk(free: .max)) { $0.largestImage = $0.imageSize + 1000 }
        let file = try make("new", image)
        #expect(throws: FileSystemError.noSpace) { try write(50_000, to: file, image) }
        try image.fileSystem.remove(Array("large".utf8), from: .root, isDirectory: false)
        try write(50_000, to: file, image)
        #expect(throws: FileSystemError.noSpace) { try write(110_000, to: file, image) }
        #expect(image.fileSystem.statistics.freeByteCount > 50_000)
        #expect(try image.commit.run() == .written)
        try write(90_000, to: file, image)
        #expect(throws: FileSystemError.noSpace) { try write(110_000, to: file, image) }
    }

    /// A file that is open without a name is in no image, before a commit and after it.
    @Test func aFileWithoutANameTakesNoRoom() throws {
        let image = try image(Disk(free: .max)) { $0.largestImage = $0.imageSize + 1000 }
        let file = try make("new", image)
        try write(800, to: file, image)
        try image.fileSystem.open(file)
        try image.fileSystem.remove(Array("new".utf8), from: .root, isDirectory: false)
        let second = try make("second", image)
        try write(800, to: second, image)
        try write(5000, to: file, image)
        #expect(try image.commit.run() == .written)
        image.fileSystem.close(file)
        #expect(throws: FileSystemError.noSpace) { try write(2000, to: second, image) }
        #expect(image.fileSystem.state.withLock { $0.load } == StageLoad())
    }
}
