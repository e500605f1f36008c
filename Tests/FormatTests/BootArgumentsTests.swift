import Format
import TestSupport
import Testing

/// The entry is that of section 1.4 of the format's description.
struct BootArgumentsTests {
    private static let noise = SplitMix64.text(5000, seed: 4)

    private static func bytes(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }

    /// 6.x counts a further NUL, 8.0 does not; either can be padded.
    @Test(arguments: ByteOrder.allCases, [0, 1, 5])
    func anEntryIsFoundByTheAddressItHolds(order: ByteOrder, extra: Int) {
        let entry = BootArgumentBytes.entry(
            ["startup-bios", "-v", "-D8250"], ["PATH=/bin", "A="], address: 0x8008_1fa0,
            isBigEndian: order == .big, extraNULs: extra)
        let found = IFS.BootArguments.find(
            in: Self.noise + entry + Self.noise, order, address: 0x8008_1fa0)
        #expect(found?.arguments == Self.bytes(["startup-bios", "-v", "-D8250"]))
        #expect(found?.environment == Self.bytes(["PATH=/bin", "A="]))
    }

    @Test(arguments: ByteOrder.allCases)
    func anAddressOf64BitsStandsAtTheEnd(order: ByteOrder) {
        let address: UInt64 = 0xffff_8000_0000_1000
        let entry = BootArgumentBytes.entry(
            ["procnto"], ["A=b"], address: address, isWide: true, isBigEndian: order == .big)
        let found = IFS.BootArguments.find(in: Self.noise + entry, order, address: address)
        #expect(found?.arguments == Self.bytes(["procnto"]))
        #expect(found?.environment == Self.bytes(["A=b"]))
        #expect(IFS.BootArguments.find(in: entry, order, address: address + 1) == nil)
    }

    @Test func anEntryInTheWideFormCanHoldASmallAddress() {
        let entry = BootArgumentBytes.entry(["x"], address: 0x1000, isWide: true)
        #expect(IFS.BootArguments.find(in: entry, .little, address: 0x1000) != nil)
    }

    @Test func programsWithoutEntryHaveNone() {
        #expect(IFS.BootArguments.find(in: Self.noise, .little, address: 0x8000_0000) == nil)
        #expect(IFS.BootArguments.find(in: [], .little, address: 0x8000_0000) == nil)
        let other = BootArgumentBytes.entry(["x"], address: 0x8000_0004)
        #expect(IFS.BootArguments.find(in: other, .little, address: 0x8000_0000) == nil)
        #expect(IFS.BootArguments.find(in: other, .big, address: 0x8000_0004) == nil)
    }

    /// Bytes that contradict the entry's rules: size, counts, ends of strings.
    @Test(
        arguments: [
            (0, [7, 0]), (0, [1, 4]), (0, [0xff, 0xff]), (2, [0]), (2, [0xff]), (3, [0xff]),
            (2, [9]), (0, [12, 0]),
        ] as [(Int, [UInt8])])
    func anEntryThatBreaksARuleIsNone(offset: Int, bytes: [UInt8]) {
        var entry = BootArgumentBytes.entry(["startup", "-v"], ["A=b"], address: 0x8000_0000)
        entry.set(bytes, at: offset)
        #expect(IFS.BootArguments.find(in: entry, .little, address: 0x8000_0000) == nil)
    }

