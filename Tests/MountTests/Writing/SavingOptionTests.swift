import Foundation
import TestSupport
import Testing

/// When and how the changes of a mount are saved, where that was asked for.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct SavingOptionTests {
    /// With repack_delay, the new image is made while nobody changes anything, and umount only puts it
    /// in its place.
    @Test func inQuietTimesTheImageIsMadeAhead() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        #expect(try site.mount("rw,repack_delay=0.1").status == 0)
        let server = try #require(Daemon.serving(site.point))
        #expect(try site.change("echo new > new").status == 0)
        // The image that waits has no name, and can be seen as an open file of the server alone.
        let open = Word("ls -l /proc/\(server.id)/fd")
        let isMade = try within(20) { () -> Bool? in
            try run(["sh", "-c", open]).text.contains("(deleted)") ? true : nil
        }
        #expect(isMade == true)
        #expect(try site.leftovers() == [".x.ifs.stage"])
        #expect(try site.change("echo more >> new").status == 0)
        #expect(try site.umount().description == "status 0")
        #expect(try site.leftovers() == [])
        #expect(try site.mount("ro").status == 0)
        #expect(try site.change("cat new").text == "new\nmore\n")
        #expect(try site.umount().status == 0)
    }

    /// With commit=fsync, an fsync of the root saves the changes, and the mount goes on.
    @Test func anFsyncOfTheRootSaves() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        let before = try site.bytes()
        #expect(try site.mount("rw,commit=fsync").status == 0)
        #expect(try site.change("echo new > new; sync new").status == 0)
        #expect(try site.bytes() == before)
        #expect(try site.change("sync .").status == 0)
        #expect(try site.bytes() != before && site.leftovers() == [])
        #expect(try site.change("echo more >> new; cat new").text == "new\nmore\n")
        #expect(try site.umount().description == "status 0")
        #expect(try site.mount("ro").status == 0)
        #expect(try site.change("cat new").text == "new\nmore\n")
        #expect(try site.umount().status == 0)
    }

    /// An image is changed by one mount at a time; a second is refused and told which.
    @Test func aSecondWriterIsRefused() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        #expect(try site.mount().status == 0)
        let server = try #require(Daemon.serving(site.point))
        let other = try scratch.directory("other")
        let refused = try run([Machine.tool("mount.ifs"), site.image, other, "-o", "rw"])
        #expect(refused.status == 32)
        #expect(
            refused.errorText
                == "mount.ifs: \(site.image): found a mount that changes it already, at"
                + " '\(site.point)', of process \(server.id)\n")
        #expect(try run([Machine.tool("mount.ifs"), site.image, other, "-o", "ro"]).status == 0)
        #expect(try run([Machine.tool("umount.ifs"), other]).status == 0)
        #expect(try site.umount().status == 0)
        #expect(try site.mount().status == 0)
        #expect(try site.umount().status == 0)
    }

    /// The new image has the owner, the mode and the extended attributes of the file it replaces.
    @Test func theNewFileHasTheAttributesOfTheOld() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        let set = Word("chmod 640 \(site.image); setfattr -n user.note -v mine \(site.image)")
        #expect(try run(["sh", "-ec", set]).description == "status 0")
        #expect(try site.mount().status == 0)
        #expect(try site.change("echo new > new").status == 0)
        #expect(try site.umount().description == "status 0")
        let shown = Word(
            "stat -c %a \(site.image); getfattr --only-values -n user.note \(site.image)")
        #expect(try run(["sh", "-ec", shown]).text == "640\nmine")
    }

    /// What a killed server had begun of a new image goes with the changes that it has left.
    @Test(arguments: ["resume", "discard"] as [Word])
    func whatWasBegunGoes(how: Word) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        #expect(try site.mount().status == 0)
        #expect(try site.change("echo new > new").status == 0)
        try site.kill()
        _ = try scratch.file(".x.ifs.new.0abcDE", [1, 2, 3])
        #expect(try site.mount("rw,recover=" + how).status == 0)
        #expect(try site.umount().description == "status 0")
        #expect(try site.leftovers() == [])
    }
}
