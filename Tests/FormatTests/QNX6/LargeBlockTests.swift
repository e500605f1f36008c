import Format
import Foundation
import TestSupport
import Testing

/// What Linux cannot mount, as another reader has it: qnxmount, which `scripts/judges` installs.
struct LargeBlockTests {
    /// The Python that has the reader.
    private static let python = Fixtures.root.appendingPathComponent(".build/judges/bin/python")
    private static let isHere =
        Fixtures.exists(python) && MadeQNXVolume.has("make-qnx6")

    /// Linux takes blocks of up to 4 KiB, and dissect.qnxfs looks for larger ones at another place, as
    /// Linux would. qnxmount follows the vendor there, in little-endian volumes.
    @Test(
        .enabled(if: isHere && geteuid() == 0, "no qnxmount (scripts/judges), or not root"),
        arguments: [8192, 16384, 32768])
    func largeBlocksAreReadAlike(blockSize: Int) throws {
        let made = try MadeQNXVolume()
        try made.fillWithDemo()
        try made.make("make-qnx6", ["--block-size", "\(blockSize)"])
        let volume = try QNX6Volume(made.source())
        try withQNXMount(made) { directory in
            var paths: Set<String> = []
            for (path, node) in try volume.walk() {
                paths.insert(path)
                let file = directory + "/" + path
                let attributes = try #require(try volume.attributes(of: node))
                var status = stat()
                #expect(lstat(file, &status) == 0, "\(path)")
                #expect(
                    status.st_mode == attributes.kind.rawValue | attributes.permissions, "\(path)")
                guard attributes.kind == .file else { continue }
                let bytes = try Fixtures.bytes(URL(fileURLWithPath: file))
                #expect(difference(try volume.contents(of: node), bytes) == nil, "\(path)")
            }
            let all = FileManager.default.enumerator(atPath: directory)
            while let path = all?.nextObject() as? String {
                #expect(paths.contains(path), "\(path)")
            }
        }
    }

    private func withQNXMount(_ made: MadeQNXVolume, _ body: (String) throws -> Void) throws {
        let directory = made.folder.path + "/mounted"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: false)
        let server = Process()
        server.executableURL = Self.python
        server.arguments = ["-m", "qnxmount", "qnx6", made.image, directory]
        (server.standardOutput, server.standardError) = (
            FileHandle.nullDevice, FileHandle.nullDevice
        )
        try server.run()
        defer { server.waitUntilExit() }
        defer { umount2(directory, Int32(MNT_DETACH)) }
        var (inside, outside) = (stat(), stat())
        stat(made.folder.path, &outside)
        for _ in 0..<600 {
            stat(directory, &inside)
            if inside.st_dev != outside.st_dev || !server.isRunning { break }
            usleep(100_000)
        }
        try #require(inside.st_dev != outside.st_dev)
        try body(directory)
    }
}