    @Test func anEntryCutAtEveryLengthIsNone() {
        let entry = BootArgumentBytes.entry(["startup", "-v"], ["A=b"], address: 0x8000_0000)
        let wide = BootArgumentBytes.entry(["startup"], address: 1 << 40, isWide: true)
        for count in 0..<entry.count {
            #expect(
                IFS.BootArguments.find(
                    in: Array(entry.prefix(count)), .little, address: 0x8000_0000) == nil)
        }
        for count in 0..<wide.count {
            #expect(
                IFS.BootArguments.find(in: Array(wide.prefix(count)), .little, address: 1 << 40)
                    == nil)
        }
    }

    @Test func anAddressThatIsNoEntryDoesNotHideTheOneBehindIt() {
        let decoy = [UInt8](UInt32(0x8000_0000), isBigEndian: false)
        let entry = BootArgumentBytes.entry(["real"], address: 0x8000_0000)
        let found = IFS.BootArguments.find(
            in: [0, 0, 0, 0] + decoy + decoy + [1, 2, 3] + entry, .little, address: 0x8000_0000)
        #expect(found?.arguments == Self.bytes(["real"]))
    }

    /// Where the loader finds the startup header: section 1.4 gives the sum, and which base.
    struct Addressing: Sendable {
        var image: UInt32 = 0x8000_0000
        var ram: UInt32?
        var bias: UInt32 = 0
        var offset: UInt64 = 0
        /// What the startup program's entry holds.
        let startup: UInt64
        /// What a bootstrap executable's holds: the image's address, also in a split image.
        let bootstrap: UInt64
    }

    static let addressings = [
        Addressing(startup: 0x8000_0000, bootstrap: 0x8000_0000),
        Addressing(image: 0x8000, bias: 0x8000_0000, startup: 0x8000_8000, bootstrap: 0x8000_8000),
        Addressing(
            image: 0x8000_8000, bias: 0xc000_0000, startup: 0x4000_8000, bootstrap: 0x4000_8000),
        Addressing(
            image: 0x1000, ram: 0x8010_0000, startup: 0x8010_0000, bootstrap: 0x1000),
        Addressing(
            image: 0x1000, offset: 0x10_0000_0000, startup: 0x10_0000_1000,
            bootstrap: 0x10_0000_1000),
    ]

    @Test(arguments: addressings, ByteOrder.allCases)
    func startupAndBootstrapsHaveTheirArguments(where place: Addressing, order: ByteOrder) throws {
        let isBig = order == .big
        let image = try IFS.Image.only(
            in: ImageBuilder([.file("proc/boot/.boot", [])]).with {
                $0.isBigEndian = isBig
                $0.imageAddress = place.image
                $0.ramAddress = place.ram
                $0.physicalBias = place.bias
                $0.addressOffset = place.offset
                $0.program =
                    Self.noise
                    + BootArgumentBytes.entry(
                        ["startup", "-v"], address: place.startup,
                        isWide: place.startup > UInt64(UInt32.max), isBigEndian: isBig)
                $0.entries = [
                    .file(
                        "proc/boot/procnto",
                        Self.noise
                            + BootArgumentBytes.entry(
                                ["procnto", "-h"], ["A=b"], address: place.bootstrap,
                                isWide: place.bootstrap > UInt64(UInt32.max), isBigEndian: isBig))
                ]
                $0.bootInodes = [2]
            }.build().bytes)
        #expect(try image.startupArguments()?.arguments == Self.bytes(["startup", "-v"]))
        let program = try #require(image.bootEntries.first)
        #expect(try image.bootArguments(of: program)?.arguments == Self.bytes(["procnto", "-h"]))
        #expect(try image.bootArguments(of: program)?.environment == Self.bytes(["A=b"]))
    }

    @Test func imagesWithoutPlaceHolderHaveNone() throws {
        let plain = try IFS.Image.only(
            in: ImageBuilder([.file("a", Self.noise)]).with { $0.bootInodes = [2] }.build().bytes)
        #expect(try plain.startupArguments() == nil)
        #expect(try plain.bootArguments(of: plain.bootEntries[0]) == nil)
        let bare = try IFS.Image.only(in: ImageBuilder.bare([.file("a", "x")]).build().bytes)
        #expect(try bare.startupArguments() == nil)
        #expect(try bare.bootArguments(of: bare.directory.entries[1]) == nil)
    }

    @Test func bootEntriesAreInStartOrderAndThoseThatAreThere() throws {
        let image = try IFS.Image.only(
            in: ImageBuilder([.file("a", "1"), .file("b", "2")]).with {
                $0.bootInodes = [3, 77, 2]
            }.build().bytes)
        #expect(image.bootEntries.map(\.inode) == [3, 2])
    }
}
