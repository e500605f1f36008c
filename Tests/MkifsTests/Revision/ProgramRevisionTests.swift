import Format
import Foundation
import Mkifs
import TestSupport
import Testing

/// Programs in images that are changed.
struct ProgramRevisionTests {
    /// What `p_paddr` of a program's segments in place has more than the place in the image.
    private func bases(_ image: IFS.Image) throws -> Set<UInt64> {
        var bases: Set<UInt64> = []
        for entry in image.directory.entries {
            guard case .file(let offset, _) = entry.kind, entry.inode & 0x8000_0000 != 0,
                let header = ELF.Header(try image.head(of: entry))
            else { continue }
            for segment in header.segments
            where segment.type == 1 && segment.fileSize > 0 && segment.physicalAddress != 0 {
                let place = segment.physicalAddress &- segment.offset &- UInt64(offset)
                bases.insert(header.is64Bit ? place : place & 0xffff_ffff)
            }
        }
        return bases
    }

    private func input(_ name: String) throws -> [UInt8] {
        try Fixtures.bytes(Fixtures.folder.appendingPathComponent("inputs/\(name)"))
    }

    private func new(_ path: String, _ bytes: [UInt8]) -> Revision.Node {
        Revision.Node(Array(path.utf8), .file(.new(.bytes(bytes))), mode: 0o100755)
    }

    /// Entries for as much of the directory's room as a test needs.
    private func filler(_ image: IFS.Image, _ most: UInt64) throws -> [Revision.Node] {
        let growth = min(try RevisionRoom(image).directoryGrowth, most)
        return (0..<(growth / 40)).map { new("z\(1000 + $0)", []) }
    }

    @Test(arguments: Fixtures.allImages)
    func programsThatMoveKnowTheirPlace(name: String) throws {
        let bytes = try Fixtures.image(name)
        let image = try IFS.Image.only(in: bytes)
        var revision = Revision()
        revision.added = try filler(image, 40_000)
        let result = try IFS.Image.only(in: revised(bytes, revision))
        #expect(try bases(result) == bases(image))
        var tree = try result.tree()
        for node in revision.added { tree[String(decoding: node.path, as: UTF8.self)] = nil }
        #expect(try differences(tree, image.tree()) == [])
        #expect(result.check() == image.check())
    }

    @Test(arguments: ["armle", "ppcbe", "x86"])
    func aNewProgramIsLaidOutAsTheVendorDoesIt(machine: String) throws {
        let bytes = try Fixtures.goldenImage("boot-\(machine)")
        let image = try IFS.Image.only(in: bytes)
        var revision = Revision()
        for name in ["lib/libdemo.so", "sbin/daemon"] {
            revision.added.append(new("n/" + name, try input("\(machine)/\(name)")))
        }
        let plan = try RevisedPlan(image, revision)
        #expect(plan.warnings == [])
        let result = try IFS.Image.only(in: built(plan.plan))
        #expect(try bases(result) == bases(image))
        #expect(result.check() == [])
        for (new, old) in [("n/lib/libdemo.so", "libdemo.so.3"), ("n/sbin/daemon", "daemon")] {
            let record = try #require(result.lastRecord(at: new))
            let other = try #require(image.lastRecord(at: "proc/boot/\(old)"))
            let (found, expected) = (try result.shown(record), try image.shown(other))
            // The library was linked, and segments of larger alignment lie differently on another page.
            let isAlike = old == "daemon" && machine == "x86"
            #expect(!isAlike || difference(found.bytes, expected.bytes) == nil)
            #expect(found.bytes.count == expected.bytes.count)
            #expect(found.inode & 0xe000_0000 == expected.inode & 0xe000_0000)
            #expect(found.mode & 0o1000 == expected.mode & 0o1000)
        }
    }

