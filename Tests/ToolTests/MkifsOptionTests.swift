import Foundation
import TestSupport
import Testing

/// The options of mkifs, F001 to F025; `MkifsOutputTests` has those of its output.
struct MkifsOptionTests {
    // MARK: -l

    @Test func aLineOfTheCommandLineComesBeforeTheBuildfile() throws {
        let board = try Board()
        let plain = try board.image(Board.boot())
        #expect(plain.startup["image_paddr"].number == 0x40_0000)
        try board.write(
            ELFStandIn(.executable) {
                $0.address = 0x80_0100
                $0.text = ELFStandIn.placeHolder
            }.bytes, to: "target/x86_64/boot/sys/startup-board")
        let moved = try board.image(Board.boot(), ["-l", "[image=8m]"])
        #expect(moved.startup["image_paddr"].number == 0x80_0000)
        // What the buildfile says comes later.
        let text = "[uid=5]\na={\n}\n"
        #expect(try board.image(text, ["-l", "[uid=9 gid=9]"])["a"]["uid"].number == 5)
        #expect(try board.image(text, ["-l", "[uid=9 gid=9]"])["a"]["gid"].number == 9)
        #expect(try board.image(text, ["-l", "[type=link] first=x"]).files == ["a", "first"])
    }

    @Test func linesOfTheCommandLineComeInTheirOrder() throws {
        let board = try Board()
        let text = "a={\n}\n"
        let image = try board.image(text, ["-l", "[uid=1 gid=7]", "-v", "-l[uid=2]", "-l", ""]) {
            $0.words = ["sh", "-c", "exec \"$@\" 2>&-", "sh"].map { Array($0.utf8) } + $0.words
        }
        #expect(try image["a"]["uid"].number == 2 && image["a"]["gid"].number == 7)
        let turned = try board.image(text, ["-l", "[uid=2]", "-l", "[uid=1]"])
        #expect(try turned["a"]["uid"].number == 1)
    }

