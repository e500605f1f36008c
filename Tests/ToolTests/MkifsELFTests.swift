import Foundation
import TestSupport
import Testing

/// Programs: how they are linked, what of them stays, and their modes. F067 and F068, F094 to F104,
/// F123 to F125, F129.
struct MkifsELFTests {
    private static let program = ELFStandIn(.executable) {
        $0.data = [UInt8](repeating: 7, count: 50)
        $0.sections = [
            (".gnu_debuglink", [1]), ("QNX_info", [2, 2]), ("QNX_usage", Array("use it".utf8)),
            ("extra", [3]), (".debug_info", [4]), (".debug_line", [5]), (".comment", [6]),
        ]
    }

    private func board(_ program: ELFStandIn = program, mode: mode_t = 0o755) throws -> Board {
        let board = try Board()
        try board.write(program.bytes, to: "tool", mode: mode)
        return board
    }

    /// `p_paddr` of an ELF64 file's program headers.
    private func physicalAddresses(_ file: [UInt8]) -> [UInt64] {
        (0..<Int(file.integer(UInt16.self, at: 56))).map {
            file.integer(UInt64.self, at: 64 + 56 * $0 + 24)
        }
    }

    /// Names and contents of a file's sections but for the table of names.
    private func sections(_ file: [UInt8]) -> [String: [UInt8]] {
        let kept = elfSections(file).filter { $0.name != ".shstrtab" }.map { ($0.name, $0.bytes) }
        return Dictionary(kept) { $1 }
    }

    // MARK: code= and data=

    @Test(arguments: [("uip", true), ("u", true), ("copy", false), ("c", false)])
    func codeIsUsedInPlaceOrCopied(_ value: String, _ isInPlace: Bool) throws {
        let image = try board().image(
            "[code=\(value) data=copy] tool=./tool\n", ["--profile", "6.6"])
        let addresses = physicalAddresses(try image.contents("tool"))
        #expect(addresses.count == 2)
        // The loader copies a segment without a physical address.
        #expect((addresses[0] != 0) == isInPlace && addresses[1] == 0)
        #expect((try image.address("tool") % 4096 == 0) == isInPlace)
    }

    @Test(arguments: [("uip", true), ("u", true), ("copy", false), ("c", false)])
    func dataUsedInPlaceMakesAProgramRunOnce(_ value: String, _ isInPlace: Bool) throws {
        let image = try board().image("[data=\(value)] tool=./tool\n", ["--profile", "6.6"])
        let entry = try image["tool"]
        #expect((physicalAddresses(try image.contents("tool"))[1] != 0) == isInPlace)
        #expect((try #require(entry["ino"].number) & 0x4000_0000 != 0) == isInPlace)
        #expect(entry["mode"].text == (isInPlace ? "0755" : "01755"))
    }

    // MARK: Linked files

    private static let copying = "[linker=\"cp %i %o\"]\n"

    @Test func aLinkedFileIsKeptUnderItsBaseName() throws {
        let board = try Board()
        let object = ELFStandIn(.relocatable).bytes
        try board.write(object, to: "foo/bar")
        try board.directory("work")
        let image = try board.image(Self.copying + "[+keeplinked cd=work] x=../foo/bar\n")
        #expect(try board.folder.bytes("bar.sym") == object)
        #expect(image.files == ["x"])
    }

    @Test func aLinkedFileGoesUnlessItIsKept() throws {
        let board = try Board()
        try board.write(ELFStandIn(.relocatable).bytes, to: "bar")
        try board.directory("scratch")
        for attribute in ["", "[-keeplinked] "] {
            _ = try board.image(Self.copying + attribute + "x=./bar\n") {
                $0.environment["TMPDIR"] = board.folder.path("scratch")
            }
            #expect(try board.folder.names() == ["a.build", "a.ifs", "bar", "scratch", "target"])
            #expect(try Node.tree(board.folder.path("scratch")).count == 1)
        }
    }

