import Format
import Foundation
import TestSupport

/// Opens damaged images as every tool together would, and notes what that costs.
///
/// It runs in a process of its own: a trap ends that process alone, its memory can be measured, and
/// the file `log` says which image it was.
struct DamageRun {
    /// Seconds of processor time that one image may take.
    static let mostSeconds = 2.0
    /// Bytes that the process may hold.
    static let mostMemory = 512 << 20

    private let log: Int32
    private(set) var count = 0
    private(set) var problems: [String] = []

    init(log: String) {
        self.log = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        // A hang ends as a failure: the kernel stops the process.
        var limit = rlimit(rlim_cur: 120, rlim_max: 120)
        setrlimit(__rlimit_resource_t(0), &limit)
    }

    /// Tries a file. At most `limit` bytes of each of its images' files are read.
    mutating func attempt(_ bytes: [UInt8], limit: Int, sums: Bool, _ what: String) {
        count += 1
        var line = Array(what.utf8.prefix(120))
        line += [UInt8](repeating: 0x20, count: 120 - line.count)
        pwrite(log, line, line.count, 0)
        let start = Measure.threadSeconds
        do {
            try Self.readEverything(in: bytes, limit: limit, sums: sums)
        } catch {
            problems.append("\(what): memory throws no i/o error: \(error)")
        }
        let seconds = Measure.threadSeconds - start
        if seconds > Self.mostSeconds { problems.append("\(what): \(seconds) s") }
    }

    /// What the parent prints; empty if all is well.
    func report() throws -> String {
        let peak = try Measure.peakMemory()
        let tooMuch = peak > Self.mostMemory ? ["\(peak) bytes of memory"] : []
        return (problems + tooMuch).map { "PROBLEM \($0)\n" }.joined()
    }

    // MARK: Everything there is to read

    /// Throws what the scanner throws, which is i/o errors alone; all else may fail and is let be.
    private static func readEverything(in bytes: [UInt8], limit: Int, sums: Bool) throws {
        guard let (_, file) = try? IFS.unwrapped(MemorySource(bytes)) else { return }
        var scanner = IFS.Scanner(file, .init(cacheLimit: 4 << 20))
        while let image = try scanner.next() {
            consume(image.directory.skipped.map(\.description).joined().utf8.count)
            if let startup = image.startup {
                consume(IFS.InfoRecord.records(in: startup.info, startup.order).count)
            }
            readPrograms(image)
            if sums {
                consume(image.check().map(\.description).joined().utf8.count)
                try? image.unpacked { consume($0.count) }
            }
            for isPartial in [false, true] {
                guard let volume = try? IFS.ImageVolume(image, partial: isPartial) else { continue }
                consume(volume.findings.map(\.description).joined().utf8.count)
                read(volume, limit: limit)
                break
            }
        }
        consume(scanner.refusal.map(\.description)?.utf8.count ?? 0)
    }

    private static func readPrograms(_ image: IFS.Image) {
        let script = (try? image.scriptData()).map(IFS.Script.init)
        consume((script?.buildfileLines.count ?? 0) + (script?.listingLines.count ?? 0))
        consume((try? image.startupArguments())?.arguments.count ?? 0)
        for entry in image.bootEntries.prefix(4) {
            consume((try? image.bootArguments(of: entry))?.arguments.count ?? 0)
        }
        for entry in image.directory.entries.prefix(100) {
            let head = try? image.head(of: entry)
            consume(head.flatMap(ELF.Header.init)?.segments.count ?? 0)
        }
        consume(Int(truncatingIfNeeded: (try? image.imageChecksum(.big)) ?? 0))
        consume(Int(truncatingIfNeeded: (try? image.startupChecksum()) ?? 0))
    }

    private static func read(_ volume: IFS.ImageVolume, limit: Int) {
        var rest = limit
        guard let nodes = try? volume.walk() else { return }
        for node in [.root] + nodes.prefix(100).map(\.node) {
            for name in (try? volume.extendedAttributeNames(of: node)) ?? [] {
                consume((try? volume.extendedAttribute(name, of: node))?.count ?? 0)
            }
        }
        for (_, node) in nodes {
            guard let attributes = volume.attributes(of: node) else { continue }
            consume(volume.target(of: node)?.count ?? 0)
            guard attributes.kind == .file, rest > 0 else { continue }
            let size = attributes.byteCount
            let count = Int(min(size, UInt64(rest)))
            consume((try? volume.bytes(of: node, at: 0, count: count))?.count ?? 0)
            consume((try? volume.bytes(of: node, at: size / 2, count: 100))?.count ?? 0)
            consume((try? volume.bytes(of: node, at: max(1, size) - 1, count: 1))?.count ?? 0)
            rest -= count
        }
    }

    /// Keeps the optimizer from leaving out what nobody looks at.
    @inline(never)
    private static func consume(_ number: Int) {}
}
