import Format
import Foundation
import Mkifs
import TestSupport
import Testing

/// What the profiles of releases make of the same buildfile.
struct ProfileTests {
    /// A folder of host files, among them a boot section's: a relocatable startup and kernel.
    private struct Host: ~Copyable {
        let folder: URL

        init() throws {
            folder = FileManager.default.temporaryDirectory
                .appendingPathComponent("ifsfs-profile-\(UUID().uuidString)")
            try FileManager.default.createDirectory(
                at: folder.appendingPathComponent("like"), withIntermediateDirectories: true)
            var kernel = SmallELF.fixed
            kernel.type = 1
            try add("plain.boot", Array("[default_image=0x400000]".utf8))
            try add("startup", kernel.bytes)
            try add("kernel", kernel.bytes)
            try add("program", SmallELF.movable.bytes)
        }

        // What cannot be removed is left to the system.
        deinit { try? FileManager.default.removeItem(at: folder) }

        func add(_ name: String, _ bytes: [UInt8]) throws {
            try Data(bytes).write(to: folder.appendingPathComponent(name))
        }

        func plan(
            _ text: String, _ release: Release, patches: String = "",
            _ change: (inout BuildOptions) -> Void = { _ in }
        ) throws -> Plan {
            var options = BuildOptions(release)
            options.buildTime = 1000
            change(&options)
            var build = Build(options, Toolbox(environment: []))
            let whole = "[search=\(folder.path)]\n" + text
            build.resolver.add(SourceText(name: "test.build", bytes: Array(whole.utf8)))
            build.resolver.add(
                patches: SourceText(name: "patches", bytes: Array(patches.utf8)))
            // Warnings, such as of attributes that a release has not got, do not matter here.
            return try build.plan()
        }
    }

    private static let boot = "[virtual=x86_64,plain] boot = {\nstartup\nkernel\n}\n"

    private func texts(_ sections: [[UInt8]]) -> [String] {
        sections.map { String(decoding: $0, as: UTF8.self) }
    }

    private func rules(_ entry: Plan.Entry) throws -> ELFLayout.Rules {
        guard case .program(let program) = entry.kind else { throw CocoaError(.featureUnsupported) }
        return program.rules
    }

    // MARK: Table

    @Test func everyTopicSpeaksOfEveryRelease() {
        for line in Profile.table {
            #expect(line.cells.map(\.release) == Release.allCases)
            #expect(line.cells.allSatisfy { !$0.text.isEmpty })
        }
        #expect(Set(Profile.table.map(\.topic)).count == Profile.table.count)
    }

    @Test func onlyReleasesWithImagesAreSeen() {
        for line in Profile.table {
            for cell in line.cells {
                switch cell.evidence {
                case .proved: #expect(cell.release == .v64)
                case .seen: #expect([.v64, .v66, .v80].contains(cell.release))
                case .documented, .assumed: break
                }
            }
        }
    }

    // MARK: Attributes

    @Test(arguments: [
        (Release.v64, SegmentUse.inPlace, true), (.v66, .inPlace, true), (.v70, .copy, true),
        (.v71, .copy, true), (.v80, .copy, false),
    ])
    func defaultsAreThoseOfTheRelease(
        _ release: Release, _ data: SegmentUse, _ isOptional: Bool
    ) {
        let attributes = EntryAttributes(defaultsOf: release)
        #expect(attributes.data == data)
        #expect(attributes.isOptional == isOptional)
    }

    // MARK: Directories

    @Test(arguments: [(Release.v64, 0 as UInt32), (.v66, 0), (.v70, 1000), (.v80, 1000)])
    func aDirectoryThatTheHostHasNotGotHasATime(_ release: Release, _ time: UInt32) throws {
        let host = try Host()
        let entry = try #require(try host.plan("[type=dir] made\n", release).entries.first)
        #expect(entry.modified == time)
    }

    @Test func aDirectoryLikeOneOfTheHostHasItsTime() throws {
        let host = try Host()
        let entry = try #require(try host.plan("[type=dir] made=like\n", .v64).entries.first)
        #expect(entry.modified > 1000)
    }

    @Test func directoriesAboveAreListedFrom80On() throws {
        let host = try Host()
        let text = "/a/b/one = {\n}\n[type=dir] /a\n/c/two = {\n}\n"
        let entries = try host.plan(text, .v80).entries
        let lines = entries.map { "\($0.inode) \(String(decoding: $0.path, as: UTF8.self))" }
        #expect(lines == ["2 a/b/one", "3 a", "4 c/two", "5 a/b", "6 c"])
        #expect(entries[3].mode == 0o40755)
        #expect(entries[3].modified == 1000)
        #expect(try host.plan(text, .v71).entries.count == 3)
    }

    @Test func aPatchReachesDirectoriesThatNoLineNames() throws {
        let host = try Host()
        let text = "/a/one = {\n}\n"
        let entries = try host.plan(text, .v80, patches: "d:/:a:3:4:0700\n").entries
        #expect(entries[1].mode == 0o40700)
        #expect([entries[1].user, entries[1].group] == [3, 4])
    }

    // MARK: Order

    @Test(arguments: [(Plan.Role.bootstrap, 0 as UInt32), (.none, 0x2000_0000)])
    func in80BootProgramsComeFirstAndTheRestByPath(_ role: Plan.Role, _ flag: UInt32) throws {
        let host = try Host()
        var plan = try host.plan("z = {\nz\n}\nm = {\n\n}\na = {\naaa\n}\n", .v80)
        plan.entries[1].role = role
        plan.entries[1].inode |= flag
        let image = try Layout.image(of: plan, Toolbox(environment: [])).image
        #expect(image.records.map(\.path) == [[], [0x6d], [0x61], [0x7a]])
        #expect(image.header.flags == 0x1c)
    }