    @Test func bootProgramsAreKeptToo() throws {
        let board = try Board()
        _ = try board.image(
            Board.boot(
                startup: "[+keeplinked] startup-board", procnto: "[+keeplinked] procnto -v"))
        #expect(try board.folder.bytes("procnto.sym") == Board.procnto.bytes)
        #expect(try board.folder.bytes("startup-board.sym") == Board.startup.bytes)
    }

    // MARK: Sections

    @Test func onlyTheSectionsOfTheListAreKept() throws {
        let board = try board()
        let image = try board.image(
            "[keepsection=extra,.comment] a=./tool\n[keepsection=absent] b=./tool\n"
                + "[keepsection=QNX_usage]\nc=./tool\n")
        #expect(try sections(image.contents("a")) == ["extra": [3], ".comment": [6]])
        #expect(try sections(image.contents("b")) == [:])
        #expect(try sections(image.contents("c")) == ["QNX_usage": Array("use it".utf8)])
    }

    @Test(arguments: [
        ("6.4", ["QNX_info", "QNX_usage"]), ("6.6", ["QNX_info", "QNX_usage"]),
        ("7.0", [".gnu_debuglink", "QNX_info", "QNX_usage"]),
        ("7.1", [".gnu_debuglink", "QNX_info", "QNX_usage"]),
        ("8.0", [".gnu_debuglink", "QNX_info", "QNX_usage"]),
    ])
    func withoutAListTheReleasesSectionsStay(_ profile: String, _ names: [String]) throws {
        let image = try board().image("tool=./tool\n", ["--profile", profile])
        let found = try sections(image.contents("tool"))
        #expect(found.keys.sorted() == names.sorted())
        #expect(found["QNX_usage"] == Array("use it".utf8) && found["QNX_info"] == [2, 2])
    }

    @Test func debuggingIsStripped() throws {
        let image = try board().image("tool=./tool\n")
        let found = try sections(image.contents("tool"))
        #expect(!found.keys.contains { $0.hasPrefix(".debug") || $0 == ".symtab" })
        #expect(!found.isEmpty)
    }

    // MARK: Linker specifications

    /// What each linker that ran wrote into a log.
    private func linked(
        _ linkers: [String], _ file: ELFStandIn, machine: UInt16 = 62
    ) throws -> [String] {
        let board = try Board()
        var file = file
        file.machine = machine
        try board.write(file.bytes, to: "file")
        let lines = linkers.enumerated().map { index, spec in
            "[linker=\"\(spec)echo \(index) >>log; cp %i %o\"]\n"
        }
        expectSuccess(try board.build(lines.joined() + "[-autolink] x=./file\n"))
        guard try board.folder.names().contains("log") else { return [] }
        return String(decoding: try board.folder.bytes("log"), as: UTF8.self)
            .split(separator: "\n").map(String.init)
    }

    private static let object = ELFStandIn(.relocatable)
    private static let library = ELFStandIn(.shared) { $0.address = 0 }

    @Test(arguments: [
        (["(62;1;)"], ["0"]), (["", "(3;1;)"], ["0"]), (["(3;1;)", "(62;1;)"], ["1"]),
        (["(62;1;)", "(62;1;)"], ["1"]), (["(3,40,62;;)"], ["0"]), (["(;;)"], ["0"]),
        (["", "(40;;)"], ["0"]),
    ])
    func theLastLinkerThatMatchesIsUsed(_ linkers: [String], _ used: [String]) throws {
        #expect(try linked(linkers, Self.object) == used)
    }

    @Test(arguments: [
        (ELFStandIn.Kind.relocatable, "(;;)", true), (.relocatable, "(62;;)", true),
        (.relocatable, "(;1,3;)", true), (.shared, "(;;)", false), (.shared, "(;1,3;)", true),
        (.shared, "(;1,2;)", false), (.executable, "(;2;)", false),
    ])
    func aLinkerIsForTypesOfFiles(
        _ kind: ELFStandIn.Kind, _ spec: String, _ isUsed: Bool
    ) throws {
        let file = kind == .relocatable ? Self.object : ELFStandIn(kind) { $0.address = 0 }
        #expect(try linked([spec], file) == (isUsed ? ["0"] : []))
    }

