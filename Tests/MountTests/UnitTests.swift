import Foundation
import TestSupport
import Testing

/// The examples of systemd units in `contrib/systemd`. That the command lines which they lead to
/// work is for the tests of mount(8) and umount(8).
@Suite(.timeLimit(.minutes(20)))
struct UnitTests {
    private static let folder = Fixtures.root.appendingPathComponent("contrib/systemd")
    static let names = ["mnt-board.mount", "mnt-board.automount"]

    private func lines(_ name: String) throws -> [String] {
        String(
            decoding: try Fixtures.bytes(Self.folder.appendingPathComponent(name)), as: UTF8.self
        )
        .split(separator: "\n").map(String.init)
    }

    private func value(_ key: String, in name: String) throws -> String {
        let line = try #require(lines(name).first { $0.hasPrefix(key + "=") })
        return String(line.dropFirst(key.count + 1))
    }

    /// Copies of the units, one of them perhaps under another name, and what the judge says.
    private func verified(_ name: String, as copy: String) throws -> Finished {
        let scratch = try Scratch()
        defer { scratch.end() }
        for unit in Self.names {
            let bytes = try Fixtures.bytes(Self.folder.appendingPathComponent(unit))
            try scratch.file(Word(unit == name ? copy : unit), bytes)
        }
        return try run(["systemd-analyze", "verify", "--man=no", scratch / Word(copy)])
    }

    @Test(
        .enabled(if: Machine.has("systemd-analyze"), "systemd-analyze is not installed"),
        arguments: names)
    func systemdHasNothingToSay(name: String) throws {
        #expect(try verified(name, as: name).description == "status 0")
    }

    /// So the judge would have said something.
    @Test(
        .enabled(if: Machine.has("systemd-analyze"), "systemd-analyze is not installed"),
        arguments: names)
    func underAnotherNameAUnitIsRefused(name: String) throws {
        let other = name.replacingOccurrences(of: "board", with: "other")
        let found = try verified(name, as: other)
        #expect(found.status != 0 || !found.errors.isEmpty)
    }

    @Test(
        .enabled(if: Machine.has("systemd-escape"), "systemd-escape is not installed"),
        arguments: names)
    func theNameFollowsFromThePath(name: String) throws {
        let suffix = try #require(name.split(separator: ".").last)
        let found = try run([
            "systemd-escape", "--path", Word("--suffix=\(suffix)"), Word(value("Where", in: name)),
        ])
        #expect(found.text == name + "\n")
    }

    /// The name in the comments is what the program makes of the path there.
    @Test(.enabled(if: Machine.has("systemd-escape"), "systemd-escape is not installed"))
    func theCommentsTellTheTruth() throws {
        let comment = try #require(
            lines("mnt-board.mount").first { $0.contains(" is srv-images-rev") })
        let words = comment.split(separator: " ")
        let path = try #require(words.first { $0.hasPrefix("/srv/") })
        let found = try run(["systemd-escape", "--path", "--suffix=mount", Word(String(path))])
        #expect(comment.contains(" is \(found.text.dropLast()). "))
    }

    /// The tool takes the options of the unit.
    @Test func theOptionsAreKnown() throws {
        let options = try value("Options", in: "mnt-board.mount")
        let found = try run([
            Machine.tool("mount.ifs"), "-f", "image", "directory", "-o", Word(options),
        ])
        #expect(found.description == "status 0")
        #expect(try ["ifs", "fuse.ifs"].contains(value("Type", in: "mnt-board.mount")))
    }
}
