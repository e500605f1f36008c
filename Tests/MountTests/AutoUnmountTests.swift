import Foundation
import TestSupport
import Testing

/// `auto_unmount`: a killed server leaves no dead mount and no process.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct AutoUnmountTests {
    /// The processes behind a mount: the server has the kernel's device open, its watcher has not.
    private func processes(_ point: Word) -> (servers: [Daemon], watchers: [Daemon]) {
        let all = Daemon.all { $0 == point }
        func serves(_ daemon: Daemon) -> Bool {
            daemon.descriptors.contains { daemon.link("fd/\($0)") == "/dev/fuse" }
        }
        return (all.filter(serves), all.filter { !serves($0) })
    }

    /// Mounts in the background.
    private func start(
        _ scratch: Scratch, _ options: Word = "auto_unmount"
    ) throws -> (point: Word, server: Daemon, watcher: Daemon) {
        let image = try scratch.image(Samples.ordinary)
        let point = try scratch.directory("m")
        let started = try run([Machine.tool("mount.ifs"), image, point, "-o", options])
        #expect(started.description == "status 0")
        // For an instant, the process that was called may still be on its way out.
        let found = try #require(
            within(60) {
                let (servers, watchers) = processes(point)
                return servers.count == 1 && watchers.count == 1 ? (servers, watchers) : nil
            })
        return (point, found.0[0], found.1[0])
    }

    /// Sooner or later.
    private func isGone(_ point: Word) throws -> Bool {
        try within(60) {
            try MountLine.on(point).isEmpty && Daemon.all { $0 == point }.isEmpty ? true : nil
        } ?? false
    }

    /// With auto_unmount, a server that is killed leaves no mount behind.
    @Test func aKilledServerInTheBackgroundLeavesNothing() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (point, server, _) = try start(scratch)
        kill(server.id, SIGKILL)
        #expect(try isGone(point))
        #expect(try Calls.names(point) == [])
    }

    /// Its whole process group is killed, as by a shell that ends a job.
    @Test func aKilledServerInTheForegroundLeavesNothing() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(scratch.image(Samples.ordinary), "auto_unmount")
        kill(-mount.server.id, SIGKILL)
        #expect(try mount.wait().status == -SIGKILL)
        #expect(try isGone(mount.path))
    }

    @Test func anOpenFileDoesNotKeepADeadMount() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (point, server, _) = try start(scratch)
        try Calls.open(point / "etc/motd") { _ throws in
            kill(server.id, SIGKILL)
            #expect(try isGone(point))
        }
    }

    @Test func anOrdinaryUnmountLeavesNoWatcher() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        for _ in 0..<3 {
            let (point, server, _) = try start(scratch)
            try unmount(point)
            #expect(server.endsWithin(60))
            #expect(try isGone(point))
        }
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func aSignalThatEndsTheServerLeavesNoWatcher(signal: Int32) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (point, server, _) = try start(scratch)
        kill(server.id, signal)
        #expect(server.endsWithin(60))
        #expect(try isGone(point))
    }

    @Test func theIdleTimeLeavesNoWatcher() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (point, server, _) = try start(scratch, "auto_unmount,timeout=1")
        #expect(server.endsWithin(60))
        #expect(try isGone(point))
    }

    /// It holds none of the server's descriptors: with the device open, no mount would die.
    @Test func theWatcherHoldsNothing() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (_, server, watcher) = try start(scratch)
        #expect(watcher.descriptors == ["0", "1", "2"])
        #expect(watcher.link("cwd") == "/")
        #expect(watcher.fields[3] == String(watcher.id), "it leads a session of its own")
        #expect(server.fields[3] != watcher.fields[3])
    }

    @Test func aServerStaysWhenItsWatcherIsKilled() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (point, server, watcher) = try start(scratch)
        kill(watcher.id, SIGKILL)
        #expect(watcher.endsWithin(60))
        #expect(try Calls.contents(point / "etc/hosts").count == 20)
        try unmount(point)
        #expect(server.endsWithin(60))
    }

    /// The watcher comes late: what is mounted there by then is another's.
    @Test func aSuccessorsMountIsNotTakenAway() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (point, server, watcher) = try start(scratch)
        kill(watcher.id, SIGSTOP)
        defer { kill(watcher.id, SIGCONT) }
        kill(server.id, SIGKILL)
        #expect(server.endsWithin(60))
        let image = scratch / "x.ifs"
        let again = try run([Machine.tool("mount.ifs"), image, point])
        #expect(again.status == 0, "\(again)")
        let successor = try MountLine.on(point)
        #expect(successor.count == 1)
        kill(watcher.id, SIGCONT)
        #expect(watcher.endsWithin(60))
        #expect(try MountLine.on(point).count == 1)
        #expect(try Calls.contents(point / "etc/hosts").count == 20)
    }

    /// Nor is one that covers the dead mount.
    @Test(.needsRoot)
    func aMountUponItIsNotTakenAway() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (point, server, watcher) = try start(scratch)
        let upper = try scratch.mount(scratch / "x.ifs")
        kill(server.id, SIGKILL)
        #expect(watcher.endsWithin(60))
        #expect(upper.server.poll() == nil)
        #expect(try Calls.contents(point / "etc/hosts").count == 20)
        try upper.unmount()
    }

    @Test(.needsRoot, .needsSetuidHelper, arguments: ["", "-F"])
    func aUsersKilledServerLeavesNothing(letter: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            $user "$1" "$3" "$4" -o auto_unmount \(letter) &
            job=$!
            mounted
            if [ -z "\(letter)" ]; then wait $job; fi
            $user cat m/setuid
            sleep 0.1
            processes | cut -d " " -f 1
            kill -9 "$(processes | sed -n 's/server //p')"
            for i in $(seq 100); do
                if is_mounted || [ -n "$(processes)" ]; then sleep 0.02; fi
            done
            unmounted
            processes
            """
        let found = try Namespace.run(scratch, Namespace.withUsers + script)
        #expect(found.status == 0, "\(found)")
        #expect(found.lines == ["setserver", "watcher"])
    }
}
