import Foundation
import TestSupport
import Testing

/// umount.ifs, called as people call it.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct UmountTests {
    /// Mounts in the background, from where anything may take it away.
    private func start(
        _ scratch: Scratch, _ options: Word = "ro", at name: Word = "m"
    ) throws -> (image: Word, point: Word, server: Daemon) {
        let image = try scratch.image(Samples.ordinary)
        let point = try scratch.directory(name)
        let started = try run([Machine.tool("mount.ifs"), image, point, "-o", options])
        guard started.status == 0 else { throw Failure("\(started)") }
        return (image, point, try #require(Daemon.serving(point)))
    }

    /// For an instant, a process that another test starts holds what this test has closed: a busy
    /// mount is tried again.
    private func umount(_ words: Word..., in directory: Word = "/") throws -> Finished {
        let tool: [Word] = [Machine.tool("umount.ifs")]
        var last = try run(tool + words, in: directory)
        _ = try within(60) { () -> Bool? in
            guard last.errorText.contains("target is busy") else { return true }
            last = try run(tool + words, in: directory)
            return nil
        }
        return last
    }

    /// `POINT` and `IMAGE` are absolute paths; the others start in their directory.
    @Test(arguments: [
        "POINT", "m", "m/", "./m", "POINT/", "link", "IMAGE", "x.ifs", "./x.ifs", "imagelink",
    ])
    func whatIsNamedGoesAndTheServerEnds(operand: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (image, point, server) = try start(scratch)
        _ = (scratch / "link").withCString { symlink("m", $0) }
        _ = (scratch / "imagelink").withCString { symlink("x.ifs", $0) }
        let word =
            operand.replacingOccurrences(of: "POINT", with: point.description)
            .replacingOccurrences(of: "IMAGE", with: image.description)
        let done = try umount(Word(word), in: scratch.path)
        #expect(done.description == "status 0")
        #expect(try MountLine.on(point).isEmpty)
        #expect(server.endsWithin(60))
    }

    @Test(
        arguments: ["umount.ifs", "umount.fuse.ifs"] as [Word], ["-v", "-fnrv", "-lv"] as [Word])
    func verboseSaysWhatIsGone(tool: Word, letters: Word) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (_, point, server) = try start(scratch)
        let done = try within(60) { () -> Finished? in
            let finished = try run([Machine.tool(tool.description), letters, point])
            return finished.status == 32 ? nil : finished
        }
        #expect(done?.description == "status 0; \(point) unmounted\n")
        #expect(server.endsWithin(60))
    }

    /// An image that is gone from its place is still the name of its mount.
    @Test func theImageNeedNotBeThereAnyMore() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (image, point, _) = try start(scratch)
        _ = image.withCString { unlink($0) }
        #expect(try umount(image).description == "status 0")
        #expect(try MountLine.on(point).isEmpty)
    }

    @Test(arguments: ["POINT", "m/", "IMAGE", "link"])
    func aDeadMountGoes(operand: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (image, point, server) = try start(scratch)
        _ = (scratch / "link").withCString { symlink("m", $0) }
        kill(server.id, SIGKILL)
        #expect(server.endsWithin(60))
        let word =
            operand.replacingOccurrences(of: "POINT", with: point.description)
            .replacingOccurrences(of: "IMAGE", with: image.description)
        let done = try umount(Word(word), in: scratch.path)
        #expect(done.description == "status 0")
        #expect(try MountLine.on(point).isEmpty)
    }

    // MARK: In use

    @Test func aMountInUseStaysAndIsToldSo() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (_, point, _) = try start(scratch)
        try Calls.open(point / "etc/motd") { descriptor throws in
            let busy = try run([Machine.tool("umount.ifs"), "m"], in: scratch.path)
            let said = busy.description
            #expect(said.hasPrefix("status 32; umount.ifs: m: target is busy, in use by "))
            // Others hold it for an instant, while they are started.
            #expect(said.contains("\(getpid()) ("))
            #expect(try Calls.bytes(of: descriptor, at: 2, count: 6) == Array("needle".utf8))
        }
        #expect(try umount(point).status == 0)
    }

    @Test func lazilyAMountInUseGoesOutOfSight() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (_, point, server) = try start(scratch)
        try Calls.open(point / "bin/tool29") { descriptor throws in
            #expect(try umount("-l", point).description == "status 0")
            #expect(try MountLine.on(point).isEmpty)
            #expect(server.isAlive)
            let bytes = try Calls.bytes(of: descriptor, at: 50_000, count: 37_001)
            #expect(difference(bytes, SplitMix64.text(87_001, seed: 29)[50_000...]) == nil)
        }
        #expect(server.endsWithin(60))
    }

    // MARK: Nothing to do, or too much

    @Test(arguments: ["m", "none", "x.ifs", "none/none", "POINT", "/proc", "/"])
    func whereNothingOfOursIsMountedNothingIsDone(operand: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        try scratch.image(Samples.ordinary)
        let point = try scratch.directory("m")
        let word = operand.replacingOccurrences(of: "POINT", with: point.description)
        let done = try umount(Word(word), in: scratch.path)
        #expect(
            done.description
                == "status 37; umount.ifs: \(word): nothing of IFSFS is mounted there\n")
    }

    @Test func ofAnImageThatIsMountedTwiceTheDirectoryIsWanted() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (image, first, _) = try start(scratch, at: "1")
        let (_, second, _) = try start(scratch, at: "2")
        let done = try umount(image)
        #expect(
            done.description == "status 37; umount.ifs: \(image): mounted 2 times,"
                + " expected the DIRECTORY of one\n")
        #expect(try MountLine.on(first).count == 1 && MountLine.on(second).count == 1)
        #expect(try umount(first).status == 0)
        #expect(try umount(image).status == 0)
        #expect(try MountLine.on(second).isEmpty)
    }

    @Test(.needsRoot) func ofMountsOnOneDirectoryTheUppermostGoes() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (_, point, server) = try start(scratch)
        let other = try scratch.mount(scratch.image(Samples.everyKind, "other.ifs"))
        #expect(try umount(point).status == 0)
        #expect(try other.wait().status == 0)
        #expect(server.isAlive)
        #expect(try umount(point).status == 0)
        #expect(try MountLine.on(point).isEmpty)
    }

    /// The image names the mount below, which cannot go while another lies upon it.
    @Test(.needsRoot) func aMountThatIsCoveredStaysAndSoDoesTheOther() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (image, point, _) = try start(scratch)
        let other = try scratch.mount(scratch.image(Samples.everyKind, "other.ifs"))
        let done = try umount(image)
        #expect(done.status == 32, "\(done)")
        #expect(other.server.poll() == nil)
        #expect(try MountLine.on(point).count == 2)
        try other.unmount()
        #expect(try umount(image).status == 0)
    }

    @Test(
        arguments: [
            ([], "found 0 operands, expected DIRECTORY or IMAGE"),
            (["a", "b"], "found 2 operands, expected DIRECTORY or IMAGE"),
            (["-q", "a"], "unknown option '-q'; 'umount.ifs --help' lists them"),
            (["--lazy", "a"], "unknown option '--lazy'; 'umount.ifs --help' lists them"),
        ] as [([Word], String)])
    func aWrongCommandLineIsRefused(words: [Word], message: String) throws {
        let done = try run([Machine.tool("umount.ifs")] + words)
        #expect(done.description == "status 1; umount.ifs: \(message)\n")
    }
}
