import Format
import TestSupport
import Testing

struct WrapperTests {
    private static let built = ImageBuilder([
        .file("motd", "hello\n"), .file("noise", SplitMix64.noise(3001)),
    ]).with { $0.prefix = [9, 8, 7, 6] }.build()

    static let wrapped: [(IFS.Wrapper, [UInt8], UInt64)] = [
        (.elf, Wrap.elf(built.bytes), 0x180 + 4), (.pe, Wrap.pe(built.bytes), 0x200 + 4),
        (.uImage, Wrap.uImage(built.bytes), 64 + 4), (.openBIOS, Wrap.openBIOS(built.bytes), 36),
    ]

    @Test(arguments: wrapped.indices)
    func anImageBehindABinaryHeaderIsFoundAndTheHeaderNamed(index: Int) throws {
        let (wrapper, file, offset) = Self.wrapped[index]
        let (found, bytes) = try IFS.unwrapped(MemorySource(file))
        #expect(found == wrapper && wrapper.refusal == nil)
        let image = try IFS.Image.only(in: bytes)
        #expect(image.headerOffset == offset)
        #expect(image.paths == ["", "motd", "noise"])
        #expect(image.checkSums().filter { $0.word == "bad" } == [])
    }

    @Test func filesThatAreNotReadInsideAreNamed() throws {
        let files: [(IFS.Wrapper, [UInt8], String)] = [
            (.mifs, Wrap.mifs([1, 2]), "MIFS"), (.hsp, Wrap.hsp([1, 2]), "HSP"),
            (.gzip, Packer.deflated(Self.built.bytes), "gunzip"),
        ]
        for (wrapper, file, word) in files {
            #expect(try IFS.Wrapper(MemorySource(file)) == wrapper)
            #expect(wrapper.refusal?.contains(word) == true)
        }
    }

    @Test func otherFilesHaveNoWrapper() throws {
        for file in [
            [], [0x7f], Array("M".utf8), Array("Some text".utf8), Self.built.bytes,
            ImageBuilder.bare().build().bytes, Array("S1".utf8), Array("S0xx0000FC".utf8),
        ] {
            #expect(try IFS.Wrapper(MemorySource(file)) == nil)
        }
    }

    // MARK: S-records

    private static func decoded(_ text: String) throws -> [UInt8] {
        try decoded(Array(text.utf8))
    }

    private static func decoded(_ file: [UInt8]) throws -> [UInt8] {
        let source = try IFS.unwrapped(MemorySource(file)).bytes
        return try source.prefix(Int(source.byteCount), at: 0)
    }

    @Test(arguments: [1, 2, 3], ["\r\n", "\n", "\r"])
    func anImageInSRecordsIsFound(type: Int, newline: String) throws {
        let text = Wrap.sRecords(
            Self.built.bytes, type: type, address: [0x1000, 0x80_1000, 0x8000_1000][type - 1],
            newline: newline)
        let (wrapper, bytes) = try IFS.unwrapped(MemorySource(text))
        #expect(wrapper == .sRecord)
        #expect(bytes.byteCount == UInt64(Self.built.bytes.count))
        let image = try IFS.Image.only(in: bytes)
        #expect(image.paths == ["", "motd", "noise"])
        #expect(try Self.decoded(text) == Self.built.bytes)
    }

    @Test(arguments: [1, 7, 16, 250, 252])
    func linesOfAnyLengthAreRead(length: Int) throws {
        let bytes = SplitMix64.noise(200_000)
        let type = length > 250 ? 1 : 3
        let part = type == 1 ? Array(bytes.prefix(60_000)) : bytes
        let text = Wrap.sRecords(part, type: type, address: 0x100, lineLength: length)
        #expect(difference(try Self.decoded(text), part) == nil)
    }

    @Test func recordsMayComeInAnyOrderAndLeaveGaps() throws {
        let lines = [
            "S0030000FC", Wrap.sRecord(2, address: 0x1010, [4, 5]),
            Wrap.sRecord(1, address: 0x1000, [1, 2]), Wrap.sRecord(5, address: 3, []), "",
            Wrap.sRecord(3, address: 0x1004, [3]), Wrap.sRecord(3, address: 0x1000, [9]),
            Wrap.sRecord(7, address: 0x1000, []), "what follows the end is not read",
        ]
        let expected: [UInt8] = [9, 2, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 5]
        #expect(try Self.decoded(lines.joined(separator: "\n")) == expected)
    }

    @Test func lowerCaseDigitsAreDigits() throws {
        let text = String(decoding: Wrap.sRecords([0xab, 0xcd], newline: "\n"), as: UTF8.self)
        let lower = text.replacing("A", with: "a").replacing("C", with: "c").replacing(
            "D", with: "d")
        #expect(try Self.decoded(lower) == [0xab, 0xcd])
    }

    /// A line's end that is missing, a sum, a count, digits; and what is no record at all.
    static let broken: [(lines: [String], offset: UInt64, what: String)] = [
        (["S0030000FC", "S1051000010208"], 11, "sum"),
        (["S0030000FC", "S10610000102E7"], 11, "count"),
        (["S0030000FC", "S10510000102E"], 11, "a line S..."),
        (["S0030000FC", "S105100001G2E7"], 11, "hexadecimal digits"),
        (["S0030000FC", "not a record"], 11, "a line S..."),
        (["S0030000FC", "S104100000EB", "T1051000"], 24, "a line S..."),
        (["S0030000FC", "S10310"], 11, "count"), (["S0030000FC", "S3021000ED"], 11, "count"),
        (["S0030000FC", "S30310FFED"], 11, "or more"),
        (["S0030000FC", "S9030000FC"], 0, "S1, S2 or S3 lines"),
        (["S0030000FC"], 0, "S1, S2 or S3 lines"),
    ]

    @Test(arguments: broken.indices)
    func aBrokenLineIsAnErrorAtItsPlace(index: Int) throws {
        let (lines, offset, what) = Self.broken[index]
        let file = MemorySource(Array(lines.joined(separator: "\n").utf8))
        let error = #expect(throws: FormatError.self) { try IFS.unwrapped(file) }
        #expect(error?.place.offset == offset)
        #expect("\(error.map(String.init(describing:)) ?? "")".contains(what), "\(error as Any)")
    }

    @Test func textCutAtEveryLengthNeverTraps() throws {
        let text = Wrap.sRecords(Array(0..<70), address: 0x1000)
        for count in 11..<text.count {
            _ = try? IFS.unwrapped(MemorySource(Array(text.prefix(count))))
        }
    }

    /// Two lines can claim any range of addresses; the memory for it is not theirs to ask.
    @Test func aRangeOfAddressesThatTheFileCannotFillIsRefused() {
        let lines = [
            "S0030000FC", Wrap.sRecord(3, address: 0, [1]),
            Wrap.sRecord(3, address: 0xf000_0000, [1]),
        ]
        let error = #expect(throws: FormatError.self) {
            try IFS.unwrapped(MemorySource(Array(lines.joined(separator: "\n").utf8)))
        }
        guard case .unsupported? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func addressesAtTheTopOfTheRangeDoNotOverflow() throws {
        let lines = [
            Wrap.sRecord(3, address: 0xffff_fffe, [1, 2, 3, 4]),
            Wrap.sRecord(3, address: 0xffff_ff00, [5]), "S70500000000FA",
        ]
        let bytes = try Self.decoded(lines.joined(separator: "\n"))
        #expect(bytes.count == 0x102 && bytes.first == 5 && bytes.last == 4)
    }
}
