import Format
import Foundation
import TestSupport
import Testing

/// No byte of a volume may trap, hang or exhaust what reads it. In processes of their own, so that a
/// trap is a failure like others.
@Suite(.timeLimit(.minutes(20)))
struct QNX6DamageTests {
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
        _ = try? QNX6.isFound(in: source)
        if let volume = try? QNX6Volume(source) { MadeQNXVolume.readEverything(volume) }
        _ = QNX6Check.findings(in: source).map(\.description)
        if Measure.threadSeconds - start > 5 { print("PROBLEM \(what()): too long") }
    }

    private static let seeds = LongRun.seeds(600, of: 30_000).upperBound

    private static func limitTime() {
        var limit = rlimit(rlim_cur: 300, rlim_max: 300)
        setrlimit(__rlimit_resource_t(0), &limit)
    }

    /// A volume with all that a small one can have.
    static func small(isBigEndian: Bool = false) -> SmallQNX6 {
        var small = SmallQNX6()
        small.isBigEndian = isBigEndian
        small.longNames = [String(repeating: "n", count: 60)]
        small.directory(2, in: 1, [])
        small.file(3, SplitMix64.noise(900, seed: 1))
        small.nodes[4] = SmallQNX6.Node(mode: 0o040755, linkCount: 2)
        small.directory(4, in: 1, [(3, .short("again"))])
        small.nodes[5] = SmallQNX6.Node(
            mode: 0o120777, size: 5, pointers: [small.block(Array("again".utf8))])
        let data = small.block([1, 2, 3])
        let lower = small.pointerBlock([data, SmallQNX6.unused, data])
        small.nodes[6] = SmallQNX6.Node(
            mode: 0o100644, size: 80_000, pointers: [small.pointerBlock([lower])], depth: 2)
        small.directory(
            1, in: 1,
            [
                (2, .short(".boot")), (3, .short("file")), (4, .short("directory")),
                (5, .short("link")), (6, .long(0, sum: 0)),
            ])
        return small
    }

    @Test(arguments: [false, true])
    func everyByteOfTheStructuresMayBeWrong(isBigEndian: Bool) async {
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardOutputContent]
        ) { [isBigEndian = isBigEndian as Bool] in
            Self.limitTime()
            let small = Self.small(isBigEndian: isBigEndian)
            let bytes = small.build()
            let starts = [small.start, small.secondSuperblock]
            let masks: [UInt8] = [0xff, 0x01, 0x80]
            // The bitmap, all inodes, directories, pointers and names: every block in use that is no
            // file's data.
            let blocks =
                [0, 1, 2, 3, 4] + (10..<small.next).filter { !small.dataBlocks.contains($0) }
            let places = blocks.flatMap {
                small.dataStart + $0 * 512..<small.dataStart + $0 * 512 + 512
            }
            for turn in 0..<(LongRun.isOn ? 3 : 1) {
                for place in starts.flatMap({ $0..<($0 + 512) }) {
                    var changed = bytes
                    changed[place] ^= masks[(place + turn) % 3]
                    if place % 4 == turn % 4 { Self.attempt(changed, "byte \(place)") }
                    for start in starts {
                        SmallQNX6.sum(&changed, at: start, isBigEndian: isBigEndian)
                    }
                    Self.attempt(changed, "byte \(place), summed")
                }
                // The other byte order is read by the same steps.
                for place in places where !isBigEndian || LongRun.isOn || place % 5 == 0 {
                    var changed = bytes
                    changed[place] ^= masks[(place + turn) % 3]
                    Self.attempt(changed, "byte \(place)")
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
            // Every byte of the superblocks; between them, at the edges of blocks.
            for start in [small.start, small.secondSuperblock] {
                for count in start..<(start + 513) {
                    Self.attempt(Array(bytes.prefix(count)), "\(count) bytes")
                }
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

    /// Words that counts, sizes and pointers break on, several at a time.
    @Test(arguments: [false, true])
    func seededChangesNeverTrap(isBigEndian: Bool) async {
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardOutputContent]
        ) { [isBigEndian = isBigEndian as Bool, most = Self.seeds as UInt64] in
            Self.limitTime()
            let small = Self.small(isBigEndian: isBigEndian)
            let bytes = small.build()
            let numbers: [UInt32] = [
                0, 1, 2, 3, 5, 11, 15, 16, 127, 128, 255, 256, 512, 0xffff, 0x7fff_ffff,
                0x8000_0000, 0xffff_fffd, 0xffff_fffe, 0xffff_ffff,
            ]
            for seed in 0..<most {
                var random = SplitMix64(seed: seed)
                var changed = bytes
                for _ in 0..<(random.next() % 6 + 1) {
                    let number = numbers.randomElement(using: &random) ?? 0
                    let inBlocks = random.next() % 3 != 0
                    let place =
                        inBlocks
                        ? small.dataStart + Int(random.next() % (40 * 128)) * 4
                        : small.start + Int(random.next() % 128) * 4
                    changed.set(number, at: place, isBigEndian: isBigEndian)
                }
                // The second superblock says the same as the first.
                SmallQNX6.sum(&changed, at: small.start, isBigEndian: isBigEndian)
                Self.attempt(changed, "seed \(seed)")
            }
            print("DONE")
        }
        Self.judge(result)
    }
}