    @Test func aProgramForAnotherMachineIsStoredAsItIs() throws {
        let bytes = try Fixtures.goldenImage("boot-armle")
        var revision = Revision()
        let foreign = try input("x86/sbin/daemon")
        revision.added = [new("foreign", foreign)]
        let plan = try RevisedPlan(IFS.Image.only(in: bytes), revision)
        #expect(
            plan.warnings == [
                "'foreign': found an ELF file for EM_386, little-endian, expected one for ARM,"
                    + " little-endian; stored as it is"
            ])
        let result = try IFS.Image.only(in: built(plan.plan))
        let record = try #require(result.lastRecord(at: "foreign"))
        #expect(try result.data(of: result.directory.entries[record]) == foreign)
        #expect(result.directory.entries[record].inode & 0xe000_0000 == 0)
    }

    @Test func aProgramIsStoredAsItIsWhereThatIsAskedFor() throws {
        let bytes = try Fixtures.goldenImage("boot-armle")
        var revision = Revision()
        let program = try input("armle/lib/libdemo.so")
        revision.added = [new("raw", program)]
        revision.added[0].treatment.isRaw = true
        let result = try IFS.Image.only(in: revised(bytes, revision))
        let record = try #require(result.lastRecord(at: "raw"))
        #expect(try result.data(of: result.directory.entries[record]) == program)
    }

    /// A copy of a program of the image, as a shell makes it, is a program again.
    @Test(arguments: Fixtures.allImages)
    func aCopyOfAProgramWorksAtItsPlace(name: String) throws {
        let bytes = try Fixtures.image(name)
        let image = try IFS.Image.only(in: bytes)
        let record = image.directory.entries.firstIndex {
            guard case .file = $0.kind else { return false }
            return $0.inode & 0xa000_0000 == 0x8000_0000
        }
        guard let record, try RevisionRoom(image).directoryGrowth >= 40 else { return }
        let entry = image.directory.entries[record]
        var revision = Revision()
        revision.added = [new("copy", try image.data(of: entry))]
        revision = try revision.recognizing(image)
        let result = try IFS.Image.only(in: revised(bytes, revision))
        let copy = try #require(result.lastRecord(at: "copy"))
        #expect(try bases(result) == bases(image))
        #expect(try result.shown(copy).bytes == image.shown(record).bytes)
        let isFlagged = result.directory.entries[copy].inode & 0xe000_0000
        #expect(isFlagged == entry.inode & 0xe000_0000 || isFlagged == 0)
        #expect(result.check() == image.check())
    }

    // MARK: Programs that move

    /// A data-only image with programs on pages of their own.
    private func image(
        _ programs: [SmallELF], _ release: Release, at address: UInt64
    ) throws -> [UInt8] {
        let root = Plan.Entry([], .directory, mode: 0o40755, inode: 1)
        var plan = Plan(release, .little, root: root)
        plan.range.start = address
        for (index, program) in programs.enumerated() {
            var entry = Plan.Entry(
                Array("p\(index)".utf8),
                .program(Plan.Program(.bytes(program.bytes), ELFLayout.Rules(release))),
                mode: 0o100755, inode: UInt32(index + 2))
            entry.place = .inOrder(unit: 4096)
            plan.entries.append(entry)
        }
        return try built(plan)
    }

    /// Entries that take more than the page that the directory is in.
    private var page: [Revision.Node] { (0..<120).map { new("q\(1000 + $0)", []) } }

    @Test(arguments: [Release.v66, .v80])
    func aProgramThatIsInTheDirectorysWayMovesByPages(release: Release) throws {
        let bytes = try image([.movable, .library], release, at: 0x40_0000)
        let image = try IFS.Image.only(in: bytes)
        var revision = Revision()
        revision.added = page
        let result = try IFS.Image.only(in: revised(bytes, revision))
        for (path, isMoved) in [("p0", true), ("p1", false)] {
            let record = try #require(result.lastRecord(at: path))
            let other = try #require(image.lastRecord(at: path))
            guard case .file(let place, _) = result.directory.entries[record].kind,
                case .file(let oldPlace, _) = image.directory.entries[other].kind
            else { return }
            #expect((place != oldPlace) == isMoved)
            #expect((place &- oldPlace) % 4096 == 0)
            #expect(try result.shown(record).bytes == image.shown(other).bytes)
        }
        #expect(try bases(result) == [0x40_0000])
        #expect(result.check() == [])
    }

    @Test func aProgramThatIsLinkedToItsPlaceIsInTheDirectorysWay() throws {
        let bytes = try image([.fixed], .v66, at: 0xf_f000)
        var revision = Revision()
        revision.added = page
        let error = try #require(throws: MkifsError.self) { try revised(bytes, revision) }
        #expect(
            error.description.hasSuffix(
                "at most, for at 0x1000 'p0' begins, which works at its place only;"
                    + " fewer entries or shorter paths fit"))
        #expect(try RevisionRoom(IFS.Image.only(in: bytes)).directoryGrowth < 4096)
        let elsewhere = try image([.fixed], .v66, at: 0xe_f000)
        #expect(try bases(IFS.Image.only(in: revised(elsewhere, revision))) == [0xe_f000])
    }

    @Test(arguments: [Release.v66, .v80])
    func aNewProgramInADataOnlyImageHasTheAddressesOfTheOthers(release: Release) throws {
        let bytes = try image([.movable, .library], release, at: 0x40_0000)
        var revision = Revision()
        revision.added = [new("p3", SmallELF.movable.bytes)]
        let result = try IFS.Image.only(in: revised(bytes, revision))
        #expect(try bases(result) == [0x40_0000])
        let places = try ["p0", "p3"].map { path in
            try result.shown(#require(result.lastRecord(at: path))).bytes
        }
        #expect(release == .v66 || difference(places[0], places[1]) == nil)
        #expect(result.check() == [])
    }

    // MARK: Around the image

    @Test(
        arguments: ["mipsbe-lzo-elf.ifs", "shle-plain-elf.ifs"].filter(Fixtures.allImages.contains))
    func theELFFileAroundAnImageHasItsSize(name: String) throws {
        let bytes = try Fixtures.image(name)
        var revision = Revision()
        revision.added = [new("new", SplitMix64.noise(100_000))]
        let found = try revised(bytes, revision)
        let header = try #require(ELF.Header(found))
        #expect(header.segments.map { $0.offset + $0.fileSize } == [UInt64(found.count)])
        #expect(header.segments.map(\.memorySize) == header.segments.map(\.fileSize))
        let section = try header.sections(in: MemorySource(found))[1]
        #expect(section.offset + section.size == UInt64(found.count))
        let startup = try IFS.Image.only(in: found).startup
        #expect(startup.map { UInt64($0.storedSize) } == header.segments[0].fileSize)
    }

    @Test func whatStandsBehindAnImageIsInTheWay() throws {
        let bytes = ImageBuilder([.file("a", "text")]).build().bytes
        var revision = Revision()
        revision.added = [new("b", [1])]
        let signature = SplitMix64.noise(280)
        let error = try #require(throws: MkifsError.self) {
            try revised(bytes + signature, revision)
        }
        #expect(
            error.description
                == "file at 0x\(String(bytes.count, radix: 16)): found 280 bytes behind the image,"
                + " expected none, as a change of the image can make them wrong: a signature, or"
                + " another image")
        let forced = try revised(bytes + signature, revision, isForced: true)
        #expect(forced.suffix(280) == signature[...])
        for blank in [0, 0xff] as [UInt8] {
            let found = try revised(bytes + [UInt8](repeating: blank, count: 300), revision)
            #expect(try IFS.Image.only(in: found).paths == ["", "a", "b"])
        }
    }

    @Test func anotherFileAroundAnImageIsInTheWay() throws {
        let image = ImageBuilder([.file("a", "text")]).build().bytes
        let bytes = [0x27, 0x05, 0x19, 0x56] + [UInt8](repeating: 1, count: 60) + image
        var revision = Revision()
        revision.removed = [1]
        let error = try #require(throws: MkifsError.self) { try revised(bytes, revision) }
        #expect(
            error.description
                == "file at 0x0: found an image in a file of type uImage, expected none around it,"
                + " or an ELF file whose segment ends with the image")
        #expect(try IFS.Image.only(in: revised(bytes, revision, isForced: true)).paths == [""])
    }

    // MARK: Many entries

    @Test func manyEntriesTakeLittleTime() throws {
        let count = 20_000
        let bytes = ImageBuilder.bare(
            (0..<count).map { .file("d/file\($0)", "\($0 % 97)") }
        ).build().bytes
        let image = try IFS.Image.only(in: bytes)
        var revision = Revision()
        for record in 1...count {
            var node = try #require(Revision.Node(record, of: image))
            switch record % 4 {
            case 0: revision.removed.append(record)
            case 1:
                node.kind = .file(.new(.bytes([UInt8](repeating: 7, count: record % 50))))
                revision.changed.append(node)
            case 2:
                node.path += [0x78]
                revision.changed.append(node)
            default: revision.added.append(new("e/new\(record)", [1, 2, 3]))
            }
        }
        let clock = ContinuousClock()
        var plan: Plan?
        let duration = try clock.measure {
            plan = try RevisedPlan(image, revision.recognizing(image)).plan
        }
        let found = try built(#require(plan))
        #expect(try IFS.Image.only(in: found).check() == [])
        print("plan of \(count) entries: \(duration)")
        // A debug build is slower by far; a walk over all for each would take minutes.
        #expect(duration < .seconds(20))
    }
}
