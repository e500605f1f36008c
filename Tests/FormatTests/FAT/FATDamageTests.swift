import Format
import Foundation
import TestSupport
import Testing

/// No byte of a volume may trap, hang or exhaust what reads it. Every test runs in a process of its
/// own, so that a trap is a failure like others.
@Suite(.timeLimit(.minutes(15)))
struct FATDamageTests {
    /// Reads damaged volumes as every tool together would.
    struct Run {
        /// Seconds of processor time that one volume may take.
        private static let mostSeconds = 3.0
        /// Bytes that the process may hold.
        private static let mostMemory = 256 << 20
        /// Nodes that are looked at: no tree of these small volumes has as many.
        private static let mostNodes = 3000

        /// Eighty bytes that a parent can read, however this process ends: no call for each volume.
        private let log: UnsafeMutableRawPointer
        private var count = 0
        private var problems: [String] = []

        init(log: String) {
            let file = Foundation.open(log, O_RDWR | O_CREAT | O_TRUNC, 0o600)
            ftruncate(file, 80)
            self.log = mmap(nil, 80, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
            close(file)
            // A hang ends as a failure: the kernel stops the process.
            var limit = rlimit(rlim_cur: 240, rlim_max: 240)
            setrlimit(__rlimit_resource_t(0), &limit)
        }

        /// Tries a volume. What goes through all of the table may be left out.
        mutating func attempt(_ bytes: [UInt8], _ what: String, checks: Bool = true) {
            count += 1
            let line = Array(what.utf8.prefix(80))
            log.copyMemory(
                from: line + [UInt8](repeating: 0x20, count: 80 - line.count), byteCount: 80)
            let start = Measure.threadSeconds
            let source = MemorySource(bytes)
            if (try? FAT.BootSector.isPlausible(in: source)) == nil {
                problems.append("\(what): memory throws no i/o error")
            }
            if let volume = try? FAT.Volume(source) {
                if checks { _ = volume.statistics }
                if Self.walk(volume) > Self.mostNodes { problems.append("\(what): no end") }
                let faults = checks ? volume.check() : []
                if faults.count > 1000 || faults.contains(where: { $0.description.contains("\n") })
                {
                    problems.append("\(what): faults")
                }
            }
            let seconds = Measure.threadSeconds - start
            if seconds > Self.mostSeconds { problems.append("\(what): \(seconds) s") }
        }

        /// Reads everything there is; returns the number of nodes.
        private static func walk(_ volume: FAT.Volume) -> Int {
            var (pending, count) = ([NodeID.root], 0)
            while let node = pending.popLast(), count <= mostNodes {
                count += 1
                // Whatever fails here may fail.
                for name in (try? volume.extendedAttributeNames(of: node)) ?? [] {
                    _ = try? volume.extendedAttribute(name, of: node)
                }
                guard let attributes = (try? volume.attributes(of: node)) ?? nil else { continue }
                if attributes.kind == .directory {
                    try? volume.entries(of: node, from: 0) { _, _, child in
                        pending.append(child)
                        return true
                    }
                    _ = try? volume.lookup(Array("none".utf8), in: node)
                    _ = try? volume.parent(of: node)
                } else {
                    let size = attributes.byteCount
                    for offset in [0, size / 2, max(1, size) - 1] {
                        let count = Int(min(size, 40_000))
                        _ = try? volume.bytes(of: node, at: offset, count: count)
                    }
                }
            }
            return count
        }

        /// What the parent prints.
        func report() throws -> String {
            let peak = try Measure.peakMemory()
            let tooMuch = peak > Self.mostMemory ? ["\(peak) bytes of memory"] : []
            return (problems + tooMuch).map { "PROBLEM \($0)\n" }.joined() + "DONE \(count)"
        }
    }

    private static func newLog() -> String {
        FileManager.default.temporaryDirectory
            .appendingPathComponent("fat-damage-\(UInt64.random(in: 0...UInt64.max))").path
    }

    private static func judge(_ result: ExitTest.Result?, _ log: String) {
        defer { unlink(log) }
        guard let result else {
            let bytes = FileManager.default.contents(atPath: log) ?? Data()
            Issue.record("died of: \(String(decoding: bytes, as: UTF8.self))")
            return
        }
        let text = String(decoding: result.standardOutputContent, as: UTF8.self)
        #expect(text.split(separator: "\n").filter { $0.hasPrefix("PROBLEM") } == [])
        #expect(text.contains("DONE"), "the run did not reach its end")
    }

    /// A small volume with long names, a directory in a directory, and files of several clusters.
    static func image(bits: Int) -> FATImage {
        var image = FATImage(
            bits: bits, clusterCount: bits == 16 ? 4085 : 60, rootSlots: 16)
        image.addFile("LABEL", attributes: 0x08)
        image.addFile("A       BIN", SplitMix64.noise(2600), long: "a name of more than one part")
        let sub = image.addFolder("SUB", clusters: 2)
        image.addFile("INNER   TXT", SplitMix64.noise(700), long: "\u{1f600}.txt", to: sub)
        let deep = image.addFolder("DEEP", to: sub)
        image.addFile("LAST", [1, 2, 3], to: deep)
        image.addFile("EMPTY")
        return image
    }

