import Foundation
import TestSupport
import Testing

/// Attributes of what is on a writable mount.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct AttributeChangeTests {
    private func failure(_ path: Word, _ call: (UnsafePointer<CChar>) -> Int32) -> Int32? {
        path.withCString { path in Calls.failure { call(path) }?.code }
    }

    @Test func permissionsAreSeenAtOnce() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", [1])
        for mode: mode_t in [0o600, 0o777, 0, 0o1444] {
            #expect(failure(path) { chmod($0, mode) } == nil)
            #expect(try Calls.status(path).st_mode == S_IFREG | mode)
        }
        #expect(failure(mount / "linked") { chmod($0, 0o2700) } == nil)
        #expect(try Calls.status(mount / "linked").st_mode == S_IFDIR | 0o2700)
    }

    @Test(.needsRoot) func ownersAreSeenAtOnce() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", [1])
        #expect(failure(path) { chown($0, 5, .max) } == nil)
        #expect(failure(path) { chown($0, .max, 1_234_567) } == nil)
        let found = try Calls.status(path)
        #expect(found.st_uid == 5 && found.st_gid == 1_234_567)
    }

    // MARK: Times

    private func set(_ path: Word, _ access: timespec, _ modification: timespec) -> Int32? {
        failure(path) { utimensat(AT_FDCWD, $0, [access, modification], 0) }
    }

    private let omitted = timespec(tv_sec: 0, tv_nsec: 0x3fff_fffe)  // UTIME_OMIT
    private let now = timespec(tv_sec: 0, tv_nsec: 0x3fff_ffff)  // UTIME_NOW

    @Test func timesAreKeptInSeconds() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", [1])
        for seconds in [0, 77, 1_111_111_111, 4_294_967_295] {
            #expect(set(path, omitted, timespec(tv_sec: seconds, tv_nsec: 999_999_999)) == nil)
            let found = try Calls.status(path).st_mtim
            #expect(found.tv_sec == seconds && found.tv_nsec == 0)
        }
        for seconds in [-1, 4_294_967_296] {
            #expect(set(path, omitted, timespec(tv_sec: seconds, tv_nsec: 0)) == EOVERFLOW)
        }
        #expect(try Calls.status(path).st_mtim.tv_sec == 4_294_967_295)
    }

    @Test func timesOfAccessAreAcceptedAndDropped() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", [1])
        #expect(set(path, omitted, timespec(tv_sec: 77, tv_nsec: 0)) == nil)
        #expect(set(path, timespec(tv_sec: 5, tv_nsec: 0), omitted) == nil)
        #expect(set(path, now, omitted) == nil)
        let found = try Calls.status(path)
        #expect(found.st_mtim.tv_sec == 77 && found.st_atim.tv_sec == 77)
    }

    @Test func nowIsNow() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", [1])
        let start = time(nil)
        #expect(set(path, omitted, timespec(tv_sec: 77, tv_nsec: 0)) == nil)
        #expect(set(path, now, now) == nil)
        let found = try Calls.status(path).st_mtim.tv_sec
        #expect(start <= found && found <= time(nil))
    }

    /// Whatever changes a file's bytes changes its time, and that shows at once.
    @Test(arguments: ["write", "append", "truncate", "open"])
    func aChangeOfTheBytesIsSeenInTheTime(how: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", [1])
        #expect(set(path, omitted, timespec(tv_sec: 77, tv_nsec: 0)) == nil)
        #expect(try Calls.status(path).st_mtim.tv_sec == 77)
        switch how {
        case "write": try mount.write("file", [2, 3], 0)
        case "append": try mount.write("file", [3], O_APPEND)
        case "truncate": #expect(failure(path) { truncate($0, 2) } == nil)
        default: try WritableMount.opened(path, O_WRONLY | O_TRUNC) { _ in }
        }
        let found = try Calls.status(path)
        #expect(found.st_size == (how == "open" ? 0 : 2))
        #expect(abs(found.st_mtim.tv_sec - time(nil)) < 60)
        // And who closed the file, has not changed it.
        #expect(set(path, omitted, timespec(tv_sec: 77, tv_nsec: 0)) == nil)
        _ = try Calls.contents(path)
        #expect(try Calls.status(path).st_mtim.tv_sec == 77)
    }

    @Test func aChangeOfItsEntriesIsSeenInADirectorysTime() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = mount / "d"
        #expect(failure(path) { mkdir($0, 0o755) } == nil)
        let changes: [() throws -> Void] = [
            { try mount.write("d/a", [1]) }, { _ = mount.rename("d/a", "d/b") },
            { _ = failure(path / "b") { unlink($0) } },
        ]
        for change in changes {
            #expect(set(path, omitted, timespec(tv_sec: 77, tv_nsec: 0)) == nil)
            #expect(try Calls.status(path).st_mtim.tv_sec == 77)
            try change()
            #expect(try Calls.status(path).st_mtim.tv_sec != 77)
        }
    }

    @Test func cpKeepsWhatItIsToldToKeep() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let script: Word = """
            show() {
                cd "$1"; find . -mindepth 1 -printf '%P %y %m %U %G %s %T@ %l\\n' | sort
                getfattr -d a; cd - > /dev/null
            }
            cd "$1"; mkdir from; echo 1 > from/a; ln -s a from/l; mkdir from/d; mkfifo from/d/f
            setfattr -n user.note -v word from/a
            chmod 4711 from/a; chmod 2755 from/d; touch -d @77 from/a; touch -hd @78 from/l
            touch -d @76 from/d/f; chmod 0 from/d/f
            cp -a from "$2/to"
            show from | sed '/^d d/s/ [0-9]* [0-9.]* $//' > one
            show "$2/to" | sed '/^d d/s/ [0-9]* [0-9.]* $//' > two
            cmp one two; grep -q word two; grep -c . two
            """
        let done = try shell(script, scratch.directory("other"), mount.path)
        #expect(done.status == 0, "\(done)")
    }

    // MARK: setuid and setgid

    /// Who may keep the bits, the kernel knows: root when it writes, nobody when the owner changes.
    @Test(.needsRoot) func setuidIsLostByAWriteOfOthersAndByAnotherOwner() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch, "allow_other")
        func mode(_ path: Word) throws -> mode_t { try Calls.status(path).st_mode & 0o7777 }
        let path = try mount.write("file", [1, 2, 3])
        #expect(failure(path) { chmod($0, 0o6777) } == nil)
        try mount.write("file", [4], 0)
        #expect(try mode(path) == 0o6777)
        let others: [Word] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        for change: [Word] in [["sh", "-c", "echo 5 > $1", "sh"], ["truncate", "-s2"]] {
            #expect(failure(path) { chmod($0, 0o6777) } == nil)
            #expect(try mode(path) == 0o6777)
            #expect(try run(others + change + [path]).status == 0)
            #expect(try mode(path) == 0o777, "\(change)")
        }
        #expect(failure(path) { chmod($0, 0o6755) } == nil)
        #expect(failure(path) { chown($0, 7, .max) } == nil)
        #expect(try mode(path) == 0o755)
        // Without the group's x it is a mark for locks and no right.
        #expect(failure(path) { chmod($0, 0o2745) } == nil)
        #expect(failure(path) { chown($0, 8, .max) } == nil)
        #expect(try mode(path) == 0o2745)
    }

    @Test(.needsRoot) func aSetgidDirectoryHandsDownItsGroup() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let script: Word = """
            cd "$1"; umask 022; mkdir plain group; chown 3:4 plain group; chmod 2775 group
            for d in plain group; do
                cd $d; mkdir d; touch f; ln -s x l; mkfifo p; mknod c c 1 3; mkdir d/d; cd ..
            done
            find plain group -mindepth 1 -printf '%p %m %U:%G\\n' | sort
            """
        let shown = try shell(script, mount.path)
        #expect(
            shown.lines == [
                "group/c 644 0:4", "group/d 2755 0:4", "group/d/d 2755 0:4", "group/f 644 0:4",
                "group/l 777 0:4", "group/p 644 0:4", "plain/c 644 0:0", "plain/d 755 0:0",
                "plain/d/d 755 0:0", "plain/f 644 0:0", "plain/l 777 0:0", "plain/p 644 0:0",
            ], "\(shown)")
    }

    /// With other users about, the kernel holds everybody to the modes.
    @Test(.needsRoot) func othersOwnWhatTheyMakeAndAreHeldToTheModes() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch, "allow_other")
        #expect(failure(mount.path) { chmod($0, 0o1777) } == nil)
        try mount.write("mine", [1])
        let script: Word = """
            cd "$1"; touch theirs; mkdir dir; stat -c %u:%g theirs dir
            set +e; rm -f mine; echo x > mine; chmod 777 mine; touch linked/x
            """
        let user: [Word] = ["setpriv", "--reuid=65533", "--regid=65532", "--clear-groups"]
        let done = try run(user + ["bash", "-euc", script, "test", mount.path])
        #expect(done.lines == ["65533:65532", "65533:65532"])
        #expect(done.errorText.split(separator: "\n").count == 4, "\(done)")
        #expect(try Set(mount.names()) == ["mine", "theirs", "dir"])
        #expect(try Calls.contents(mount / "mine") == [1])
    }

    // MARK: Extended attributes

    @Test func extendedAttributesComeAndGo() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", [1])
        func set(_ name: String, _ value: [UInt8], _ flags: Int32 = 0) -> Int32? {
            failure(path) { setxattr($0, name, value, value.count, flags) }
        }
        #expect(set("user.a", [1], Linux.onlyPresent) == ENODATA)
        #expect(set("user.a", [1], Linux.onlyNew) == nil)
        #expect(set("user.a", [2], Linux.onlyNew) == EEXIST)
        #expect(set("user.a", [0, 2], Linux.onlyPresent) == nil)
        #expect(try Calls.attribute("user.a", of: path) == [0, 2])
        #expect(set("user.b", []) == nil)
        #expect(set("user.c", [UInt8](repeating: 5, count: 65536)) == nil)
        #expect(try Calls.attribute("user.c", of: path).count == 65536)
        #expect(try Calls.attributeNames(path) == ["user.a", "user.b", "user.c"])
        #expect(failure(path) { removexattr($0, "user.a") } == nil)
        #expect(failure(path) { removexattr($0, "user.a") } == ENODATA)
        #expect(try Calls.attributeNames(path) == ["user.b", "user.c"])
        #expect(set("user.a", [1], 4) == EINVAL)
    }

    /// An access control list of `(tag, mode)`. Source: Linux `include/uapi/linux/posix_acl_xattr.h`.
    private func list(_ entries: [(UInt8, UInt8)]) -> [UInt8] {
        [2, 0, 0, 0]
            + entries.flatMap { [$0.0, 0, $0.1, 0] + [UInt8](repeating: 0xff, count: 4) }
    }

    /// An access control list that says no more than a mode sets it, and no other is taken.
    @Test func anAccessControlListThatIsAModeSetsIt() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", [1])
        let name = "system.posix_acl_access"
        func set(_ value: [UInt8]) -> Int32? {
            failure(path) { setxattr($0, name, value, value.count, 0) }
        }
        func mode() throws -> UInt32 { try Calls.status(path).st_mode & 0o7777 }
        #expect(try mode() == 0o644)
        #expect(set(list([(1, 7), (4, 5), (0x20, 1)])) == nil)
        #expect(try mode() == 0o751)
        #expect(set(list([(1, 6), (4, 0), (0x20, 4)])) == nil)
        #expect(try mode() == 0o604)
        #expect(try Calls.attributeNames(path) == [])
        // One that names a group as well, with its mask.
        var more = list([(1, 6), (4, 4), (8, 7), (0x10, 7), (0x20, 4)])
        more.replaceSubrange(24..<28, with: [1, 0, 0, 0])
        #expect(set(more) == EOPNOTSUPP)
        #expect(chmod(path.description, 0o2750) == 0)
        #expect(set(list([(1, 7), (4, 7), (0x20, 7)])) == EOPNOTSUPP)
        #expect(try mode() == 0o2750)
        for gone in [name, "system.posix_acl_default"] {
            let directory = mount.path
            #expect(failure(directory) { removexattr($0, gone) } == nil, "\(gone)")
        }
        #expect(try mode() == 0o2750)
    }

    @Test(.needsRoot) func otherNameSpacesAreNotSupported() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", [1])
        for name in ["trusted.x", "security.x", "user.\u{1}"] {
            let code = failure(path) { setxattr($0, name, [1], 1, 0) }
            #expect(code == (name.hasPrefix("user.") ? nil : EOPNOTSUPP), "\(name)")
        }
    }

    /// It would be listed as another.
    @Test func aNameThatIsNoTextIsNotSupported() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", [1])
        let name = Word(Array("user.".utf8) + [0xff])
        let codes = name.withCString { name in
            [
                failure(path) { setxattr($0, name, [1], 1, 0) },
                failure(path) { removexattr($0, name) },
            ]
        }
        #expect(codes == [EOPNOTSUPP, EOPNOTSUPP])
        #expect(try Calls.attributeNames(path) == [])
    }
}
