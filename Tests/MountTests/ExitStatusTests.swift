import Foundation
import TestSupport
import Testing

/// Each cause has its exit status, and the manual page has them all.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct ExitStatusTests {
    /// A command line, in words where `IMAGE`, `DIR` and `HERE` stand for paths, and its end.
    struct Case: CustomStringConvertible, Sendable {
        let words: String
        let status: Int32
        var isOther = false

        init(_ words: String, _ status: Int32, isOther: Bool = false) {
            self.words = words
            self.status = status
            self.isOther = isOther
        }

        var description: String { "\(status): \(words)" }
    }

    static let mounting = [
        Case("mount.ifs IMAGE DIR", 0), Case("mount.ifs IMAGE DIR -f", 0),
        Case("mount.ifs IMAGE", 1), Case("mount.ifs IMAGE DIR -o frobnicate", 1),
        Case("mount.ifs IMAGE DIR -o timeout=0", 1),
        // Nobody may mount on a directory of somebody else.
        Case("mount.ifs IMAGE HERE/closed", 32, isOther: true),
        Case("mount.ifs HERE/none DIR", 33), Case("mount.ifs HERE/text DIR", 34),
        Case("mount.ifs IMAGE DIR -o image=2", 34),
        Case("mount.ifs IMAGE DIR -o offset=1G", 34), Case("mount.ifs HERE/cut DIR", 35),
        Case("mount.ifs HERE DIR", 36), Case("mount.ifs HERE/elf DIR", 34),
        Case("mount.ifs IMAGE HERE/none", 37), Case("mount.ifs IMAGE HERE/text", 37),
        Case("mount.ifs IMAGE DIR -o subdir=none", 38),
        Case("mount.ifs IMAGE DIR -o subdir=setuid", 38),
    ]

    static let unmounting = [
        Case("umount.ifs", 1), Case("umount.ifs -q DIR", 1), Case("umount.ifs DIR", 37),
        Case("umount.ifs IMAGE", 37), Case("ifsfs IMAGE DIR", 1),
    ]

    @Test(arguments: mounting + unmounting)
    func eachCauseHasItsStatus(cause: Case) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.everyKind)
        let point = try scratch.directory("m")
        let closed = try scratch.directory("closed")
        _ = closed.withCString { chmod($0, 0o555) }
        try scratch.file("text", Array("text\n".utf8))
        try scratch.file("elf", [0x7f, 0x45, 0x4c, 0x46, 1, 1, 1])
        let built = Samples.everyKind.build()
        try scratch.file(
            "cut", Array(built.bytes[..<(built.storedOffset + built.directoryEnd - 40)]))
        let tools = try scratch.toolForOthers()
        var words = cause.words.split(separator: " ").map { word -> Word in
            Word(
                word.replacingOccurrences(of: "IMAGE", with: image.description)
                    .replacingOccurrences(of: "DIR", with: point.description)
                    .replacingOccurrences(of: "HERE", with: scratch.path.description))
        }
        words[0] = cause.isOther ? tools : Machine.tool(words[0].description)
        if cause.isOther, Machine.isRoot {
            words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] + words
        }
        let finished = try run(words)
        #expect(finished.status == cause.status, "\(finished)")
        #expect(finished.errorText.split(separator: "\n").count == (cause.status == 0 ? 0 : 1))
        let isMounted = cause.status == 0 && !cause.words.contains("-f")
        #expect(try MountLine.on(point).isEmpty != isMounted)
    }

    @Test func aMountInUseIsRefusedWith32() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.everyKind)
        try Calls.open(mount / "setuid") { _ throws in
            #expect(try run([Machine.tool("umount.ifs"), mount.path]).status == 32)
        }
    }

    /// The numbers of the page are those that the cases above produce.
    @Test func thePageListsExactlyTheseNumbers() throws {
        let page = try Fixtures.bytes(Fixtures.root.appendingPathComponent("man/mount.ifs.8"))
        let lines = String(decoding: page, as: UTF8.self).split(separator: "\n")
        let start = try #require(lines.firstIndex(of: ".Sh EXIT STATUS"))
        let section = lines[(start + 1)...].prefix { !$0.hasPrefix(".Sh ") }
        let listed = section.filter { $0.hasPrefix(".It ") }.compactMap { Int32($0.dropFirst(4)) }
        #expect(listed == Set(Self.mounting.map(\.status)).sorted())
    }

    /// To mount(8), 32 is the bit that means a failed mount.
    @Test func whatIsNoWrongCommandLineHasTheBitOfAFailedMount() {
        for cause in Self.mounting where cause.status > 1 { #expect(cause.status & 32 == 32) }
    }
}
