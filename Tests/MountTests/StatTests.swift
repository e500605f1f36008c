import Foundation
import TestSupport
import Testing

/// What `stat` and `statfs` tell of a mount.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct StatTests {
    /// Type, permission bits, owner, group, size and modification time are those of the image.
    @Test func everyKindIsWhatTheImageSays() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.everyKind)
        for kind in Samples.kinds {
            let found = try Calls.status(mount / kind.path)
            #expect(found.st_mode == kind.mode, "\(kind.path)")
            #expect(found.st_uid == kind.user && found.st_gid == kind.group, "\(kind.path)")
            #expect(found.st_mtim.tv_sec == kind.modified, "\(kind.path)")
            #expect(found.st_mtim.tv_nsec == 0, "\(kind.path)")
            #expect(found.st_ctim.tv_sec == kind.modified, "\(kind.path)")
            #expect(found.st_size == kind.size, "\(kind.path)")
            #expect(found.st_blocks == (kind.size + 511) / 512, "\(kind.path)")
            #expect(UInt(found.st_nlink) == kind.links, "\(kind.path)")
            #expect(found.st_rdev == Self.number(kind.device), "\(kind.path)")
        }
        #expect(try Calls.tree(mount.path).count == Samples.kinds.count - 1)
    }

    /// glibc's `makedev`.
    private static func number(_ device: (major: UInt32, minor: UInt32)) -> UInt64 {
        UInt64(device.major & 0xfff) << 8 | UInt64(device.minor & 0xff)
            | UInt64(device.minor >> 8) << 20
    }

    /// A symbolic link leads where the image says.
    @Test func aLinkLeadsWhereTheImageSays() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.everyKind)
        #expect(try Calls.target(mount / "link") == Array("dir/file".utf8))
        #expect(try Calls.target(mount / "dangling") == Array("/no/such/place".utf8))
        #expect(try Calls.contents(mount / "link") == Array("contents\n".utf8))
        #expect(throws: SystemError(code: ENOENT)) { try Calls.contents(mount / "dangling") }
        #expect(throws: SystemError(code: EINVAL)) { try Calls.target(mount / "setuid") }
    }

    /// Linux takes targets of up to 4095 bytes; a longer one is an error and no harm.
    @Test(arguments: [1, 1023, 4095])
    func aTargetOfAnyLengthThatLinuxKnowsIsRead(length: Int) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let target = [UInt8](repeating: UInt8(ascii: "t"), count: length)
        let mount = try scratch.mount(
            ImageBuilder([
                .symlink("link", to: String(decoding: target, as: UTF8.self)),
                .symlink("long", to: String(repeating: "t", count: 20_000)), .file("file", "x"),
            ]))
        #expect(try Calls.target(mount / "link") == target)
        #expect(try Calls.status(mount / "link").st_size == Int64(length))
        #expect(throws: SystemError(code: EIO)) { try Calls.target(mount / "long") }
        #expect(try Calls.contents(mount / "file") == Array("x".utf8))
    }

    /// The names of one file share its inode number and count as its links.
    @Test func namesOfOneFileShareItsInode() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.everyKind)
        let first = try Calls.status(mount / "first")
        #expect(first.st_ino == (try Calls.status(mount / "second").st_ino))
        let listed = try Calls.entries(mount.path)
        #expect(listed.filter { $0.inode == first.st_ino }.map(\.name) == ["first", "second"])
        #expect(try Calls.contents(mount / "second") == SplitMix64.text(5000))
        let names = try run(["find", mount.path, "-samefile", mount / "first"]).lines
        #expect(names.count == 2)
    }

    /// Inode numbers are the same at every mount of the same bytes, and each node has its own.
    @Test func inodesAreTheSameAtEveryMountAndEachNodesOwn() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        func inodes() throws -> [Word: ino_t] {
            let mount = try scratch.mount(Samples.everyKind)
            let paths = try [""] + Calls.tree(mount.path)
            let found = try Dictionary(
                uniqueKeysWithValues: paths.map { ($0, try Calls.status(mount / $0).st_ino) })
            try mount.unmount()
            return found
        }
        let first = try inodes()
        #expect(first == (try inodes()))
        #expect(first[""] == 1)
        #expect(Set(first.values).count == first.count - 1, "only the hard link shares")
    }

    /// A mount is as large as the unpacked image, and full.
    @Test func statisticsAreThoseOfAFullVolume() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let built = Samples.everyKind.build()
        let mount = try scratch.mount(scratch.file("x.ifs", built.bytes))
        let found = try Calls.statistics(mount.path)
        #expect(UInt(found.f_blocks) * found.f_frsize >= UInt(built.plain.count))
        #expect(UInt(found.f_blocks - 1) * found.f_frsize < UInt(built.plain.count))
        #expect(found.f_bfree == 0 && found.f_bavail == 0 && found.f_ffree == 0)
        #expect(Int(found.f_files) == Samples.kinds.count)
        #expect(found.f_namemax == 255)
        #expect(found.f_flag & UInt(ST_RDONLY) != 0)
        #expect(try run(["df", "-h", mount.path]).status == 0)
    }

    @Test func aNameThatIsNotThereStaysAbsent() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.everyKind)
        for _ in 0..<2 {
            #expect(throws: SystemError(code: ENOENT)) { try Calls.status(mount / "absent") }
            #expect(throws: SystemError(code: ENOENT)) { try Calls.status(mount / "dir/absent") }
        }
        #expect(throws: SystemError(code: ENOTDIR)) { try Calls.status(mount / "setuid/x") }
    }

    @Test func aDirectoryIsReadByNothingButListing() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.everyKind)
        #expect(throws: SystemError(code: EISDIR)) { try Calls.contents(mount / "dir") }
        #expect(throws: SystemError(code: ENOTDIR)) { try Calls.entries(mount / "setuid") }
    }
}
