import Foundation
import TestSupport
import Testing

/// A server in the background: what it leaves to its parent, and what it keeps.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct BackgroundTests {
    /// Mounts the ordinary sample in the background.
    private func start(
        _ scratch: Scratch, _ words: Word...
    ) throws -> (point: Word, daemon: Daemon) {
        let image = try scratch.image(Samples.ordinary)
        let point = try scratch.directory("m")
        let started = try run([Machine.tool("mount.ifs"), image, point] + words)
        #expect(started.description == "status 0")
        return (point, try #require(Daemon.serving(point)))
    }

    /// When the command returns with status 0, the mount answers.
    @Test func theCommandReturnsOnceTheMountAnswers() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        for _ in 0..<10 {
            let (point, daemon) = try start(scratch)
            #expect(try Calls.status(point).st_ino == 1)
            #expect(try Calls.contents(point / "etc/hosts").count == 20)
            try unmount(point)
            #expect(daemon.endsWithin(60))
        }
    }

    @Test func itHasLeftItsParentsWorld() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (_, daemon) = try start(scratch)
        #expect(daemon.fields[3] == String(daemon.id), "it leads a session of its own")
        #expect(daemon.fields[4] == "0", "it has no terminal")
        #expect(daemon.link("cwd") == "/")
        for descriptor in 0...2 { #expect(daemon.link("fd/\(descriptor)") == "/dev/null") }
        let others = daemon.descriptors.filter { !["0", "1", "2"].contains($0) }
            .compactMap { daemon.link("fd/\($0)") }
        #expect(others.sorted() == ["/dev/fuse", "\(scratch / "x.ifs")"])
    }

    /// The terminal's end is no reason to end; `script` gives a command a terminal and takes it away.
    @Test(.enabled(if: Machine.has("script"), "script is not installed"))
    func itOutlivesTheTerminalItWasStartedOn() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.ordinary)
        let point = try scratch.directory("m")
        let command = "\(Machine.tool("mount.ifs")) \(image) \(point)"
        let started = try run(["script", "-qec", Word(command), "/dev/null"])
        #expect(started.status == 0, "\(started)")
        let daemon = try #require(Daemon.serving(point))
        #expect(daemon.fields[4] == "0")
        #expect(try Calls.contents(point / "etc/hosts").count == 20)
    }

    /// A script can close what it does not need; the image must not take the place of what is closed.
    @Test(arguments: ["<&-", "<&- >&-", "<&- >&- 2>&-", ">&- 2>&-"], ["", "-F"])
    func closedStandardDescriptorsAreNoTrouble(closing: String, letter: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.ordinary)
        let point = try scratch.directory("m")
        let started = try Running([
            "bash", "-c", Word("exec \"$1\" \(letter) \"$2\" \"$3\" \(closing)"), "test",
            Machine.tool("mount.ifs"), image, point,
        ])
        defer { started.end() }
        if letter.isEmpty { #expect(try started.wait(60).status == 0) }
        let up = try within(60) { try MountLine.on(point).isEmpty ? nil : Daemon.serving(point) }
        let daemon = try #require(up)
        #expect(try Calls.contents(point / "etc/hosts").count == 20)
        #expect(
            difference(try Calls.contents(point / "bin/tool9"), SplitMix64.text(27_001, seed: 9))
                == nil)
        #expect(daemon.link("fd/0") == "/dev/null")
        kill(daemon.id, SIGTERM)
        #expect(daemon.endsWithin(60))
    }

    @Test(arguments: [SIGTERM, SIGINT, SIGHUP])
    func aSignalUnmountsAndEndsIt(signal: Int32) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (point, daemon) = try start(scratch)
        kill(daemon.id, signal)
        #expect(daemon.endsWithin(60))
        #expect(try MountLine.on(point).isEmpty)
    }

    @Test func twentyMountsStandSideBySide() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.ordinary)
        let points = try (0..<20).map { try scratch.directory("m\($0)") }
        for point in points {
            #expect(try run([Machine.tool("mount.ifs"), image, point]).status == 0)
        }
        for point in points { #expect(try Calls.contents(point / "etc/hosts").count == 20) }
        for point in points { try unmount(point) }
    }
}
