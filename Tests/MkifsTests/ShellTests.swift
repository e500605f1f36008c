import Format
import Foundation
import TestSupport
import Testing

@testable import Mkifs

/// Commands, and what comes of them.
struct ShellTests {
    private func command(
        _ line: String, _ environment: [String] = [], in directory: String? = nil
    ) -> ShellCommand {
        ShellCommand(
            Array(line.utf8), environment: environment.map { Array($0.utf8) },
            directory: directory.map { Array($0.utf8) })
    }

    /// What a command writes, with these bytes as its input.
    private func output(
        of command: ShellCommand, input: [UInt8] = [], limit: UInt64 = 1 << 32 - 1
    ) throws -> [UInt8] {
        let scratch = try ScratchDirectory(environment: LinkingHost.environment)
        let file = open(text(try scratch.file(holding: input)), O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        return try Shell.output(of: command, input: file, limit: limit)
    }

    private func fault(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test(
        arguments: [
            ("true", .exited(0)), ("exit 3", .exited(3)), ("kill -9 $$", .signaled(9)),
            ("no-such-command 2>/dev/null", .exited(127)),
        ] as [(String, Termination)])
    func howACommandEndedIsKnown(_ line: String, _ end: Termination) throws {
        #expect(try Shell.run(command(line)) == end)
    }

    @Test(
        arguments: [
            ("exit 3", "command 'exit 3': found exit status 3, expected exit status 0"),
            ("kill -15 $$", "command 'kill -15 $$': found signal 15, expected exit status 0"),
        ])
    func aCommandThatFailsIsNamed(_ line: String, _ expected: String) {
        #expect(fault { try Shell.perform(command(line)) } == expected)
        #expect(fault { _ = try output(of: command(line)) } == expected)
    }

    @Test func aFilterReadsTheDescriptorFromWhereItStands() throws {
        let scratch = try ScratchDirectory(environment: LinkingHost.environment)
        let file = open(text(try scratch.file(holding: Array("hello".utf8))), O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        lseek(file, 1, SEEK_SET)
        #expect(text(try Shell.output(of: command("tr a-z A-Z"), input: file)) == "ELLO")
    }

    @Test func aFilterMayReadNothingOfMuch() throws {
        let much = [UInt8](repeating: 7, count: 1 << 20)
        #expect(text(try output(of: command("echo done"), input: much)) == "done\n")
    }

    @Test func bytesBeyondAPipeComeWhole() throws {
        let much = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        #expect(try output(of: command("cat"), input: much) == much)
    }

    @Test(arguments: [(5, true), (4, false)] as [(UInt64, Bool)])
    func outputHasALimit(_ limit: UInt64, _ fits: Bool) throws {
        let echo = command("printf 12345")
        if fits {
            #expect(text(try output(of: echo, limit: limit)) == "12345")
        } else {
            #expect(
                fault { _ = try output(of: echo, limit: limit) }
                    == "command 'printf 12345': found more output, expected at most 4 bytes")
        }
    }

    @Test(
        .timeLimit(.minutes(20)),
        arguments: [
            "yes", "trap '' PIPE; yes 2>/dev/null; exec sleep 1000",
            "printf 12345; exec sleep 1000",
        ])
    func aFilterWithoutEndIsEnded(_ line: String) {
        #expect(
            fault { _ = try output(of: command(line), limit: 4) }?.contains("at most 4") == true)
    }

    @Test func theEnvironmentIsTheOneGiven() throws {
        let given = command("echo \"$A-$HOME\"", ["A=b c", "PATH=/bin:/usr/bin"])
        #expect(text(try output(of: given)) == "b c-\n")
    }

    @Test(arguments: ["it's", "-", "a b", "$x"])
    func aCommandRunsInItsDirectory(_ name: String) throws {
        let scratch = try ScratchDirectory(environment: LinkingHost.environment)
        let folder = text(scratch.path) + "/" + name
        mkdir(folder, 0o700)
        let line = command("basename \"$PWD\"; cat", ["CDPATH=/tmp"], in: folder)
        #expect(text(try output(of: line, input: Array("x".utf8))) == name + "\nx")
    }

    @Test func aRelativeDirectoryIsNotLookedFor() throws {
        let line = command("pwd", ["CDPATH=/", "PATH=/bin:/usr/bin"], in: "usr/../usr")
        #expect(throws: LinkingError.self) { try Shell.perform(line) }
    }

    @Test func aLineIsNeverAnOption() throws {
        #expect(try Shell.run(command("-c true 2>/dev/null")) == .exited(127))
    }

    @Test func aByte0IsRefused() {
        #expect(
            fault { try Shell.perform(command("tr\0ue")) }
                == #"command 'tr\x00ue': found a byte 0, expected none"#)
        #expect(
            fault { try Shell.perform(command("true", ["A=\0"])) }
                == "command 'true': found a byte 0, expected none")
    }

