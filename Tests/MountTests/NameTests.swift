import Foundation
import TestSupport
import Testing

/// Names of images and mount points, as they are given and as mount tables show them.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct NameTests {
    static let names: [Word] = [
        "plain.ifs", "two words.ifs", "comma,fsname=evil,ro.ifs", "back\\slash.ifs",
        "tab\tnew\nline",
        "equals=x", "-dash", "quote'\"$(id)", "#hash", "\u{e9}\u{4e2d}", "\\,", ",",
        Word([0xff, 0x80, 0x2c, 0x5c, 0xc3]), Word([UInt8](repeating: 0x61, count: 255)),
    ]

    @Test(arguments: names)
    func anImageOfAnyNameIsShownByIt(name: Word) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.everyKind, name)
        let mount = try scratch.mount(image)
        let line = try #require(MountLine.on(mount.path).last)
        #expect(line.source == image)
        #expect(line.type == "fuse.ifs")
        #expect(line.superOptions.contains("ro") && !line.superOptions.contains("rw"))
        #expect(try Calls.contents(mount / "setuid") == Array("set".utf8))
        #expect(try mount.unmount().description == "status 0")
    }

    @Test(arguments: names)
    func aMountPointMayHaveAnyName(name: Word) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(scratch.image(Samples.everyKind), at: name)
        #expect(try Calls.contents(mount / "setuid") == Array("set".utf8))
        #expect(try mount.unmount().description == "status 0")
    }

    @Test(arguments: ["", "-F"] as [Word])
    func relativePathsAreThoseOfTheCaller(letter: Word) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        try scratch.image(Samples.everyKind)
        try scratch.directory("sub")
        let point = try scratch.directory("m")
        let words: [Word] = [Machine.tool("mount.ifs"), "../x.ifs", "../m"]
        let started = try Running(
            words + (letter.bytes.isEmpty ? [] : [letter]), in: scratch / "sub")
        defer { started.end() }
        let found = try within(60) { try MountLine.on(point).last }
        #expect(try #require(found).source == scratch / "x.ifs")
        #expect(try Calls.contents(point / "setuid") == Array("set".utf8))
        if letter.bytes.isEmpty { #expect(try started.wait(60).status == 0) }
        try unmount(point)
        #expect(try started.wait(60).status == 0)
    }

    @Test func linksToTheImageAndTheMountPointAreFollowed() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.everyKind)
        let point = try scratch.directory("m")
        _ = (scratch / "x.link").withCString { symlink("x.ifs", $0) }
        _ = (scratch / "m.link").withCString { symlink("m", $0) }
        let words = [Machine.tool("mount.ifs"), scratch / "x.link", scratch / "m.link"]
        #expect(try run(words).description == "status 0")
        #expect(try #require(MountLine.on(point).last).source == image)
        #expect(try Calls.contents(scratch / "m.link/setuid") == Array("set".utf8))
    }

    @Test func anImageFromAPipeIsMounted() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let point = try scratch.directory("m")
        let started = try shell(
            "cat \"$2\" | \"$1\" - \"$3\"", Machine.tool("mount.ifs"),
            scratch.image(Samples.everyKind), point)
        #expect(started.description == "status 0")
        #expect(try #require(MountLine.on(point).last).source == "-")
        #expect(try Calls.contents(point / "setuid") == Array("set".utf8))
    }
}
