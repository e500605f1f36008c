import Foundation
import TestSupport
import Testing

/// dumpifs of disks: the images in partitions, and in files of their file systems.
struct DumpifsDiskTests {
    /// The images in the order of their numbers, and where each is.
    private static let images: [(bytes: [UInt8], name: String, place: String)] = [
        (Card.capitals, "capitals", "partition 1, 'QNX-IFS'"),
        (Card.fragmented, "fragmented", "partition 1, 'boot/board.ifs'"),
        (Card.boot, "boot", "partition 2, '.boot/primary'"),
        (Card.raw[0], "raw1", "partition 3"), (Card.raw[1], "raw2", "partition 3"),
        (Card.pieces, "pieces", "partition 5, 'etc/ifs-four.bin'"),
        (Card.loose, "loose", "the space outside partitions"),
    ]

    @Test(.enabled(if: Card.hasAll, Card.missing))
    func eachImageIsChosenByItsNumberAndTheOthersAreNamed() throws {
        let card = try Card(isInPieces: true)
        for (index, image) in Self.images.enumerated() {
            let number = "\(index + 1)"
            let outcome = try dumpifs(["--image", number, "-m", "card.img"], in: card.folder)
            #expect(outcome.end == .exit(0))
            #expect(outcome.lines.first?.contains("  \(image.name) ") == true)
            #expect(outcome.complaints.count == Self.images.count - 1)
            for (other, expected) in Self.images.enumerated() where other != index {
                let line = outcome.complaints.first { $0.hasSuffix("(--image \(other + 1))") }
                #expect(
                    line?.hasPrefix("dumpifs: card.img: \(expected.place): another image at 0x")
                        == true)
            }
        }
        expectFailure(
            try dumpifs(["--image", "8", "card.img"], in: card.folder),
            saying: ["dumpifs: card.img: found 7 images, expected an image 8"])
    }

    /// An image in a file, in pieces or not, is what it would be if the file were copied out.
    @Test(.enabled(if: Card.hasAll, Card.missing))
    func anImageInAFileIsAsIfItWereAlone() throws {
        let card = try Card(isInPieces: true)
        for (index, image) in Self.images.enumerated() where image.place.contains("'") {
            let number = "\(index + 1)"
            for words in [["-vvv"], ["-m"], ["--verify"]] {
                let inside = try dumpifs(words + ["--image", number, "card.img"], in: card.folder)
                let alone = try card.alone(image.bytes, ["dumpifs"] + words)
                expectSuccess(alone)
                let lead = words == ["--verify"] ? "image \(number): " : ""
                #expect(inside.lines == alone.lines.map { lead + $0 })
            }
            expectUnpacked(card, number, image.bytes)
        }
    }

    private func expectUnpacked(_ card: Card, _ number: String, _ image: [UInt8]) {
        #expect(throws: Never.self) {
            for (words, name) in [
                (["-u", "inside"], "inside"), (["--plan", "plan\(number)"], ""),
            ] {
                let outcome = try dumpifs(
                    words + ["--image", number, "card.img"], in: card.folder)
                #expect(outcome.end == .exit(0))
                if !name.isEmpty {
                    #expect(try difference(card.folder.bytes(name), image) == nil)
                }
            }
            let outcome = try dumpifs(
                ["-x", "-d", "out\(number)", "--image", number, "card.img"], in: card.folder)
            #expect(outcome.end == .exit(0))
            let noise = try card.folder.bytes("out\(number)/noise")
            #expect(difference(noise, SplitMix64.noise(noise.count)) == nil)
        }
    }

    /// Of an image in a partition, places are those of the card, and what is before it is not its own.
    @Test(.enabled(if: Card.hasAll, Card.missing))
    func placesOfAnImageInAPartitionAreThoseOfTheCard() throws {
        let card = try Card(isInPieces: true)
        let outcome = try dumpifs(["--image", "4", "-u", "inside", "card.img"], in: card.folder)
        #expect(outcome.end == .exit(0))
        #expect(try difference(card.folder.bytes("inside"), Card.raw[0]) == nil)
        let listing = try dumpifs(["--image", "4", "card.img"], in: card.folder)
        #expect(listing.lines[2].hasPrefix("   508000      100  Startup-header"))
    }

    @Test(.enabled(if: Card.hasAll, Card.missing))
    func theReportHasAllImagesAndWhereTheyAre() throws {
        let card = try Card(isInPieces: true)
        let outcome = try dumpifs(["--json", "card.img"], in: card.folder)
        expectSuccess(outcome)
        let images = try Report(outcome.output)["images"].elements
        #expect(images.count == 7)
        #expect(
            images.allSatisfy { $0.members == JSONTests.imageMembers.union(["partition", "path"]) })
        let list = try Report(ifsctl(["list", "--json", "card.img"], in: card.folder).output)
        for (index, image) in images.enumerated() {
            let other = list["images"][index]
            #expect(image["number"].number == UInt64(index + 1))
            #expect(image["partition"].number == other["partition"].number)
            #expect(image["path"].text == other["path"].text)
            #expect(image["header_offset"].number == other["header_offset"].number)
        }
        let one = try Report(
            dumpifs(["--json", "--image", "2", "card.img"], in: card.folder).output)
        #expect(one["images"].elements.map { $0["path"].text } == ["boot/board.ifs"])
    }

    @Test(.enabled(if: Card.hasAll, Card.missing))
    func aBuildfileSaysWhereItsImageIs() throws {
        let card = try Card(isInPieces: true)
        let outcome = try dumpifs(["--buildfile", "--image", "2", "card.img"], in: card.folder)
        #expect(outcome.end == .exit(0))
        #expect(
            outcome.lines.first
                == "# image 2 of 7 in card.img: partition 1, 'boot/board.ifs', as a buildfile")
    }

    /// Behind an offset bytes are bytes: what lies in one piece is found whatever its name.
    @Test(.enabled(if: Card.hasAll, Card.missing))
    func behindAnOffsetTheBytesAreSearchedAsTheyAre() throws {
        let card = try Card(isInPieces: true)
        let outcome = try dumpifs(["--json", "--offset", "0", "card.img"], in: card.folder)
        expectSuccess(outcome)
        let images = try Report(outcome.output)["images"].elements
        #expect(images.allSatisfy { $0.members == JSONTests.imageMembers })
        let names = images.map { $0["entries"][1]["path"].text }
        // `other.bin` has the same image as QNX-IFS.
        #expect(names.filter { $0 == "capitals" }.count == 2)
        #expect(Set(names).isSuperset(of: ["raw1", "raw2", "loose", "boot"]))
    }

    /// What is wrong with an image in a file is said of that file.
    @Test(.enabled(if: Card.hasFAT, Card.missing))
    func complaintsNameTheFileInside() throws {
        let card = try Card.fat()
        try card.folder.write(Array(Card.capitals.dropLast(4)), to: "cut")
        try card.bash(
            "export MTOOLSRC=/dev/null; mdel -i card.img ::QNX-IFS ::other.bin ::boot/board.ifs; mcopy -i card.img cut ::cut.ifs"
        )
        let outcome = try dumpifs(["card.img"], in: card.folder)
        #expect(outcome.end == .exit(1) && outcome.complaints.count == 2)
        #expect(
            outcome.complaints.first
                == "dumpifs: card.img: 'cut.ifs': 4 bytes of the image are missing: its headers"
                + " promise 0x\(String(Card.capitals.count, radix: 16)), the file ends at"
                + " 0x\(String(Card.capitals.count - 4, radix: 16))")
        #expect(outcome.complaints.last?.hasPrefix("dumpifs: card.img: 'cut.ifs': ") == true)
    }

    @Test(.enabled(if: Card.hasFAT, Card.missing))
    func aDiskWithoutImagesIsSaid() throws {
        let card = Card(try TemporaryFolder())
        try card.bash("truncate -s 1M card.img; mkfs.fat card.img > /dev/null")
        expectFailure(
            try dumpifs(["card.img"], in: card.folder),
            saying: ["dumpifs: card.img: no IFS image found"])
        // There is a file system to list, though.
        expectSuccess(try ifsctl(["list", "card.img"], in: card.folder))
    }

    /// The images of a real card are those that are copied out of it.
    @Test(.enabled(if: Fixtures.hasShared && Tool.has("mcopy"), "no shared images, or no mtools"))
    func aRealCardsImagesAreTheirFiles() throws {
        let path = try Fixtures.sharedImage("disk-mbr.img").path
        let folder = try TemporaryFolder()
        let copied = try Child([
            "mcopy", "-n", "-i", "\(path)@@1048576", "::QNX-IFS", folder.path("x"),
        ])
        .run()
        expectSuccess(copied)
        let inside = try dumpifs(["-v", path])
        let alone = try dumpifs(["-v", "x"], in: folder)
        #expect(inside.end == .exit(0) && inside.output == alone.output)
        #expect(
            inside.complaints == [
                "dumpifs: \(path): partition 3, '.boot': another image at 0x3f8 (--image 2)"
            ])
        // QNX 4 has the other in pieces.
        let sums = try dumpifs(["--image", "2", "--verify", path])
        #expect(sums.end == .exit(0) && sums.lines.count { $0.contains(": good") } == 3)
    }
}
