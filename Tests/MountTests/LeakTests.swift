import Foundation
import TestSupport
import Testing

/// Many mounts, one after the other, and nothing that stays.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct LeakTests {
    /// A thousand mounts in a row leave nothing behind.
    ///
    /// In a process of its own, so that all descriptors and children there are this test's.
    @Test func aThousandMountsInARowLeaveNothingBehind() async throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        try scratch.image(Samples.ordinary)
        try scratch.directory("m")
        try scratch.directory("tmp")
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardOutputContent]
        ) { [folder = "\(scratch.path)" as String] in
            var run = try MountRun(Word(folder))
            try run.repeatMounts(1000)
            print((run.problems.map { "PROBLEM \($0)\n" }).joined() + "DONE")
        }
        let text = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
        #expect(text.split(separator: "\n").filter { $0.hasPrefix("PROBLEM") } == [])
        #expect(text.contains("DONE"), "the run did not reach its end")
    }
}

/// Mounts in a row by a process that adopts the servers: it waits for each of them, and sees what
/// they leave.
private struct MountRun {
    private(set) var problems: [String] = []
    private let folder: Word
    private var point: Word { folder / "m" }
    private var temporary: Word { folder / "tmp" }

    init(_ folder: Word) throws {
        self.folder = folder
        // All that mounting makes of temporary files comes there.
        setenv("TMPDIR", "\(folder / "tmp")", 1)
        guard controlProcess(Linux.adoptOrphans, 1, 0, 0, 0) == 0 else {
            throw Failure("cannot adopt the servers")
        }
    }

    mutating func repeatMounts(_ count: Int) throws {
        // What never ends, ends the process.
        alarm(240)
        // The first mount opens what stays open in this process alone.
        try mountOnce()
        let before = try traces()
        for number in 1...count where problems.count < 5 {
            let known = problems.count
            try mountOnce()
            if problems.count > known { problems[known] += ", at mount \(number)" }
        }
        let after = try traces()
        for (kind, found) in after where found != before[kind] {
            problems.append("\(kind): \(found), before: \(before[kind] ?? [])")
        }
    }

    private mutating func mountOnce() throws {
        let mounted = try finish([Machine.tool("mount.ifs"), folder / "x.ifs", point])
        if mounted.description != "status 0" { problems.append("mounting: \(mounted)") }
        if try Calls.contents(point / "etc/hosts").count != 20 { problems.append("wrong bytes") }
        if try finish(["fusermount3", "-u", point]).status != 0 { try unmount(point) }
        var status: Int32 = 0
        if waitpid(-1, &status, 0) < 0 { problems.append("the server was no child") }
        if status != 0 { problems.append("the server ended with \(status)") }
        let other = waitpid(-1, nil, WNOHANG)
        if other != -1 || errno != ECHILD { problems.append("another process was left") }
    }

    /// Runs a command and sleeps until it has ended: polling would cost more than the command.
    private func finish(_ words: [Word]) throws -> Finished {
        let command = try Running(words)
        var ended = siginfo_t()
        waitid(P_PID, id_t(command.id), &ended, WEXITED | WNOWAIT)
        return try command.wait()
    }

    /// All that a mount could leave, by kind.
    private func traces() throws -> [String: [String]] {
        let prefix = folder.bytes + [UInt8(ascii: "/")]
        func isOurs(_ word: Word) -> Bool { word.bytes.starts(with: prefix) }
        // Where there is no such folder or table, nothing was left in it.
        let memory = (try? Calls.names("/dev/shm")) ?? []
        let table = (try? Calls.kernelText("/run/mount/utab")) ?? []
        return [
            "descriptors": descriptors(),
            "mounts": try MountLine.all().filter { isOurs($0.point) }.map { "\($0.point)" },
            "servers": Daemon.all(where: isOurs).map { "\($0.commandLine)" },
            "files": try Calls.tree(folder).map(\.description).sorted(),
            "shared memory": memory.map(\.description).filter {
                $0.contains("ifs") || $0.contains("fuse")
            },
            "mount(8)'s table": table.split(separator: UInt8(ascii: "\n"))
                .map { String(decoding: $0, as: UTF8.self) }
                .filter { $0.contains("\(folder)") },
        ]
    }

    /// This process's open descriptors and what they lead to, but for the one that lists them.
    private func descriptors() -> [String] {
        (0..<1024).compactMap { number in
            let target = try? Calls.target("/proc/self/fd/\(number)")
            return target.map { "\(number) \(String(decoding: $0, as: UTF8.self))" }
        }
    }
}

extension Linux {
    /// PR_SET_CHILD_SUBREAPER.
    static let adoptOrphans: Int32 = 36
}

@_silgen_name("prctl")
private func controlProcess(
    _ option: Int32, _ second: UInt, _ third: UInt, _ fourth: UInt, _ fifth: UInt
) -> Int32