    @Test func anErrorInALineOfTheCommandLineNamesIt() throws {
        let board = try Board()
        let outcome = try board.build("a={\n}\n", ["-l", "[uid=1]", "-l", "[perm=1] x"])
        #expect(outcome.end == .exit(1))
        #expect(
            outcome.complaints.first
                == "-l:2:2: error: unknown attribute 'perm'; did you mean 'perms'?")
    }

    // MARK: -n

    private static let timed = "[type=link] l=x\n[type=fifo] p\nhost=file\na={\nhi}\n"

    @Test func oneNMakesBuildsOfDifferentTimesEqual() throws {
        let board = try Board()
        try board.write("host", to: "file")
        board.setTime(1_000_000, of: "file")
        func image(_ options: [String], _ time: String) throws -> MadeImage {
            try board.image("[search=.]\n" + Self.timed, options) {
                $0.environment["SOURCE_DATE_EPOCH"] = time
            }
        }
        #expect(try image(["-n"], "1").bytes == image(["-n"], "2000000").bytes)
        let once = try image(["-n"], "77")
        let kept = try image([], "77")
        for path in ["", "l", "p", "a"] {
            #expect(try once[path]["mtime"].number == 0, "\(path)")
            #expect(try kept[path]["mtime"].number == 77, "\(path)")
        }
        #expect(try once["host"]["mtime"].number == 1_000_000)
        #expect(try kept["host"]["mtime"].number == 1_000_000)
    }

    @Test(arguments: [["-nn"], ["-n", "-n"], ["-nvn"]])
    func twoNsMakeEveryTimeZero(_ options: [String]) throws {
        let board = try Board()
        try board.write("host", to: "file")
        let outcome = try board.build("[search=.]\n" + Self.timed + "/tree=./target\n", options)
        #expect(outcome.end == .exit(0))
        let times = try board.made().entries.map { $0["mtime"].number }
        #expect(times.count == 12 && times.allSatisfy { $0 == 0 })
    }

    @Test func withoutNTheTimeIsThatOfTheBuild() throws {
        let board = try Board()
        let before = UInt64(time(nil))
        let found = try #require(try board.image("a={\n}\n")["a"]["mtime"].number)
        #expect((before...UInt64(time(nil))).contains(found))
    }

    @Test(arguments: ["", "x", "-1", "4294967296", "1.5", " 1"])
    func aBuildTimeThatIsNoneIsRefused(_ text: String) throws {
        let outcome = try Board().build("a={\n}\n") { $0.environment["SOURCE_DATE_EPOCH"] = text }
        expectFailure(
            outcome,
            saying: [
                "mkifs: SOURCE_DATE_EPOCH: found '\(text)', expected seconds since 1970"
            ])
    }

    // MARK: -r

    /// The places of the default path, and a board with `name` in one of them below `root`.
    private static let places = [
        "sbin", "usr/sbin", "boot/sys", "bin", "usr/bin", "lib", "lib/dll", "usr/lib",
        "usr/photon/bin",
    ]

    @Test(arguments: ["root", "target"], places)
    func everyPlaceOfTheDefaultPathIsSearched(_ root: String, _ place: String) throws {
        let board = try Board()
        try board.write("here", to: "\(root)/x86_64/\(place)/thing")
        #expect(try board.image("thing\n", ["-r", "root"]).text("thing") == "here")
    }

    @Test func aRootIsSearchedBeforeTheTarget() throws {
        let board = try Board()
        try board.write("of the root", to: "root/x86_64/usr/lib/thing")
        try board.write("of the target", to: "target/x86_64/sbin/thing")
        #expect(try board.image("thing\n").text("thing") == "of the target")
        #expect(try board.image("thing\n", ["-r", "root"]).text("thing") == "of the root")
        #expect(
            try board.image("thing\n", ["-r", board.folder.path("root")]).text("thing")
                == "of the root")
    }

    @Test func anEarlierPlaceComesBeforeALaterOne() throws {
        let board = try Board()
        for place in Self.places { try board.write(place, to: "target/x86_64/\(place)/thing") }
        for place in Self.places {
            #expect(try board.image("thing\n").text("thing") == place)
            unlink(board.folder.path("target/x86_64/\(place)/thing"))
        }
    }

    @Test func aSearchPathOfTheUserLeavesNoRoot() throws {
        let board = try Board()
        try board.write("of the root", to: "root/x86_64/sbin/thing")
        try board.write("of the path", to: "mine/thing")
        let image = try board.image("thing\n", ["-r", "root"]) {
            $0.environment["MKIFS_PATH"] = "nowhere:mine"
        }
        #expect(try image.text("thing") == "of the path")
        unlink(board.folder.path("mine/thing"))
        let found = try board.complaints("[-optional] thing\n", ["-r", "root"]) {
            $0.environment["MKIFS_PATH"] = "nowhere:mine"
        }
        #expect(found == ["error: host file 'thing' not available", "mkifs: 1 error"])
    }

    @Test(arguments: ["6.4", "6.6", "7.0"])
    func twoRootsAreRefused(_ profile: String) throws {
        let outcome = try Board().build(
            "a={\n}\n", ["--profile", profile, "-r", "a", "-r", "b"])
        expectFailure(
            outcome, saying: ["mkifs: option '-r' stands 2 times, and once is the limit"])
    }

    // MARK: -a and -o

    private static let relocatable = ELFStandIn(.relocatable) { $0.text = [1, 2, 3, 4] }
    private static let linked = "[linker=\"cp %i %o\"]\n[+keeplinked search=.] driver.o\n"

    @Test func namesOfKeptFilesEndInTheSuffix() throws {
        let board = try Board()
        try board.write(Self.relocatable.bytes, to: "driver.o")
        _ = try board.image(Self.linked)
        #expect(try board.folder.names().contains("driver.o.sym"))
        unlink(board.folder.path("driver.o.sym"))
        _ = try board.image(Self.linked, ["-a", "extra"])
        #expect(try board.folder.names().filter { $0.hasSuffix(".sym") } == ["driver.o.extra.sym"])
    }

    @Test func byproductsGoToTheirFolderAndTheImageDoesNot() throws {
        let board = try Board()
        try board.write(Self.relocatable.bytes, to: "driver.o")
        try board.directory("by")
        _ = try board.image(Self.linked, ["-o", "by"])
        #expect(try board.folder.names() == ["a.build", "a.ifs", "by", "driver.o", "target"])
        #expect(try board.folder.bytes("by/driver.o.sym") == Self.relocatable.bytes)
        let outcome = try board.build(Self.linked, ["-o", "nowhere"])
        #expect(outcome.end == .exit(1))
        #expect(
            outcome.complaints.contains {
                $0.contains("nowhere/driver.o.sym: cannot make: No such file or directory")
            })
    }

    // MARK: -h

    @Test func hardLinksStayThoseOnlyWhenAskedFor() throws {
        let board = try Board()
        try board.write("twins", to: "tree/one")
        link(board.folder.path("tree/one"), board.folder.path("tree/two"))
        try board.write("alone", to: "tree/three")
        let kept = try board.image("/=./tree\n", ["-h"])
        #expect(try kept["one"]["ino"].number == kept["two"]["ino"].number)
        #expect(try kept["one"]["offset"].number == kept["two"]["offset"].number)
        #expect(try kept["three"]["ino"].number != kept["two"]["ino"].number)
        #expect(try kept.text("two") == "twins")
        let copied = try board.image("/=./tree\n")
        #expect(try copied["one"]["ino"].number != copied["two"]["ino"].number)
        #expect(try copied["one"]["offset"].number != copied["two"]["offset"].number)
        #expect(try copied.text("one") == "twins" && copied.text("two") == "twins")
        #expect(copied.bytes.count >= kept.bytes.count + 4)
    }

    @Test func hardLinksOfOtherAttributesAreFilesOfTheirOwn() throws {
        let board = try Board()
        try board.write("twins", to: "one")
        for name in ["two", "three"] {
            link(board.folder.path("one"), board.folder.path(name))
        }
        let outcome = try board.build(
            "[filter=\"tr a-z A-Z\"] one=./one\ntwo=./two\nthree=./three\n", ["-h", "-v"])
        #expect(outcome.end == .exit(0))
        let image = try board.made()
        #expect(try image.text("one") == "TWINS")
        #expect(try image.text("two") == "twins" && image.text("three") == "twins")
        #expect(try image["two"]["ino"].number == image["three"]["ino"].number)
        // The listing tells of both names where their data lies.
        let lines = outcome.complaints.filter { $0.contains(" two") || $0.contains(" three") }
        #expect(lines.count == 2 && lines.allSatisfy { $0.contains("      5     ----") })
        #expect(Set(lines.map { $0.prefix(15) }).count == 1)
    }

    // MARK: -p

    @Test func aPatchFileSetsOwnerGroupAndMode() throws {
        let board = try Board()
        try board.write(
            "# all programs\nfr:/usr:*:1:2:0751\nd:/usr:b*:3:4:0700\nf:/:top:0:9:4644\n",
            to: "patches")
        let image = try board.image(
            """
            [uid=50 gid=60 perms=0444 dperms=0777]
            [type=dir] /usr/bin
            [type=dir] /usr/lib
            /usr/bin/deep/x={
            }
            /top={
            }
            /other={
            }
            """, ["-p", "patches"])
        func values(_ path: String) throws -> [String?] {
            let entry = try image[path]
            return [
                entry["uid"].number.map { "\($0)" }, entry["gid"].number.map { "\($0)" },
                entry["mode"].text,
            ]
        }
        #expect(try values("usr/bin/deep/x") == ["1", "2", "0751"])
        #expect(try values("usr/bin") == ["3", "4", "0700"])
        #expect(try values("usr/lib") == ["50", "60", "0777"])
        #expect(try values("top") == ["0", "9", "04644"])
        #expect(try values("other") == ["50", "60", "0444"])
    }

    @Test func aFaultInAPatchFileNamesItsPlace() throws {
        let board = try Board()
        try board.write("f:/:x:0:0\n", to: "patches")
        let outcome = try board.build("a={\n}\n", ["-p", "patches"])
        #expect(outcome.end == .exit(1))
        #expect(outcome.complaints.first?.hasPrefix("patches:1:1: error: found 5 fields") == true)
        let missing = try board.build("a={\n}\n", ["-p", "none"])
        expectFailure(missing, saying: ["mkifs: none: cannot open: No such file or directory"])
    }

    // MARK: -s

    private func sections(_ file: [UInt8]) -> [String] { elfSections(file).map(\.name) }

    private static let program = ELFStandIn(.executable) {
        $0.sections = [
            ("QNX_usage", Array("usage".utf8)), ("extra", [1, 2]), ("more", [3]),
            (".debug_info", [4, 5, 6]),
        ]
    }

    @Test func sectionsOfTheCommandLineStay() throws {
        let board = try Board()
        try board.write(Self.program.bytes, to: "tool")
        func kept(_ options: [String], _ line: String = "[search=.] tool\n") throws -> [String] {
            try sections(board.image(line, options).contents("tool"))
        }
        #expect(try kept([]) == ["QNX_usage", ".shstrtab"])
        #expect(
            try kept(["-s", "more", "-sextra", "-s", "absent"])
                == ["more", "extra", "QNX_usage", ".shstrtab"])
        // In 6.4 the list takes the place of the usual one.
        #expect(try kept(["--profile", "6.4", "-s", "extra"]) == ["extra", ".shstrtab"])
        #expect(
            try kept(["-s", "extra"], "[search=. keepsection=more] tool\n")
                == ["more", ".shstrtab"])
    }

    @Test func sectionsOfTheCommandLineDoNotStayInBootPrograms() throws {
        let board = try Board()
        var procnto = Board.procnto
        procnto.sections = Self.program.sections
        try board.write(procnto.bytes, to: "target/x86_64/boot/sys/procnto", mode: 0o755)
        let image = try board.image(Board.boot(), ["-s", "extra"])
        #expect(try sections(image.contents("proc/boot/procnto")) == [])
        let asked = try board.image(
            Board.boot(procnto: "[keepsection=extra] procnto"), ["-s", "more"])
        #expect(
            try sections(asked.contents("proc/boot/procnto")) == ["extra", ".shstrtab"])
    }
}
