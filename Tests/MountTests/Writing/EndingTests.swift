import Foundation
import TestSupport
import Testing

/// The ways in which a mount with changes ends, or does not, and what is said then.
@Suite(.needsFuse, .needsRoot, .timeLimit(.minutes(20)))
struct EndingTests {
    /// A mount with another mount in it: both go, and the changes are saved.
    @Test(arguments: ["", Namespace.withHelpers])
    func unmountingRecursivelySaves(helpers: String) throws {
        guard helpers.isEmpty || Namespace.hasOverlay else { return }
        let scratch = try Scratch()
        defer { scratch.end() }
        let script =
            helpers + """
                "$1" -o rw "$3" "$4"
                echo new > "$4/new"
                mount -t tmpfs tmpfs "$4/dir"
                server=$(processes | sed -n 's/server //p')
                umount -R "$4"
                unmounted
                tail --pid="$server" -f /dev/null
                "$1" -o ro "$3" "$4"
                cat "$4/new"
                umount -i "$4"
                """
        #expect(try Namespace.run(scratch, script).description == "status 0; new\n")
        #expect(try !Calls.names(scratch.path).contains(".x.ifs.stage"))
    }

    /// A user's mount does not let root in, and root has it saved all the same, as at shutdown; umount
    /// returns when it is.
    @Test(.needsOverlay, .needsSetuidHelper) func rootUnmountsAUsersMount() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script =
            Namespace.withHelpers + Namespace.withUsers + """
                mkdir own
                cp "$3" own/x.ifs
                chown -R 65534:65534 own
                $user "$1" -o rw own/x.ifs "$4"
                $user sh -c 'echo new > "$0/new"' "$4"
                ! ls "$4" 2> /dev/null
                umount "$4"
                unmounted
                ls -A own
                "$1" -o ro own/x.ifs "$4"
                cat "$4/new"
                stat -c '%u %a' "$4/new" own/x.ifs
                umount -i "$4"
                """
        let found = try Namespace.run(scratch, script)
        #expect(found.description == "status 0; x.ifs\nnew\n65534 644\n65534 644\n")
    }

    /// Where the edits of a user cannot be saved, root is told and the mount stays.
    @Test(.needsOverlay, .needsSetuidHelper) func rootIsToldWhyAUsersMountStays() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script =
            Namespace.withHelpers + Namespace.withUsers + """
                mkdir own
                cp "$3" own/x.ifs
                chown -R 65534:65534 own
                $user "$1" -o rw own/x.ifs "$4"
                $user sh -c 'echo new > "$0/new"' "$4"
                touch own/x.ifs
                umount "$4" || echo "status $?"
                mounted
                ls -A own
                $user cat "$4/new"
                umount -i -l "$4"
                """
        let found = try Namespace.run(scratch, script)
        #expect(found.text == "status 32\n.x.ifs.stage\nx.ifs\nnew\n")
        #expect(
            found.errorText
                == "umount.ifs: \(scratch / "own/x.ifs"): found another file than the one that"
                + " was mounted, expected nobody else to change it; '\(scratch / "m")' is still"
                + " mounted, and nothing is lost\n")
    }

    /// Edits of an image that was replaced meanwhile are kept, and are not made to another image.
    @Test(arguments: [
        "cp other.ifs x.ifs", "mv other.ifs x.ifs", "touch x.ifs", "truncate -s -4 x.ifs",
    ])
    func editsOfAReplacedImageAreNotThoseOfAnother(command: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        try scratch.image(Samples.ordinary.with { $0.chainAddress = 1 }, "other.ifs")
        #expect(try site.mount().status == 0)
        #expect(try site.change("echo new > new").status == 0)
        let server = try #require(Daemon.serving(site.point))
        #expect(try run(["sh", "-ec", Word(command)], in: scratch.path).status == 0)
        let replaced = try site.bytes()
        #expect(try site.umount().status == 32)
        #expect(try run(["umount", "-i", site.point]).status == 0)
        #expect(server.endsWithin(60))
        let refused = try site.mount()
        #expect(refused.status == (command.hasPrefix("truncate") ? refused.status : 32))
        if !command.hasPrefix("truncate") {
            #expect(
                refused.errorText
                    == "mount.ifs: \(scratch / ".x.ifs.stage"): found edits of another image than"
                    + " this is now; recover=discard throws them away\n")
        }
        #expect(try site.bytes() == replaced)
        #expect(try site.leftovers().contains(".x.ifs.stage"))
        guard !command.hasPrefix("truncate") else { return }
        #expect(try site.mount("rw,recover=discard").status == 0)
        #expect(try site.umount().status == 0)
        #expect(try !site.leftovers().contains(".x.ifs.stage"))
    }

    /// A server that is told to end saves, however often it is told.
    @Test func whoIsToldToEndTwiceSavesAllTheSame() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let noise = SplitMix64.noise(24 << 20)
        let site = try Site(scratch, ImageBuilder([.file("large", noise)]))
        #expect(try site.mount().status == 0)
        #expect(try site.change("echo new > new").status == 0)
        let server = try #require(Daemon.serving(site.point))
        kill(server.id, SIGTERM)
        let isSaving = try within(60) { () -> Bool? in
            try MountLine.on(site.point).isEmpty ? true : nil
        }
        usleep(10_000)
        #expect(isSaving == true)
        kill(server.id, SIGTERM)
        kill(server.id, SIGHUP)
        #expect(server.endsWithin(60))
        #expect(try site.leftovers() == [])
        #expect(try site.mount("ro").status == 0)
        #expect(try site.change("cat new").text == "new\n")
        #expect(try site.umount().status == 0)
    }

    /// Of two mounts of an image one alone makes changes; the other is told that it is busy, and loses
    /// nothing of the first.
    @Test func aSecondWriterIsRefused() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        #expect(try site.mount().status == 0)
        #expect(try site.change("echo first > new").status == 0)
        let other = try scratch.directory("other")
        let second = try run([Machine.tool("mount.ifs"), site.image, other, "-o", "rw"])
        if second.status == 0 {
            let refused = try run(["sh", "-c", "echo second > new"], in: other)
            #expect(refused.errorText.contains("Device or resource busy"))
            #expect(try run([Machine.tool("umount.ifs"), other]).status == 0)
        } else {
            #expect(second.status == 32 && second.errorText.filter { $0 == "\n" }.count == 1)
        }
        #expect(try site.umount().description == "status 0")
        #expect(try site.mount("ro").status == 0)
        #expect(try site.change("cat new").text == "first\n")
        #expect(try site.umount().status == 0)
        #expect(try site.leftovers() == ["other"])
    }

    /// A file that is open and has no name any more is what it was, also when the mount was saved and
    /// stays.
    @Test func anOpenFileWithoutANameOutlivesBeingSaved() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        #expect(try site.mount().status == 0)
        let script = """
            exec 3<> made 4<> etc/hosts 5<> written
            echo text >&5
            rm made etc/hosts written
            "$0" . 2> /dev/null || test $? = 32
            echo late >&3
            echo later >&5
            cat /proc/self/fd/3 /proc/self/fd/5
            cat <&4 | head -c 9
            """
        let found = try run(
            ["sh", "-ec", Word(script), Machine.tool("umount.ifs")], in: site.point)
        #expect(found.description == "status 0; late\ntext\nlater\n127.0.0.1")
        #expect(try site.umount().description == "status 0")
        #expect(try site.leftovers() == [])
    }

    /// A mount that is saved often holds no image but the last.
    @Test func savingOftenHoldsNoOldImage() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        #expect(try site.mount().status == 0)
        let server = try #require(Daemon.serving(site.point))
        let user = try Running(["sleep", "60"], in: site.point)
        defer { user.end() }
        var counts: [Int] = []
        for round in 0..<5 {
            #expect(try run(["sh", "-c", "echo \(round) > new"], in: site.point).status == 0)
            #expect(try run([Machine.tool("umount.ifs"), site.point]).status == 32)
            counts.append(server.descriptors.count)
        }
        #expect(Set(counts).count == 1, "\(counts)")
        user.end()
        #expect(try site.umount().status == 0)
    }

    /// What was changed after a mount was saved is found again when its server is killed.
    @Test func changesAfterSavingOutliveTheServer() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        #expect(try site.mount().status == 0)
        let server = try #require(Daemon.serving(site.point))
        #expect(
            try site.change("for i in 1 2 3 4; do echo $i > new$i; done; rm new1 new2").status == 0)
        let user = try Running(["sleep", "60"], in: site.point)
        #expect(try run([Machine.tool("umount.ifs"), site.point]).status == 32)
        let script = "echo x >> new3; echo y >> etc/hosts; mkdir d; mv new4 d; echo late > last"
        #expect(try site.change(script).status == 0)
        kill(server.id, SIGKILL)
        user.end()
        #expect(server.endsWithin(60))
        #expect(try site.mount("rw,recover=resume").status == 0)
        let seen = try site.change("cat new3 d/new4 last; tail -n 1 etc/hosts; cat etc/motd; ls")
        #expect(
            seen.description
                == "status 0; 3\nx\n4\nlate\ny\na needle in the hay\nbin\nd\nempty\netc\nlast\nnew3\n"
        )
        #expect(try site.umount().status == 0)
        #expect(try site.faults() == "")
    }
}
