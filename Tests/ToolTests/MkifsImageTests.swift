import Format
import Foundation
import TestSupport
import Testing

/// What holds for the whole image: F062 to F064, F066, F069 to F072, F084 to F093, F105 to F107.
struct MkifsImageTests {
    /// A board whose startup program is linked for an image at this address.
    private func board(imageAt address: UInt64, _ bootfile: String? = nil) throws -> Board {
        let board = try Board()
        try board.write(
            ELFStandIn(.executable) {
                $0.address = address + 0x100
                $0.text = ELFStandIn.placeHolder
            }.bytes, to: "target/x86_64/boot/sys/startup-board")
        if let bootfile { try board.write(bootfile, to: "target/x86_64/boot/sys/plain.boot") }
        return board
    }

    // MARK: Byte order

    @Test(arguments: [("+", true), ("-", false)])
    func theByteOrderIsAsAskedFor(_ sign: String, _ isBig: Bool) throws {
        let bytes = try Board().image("[\(sign)bigendian]\na={\nhello\n}\n").bytes
        #expect(bytes.prefix(7).elementsEqual("imagefs".utf8))
        #expect(bytes[7] & 1 == (isBig ? 1 : 0))
        // image_size, dir_offset, and the sum that makes all words 0.
        #expect(bytes.integer(UInt32.self, at: 8, isBigEndian: isBig) == UInt32(bytes.count))
        #expect(bytes.integer(UInt32.self, at: 16, isBigEndian: isBig) == 0x5c)
        let sum = stride(from: 0, to: bytes.count, by: 4).reduce(UInt32(0)) {
            $0 &+ bytes.integer(UInt32.self, at: $1, isBigEndian: isBig)
        }
        #expect(sum == 0)
    }

    @Test(arguments: [("", true), ("[-bigendian]\n", false), ("[+bigendian]\n", true)])
    func theBootfileSaysTheByteOrderWhereNobodyElseDoes(
        _ line: String, _ isBig: Bool
    ) throws {
        let board = try board(
            imageAt: 0x40_0000, "[attr=\"?+bigendian\" vboot=0xfe000000]")
        let image = try board.image(line + Board.boot())
        #expect(image.report["byte_order"].text == (isBig ? "big" : "little"))
        let signature: [UInt8] = isBig ? [0, 0xff, 0x7e, 0xeb] : [0xeb, 0x7e, 0xff, 0]
        #expect(Array(image.bytes.prefix(4)) == signature)
        #expect(try #require(image.header["flags"].number) & 1 == (isBig ? 1 : 0))
    }

    @Test func withoutAProgramTheByteOrderIsTheHosts() throws {
        let image = try Board().image("a={\n}\n")
        let isBig = UInt16(1).bigEndian == 1
        #expect(image.report["byte_order"].text == (isBig ? "big" : "little"))
    }

    @Test func theFirstProgramSaysTheByteOrder() throws {
        let board = try Board()
        try board.write(ELFStandIn(.executable) { $0.isBigEndian = true }.bytes, to: "tool")
        #expect(try board.image("./tool\n").report["byte_order"].text == "big")
    }

    // MARK: Header

