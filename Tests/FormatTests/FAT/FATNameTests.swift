import Format
import TestSupport
import Testing

/// Long and short names as a volume shows and finds them.
struct FATNameTests {
    private static func volume(
        _ image: FATImage, _ options: FAT.Options = .init()
    ) throws -> FAT.Volume {
        try FAT.Volume(MemorySource(image.bytes), options)
    }

    private static func names(_ volume: FAT.Volume, _ node: NodeID = .root) throws -> [String] {
        try volume.list(node).map { String(decoding: $0.name, as: UTF8.self) }
    }

    private static func contents(_ volume: FAT.Volume, _ path: String) throws -> [UInt8] {
        let node = try #require(try volume.node(at: path), "\(path)")
        return try volume.contents(of: node)
    }

    @Test(arguments: [
        "a", "thirteen chars".prefix(13).description, "fourteen chars", "grün.txt", "日本語.txt",
        "smile \u{1f600}.bin", String(repeating: "x", count: 255),
        String(repeating: "語", count: 255), "a.b.c.d", " leading", ".hidden", "+,;=[]",
    ])
    func longNamesAreShownInUTF8AndFound(name: String) throws {
        var image = FATImage()
        image.addFile("SHORTN~1TXT", [7], long: name)
        let volume = try Self.volume(image)
        #expect(try Self.names(volume) == [name])
        let node = try #require(try volume.lookup(Array(name.utf8), in: .root))
        for other in [name.uppercased(), name.lowercased(), "SHORTN~1.TXT", "shortn~1.txt"] {
            #expect(try volume.lookup(Array(other.utf8), in: .root) == node, "\(other)")
        }
        #expect(try volume.lookup(Array((name + "x").utf8), in: .root) == nil)
        #expect(
            try volume.extendedAttribute("fat.shortname", of: node) == Array("SHORTN~1.TXT".utf8))
        #expect(volume.check() == [])
    }

    @Test func halfASurrogatePairIsAReplacementCharacter() throws {
        var image = FATImage()
        for (index, units) in [[0x41, 0xd83d, 0x42], [0xde00, 0xd83d], [0xd83d]].enumerated() {
            let slot = FATImage.slot("A\(index)")
            for part in FATImage.parts(units.map { UInt16($0) }, for: slot) { image.addSlot(part) }
            image.addSlot(slot)
        }
        let volume = try Self.volume(image)
        #expect(try Self.names(volume) == ["A\u{fffd}B", "\u{fffd}\u{fffd}", "\u{fffd}"])
        #expect(volume.check().count == 3)
    }

    /// A run of parts that is broken is no name; the short name stands.
    @Test(arguments: [0, 11, 12, 13, 32, 45, 64, 77, 96])
    func brokenRunsLeaveTheShortName(place: Int) throws {
        var image = FATImage()
        image.addFile("KEPT", long: "kept")
        let entry = image.addFile(
            "NAME       ", long: String(repeating: "long name ", count: 3).dropLast().description)
        image.addFile("ALSO", long: "also")
        let before = try Self.names(Self.volume(image))
        #expect(before == ["kept", "long name long name long name", "also"])
        // Parts of 32 bytes before the entry: sequence at 0, sum at 13.
        image.bytes[entry - 96 + place] ^= place % 32 == 12 ? 0 : place == 11 ? 0x40 : 0x02
        let names = try Self.names(Self.volume(image))
        switch place {
        case 11, 12: #expect(names == before, "what has no meaning there changes nothing")
        case 32: #expect(names == ["kept"], "a number of 0 is the end mark")
        case 96: #expect(names == ["kept", "LAME", "also"])
        default: #expect(names == ["kept", "NAME", "also"], "\(place)")
        }
        if place != 11, place != 12 { #expect(try !Self.volume(image).check().isEmpty) }
    }

    @Test func partsWithoutAnEntryAreIgnored() throws {
        var image = FATImage()
        let slot = FATImage.slot("GONE")
        for part in FATImage.parts(Array("an orphan name".utf16), for: slot) { image.addSlot(part) }
        image.addFile("A", long: "first")
        let deleted = image.addFile("B", long: "second")
        image.bytes[deleted] = 0xe5
        image.addFile("C")
        for part in FATImage.parts(Array("another".utf16), for: slot) { image.addSlot(part) }
        let volume = try Self.volume(image)
        #expect(try Self.names(volume) == ["first", "C"])
        #expect(
            volume.check().map(\.description).filter { $0.contains("part of a name") }.count == 3)
    }

    @Test func namesThatArePathsAreNotShown() throws {
        var image = FATImage()
        for (index, name) in ["a/b", "..", ".", "/"].enumerated() {
            image.addFile("SAFE\(index)", long: name)
        }
        image.addFile("UN/SAFE")
        image.addFile("           ")
        let volume = try Self.volume(image)
        #expect(try Self.names(volume) == ["SAFE0", "SAFE1", "SAFE2", "SAFE3"])
        #expect(try volume.lookup(Array("a/b".utf8), in: .root) == nil)
    }

    @Test func aShownNameIsFoundBeforeAShortOne() throws {
        var image = FATImage()
        image.addFile("SAME    TXT", [1], long: "other")
        image.addFile("THING   TXT", [2], long: "same.txt")
        let volume = try Self.volume(image)
        #expect(try Self.contents(volume, "SAME.TXT") == [2])
        #expect(try Self.contents(volume, "thing.TXT") == [2])
        #expect(try Self.contents(volume, "other") == [1])
    }

    @Test func lettersOfTheCodePageMatchInEitherCase() throws {
        var image = FATImage()
        let entry = image.addFile("XRGIR", [5])
        image.bytes[entry] = 0x8e
        let volume = try Self.volume(image)
        #expect(try Self.contents(volume, "ärgir") == [5])
        let other = try Self.volume(image, .init(codePage: .cp1252))
        #expect(try Self.names(other) == ["ŽRGIR"])
        #expect(try Self.names(Self.volume(image, .init(codePage: .ascii))) == ["\u{fffd}RGIR"])
        // Case never leads from a letter of ASCII to another letter.
        #expect(try volume.lookup(Array("ärg\u{131}r".utf8), in: .root) == nil)
        #expect(try volume.lookup([0xff, 0xfe], in: .root) == nil)
    }
}
