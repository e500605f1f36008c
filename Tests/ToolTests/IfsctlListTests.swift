import Foundation
import TestSupport
import Testing

/// `ifsctl list`: the images inside a file, as text and as JSON.
struct IfsctlListTests {
    private static func list(
        _ bytes: [UInt8], _ options: [String] = []
    ) throws -> Child.Outcome {
        let folder = try TemporaryFolder()
        try folder.write(bytes, to: "x.ifs")
        return try ifsctl(["list"] + options + ["x.ifs"], in: folder)
    }

    private static func report(_ bytes: [UInt8]) throws -> Report {
        let outcome = try list(bytes, ["--json"])
        expectSuccess(outcome)
        return try Report(outcome.output)
    }

    // MARK: Text

    /// Sizes and offsets are those of the fixtures' own listings.
    @Test(arguments: [
        (
            "boot-armle-ucl",
            "1  ifs  boot  offset 0x0  size 36936  unpacked 255108  ucl  little-endian  arm"
                + "  10 entries  mountpoint /"
        ),
        (
            "fifo",
            "1  ifs  bare  offset 0x0  size 1288  unpacked 1288  none  little-endian  -  4 entries"
        ),
        (
            "boot-ppcbe-zlib",
            "1  ifs  boot  offset 0x0  size 29912  unpacked 255072  zlib  big-endian  ppc"
                + "  10 entries  mountpoint /"
        ),
    ])
    func aGoldenCaseIsOneLine(_ name: String, _ line: String) throws {
        let outcome = try ifsctl(["list", Fixtures.golden(name, "expected.ifs").path])
        expectSuccess(outcome)
        #expect(outcome.text == line + "\n")
    }