    @Test func theNextImagesAddressIsStored() throws {
        let board = try Board()
        #expect(
            try board.image("[chain=0x81000000]\na={\n}\n").header["chain_paddr"].number
                == 0x8100_0000)
        #expect(try board.image("a={\n}\n[chain=16M]\n").header["chain_paddr"].number == 0x100_0000)
        #expect(try board.image("a={\n}\n").header["chain_paddr"].number == 0)
        let found = try board.complaints("[chain=0x100000000]\na={\n}\n").joined()
        #expect(
            found.contains(
                "chain: found '0x100000000', expected a number from 0 through 4294967295"))
    }

    @Test func theMountpointIsStored() throws {
        let board = try Board()
        #expect(try board.image("[mount=/ifs]\na={\n}\n").header["mountpoint"].text == "/ifs")
        #expect(try board.image("[mount=\"/i f\"] a={\n}\n").header["mountpoint"].text == "/i f")
        // An image that boots is mounted at the root, another nowhere in particular.
        #expect(try board.image(Board.boot()).header["mountpoint"].text == "/")
        #expect(try board.image("a={\n}\n").header["mountpoint"].text == "")
        let long = try board.image("[mount=/a/longer/path]\na={\n}\n")
        #expect(long.header["dir_offset"].number == 104)
    }

    @Test func withAMountpointNamesAreRelativeToIt() throws {
        let image = try Board().image("[mount=/ifs prefix=\"\"]\n" + Board.boot() + "a={\n}\n")
        #expect(image.header["mountpoint"].text == "/ifs")
        #expect(image.files.sorted() == ["a", "procnto"])
    }

    // MARK: Compression

    private static let packed = [
        ("+compress", UInt64(3)), ("compress=1", 1), ("compress=2", 2), ("compress=3", 3),
        ("-compress", 0), ("+compress -compress", 0),
    ]

    @Test(arguments: packed)
    func aPackedImageHoldsTheSameFiles(_ attribute: String, _ method: UInt64) throws {
        let board = try Board()
        try board.write((0..<30_000).map { UInt8($0 / 100 % 256) }, to: "data")
        let text = Board.boot() + "./data\n[type=link] l=x\na={\nhello\n}\n"
        let plain = try board.image(text, ["-nn"])
        let expected = try plain.extracted()
        let image = try board.image("[\(attribute)]\n" + text, ["-nn"])
        #expect(try #require(image.startup["flags1"].number) & 0x1c == method << 2)
        expectSuccess(try Child(["rm", "-r", board.folder.path("a.ifs.out")]).run())
        #expect(try image.extracted() == expected)
        #expect(image.paths == plain.paths)
        #expect((image.bytes.count < plain.bytes.count) == (method != 0))
        #expect(
            image.report["sums"].elements.allSatisfy { $0["verdict"].text != "bad" },
            "\(image.report["sums"])")
    }

    @Test(arguments: packed.dropLast(2))
    func theStartupProgramIsNeverPacked(_ attribute: String, _ method: UInt64) throws {
        let board = try Board()
        let marker = Array("the startup program's own text, the startup program's own text".utf8)
        try board.write(
            ELFStandIn(.executable) {
                $0.address = 0x40_0100
                $0.text = marker
            }.bytes, to: "target/x86_64/boot/sys/startup-board")
        let image = try board.image("[\(attribute)]\n" + Board.boot())
        #expect(Array(image.bytes[256..<(256 + marker.count)]) == marker)
    }

    @Test func aPackedImageOfDataSaysHowItIsPacked() throws {
        let image = try Board().image("[compress=2]\na={\nhello\n}\n")
        #expect(image.startup["flags1"].number == 8 && image.startup["startup_size"].number == 260)
        #expect(try image.extracted()["a"]?.text == "hello\n")
    }

    // MARK: image=

    private static let small = "[image=RANGE]\na={\nhello\n}\n"

    private func build(_ range: String, _ text: String = small) throws -> MadeImage {
        try Board().image(text.replacingOccurrences(of: "RANGE", with: range))
    }

    /// What is said of a bootable image of this range.
    private func refusal(_ range: String) throws -> String {
        try board(imageAt: 0x100_0000).complaints("[image=\(range)]\n" + Board.boot()).joined()
    }

    @Test func theImageStartsWhereItIsTold() throws {
        let board = try board(imageAt: 0x90_0000)
        let image = try board.image("[image=9m]\n" + Board.boot())
        #expect(image.startup["image_paddr"].number == 0x90_0000)
        #expect(image.startup["ram_paddr"].number == 0x90_0000)
        #expect(image.startup["startup_vaddr"].number == 0x90_0100)
    }

    @Test(arguments: ["0x400000", "4194304", "020000000", "4096k", "4096K", "4m", "4M"])
    func numbersAreWrittenAsInC(_ number: String) throws {
        let image = try Board().image("[image=\(number)]\n" + Board.boot())
        #expect(image.startup["image_paddr"].number == 0x40_0000)
    }

    @Test(arguments: ["1g", "1G"])
    func aGStandsForGigabytes(_ number: String) throws {
        let board = try board(imageAt: 0x4000_0000)
        let image = try board.image("[image=\(number)]\n" + Board.boot())
        #expect(image.startup["image_paddr"].number == 0x4000_0000)
    }

    /// The bootfile's base, that of the release, or that of the buildfile.
    @Test func theBaseComesFromTheBuildfileTheBootfileOrTheRelease() throws {
        func base(_ address: UInt64, _ line: String, _ bootfile: String, _ profile: String) throws
            -> UInt64?
        {
            try board(imageAt: address, "[vboot=0xfe000000 \(bootfile)]")
                .image(line + Board.boot(), ["--profile", profile]).startup["image_paddr"].number
        }
        let own = "default_image=0x100000"
        for profile in ["6.4", "7.0", "8.0"] {
            #expect(try base(0x80_0000, "[image=8m]\n", own, profile) == 0x80_0000)
            #expect(try base(0x10_0000, "", own, profile) == 0x10_0000)
        }
        #expect(try base(0x40_0000, "", "", "7.0") == 0x40_0000)
        #expect(try base(0, "", "", "6.4") == 0)
        #expect(try base(0, "", "", "6.6") == 0)
    }

    /// The size of the image that `refusal` would make.
    private func size() throws -> Int {
        try board(imageAt: 0x100_0000).image("[image=16m]\n" + Board.boot()).bytes.count
    }

    @Test func anImageBeyondItsEndIsRefused() throws {
        let size = try size()
        let board = try board(imageAt: 0x100_0000)
        _ = try board.image("[image=16m-\(0x100_0000 + size)]\n" + Board.boot())
        let end = 0x100_0000 + size - 4
        let expected =
            "image area of \(hex(size)) bytes from 0x1000000 on exceeds \(hex(end)) end address"
        #expect(try refusal("16m-\(end)").contains(expected))
    }

    @Test func anImageLargerThanItsLimitIsRefused() throws {
        let size = try size()
        let board = try board(imageAt: 0x100_0000)
        _ = try board.image("[image=16m,\(size)]\n" + Board.boot())
        let expected = "image area of \(hex(size)) bytes exceeds \(hex(size - 4)) maximum size"
        #expect(try refusal("16m,\(size - 4)").contains(expected))
        #expect(try build(",1k").bytes.count < 1024)
    }

    @Test func anImageIsPaddedToItsTotal() throws {
        let size = try size()
        #expect(try build("=64k").bytes.count == 65536)
        #expect(try build("4m=64k,1m", Board.boot() + Self.small).bytes.count == 65536)
        let expected =
            "image size of \(hex(size)) bytes exceeds the total size of \(hex(size - 4))"
        #expect(try refusal("16m=\(size - 4)").contains(expected))
        let image = try build("=64k")
        #expect(image.header["image_size"].number == 65536)
        #expect(image.report["sums"].elements.allSatisfy { $0["verdict"].text != "bad" })
    }

    @Test func anImagesSizeIsAMultipleOfItsAlignment() throws {
        for text in ["", "x", "xx", "xxx"] {
            #expect(try build("0", Self.small + "b={\n\(text)}\n").bytes.count % 4 == 0)
        }
        #expect(try build("%4k").bytes.count == 4096)
        #expect(try build("%0x300").bytes.count == 0x300)
        let boot = try board(imageAt: 0x100_0000).image("[image=16m%64k]\n" + Board.boot())
        #expect(boot.bytes.count == 65536)
    }

    // MARK: ram=

    @Test func ramSaysWhereTheStartupRuns() throws {
        let board = try board(imageAt: 0x200_0000)
        let plain = try board.image("[image=32m]\n" + Board.boot())
        #expect(try #require(plain.header["flags"].number) & 2 == 0)
        let image = try board.image("[image=16m ram=32m]\n" + Board.boot())
        #expect(image.startup["image_paddr"].number == 0x100_0000)
        #expect(image.startup["ram_paddr"].number == 0x200_0000)
        #expect(image.startup["startup_vaddr"].number == 0x200_0100)
        #expect(try #require(image.header["flags"].number) & 2 == 2)
        #expect(
            try #require(image.startup["ram_size"].number)
                < #require(plain.startup["ram_size"].number))
    }

    @Test func aBootfileMayHaveTheRAM() throws {
        let board = try board(
            imageAt: 0x200_0000, "[default_image=16m default_ram=32m vboot=0xfe000000]")
        #expect(try board.image(Board.boot()).startup["ram_paddr"].number == 0x200_0000)
    }

    @Test(arguments: [
        ("32m,0x800", "exceeds 0x800 maximum size"),
        ("32m-0x2000800", "exceeds 0x2000800 end address"),
        ("32m=0x800", "exceeds the total size of 0x800"),
    ])
    func ramBeyondItsLimitsIsRefused(_ range: String, _ expected: String) throws {
        let found = try board(imageAt: 0x200_0000)
            .complaints("[image=16m ram=\(range)]\n" + Board.boot()).joined()
        #expect(found.contains("RAM ") && found.contains(expected), "\(found)")
    }

    @Test func ramIsPaddedAndAligned() throws {
        let board = try board(imageAt: 0x200_0000)
        func size(_ range: String) throws -> UInt64? {
            try board.image("[image=16m ram=\(range)]\n" + Board.boot()).startup["ram_size"].number
        }
        #expect(try size("32m=0x20000") == 0x20000)
        #expect(try size("32m%0x4000") == 0x4000)
        #expect(try size("32m,64k-48m%4k").map { $0 % 4096 } == 0)
    }

    @Test func aSplitImageIsNotPacked() throws {
        let found = try board(imageAt: 0x200_0000)
            .complaints("[image=16m ram=32m +compress]\n" + Board.boot()).joined()
        #expect(found.contains("cannot be compressed"))
    }
}
