import Foundation
import TestSupport
import Testing

/// `--json`: the members that dumpifs(1) promises, with their values.
struct JSONTests {
    private func report(
        _ bytes: [UInt8], _ arguments: [String] = [], status: Int32 = 0
    ) throws -> Report {
        let folder = try TemporaryFolder()
        try folder.write(bytes, to: "x.ifs")
        let outcome = try dumpifs(["--json"] + arguments + ["x.ifs"], in: folder)
        #expect(outcome.end == .exit(status))
        return try Report(outcome.output)
    }

    // MARK: The shape

    static let members: Set = ["format", "version", "file", "file_size", "wrapper", "images"]
    static let imageMembers: Set = [
        "number", "kind", "byte_order", "compression", "start", "header_offset", "stored_offset",
        "end", "missing_bytes", "displacement", "startup", "image", "entries", "script", "findings",
    ]
    static let startupMembers: Set = [
        "version", "flags1", "flags2", "header_size", "machine", "machine_name", "startup_vaddr",
        "paddr_bias", "image_paddr", "ram_paddr", "ram_size", "startup_size", "stored_size",
        "imagefs_paddr", "imagefs_size", "preboot_size", "zero0", "zero", "addr_off", "info",
        "boot_arguments",
    ]
    static let headerMembers: Set = [
        "flags", "image_size", "hdr_dir_size", "dir_offset", "boot_ino", "script_ino",
        "chain_paddr", "spare", "mountflags", "mountpoint",
    ]
    static let entryMembers: Set = [
        "path", "type", "ino", "mode", "uid", "gid", "mtime", "record_offset", "record_size",
    ]
    static let kindMembers: [String: Set<String>] = [
        "file": ["offset", "size"], "directory": [], "symlink": ["target", "sym_size"],
        "fifo": ["dev", "rdev"],
    ]

    @Test(arguments: Fixtures.goldenCases)
    func eachGoldenCaseHasExactlyTheDocumentedMembers(_ name: String) throws {
        let outcome = try dumpifs(["--json", Fixtures.golden(name, "expected.ifs").path])
        expectSuccess(outcome)
        let report = try Report(outcome.output)
        #expect(report.members == Self.members)
        let image = report["images"][0]
        #expect(image.members == Self.imageMembers)
        let hasStartup = name.contains("boot") || name.contains("compress")
        #expect(image["startup"].isNull == !hasStartup)
        if hasStartup { #expect(image["startup"].members == Self.startupMembers) }
        #expect(image["image"].members == Self.headerMembers)
        for entry in image["entries"].elements {
            let type = try #require(entry["type"].text)
            let own = try #require(Self.kindMembers[type])
            let isBoot = image["image"]["boot_ino"].numbers.contains(entry["ino"].number ?? 0)
            #expect(
                entry.members
                    == Self.entryMembers.union(own).union(isBoot ? ["boot_arguments"] : []))
        }
        if !image["script"].isNull {
            #expect(image["script"].members == ["path", "lines", "broken"])
        }
    }

