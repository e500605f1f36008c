import Foundation
import TestSupport
import Testing

/// A writable mount from its start to its end.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct WritingSessionTests {
    @Test func itIsMountedForWriting() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let line = try #require(MountLine.on(mount.path).last)
        #expect(line.options.contains("rw") && line.superOptions.contains("rw"))
        #expect(!line.superOptions.contains("default_permissions"))
    }

    @Test(.needsRoot) func withOtherUsersTheKernelHoldsEverybodyToTheModes() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch, "allow_other")
        let options = try #require(MountLine.on(mount.path).last).superOptions
        #expect(options.contains("default_permissions") && options.contains("allow_other"))
    }

    /// What could be changed is not if that was not asked for.
    @Test func readOnlyItRefusesEveryChange() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch, "read-only")
        #expect(try #require(MountLine.on(mount.path).last).superOptions.contains("ro"))
        #expect(throws: SystemError(code: EROFS)) { try mount.write("file", [1]) }
        guard Machine.isRoot else { return }
        #expect(try run(["mount", "-i", "-o", "remount,rw", mount.path]).status == 0)
        #expect(throws: SystemError(code: EROFS)) { try mount.write("file", [1]) }
        #expect(try mount.names() == [])
    }

    /// A request that should be quick and is not holds up no other.
    @Test func oneThatWaitsForAnotherIsAnsweredAfterIt() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        // In directories of their own: this kernel looks one name up at a time in each.
        let script = """
            cd "$1"; for i in 1 2 3 4 5; do mkdir d$i; stat d$i/waits & done
            sleep 0.1; echo x > meanwhile; cat meanwhile
            for i in 1 2 3 4 5; do stat "goes on $i" || true; done; wait
            """
        let done = try run(["timeout", "60", "bash", "-c", Word(script), "test", mount.path])
        #expect(done.status == 0, "\(done)")
        #expect(done.lines == ["x"])
    }

    // MARK: The end

    /// However it ends, all changes have come by then, and nothing comes after.
    @Test(arguments: ["fusermount3", "SIGTERM", "SIGINT", "SIGHUP"])
    func allChangesHaveComeWhenItEnds(how: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        try mount.write("file", [1, 2, 3])
        let signals = ["SIGTERM": SIGTERM, "SIGINT": SIGINT, "SIGHUP": SIGHUP]
        if let signal = signals[how] {
            mount.mount.server.send(signal)
        } else {
            try MountTests.unmount(mount.path)
        }
        #expect(try mount.mount.wait().description == "status 0")
        #expect(try MountLine.on(mount.path).isEmpty)
        let said = try mount.ending()
        #expect(said.first == "ended" && said.contains("file file 3 bytes, sum 6"), "\(said)")
    }

    /// Once it has ended there are changes to save, however often it is told to end.
    @Test func whoAsksOnceMoreIsNotHeard() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch, "asked-again")
        mount.mount.server.send(SIGTERM)
        #expect(try mount.mount.wait().description == "status 0")
        #expect(try mount.ending().first == "ended")
    }

    /// Whoever interrupts it then gets it to end at once.
    @Test func anInterruptionBreaksOffWhatFollows() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch, "interrupted")
        mount.mount.server.send(SIGTERM)
        #expect(try mount.mount.wait().status == -SIGINT)
        #expect(throws: (any Error).self) { try mount.ending() }
    }

    /// A signal ends the mount while a program has a file mapped: what it has put there is kept.
    @Test func whatIsInAMapIsKeptWhenASignalEndsIt() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let (path, count) = (try mount.write("file", []), 8 << 20)
        #expect(path.withCString { truncate($0, count) } == 0)
        try Calls.open(path, O_RDWR) { file throws in
            let map = try #require(mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0))
            try #require(map != MAP_FAILED)
            defer { munmap(map, count) }
            for place in stride(from: 0, to: count, by: 4096) {
                map.storeBytes(of: 3, toByteOffset: place, as: UInt8.self)
            }
            mount.mount.server.send(SIGTERM)
            #expect(try mount.mount.wait().description == "status 0")
        }
        let said = try mount.ending()
        #expect(said.contains("file file \(count) bytes, sum \(3 * count / 4096)"), "\(said)")
    }

    /// Also of a mount whose name is gone.
    @Test(.needsRoot) func whatIsInAMapIsKeptAfterALazyUnmount() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", [0, 0, 0])
        try Calls.open(path, O_RDWR) { file throws in
            let map = try #require(mmap(nil, 3, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0))
            try #require(map != MAP_FAILED)
            defer { munmap(map, 3) }
            #expect(try run(["umount", "-l", mount.path]).status == 0)
            map.storeBytes(of: 3, as: UInt8.self)
            mount.mount.server.send(SIGTERM)
            // libfuse complains that there is nothing left to unmount.
            #expect(try mount.mount.wait().status == 0)
        }
        let said = try mount.ending()
        #expect(said.contains("file file 3 bytes, sum 3"), "\(said)")
    }

    /// A mount that is being written to ends all the same.
    @Test func aSignalEndsItUnderLoad() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let load: [Word] = [
            "bash", "-c", "cd $1; while echo x >> f$((i++ % 50)); do :; done", "test",
        ]
        let writers = try (0..<3).map { _ in try Running(load + [mount.path]) }
        defer { for writer in writers { writer.end() } }
        _ = try within(60) { try mount.names().count == 50 ? true : nil }
        mount.mount.server.send(SIGTERM)
        #expect(try mount.mount.wait().status == 0)
        let said = try mount.ending()
        #expect(said.first == "ended", "\(said)")
    }

    /// Whoever started it goes on once it answers, and the changes are there when it has ended.
    @Test func inTheBackgroundItEndsTheSameWay() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let point = try scratch.directory("m")
        let report = scratch / "report"
        let started = try run([WritableMount.program, report, point, "background"])
        #expect(started.description == "status 0")
        try WritableMount.opened(point / "file", O_CREAT | O_WRONLY) {
            #expect(write($0, "abc", 3) == 3)
        }
        try MountTests.unmount(point)
        let said = within(60) { () -> String? in
            let text = try? Calls.contents(report)  // It comes when the server is done.
            return text?.isEmpty == false ? String(decoding: text!, as: UTF8.self) : nil
        }
        #expect(said?.contains("file file 3 bytes, sum 294\n") == true, "\(said ?? "")")
    }
}
