import Foundation
import TestSupport
import Testing

/// Owners, permissions and times of entries: F076, F081 to F083, F108 to F111, F118 to F122.
struct MkifsModeTests {
    /// The mode of an entry `x`, made of a host file of this mode.
    private func mode(
        _ attribute: String, host: mode_t = 0o640, _ line: String = "x=./host"
    ) throws -> String? {
        let board = try Board()
        try board.write("x", to: "host", mode: host)
        try board.directory("tree", mode: host)
        chmod(board.folder.path("host"), host)
        return try board.image("[\(attribute)] \(line)\n")["x"]["mode"].text
    }

    // MARK: Permissions

    @Test(arguments: [
        ("perms=0", "00"), ("perms=755", "0755"), ("perms=04711", "04711"),
        ("perms=7777", "07777"), ("perms=*", "0640"), ("", "0640"),
    ])
    func permissionsAreANumberOrTheHosts(_ attribute: String, _ expected: String) throws {
        #expect(try mode(attribute).map { Int($0, radix: 8) } == Int(expected, radix: 8))
    }

    /// Of a file that has 0640: classes, signs and letters.
    @Test(arguments: [
        ("u-w", 0o440), ("g=w", 0o620), ("o+r", 0o644), ("a+x", 0o751), ("a=r", 0o444),
        ("ug+x", 0o750), ("go-r", 0o600), ("uo=rw", 0o646), ("+x", 0o751), ("-r", 0o200),
        ("=rx", 0o555), ("u+s", 0o4640), ("u+g", 0o2640), ("u+t", 0o1640), ("+sgt", 0o7640),
        ("o+xt", 0o1641),
    ])
    func permissionsAreClausesOfSymbols(_ clause: String, _ expected: Int) throws {
        #expect(try mode("perms=\(clause)").map { Int($0, radix: 8) } == expected)
    }

    @Test(arguments: [
        ("u+x,g-r,o=r", 0o704), ("a=r,u+w", 0o644), ("u+w,a=r", 0o444),
        ("a-rwx,u=r", 0o400), ("u=rw,u=x", 0o140),
    ])
    func clausesHoldInTheirOrder(_ clauses: String, _ expected: Int) throws {
        #expect(try mode("perms=\(clauses)").map { Int($0, radix: 8) } == expected)
    }

    @Test(arguments: ["8", "u", "u+", "u+q", "x+r", "u+r,", "010000"])
    func permissionsOfAnotherShapeAreRefused(_ text: String) throws {
        let found = try Board().complaints("[perms=\(text)] a={\n}\n")
        #expect(found.first?.hasPrefix("error: perms: found '") == true)
    }

    @Test func anInlineFileCanBeReadAndWrittenByAll() throws {
        let image = try Board().image("a={\n}\n[perms=*] b={\n}\n[perms=u+x] c={\n}\n") {
            $0.words =
                ["sh", "-c", "umask 077; exec \"$@\"", "sh"].map { Array($0.utf8) } + $0.words
        }
        let modes = try ["a", "b", "c"].map { try image[$0]["mode"].text }
        #expect(modes == ["0666", "0666", "0766"])
    }

    // MARK: Directories

    @Test(arguments: [
        ("dperms=0500", 0o500), ("dperms=*", 0o750), ("dperms=go-rx", 0o700),
        ("dperms=o+x,g+w", 0o771), ("perms=0111", 0o755),
    ])
    func directoriesHavePermissionsOfTheirOwn(_ attribute: String, _ expected: Int) throws {
        for kind in ["", " type=dir"] {
            let found = try mode(attribute + kind, host: 0o750, "x=./tree")
            #expect(found.map { Int($0, radix: 8) } == expected, "\(kind)")
        }
    }

    // MARK: Owners