    @Test func eachOfSeveralImagesHasANumberAndALine() throws {
        let one = ImageBuilder([.file("one", "1")]).with {
            $0.prefix = [UInt8](repeating: 7, count: 64)
            $0.machine = 62
        }.build().bytes
        let two = ImageBuilder.bare([.file("two", "2"), .directory("d")]).with {
            $0.isBigEndian = true
            $0.mountpoint = Array("/kit".utf8)
        }.build().bytes
        let outcome = try Self.list(one + two)
        expectSuccess(outcome)
        let plain = one.count - 64 - 256 - 24
        #expect(
            outcome.lines == [
                "1  ifs  boot  offset 0x40  size \(one.count - 64)  unpacked \(plain)  none"
                    + "  little-endian  x86_64  2 entries  mountpoint /",
                "2  ifs  bare  offset 0x\(String(one.count, radix: 16))  size \(two.count)"
                    + "  unpacked \(two.count)  none  big-endian  -  3 entries  mountpoint /kit",
            ])
    }

    @Test(arguments: [(Packing.lzo(), "lzo"), (.ucl(), "ucl")])
    func aContainerIsAKindOfItsOwn(_ packing: Packing, _ name: String) throws {
        let plain = ImageBuilder.bare([.file("a", "x")]).build().plain
        let bytes = Wrap.hbcifs(plain, packing)
        #expect(
            try Self.list([0, 0] + bytes).lines == [
                "1  ifs  hbcifs  offset 0x2  size \(bytes.count)  unpacked \(plain.count)  \(name)"
                    + "  little-endian  -  2 entries"
            ])
    }

    @Test func aMountPointCannotCommandATerminal() throws {
        let bytes = ImageBuilder.bare([.file("a", "x")]).with {
            $0.mountpoint = [0x2f, 0x1b, 0x5b, 0x0a, 0xff]
        }.build().bytes
        let outcome = try Self.list(bytes)
        #expect(outcome.lines.count == 1)
        #expect(outcome.lines[0].hasSuffix("  mountpoint /\\x1b[\\x0a\\xff"))
    }

    // MARK: JSON

    static let members: Set = ["format", "version", "file", "file_size", "wrapper", "images"]
    static let imageMembers = JSONTests.imageMembers
        .subtracting(["script", "findings"]).union(["type"])

    @Test(arguments: Fixtures.goldenCases)
    func eachGoldenCaseHasExactlyTheDocumentedMembers(_ name: String) throws {
        let path = Fixtures.golden(name, "expected.ifs").path
        let outcome = try ifsctl(["list", "--json", path])
        expectSuccess(outcome)
        let report = try Report(outcome.output)
        #expect(report.members == Self.members)
        #expect(report["format"].text == "ifsctl list" && report["version"].number == 1)
        #expect(report["file"].text == path && report["images"].elements.count == 1)
        let image = report["images"][0]
        #expect(image.members == Self.imageMembers)
        #expect(image["type"].text == "ifs" && image["number"].number == 1)
        #expect(image["image"].members == JSONTests.headerMembers)
        if !image["startup"].isNull {
            #expect(image["startup"].members == JSONTests.startupMembers)
        }
        // What the two tools say of an image is the same; entries are a number here.
        let dump = try Report(dumpifs(["--json", path]).output)["images"][0]
        #expect(image["entries"].number == UInt64(dump["entries"].elements.count))
        for member in Self.imageMembers.subtracting(["type", "entries"]) {
            let (left, right) = (image[member].value as? NSObject, dump[member].value as? NSObject)
            #expect(left != nil && left == right, "\(member)")
        }
    }

    @Test func everyImageIsToldWithItsNumber() throws {
        let one = ImageBuilder([.file("one", "1")]).build().bytes
        let two = ImageBuilder.bare([.file("two", "2")]).build().bytes
        let report = try Self.report(one + two)
        #expect(report["images"].elements.map { $0["number"].number } == [1, 2])
        #expect(report["images"].elements.map { $0["kind"].text } == ["boot", "bare"])
        #expect(report["images"][1]["start"].number == UInt64(one.count))
        #expect(report["file_size"].number == UInt64(one.count + two.count))
    }

    @Test func whatIsAroundAnImageIsNamed() throws {
        let image = ImageBuilder([.file("a", "x")]).build().bytes
        let wrapped: [(String, [UInt8])] = [
            ("elf", Wrap.elf(image)), ("pe", Wrap.pe(image)), ("uImage", Wrap.uImage(image)),
            ("openBIOS", Wrap.openBIOS(image)), ("sRecord", Wrap.sRecords(image)),
        ]
        for (name, bytes) in wrapped {
            #expect(try Self.report(bytes)["wrapper"].text == name)
            #expect(try Self.list(bytes).lines.count == 1)
        }
        #expect(try Self.report(image)["wrapper"].isNull)
    }

    // MARK: Names and input

    @Test func aFileOfAnyNameIsFound() throws {
        let folder = try TemporaryFolder()
        let name: [UInt8] = [0x61, 0xff, 0x20, 0xc3, 0x28]
        try folder.write(ImageBuilder.bare([.file("a", "x")]).build().bytes, to: "plain")
        let path = (Array(folder.path("").utf8) + [0x2f] + name + [0]).map(CChar.init(bitPattern:))
        try #require(rename(folder.path("plain"), path) == 0)
        for options in [[], ["--json"]] {
            let outcome = try ifsctl([], in: folder) {
                $0.words += [Array("list".utf8)] + options.map { Array($0.utf8) } + [name]
            }
            expectSuccess(outcome)
            let file = options.isEmpty ? nil : try Report(outcome.output)["file"].text
            #expect(options.isEmpty ? outcome.lines.count == 1 : file == "a\u{fffd} \u{fffd}(")
        }
        unlink(path)
        let gone = try ifsctl([], in: folder) { $0.words += [Array("list".utf8), name] }
        expectFailure(
            gone, status: 2,
            saying: ["ifsctl: a\\xff \\xc3(: cannot open: No such file or directory"])
    }

    @Test func standardInputIsRead() throws {
        let image = Fixtures.golden("fifo", "expected.ifs")
        let expected = try ifsctl(["list", image.path])
        let inputs: [Child.Input] = [.piped(image), .file(image)]
        for input in inputs {
            let outcome = try ifsctl(["list", "-"]) { $0.input = input }
            expectSuccess(outcome)
            #expect(outcome.output == expected.output)
        }
    }
}
