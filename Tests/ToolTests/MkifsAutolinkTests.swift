import Foundation
import TestSupport
import Testing

/// Names of shared objects in an image, F051 to F055.
struct MkifsAutolinkTests {
    private static func library(_ soname: String, _ change: (inout ELFStandIn) -> Void = { _ in })
        -> [UInt8]
    {
        ELFStandIn(.shared) {
            $0.address = 0
            $0.soname = soname
            change(&$0)
        }.bytes
    }

    /// The board with the library of two names.
    private func board() throws -> Board {
        let board = try Board()
        try board.write(Self.library("libc.so.3"), to: "libc.so.3", mode: 0o755)
        try board.write(Self.library("libc.so.3"), to: "libc.so", mode: 0o755)
        return board
    }

    /// Path and type of each entry, and where links lead.
    private func entries(_ image: MadeImage) -> [String] {
        image.entries.dropFirst().map { entry in
            let lead = entry["target"].text.map { " -> " + $0 } ?? ""
            return (entry["path"].text ?? "?") + lead
        }.sorted()
    }

    @Test(arguments: ["", "[+autolink] "], [("6.4"), ("7.0"), ("8.0")])
    func aSharedObjectIsStoredByTheNameItGivesItself(
        _ attribute: String, _ profile: String
    ) throws {
        let image = try board().image(
            "[search=.]\n\(attribute)libc.so.3\n", ["--profile", profile])
        #expect(entries(image) == ["libc.so -> libc.so.3", "libc.so.3"])
        #expect(try image["libc.so.3"]["type"].text == "file")
    }

    @Test(arguments: [
        (true, true, UInt16(20)), (true, false, 40), (false, true, 2), (false, false, 183),
    ])
    func ofEitherClassAndOrderTheNameIsFound(
        _ isNarrow: Bool, _ isBig: Bool, _ machine: UInt16
    ) throws {
        let board = try Board()
        try board.write(
            Self.library("libx.so.1") {
                $0.is64Bit = !isNarrow
                $0.isBigEndian = isBig
                $0.machine = machine
            }, to: "x")
        #expect(entries(try board.image("./x\n")) == ["libx.so.1", "x -> libx.so.1"])
    }

    @Test func eitherNameGivesTheSameEntries() throws {
        let board = try board()
        let long = try board.image("[search=.] libc.so.3\n", ["-nn"])
        let short = try board.image("[search=.] libc.so\n", ["-nn"])
        #expect(entries(long) == ["libc.so -> libc.so.3", "libc.so.3"])
        #expect(difference(short.bytes, long.bytes) == nil)
        let both = try board.image("[search=. prefix=lib]\n/usr/lib/libc.so=libc.so\n")
        #expect(entries(both) == ["usr/lib/libc.so -> libc.so.3", "usr/lib/libc.so.3"])
    }

    @Test(arguments: [
        "[type=link] libc.so=elsewhere\nlibc.so.3\n", "libc.so.3\n[type=link] libc.so=elsewhere\n",
    ])
    func aLinkOfTheBuildfileTakesThePlaceOfTheAutomaticOne(_ text: String) throws {
        let image = try board().image("[search=.]\n" + text)
        #expect(entries(image) == ["libc.so -> elsewhere", "libc.so.3"])
    }

    @Test func withoutAutolinkTheGivenNameStays() throws {
        let board = try board()
        let image = try board.image("[search=. -autolink] libc.so\n[-autolink] my=./libc.so.3\n")
        #expect(entries(image) == ["libc.so", "my"])
    }

    @Test func aNameWithoutAVersionNeedsNoLink() throws {
        let board = try Board()
        try board.write(Self.library("driver.so"), to: "driver.so")
        #expect(entries(try board.image("./driver.so\n")) == ["driver.so"])
    }

    @Test func rawLibrariesProgramsAndDataHaveNoLinks() throws {
        let board = try board()
        try board.write(ELFStandIn(.executable).bytes, to: "tool")
        let image = try board.image("[search=.]\n[+raw] libc.so.3\ntool\n")
        #expect(entries(image) == ["libc.so.3", "tool"])
    }

    @Test(arguments: [[1, 2], [2, 1]])
    func theLinkLeadsToTheVersionThatCameLast(_ order: [Int]) throws {
        let board = try Board()
        for version in order {
            try board.write(Self.library("libx.so.\(version)"), to: "libx.so.\(version)")
        }
        let image = try board.image(
            "[search=.]\n" + order.map { "libx.so.\($0)\n" }.joined())
        #expect(
            entries(image) == ["libx.so -> libx.so.\(order[1])", "libx.so.1", "libx.so.2"])
    }
}
