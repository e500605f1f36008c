import Foundation
import TestSupport
import Testing

/// Mount options, each by what it does.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct OptionTests {
    private static let other: [Word] = [
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
    ]

    // MARK: Who sees what

    /// Only the user who mounted sees anything, unless others are allowed.
    @Test(.needsRoot)
    func othersSeeNothingUnlessAllowed() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.ordinary)
        let found = try run(Self.other + ["ls", mount.path])
        #expect(found.status != 0 && found.errorText.contains("Permission denied"))
    }

    /// Others who are allowed are held to the modes of the files.
    ///
    /// `allow_other` brings the kernel's own check of the modes with it.
    @Test(.needsRoot)
    func othersAreHeldToTheModes() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let entries: [ImageEntry] = [
            .file("open", "o", permissions: 0o644), .file("closed", "c", permissions: 0o640),
            .file("theirs", "t", permissions: 0o600).with { $0.user = 65534 },
            .file("group", "g", permissions: 0o040).with { $0.group = 65534 },
            .directory("shut", permissions: 0o700), .file("shut/file", "s"),
            .file("run", "#!/bin/sh\necho ran\n", permissions: 0o755),
            .file("norun", "#!/bin/sh\necho ran\n", permissions: 0o744),
        ]
        let mount = try scratch.mount(ImageBuilder(entries), "allow_other")
        func reads(_ name: Word) throws -> Bool {
            try run(Self.other + ["cat", mount / name]).status == 0
        }
        #expect(try reads("open") && !reads("closed") && reads("theirs") && reads("group"))
        #expect(try !reads("shut/file"))
        #expect(try run(Self.other + ["ls", mount / "shut"]).status != 0)
        // Through a shell, since setpriv itself still has root's powers when it starts a command.
        func runs(_ name: Word) throws -> Bool {
            try run(Self.other + ["sh", "-c", "exec \"$0\"", mount / name]).text == "ran\n"
        }
        #expect(try runs("run") && !runs("norun"))
        #expect(try Calls.contents(mount / "closed") == Array("c".utf8))
        let options = try #require(MountLine.on(mount.path).last).superOptions
        #expect(options.contains("allow_other") && options.contains("default_permissions"))
    }

    @Test func ownersAreThoseAskedFor() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.everyKind, "uid=4242", "gid=4294967294")
        for path in try [""] + Calls.tree(mount.path) {
            let found = try Calls.status(mount / path)
            #expect(found.st_uid == 4242 && found.st_gid == 4_294_967_294, "\(path)")
        }
    }

    @Test(arguments: [0o022, 0o7777, 0o77])
    func aMaskTakesBitsFromAllButLinks(mask: UInt32) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.everyKind, Word("umask=" + String(mask, radix: 8)))
        for kind in Samples.kinds {
            // Not even root looks into a directory that nobody may enter.
            guard let found = try? Calls.status(mount / kind.path) else {
                #expect(mask & 0o111 == 0o111)
                continue
            }
            let isLink = kind.mode & S_IFMT == S_IFLNK
            #expect(found.st_mode == (isLink ? kind.mode : kind.mode & ~mask), "\(kind.path)")
        }
    }

    // MARK: Which image

    @Test(arguments: ["offset=5000", "offset=0x1388", "offset=4k", "offset=1"])
    func theImageIsFoundFromTheOffsetOn(option: Word) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let file = SplitMix64.noise(5000) + Samples.ordinary.build().bytes + SplitMix64.noise(999)
        let mount = try scratch.mount(scratch.file("flash.bin", file), option)
        #expect(try Calls.contents(mount / "etc/hosts").count == 20)
    }

    @Test func theImageAskedForIsTheOneMounted() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let images = (1...3).map { number in
            ImageBuilder([.file("which", "\(number)")]).build().bytes
        }
        let gap = [UInt8](repeating: 0xff, count: 4096)
        let file = try scratch.file("flash.bin", images[0] + gap + images[1] + gap + images[2])
        for number in 1...3 {
            let mount = try scratch.mount(file, "image=\(number)")
            #expect(try Calls.contents(mount / "which") == Array("\(number)".utf8))
            try mount.unmount()
        }
        let second = try scratch.mount(file, "offset=\(images[0].count)", "image=2")
        #expect(try Calls.contents(second / "which") == Array("3".utf8))
    }

    /// A small cache, or none, costs time and no byte.
    @Test(
        arguments: [.zlib(), .lzo(isFast: true), .ucl(level: 1)] as [Packing],
        ["cache=0", "cache=64k", "cache=1M", "cache=0x100"])
    func aSmallCacheReadsRight(packing: Packing, option: Word) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (image, file) = Samples.large(1_300_000, packing)
        let mount = try scratch.mount(scratch.image(image), option)
        #expect(difference(try Calls.contents(mount / "file"), file) == nil)
    }

    // MARK: Words of mount(8) and fstab

    /// Options of every file system are taken, whether they mean something here or not.
    @Test(arguments: [
        "suid", "nosuid", "dev", "nodev", "exec", "noexec", "atime", "noatime", "diratime",
        "nodiratime", "relatime", "norelatime", "strictatime", "nostrictatime", "lazytime", "sync",
        "async", "dirsync",
        "defaults", "auto", "noauto", "user", "nouser", "users", "nousers", "group", "nogroup",
        "owner", "noowner", "nofail", "_netdev", "loop", "uhelper=udisks2", "x-systemd.automount",
        "x-foo=1",
        "ro", ",,ro,", "nofail,,noatime",
    ])
    func aWordOfFstabIsTaken(option: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.everyKind, Word(option))
        let options = try #require(MountLine.on(mount.path).last).options
        if ["noexec", "noatime", "nosuid", "nodev"].contains(option) {
            #expect(options.contains(option))
        }
        #expect(try mount.unmount().description == "status 0")
    }

    static let commandLines = [
        "IMAGE DIR -n -v -o rw,noatime,nofail,_netdev,user,x-foo=1 -F",
        "-F -o ro IMAGE DIR", "-Fo ro IMAGE DIR", "IMAGE -F DIR -oro,nosuid", "-F -- IMAGE DIR",
        "IMAGE DIR -F -s -o frobnicate=7,ro", "IMAGE DIR -sFnr", "-r -F IMAGE DIR",
        "IMAGE DIR -o uid=1,uid=0 -o ro -o foreground",
    ]

    @Test(arguments: commandLines)
    func optionsStandWhereTheyLike(line: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.everyKind)
        let point = try scratch.directory("m")
        let words = line.split(separator: " ").map { word -> Word in
            word == "IMAGE" ? image : word == "DIR" ? point : Word(String(word))
        }
        let server = try Running([Machine.tool("mount.ifs")] + words)
        defer { server.end() }
        let isUp = try within(60) { try MountLine.on(point).isEmpty ? nil : true }
        #expect(isUp == true, "\(String(describing: server.poll()))")
        #expect(try Calls.contents(point / "setuid") == Array("set".utf8))
        server.send(SIGTERM)
        #expect(try server.wait(60).status == 0)
    }

    /// mount(8) runs a helper with -f where nothing is to be done.
    @Test(arguments: [
        "IMAGE DIR -f", "IMAGE DIR -f -o rw", "-fnv IMAGE DIR -o rw,nofail", "none none -f",
    ])
    func aFakeMountDoesNothing(line: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.everyKind)
        let point = try scratch.directory("m")
        let words = line.split(separator: " ").map { word -> Word in
            word == "IMAGE" ? image : word == "DIR" ? point : Word(String(word))
        }
        #expect(try run([Machine.tool("mount.ifs")] + words).description == "status 0")
        #expect(try MountLine.on(point).isEmpty && Daemon.serving(point) == nil)
    }

    @Test func mountFuseIfsIsTheSameTool() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.everyKind)
        let point = try scratch.directory("m")
        #expect(try run([Machine.tool("mount.fuse.ifs"), image, point]).description == "status 0")
        #expect(try Calls.contents(point / "setuid") == Array("set".utf8))
        let daemon = try #require(Daemon.serving(point))
        try unmount(point)
        #expect(daemon.endsWithin(60))
        let called = try run([Machine.tool("ifsfs"), image, point])
        #expect(called.status == 1)
        #expect(called.errorText.contains("expected one of: mount.ifs, mount.fuse.ifs"))
    }
}
