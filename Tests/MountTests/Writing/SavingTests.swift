import Foundation
import TestSupport
import Testing

/// Images that are changed through a mount: what unmounting makes of the changes, and what is left of
/// them when it cannot.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct SavingTests {
    /// What is changed in a writable mount is in the image when umount returns.
    @Test(arguments: [false, true])
    func whatWasChangedIsInTheImageWhenUmountReturns(isPacked: Bool) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(
            scratch, Samples.ordinary.with { $0.packing = isPacked ? .lzo() : .none })
        #expect(try site.mount().description == "status 0")
        let script = """
            echo new > new; mkdir dir; echo deep > dir/deep; printf x >> etc/motd
            ln -s new link; chmod 640 new; chown 7:8 new; touch -d @1000000000 new
            mv dir/deep dir/deeper
            """
        #expect(try site.change(script).description == "status 0")
        #expect(try site.umount().description == "status 0")
        #expect(try site.leftovers() == [])
        #expect(try run([Machine.tool("ifsctl"), "check", site.image]).status == 0)
        #expect(try site.mount("ro").status == 0)
        let seen = try site.change("stat -c '%a %u %g %Y %s' new; cat new dir/deeper link etc/motd")
        #expect(seen.text == "640 7 8 1000000000 4\nnew\ndeep\nnew\na needle in the hay\nx")
        #expect(try site.umount().status == 0)
    }

    /// A writable mount in which nothing has changed leaves the image as it was, its time included.
    @Test(arguments: [
        "true", "cat etc/motd", "echo x > new; rm new", "mv etc/motd a; mv a etc/motd",
        "cp etc/motd /dev/shm/$$; cat /dev/shm/$$ > etc/motd; rm /dev/shm/$$",
        "chmod 600 etc/motd; chmod 644 etc/motd",
    ])
    func withoutAChangeTheImageIsNotWritten(script: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        let (before, status) = (try site.bytes(), try Calls.status(site.image))
        #expect(try site.mount().status == 0)
        #expect(try site.change(script).status == 0)
        #expect(try site.umount().description == "status 0")
        #expect(try site.bytes() == before)
        let after = try Calls.status(site.image)
        #expect(after.st_ino == status.st_ino && after.st_mtim.tv_nsec == status.st_mtim.tv_nsec)
        #expect(try site.leftovers() == [])
    }

    /// However a writable mount ends, its changes are saved.
    @Test(arguments: ["umount -i m", "fusermount3 -u m", "kill $server", "umount -l m"])
    func everyEndSaves(command: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        let before = try site.bytes()
        #expect(try site.mount().status == 0)
        let server = try #require(Daemon.serving(site.point))
        #expect(try site.change("echo new > new").status == 0)
        let line = command.replacingOccurrences(of: "$server", with: "\(server.id)")
        let ended = try within(60) { () -> Finished? in
            let finished = try run(["sh", "-c", Word(line)], in: scratch.path)
            return finished.status == 0 ? finished : nil
        }
        #expect(ended != nil)
        #expect(server.endsWithin(60))
        #expect(try site.bytes() != before)
        #expect(try site.leftovers() == [])
    }

    /// The kernel gives a device number to the next mount while the server of the last one still saves:
    /// umount asks the right one.
    @Test func theServerOfAnEarlierMountIsNotAsked() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        let large = try scratch.image(
            ImageBuilder([.file("large", SplitMix64.noise(4 << 20))]), "large.ifs")
        let other = try scratch.directory("other")
        for round in 0..<8 {
            let mounted = try run([Machine.tool("mount.ifs"), large, other, "-o", "rw"])
            #expect(mounted.status == 0)
            let server = try #require(Daemon.serving(other))
            #expect(try run(["sh", "-c", "date +%N > new"], in: other).status == 0)
            #expect(try run(["fusermount3", "-u", other]).status == 0)
            #expect(try site.mount().description == "status 0")
            #expect(try site.change("echo \(round) > new").status == 0)
            #expect(try site.umount().description == "status 0")
            #expect(try site.mount("ro").status == 0)
            #expect(try site.change("cat new").text == "\(round)\n")
            #expect(try site.umount().status == 0)
            #expect(server.endsWithin(60))
        }
    }

    /// A writable mount that is in use is saved, and stays.
    @Test func whatIsInUseIsSavedAndStays() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        #expect(try site.mount().status == 0)
        #expect(try site.change("echo new > new").status == 0)
        let user = try Running(["sleep", "60"], in: site.point)
        let refused = try run([Machine.tool("umount.ifs"), site.point])
        #expect(refused.status == 32)
        let expected =
            "umount.ifs: \(site.point): saved, but still mounted: target is busy,"
            + " in use by \(user.id) (sleep)\n"
        #expect(refused.errorText == expected)
        #expect(try site.leftovers() == [])
        #expect(try site.change("cat new; echo more >> new; cat new").text == "new\nnew\nmore\n")
        user.end()
        #expect(try site.umount().description == "status 0")
        #expect(try site.mount("ro").status == 0)
        #expect(try site.change("cat new").text == "new\nmore\n")
        #expect(try site.umount().status == 0)
    }

    /// Changes outlive a server that is killed: the next mount goes on with them, makes them an image, or
    /// throws them away, as it is told; untold, it refuses.
    @Test(arguments: ["resume", "commit", "discard"] as [Word])
    func changesOutliveTheServer(how: Word) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        let before = try site.bytes()
        #expect(try site.mount().status == 0)
        #expect(
            try site.change("echo new > new; mkdir d; mv etc/motd d; echo x >> d/motd").status == 0)
        try site.kill()
        #expect(try site.bytes() == before)
        let refused = try site.mount()
        #expect(refused.status == 32)
        #expect(
            refused.errorText.hasSuffix(
                "x.ifs.stage: found edits that are in no image yet; recover=resume goes on with them,"
                    + " recover=commit makes them an image, recover=discard throws them away\n"))
        #expect(try site.mount("rw,recover=" + how).status == 0)
        let seen = try site.change("cat new d/motd 2>/dev/null || cat etc/motd")
        let text = "a needle in the hay\n"
        #expect(seen.text == (how == "discard" ? text : "new\n" + text + "x\n"))
        #expect(try site.bytes() == before || how == "commit")
        #expect(try site.umount().description == "status 0")
        #expect(try (site.bytes() == before) == (how == "discard"))
        #expect(try site.leftovers() == [])
    }

    /// An image that somebody else has replaced is not replaced again.
    @Test func anotherImageIsNotReplaced() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        #expect(try site.mount().status == 0)
        #expect(try site.change("echo new > new").status == 0)
        let other = try scratch.image(Samples.ordinary.with { $0.chainAddress = 1 }, "other")
        #expect(try run(["mv", other, site.image]).status == 0)
        let replaced = try site.bytes()
        let refused = try site.umount()
        #expect(refused.status == 32)
        #expect(
            refused.errorText
                == "umount.ifs: \(site.image): found another file than the one that was"
                + " mounted, expected nobody else to change it; '\(site.point)' is still mounted,"
                + " and nothing is lost\n")
        #expect(try site.bytes() == replaced)
        #expect(try site.leftovers() == [".x.ifs.stage"])
    }

    /// With output, the image stays as it is, and the new one is made elsewhere; with backup, the old one
    /// is kept; with nosave, changes are forgotten.
    @Test func theNewImageGoesWhereItIsTold() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        let before = try site.bytes()
        let script = "echo new > new; touch -d @1000000000 new"
        #expect(try site.mount("rw,nosave").status == 0)
        #expect(try site.change(script).status == 0)
        #expect(try site.umount().status == 0)
        #expect(try site.bytes() == before && site.leftovers() == [])
        #expect(try site.mount("rw,output=" + (scratch / "out.ifs")).status == 0)
        #expect(try site.change(script).status == 0)
        #expect(try site.umount().description == "status 0")
        #expect(try site.bytes() == before && site.leftovers() == ["out.ifs"])
        #expect(try site.mount("rw,backup=.orig").status == 0)
        #expect(try site.change(script).status == 0)
        #expect(try site.umount().description == "status 0")
        #expect(try Calls.contents(scratch / "x.ifs.orig") == before)
        #expect(try site.bytes() == Calls.contents(scratch / "out.ifs"))
    }
}