    @Test func aCommandTooLongForTheSystemIsAnError() {
        let long = String(repeating: "x", count: 1 << 22)
        #expect(fault { try Shell.perform(command(": " + long)) }?.hasSuffix("too long") == true)
    }

    @Test func standardInputIsEmptyUnlessGiven() throws {
        #expect(try Shell.run(command("read line")) == .exited(1))
    }

    @Test func inputAndOutputMayBeEachOthersDescriptors() async {
        await #expect(processExitsWith: .success) {
            let scratch = try ScratchDirectory(environment: LinkingHost.environment)
            let copy = try scratch.file()
            let input = open(text(try scratch.file(holding: Array("abc".utf8))), O_RDONLY)
            let output = open(text(copy), O_WRONLY)
            dup2(input, STDOUT_FILENO)
            dup2(output, STDIN_FILENO)
            try Shell.perform(
                ShellCommand(Array("cat".utf8), environment: LinkingHost.environment),
                input: STDOUT_FILENO, output: STDIN_FILENO)
            let written = try Fixtures.bytes(URL(fileURLWithPath: text(copy)))
            try #require(written == Array("abc".utf8))
        }
    }

    @Test func aCommandGetsNoneOfOurDescriptors() throws {
        let scratch = try ScratchDirectory(environment: LinkingHost.environment)
        let file = open(text(try scratch.file()), O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        #expect(try Shell.run(command("[ -e /dev/fd/\(file) ]")) == .exited(1))
    }

    @Test func manyFiltersAtOnceEndEachForItself() async throws {
        await withTaskGroup(of: String?.self) { group in
            for number in 0..<40 {
                group.addTask { try? text(output(of: command("echo \(number)"))) }
            }
            var seen: Set<String> = []
            for await line in group { seen.insert(line ?? "failed") }
            #expect(seen == Set((0..<40).map { "\($0)\n" }))
        }
    }

    // MARK: Scratch directories

    @Test func aScratchDirectoryGoesWithAllThatIsInIt() throws {
        let outside = try ScratchDirectory(environment: LinkingHost.environment)
        let kept = try outside.file(holding: [1])
        var scratch: ScratchDirectory? = try ScratchDirectory(environment: LinkingHost.environment)
        let path = text(try #require(scratch?.path))
        _ = try scratch?.file(holding: [1, 2])
        try Shell.perform(
            command(
                "cd '\(path)' && mkdir -p a/b 'c d' && touch a/b/f .hidden && ln -s '\(text(kept))' l "
                    + "&& ln -s '\(text(outside.path))' a/dir",
                ["PATH=/bin:/usr/bin"]))
        #expect(FileManager.default.fileExists(atPath: path + "/a/b/f"))
        scratch = nil
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(FileManager.default.fileExists(atPath: text(kept)))
    }

    @Test func aScratchDirectoryIsUnderTMPDIR() throws {
        let outer = try ScratchDirectory(environment: [])
        #expect(text(outer.path).hasPrefix("/tmp/mkifs."))
        let inner = try ScratchDirectory(environment: [Array("TMPDIR=".utf8) + outer.path])
        #expect(inner.path.starts(with: outer.path + Array("/mkifs.".utf8)))
        #expect(try inner.file() != inner.file())
        withExtendedLifetime(outer) {}
    }

    @Test func anAbsentTMPDIRIsAnError() {
        #expect(
            fault { _ = try ScratchDirectory(environment: [Array("TMPDIR=/no/such".utf8)]) }
                == "cannot use the temporary directory '/no/such': No such file or directory")
    }
}
