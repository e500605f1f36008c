import Format
import TestSupport
import Testing

/// The command lines of boot programs, written as mkifs leaves them.
struct BootArgumentsWriterTests {
    @Test(arguments: Fixtures.allImages)
    func theStartupsComesOutAsItWas(name: String) throws {
        let bytes = try Fixtures.image(name)
        let image = try IFS.Image.only(in: bytes)
        guard let startup = image.startup, let found = try image.startupArguments() else { return }
        let address =
            UInt64(startup.ramAddress &+ startup.physicalBias) &+ startup.addressOffset
        // The trailers of 8.0 tell its images.
        let isNew = startup.flags1 & IFS.StartupHeader.trailerV2Flag != 0
        let entry = try found.entry(startup.order, address: address, isNew ? .exact : .counted)
        let start = Int(image.headerOffset)
        let area = bytes[start..<(start + Int(startup.startupSize))]
        #expect(area.indices.contains { area[$0...].starts(with: entry) })
    }

    static let words = IFS.BootArguments(arguments: [[0x61], [0x62]], environment: [[0x63]])

    /// Numbers from the table of the structure.
    @Test(
        arguments: [
            (
                .little, 0x8010_0000, .counted,
                [15, 0, 2, 1, 0, 0, 0x10, 0x80, 0x61, 0, 0x62, 0, 0x63, 0, 0]
            ),
            (
                .big, 0x8010_0000, .exact,
                [14, 0, 2, 1, 0x80, 0x10, 0, 0, 0x61, 0, 0x62, 0, 0x63, 0]
            ),
            (
                .little, 0x1_0000_0002, .exact,
                [22, 0, 2, 1, 0xff, 0xff, 0xff, 0xff, 0x61, 0, 0x62, 0, 0x63, 0]
                    + [2, 0, 0, 0, 1, 0, 0, 0]
            ),
        ] as [(ByteOrder, UInt64, IFS.BootArguments.Form, [UInt8])])
    func anEntryIs(
        order: ByteOrder, address: UInt64, form: IFS.BootArguments.Form, bytes: [UInt8]
    ) throws {
        #expect(try Self.words.entry(order, address: address, form) == bytes)
        #expect(IFS.BootArguments.find(in: bytes, order, address: address) == Self.words)
    }

    @Test func moreThanAProgramReservesIsRefused() {
        let many = IFS.BootArguments(arguments: [[UInt8](repeating: 0x61, count: 1100)])
        #expect(
            throws: FormatError.unsupported(
                Place("boot arguments", 0), found: "1109 bytes of 1 strings",
                expected: "1024 bytes and 127 strings of a kind at most")
        ) { try many.entry(.little, address: 1, .exact) }
    }
}
