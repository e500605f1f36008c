import Foundation
import TestSupport
import Testing

/// An image and where it is mounted for changes.
struct Site {
    let scratch: Scratch
    let image: Word
    let point: Word

    init(_ scratch: Scratch, _ builder: ImageBuilder = Samples.ordinary) throws {
        self.scratch = scratch
        image = try scratch.image(builder)
        point = try scratch.directory("m")
    }

    /// Mounts in the background.
    func mount(_ options: Word = "rw") throws -> Finished {
        try run([Machine.tool("mount.ifs"), image, point, "-o", options])
    }

    /// Has a shell do something in the mount.
    func change(_ script: String) throws -> Finished {
        try run(["sh", "-ec", Word(script)], in: point)
    }

    func umount() throws -> Finished { try umountPatiently(point) }

    /// Kills the server and waits for its end.
    func kill() throws {
        let server = try #require(Daemon.serving(point))
        Foundation.kill(pid_t(server.id), SIGKILL)
        #expect(server.endsWithin(5))
    }

    func ifsctl(_ words: Word...) throws -> Finished { try run([Machine.tool("ifsctl")] + words) }

    func bytes() throws -> [UInt8] { try Calls.contents(image) }

    /// What lies beside the image, but for the mount point.
    func leftovers() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: scratch.path.description)
            .filter { !["m", "x.ifs"].contains($0) }.sorted()
    }
}

/// Unmounts with our tool. A mount that somebody's process holds for an instant is tried again.
func umountPatiently(_ point: Word) throws -> Finished {
    var last = try run([Machine.tool("umount.ifs"), point])
    _ = try within(5) { () -> Bool? in
        guard last.errorText.contains("target is busy") else { return true }
        last = try run([Machine.tool("umount.ifs"), point])
        return nil
    }
    return last
}
