import Foundation
import TestSupport
import Testing

/// ifsctl, asking mounts and doing with what they have left.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct ControlTests {
    /// ifsctl status tells of a mount whether there are changes, and of an image whether changes wait.
    @Test func statusTellsWhatWaits() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        #expect(try site.ifsctl("status", site.image).text == "\(site.image)  no changes\n")
        #expect(try site.mount().status == 0)
        let server = try #require(Daemon.serving(site.point))
        let line = "\(site.image)  mounted at \(site.point)  process \(server.id)  "
        #expect(try site.ifsctl("status", site.image).text == line + "no changes\n")
        #expect(try site.change("echo new > new").status == 0)
        #expect(try site.ifsctl("status", site.point).text == line + "changes wait\n")
        #expect(try site.ifsctl("status").text.contains(line + "changes wait\n"))
        try site.kill()
        let left = "\(site.image)  changes left in \(scratch.path)/.x.ifs.stage\n"
        #expect(try site.ifsctl("status", site.image).text == left)
        #expect(try site.ifsctl("status", scratch.path).text == left)
    }

    /// ifsctl commit saves the changes of a mount, which goes on.
    @Test func commitSavesAndTheMountGoesOn() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        let before = try site.bytes()
        #expect(try site.mount().status == 0)
        #expect(try site.change("echo new > new").status == 0)
        #expect(try site.ifsctl("commit", site.image).description == "status 0")
        #expect(try site.bytes() != before && site.leftovers() == [])
        #expect(try site.change("cat new; rm new").text == "new\n")
        #expect(try site.umount().description == "status 0")
        #expect(try site.mount("ro").status == 0)
        #expect(try site.change("ls").text.contains("new") == false)
        #expect(try site.umount().status == 0)
    }

    /// With --force, a file that has got the image's name meanwhile is replaced.
    @Test func forcedACommitReplacesAnotherFile() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        #expect(try site.mount().status == 0)
        #expect(try site.change("echo new > new").status == 0)
        let other = try scratch.file("other", [1, 2, 3])
        #expect(try run(["mv", other, site.image]).status == 0)
        #expect(try site.ifsctl("commit", site.point).status == 2)
        #expect(try site.bytes() == [1, 2, 3])
        #expect(try site.ifsctl("commit", "--force", site.point).description == "status 0")
        #expect(try site.change("cat new").text == "new\n")
        #expect(try site.umount().description == "status 0")
        #expect(try site.ifsctl("check", site.image).status == 0)
        #expect(try site.leftovers() == [])
    }

    /// Whoever opens an image while it is saved is told so, and by whom.
    @Test func whoReadsMeanwhileIsTold() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch, Samples.ordinary.with { $0.packing = .ucl() })
        #expect(try site.mount().status == 0)
        let server = try #require(Daemon.serving(site.point))
        #expect(try site.change("seq 3000000 > new").status == 0)
        #expect(try run(["fusermount3", "-u", site.point]).status == 0)
        let line = try within(20) { () -> String? in
            let text = try run([Machine.tool("dumpifs"), site.image]).errorText
            return text.isEmpty && server.isAlive ? nil : text
        }
        let start = "dumpifs: \(site.image): being saved by process \(server.id) ("
        #expect(line?.hasPrefix(start) == true && line?.hasSuffix(" %)\n") == true)
        #expect(server.endsWithin(60))
        #expect(try run([Machine.tool("dumpifs"), site.image]).errorText == "")
        #expect(try site.leftovers() == [])
    }

    /// ifsctl discard has a mount forget its changes when it ends, and throws away what one has left.
    @Test(arguments: [false, true]) func discardForgets(isKilled: Bool) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        let before = try site.bytes()
        #expect(try site.mount().status == 0)
        #expect(try site.change("echo new > new").status == 0)
        if isKilled { try site.kill() }
        #expect(try site.ifsctl("discard", site.image).description == "status 0")
        if !isKilled { #expect(try site.umount().description == "status 0") }
        #expect(try site.bytes() == before && site.leftovers() == [])
    }

    /// What a mount is to forget is saved neither by a commit nor by compacting, nor by an fsync.
    @Test(arguments: ["commit", "compact"] as [Word]) func whatIsForgottenIsNotSaved(
        command: Word
    ) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        let before = try site.bytes()
        #expect(try site.mount("rw,nosave,commit=fsync").status == 0)
        #expect(try site.change("echo new > new; sync .").status == 0)
        #expect(try site.ifsctl(command, site.image).description == "status 0")
        #expect(try site.umount().description == "status 0")
        #expect(try site.bytes() == before && site.leftovers() == [])
    }

    /// ifsctl recover makes an image of changes that were left, throws them away, or mounts them.
    @Test(arguments: ["commit", "discard", "resume"]) func recoverDoesAsItIsTold(how: String) throws
    {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        let before = try site.bytes()
        #expect(try site.mount().status == 0)
        #expect(try site.change("echo new > new").status == 0)
        let early = try site.ifsctl("recover", "--commit", site.image)
        #expect(
            early.status == 2 && early.errorText.contains("found a mount that makes the changes"),
            "\(early)")
        try site.kill()
        let words = [Word("recover"), Word("--" + how)] + (how == "resume" ? [site.point] : [])
        let path = Machine.tool("mount.ifs").description.dropLast("/mount.ifs".count)
        let done = try run(
            ["env", Word("PATH=\(path):/usr/bin:/bin"), Machine.tool("ifsctl")] + words + [
                site.image
            ])
        #expect(done.status == 0)
        if how == "resume" {
            #expect(try site.change("cat new").text == "new\n")
            #expect(try site.umount().description == "status 0")
        }
        #expect(try (site.bytes() == before) == (how == "discard"))
        #expect(try site.leftovers() == [])
    }

    /// ifsctl compact leaves no holes, in the image of a mount as in a file; and the tree is the same.
    @Test(arguments: [false, true]) func compactLeavesNoHoles(isMounted: Bool) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let entries: [ImageEntry] = (0..<8).map {
            .file("f\($0)", SplitMix64.noise(5000 + $0))
        }
        let site = try Site(scratch, ImageBuilder(entries))
        #expect(try site.mount().status == 0)
        #expect(try site.change("rm f2 f4").status == 0)
        #expect(try site.umount().description == "status 0")
        let before = try site.bytes()
        if isMounted {
            #expect(try site.mount().status == 0)
            #expect(try site.change("rm f5").status == 0)
        }
        #expect(try site.ifsctl("compact", site.image).description == "status 0")
        if isMounted { #expect(try site.umount().description == "status 0") }
        #expect(try site.bytes().count <= before.count - (isMounted ? 15_000 : 10_000))
        #expect(try site.ifsctl("check", site.image).status == 0)
        #expect(try site.mount("ro").status == 0)
        for number in [0, 1, 3, 6, 7] {
            #expect(
                try Calls.contents(site.point / Word("f\(number)"))
                    == SplitMix64.noise(5000 + number))
        }
        #expect(try site.umount().status == 0)
        #expect(try site.leftovers() == [])
    }

    /// ifsctl wait returns once nobody changes the image any more, with 1 where changes are left.
    @Test(arguments: [false, true]) func waitReturnsAtTheEnd(isKilled: Bool) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        #expect(try site.ifsctl("wait", site.image).status == 0)
        #expect(try site.mount().status == 0)
        #expect(try site.change("echo new > new").status == 0)
        let waiting = try Running([Machine.tool("ifsctl"), "wait", site.image])
        usleep(200_000)
        #expect(waiting.poll() == nil)
        if isKilled { try site.kill() } else { #expect(try site.umount().status == 0) }
        #expect(try waiting.wait().status == (isKilled ? 1 : 0))
    }
}