    @Test func ownerAndGroupAreNumbersOrTheHosts() throws {
        let board = try Board()
        try board.write("x", to: "host")
        if Tool.isRoot { chown(board.folder.path("host"), 12, 34) }
        let node = try board.folder.node("host")
        let image = try board.image(
            """
            [uid=100 gid=0x20] a=./host
            [uid=* gid=*] b=./host
            c=./host
            [uid=4294967295 gid=0]
            d=./host
            [type=link] e=./host
            """)
        func owner(_ path: String) throws -> [UInt64?] {
            [try image[path]["uid"].number, try image[path]["gid"].number]
        }
        let own = [UInt64(node.user), UInt64(node.group)]
        #expect(try owner("a") == [100, 32])
        #expect(try owner("b") == own && owner("c") == own)
        #expect(try owner("d") == [0xffff_ffff, 0] && owner("e") == [0xffff_ffff, 0])
    }

    @Test(.enabled(if: Tool.canBeUser, "needs setpriv"))
    func anInlineFileBelongsToWhoRunsTheTool() throws {
        let board = try Board()
        try board.write("[uid=* gid=*]\na={\n}\n[+script] s={\n}\n", to: "a.build")
        let tool = board.folder.path("mkifs")
        expectSuccess(try Child(["cp", Tool.mkifs, tool]).run())
        var child = Child(Tool.asUser + [tool, "a.build", "a.ifs"])
        child.folder = board.folder.url
        expectSuccess(try child.run())
        let user = UInt64(Tool.isRoot ? 65534 : getuid())
        let group = UInt64(Tool.isRoot ? 65534 : getgid())
        for path in ["a", "s"] {
            let entry = try board.made()[path]
            #expect(entry["uid"].number == user && entry["gid"].number == group)
        }
    }

    @Test func inReleaseEightOwnerAndGroupAreZero() throws {
        let board = try Board()
        try board.write("x", to: "host")
        if Tool.isRoot { chown(board.folder.path("host"), 12, 34) }
        let image = try board.image("a=./host\n[gid=5] b={\n}\n", ["--profile", "8.0"])
        #expect(try image["a"]["uid"].number == 0 && image["a"]["gid"].number == 0)
        #expect(try image["b"]["gid"].number == 5)
    }

    // MARK: Times

    @Test(arguments: ["", "[mtime=*] ", "[mtime=2001-01-01-00:00:00]\n[mtime=*]\n"])
    func theTimeIsTheHosts(_ attribute: String) throws {
        let board = try Board()
        try board.write("x", to: "host")
        board.setTime(1_234_567_890, of: "host")
        let image = try board.image(attribute + "a=./host\n")
        #expect(try image["a"]["mtime"].number == 1_234_567_890)
    }

    @Test(
        arguments: [
            ("1970-01-01-00:00:00", 0), ("2000-02-29-12:34:56", 951_827_696),
            ("2038-01-19-03:14:08", 2_147_483_648), ("2106-02-07-06:28:15", 4_294_967_295),
        ] as [(String, UInt64)])
    func aTimeOfTheBuildfileIsUTC(_ text: String, _ expected: UInt64) throws {
        let image = try Board().image("[mtime=\(text)] a={\n}\n") {
            $0.environment["TZ"] = "Pacific/Auckland"
        }
        #expect(try image["a"]["mtime"].number == expected)
    }

    @Test(arguments: [
        "2001-01-01", "2001-01-01-00:00", "2001-01-01-00", "2001", "", "now",
        "2001-13-01-00:00:00", "2001-02-29-00:00:00", "2001-01-01-24:00:00",
        "2001-01-01 00:00:00", "2001-01-01-00:00:00Z", "1969-12-31-23:59:59",
        "2106-02-07-06:28:16",
    ])
    func aTimeWithoutAllItsPartsIsRefused(_ text: String) throws {
        let found = try Board().complaints("[\"mtime=\(text)\"] a={\n}\n")
        #expect(found.first?.hasPrefix("error: mtime: found '\(text)', expected ") == true)
    }

    @Test(arguments: ["-n", "-nn"])
    func aTimeOfTheBuildfileStaysWithN(_ option: String) throws {
        let board = try Board()
        try board.write("x", to: "tree/host")
        let image = try board.image(
            "[mtime=2000-01-01-00:00:00]\na={\n}\nb=./tree/host\n[type=link] c=x\n/=./tree\n",
            [option])
        for path in ["a", "b", "c", "host"] {
            #expect(try image[path]["mtime"].number == 946_684_800, "\(path)")
        }
    }
}
