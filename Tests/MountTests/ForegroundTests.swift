import Foundation
import TestSupport
import Testing

/// A server in the foreground, from its start to its end.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct ForegroundTests {
    /// SIGTERM, SIGINT and SIGHUP unmount, and the server ends with status 0.
    @Test(arguments: [SIGTERM, SIGINT, SIGHUP])
    func aSignalUnmountsAndEndsItInPeace(signal: Int32) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.ordinary)
        mount.server.send(signal)
        #expect(try mount.wait().description == "status 0")
        #expect(try MountLine.on(mount.path).isEmpty)
    }

    /// Whoever reads on after that gets an error and does not wait.
    @Test func aSignalEndsItThoughAFileIsOpen() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.ordinary)
        try Calls.open(mount / "bin/tool29") { descriptor throws in
            mount.server.send(SIGTERM)
            #expect(try mount.wait().status == 0)
            #expect(try MountLine.on(mount.path).isEmpty)
            #expect(throws: SystemError(code: ENOTCONN)) {
                try Calls.bytes(of: descriptor, at: 0, count: 100)
            }
        }
    }

    @Test(arguments: [["fusermount3", "-u"], ["umount"], ["umount", "-l"]] as [[Word]])
    func unmountingEndsIt(command: [Word]) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.ordinary)
        let done = try within(60) { () -> Finished? in
            let finished = try run(command + [mount.path])
            return finished.status == 0 ? finished : nil
        }
        #expect(done != nil)
        #expect(try mount.wait().description == "status 0")
        #expect(try MountLine.on(mount.path).isEmpty)
    }

    /// Unmounting a mount that is in use fails, and it goes on serving.
    @Test func aMountInUseStaysAndServes() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.ordinary)
        try Calls.open(mount / "etc/motd") { descriptor throws in
            #expect(try run(["fusermount3", "-u", mount.path]).status != 0)
            #expect(try Calls.bytes(of: descriptor, at: 2, count: 6) == Array("needle".utf8))
            #expect(try Calls.contents(mount / "etc/hosts").count == 20)
        }
        #expect(try mount.unmount().status == 0)
    }

    /// After a lazy unmount, files that are open can be read until they are closed.
    ///
    /// A lazy unmount takes the name away; files that are open can be read until they are closed.
    @Test(.needsRoot)
    func afterALazyUnmountOpenFilesAreStillRead() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.ordinary)
        try Calls.open(mount / "bin/tool29") { descriptor throws in
            #expect(try run(["umount", "-l", mount.path]).status == 0)
            #expect(try Calls.names(mount.path) == [])
            #expect(mount.server.poll() == nil)
            let bytes = try Calls.bytes(of: descriptor, at: 50_000, count: 37_001)
            #expect(difference(bytes, SplitMix64.text(87_001, seed: 29)[50_000...]) == nil)
        }
        #expect(try mount.wait().description == "status 0")
    }

    @Test func theWordForegroundDoesAsTheLetterDoes() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.ordinary)
        let point = try scratch.directory("m")
        for words in [["--foreground"], ["-o", "foreground"], ["-d"]] as [[Word]] {
            let server = try Running([Machine.tool("mount.ifs"), image, point] + words)
            defer { server.end() }
            let isUp = try within(60) { try MountLine.on(point).isEmpty ? nil : true }
            #expect(isUp == true, "\(words)")
            #expect(try Calls.contents(point / "etc/hosts").count == 20)
            #expect(server.poll() == nil)
            server.send(SIGTERM)
            #expect(try server.wait(60).status == 0)
        }
    }

    /// A parent may have blocked the very signals that end a server.
    @Test(arguments: [[], ["-F"]] as [[Word]])
    func signalsThatTheParentBlockedStillEndIt(words: [Word]) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.ordinary)
        let point = try scratch.directory("m")
        let started = try Running(
            [Machine.tool("mount.ifs"), image, point] + words,
            blocked: [SIGTERM, SIGINT, SIGHUP, SIGALRM])
        defer { started.end() }
        if words.isEmpty { try started.wait(60) }
        let found = try within(60) {
            try MountLine.on(point).isEmpty ? nil : Daemon.serving(point)
        }
        let daemon = try #require(found)
        _ = try Calls.status(point)
        #expect(daemon.status("SigBlk") == "0000000000000000")
        kill(daemon.id, SIGTERM)
        let finished = try started.wait(60)
        #expect(finished.status == 0)
        #expect(daemon.endsWithin(60))
        #expect(try MountLine.on(point).isEmpty)
    }

    /// As under `nohup`.
    @Test func aSignalThatWasIgnoredBeforeStaysIgnored() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.ordinary)
        let point = try scratch.directory("m")
        let server = try Running([
            "bash", "-c", "trap '' HUP; exec \"$0\" -F \"$1\" \"$2\"", Machine.tool("mount.ifs"),
            image,
            point,
        ])
        defer { server.end() }
        let isUp = try within(60) { try MountLine.on(point).isEmpty ? nil : true }
        #expect(isUp == true)
        server.send(SIGHUP)
        server.send(SIGPIPE)
        #expect(try Calls.contents(point / "etc/hosts").count == 20)
        #expect(server.poll() == nil)
        server.send(SIGTERM)
        #expect(try server.wait(60).description == "status 0")
    }

    @Test func verboseSaysWhatIsMounted() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.ordinary)
        let point = try scratch.directory("m")
        let started = try run([Machine.tool("mount.ifs"), "-v", image, point])
        #expect(started.description == "status 0; \(image) on \(point)\n")
    }
}
