import Format
import Foundation
import TestSupport
import Testing

/// No byte of an image may trap, hang or exhaust what reads it. Every test runs in processes of its
/// own, so that a trap is a failure like others; one at a time, as each wants a processor.
@Suite(.serialized, .timeLimit(.minutes(20)))
struct DamageTests {
    private static func newLog() -> String {
        FileManager.default.temporaryDirectory
            .appendingPathComponent("damage-\(UInt64.random(in: 0...UInt64.max))").path
    }

    /// Fails with what the child found, or with the image that it died of.
    private static func judge(_ result: ExitTest.Result?, _ log: String) {
        defer { unlink(log) }
        guard let result else {
            let bytes = FileManager.default.contents(atPath: log) ?? Data()
            Issue.record("died of: \(String(decoding: bytes, as: UTF8.self))")
            return
        }
        let text = String(decoding: result.standardOutputContent, as: UTF8.self)
        let problems = text.split(separator: "\n").filter { $0.hasPrefix("PROBLEM") }
        #expect(problems == [])
        #expect(text.contains("DONE"), "the run did not reach its end")
    }

    @Test(arguments: Fixtures.goldenCases)
    func everyByteOfHeadersAndDirectoryMayBeWrong(name: String) async {
        let log = Self.newLog()
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardOutputContent]
        ) { [name = name as String, log = log as String] in
            let bytes = try Fixtures.goldenImage(name)
            let regions = try Damage.Regions(bytes)
            var run = DamageRun(log: log)
            let isSmall = bytes.count <= 40 << 10
            for (masks, places) in [
                ([0xff], regions.headers + regions.directory),
                ((0..<8).map { 1 << UInt8($0) }, regions.headers),
            ] as [([UInt8], [Int])] {
                for place in places {
                    for mask in masks {
                        var changed = bytes
                        changed[place] ^= mask
                        run.attempt(
                            changed, limit: isSmall ? bytes.count : 4096,
                            sums: isSmall || place % 64 == 0, "\(name): byte \(place) ^ \(mask)")
                    }
                }
            }
            print(try run.report() + "DONE \(run.count)")
        }
        Self.judge(result, log)
    }

    @Test(arguments: Fixtures.goldenCases)
    func theFileMayEndAnywhereInHeadersAndDirectory(name: String) async {
        let log = Self.newLog()
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardOutputContent]
        ) { [name = name as String, log = log as String] in
            let bytes = try Fixtures.goldenImage(name)
            var run = DamageRun(log: log)
            let regions = try Damage.Regions(bytes)
            let whole = Set(regions.headers + regions.directory)
            for count in 0...regions.end where whole.contains(count) || count % 97 == 0 {
                run.attempt(
                    Array(bytes.prefix(count)), limit: 4096, sums: true, "\(name): \(count) bytes")
            }
            print(try run.report() + "DONE \(run.count)")
        }
        Self.judge(result, log)
    }

    private static let changesOfOne = 200

    @Test(arguments: Fixtures.goldenCases)
    func seededChangesNeverTrap(name: String) async {
        let log = Self.newLog()
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardOutputContent]
        ) { [name = name as String, log = log as String] in
            var run = DamageRun(log: log)
            try Self.attemptChanges(of: Fixtures.goldenImage(name), name, &run)
            print(try run.report() + "DONE \(run.count)")
        }
        Self.judge(result, log)
    }

    /// Skipped where the images of others are absent.
    @Test(
        .enabled(if: Fixtures.hasShared, "no ../shared/images"),
        arguments: Fixtures.sharedImages())
    func seededChangesOfRealImagesNeverTrap(name: String) async {
        let log = Self.newLog()
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardOutputContent]
        ) { [name = name as String, log = log as String] in
            var run = DamageRun(log: log)
            try Self.attemptChanges(of: Fixtures.bytes(Fixtures.sharedImage(name)), name, &run)
            print(try run.report() + "DONE \(run.count)")
        }
        Self.judge(result, log)
    }

    private static func attemptChanges(
        of bytes: [UInt8], _ name: String, _ run: inout DamageRun
    ) throws {
        let regions = try Damage.Regions(bytes)
        for seed in 0..<UInt64(changesOfOne) {
            var random = SplitMix64(seed: seed)
            let changed = Damage.changed(bytes, regions, &random)
            run.attempt(
                changed, limit: 1 << 20, sums: bytes.count < 1 << 20 || seed % 8 == 0,
                "\(name): seed \(seed)")
        }
    }

    /// Packed images whose header and directory are wrong before they are packed: the packed bytes
    /// of the other tests seldom unpack to a wrong header.
    @Test(arguments: [Packing.lzo(isFast: true), .ucl(level: 1), .zlib(level: 1), .none])
    func seededChangesBeforePackingNeverTrap(packing: Packing) async {
        let log = Self.newLog()
        let code = packing.code
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardOutputContent]
        ) { [code = code as UInt8, log = log as String] in
            let packings: [Packing] = [.none, .zlib(level: 1), .lzo(isFast: true), .ucl(level: 1)]
            let builder = ImageBuilder(RandomTree.entries(count: 60, seed: 1, odd: true)).with {
                $0.packing = packings[Int(code)]
                $0.addScript(ScriptBytes.displayMessage("hello\n") + ScriptBytes.terminator)
                $0.bootInodes = [5]
            }
            var run = DamageRun(log: log)
            let plain = ImageBuilder.bare().with { $0.entries = builder.entries }.build()
            let regions = try Damage.Regions(plain.bytes)
            for seed in 0..<400 as Range<UInt64> {
                var random = SplitMix64(seed: seed)
                let changed = Damage.changed(plain.bytes, regions, &random)
                let patched = builder.with {
                    let count = min(changed.count, plain.bytes.count) - 8
                    $0.imagePatches = [.init(0, Array(changed.prefix(max(0, count))))]
                }
                run.attempt(
                    patched.build().bytes, limit: 1 << 20, sums: true, "\(code): seed \(seed)")
            }
            print(try run.report() + "DONE \(run.count)")
        }
        Self.judge(result, log)
    }

    /// Text and containers: the ways in that are not the scanner's.
    @Test func seededChangesOfWrappedImagesNeverTrap() async {
        let log = Self.newLog()
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardOutputContent]
        ) { [log = log as String] in
            var run = DamageRun(log: log)
            let image = ImageBuilder(RandomTree.entries(count: 10, seed: 1)).build()
            let bare = ImageBuilder.bare(RandomTree.entries(count: 10, seed: 1)).build()
            let files = [
                Wrap.sRecords(image.bytes), Wrap.sRecords(image.bytes, type: 2, address: 0x1000),
                Wrap.hbcifs(bare.plain, .lzo(isFast: true)),
                Wrap.hbcifs(bare.plain, .ucl(level: 1)),
                Wrap.elf(image.bytes), Wrap.uImage(image.bytes), Wrap.openBIOS(image.bytes),
                image.bytes + bare.bytes + image.bytes,
            ]
            var regions = try Damage.Regions(image.bytes)
            regions.headers = Array(0..<128)
            for (index, file) in files.enumerated() {
                for seed in 0..<300 as Range<UInt64> {
                    var random = SplitMix64(seed: seed)
                    let changed = Damage.changed(file, regions, &random)
                    run.attempt(changed, limit: 1 << 20, sums: true, "file \(index): seed \(seed)")
                }
            }
            print(try run.report() + "DONE \(run.count)")
        }
        Self.judge(result, log)
    }
}
