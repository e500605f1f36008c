import Foundation
import TestSupport
import Testing

/// Mount options that only disks know, and those that mean something else there.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct DiskOptionTests {
    private static let image = ImageBuilder([.file("inside", "an IFS\n"), .directory("d")]).build()
        .bytes
    /// Two partitions: an IFS, and what nobody knows.
    private static let card = DiskBytes([(0x0c, 64, image), (0x83, 200, [1])]).bytes

    private static let fat = Card.Part(
        sector: 2048, count: 32768, type: "6", contents: .fat(["-F16", "-n", "BOOT"]))

    /// With partition, one partition is the root.
    @Test(.enabled(if: Card.hasAll, "no ../shared/tools, mkfs.fat or mtools"))
    func aPartitionIsTheRoot() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let card = try Card.make(scratch)
        let whole = try scratch.mount(card, at: "whole")
        let names: [(Int, Word)] = [
            (1, "p1-fat16"), (2, "p2-qnx6"), (5, "p5-qnx4"), (6, "p6-qnx6"),
        ]
        for (number, name) in names {
            let mount = try scratch.mount(card, Word("partition=\(number)"))
            #expect(try Set(Calls.tree(mount.path)) == Set(Calls.tree(whole / name)))
            #expect(try Calls.status(mount.path).st_ino == 1)
            for path in try ["", "/.."] + Calls.tree(mount.path).prefix(20) {
                let (own, other) = try (
                    Calls.status(mount / path), Calls.status(whole / name / path)
                )
                #expect(
                    own.st_mode == other.st_mode && own.st_size == other.st_size || path == "/..")
            }
            try mount.unmount()
        }
        let folder = try scratch.mount(card, "partition=1,subdir=EFI/BOOT")
        #expect(try Calls.names(folder.path).contains("piece1"))
        let other = try scratch.mount(card, "subdir=p1-fat16/EFI/BOOT", at: "other")
        #expect(try Calls.names(other.path) == Calls.names(folder.path))
    }

    @Test(.enabled(if: Card.hasAll, "no ../shared/tools, mkfs.fat or mtools"))
    func partitionsAreCalledAsWasAskedFor() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let card = try Card.make(scratch)
        let styles: [(Word, [Word])] = [
            ("names=kind", ["p1-fat16", "p2-qnx6", "p3-unknown.img", "p5-qnx4", "p6-qnx6"]),
            ("names=number", ["p1", "p2", "p3-unknown.img", "p5", "p6"]),
            ("names=label", ["BOOT", "p3-unknown.img", "p5-qnx4", "p6-qnx6", "system"]),
        ]
        for (option, names) in styles {
            let mount = try scratch.mount(card, option)
            #expect(try Calls.names(mount.path) == names)
            try mount.unmount()
        }
    }

    /// A disk, or a file system, may begin at any byte.
    @Test(arguments: [0, 1, 511, 5000])
    func anyByteIsAnOffset(offset: Int) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let file = SplitMix64.noise(offset) + Self.card
        let mount = try scratch.mount(scratch.file("dump", file), Word("offset=\(offset)"))
        #expect(try Calls.names(mount.path) == ["p1-ifs", "p2-unknown.img"])
        #expect(try Calls.contents(mount / "p1-ifs/inside") == Array("an IFS\n".utf8))
    }

    // MARK: FAT

    /// The time of a file is that of its clock, which was told; 12:34:56 there.
    @Test(
        .enabled(if: Card.hasFAT, "no mkfs.fat or mtools"),
        arguments: [
            ("tz=UTC", 0), ("tz=+0200", 7200), ("tz=-03:30", -12600), ("tz=90", 5400),
            ("tz=-45", -2700), ("tz=+90", 5400), ("tz=0", 0),
        ])
    func timesAreThoseOfTheClock(option: String, ahead: Int) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let card = try Card.make(scratch, [Self.fat], sectors: 40960)
        let mount = try scratch.mount(card, Word(option))
        let found = try Calls.status(mount / "p1-fat16/EFI/BOOT/piece1")
        #expect(found.st_mtim.tv_sec == 1_709_210_096 - ahead)
    }

    @Test(
        .enabled(if: Card.hasFAT, "no mkfs.fat or mtools"),
        arguments: [
            ("", 0o755, 0o555), ("umask=0", 0o777, 0o555), ("umask=077", 0o700, 0o500),
            ("fmask=0111,dmask=02", 0o666, 0o444),
        ])
    func aMaskStandsInThePlaceOfTheUsualOne(option: String, mode: UInt32, ofReadOnly: UInt32) throws
    {
        let scratch = try Scratch()
        defer { scratch.end() }
        let card = try Card.make(scratch, [Self.fat], sectors: 40960)
        let mount = try scratch.mount(card, option.isEmpty ? "ro" : Word(option))
        let folder = mount / "p1-fat16"
        #expect(try Calls.status(folder / "empty").st_mode == S_IFREG | mode)
        #expect(try Calls.status(folder / "MLO").st_mode == S_IFREG | ofReadOnly)
        let isApart = option.contains("dmask")
        #expect(try Calls.status(folder / "EFI").st_mode == S_IFDIR | (isApart ? 0o775 : mode))
    }

    @Test(
        .enabled(if: Card.hasFAT, "no mkfs.fat or mtools"),
        arguments: [
            ("437", "\u{2555}\u{2518}a"), ("850", "\u{a9}\u{2518}a"), ("cp1252", "\u{b8}\u{f9}a"),
        ])
    func shortNamesAreReadByTheirCodePage(page: String, expected: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let card = try Card.make(scratch, [Self.fat], sectors: 40960)
        // The short name of `empty` in the root: found by its bytes, and set to B8 D9 'A'.
        var bytes = try Calls.contents(card)
        let name = Array("EMPTY      ".utf8)
        let place = try #require(
            (2048 * 512..<4096 * 512).first { $0 % 32 == 0 && Array(bytes[$0..<$0 + 11]) == name })
        bytes.set([0xb8, 0xd9] + Array("A        ".utf8), at: place)
        bytes[place + 12] = 0x08
        try scratch.file("card.img", bytes)
        let mount = try scratch.mount(card, Word("codepage=" + page))
        let names = try Calls.names(mount / "p1-fat16")
        #expect(names.contains(Word(expected)), "\(names)")
    }

    /// Names on FAT are found whatever their case.
    @Test(.enabled(if: Card.hasFAT, "no mkfs.fat or mtools"))
    func namesOfEitherCaseAreFound() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let card = try Card.make(scratch, [Self.fat], sectors: 40960)
        let mount = try scratch.mount(card)
        let number = try Calls.status(mount / "p1-fat16/EFI/BOOT").st_ino
        for path in ["efi/boot", "Efi/BOOT", "EFI/Boot"] as [Word] {
            #expect(try Calls.status(mount / "p1-fat16" / path).st_ino == number)
            #expect(try Calls.names(mount / "p1-fat16" / path).count == 5)
        }
        #expect(throws: SystemError(code: ENOENT)) { try Calls.status(mount / "P1-FAT16") }
    }

    // MARK: Refused

    static let refused: [(options: String, status: Int32, message: String)] = [
        ("partition=0", 1, "partition: found '0', expected a number from 1 on"),
        ("partition=x", 1, "partition: found 'x', expected a number from 1 on"),
        ("partition", 1, "option 'partition' needs a value, partition=N"),
        ("names=kinds", 1, "names: found 'kinds', expected one of kind, number, label"),
        ("codepage=932", 1, "codepage: found '932', expected one of 437, 850, 1252, ascii"),
        ("image=1,partition=1", 1, "image: found partition= as well, expected one of the two"),
        ("partition=3", 34, "CARD: partition: found no partition 3, expected one of 1, 2"),
        (
            "partition=2", 34,
            "CARD: partition: found nothing that is known in 2, expected a file system"
        ),
        ("subdir=p3", 38, "CARD: subdir: found nothing at 'p3', expected a directory of the image"),
        (
            "subdir=p2-unknown.img", 38,
            "CARD: subdir: found no directory at 'p2-unknown.img', expected a directory of the image"
        ),
        ("image=2", 34, "CARD: found 1 image, expected an image 2; 'ifsctl list' names the images"),
        (
            "offset=32768,partition=1", 34,
            "CARD: partition: found no disk, expected a partition table"
        ),
    ]
    static let clocks = ["", "x", "+", "+2h", "+0260", "1441", "-2500", "2:00", "+2:00", "+02000"]

    /// Options that a disk does not have, or that are wrong, are refused in one line.
    @Test(
        arguments: refused
            + clocks.map { value in
                (
                    "tz=" + value, 1,
                    "tz: found '\(value)', expected hours as +0200, or minutes, of a day at most"
                )
            })
    func whatIsWrongIsRefusedInOneLine(options: String, status: Int32, message: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let card = try scratch.file("card.img", Self.card)
        let finished = try run([
            Machine.tool("mount.ifs"), card, try scratch.directory("m"), "-o", Word(options),
        ])
        let expected = message.replacingOccurrences(of: "CARD", with: "\(card)")
        #expect(finished.errorText == "mount.ifs: \(expected)\n")
        #expect(finished.status == status)
    }

    /// Of a directory that is to become an image nothing is read.
    @Test(arguments: ["partition=1", "names=kind", "tz=0", "codepage=437"])
    func aDirectoryHasNoPartitions(option: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let source = try scratch.directory("source")
        let finished = try run([
            Machine.tool("mount.ifs"), source, try scratch.directory("m"), "-o",
            "rw,output=" + (scratch / "x.ifs"), "-o", Word(option),
        ])
        let name = option.prefix { $0 != "=" }
        #expect(
            finished.errorText
                == "mount.ifs: \(source): found a directory, and \(name)= is for an image\n")
    }
}