    /// The whole text for two cases; `Tests/Fixtures/json/README.md` says how it is renewed.
    @Test(arguments: ["boot-armle-chain", "fifo"])
    func theTextOfAVersionStaysAsItIs(_ name: String) throws {
        let outcome = try dumpifs(["--json", "--verify", "expected.ifs"]) {
            $0.folder = Fixtures.golden(name, "expected.ifs").deletingLastPathComponent()
        }
        expectSuccess(outcome)
        let expected = try Fixtures.bytes(
            Fixtures.folder.appendingPathComponent("json/\(name).json"))
        #expect(
            outcome.lines
                == String(decoding: expected, as: UTF8.self).split(separator: "\n").map(String.init)
        )
        #expect(outcome.output == expected)
    }

    // MARK: Values

    @Test func aBootableImageShowsItsHeaders() throws {
        var builder = ImageBuilder([
            .file("boot/procnto", Self.program()).with { $0.inode = 0xa000_0002 },
            .symlink("link", to: "boot").with { $0.modified = 77 },
            .device("dev/tty", type: 2, dev: 9, rdev: 1026, permissions: 0o620),
            .file("zip", "data", permissions: 0o4755).with {
                $0.user = 12
                $0.group = 34
                $0.modified = 0xffff_fffe
                $0.extraPadding = 8
            },
        ]).with {
            $0.isBigEndian = true
            $0.prefix = [UInt8](repeating: 0, count: 0x20)
            $0.physicalBias = 0x4000_0000
            $0.flags2 = 3
            $0.zeroHalf = 4
            $0.zeroWord = 5
            $0.addressOffset = 0x1_0000_0000
            $0.bootInodes = [0xa000_0002]
            $0.chainAddress = 0x1234
            $0.machine = 20
            $0.info = [0, 1, 0, 12, 0, 0, 0x10, 0, 0, 0, 0x20, 0, 0x80, 1, 0, 6, 0xab, 0xcd]
        }
        builder.addScript(ScriptBytes.displayMessage("hello\n") + ScriptBytes.terminator)
        let built = builder.build()
        let report = try report(built.bytes)
        #expect(report["format"].text == "dumpifs" && report["version"].number == 1)
        #expect(report["file"].text == "x.ifs" && report["wrapper"].isNull)
        #expect(report["file_size"].number == UInt64(built.bytes.count))
        let image = report["images"][0]
        #expect(image["number"].number == 1 && image["kind"].text == "boot")
        #expect(image["byte_order"].text == "big" && image["compression"].text == "none")
        #expect(image["start"].number == 0 && image["header_offset"].number == 0x20)
        #expect(image["stored_offset"].number == UInt64(built.storedOffset))
        #expect(image["end"].number == UInt64(built.bytes.count))
        #expect(image["missing_bytes"].number == 0 && image["displacement"].number == 0)
        try checkStartup(image["startup"], built)
        checkHeader(image["image"], built)
        checkEntries(image["entries"], built)
        #expect(image["script"]["path"].text == "proc/boot/.script")
        #expect(image["script"]["lines"].texts == ["display_msg hello"])
        #expect(image["script"]["broken"].isNull)
        #expect(image["findings"].elements.isEmpty)
    }

    /// A program with a command line left in it; the address is that of the startup header.
    private static func program() -> [UInt8] {
        [UInt8](repeating: 1, count: 40)
            + BootArgumentBytes.entry(
                ["procnto", "-v"], ["PATH=/bin"], address: 0x1_c000_0000, isWide: true,
                isBigEndian: true)
    }

    private func checkStartup(_ startup: Report, _ built: BuiltImage) throws {
        let area = built.storedOffset - 0x20
        let stored = built.bytes.count - 0x20
        let numbers: [(String, Int)] = [
            ("version", 1), ("flags1", 3), ("flags2", 3), ("header_size", 256), ("machine", 20),
            ("startup_vaddr", 0xc000_0100), ("paddr_bias", 0x4000_0000),
            ("image_paddr", 0x8000_0000), ("ram_paddr", 0x8000_0000), ("ram_size", stored),
            ("startup_size", area), ("stored_size", stored), ("imagefs_paddr", 0),
            ("imagefs_size", built.plain.count), ("preboot_size", 0x20), ("zero0", 4), ("zero", 5),
            ("addr_off", 0x1_0000_0000),
        ]
        for (name, value) in numbers { #expect(startup[name].number == UInt64(value), "\(name)") }
        #expect(startup["machine_name"].text == "ppc" && startup["boot_arguments"].isNull)
        #expect(startup["info"][0]["type"].text == "memory")
        #expect(startup["info"][0]["address"].number == 0x1000)
        #expect(startup["info"][0]["size"].number == 0x2000)
        #expect(startup["info"][1]["type"].number == 0x8001)
        #expect(startup["info"][1]["payload"].text == "abcd")
        #expect(startup["info"].elements.count == 2)
    }

    private func checkHeader(_ header: Report, _ built: BuiltImage) {
        let numbers: [(String, Int)] = [
            ("flags", 5), ("image_size", built.plain.count), ("hdr_dir_size", built.directoryEnd),
            ("dir_offset", 0x5c), ("script_ino", 6), ("chain_paddr", 0x1234), ("mountflags", 0),
        ]
        for (name, value) in numbers { #expect(header[name].number == UInt64(value), "\(name)") }
        #expect(header["boot_ino"].numbers == [0xa000_0002, 0, 0, 0])
        #expect(header["spare"].numbers == [UInt64](repeating: 0, count: 10))
        #expect(header["mountpoint"].text == "/")
    }

    private func checkEntries(_ entries: Report, _ built: BuiltImage) {
        #expect(
            entries.elements.map { $0["path"].text } == [
                "", "boot/procnto", "link", "dev/tty", "zip", "proc/boot/.script",
            ])
        #expect(
            entries.elements.map { $0["type"].text } == [
                "directory", "file", "symlink", "character device", "file", "file",
            ])
        for (index, entry) in entries.elements.enumerated() {
            let place = built.recordOffsets[index]
            #expect(entry["record_offset"].number == UInt64(place - 0x5c))
            let size = built.plain.integer(UInt16.self, at: place, isBigEndian: true)
            #expect(entry["record_size"].number == UInt64(size))
        }
        #expect(entries[1]["ino"].number == 0xa000_0002)
        #expect(entries[1]["boot_arguments"]["arguments"].texts == ["procnto", "-v"])
        #expect(entries[1]["boot_arguments"]["environment"].texts == ["PATH=/bin"])
        #expect(entries[2]["target"].text == "boot" && entries[2]["sym_size"].number == 4)
        #expect(entries[2]["mtime"].number == 77 && entries[2]["mode"].text == "0777")
        #expect(entries[3]["dev"].number == 9 && entries[3]["rdev"].number == 1026)
        #expect(entries[4]["mode"].text == "04755" && entries[4]["mtime"].number == 0xffff_fffe)
        #expect(entries[4]["uid"].number == 12 && entries[4]["gid"].number == 34)
        #expect(entries[4]["offset"].number == UInt64(built.dataOffsets[3]))
        #expect(entries[4]["size"].number == 4)
    }

    @Test(
        arguments: [
            ("file", 8), ("directory", 4), ("fifo", 1), ("block device", 6), ("socket", 12),
            ("named special", 5), ("unknown", 7),
        ] as [(String, UInt32)])
    func everyTypeHasAName(_ name: String, _ type: UInt32) throws {
        let entry: ImageEntry =
            switch type {
            case 8: .file("x")
            case 4, 7: .directory("x").with { $0.mode = type << 12 | 0o644 }
            default: .device("x", type: type)
            }
        let image = try report(ImageBuilder.bare([entry]).build().bytes)["images"][0]
        #expect(image["entries"][1]["type"].text == name)
        #expect(image["findings"].elements.count == (type == 7 ? 1 : 0))
    }

    @Test func aBareImageHasNoStartup() throws {
        let built = ImageBuilder.bare([.file("a", "x")]).with { $0.mountpoint = Array("/kit".utf8) }
            .build()
        let image = try report([1, 2, 3, 4] + built.bytes)["images"][0]
        #expect(image["kind"].text == "bare" && image["startup"].isNull && image["script"].isNull)
        for name in ["start", "header_offset", "stored_offset"] {
            #expect(image[name].number == 4)
        }
        #expect(image["image"]["mountpoint"].text == "/kit")
        #expect(image["image"]["dir_offset"].number == 0x60)
    }

    @Test(arguments: [(Packing.zlib(), "zlib"), (.lzo(), "lzo"), (.ucl(), "ucl")])
    func aPackedImageNamesItsCompression(_ packing: Packing, _ name: String) throws {
        let built = ImageBuilder([.file("a", SplitMix64.text(9000))]).with { $0.packing = packing }
            .build()
        let image = try report(built.bytes)["images"][0]
        #expect(image["compression"].text == name && image["kind"].text == "boot")
        #expect(image["stored_offset"].number == UInt64(built.storedOffset))
        #expect(image["image"]["image_size"].number == UInt64(built.plain.count))
        #expect(image["entries"][1]["offset"].number == UInt64(built.dataOffsets[0]))
    }

    @Test(arguments: [(Packing.lzo(), "lzo"), (.ucl(), "ucl")])
    func aHarmanContainerIsAKindOfItsOwn(_ packing: Packing, _ name: String) throws {
        let plain = ImageBuilder.bare([.file("a", "x")]).build().plain
        let bytes = Wrap.hbcifs(plain, packing)
        let image = try report([0, 0] + bytes)["images"][0]
        #expect(image["kind"].text == "hbcifs" && image["compression"].text == name)
        #expect(image["startup"].isNull)
        #expect(image["header_offset"].number == 2 && image["stored_offset"].number == 66)
        #expect(image["end"].number == UInt64(bytes.count + 2))
    }

    @Test func allImagesAreToldOrTheChosenOne() throws {
        let one = ImageBuilder([.file("one", "1")]).build().bytes
        let two = ImageBuilder.bare([.file("two", "2")]).build().bytes
        let both = try report(one + two)["images"]
        #expect(both.elements.map { $0["number"].number } == [1, 2])
        #expect(both.elements.map { $0["kind"].text } == ["boot", "bare"])
        #expect(both[1]["start"].number == UInt64(one.count))
        let second = try report(one + two, ["--image", "2"])["images"]
        #expect(second.elements.count == 1 && second[0]["number"].number == 2)
        #expect(second[0]["entries"][1]["path"].text == "two")
    }

    @Test func wrappersAreNamed() throws {
        let image = ImageBuilder([.file("a", "x")]).build().bytes
        let wrapped: [(String, [UInt8])] = [
            ("elf", Wrap.elf(image)), ("pe", Wrap.pe(image)), ("uImage", Wrap.uImage(image)),
            ("openBIOS", Wrap.openBIOS(image)), ("sRecord", Wrap.sRecords(image)),
        ]
        for (name, bytes) in wrapped {
            let report = try report(bytes)
            #expect(report["wrapper"].text == name)
            #expect(report["images"].elements.count == 1)
            // Of S-records it is what they decode to that has a size.
            let size = name == "sRecord" ? image.count : bytes.count
            #expect(report["file_size"].number == UInt64(size))
        }
    }

    // MARK: Odd bytes

    @Test func bytesThatAreNoTextComeInHexadecimalToo() throws {
        let entries: [ImageEntry] = [
            .file("", "x").with { $0.path = [0x66, 0xff, 0x22, 0x5c, 0x0a, 0x1b, 0x7f] },
            ImageEntry(path: Array("caf\u{e9}".utf8), .symlink([0xc3, 0x28]), mode: 0xa1ff),
        ]
        let list = try report(ImageBuilder.bare(entries).build().bytes)["images"][0]["entries"]
        #expect(list[1]["path"].text == "f\u{fffd}\"\\\n\u{1b}\u{7f}")
        #expect(list[1]["path_hex"].text == "66ff225c0a1b7f")
        #expect(list[2]["path"].text == "caf\u{e9}" && !list[2].members.contains("path_hex"))
        #expect(list[2]["target"].text == "\u{fffd}(" && list[2]["target_hex"].text == "c328")
    }

    @Test func theTextItselfIsASCIIControlFree() throws {
        let entries = [ImageEntry.file("", "x").with { $0.path = Array(1...255) }]
        let folder = try TemporaryFolder()
        try folder.write(ImageBuilder.bare(entries).build().bytes, to: "x.ifs")
        let outcome = try dumpifs(["--json", "x.ifs"], in: folder)
        let isClean = outcome.output.allSatisfy { $0 == 10 || $0 >= 0x20 && $0 != 0x7f }
        #expect(isClean)
        let path = try Report(outcome.output)["images"][0]["entries"][1]["path_hex"].text
        #expect(path?.hasPrefix("0102030405") == true && path?.count == 510)
    }

    @Test func whatIsOddIsFound() throws {
        let built = ImageBuilder.bare([
            .file("gone").with { $0.inode = 0 }, .file("../up"), .file("twice"), .file("twice"),
            .symlink("l", to: "x"), .file("l/below"), .file("out").with { $0.size = 1 << 30 },
        ]).build()
        let findings = try report(built.bytes)["images"][0]["findings"].texts
        #expect(
            Set(findings) == [
                "'gone': its inode number is 0: removed, or run and not to be run again",
                "'../up': its name cannot be a path",
                "'twice': a later entry has the same path and wins",
                "'l/below': it lies below a symbolic link, which wins",
                "'out': its data lies outside the image",
            ])
    }

    @Test func aDirectoryThatBreaksOffIsFoundAndFails() throws {
        var builder = ImageBuilder.bare([.file("a", "x"), .file("b", "y")])
        let place = builder.build().recordOffsets[2]
        builder.imagePatches = [.init(place, [3, 0])]
        let image = try report(builder.build().bytes, status: 1)["images"][0]
        #expect(image["entries"].elements.count == 2)
        #expect(image["findings"][0].text?.hasPrefix("dirent.size at ") == true)
    }

    @Test func aCutImageTellsHowMuchIsMissing() throws {
        let bytes = Array(ImageBuilder([.file("a", "x")]).build().bytes.dropLast(3))
        let image = try report(bytes)["images"][0]
        #expect(image["missing_bytes"].number == 3)
        #expect(image["end"].number == UInt64(bytes.count + 3))
    }

    // MARK: With --verify

    @Test func sumsAreTheresOnlyWhenTheyAreChecked() throws {
        let built = ImageBuilder([.file("a", SplitMix64.text(500))]).with { $0.packing = .zlib() }
            .build()
        #expect(try !report(built.bytes)["images"][0].members.contains("sums"))
        let sums = try report(built.bytes, ["--verify"])["images"][0]["sums"]
        let regions = ["startup", "startup", "image", "image", "packed", "packed", "packed"]
        let methods = ["cksum", "sha512", "cksum", "sha512", "cksum", "sha512", "crc32"]
        let verdicts = ["good", "absent", "good", "absent", "good", "absent", "good"]
        #expect(sums.elements.map { $0["region"].text } == regions)
        #expect(sums.elements.map { $0["method"].text } == methods)
        #expect(sums.elements.map { $0["verdict"].text } == verdicts)
        // The value of a gzip stream's sum is not told apart from the stream.
        let stored = sums.elements.map { $0.members.contains("stored") }
        #expect(stored == [true, false, true, false, true, false, false])
        let known: Set = ["region", "method", "verdict", "stored"]
        #expect(sums.elements.allSatisfy { $0.members.isSubset(of: known) })
    }

    @Test func aBadSumHasBothValuesAndFails() throws {
        let built = ImageBuilder([.file("a", "x")]).build()
        var bytes = built.bytes
        bytes[270] &+= 4
        let word = bytes.integer(UInt32.self, at: built.storedOffset - 4)
        let sum = try report(bytes, ["--verify"], status: 1)["images"][0]["sums"][0]
        #expect(sum["verdict"].text == "bad")
        #expect(sum["stored"].text == "0x" + String(word, radix: 16))
        // Byte 270 is the third of its word.
        #expect(sum["computed"].text == "0x" + String(word &- 0x4_0000, radix: 16))
    }
}
