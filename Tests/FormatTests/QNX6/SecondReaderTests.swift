import Format
import Foundation
import TestSupport
import Testing

/// What Linux cannot mount, or shows otherwise, as other readers have it: dissect.qnxfs and qnxmount,
/// which `scripts/judges` installs.
struct SecondReaderTests {
    /// The Python that has the reader.
    private static let python = Fixtures.root.appendingPathComponent(".build/judges/bin/python")
    private static let isHere =
        Fixtures.exists(python) && MadeQNXVolume.has("make-qnx6") && MadeQNXVolume.has("make-qnx4")

    /// Prints a volume in the form of kernel-read.
    private static let program = """
        import hashlib, stat, sys
        from dissect.qnxfs import QNXFS
        kinds = {stat.S_IFREG: lambda node: hashlib.sha256(node.open().read()).hexdigest(),
                 stat.S_IFLNK: lambda node: "->" + node.link}
        def show(node, path):
            entry = node.inode
            content = kinds.get(node.type, lambda node: "-")(node)
            print("%o" % node.mode, node.uid, node.gid, entry.di_mtime, node.size, content, path or ".")
            if node.is_dir():
                for name, below in sorted(node.iterdir(), key=lambda item: item[0]):
                    if name not in (".", ".."):
                        show(below, path + "/" + name if path else name)
        show(QNXFS(open(sys.argv[1], "rb")).root, "")
        """

    private func listing(_ image: String) throws -> QNXKernelListing {
        let process = Process()
        process.executableURL = Self.python
        process.arguments = ["-c", Self.program, image]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return QNXKernelListing(String(decoding: data, as: UTF8.self))
    }

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

    /// Linux shows 48 bytes of a QNX 4 name.
    @Test(.enabled(if: isHere, "no dissect.qnxfs (scripts/judges), or no ../shared/tools"))
    func longNamesOfQNX4AreReadAlike() throws {
        let made = try MadeQNXVolume()
        for length in [16, 17, 48, 49, 100, 255] {
            let name = String(repeating: "n", count: length - 1) + "x"
            try made.write("folder/" + name, Array("\(length)".utf8))
        }
        try made.make("make-qnx4", ["--blocks", "400", "--fragment", "3"])
        let found = try listing(made.image)
        #expect(found.entries.count { $0.path.hasPrefix("folder/n") } == 6)
        try found.expectSame(QNX4Volume(made.source()))
    }
}
