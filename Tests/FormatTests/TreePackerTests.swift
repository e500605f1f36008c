import Foundation
import TestSupport
import Testing

@testable import Format

/// The packer of directory trees, held against the builder of images in memory.
struct TreePackerTests {
    private static let entries: [ImageEntry] = [
        .directory("bin", permissions: 0o755),
        .file("bin/large", SplitMix64.text(200_001), permissions: 0o755),
        .symlink("bin/link", to: "large"),
        .file("bin/noise", SplitMix64.noise(150_000), permissions: 0o600),
        .directory("bin-x", permissions: 0o711),
        .file("empty", permissions: 0o644),
        .file("odd", [1, 2, 3], permissions: 0o444),
    ].map { (entry: ImageEntry) in entry.with { $0.modified = 1_700_000_000 } }

    /// Packed from the disk, a tree is the image that the builder makes of the same entries.
    @Test(
        arguments: [Packing.none, .lzo(isFast: true), .ucl(level: 1)], [false, true])
    func aTreeOnDiskGivesTheBuildersBytes(packing: Packing, isBigEndian: Bool) throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("ifsfs-tree-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let tree = folder.appendingPathComponent("tree")
        let image = folder.appendingPathComponent("image")
        try Self.write(to: tree)
        try TreePacker(packing, isBigEndian: isBigEndian).pack(tree.path, into: image.path)
        let builder = ImageBuilder(Self.entries.map { $0.with { $0.alignment = 4 } }).with {
            $0.packing = packing
            $0.isBigEndian = isBigEndian
        }
        #expect(difference(try Fixtures.bytes(image), builder.build().bytes) == nil)
        let found = try IFS.Image.only(in: Fixtures.bytes(image))
        #expect(found.checkSums().allSatisfy { $0.word != "bad" })
        #expect(try IFS.ImageVolume(found).findings.isEmpty)
    }

    private static func write(to tree: URL) throws {
        let manager = FileManager.default
        try manager.createDirectory(at: tree, withIntermediateDirectories: true)
        for entry in entries {
            let path = tree.appendingPathComponent(String(decoding: entry.path, as: UTF8.self)).path
            switch entry.body {
            case .file(let data): try Data(data).write(to: URL(fileURLWithPath: path))
            case .symlink(let target):
                try manager.createSymbolicLink(
                    atPath: path, withDestinationPath: String(decoding: target, as: UTF8.self))
            default: try manager.createDirectory(atPath: path, withIntermediateDirectories: true)
            }
        }
        for entry in entries.reversed() {
            let path = tree.appendingPathComponent(String(decoding: entry.path, as: UTF8.self)).path
            var times = [timespec](repeating: timespec(tv_sec: 1_700_000_000, tv_nsec: 0), count: 2)
            if case .symlink = entry.body {} else { chmod(path, mode_t(entry.mode & 0o7777)) }
            utimensat(AT_FDCWD, path, &times, AT_SYMLINK_NOFOLLOW)
        }
    }
}
