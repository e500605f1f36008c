import Foundation
import TestSupport
import Testing

/// A mount of ours whose server was killed is cleared away by the next mount at its place.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct DeadMountTests {
    /// Leaves a dead mount on `m`.
    private func leaveDead(_ scratch: Scratch, _ name: Word = "old.ifs") throws -> Word {
        let image = try scratch.image(ImageBuilder([.file("old", "old")]), name)
        let point = try scratch.directory("m")
        let started = try run([Machine.tool("mount.ifs"), image, point])
        #expect(started.description == "status 0")
        // From now on the kernel knows the root's attributes, and needs no server for them.
        #expect(try Calls.status(point).st_ino == 1)
        try kill(at: point)
        return point
    }

    /// Kills the servers of a mount point, and waits until the kernel has noticed.
    private func kill(at point: Word) throws {
        for daemon in Daemon.all(where: { $0 == point }) {
            Glibc.kill(daemon.id, SIGKILL)
            #expect(daemon.endsWithin(60))
        }
        let isDead = within(60) {
            let failure = Calls.failure { (try? Calls.statistics(point)) == nil ? -1 : 0 }
            return failure == SystemError(code: ENOTCONN) ? true : nil
        }
        #expect(isDead == true)
    }

    /// A dead mount of ours is cleared away before the next one is made in its place.
    ///
    /// `HERE` is the directory that holds the mount point, `m`; `link` leads there.
    @Test(arguments: [
        "HERE/m", "m", "m/", "./m", "HERE//m//", "../HERE-NAME/m", "link", "HERE/link",
    ])
    func theWayIsClearedHoweverItIsNamed(name: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let point = try leaveDead(scratch)
        _ = (scratch / "link").withCString { symlink("m", $0) }
        let image = try scratch.image(Samples.ordinary)
        let here = scratch.path.description
        let place = name.replacingOccurrences(
            of: "HERE-NAME", with: String(here.split(separator: "/").last!)
        ).replacingOccurrences(of: "HERE", with: here)
        let again = try run([Machine.tool("mount.ifs"), image, Word(place)], in: scratch.path)
        #expect(again.status == 0)
        #expect(
            again.errorText
                == "mount.ifs: \(place): cleared the dead mount of \(scratch / "old.ifs")\n")
        let lines = try MountLine.on(point)
        #expect(lines.map(\.source) == [image])
        #expect(try Calls.names(point) == ["bin", "empty", "etc"])
    }

    /// It is covered, as with every file system.
    @Test func aLivingMountIsNotCleared() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.ordinary)
        if Machine.isRoot {
            let upper = try scratch.mount(scratch / "x.ifs")
            #expect(try MountLine.on(mount.path).count == 2)
            #expect(try upper.unmount().errors.isEmpty)
        }
        #expect(try mount.unmount().errors.isEmpty)
    }

    @Test(.needsRoot) func severalDeadMountsAreAllCleared() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.ordinary)
        let point = try scratch.directory("m")
        let tool = Machine.tool("mount.ifs")
        for _ in 0..<3 { #expect(try run([tool, image, point]).status == 0) }
        try kill(at: point)
        let again = try run([tool, image, point])
        #expect(again.status == 0)
        #expect(again.errorText.split(separator: "\n").count == 3, "\(again)")
        #expect(try MountLine.on(point).count == 1)
        #expect(try Calls.contents(point / "etc/hosts").count == 20)
    }

    /// Whoever works in the dead mount does not keep it.
    @Test func aDeadMountInUseIsCleared() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.ordinary)
        let point = try scratch.directory("m")
        let tool = Machine.tool("mount.ifs")
        #expect(try run([tool, image, point]).status == 0)
        try Calls.open(point / "etc/motd") { _ throws in
            try kill(at: point)
            #expect(try run([tool, image, point]).status == 0)
            #expect(try MountLine.on(point).count == 1)
        }
        #expect(try Calls.contents(point / "etc/hosts").count == 20)
    }

    /// An image that cannot be mounted is no reason to touch anything.
    @Test func aRefusalBeforeItLeavesTheDeadMount() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let point = try leaveDead(scratch)
        let text = try scratch.file("text", Array("text\n".utf8))
        let again = try run([Machine.tool("mount.ifs"), text, point])
        #expect(again.status == 34)
        #expect(try MountLine.on(point).count == 1)
    }

    @Test(.needsRoot, .needsSetuidHelper)
    func aUserClearsHisOwn() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            for place in m m/ "$4"; do
                $user "$1" "$3" "$4"
                mounted
                kill_server
                $user "$1" x.ifs $place
                grep -cF " $point " /proc/self/mountinfo
                $user cat m/setuid
                echo
                $user fusermount3 -u m
            done
            """
        let found = try Namespace.run(scratch, Namespace.withUsers + script)
        #expect(found.status == 0, "\(found)")
        #expect(found.lines == ["1", "set", "1", "set", "1", "set"])
        #expect(
            found.errorText
                == ["m", "m/", "\(scratch / "m")"].map {
                    "mount.ifs: \($0): cleared the dead mount of \(scratch / "x.ifs")\n"
                }.joined())
    }

    /// Another file system's server may be about to come back.
    @Test(
        .enabled(
            if: Machine.has("squashfuse_ll") && Machine.has("mksquashfs"),
            "squashfuse_ll or mksquashfs is not installed"))
    func aDeadMountOfAnotherTypeIsLeftAlone() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.ordinary)
        let point = try scratch.directory("m")
        try scratch.directory("tree")
        let packed = try run(["mksquashfs", scratch / "tree", scratch / "x.squashfs", "-quiet"])
        #expect(packed.status == 0, "\(packed)")
        let server = try Running(["squashfuse_ll", "-f", scratch / "x.squashfs", point])
        defer {
            server.end()
            forceUnmount(point)
        }
        let isUp = try within(60) { try MountLine.on(point).isEmpty ? nil : true }
        #expect(isUp == true, "\(String(describing: server.poll()))")
        server.end()
        #expect(throws: SystemError(code: ENOTCONN)) { try Calls.statistics(point) }
        let finished = try run([Machine.tool("mount.ifs"), image, point])
        #expect(finished.status == 37)
        #expect(
            finished.errorText
                == "mount.ifs: \(point): found a dead mount that is not of IFSFS,"
                + " expected a directory; 'umount -l' clears it\n")
        #expect(try MountLine.on(point).map(\.type) == ["fuse.squashfuse_ll"])
    }
}
