import Foundation
import TestSupport
import Testing

/// Where an image may come from, and what is said where there is none.
struct InputTests {
    private static let image = Fixtures.golden("boot-armle-ucl", "expected.ifs")
    private static func expected() throws -> [UInt8] {
        try Fixtures.bytes(Fixtures.golden("boot-armle-ucl", "expected.list"))
    }

    @Test(arguments: [["-"], ["/dev/stdin"], ["--", "-"]])
    func standardInputMayBeAPipeOrAFile(_ words: [String]) throws {
        let inputs: [Child.Input] = [.piped(Self.image), .file(Self.image)]
        for input in inputs {
            let outcome = try dumpifs(words) { $0.input = input }
            expectSuccess(outcome)
            #expect(try difference(outcome.output, Self.expected()) == nil)
        }
    }

    @Test func aNamedPipeCanBeRead() throws {
        let folder = try TemporaryFolder()
        mkfifo(folder.path("pipe"), 0o600)
        var child = Child([
            "sh", "-c", "cat \"$0\" > pipe & exec \"$1\" pipe", Self.image.path, Tool.dumpifs,
        ])
        child.folder = folder.url
        let outcome = try child.run()
        expectSuccess(outcome)
        #expect(try difference(outcome.output, Self.expected()) == nil)
    }

    @Test func whatComesThroughAPipeIsKeptInTMPDIRAndThenGone() throws {
        let folder = try TemporaryFolder()
        let outcome = try dumpifs(["-"], in: folder) {
            $0.input = .piped(Self.image)
            $0.environment["TMPDIR"] = folder.path("")
        }
        expectSuccess(outcome)
        #expect(try folder.names() == [])
        let nowhere = try dumpifs(["-"], in: folder) {
            $0.input = .piped(Self.image)
            $0.environment["TMPDIR"] = folder.path("none")
        }
        expectFailure(
            nowhere,
            saying: [
                "dumpifs: \(folder.path("none")): cannot make a temporary file:"
                    + " No such file or directory"
            ])
    }

    @Test(arguments: ["/dev/zero", "/dev/urandom"]) func whatNeverEndsIsNoImage(device: String)
        throws
    {
        expectFailure(
            try dumpifs([device]),
            saying: ["dumpifs: \(device): found a device that never ends, expected a file"])
    }

    @Test func withoutStandardInputTheErrorSaysSo() throws {
        let outcome = try dumpifs(["-"]) { $0.input = .closed }
        expectFailure(
            outcome, saying: ["dumpifs: standard input: cannot copy the input: Bad file descriptor"]
        )
    }

    @Test func anImageCanBeExtractedAndUnpackedFromAPipe() throws {
        let folder = try TemporaryFolder()
        let outcome = try dumpifs(["-d", "out", "-u", "whole", "-"], in: folder) {
            $0.input = .piped(Self.image)
        }
        expectSuccess(outcome)
        #expect(try folder.node("out/tmp").type == S_IFLNK)
        #expect(try folder.bytes("whole").count == 4360 + 255_108)
    }

    @Test func aNameThatLooksLikeAnOptionStandsBehindTwoDashes() throws {
        let folder = try TemporaryFolder()
        try folder.write(Fixtures.goldenImage("mtime"), to: "-x")
        expectSuccess(try dumpifs(["--", "-x"], in: folder))
        expectSuccess(try dumpifs(["./-x"], in: folder))
    }

    // MARK: Which image

    private func threeImages(in folder: TemporaryFolder) throws -> [Int] {
        let images = ["one", "two", "three"].map { ImageBuilder([.file($0, "x")]).build().bytes }
        try folder.write(Array(images.joined()), to: "x.ifs")
        return images.indices.map { index in images[..<index].map(\.count).reduce(0, +) }
    }

    @Test func anImageIsChosenByNumberOrByOffset() throws {
        let folder = try TemporaryFolder()
        let starts = try threeImages(in: folder)
        for (index, name) in ["one", "two", "three"].enumerated() {
            let byNumber = try dumpifs(["--image", "\(index + 1)", "x.ifs"], in: folder)
            #expect(byNumber.end == .exit(0))
            #expect(byNumber.lines.contains { $0.hasSuffix("  \(name)") })
            #expect(byNumber.complaints.count == 2)
            for offset in ["\(starts[index])", "0x" + String(starts[index], radix: 16)] {
                let byOffset = try dumpifs(["--offset=\(offset)", "x.ifs"], in: folder)
                #expect(byOffset.lines.contains { $0.hasSuffix("  \(name)") })
                #expect(byOffset.complaints.count == 2 - index)
            }
        }
        let after = ["--offset", "\(starts[1])", "--image=2", "-x", "-v", "x.ifs"]
        #expect(try dumpifs(after, in: folder).lines == ["Extracted three"])
    }