    /// The bytes of the root, of the directory in it and of the one in that.
    private static func directories(_ image: FATImage) -> [Int] {
        let root = image.rootStart..<(image.rootStart + 512)
        let volume = try? FAT.Volume(MemorySource(image.bytes))
        let clusters = ["SUB", "SUB/DEEP"].flatMap { path -> Range<Int> in
            guard let node = (try? volume?.node(at: path)) ?? nil else { return 0..<0 }
            // A directory's number is the place of its entry in units of 32 bytes, plus 2.
            let entry = Int(node.rawValue - 2) * 32
            let first = image.place(Int(image.bytes.integer(UInt16.self, at: entry + 26)))
            return first..<(first + (path == "SUB" ? 2 : 1) * image.clusterSize)
        }
        return Array(root) + clusters
    }

    @Test(arguments: [12, 16, 32])
    func everyByteOfTheStructuresMayBeWrong(bits: Int) async {
        let log = Self.newLog()
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardOutputContent]
        ) { [bits = bits as Int, log = log as String] in
            let image = Self.image(bits: bits)
            var run = Run(log: log)
            let table = image.reservedSize..<(image.reservedSize + 512)
            let masks: [UInt8] = [0xff, 0x01, 0x80, 0x10]
            // Directories are the same in all three.
            let directories = Self.directories(image).filter {
                bits == 12 || $0 % 5 == 0 || LongRun.isOn
            }
            for place in [Array(0..<512), Array(table), directories].joined() {
                for turn in 0..<(LongRun.isOn ? 4 : 1) {
                    let mask = masks[(place + turn) % 4]
                    var bytes = image.bytes
                    bytes[place] ^= mask
                    // In FAT16 the table has to be long.
                    run.attempt(
                        bytes, "\(bits): byte \(place) ^ \(mask)",
                        checks: bits != 16 || place % 8 == 0 || LongRun.isOn)
                }
            }
            print(try run.report())
        }
        Self.judge(result, log)
    }

    @Test(arguments: [12, 32])
    func theVolumeMayEndAnywhere(bits: Int) async {
        let log = Self.newLog()
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardOutputContent]
        ) { [bits = bits as Int, log = log as String] in
            let image = Self.image(bits: bits)
            let structures = Set(Array(0..<image.dataStart) + Self.directories(image))
            var run = Run(log: log)
            for count in 0...image.bytes.count
            where count % 512 == 0 || structures.contains(count) && (bits == 12 || count % 9 == 0) {
                run.attempt(Array(image.bytes.prefix(count)), "\(bits): \(count) bytes")
            }
            print(try run.report())
        }
        Self.judge(result, log)
    }

    /// One to six changes at once, most of them in tables, entries and measures.
    @Test(arguments: [12, 16, 32])
    func seededChangesNeverTrap(bits: Int) async {
        let log = Self.newLog()
        let seeds = LongRun.seeds(bits == 16 ? 100 : 600, of: 50_000)
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardOutputContent]
        ) { [bits = bits as Int, log = log as String, most = seeds.upperBound as UInt64] in
            let image = Self.image(bits: bits)
            let regions = [
                0..<96, image.reservedSize..<(image.reservedSize + 100),
                image.rootStart..<(image.rootStart + 512), image.dataStart..<image.place(16),
            ]
            let words: [UInt32] = [0, 1, 2, 5, 61, 62, 0xff7, 0xffff, 0x0fff_fff7, .max]
            var run = Run(log: log)
            for seed in 0..<most {
                var random = SplitMix64(seed: seed)
                var bytes = image.bytes
                for _ in 0...(random.next() % 6) {
                    let region = regions[Int(random.next() % UInt64(regions.count))]
                    let place = region.randomElement(using: &random) ?? 0
                    switch random.next() % 3 {
                    case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                    case 1: bytes.set(words.randomElement(using: &random) ?? 0, at: place)
                    default:
                        let word = UInt16(
                            truncatingIfNeeded: words.randomElement(using: &random) ?? 0)
                        bytes.set(word, at: place & ~1)
                    }
                }
                run.attempt(bytes, "\(bits): seed \(seed)")
            }
            print(try run.report())
        }
        Self.judge(result, log)
    }

    /// Every entry of a full root leads to the same long chain, which also loops.
    @Test func manyEntriesOfOneChainCostNoMoreThanOne() async {
        let log = Self.newLog()
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardOutputContent]
        ) {
            var image = FATImage(bits: 16, clusterCount: 60_000, rootSlots: 16 * 400)
            for cluster in 2..<60_000 { image.link(cluster, to: cluster + 1) }
            image.link(60_001, to: 2)
            for number in 0..<5000 {
                let isFile = number % 2 == 0
                image.addSlot(
                    FATImage.slot(
                        "E\(number)", attributes: isFile ? 0x20 : 0x10, start: 2 + number,
                        size: isFile ? 0x7fff_ffff : 0))
            }
            let volume = try FAT.Volume(MemorySource(image.bytes))
            let start = Measure.threadSeconds
            let faults = volume.check()
            let seconds = Measure.threadSeconds - start
            print(faults.count == 1000 && seconds < 30 ? "DONE" : "PROBLEM \(seconds) s")
        }
        Self.judge(result, log)
    }
}
