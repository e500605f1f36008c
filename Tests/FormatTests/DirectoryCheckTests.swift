import Format
import TestSupport
import Testing

/// What a check says of the directory, of the data that it names and of the script.
struct DirectoryCheckTests {
    private static func hex(_ value: some BinaryInteger) -> String {
        "0x" + String(value, radix: 16)
    }

    /// The lines for an image of these entries, and where its parts lie in the file.
    private static func check(
        _ entries: [ImageEntry], _ change: (inout ImageBuilder) -> Void = { _ in }
    ) throws -> (lines: [String], built: BuiltImage) {
        let built = ImageBuilder(entries).with(change).build()
        return (try IFS.Image.only(in: built.bytes).check().map(\.description), built)
    }

    /// Where a field of the nth of the builder's entries stands in the file.
    private static func place(_ built: BuiltImage, _ entry: Int, _ offset: Int) -> String {
        hex(built.storedOffset + built.recordOffsets[entry + 1] + offset)
    }

    // MARK: Records

    @Test(arguments: ByteOrder.allCases)
    func aRecordThatCannotBeReadIsNamed(order: ByteOrder) throws {
        let isBig = order == .big
        var record = [UInt8](UInt16(28), isBigEndian: isBig) + [0, 0]
        for word: UInt32 in [9, 0x41ed, 0, 0, 0] { record.append(word, isBigEndian: isBig) }
        record += Array("name".utf8)
        let (lines, built) = try Self.check([
            .file("a", "x"), ImageEntry(path: [], .record(record), mode: 0), .file("b", "y"),
        ]) { $0.isBigEndian = isBig }
        #expect(
            lines == [
                "dirent.path at \(Self.place(built, 1, 24)): found no end of the text, expected a"
                    + " NUL inside the record of 28 bytes"
            ])
    }

    @Test func aDirectoryThatBreaksOffIsNamed() throws {
        let (lines, built) = try Self.check([
            .file("a", "x"), ImageEntry(path: [], .record([25, 0, 0, 0]), mode: 0),
            .file("b", "y"),
        ])
        #expect(
            lines == [
                "dirent.size at \(Self.place(built, 1, 0)): found 25, expected 0, or a multiple of"
                    + " 4 from 24 on"
            ])
    }

    @Test func aDirectoryThatDoesNotBeginWithTheRootIsNamed() throws {
        // Anything shorter would be too short for an image.
        let mountpoint = [UInt8](repeating: 0x6d, count: 60)
        let (lines, built) = try Self.check([.file("a", "x")]) {
            $0.root = nil
            $0.mountpoint = mountpoint
        }
        let place = Self.hex(built.storedOffset + built.directoryOffset)
        #expect(
            lines == [
                "image directory at \(place): found 'a' first, expected the root directory first"
            ])
        let (none, _) = try Self.check([]) {
            $0.root = nil
            $0.mountpoint = mountpoint
        }
        #expect(
            none == [
                "image directory at \(place): found no entry, expected the root directory first"
            ])
    }

    @Test func aDirectoryThatIsNotSortedIsNamedWhereItClaimsToBe() throws {
        let entries: [ImageEntry] = [.file("b", "1"), .file("a", "2"), .file("c", "3")]
        let (lines, built) = try Self.check(entries) { $0.imageFlags = 0x0c }
        #expect(
            lines == [
                "image header.flags at \(Self.hex(built.storedOffset + 7)): found SORTED, expected"
                    + " a directory that is sorted"
            ])
        #expect(try Self.check(entries).lines == [])
        let sorted = entries.sorted { $0.path.lexicographicallyPrecedes($1.path) }
        #expect(try Self.check(sorted) { $0.imageFlags = 0x0c }.lines == [])
        // The later of the 8.0 releases has the bootstrap executables first.
        let boot = try Self.check(entries) {
            $0.imageFlags = 0x0c
            $0.bootInodes = [2]
        }
        #expect(boot.lines == [])
    }

    // MARK: Names

    @Test(arguments: ["/a", "a/", "a//b", "./a", "a/..", String(repeating: "n", count: 256)])
    func anOddNameIsNamed(name: String) throws {
        let expected = "expected names of 1 to 255 bytes, neither '.' nor '..'"
        for (entry, offset) in [
            (ImageEntry.file(name, "x"), 32), (.directory(name), 24), (.symlink(name, to: "y"), 28),
            (.device(name, type: 2), 32),
        ] {
            let (lines, built) = try Self.check([.file("good", "x"), entry])
            #expect(
                lines
                    == [
                        "dirent.path at \(Self.place(built, 1, offset)): found '\(name)', \(expected)"
                    ])
        }
    }

    @Test func whatTheTreeLeavesOutIsNamed() throws {
        let long = Array(repeating: String(repeating: "p", count: 200), count: 6)
            .joined(separator: "/")
        let cases: [([ImageEntry], Int, String, Int, String)] = [
            (
                [.file(long, "x")], 0, "dirent.path", 32, "1205 bytes, expected 1023 at most"
            ),
            (
                [.file("a", "x"), .file("a/b", "y")], 1, "dirent.path", 32,
                "'a/b', expected nothing below an entry that is no directory"
            ),
            (
                [.symlink("a", to: "x"), .file("a/b", "y")], 1, "dirent.path", 32,
                "'a/b', expected nothing below a symbolic link, which wins"
            ),
            (
                [.file("a", "x"), .file("a", "y")], 0, "dirent.path", 32,
                "'a', expected one entry of that path; a later one wins"
            ),
            (
                [.file("a", "x").with { $0.inode = 0 }], 0, "dirent.ino", 4,
                "0, a void entry, for 'a', expected a number"
            ),
            (
                [ImageEntry(path: [0x61], .directory, mode: 0x3000 | 0o644)], 0, "dirent.mode", 8,
                "0x31a4 for 'a', expected a type that is known"
            ),
        ]
        for (entries, index, field, offset, rest) in cases {
            let (lines, built) = try Self.check(entries)
            #expect(lines == ["\(field) at \(Self.place(built, index, offset)): found \(rest)"])
        }
    }

    /// A terminal must not be commanded by an image.
    @Test func aNameIsPrintedEscaped() throws {
        let (lines, _) = try Self.check([
            ImageEntry(path: Array("a//\u{1b}[2J\n".utf8), .directory, mode: 0x41ed)
        ])
        #expect(lines.count == 1 && lines[0].contains("found 'a//\\x1b[2J\\x0a', expected"))
    }

    @Test(arguments: ByteOrder.allCases)
    func aLengthThatIsNotThatOfTheTargetIsNamed(order: ByteOrder) throws {
        let entries: [ImageEntry] = [.symlink("link", to: "target")]
        let record = try Self.check(entries).built.recordOffsets[1]
        let isBig = order == .big
        let (lines, built) = try Self.check(entries) {
            $0.isBigEndian = isBig
            $0.imagePatches = [.init(record + 26, [UInt8](UInt16(5), isBigEndian: isBig))]
        }
        #expect(
            lines == [
                "dirent.sym_size at \(Self.place(built, 0, 26)): found 5 for 'link', expected 6,"
                    + " the length of its target"
            ])
    }

    // MARK: Data

    @Test func dataOutsideTheImageIsNamed() throws {
        let (lines, built) = try Self.check([
            .file("a", "x").with { $0.offset = 0x10_0000 }, .file("b", "y"),
        ])
        #expect(
            lines == [
                "dirent.offset at \(Self.place(built, 0, 24)): found 'a' from 0x100000 to 0x100001,"
                    + " expected an end at \(Self.hex(built.plain.count)) at most"
            ])
    }

    @Test func dataInTheDirectoryOrInTheTrailerIsNamed() throws {
        var (lines, built) = try Self.check([
            .file("a", "xy").with { $0.offset = 0x10 }, .file("b", "y"),
        ])
        #expect(
            lines == [
                "dirent.offset at \(Self.place(built, 0, 24)): found 'a' from 0x10 to 0x12,"
                    + " expected a start at \(Self.hex(built.directoryEnd)) or later, the end of the"
                    + " directory"
            ])
        for hasDigest in [false, true] {
            let size = hasDigest ? 68 : 4
            (lines, built) = try Self.check([.file("a", "1234").with { $0.size = 5 }]) {
                $0.hasImageDigest = hasDigest
            }
            let start = built.dataOffsets[0]
            #expect(
                lines == [
                    "dirent.offset at \(Self.place(built, 0, 24)): found 'a' from \(Self.hex(start))"
                        + " to \(Self.hex(start + 5)), expected an end at"
                        + " \(Self.hex(built.plain.count - size)) at most, where the trailer starts"
                ])
        }
    }

    @Test func dataOfTwoFilesThatOverlapsIsNamed() throws {
        let (lines, built) = try Self.check([
            .file("a", "12345678").with { $0.size = 10 }, .file("b", "12345678"),
            .file("c", "12345678"),
        ])
        let (a, b) = (built.dataOffsets[0], built.dataOffsets[1])
        #expect(
            lines == [
                "dirent.offset at \(Self.place(built, 1, 24)): found 'b' from \(Self.hex(b)) to"
                    + " \(Self.hex(b + 8)), expected a start at \(Self.hex(a + 10)) or later, the"
                    + " end of 'a'"
            ])
    }

    @Test func aFileInTheMiddleOfAnotherIsNamedThoughAThirdLiesBetween() throws {
        let entries: [ImageEntry] = [
            .file("whole", "0123456789abcdef"), .file("first", "x"), .file("second", "x"),
        ]
        let whole = try Self.check(entries).built.dataOffsets[0]
        let (lines, _) = try Self.check(
            entries.enumerated().map { index, entry in
                index == 0 ? entry : entry.with { $0.offset = UInt32(whole + 4 * index) }
            })
        #expect(lines.count == 2 && lines.allSatisfy { $0.hasSuffix("the end of 'whole'") })
    }

    @Test func hardLinksAndEmptyFilesShareWhatTheyMay() throws {
        let (lines, _) = try Self.check([
            .file("a", "shared"), ImageEntry(path: [0x62], .hardLink(0), mode: 0x81a4),
            ImageEntry(path: [0x63], .hardLink(0), mode: 0x81a4).with { $0.inode = 77 },
            .file("e").with { $0.inode = 9 },
            .file("f").with {
                $0.inode = 9
                $0.offset = .max
            },
        ])
        #expect(lines == [])
    }

    @Test func aNumberOfSeveralFilesIsNamed() throws {
        let (lines, built) = try Self.check([
            .file("a", "1234").with { $0.inode = 7 }, .file("b", "1234").with { $0.inode = 7 },
            .directory("d").with { $0.inode = 0x4000_0007 },
        ])
        #expect(
            lines == [
                "dirent.ino at \(Self.place(built, 1, 4)): found 0x7 for 'b', expected a number of"
                    + " its own, not that of 'a'",
                "dirent.ino at \(Self.place(built, 2, 4)): found 0x40000007 for 'd', expected a"
                    + " number of its own, not that of 'b'",
            ])
    }

    // MARK: Hostile directories

    /// Each file overlaps one with a very long path, and all share a number: what is said of them
    /// must not grow with their number times that length.
    @Test func ofVeryManyFaultsTheFirstThousandOfAKindAreTold() throws {
        let long = [UInt8](repeating: 0xff, count: 60_000)
        func entries(_ offset: Int) -> [ImageEntry] {
            [ImageEntry(path: long, .file([UInt8](repeating: 1, count: 8)), mode: 0x81a4)]
                + (0..<20_000).map { index in
                    .file("f\(index)", "x").with {
                        $0.offset = UInt32(offset)
                        $0.size = UInt32(index % 2 + 1)
                        $0.inode = 7
                    }
                }
        }
        let first = ImageBuilder(entries(0)).build().dataOffsets[0]
        let image = try IFS.Image.only(in: ImageBuilder(entries(first + 4)).build().bytes)
        let start = Measure.threadSeconds
        let lines = image.check().map(\.description)
        #expect(Measure.threadSeconds - start < 2)
        for (field, count) in [
            ("dirent.path", 1), ("dirent.offset", 1000), ("dirent.ino", 1000),
        ] {
            #expect(lines.count { $0.hasPrefix("\(field) at ") } == count, "\(field)")
        }
        let most = lines.map(\.utf8.count).max() ?? 0
        #expect(most > 4000 && most < 5000, "a path is told up to 1023 bytes")
    }

    // MARK: The script

    @Test func aScriptThatBreaksOffIsNamed() throws {
        var builder = ImageBuilder([.file("a", "x")])
        let command = ScriptBytes.displayMessage("hi")
        builder.addScript(command + [2, 0, 0, 0])
        let built = builder.build()
        let place = built.storedOffset + built.dataOffsets[1] + command.count
        #expect(
            try IFS.Image.only(in: built.bytes).check().map(\.description) == [
                "script command.size at \(Self.hex(place)): found 2, expected 0, or 4 or more"
            ])
    }

    @Test func aScriptOutsideTheImageIsSaidOnce() throws {
        var builder = ImageBuilder([.file("a", "x")])
        builder.addScript(ScriptBytes.terminator)
        builder.entries[1].offset = 0x10_0000
        let lines = try IFS.Image.only(in: builder.build().bytes).check().map(\.description)
        #expect(lines.count == 1 && lines[0].hasPrefix("dirent.offset at "))
    }
}
