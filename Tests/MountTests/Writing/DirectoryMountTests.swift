import Foundation
import TestSupport
import Testing

/// Directories that are changed through a mount: what unmounting makes of them is held against what
/// mkifs makes.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct DirectoryMountTests {
    private struct Site {
        let scratch: Scratch
        let directory: Word
        let point: Word
        var output: Word { scratch / "out.ifs" }

        init(_ scratch: Scratch) throws {
            self.scratch = scratch
            directory = try scratch.directory("dir")
            point = try scratch.directory("m")
        }

        /// Both tools build at the same time of day, and search the directory first.
        private var environment: [Word] {
            ["env", "SOURCE_DATE_EPOCH=1700000000", Word("MKIFS_PATH=\(directory)")]
        }

        /// Mounts in the background.
        func mount(_ options: Word = "rw,output=out.ifs") throws -> Finished {
            try run(
                environment.dropLast() + [Machine.tool("mount.ifs"), "dir", point, "-o", options],
                in: scratch.path)
        }

        /// Has a shell do something in the mount.
        func change(_ script: String) throws -> Finished {
            try run(["bash", "-ec", Word(script)], in: point)
        }

        func umount() throws -> Finished { try umountPatiently(point) }

        /// Expects that the image is what mkifs makes of these operands.
        func expectImage(_ operands: Word...) throws {
            let made = try run(
                environment + [Machine.tool("mkifs")] + operands + ["made.ifs"], in: scratch.path)
            #expect(made.status == 0, "\(made)")
            let found = try Calls.contents(output)
            #expect(try found == Calls.contents(scratch / "made.ifs"))
            let mode = try Calls.status(scratch / "made.ifs").st_mode
            #expect(try Calls.status(output).st_mode == mode)
            #expect(try run([Machine.tool("ifsctl"), "check", output]).status == 0)
        }

        /// What lies beside the directory, but for the mount point and what tests make themselves.
        func leftovers() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: scratch.path.description)
                .filter { !["m", "dir", "out.ifs", "made.ifs", "b.build"].contains($0) }.sorted()
        }
    }

    private static let work = """
        mkdir -p etc/deep bin; echo text > etc/conf; cp etc/conf etc/copy; echo gone > gone; rm gone
        mv etc/copy etc/deep/moved; ln -s conf etc/link; chmod 4750 etc/conf
        tar -C /usr/share -cf - doc/bash 2> /dev/null | tar -xf - || true
        printf 12345 > bin/tool; truncate -s 3 bin/tool; dd if=/dev/zero of=bin/tool bs=1 seek=9 count=1
        touch -d @1000000000 bin/tool; mkdir empty; mkfifo pipe; rmdir empty
        """

    /// What is written to a mounted directory is in it at once, and when umount returns, the image is what
    /// mkifs makes of it.
    @Test(arguments: [false, true])
    func theImageIsWhatMkifsMakesOfTheDirectory(hasBuildfile: Bool) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        try scratch.file(
            "b.build",
            Array("[uid=3 gid=4 perms=0640] usr/conf = etc/conf\n[dperms=0711 -followlink]\n".utf8))
        let option: Word = hasBuildfile ? ",buildfile=b.build" : ""
        #expect(try site.mount("rw,output=out.ifs" + option).description == "status 0")
        let changed = try site.change(Self.work)
        #expect(changed.status == 0, "\(changed)")
        let same = try run([
            "diff", "-r", "-x", "pipe", "--no-dereference", site.point, site.directory,
        ])
        #expect(same.description == "status 0")
        #expect(try Calls.names(scratch.path).contains("out.ifs") == false)
        #expect(try site.umount().description == "status 0")
        if hasBuildfile {
            try site.expectImage("b.build", "dir")
        } else {
            try site.expectImage("dir")
        }
        #expect(try site.leftovers() == [])
    }

    /// Files that the buildfile names take its attributes; all others have their own path.
    @Test func whatTheBuildfileNamesIsItsOwn() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        try scratch.file("b.build", Array("[uid=3 gid=4 perms=0640] usr/conf = conf\n".utf8))
        #expect(try site.mount("rw,buildfile=b.build,output=out.ifs").status == 0)
        #expect(try site.change("echo a > conf; mkdir etc; echo b > etc/other").status == 0)
        #expect(try site.umount().description == "status 0")
        let listed = try run([
            Machine.tool("mount.ifs"), site.output, try scratch.directory("look"),
        ])
        #expect(listed.status == 0)
        let seen = try run(
            ["bash", "-ec", "find . -type f | sort; stat -c '%a %u %g' usr/conf"],
            in: scratch / "look")
        #expect(seen.text == "./etc/other\n./usr/conf\n640 3 4\n")
        #expect(try run([Machine.tool("umount.ifs"), scratch / "look"]).status == 0)
    }

    /// Programs are linked and the image is filtered as in the directory where the mount was made.
    @Test func aBootableImageIsBuiltAsMkifsDoes() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        let startup = ELFStandIn(.executable) {
            ($0.address, $0.text) = (0x40_0100, ELFStandIn.placeHolder)
        }
        let kernel = ELFStandIn(.executable) {
            $0.text = [UInt8](repeating: 0x90, count: 5000) + ELFStandIn.placeHolder
        }
        try scratch.file("startup", startup.bytes)
        try scratch.file("kernel", kernel.bytes)
        let boot = #"[vboot=0xfe000000 filter="cat %I > %i; printf END >> %i; echo x >> log"]"#
        try scratch.file("kit.boot", Array(boot.utf8))
        let text = """
            [linker="(;2;)cp %i %o"]
            [virtual=x86_64,kit] .bootstrap = {
                startup
                kernel
            }

            """
        try scratch.file("b.build", Array(text.utf8))
        #expect(try site.mount("rw,buildfile=b.build,output=out.ifs").status == 0)
        let script = "cp ../startup ../kernel ../kit.boot .; mkdir etc; echo text > etc/conf"
        #expect(try site.change(script).description == "status 0")
        #expect(try site.umount().description == "status 0")
        #expect(try Calls.contents(site.output).suffix(3) == Array("END".utf8)[...])
        #expect(try Calls.contents(scratch / "log") == Array("x\n".utf8))
        try site.expectImage("b.build", "dir")
        let listed = try run([Machine.tool("dumpifs"), site.output]).lines
        let names = listed.compactMap { $0.split(separator: " ").last }
        #expect(names.contains("etc/conf") && names.contains("proc/boot/kernel"))
        #expect(!names.contains("kernel") && !names.contains("kit.boot"))
    }

    /// An empty directory becomes a new image of data.
    @Test func anEmptyDirectoryBecomesAnImage() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        #expect(try site.mount().status == 0)
        #expect(try site.umount().description == "status 0")
        try site.expectImage("dir")
        #expect(try site.mount().status == 0)
        #expect(try site.change("echo first > file").status == 0)
        #expect(try site.umount().status == 0)
        try site.expectImage("dir")
    }

    /// A mounted directory in which nothing was changed leaves its image as it was.
    @Test func withoutAChangeNoImageIsMade() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        #expect(try site.mount().status == 0)
        #expect(try site.change("echo text > file; chmod 644 file").status == 0)
        #expect(try site.umount().status == 0)
        let before = try Calls.status(site.output)
        #expect(try site.mount().status == 0)
        #expect(
            try site.change("cat file; ls -laR; ! cat none 2> /dev/null; chmod 644 file").status
                == 0)
        #expect(try site.umount().description == "status 0")
        let after = try Calls.status(site.output)
        #expect(after.st_ino == before.st_ino && after.st_mtim.tv_nsec == before.st_mtim.tv_nsec)
        #expect(try site.leftovers() == [])
    }

    /// A buildfile with a fault is umount's to tell, in one line, and the mount stays.
    @Test func aFaultOfTheBuildfileIsToldByUmount() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        let buildfile = try scratch.file("b.build", Array("[uid=x] a\n[uidd=1] b\n".utf8))
        #expect(try site.mount("rw,output=out.ifs,buildfile=b.build").status == 0)
        #expect(try site.change("echo text > a").status == 0)
        let refused = try site.umount()
        #expect(refused.status == 32)
        #expect(refused.errorText.hasPrefix("umount.ifs: \(buildfile):1:"), "\(refused)")
        #expect(
            refused.errorText.hasSuffix(
                "; and 1 more error; '\(site.point)' is still mounted, and nothing is lost\n"))
        #expect(refused.errorText.split(separator: "\n").count == 1)
        #expect(try site.change("cat a").text == "text\n")
        try scratch.file("b.build", Array("[uid=5] a\n".utf8))
        #expect(try site.umount().description == "status 0")
        try site.expectImage("b.build", "dir")
        #expect(try site.leftovers() == [])
    }

    /// When the server of a mounted directory is killed, the next mount makes the image.
    @Test func theNextMountMakesTheImageOfAKilledServer() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        #expect(try site.mount().status == 0)
        #expect(try site.change("echo old > file").status == 0)
        #expect(try site.umount().status == 0)
        #expect(try site.mount().status == 0)
        let server = try #require(Daemon.serving(site.point))
        #expect(try site.change("echo new > file; echo more > other").status == 0)
        kill(pid_t(server.id), SIGKILL)
        #expect(server.endsWithin(60))
        #expect(try site.leftovers() == [".out.ifs.stage"])
        #expect(try site.mount().status == 0)
        #expect(try site.change("cat file other").text == "new\nmore\n")
        #expect(try site.umount().description == "status 0")
        try site.expectImage("dir")
        #expect(try site.leftovers() == [])
    }

    /// A mount that goes on is asked for its image as often as one likes.
    @Test func theImageIsMadeWithoutUnmounting() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        #expect(try site.mount().status == 0)
        for name in ["one", "two"] {
            #expect(try site.change("echo text > \(name)").status == 0)
            let status = try run([Machine.tool("ifsctl"), "status", site.output])
            #expect(status.text.hasSuffix("  changes wait\n"))
            #expect(try run([Machine.tool("ifsctl"), "commit", site.output]).status == 0)
            try site.expectImage("dir")
            #expect(try site.leftovers() == [])
        }
        #expect(try site.umount().description == "status 0")
    }

    /// However a mount of a directory ends, its image is made.
    @Test(arguments: ["umount -i m", "fusermount3 -u m", "kill $server"])
    func everyEndMakesTheImage(command: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        #expect(try site.mount().status == 0)
        let server = try #require(Daemon.serving(site.point))
        #expect(try site.change("echo new > new").status == 0)
        let line = command.replacingOccurrences(of: "$server", with: "\(server.id)")
        let ended = try within(60) { () -> Finished? in
            let finished = try run(["sh", "-c", Word(line)], in: scratch.path)
            return finished.status == 0 ? finished : nil
        }
        #expect(ended != nil && server.endsWithin(60))
        try site.expectImage("dir")
        #expect(try site.leftovers() == [])
    }

    /// A second mount of a directory is refused.
    @Test func aSecondMountIsRefused() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        #expect(try site.mount().status == 0)
        let refused = try run(
            [
                Machine.tool("mount.ifs"), "dir", try scratch.directory("m2"), "-o",
                "rw,output=other.ifs",
            ], in: scratch.path)
        #expect(
            refused.description
                == "status 32; mount.ifs: dir: found a mount that changes the directory already\n")
        #expect(try site.umount().status == 0)
    }

    /// Symlinks of a mounted directory lead nowhere that the mount itself would go.
    @Test func aLinkThatLeadsOutsideIsTheReadersOwn() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        try scratch.directory("outside")
        #expect(try run(["ln", "-s", "../outside", site.directory / "out"]).status == 0)
        try scratch.file("b.build", Array("[-followlink]\n".utf8))
        #expect(try site.mount("rw,output=out.ifs,buildfile=b.build").status == 0)
        // The kernel follows it from the mount, where nothing is beside it.
        let seen = try site.change("stat -c '%F %s' out; readlink out; echo x > plain")
        #expect(seen.text == "symbolic link 10\n../outside\n")
        #expect(try site.umount().description == "status 0")
        try site.expectImage("b.build", "dir")
    }

    // MARK: Options

    /// With backup, the old image is kept; with nosave, none is made, and the next mount makes up for it.
    @Test func theImageIsMadeAsItIsTold() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        #expect(try site.mount().status == 0)
        #expect(try site.change("echo one > file").status == 0)
        #expect(try site.umount().status == 0)
        let before = try Calls.contents(site.output)
        #expect(try site.mount("rw,nosave,output=out.ifs").status == 0)
        #expect(try site.change("echo two > file").status == 0)
        #expect(try site.umount().description == "status 0")
        #expect(try Calls.contents(site.output) == before)
        #expect(try Calls.contents(site.directory / "file") == Array("two\n".utf8))
        #expect(try site.leftovers() == [".out.ifs.stage"])
        #expect(try site.mount("rw,backup=.orig,output=out.ifs").status == 0)
        #expect(try site.umount().description == "status 0")
        try site.expectImage("dir")
        #expect(try Calls.contents(scratch / "out.ifs.orig") == before)
        #expect(try site.leftovers() == ["out.ifs.orig"])
    }

    @Test(arguments: [
        ("ro", 36, "dir: found a directory, expected an image, or the option rw"),
        ("rw", 36, "dir: found a directory, expected output= to name its image"),
        ("rw,output=out.ifs,uid=5", 1, "dir: found a directory, and uid= is for an image"),
        ("rw,output=out.ifs,image=2", 1, "dir: found a directory, and image= is for an image"),
        (
            "rw,output=out.ifs,repack_delay=1", 1,
            "dir: found a directory, and repack_delay= is for an image"
        ),
        (
            "rw,output=out.ifs,commit=fsync", 1,
            "dir: found a directory, and commit=fsync is for an image"
        ),
        (
            "rw,output=dir/out.ifs", 1,
            "output: found '$/dir/out.ifs', expected a place outside of 'dir'"
        ),
        (
            "rw,output=out.ifs,stagedir=dir/s", 1,
            "stagedir: found '$/dir/s', expected a place outside of 'dir'"
        ),
        (
            "rw,output=out.ifs,buildfile=none", 1,
            "$/none: cannot open: No such file or directory"
        ),
    ])
    func whatDoesNotFitADirectoryIsRefused(
        options: String, status: Int32, line: String
    ) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let refused = try Site(scratch).mount(Word(options))
        let expected = line.replacingOccurrences(of: "$", with: scratch.path.description)
        #expect(refused.description == "status \(status); mount.ifs: \(expected)\n")
    }

    @Test func aBuildfileIsForADirectory() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.ordinary)
        let refused = try run([
            Machine.tool("mount.ifs"), image, try scratch.directory("m"), "-o",
            "rw,buildfile=b.build",
        ])
        #expect(
            refused.description
                == "status 1; mount.ifs: \(image): found no directory, and buildfile= is for one\n")
    }

    @Test(arguments: ["dir", "dir/below", "."])
    func theMountPointLiesApart(place: Word) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        try scratch.directory("dir/below")
        let refused = try run(
            [Machine.tool("mount.ifs"), "dir", place, "-o", "rw,output=/tmp/none.ifs"],
            in: scratch.path)
        #expect(refused.status == 37)
        #expect(refused.errorText.hasSuffix(": expected a mount point outside of 'dir'\n"))
        _ = site
    }

    // MARK: Ordinary users

    /// What the directory of an ordinary user cannot hold is kept beside it, mount after mount, and is in
    /// the image.
    @Test(.needsSetuidHelper) func whatAUsersDirectoryCannotHoldIsInTheImage() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            mkdir src out look; chown 65534:65534 src out
            tool() { name=$1; shift; $user bash -c 'exec -a "$0" "$@"' "$name" "$tool" "$@"; }
            tool=$1
            echo '[dperms=*]' > b.build
            tool mount.ifs -o rw,output=out/o.ifs,buildfile=b.build src m
            $user sh -ec 'cd m; echo x > file; echo y > other; mkdir d; echo z > d/locked
                chown 0:12 file; chmod 4755 file; chmod 0 d/locked; chmod 0 d; chown -h 5 d
                mv other moved; chown 9 moved; stat -c "%n %a %u %g" file d moved'
            tool umount.ifs m
            stat -c "%n %u" src/file out/.o.ifs.stage
            "$tool" out/o.ifs look
            stat -c "%n %a %u %g" look/file look/d look/d/locked look/moved
            cat look/d/locked
            umount -i look
            tool mount.ifs -o rw,output=out/o.ifs src m
            $user sh -ec 'cd m; stat -c "%n %a %u %g" file; rm file; chown 65534 moved d'
            $user sh -ec 'cd m; rm -r d'
            tool umount.ifs m
            ls -A out
            """
        let found = try Namespace.run(scratch, Namespace.withUsers + script)
        let expected = """
            file 4755 0 12
            d 0 5 65534
            moved 644 9 65534
            src/file 65534
            out/.o.ifs.stage 65534
            look/file 4755 0 12
            look/d 0 5 65534
            look/d/locked 0 65534 65534
            look/moved 644 9 65534
            z
            file 4755 0 12
            o.ifs

            """
        #expect(found.description == "status 0; " + expected)
    }
}
