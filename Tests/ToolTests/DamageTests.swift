import Foundation
import TestSupport
import Testing

/// Damaged images: whatever the bytes, the tool ends soon and with a status, never by a signal.
struct DamageTests {
    /// Ten groups of twenty, so that they run side by side.
    @Test(arguments: 0..<10)
    func noDamageTrapsOrHangs(_ group: Int) throws {
        let folder = try TemporaryFolder()
        for seed in (group * 20)..<(group * 20 + 20) {
            let bytes = try damaged(seed)
            try folder.write(bytes, to: "x.ifs")
            let runs = [
                ["-vv", "x.ifs"], ["-x", "-d", "out", "x.ifs"], ["--json", "--verify", "x.ifs"],
            ]
            for words in runs {
                let outcome = try dumpifs(words, in: folder) { $0.deadline = 60 }
                #expect(
                    outcome.end == .exit(0) || outcome.end == .exit(1), "seed \(seed), \(words)")
                #expect(outcome.seconds < 10, "seed \(seed), \(words)")
                #expect(outcome.complaints.allSatisfy { $0.hasPrefix("dumpifs: ") }, "seed \(seed)")
                if words[0] == "--json", !outcome.output.isEmpty {
                    #expect(throws: Never.self, "seed \(seed)") { try Report(outcome.output) }
                }
            }
            _ = try Child(["rm", "-rf", folder.path("out")]).run()
        }
    }

    /// A golden image with one to eight wounds, most of them where the structures are.
    private func damaged(_ seed: Int) throws -> [UInt8] {
        var random = SplitMix64(seed: UInt64(seed) &+ 0xdead)
        let name = Fixtures.goldenCases[seed % Fixtures.goldenCases.count]
        var bytes = try Fixtures.goldenImage(name)
        // The image header, or the packed stream, and the directory behind it.
        let start = bytes.firstRange(of: Array("imagefs".utf8))?.lowerBound ?? 0x1108
        for _ in 0...Int.random(in: 0..<8, using: &random) {
            let isNear = Int.random(in: 0..<4, using: &random) > 0
            let lowest = isNear && Bool.random(using: &random) ? start : 0
            let reach = isNear ? min(bytes.count - lowest, 0x400) : bytes.count - lowest
            let place = lowest + Int.random(in: 0..<max(1, reach), using: &random)
            wound(&bytes, at: min(place, bytes.count - 1), &random)
            if bytes.count < 16 { return bytes }
        }
        return bytes
    }

    private func wound(_ bytes: inout [UInt8], at place: Int, _ random: inout SplitMix64) {
        let words: [UInt32] = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xffff, 0x0001_0000]
        switch Int.random(in: 0..<12, using: &random) {
        case 0..<5: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 5..<7: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 7..<9 where place & ~3 + 4 <= bytes.count:
            let word = words.randomElement(using: &random) ?? 0
            bytes.set(word, at: place & ~3, isBigEndian: Bool.random(using: &random))
        case 9: bytes.removeSubrange(place..<min(bytes.count, place + 8))
        case 10: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 32)], at: place)
        default: bytes.removeLast(bytes.count - place)
        }
        if bytes.isEmpty { bytes = [0] }
    }
}
