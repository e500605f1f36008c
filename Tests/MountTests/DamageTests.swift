import Foundation
import TestSupport
import Testing

/// Damaged images, mounted for real. A damaged image is refused, or served as far as it goes: what
/// can be read is what the file holds, what cannot is EIO, and nothing hangs, dies or costs much.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct DamageTests {
    /// Seconds of processor time that one image may cost.
    private static let mostSeconds: UInt = 2
    /// Bytes that a server may hold.
    private static let mostMemory: UInt = 512 << 20

    /// A damaged image is refused, or served as far as it goes.
    @Test(arguments: 0..<300 as Range<UInt64>)
    func aDamagedImageIsRefusedOrServedAsFarAsItGoes(seed: UInt64) throws {
        let damaged = try DamagedImage(seed: seed)
        let problems = try Self.problems(damaged)
        #expect(problems.prefix(5) == [], "\(damaged.description)")
    }

    /// What the seeds are for: without these, the test above would prove little.
    @Test func theSeedsReachEveryOutcome() throws {
        var ways: Set<String> = []
        var (refusable, cut, holed, packed) = (0, 0, 0, 0)
        for seed in 0..<300 as Range<UInt64> {
            let damaged = try DamagedImage(seed: seed)
            ways.insert(damaged.description.split(separator: " ").last.map(String.init) ?? "")
            let readings = Reading.all(of: damaged.bytes)
            if readings.isEmpty { refusable += 1 }
            guard let reading = readings.first else { continue }
            if reading.code > 0 { packed += 1 }
            if !reading.holes.isEmpty { holed += 1 }
            if reading.hasStructure(of: damaged.before),
                reading.bytes.count < damaged.before.bytes.count
            {
                cut += 1
            }
        }
        #expect(ways.count == DamagedImage.Way.allCases.count)
        #expect(refusable > 5 && cut > 20 && holed > 5 && packed > 50)
    }

    /// Whatever was read before: the others lie where the count of blocks puts them.
    @Test(arguments: [.lzo(isFast: true), .ucl(level: 1)] as [Packing])
    func aBlockThatUnpacksShortMovesNoOther(packing: Packing) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        var built = Samples.large(300_000, packing).image.build()
        let block = built.blocks[1]
        let short = Packer.block(built.plain[0x1_0000..<0x1_fff0], packing)
        built.bytes.replaceSubrange(
            (block.offset - 2)..<(block.offset + block.packedCount),
            with: [UInt8](UInt16(short.count), isBigEndian: true) + short)
        let readings = Reading.all(of: built.bytes)
        #expect(readings.map(\.holes) == [[0x1_fff0..<0x2_0000]])
        let mount = try scratch.mount(scratch.file("x.ifs", built.bytes))
        #expect(Inspection(mount.path, readings, seed: 0).problems == [])
    }

    /// Mounts, looks through and unmounts; what is wrong about that.
    private static func problems(_ damaged: DamagedImage) throws -> [String] {
        let scratch = try Scratch()
        defer { scratch.end() }
        let readings = Reading.all(of: damaged.bytes)
        let isWhole = readings.contains { $0.hasStructure(of: damaged.before) }
        let image = try scratch.file("x.ifs", damaged.bytes)
        switch try serve(image, on: scratch.directory("m")) {
        case .refused(let finished):
            let lines = finished.errorText.split(separator: "\n")
            let isRefusal =
                (34...36).contains(finished.status) && lines.count == 1
                && lines[0].hasPrefix("mount.ifs: ")
            return (isRefusal ? [] : ["no proper refusal: \(finished)"])
                + (isWhole ? ["refused, though header and directory are sound: \(finished)"] : [])
        case .mounted(let mount):
            let found = Inspection(mount.path, readings, seed: damaged.seed)
            var problems = found.problems
            if isWhole {
                let missing = names(damaged.before).subtracting(found.paths)
                problems += missing.map { "'\($0)' is missing" }
            }
            problems += costs(Daemon(id: mount.server.id))
            let ended = try mount.unmount()
            if ended.status != 0 { problems.append("the server ended with \(ended.status)") }
            return problems
        }
    }

    /// The paths that a sound directory names, but for what was removed, or lies below a link.
    private static func names(_ reading: Reading) -> Set<Word> {
        let named = reading.records.filter { $0.inode != 0 && !$0.path.bytes.isEmpty }
        let closed = named.filter { $0.type != 0x4000 }.map { $0.path.bytes + [UInt8(ascii: "/")] }
        return Set(
            named.map(\.path).filter { path in !closed.contains { path.bytes.starts(with: $0) } })
    }

    /// Mounts as `Scratch.attempt` does, under bounds that the kernel keeps: more processor time
    /// ends the server by a signal, more memory makes it trap.
    private static func serve(_ image: Word, on point: Word) throws -> Scratch.Attempt {
        let server = try Running([Machine.tool("mount.ifs"), "-F", image, point])
        let mount = Mount(point, server, 20)
        if Machine.otherTools == nil {
            Linux.limit(server.id, Linux.processorTime, mostSeconds)
            Linux.limit(server.id, Linux.dataSize, mostMemory)
        }
        let outcome = try within(20) { () -> Scratch.Attempt? in
            if try !MountLine.on(point).isEmpty { return .mounted(mount) }
            return server.poll().map { .refused($0) }
        }
        guard let outcome else { throw Failure("\(image): no answer within 20 s") }
        if case .refused = outcome { try mount.wait() }
        return outcome
    }

    /// What a server has cost too much of so far.
    private static func costs(_ daemon: Daemon) -> [String] {
        guard Machine.otherTools == nil else { return [] }
        let fields = daemon.fields
        guard fields.count > 12, let user = UInt(fields[11]), let system = UInt(fields[12]),
            let peak = daemon.status("VmHWM")?.split(separator: " ").first.flatMap({ UInt($0) })
        else { return ["the server is gone"] }
        let seconds = Double(user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
        return (seconds > Double(mostSeconds) ? ["\(seconds) s of processor time"] : [])
            + (peak << 10 > mostMemory ? ["\(peak) KiB of memory"] : [])
    }
}

extension Linux {
    /// RLIMIT_CPU, in seconds.
    static let processorTime: Int32 = 0
    /// RLIMIT_DATA: private memory that can be written, in bytes.
    static let dataSize: Int32 = 2

    /// Sets a limit of another process, which may just have ended.
    static func limit(_ process: pid_t, _ resource: Int32, _ value: UInt) {
        var limit = rlimit(rlim_cur: value, rlim_max: value)
        _ = setLimit(process, resource, &limit, nil)
    }
}

@_silgen_name("prlimit")
private func setLimit(
    _ process: pid_t, _ resource: Int32, _ new: UnsafePointer<rlimit>?,
    _ old: UnsafeMutablePointer<rlimit>?
) -> Int32