    @Test(arguments: [
        ("(;3;1)", true), ("(;3;1,0x4001)", true), ("(;3;0x4001,2)", true), ("(;3;0x4001)", false),
        ("(;3;)", true),
    ])
    func aLinkerIsForFilesWithASegment(_ spec: String, _ isUsed: Bool) throws {
        var library = Self.library
        library.soname = "libx.so.1"
        #expect(try linked([spec], library) == (isUsed ? ["0"] : []))
    }

    @Test func ofABootProgramALinkerIsNeeded() throws {
        let board = try Board()
        let text = Board.boot().replacingOccurrences(of: "(;2;)", with: "(3;2;)")
        let found = try board.complaints(text).joined()
        #expect(found.contains("startup-board"))
        #expect(
            found.contains("found an ET_EXEC file for EM_X86_64, expected an ET_REL file, or a"))
    }

    @Test func modulesReachTheLinkerOfTheirProgram() throws {
        let board = try Board()
        let text = Board.boot(procnto: "[module=aps module=qvm-x86] procnto")
            .replacingOccurrences(
                of: "cp %i %o", with: "echo %f %[M-L%n -l%^n %]. >>log; cp %i %o")
        _ = try board.image(text.replacingOccurrences(of: "%f", with: "%(f==1,boot%)"))
        let log = String(decoding: try board.folder.bytes("log"), as: UTF8.self)
        #expect(log == ".\nboot -Laps -laps -Lqvm-x86 -lqvm .\n")
    }

    // MARK: Modes

    @Test(arguments: [
        ("7.0", ELFStandIn.Kind.executable, "01755"), ("7.0", .shared, "0755"),
        ("6.6", .executable, "01755"), ("6.6", .shared, "0644"), ("6.4", .executable, "0644"),
        ("6.4", .shared, "0644"),
        ("8.0", .executable, "0755"), ("8.0", .shared, "0755"),
    ])
    func programsGetTheirExecuteBits(
        _ profile: String, _ kind: ELFStandIn.Kind, _ mode: String
    ) throws {
        let board = try board(ELFStandIn(kind) { $0.address = kind == .shared ? 0 : 0x1000 })
        chmod(board.folder.path("tool"), 0o644)
        let image = try board.image("[perms=*] tool=./tool\n", ["--profile", profile])
        #expect(try image["tool"]["mode"].text == mode)
    }

    @Test(arguments: ["7.0", "6.6"])
    func rawProgramsKeepTheirMode(_ profile: String) throws {
        let image = try board(mode: 0o640).image(
            "[+raw] tool=./tool\n", ["--profile", profile])
        #expect(try image["tool"]["mode"].text == "0640")
    }

    @Test(arguments: ["perms=0755", "perms=01755", "perms=-t", "perms=+t", "perms=u=rwx,+t"])
    func permissionsDoNotChangeAProgramsStickyBit(_ attribute: String) throws {
        for (data, isSticky) in [("copy", true), ("uip", false)] {
            let image = try board(mode: 0o1755).image("[\(attribute) data=\(data)] tool=./tool\n")
            let mode = try #require(try image["tool"]["mode"].text.flatMap { Int($0, radix: 8) })
            #expect((mode & 0o1000 != 0) == isSticky, "data=\(data)")
        }
        let patched = try board()
        try patched.write("f:/:tool:0:0:0755\n", to: "patches")
        let image = try patched.image("[data=copy] tool=./tool\n", ["-p", "patches"])
        #expect(try image["tool"]["mode"].text == "01755")
    }

    @Test func aRawFileIsCopiedAsItIs() throws {
        let board = try board()
        let image = try board.image("[+raw] raw=./tool\ntool=./tool\n")
        #expect(try difference(image.contents("raw"), Self.program.bytes) == nil)
        #expect(try #require(try image["raw"]["ino"].number) & 0xe000_0000 == 0)
        #expect(try image.contents("tool") != Self.program.bytes)
    }
}
