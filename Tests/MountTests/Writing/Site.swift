import Foundation
import TestSupport
import Testing

/// A scratch directory with an image, `x.ifs`, that is mounted for changes on `m` by a server in the
/// background, as users mount it.
struct Site {
    let scratch: Scratch
    let image: Word
    let point: Word

    init(_ scratch: Scratch, _ builder: ImageBuilder = Samples.ordinary) throws {
        try self.init(scratch, builder.build().bytes)
    }

    /// The image is in the scratch directory itself, or in another.
    init(_ scratch: Scratch, in folder: Word? = nil, _ bytes: [UInt8]) throws {
        self.scratch = scratch
        image = try scratch.file("x.ifs", bytes, in: folder)
        point = try scratch.directory("m")
    }

    /// A path in the mount.
    static func / (site: Site, name: Word) -> Word { site.point / name }

    /// Mounts in the background. A server that was killed may hold its stage for an instant.
    func mount(_ options: Word = "rw") throws -> Finished {
        let words = [Machine.tool("mount.ifs"), image, point, "-o", options]
        var last = try run(words)
        _ = try within(60) { () -> Bool? in
            guard last.errorText.contains("found a mount that changes") else { return true }
            last = try run(words)
            return nil
        }
        return last
    }

    /// Has a shell do something in the mount.
    func change(_ script: String) throws -> Finished {
        try run(["sh", "-ec", Word(script)], in: point)
    }

    @discardableResult
    func umount() throws -> Finished { try umountPatiently(point) }

    /// Kills the server and waits for its end.
    func kill() throws {
        let server = try #require(Daemon.serving(point))
        Foundation.kill(pid_t(server.id), SIGKILL)
        #expect(server.endsWithin(60))
    }

    func ifsctl(_ words: Word...) throws -> Finished { try run([Machine.tool("ifsctl")] + words) }

    /// What `ifsctl check` has to say of the image; empty for a sound one.
    func faults() throws -> String {
        let found = try run([Machine.tool("ifsctl"), "check", image])
        return found.status == 0 ? "" : found.description
    }

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
    _ = try within(60) { () -> Bool? in
        guard last.errorText.contains("target is busy") else { return true }
        last = try run([Machine.tool("umount.ifs"), point])
        return nil
    }
    return last
}
