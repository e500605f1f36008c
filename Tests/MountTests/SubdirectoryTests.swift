import Foundation
import TestSupport
import Testing

/// `subdir=`: a directory of the image as the root of the mount.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct SubdirectoryTests {
    private static let image = ImageBuilder([
        .directory("a", permissions: 0o750).with {
            ($0.user, $0.group, $0.modified) = (7, 8, 1_000_000_000)
        },
        .directory("a/b"), .file("a/b/c", "deep"), .file("a/file", "in a"),
        .symlink("a/up", to: "../top"), .symlink("tolink", to: "a"), .file("top", "top"),
        .file("unlisted/x/y", "y"),
    ])

    private static let tree: [Word] = ["b", "b/c", "file", "up"]

    private func sorted(_ words: [Word]) -> [Word] {
        words.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }

    /// With subdir, a directory of the image is the root of the tree.
    @Test(arguments: ["a", "/a", "a/", "//a//"])
    func theDirectoryIsTheRoot(path: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Self.image, Word("subdir=" + path))
        #expect(try sorted(Calls.tree(mount.path)) == Self.tree)
        let root = try Calls.status(mount.path)
        #expect(root.st_ino == 1 && root.st_mode == S_IFDIR | 0o750 && root.st_nlink == 3)
        #expect(root.st_uid == 7 && root.st_gid == 8 && root.st_mtim.tv_sec == 1_000_000_000)
        #expect(try Calls.contents(mount / "b/c") == Array("deep".utf8))
        #expect(try Calls.target(mount / "up") == Array("../top".utf8))
        #expect(throws: SystemError(code: ENOENT)) { try Calls.status(mount / "top") }
    }

    @Test(arguments: ["a/b", "/a//b/"])
    func aPathOfSeveralComponentsLeadsDown(path: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Self.image, Word("subdir=" + path))
        #expect(try Calls.names(mount.path) == ["c"])
        #expect(try Calls.contents(mount / "c") == Array("deep".utf8))
    }

    @Test(arguments: ["subdir=", "subdir=/", "subdir=//", "subdir=a,subdir="])
    func noComponentMeansTheWholeTree(option: Word) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Self.image, option)
        #expect(try Calls.names(mount.path) == ["a", "tolink", "top", "unlisted"])
    }

    @Test func aDirectoryThatIsNotListedCanBeTheRoot() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Self.image, "subdir=unlisted")
        #expect(try sorted(Calls.tree(mount.path)) == ["x", "x/y"])
        #expect(try Calls.status(mount.path).st_mode == S_IFDIR | 0o555)
    }

    /// Bytes that are no text name a directory as well.
    @Test func aNameThatIsNoTextIsFound() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.everyKind, "subdir=" + Samples.strangeName)
        #expect(try Calls.names(mount.path) == [Samples.strangeName])
    }

    /// The directory's number becomes 1; all other nodes keep theirs.
    @Test func numbersAreThoseOfTheWholeTree() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Self.image)
        let whole = try scratch.mount(image, at: "whole")
        let mount = try scratch.mount(image, "subdir=a")
        for path in Self.tree {
            #expect(
                try Calls.status(mount / path).st_ino == Calls.status(whole / "a" / path).st_ino)
        }
        let listed = try Calls.entries(mount.path)
        for name in [".", ".."] as [Word] {
            #expect(listed.first { $0.name == name }?.inode == 1, "\(name)")
        }
        let below = try Calls.entries(mount / "b")
        #expect(below.first { $0.name == ".." }?.inode == 1)
        #expect(
            try below.first { $0.name == "." }?.inode == UInt64(Calls.status(mount / "b").st_ino))
        #expect(try Calls.status(mount / "b/..").st_ino == 1)
        #expect(try Calls.contents(mount / "b/../file") == Array("in a".utf8))
    }

    /// What is told of the image is told of whatever is the root; the rest is the directory's own.
    @Test func theRootStillTellsOfTheImage() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Self.image)
        let whole = try scratch.mount(image, at: "whole")
        let mount = try scratch.mount(image, "subdir=a,xattr")
        for name in ["user.ifs.info", "user.ifs.mountpoint"] {
            #expect(
                try Calls.attribute(name, of: mount.path) == Calls.attribute(name, of: whole.path))
        }
        #expect(try Calls.attribute("user.ifs.inode", of: mount.path) == Array("0x2".utf8))
        #expect(try Calls.attribute("user.ifs.mode", of: mount.path) == Array("040750".utf8))
        let names = try Calls.attributeNames(mount.path)
        #expect(Set(names).count == names.count && names.contains("user.ifs.info"), "\(names)")
        #expect(throws: SystemError(code: ENODATA)) {
            try Calls.attribute("user.ifs.info", of: mount / "b")
        }
    }

    @Test func ownersAndMasksHoldThereToo() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Self.image, "subdir=a", "uid=99", "dmask=050", "fmask=04")
        let root = try Calls.status(mount.path)
        #expect(root.st_mode == S_IFDIR | 0o700 && root.st_uid == 99 && root.st_gid == 8)
        #expect(try Calls.status(mount / "file").st_mode == S_IFREG | 0o640)
    }

    @Test(arguments: [
        ("none", "nothing"), ("a/none/b", "nothing"), ("top", "no directory"),
        ("/a/file/", "no directory"), ("top/x", "nothing"), ("tolink", "no directory"),
        ("tolink/b", "nothing"), ("a/..", "nothing"), (".", "nothing"),
    ])
    func whatIsNoDirectoryOfTheImageIsRefused(path: String, found: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Self.image)
        let point = try scratch.directory("m")
        let finished = try run([
            Machine.tool("mount.ifs"), image, point, "-o", Word("subdir=" + path),
        ])
        #expect(finished.status == 38)
        #expect(
            finished.errorText
                == "mount.ifs: \(image): subdir: found \(found) at '\(path)',"
                + " expected a directory of the image\n")
        #expect(try MountLine.on(point).isEmpty)
    }
}
