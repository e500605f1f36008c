import Foundation
import TestSupport
import Testing

/// What is where in an image, F191-F199.
struct MkifsLayoutTests {
    private func shop(_ bootfile: String = "[default_image=4m]", run: UInt64 = 0x40_0100)
        throws -> Workshop
    {
        let shop = try Workshop()
        try shop.writeBootFiles(bootfile, runAddress: run)
        return shop
    }

    @Test func thePartsFollowEachOther() throws {
        let shop = try shop("[default_image=4m len=0x40]bootCODE", run: 0x40_0140)
        let image = try shop.image(Workshop.boot() + "motd={\nhello\n}\n")
        #expect(image.bytes.prefix(4) == Array("CODE".utf8)[...])
        #expect(image.report["header_offset"].number == 0x40)
        #expect(image.bytes[0x40..<0x44] == [0xeb, 0x7e, 0xff, 0x00])
        // Behind 256 bytes of header the startup program, here with its command line.
        let arguments = try #require(
            image.bytes.firstRange(of: Array("startup\0".utf8))?.lowerBound)
        #expect(arguments == 0x140 + 8)
        // 0x40 + 0x100 + 0x1000 + 4 of sum, rounded up to 8.
        #expect(image.imageOffset == 0x1148)
        #expect(image.bytes[0x1148..<0x114f] == Array("imagefs".utf8)[...])
        // The header has 88 bytes and the mount point, in whole words.
        #expect(image.header["dir_offset"].number == 0x5c)
        let directoryEnd = try #require(image.header["hdr_dir_size"].number)
        for path in ["proc/boot/motd", "proc/boot/procnto"] {
            #expect(try #require(image[path]["offset"].number) >= directoryEnd)
        }
        #expect(try image["proc/boot/motd"]["offset"].number == directoryEnd)
        #expect(image.bytes.count == 0x1148 + Int(image.header["image_size"].number ?? 0))
    }

    @Test func theListingIsInTheOrderOfTheImage() throws {
        let shop = try shop("[default_image=4m len=0x40]", run: 0x40_0140)
        try shop.write(.ordinary(), to: "tool")
        let outcome = try shop.run(Workshop.boot() + "tool\nmotd={\nhello\n}\n", ["-v"])
        #expect(outcome.end == .exit(0))
        let lines = outcome.complaints
        #expect(lines.first == "  Offset   Size    Entry   Ramoff Target=Host")
        #expect(lines.last?.hasSuffix("Image-trailer") == true)
        let addresses = lines.dropFirst().compactMap {
            UInt64($0.prefix(8).drop { $0 == " " }, radix: 16)
        }
        #expect(addresses.first == 0x40_0000 && addresses.count == lines.count - 1)
        #expect(addresses == addresses.sorted())
    }

    @Test func whatNothingBootsHasNoStartup() throws {
        let image = try Workshop().image("motd={\nhello\n}\n")
        #expect(image.startup.isNull)
        #expect(image.bytes.prefix(7) == Array("imagefs".utf8)[...])
        #expect(image.report["kind"].text == "bare")
        #expect(image.header["image_size"].number == UInt64(image.bytes.count))
    }

    @Test(arguments: [[], ["--profile", "6.4"], ["--profile", "8.0"]])
    func allSumsAreGood(_ options: [String]) throws {
        let image = try shop().image(Workshop.boot() + "motd={\nhello\n}\n", options)
        func sum(_ range: Range<Int>) -> UInt32 {
            stride(from: range.lowerBound, to: range.upperBound, by: 4)
                .reduce(0) { $0 &+ image.bytes.integer(UInt32.self, at: $1) }
        }
        #expect(sum(0..<image.imageOffset) == 0)
        #expect(sum(image.imageOffset..<image.bytes.count) == 0)
        // From 8.0 on a SHA-512 stands before the sum, and flags say so.
        let isNew = options.last == "8.0"
        #expect((image.startup["flags1"].number ?? 0) & 0x20 == (isNew ? 0x20 : 0))
        #expect((image.header["flags"].number ?? 0) & 0x10 == (isNew ? 0x10 : 0))
    }

    @Test func aDigestIsThatOfAllBeforeIt() throws {
        let shop = try shop()
        let image = try shop.image(Workshop.boot(), ["--profile", "8.0"])
        for range in [0..<image.imageOffset, image.imageOffset..<image.bytes.count] {
            try shop.write(
                Array(image.bytes[range.lowerBound..<(range.upperBound - 68)]), to: "part")
            var child = Child(["sha512sum", "part"])
            child.folder = shop.folder.url
            let digits = image.bytes[(range.upperBound - 68)..<(range.upperBound - 4)]
                .map { String(Int($0) | 0x100, radix: 16).dropFirst() }.joined()
            #expect(try child.run().text.hasPrefix(digits))
        }
    }

    @Test func smallFilesFillTheGapsBetweenPrograms() throws {
        let shop = try shop()
        try shop.write(.ordinary(), to: "tool")
        try shop.write([UInt8](repeating: 7, count: 1500), to: "small")
        let without = try shop.image(Workshop.boot() + "tool\n")
        let with = try shop.image(Workshop.boot() + "tool\nsmall\n")
        #expect(with.bytes.count == without.bytes.count)
        #expect(try with.address("proc/boot/small") < with.address("proc/boot/procnto"))
        #expect(try with.contents("proc/boot/small") == [UInt8](repeating: 7, count: 1500))
    }

    @Test func whatFitsNoGapComesBehind() throws {
        let shop = try shop()
        try shop.write([UInt8](repeating: 7, count: 9000), to: "large")
        let image = try shop.image(Workshop.boot() + "large\n")
        #expect(try image.address("proc/boot/large") > image.address("proc/boot/procnto"))
    }

    // MARK: Programs in place and copied

    @Test(arguments: [("data=uip", "0755"), ("data=copy", "01755"), ("data=c", "01755")])
    func theStickyBitSaysThatAProgramCanBeRunManyTimes(
        _ attribute: String, _ mode: String
    ) throws {
        let shop = try shop()
        try shop.write(.ordinary(), to: "tool")
        let image = try shop.image(
            Workshop.boot() + "[\(attribute)] tool\n", ["--profile", "6.4"])
        #expect(try image.mode("proc/boot/tool") == mode)
        // 0x40000000: it is run once.
        let number = try #require(image["proc/boot/tool"]["ino"].number)
        #expect((number & 0x4000_0000 != 0) == (mode == "0755"))
    }

    @Test func copiedDataHasNoPhysicalAddress() throws {
        let shop = try shop()
        try shop.write(.ordinary(), to: "tool")
        let image = try shop.image(
            Workshop.boot() + "[data=copy] tool\n[data=uip] here=tool\n", ["--profile", "6.4"])
        func data(_ path: String) throws -> (physical: UInt32, fileSize: UInt32) {
            let bytes = try image.contents(path)
            return (
                bytes.integer(UInt32.self, at: 52 + 32 + 12),
                bytes.integer(UInt32.self, at: 52 + 32 + 16)
            )
        }
        #expect(try data("proc/boot/tool") == (0, 16))
        // In place it is as large as in memory, and lies as far from a page as where it runs.
        let here = try data("proc/boot/here")
        #expect(here.fileSize == 64 && here.physical % 0x1000 == 0)
        let place = try image.address("proc/boot/here")
        let offset = try image.contents("proc/boot/here").integer(UInt32.self, at: 52 + 32 + 4)
        #expect(UInt64(here.physical) == place + UInt64(offset))
    }

    @Test func anImageForROMCopiesDataUnlessToldOtherwise() throws {
        let shop = try Workshop()
        try shop.writeBootFiles("[]", runAddress: 0x8000_0100, procnto: 0x1000_3000)
        try shop.write(.ordinary(), to: "tool")
        let text =
            "[image=0x10000000 ram=0x80000000]\n" + Workshop.boot() + "tool\n[data=uip] here=tool\n"
        let image = try shop.image(text, ["--profile", "6.4"])
        #expect(image.startup["image_paddr"].number == 0x1000_0000)
        #expect(image.startup["ram_paddr"].number == 0x8000_0000)
        #expect((image.header["flags"].number ?? 0) & 0x02 != 0)
        #expect(try image.mode("proc/boot/tool") == "01755")
        #expect(try image.contents("proc/boot/tool").integer(UInt32.self, at: 52 + 32 + 12) == 0)
        // The startup area, and the 64 bytes of data that procnto has in memory.
        #expect(image.startup["ram_size"].number == 0x1108 + 64)
    }

    @Test(arguments: ["", "[data=copy] ", "[data=uip] "])
    func aSharedObjectsDataIsNeverItsOnlyCopy(_ attributes: String) throws {
        let shop = try shop()
        try shop.write(.library("libdemo.so.3"), to: "libdemo.so")
        let image = try shop.image(
            Workshop.boot() + attributes + "libdemo.so\n", ["--profile", "6.4"])
        let bytes = try image.contents("proc/boot/libdemo.so.3")
        let place = try image.address("proc/boot/libdemo.so.3")
        #expect(place % 0x1000 == 0)
        for header in [52, 52 + 64] {
            let (offset, physical) = (
                UInt64(bytes.integer(UInt32.self, at: header + 4)),
                UInt64(bytes.integer(UInt32.self, at: header + 12))
            )
            #expect(physical == place + offset)
        }
        // The data is not as large as in memory: each process makes its own.
        #expect(bytes.integer(UInt32.self, at: 52 + 64 + 16) == 16)
    }
}
