import Foundation
import TestSupport
import Testing

/// `-u`: the image as it would be stored unpacked, its headers as they are.
struct UnpackTests {
    static let packings: [Packing] = [.none, .zlib(), .lzo(), .ucl()]

    private var builder: ImageBuilder {
        ImageBuilder([
            .file("text", SplitMix64.text(200_000)), .file("noise", SplitMix64.noise(70_000)),
            .symlink("link", to: "text"),
        ]).with { $0.prefix = Array("boot prefix ".utf8) }
    }

    @Test(arguments: packings)
    func prefixAndStartupComeAsTheyAreAndTheImageUnpacked(_ packing: Packing) throws {
        let folder = try TemporaryFolder()
        let image = builder.with { $0.packing = packing }.build()
        try folder.write(image.bytes, to: "x.ifs")
        let outcome = try dumpifs(["-u", "y.ifs", "x.ifs"], in: folder)
        expectSuccess(outcome)
        #expect(outcome.output == [])
        let expected = Array(image.bytes[0..<image.storedOffset]) + image.plain
        #expect(try difference(folder.bytes("y.ifs"), expected) == nil)
        #expect(try folder.names() == ["x.ifs", "y.ifs"])
    }

    @Test(arguments: ["boot-armle-prefixed", "boot-armle-notloaded", "plain", "boot-x86-image"])
    func anImageThatIsNotPackedComesAsItIs(_ name: String) throws {
        let folder = try TemporaryFolder()
        expectSuccess(
            try dumpifs(["-u", "y", Fixtures.golden(name, "expected.ifs").path], in: folder))
        #expect(try difference(folder.bytes("y"), Fixtures.goldenImage(name)) == nil)
    }

    @Test(arguments: ["boot-armle-ucl", "boot-armle-lzo", "boot-ppcbe-zlib", "compress-default"])
    func theVendorsPackedImagesUnpackToWhatTheyHold(_ name: String) throws {
        let folder = try TemporaryFolder()
        let packed = try Fixtures.goldenImage(name)
        expectSuccess(
            try dumpifs(["-u", "y", Fixtures.golden(name, "expected.ifs").path], in: folder))
        let unpacked = try folder.bytes("y")
        let isBigEndian = packed[6] & 2 != 0
        let area = Int(packed.integer(UInt32.self, at: 32, isBigEndian: isBigEndian))
        let size = Int(packed.integer(UInt32.self, at: 44, isBigEndian: isBigEndian))
        #expect(unpacked.count == area + size)
        #expect(difference(unpacked[0..<area], packed[0..<area]) == nil)
        // Read back, the image file system in it is an image of its own.
        let verified = try dumpifs(["--verify", "y"], in: folder)
        expectSuccess(verified)
        #expect(verified.lines.contains { $0.hasPrefix("image cksum: good") })
        #expect(verified.lines.contains("startup cksum: absent"))
        let names = try [Fixtures.golden(name, "expected.ifs").path, "y"].map { image in
            try dumpifs([image], in: folder).lines.drop { !$0.hasSuffix("  Root-dirent") }
                .dropLast().map { String($0.dropFirst(20)) }
        }
        #expect(names[0] == names[1] && names[0].count > 2)
    }

    @Test func aHarmanContainerKeepsItsHeaderToo() throws {
        let folder = try TemporaryFolder()
        let plain = ImageBuilder.bare([.file("a", "x")]).build().plain
        let container = Wrap.hbcifs(plain, .lzo())
        try folder.write(container, to: "x.ifs")
        expectSuccess(try dumpifs(["-u", "y.ifs", "x.ifs"], in: folder))
        #expect(try difference(folder.bytes("y.ifs"), container[0..<64] + plain) == nil)
        let listing = try dumpifs(["y.ifs"], in: folder)
        expectSuccess(listing)
        #expect(listing.lines.contains { $0.hasSuffix("        1  a") })
    }

    @Test func onlyTheChosenImageIsWritten() throws {
        let folder = try TemporaryFolder()
        let first = ImageBuilder([.file("one", "1")]).build().bytes
        let second = ImageBuilder([.file("two", "22")]).with { $0.prefix = [1, 2, 3, 4] }.build()
        try folder.write(first + [9, 9, 9, 9] + second.bytes + [8, 8], to: "x.ifs")
        let outcome = try dumpifs(["--image", "2", "-u", "y.ifs", "x.ifs"], in: folder)
        #expect(outcome.end == .exit(0))
        #expect(try difference(folder.bytes("y.ifs"), second.bytes) == nil)
    }

    // MARK: The file that is written

    @Test func aNewFileHasThePermissionsThatTheMaskLeaves() throws {
        let folder = try TemporaryFolder()
        let image = Fixtures.golden("plain", "expected.ifs").path
        var child = Child([
            "sh", "-c", "umask 027; exec \"$@\"", "sh", Tool.dumpifs, "-u", "y", image,
        ])
        child.folder = folder.url
        expectSuccess(try child.run())
        #expect(try folder.node("y").permissions == 0o640)
    }

