import Format
import Foundation
import TestSupport
import Testing

/// No byte of a volume may trap, hang or exhaust what reads it. In processes of their own, so that a
/// trap is a failure like others.
@Suite(.timeLimit(.minutes(20)))
struct QNX4DamageTests {
    private static func judge(_ result: ExitTest.Result?) {
        guard let result else { return }
        let text = String(decoding: result.standardOutputContent, as: UTF8.self)
        #expect(text.contains("DONE"), "the run did not reach its end: \(text.suffix(200))")
        #expect(!text.contains("PROBLEM"), "\(text.suffix(200))")
    }

    /// Reads and checks all of a volume; says what takes too long.
    private static func attempt(_ bytes: [UInt8], _ what: @autoclosure () -> String) {
        let start = Measure.threadSeconds
        let source = MemorySource(bytes)
        _ = try? QNX4.isFound(in: source)
        if let volume = try? QNX4Volume(source) { MadeQNXVolume.readEverything(volume) }
        _ = QNX4Check.findings(in: source).map(\.description)
        if Measure.threadSeconds - start > 5 { print("PROBLEM \(what()): too long") }
    }

    private static func limitTime() {
        var limit = rlimit(rlim_cur: 300, rlim_max: 300)
        setrlimit(__rlimit_resource_t(0), &limit)
    }

    /// A volume with all that a small one can have.
    static func small() -> SmallQNX4 {
        var small = SmallQNX4()
        let data = small.block([UInt8](repeating: 1, count: 2048))
        let last = small.block(SmallQNX4.extents([(data + 3, 1)], previous: 11, first: (data, 1)))
        let list = small.block(
            SmallQNX4.extents([(data + 1, 1), (data + 2, 1)], next: last, first: (data, 1)))
        let long = small.block([13, 0, 0, 0, 3, 1] + Array(String(repeating: "n", count: 60).utf8))
        let directory = small.directory("directory", at: (4, 6), in: (2, 0), linkCount: 3)
        let inner = small.directory("inner", at: (directory, 2), in: (4, 6))
        small.put(
            SmallQNX4.inode(
                "", 0o100644, size: 2000, [(data, 1)], extentBlock: list, extentCount: 4,
                linkCount: 2, status: 0x11), 5, 1)
        small.put(SmallQNX4.link("nn~0000000c", 5, 1, long: long), directory, 3)
        small.put(SmallQNX4.link("other name", 5, 1), 4, 7)
        small.put(SmallQNX4.inode("link", 0o120777, size: 5, [(data, 1)]), inner, 2)
        return small
    }

    @Test func everyByteOfTheStructuresMayBeWrong() async {
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardOutputContent]
        ) {
            Self.limitTime()
            let small = Self.small()
            let bytes = small.build()
            let masks: [UInt8] = [0xff, 0x01, 0x08, 0x09, 0x80]
            for turn in 0..<(LongRun.isOn ? 5 : 1) {
                // All but the four blocks of a file's bytes, which come first.
                for place in Array(512..<(5 * 512)) + Array(9 * 512..<((small.next - 1) * 512)) {
                    let mask = masks[(place + turn) % 5]
                    var changed = bytes
                    changed[place] ^= mask
                    Self.attempt(changed, "byte \(place) ^ \(mask)")
                }
            }
            print("DONE")
        }
        Self.judge(result)
    }

    @Test func theVolumeMayEndAtEveryBlock() async {
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardOutputContent]
        ) {
            Self.limitTime()
            let small = Self.small()
            let bytes = small.build()
            // Every byte of what is in use but the bitmap and a file; behind it, the edges of blocks.
            for count in Array(512..<1024) + Array(1536..<2560) + Array(9 * 512..<small.next * 512)
            {
                Self.attempt(Array(bytes.prefix(count)), "\(count) bytes")
            }
            for count in stride(from: 0, through: bytes.count, by: 512) {
                for count in [count, count + 1, count + 511] {
                    Self.attempt(Array(bytes.prefix(count)), "\(count) bytes")
                }
            }
            print("DONE")
        }
        Self.judge(result)
    }

    /// Words that counts, sizes and block numbers break on, several at a time.
    @Test func seededChangesNeverTrap() async {
        let seeds = LongRun.seeds(1000, of: 50_000)
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardOutputContent]
        ) { [most = seeds.upperBound as UInt64] in
            Self.limitTime()
            let small = Self.small()
            let bytes = small.build()
            let numbers: [UInt32] = [
                0, 1, 2, 3, 4, 5, 6, 10, 11, 14, 60, 61, 63, 64, 65, 512, 0xffff, 0x7fff_ffff,
                0x8000_0000, 0xffff_fffe, 0xffff_ffff,
            ]
            for seed in 0..<most {
                var random = SplitMix64(seed: seed)
                var changed = bytes
                for _ in 0..<(random.next() % 6 + 1) {
                    let number = numbers.randomElement(using: &random) ?? 0
                    let place = 512 + Int(random.next() % UInt64((small.next - 2) * 128)) * 4
                    changed.set(number, at: place)
                }
                Self.attempt(changed, "seed \(seed)")
            }
            print("DONE")
        }
        Self.judge(result)
    }
}