    @Test(arguments: [Release.v64, .v66, .v70, .v71])
    func upTo71TheDirectoryIsInTheOrderOfTheData(_ release: Release) throws {
        let host = try Host()
        let plan = try host.plan("z = {\nz\n}\na = {\naaa\n}\nm = {\n\n}\n", release)
        let image = try Layout.image(of: plan, Toolbox(environment: [])).image
        #expect(image.records.map(\.path) == [[], [0x61], [0x7a], [0x6d]])
        #expect(image.header.flags == 4)
    }

    // MARK: Sections

    @Test(arguments: [
        (Release.v64, [] as [String]), (.v66, []), (.v71, []),
        (.v80, [".gnu_debuglink", "QNX_info", "QNX_usage", ".note.gnu.build-id"]),
    ])
    func sectionsOfBootProgramsStayFrom80On(_ release: Release, _ kept: [String]) throws {
        let host = try Host()
        let entry = try #require(try host.plan(Self.boot, release).entries.first)
        #expect(texts(try rules(entry).keptSections) == kept)
    }

    @Test(arguments: [
        (Release.v64, ["own"]), (.v66, ["QNX_Phab", "QNX_info", "QNX_usage", "own"]),
        (.v70, [".gnu_debuglink", "QNX_info", "QNX_usage", "own"]),
    ])
    func namedSectionsAreAddedFrom66On(_ release: Release, _ kept: [String]) throws {
        let host = try Host()
        let plan = try host.plan("program\n", release) { $0.keptSections = [Array("own".utf8)] }
        #expect(texts(try rules(try #require(plan.entries.first)).keptSections) == kept)
    }

    // MARK: Startup

    /// A startup program whose segments lie where it runs, and a note at its end.
    private func startup(_ release: Release, noteAt note: UInt64?) throws -> [UInt8] {
        let host = try Host()
        var program = SmallELF(is64Bit: false, type: 2)
        program.entry = 0x40_0100
        program.segments = [
            .init(
                type: SmallELF.load, flags: 7, offset: 0x400, address: 0x40_0100, fileSize: 0x800,
                memorySize: 0x1800)
        ]
        if let note {
            program.segments.append(
                .init(type: SmallELF.note, offset: note, address: 0x40_0200, fileSize: 0x30))
        }
        try host.add("startup", program.bytes)
        var kernel = SmallELF.fixed
        for index in kernel.segments.indices { kernel.segments[index].address += 0x40_0000 }
        try host.add("kernel", kernel.bytes)
        let text = "[linker=\"(;1,2,3;)cp %i %o\"]\n" + Self.boot
        let plan = try host.plan(text, release)
        let image = try Layout.image(of: plan, Toolbox(environment: [])).image
        return try image.program.bytes(image.program.byteCount, at: 0, "startup")
    }

    @Test(arguments: Release.allCases)
    func aStartupIsWholePages(_ release: Release) throws {
        let area = try startup(release, noteAt: nil)
        #expect(area.count / 4096 == 2 && area.count % 4096 < 8)
    }

    @Test(arguments: [Release.v64, .v66, .v71])
    func upTo71ANoteFollowsTheStartup(_ release: Release) throws {
        let area = try startup(release, noteAt: 0x500)
        #expect(area.count == 0x1834)
        #expect(area[0x1800..<0x1830] == area[0x100..<0x130])
    }

    @Test func in80OnlyANoteOfNoLoadFollowsTheStartup() throws {
        #expect(try startup(.v80, noteAt: 0x500).count / 4096 == 2)
        #expect(try startup(.v80, noteAt: 0x2000).count / 4096 == 1)
    }

    // MARK: Places

    @Test func bootProgramsTakeNoPartInLargePages() throws {
        let host = try Host()
        try host.add("plain.boot", Array("[+big_pages pagesizes=4k,8k]".utf8))
        var program = SmallELF.fixed
        program.segments[1].fileSize = 0x2000
        for name in ["startup", "kernel", "program"] { try host.add(name, program.bytes) }
        let text = "[linker=\"(;1,2,3;)true\"]\n" + Self.boot + "program\n"
        let entries = try host.plan(text, .v66).entries
        #expect(entries.map(\.place) == [.inOrder(unit: 4096), .inOrder(unit: 8192)])
    }

    @Test(arguments: [(Release.v64, 1 as UInt64), (.v66, 8192), (.v80, 8192)])
    func aLibrarysLinkIsAlignedAsTheLibraryFrom66On(
        _ release: Release, _ unit: UInt64
    ) throws {
        let host = try Host()
        var library = SmallELF.library(named: "libx.so.1")
        library.segments[0].fileSize = 0x2000
        try host.add("libx.so", library.bytes)
        let text = "[+big_pages pagesizes=4k,8k] libx.so\n"
        let entries = try host.plan(text, release).entries
        #expect(
            entries.prefix(2).map { String(decoding: $0.path, as: UTF8.self) } == [
                "libx.so.1", "libx.so",
            ])
        #expect(entries[1].place == .inOrder(unit: unit))
    }

    @Test func in80ProgramsBeginOnPagesWhateverCodeSays() throws {
        let host = try Host()
        let text = "[code=copy] program\n"
        #expect(try host.plan(text, .v80).entries[0].place == .inOrder(unit: 4096))
        #expect(try host.plan(text, .v71).entries[0].place == .inOrder(unit: 1))
    }
}