    @Test func offsetsShownCountFromTheStartOfTheFileWhateverIsSearched() throws {
        let folder = try TemporaryFolder()
        let starts = try threeImages(in: folder)
        let outcome = try dumpifs(["--offset", "\(starts[2])", "x.ifs"], in: folder)
        #expect(outcome.lines[1].hasPrefix(String(format: " %8x ", 0) + "     "))
        #expect(
            outcome.lines[2].hasPrefix(String(format: " %8x      100  Startup-header", starts[2])))
    }

    @Test func ofSRecordsBytesAreCountedAsDecoded() throws {
        let folder = try TemporaryFolder()
        let one = ImageBuilder([.file("one", "1")]).build().bytes
        let two = ImageBuilder([.file("two", "2")]).build().bytes
        try folder.write(Wrap.sRecords(one + two), to: "x.srec")
        let outcome = try dumpifs(["--offset", "\(one.count)", "x.srec"], in: folder)
        expectSuccess(outcome)
        #expect(outcome.lines.contains { $0.hasSuffix("  two") })
    }

    @Test func anImageMayStartBehindFourGigabytes() throws {
        let folder = try TemporaryFolder()
        let image = ImageBuilder.bare([.file("a", "x")]).build().bytes
        try folder.write([], to: "x.img")
        truncate(folder.path("x.img"), 0x1_2000_0000)
        let file = try FileHandle(forWritingTo: folder.url.appendingPathComponent("x.img"))
        try file.seekToEnd()
        try file.write(contentsOf: Data(image))
        let outcome = try dumpifs(["--offset", "0x11ffff000", "x.img"], in: folder)
        expectSuccess(outcome)
        #expect(outcome.lines[1] == " 120000000       5c  Image-header")
        expectSuccess(try dumpifs(["--offset", "0x11ffff000", "-x", "x.img"], in: folder))
        #expect(try folder.node("a").text == "x")
    }

    // MARK: What is only partly there

    @Test func aCutImageIsListedAsFarAsItGoes() throws {
        let folder = try TemporaryFolder()
        let bytes = ImageBuilder([.file("a", "x")]).build().bytes
        try folder.write(Array(bytes.dropLast(2)), to: "x.ifs")
        let outcome = try dumpifs(["x.ifs"], in: folder)
        #expect(outcome.end == .exit(1) && outcome.complaints.count == 2)
        #expect(outcome.complaints.first?.contains(": 2 bytes of the image are missing: ") == true)
        #expect(outcome.lines.last?.hasSuffix("        1  a") == true)
    }

    @Test func aRecordThatCannotBeReadIsToldAndTheOthersAreListed() throws {
        let folder = try TemporaryFolder()
        var builder = ImageBuilder.bare([.file("abc", "x"), .file("b", "y")])
        // The name's end and the padding behind it.
        builder.imagePatches = [.init(builder.build().recordOffsets[1] + 35, [0x2e])]
        try folder.write(builder.build().bytes, to: "x.ifs")
        let outcome = try dumpifs(["x.ifs"], in: folder)
        #expect(outcome.end == .exit(1) && outcome.complaints.count == 1)
        #expect(outcome.lines.contains { $0.hasSuffix("        1  b") })
    }

    @Test func aDirectoryThatBreaksOffFails() throws {
        let folder = try TemporaryFolder()
        var builder = ImageBuilder.bare([.file("a", "x"), .file("b", "y")])
        builder.imagePatches = [.init(builder.build().recordOffsets[2], [3, 0])]
        try folder.write(builder.build().bytes, to: "x.ifs")
        for words in [["x.ifs"], ["-d", "out", "x.ifs"], ["--verify", "x.ifs"]] {
            let outcome = try dumpifs(words, in: folder)
            #expect(outcome.end == .exit(1) && outcome.complaints.count == 1)
        }
        #expect(try folder.node("out/a").text == "x")
    }

    @Test func numbersOutOfRangeAreErrors() throws {
        let folder = try TemporaryFolder()
        let second = try threeImages(in: folder)[1]
        let size = try folder.bytes("x.ifs").count
        expectFailure(
            try dumpifs(["--offset", "\(second)", "--image", "3", "x.ifs"], in: folder),
            saying: ["dumpifs: x.ifs: found 2 images, expected an image 3"])
        let cases: [([String], String)] = [
            (["--image", "4"], "x.ifs: found 3 images, expected an image 4"),
            (["--verify", "--image", "4"], "x.ifs: found 3 images, expected an image 4"),
            (["--json", "--image", "4"], "x.ifs: found 3 images, expected an image 4"),
            (
                ["--image", "18446744073709551615"],
                "x.ifs: found 3 images, expected an image \(Int.max)"
            ),
            (
                ["--offset", "\(size)"],
                "x.ifs: found \(size) bytes, expected more than the offset \(size)"
            ),
            (["--offset", "\(size - 4)"], "x.ifs: no IFS image found"),
            (["--image", "0"], "option '--image': found '0', expected a whole number from 1 on"),
            (["--image", "-1"], "option '--image': found '-1', expected a whole number from 1 on"),
            (
                ["--image", "two"],
                "option '--image': found 'two', expected a whole number from 1 on"
            ),
            (["--image", ""], "option '--image': found '', expected a whole number from 1 on"),
            (
                ["--offset", "1k"],
                "option '--offset': found '1k', expected a whole number from 0 on"
            ),
            (
                ["--offset", "0x"],
                "option '--offset': found '0x', expected a whole number from 0 on"
            ),
            (
                ["--offset", "0x-1"],
                "option '--offset': found '0x-1', expected a whole number from 0 on"
            ),
            (
                ["--offset", "18446744073709551616"],
                "option '--offset': found '18446744073709551616', expected a whole number from 0 on"
            ),
            (
                ["-x", "--jobs", "0"],
                "option '--jobs': found '0', expected a whole number from 1 on"
            ),
        ]
        for (words, line) in cases {
            let outcome = try dumpifs(words + ["x.ifs"], in: folder)
            expectFailure(outcome, saying: ["dumpifs: " + line])
            #expect(outcome.output == [])
        }
    }

    // MARK: What is no image

    @Test func whatCannotBeReadIsNamed() throws {
        let folder = try TemporaryFolder()
        mkdir(folder.path("dir"), 0o755)
        expectFailure(
            try dumpifs(["no/such"], in: folder),
            saying: ["dumpifs: no/such: cannot open: No such file or directory"])
        let directory = try dumpifs(["dir"], in: folder)
        #expect(directory.end == .exit(1))
        #expect(directory.complaints.count == 1)
        #expect(directory.complaints.first?.hasPrefix("dumpifs: dir: ") == true)
        #expect(directory.complaints.first?.contains("a directory") == true)
    }

    @Test func whatHoldsNoImageIsNamedInOneLine() throws {
        let folder = try TemporaryFolder()
        let image = ImageBuilder([.file("a", "x")]).build().bytes
        let files: [(String, [UInt8], String)] = [
            ("empty", [], "no IFS image found"),
            ("text", Array("no image at all\n".utf8), "no IFS image found"),
            (
                "mifs", Wrap.mifs([1, 2, 3]),
                "found a MIFS container, expected an IFS image, which it is not"
            ),
            (
                "hsp", Wrap.hsp([1, 2, 3]),
                "found an HSP container, expected an IFS image, which it is not"
            ),
            (
                "gzip", Packer.deflated(image),
                "found a gzip file (unpack it with gunzip first), expected an IFS image, which it is not"
            ),
        ]
        for (name, bytes, message) in files {
            try folder.write(bytes, to: name)
            for words in [[], ["-x"], ["--json"], ["--verify"], ["-u", "y"]] {
                let outcome = try dumpifs(words + [name], in: folder)
                expectFailure(outcome, saying: ["dumpifs: \(name): \(message)"])
                #expect(outcome.output == [])
            }
        }
        expectFailure(
            try dumpifs(["/dev/null"]), saying: ["dumpifs: /dev/null: no IFS image found"])
        #expect(!(try folder.names()).contains("y"))
    }

    @Test func theNearestThingToAnImageIsTold() throws {
        let folder = try TemporaryFolder()
        let bytes = ImageBuilder([.file("a", "x")]).build().bytes
        try folder.write(Array(bytes.prefix(260)), to: "x.ifs")
        expectFailure(
            try dumpifs(["x.ifs"], in: folder),
            saying: [
                "dumpifs: x.ifs: no IFS image found; the nearest thing to one: startup"
                    + " header.startup_size at 0x20: found 260 bytes, expected 280"
            ])
    }

    @Test func anImageNameOfAnyBytesIsShownEscaped() throws {
        let folder = try TemporaryFolder()
        var child = Child([Array(Tool.dumpifs.utf8), [0x61, 0x1b, 0x5b, 0x0a, 0xff]])
        child.folder = folder.url
        expectFailure(
            try child.run(),
            saying: ["dumpifs: a\\x1b[\\x0a\\xff: cannot open: No such file or directory"])
    }
}
