import Foundation
import TestSupport
import Testing

/// A server that is killed at any moment: the image is the old one or the new one, every change that was
/// answered is found again, and nothing else is left.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct KillTests {
    private static let noise = SplitMix64.noise(1 << 20)

    private struct Killed {
        let site: Site
        let before: [UInt8]
        let script: EditScript
        var random: SplitMix64

        init(_ scratch: Scratch, _ seed: UInt64) throws {
            random = SplitMix64(seed: seed)
            let builder = ImageBuilder([
                .directory("dir"), .file("dir/large", KillTests.noise),
                .file("small", SplitMix64.text(5000)), .file("dir/other", SplitMix64.text(9000)),
            ])
            site = try Site(
                scratch, builder.with { $0.packing = seed % 4 == 3 ? .lzo() : .none })
            before = try site.bytes()
            #expect(try site.mount("ro").status == 0)
            script = EditScript(try .read(site.point), count: 60, seed: seed)
            #expect(try site.umount().status == 0)
        }

        mutating func number(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
    }

    /// Every second one while changes are made, the others while umount saves them.
    @Test(arguments: LongRun.seeds(30, of: 300))
    func whatWasAnsweredIsFoundAgain(seed: UInt64) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        var one = try Killed(scratch, seed)
        #expect(try one.site.mount().description == "status 0")
        let server = try #require(Daemon.serving(one.site.point))
        let answered = seed % 2 == 0 ? edit(&one, server) : try save(&one, server)
        #expect(server.endsWithin(60))
        _ = try run(["fusermount3", "-u", one.site.point])
        try judge(one, answered)
    }

    /// Makes changes until the server is gone; how many were answered.
    private func edit(_ one: inout Killed, _ server: Daemon) -> Int {
        let first = one.number(one.script.calls.count)
        let pause = UInt32(one.number(400))
        for (index, call) in one.script.calls.enumerated() {
            if index == first {
                Thread.detachNewThread {
                    usleep(pause)
                    kill(server.id, SIGKILL)
                }
            }
            do { try call.run(in: one.site.point) } catch { return index }
        }
        return one.script.calls.count
    }

    /// Makes all changes, and kills the server while umount waits for it.
    private func save(_ one: inout Killed, _ server: Daemon) throws -> Int {
        for call in one.script.calls { try call.run(in: one.site.point) }
        let umount = try Running([Machine.tool("umount.ifs"), one.site.point])
        usleep(UInt32(one.number(60_000)))
        kill(server.id, SIGKILL)
        let ended = try umount.wait()
        #expect([0, 32].contains(ended.status), "\(ended)")
        return one.script.calls.count
    }

    private func judge(_ one: Killed, _ answered: Int) throws {
        let site = one.site
        #expect(try site.faults() == "")
        let isOld = try site.bytes() == one.before
        // Old, and nothing was changed yet or the changes wait; or new, with all of them.
        let hasStage = try site.leftovers().contains(".x.ifs.stage")
        let mounted = try site.mount(isOld && hasStage ? "rw,recover=resume" : "rw")
        #expect(mounted.status == 0, "\(mounted)")
        try expect(one, answered, isWhole: !isOld)
        #expect(try site.umount().description == "status 0")
        #expect(try site.leftovers() == [])
        #expect(try site.faults() == "")
        #expect(try site.mount("ro").status == 0)
        try expect(one, answered, isWhole: !isOld)
        #expect(try site.umount().status == 0)
    }

    /// The call that was under way may have been done, and of a write a part.
    private func expect(_ one: Killed, _ answered: Int, isWhole: Bool) throws {
        let found = try KnownTree.read(one.site.point)
        let last = isWhole ? answered : min(answered + 1, one.script.calls.count)
        let candidates = (answered...last).map { one.script.trees[$0] }
        if candidates.contains(found) { return }
        let torn = answered < last ? one.script.calls[answered].written : nil
        var (rest, expected) = (found, one.script.trees[answered])
        if let torn { (rest.nodes[torn], expected.nodes[torn]) = (nil, nil) }
        let calls = one.script.calls[..<(last)].map { "\($0)".prefix(100) }
        let differences = rest.differences(expected)
        #expect(differences == [], "after \(answered) calls of \(calls.joined(separator: "; "))")
    }
}
