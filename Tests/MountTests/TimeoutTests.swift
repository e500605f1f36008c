import Foundation
import TestSupport
import Testing

/// `timeout=`: a mount that nobody asks goes of itself.
///
/// What the kernel has in its caches is no request; `statvfs` always is one.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct TimeoutTests {
    /// Seconds from the last request until the mount is gone; nil when it stays for `limit`.
    private func lifetime(_ point: Word, limit: Double) throws -> Double? {
        let start = Date()
        return try within(limit) {
            try MountLine.on(point).isEmpty ? Date().timeIntervalSince(start) : nil
        }
    }

    /// With timeout, an idle mount goes after the time and not before.
    @Test func anIdleMountGoesAfterTheTimeAndNotBefore() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.ordinary, "timeout=1")
        _ = try Calls.statistics(mount.path)
        let life = try #require(try lifetime(mount.path, limit: 60))
        #expect(life > 0.95 && life < 30)
        #expect(try mount.wait().description == "status 0")
    }

    @Test func aServerInTheBackgroundEndsWithItsMount() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.ordinary)
        let point = try scratch.directory("m")
        let started = try run([Machine.tool("mount.ifs"), image, point, "-o", "timeout=1"])
        #expect(started.description == "status 0")
        let daemon = try #require(Daemon.serving(point))
        #expect(try lifetime(point, limit: 60) != nil)
        #expect(daemon.endsWithin(60))
    }

    /// Each is asked of the server, whatever the kernel has cached.
    static let requests: [@Sendable (_ root: Word, _ turn: Int) -> Void] = [
        { root, _ in _ = try? Calls.statistics(root) },
        { root, turn in _ = try? Calls.status(root / Word("none\(turn)")) },
        { root, _ in _ = try? Calls.attribute("user.ifs.mode", of: root) },
        { root, turn in
            _ = try? Calls.open(root / "file") {
                try Calls.bytes(of: $0, at: turn << 20, count: 100)
            }
        },
    ]

    /// Until a second of the kernel's clock has just begun.
    private func waitForASecond() {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        usleep(UInt32((1_000_000_000 - time.tv_nsec) / 1000))
    }

    /// If one kind of request did not count, the gap of 0.7 s around it would be twice as long. Who
    /// counted in whole seconds would see a second pass between a request and the next look: so
    /// soon after a second's begin, the last request is of the one before.
    @Test func requestsOfEveryKindKeepAMount() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.large(9 << 20, .none).image)
        // On a busy machine a gap can last too long by itself: such a try is none.
        for attempt in 0..<5 {
            waitForASecond()
            let mount = try scratch.mount(image, "timeout=1", at: "m\(attempt)")
            var longest = 0.0
            for turn in 0..<8 {
                let start = Date()
                Self.requests[turn % Self.requests.count](mount.path, turn)
                usleep(700_000)
                longest = max(longest, Date().timeIntervalSince(start))
            }
            let isThere = try !MountLine.on(mount.path).isEmpty
            #expect(try lifetime(mount.path, limit: 60) != nil)
            #expect(try mount.wait().description == "status 0")
            if longest < 0.9 {
                #expect(isThere)
                return
            }
        }
    }

    /// What the kernel answers alone does not keep a mount.
    @Test func answersFromTheKernelsCachesDoNotCount() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.ordinary, "timeout=1")
        _ = try Calls.status(mount / "etc/motd")
        let gone = try within(60) { () -> Bool? in
            if try MountLine.on(mount.path).isEmpty { return true }
            _ = try? Calls.status(mount / "etc/motd")  // It may go at this very moment.
            return nil
        }
        #expect(gone == true)
        #expect(try mount.wait().description == "status 0")
    }

    @Test func anOpenFileKeepsAMountUntilItIsClosed() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.ordinary, "timeout=1")
        try Calls.open(mount / "etc/motd") { descriptor throws in
            #expect(try lifetime(mount.path, limit: 1.8) == nil)
            #expect(try Calls.bytes(of: descriptor, at: 2, count: 6) == Array("needle".utf8))
        }
        #expect(try lifetime(mount.path, limit: 60) != nil)
        #expect(try mount.wait().description == "status 0")
    }

    @Test func aWorkingDirectoryKeepsAMountUntilItIsLeft() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.ordinary, "timeout=1")
        let guest = try Running(["sleep", "60"], in: mount / "etc")
        defer { guest.end() }
        #expect(try lifetime(mount.path, limit: 1.8) == nil)
        guest.end()
        #expect(try lifetime(mount.path, limit: 60) != nil)
        #expect(try mount.wait().description == "status 0")
    }

    /// Another mount over it is not taken away in its stead.
    @Test(.needsRoot)
    func aMountUponItStays() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.ordinary)
        let below = try scratch.mount(image, "timeout=1")
        let above = try scratch.mount(image)
        usleep(1_800_000)
        #expect(above.server.poll() == nil)
        #expect(try Calls.names(above.path) == ["bin", "empty", "etc"])
        try above.unmount()
        #expect(try lifetime(below.path, limit: 60) != nil)
        #expect(try below.wait().description == "status 0")
    }

    @Test(.needsRoot, .needsSetuidHelper)
    func aUsersMountGoesToo() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            $user "$1" "$3" "$4" -o timeout=1
            mounted
            sleep 1.5
            unmounted
            """
        let found = try Namespace.run(scratch, Namespace.withUsers + script)
        #expect(found.description == "status 0")
    }

    @Test(arguments: ["0", "-1", "1.5", "", "1m", "31536001", "99999999999999999999"])
    func whatIsNoTimeIsRefused(value: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.ordinary)
        let point = try scratch.directory("m")
        let finished = try run([
            Machine.tool("mount.ifs"), image, point, "-o", Word("timeout=" + value),
        ])
        #expect(finished.status == 1)
        #expect(
            finished.errorText
                == "mount.ifs: timeout: found '\(value)', expected 1 to 31536000 seconds\n")
    }
}