    @Test func aFileIsReplacedOnlyByAWholeOne() throws {
        let folder = try TemporaryFolder()
        let image = builder.with { $0.packing = .ucl() }.build().bytes
        try folder.write(Array(image.dropLast(40_000)), to: "cut.ifs")
        try folder.write(image, to: "whole.ifs")
        try folder.write(Array("precious".utf8), to: "y")
        let cut = try dumpifs(["-u", "y", "cut.ifs"], in: folder)
        #expect(cut.end == .exit(1))
        #expect(try folder.bytes("y") == Array("precious".utf8))
        #expect(try folder.names() == ["cut.ifs", "whole.ifs", "y"])
        expectSuccess(try dumpifs(["-u", "y", "whole.ifs"], in: folder))
        #expect(try folder.bytes("y").count > 270_000)
        #expect(try folder.names() == ["cut.ifs", "whole.ifs", "y"])
    }

    @Test func theImageItselfCanBeTheTarget() throws {
        let folder = try TemporaryFolder()
        let image = builder.with { $0.packing = .lzo() }.build()
        try folder.write(image.bytes, to: "x.ifs")
        expectSuccess(try dumpifs(["-u", "x.ifs", "x.ifs"], in: folder))
        let expected = Array(image.bytes[0..<image.storedOffset]) + image.plain
        #expect(try difference(folder.bytes("x.ifs"), expected) == nil)
    }

    @Test func aLinkIsFollowedAndStays() throws {
        let folder = try TemporaryFolder()
        try folder.write([1], to: "file")
        symlink("file", folder.path("link"))
        let image = try Fixtures.goldenImage("mtime")
        try folder.write(image, to: "x.ifs")
        expectSuccess(try dumpifs(["-u", "link", "x.ifs"], in: folder))
        #expect(try folder.node("link").text == "file")
        #expect(try folder.bytes("file") == image)
    }

    @Test func whatIsNoFileIsWrittenToAndNotReplaced() throws {
        let folder = try TemporaryFolder()
        mkfifo(folder.path("pipe"), 0o600)
        let image = Fixtures.golden("plain", "expected.ifs").path
        var child = Child([
            "sh", "-c", "cat pipe > y & \"$@\" && wait", "sh", Tool.dumpifs, "-u", "pipe", image,
        ])
        child.folder = folder.url
        expectSuccess(try child.run())
        #expect(try folder.node("pipe").type == S_IFIFO)
        #expect(try difference(folder.bytes("y"), Fixtures.goldenImage("plain")) == nil)
    }

    @Test func aDeviceThatTakesNothingFails() throws {
        let image = Fixtures.golden("plain", "expected.ifs").path
        expectFailure(
            try dumpifs(["-u", "/dev/full", image]),
            saying: ["dumpifs: /dev/full: cannot write: No space left on device"])
        #expect(try Node("/dev/full").type == S_IFCHR)
    }

    @Test func whatWasThereKeepsItsPermissionsButNoSetIDBits() throws {
        let folder = try TemporaryFolder()
        for (mode, kept) in [(0o600, 0o600), (0o4755, 0o755)] as [(mode_t, UInt32)] {
            try folder.write([1], to: "y")
            chmod(folder.path("y"), mode)
            expectSuccess(
                try dumpifs(["-u", "y", Fixtures.golden("fifo", "expected.ifs").path], in: folder))
            #expect(try folder.node("y").permissions == kept)
        }
    }

    @Test(arguments: ["| cat >> y", ">> y"])
    func standardOutputIsWrittenToWhereItStands(_ redirection: String) throws {
        let folder = try TemporaryFolder()
        let image = Fixtures.golden("plain", "expected.ifs").path
        try folder.write([1, 2, 3], to: "y")
        var child = Child([
            "sh", "-c", "\"$0\" -u /dev/stdout \"$1\" \(redirection)", Tool.dumpifs, image,
        ])
        child.folder = folder.url
        expectSuccess(try child.run())
        let expected = [1, 2, 3] + (try Fixtures.goldenImage("plain"))
        #expect(try difference(folder.bytes("y"), expected) == nil)
    }

    @Test func whereNoFileCanBeMadeTheTargetIsNamed() throws {
        let folder = try TemporaryFolder()
        let image = Fixtures.golden("plain", "expected.ifs").path
        expectFailure(
            try dumpifs(["-u", "no/such/y", image], in: folder),
            saying: ["dumpifs: no/such/y: cannot make: No such file or directory"])
        expectFailure(
            try dumpifs(["-u", ".", image], in: folder),
            saying: ["dumpifs: .: cannot open: Is a directory"])
    }

    @Test(.enabled(if: Tool.canMountPrivately, "no private mounts here"))
    func onAFullFileSystemNothingIsLeft() throws {
        let folder = try TemporaryFolder()
        try folder.write(builder.build().bytes, to: "x.ifs")
        mkdir(folder.path("small"), 0o755)
        var child = Child([
            "unshare", Tool.isRoot ? "-m" : "-rm", "sh", "-c",
            """
            mount -t tmpfs -o size=64k none small || exit 99
            "$0" -u small/y x.ifs; status=$?; ls -A small; exit $status
            """, Tool.dumpifs,
        ])
        child.folder = folder.url
        let outcome = try child.run()
        expectFailure(
            outcome, saying: ["dumpifs: small/y: cannot write: No space left on device"])
        #expect(outcome.text == "")
    }
}
