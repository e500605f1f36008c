import Format
import Foundation
import Mkifs
import TestSupport
import Testing

/// The plan of a buildfile as text.
struct BuildPlanTests {
    /// Cases that run no other program.
    static let cases = Fixtures.goldenCases.filter { !$0.hasPrefix("boot-") && $0 != "filter" }
    static let inputs = Fixtures.folder.appendingPathComponent("inputs").path

    static func buildPlan(_ name: String) throws -> Plan {
        var options = BuildOptions(.v64)
        options.times = .zero
        options.environment = [
            Array("INPUTS".utf8): Array(inputs.utf8), Array("QNX_TARGET".utf8): Array(inputs.utf8),
            Array("MKIFS_PATH".utf8): Array("\(inputs)/data".utf8),
        ]
        var build = Build(options, Toolbox(environment: []))
        build.resolver.add(
            SourceText(
                name: "case.build", bytes: try Fixtures.bytes(Fixtures.golden(name, "case.build"))))
        return try build.plan()
    }

    @Test(arguments: cases)
    func thePlanOfABuildfileGivesTheSameImageFromItsText(name: String) throws {
        let first = try Self.buildPlan(name)
        let second = try plan(first.text())
        #expect(try difference(built(second), built(first)) == nil)
        #expect(String(reflecting: second) == String(reflecting: first))
    }

    /// The fixture, which people can read, is what the tool writes, and gives the vendor's image.
    @Test func aPlanReadsAsItsFixtureDoes() throws {
        let folder = Fixtures.folder.appendingPathComponent("plans")
        let expected = try Fixtures.bytes(folder.appendingPathComponent("plain.plan"))
        let found = String(decoding: try Self.buildPlan("plain").text(), as: UTF8.self)
            .replacingOccurrences(of: Self.inputs, with: "../inputs")
        #expect(found == String(decoding: expected, as: UTF8.self))
        let plan = try plan(expected, relativeTo: folder.path)
        #expect(try difference(built(plan), Fixtures.goldenImage("plain")) == nil)
    }

    @Test func thePlanOfAnImageReadsAsItsFixtureDoes() throws {
        let file = Fixtures.folder.appendingPathComponent("plans/boot-armle-notloaded.plan")
        let image = try IFS.Image.only(in: Fixtures.goldenImage("boot-armle-notloaded"))
        let found = try Plan(image).text { _, _ throws(MkifsError) in }
        #expect(text(found) == text(try Fixtures.bytes(file)))
    }

    @Test func relativePathsAreWrittenFromTheWorkingDirectoryOn() throws {
        var plan = Plan(.v70, .little, root: Plan.Entry([], .directory, mode: 0o40755, inode: 1))
        plan.prefix = .file(HostFile(Array("here/a".utf8), byteCount: 1))
        plan.tail = .file(HostFile(Array("/there/b".utf8), byteCount: 2))
        let lines = text(try plan.text(workingDirectory: Array("/home/board".utf8)))
        #expect(lines.contains("prefix from=/home/board/here/a size=1\n"))
        #expect(lines.contains("tail from=/there/b size=2\n"))
    }

    @Test func bytesOfAnImageHaveNoTextWithoutFiles() throws {
        let image = try IFS.Image.only(in: ImageBuilder([.file("a", "x")]).build().bytes)
        let plan = try Plan(image, within: UInt64.max..<UInt64.max)
        let error = try #require(throws: MkifsError.self) { try plan.text() }
        #expect(
            error.description
                == "'startup': found bytes of an image, which the text of a plan can name only as"
                + " a file")
    }
}
