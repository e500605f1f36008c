import Mkifs
import TestSupport
import Testing

/// No bytes trap, hang or exhaust the parser.
@Suite(.timeLimit(.minutes(20)))
struct HostileBuildfileTests {
    private static let pieces = [
        "[", "]", "{", "}", "${", "}", "\"", "\\", "\n", " ", "=", "#", "?", "+", "-", "&", "\r\n",
        "\t",
        "a", "uid=5", "perms=u+x", "virtual=x86,elf", "+script", "A=${A}", "x={\n", "\n}\n",
        "image=",
        "pri=9", "\\}", "${A${B}}", "mtime=", "%", ",", "0x", "*", "type=link", "ram=1-2,3",
        "\u{0}", "ü",
    ].map { Array($0.utf8) }

    /// Goes through everything that the bytes lead to.
    private func exercise(_ bytes: [UInt8]) {
        let start = Measure.threadSeconds
        defer { #expect(Measure.threadSeconds - start < 30) }
        let values = variables(["A": "${B}x", "B": "1", "": "${A}"])
        let reading = Reading(bytes)
        let found = check(reading, values)
        #expect(found.kept.count <= 200)
        for diagnostic in found.kept {
            #expect(diagnostic.mark.line >= 1 && diagnostic.mark.column >= 1)
            #expect(!diagnostic.rendered(from: reading.source).isEmpty)
        }
        for line in reading.file.lines {
            // An error is as good as a value here.
            for word in line.words { _ = try? word.expanded(values) }
        }
        #expect(reading.file.lines.allSatisfy { $0.words.count <= 2 })
        var diagnostics = Diagnostics()
        _ = CommandLines(parsing: reading.source, &diagnostics)
    }

    @Test func randomBytesNeverTrap() {
        var random = SplitMix64(seed: 0x51c4)
        for _ in 0..<3000 { exercise(random.noise(Int(random.next() % 200))) }
    }

    @Test func randomPiecesOfTheGrammarNeverTrap() {
        var random = SplitMix64(seed: 0x51c5)
        for _ in 0..<6000 {
            let count = Int(random.next() % 60)
            exercise(
                (0..<count).flatMap { _ in
                    Self.pieces[Int(random.next() % UInt64(Self.pieces.count))]
                })
        }
    }

    @Test func aGoldenBuildfileCutAnywhereNeverTraps() throws {
        let bytes = try Fixtures.bytes(Fixtures.golden("script", "case.build"))
        for count in bytes.indices { exercise(Array(bytes[..<count])) }
    }

    /// Each is about a megabyte of one thing, which a parser of quadratic cost would not finish.
    @Test(
        arguments: [
            "x", "x ", "x\n", "\"", "\\", "\\\n", "${", "${}", "${A", "$", "#", "[", "[\n", "[x\n",
            "[\"\n",
            "[x] ", "x=${A}", "[uid=5]\n", "[+", "[perm=1]\n", "[linker=a]\n", "x={\n}\n", "x={\n",
            "{\n",
            "}\n", "\n", " ", "[a] [b]\n", "x={ y\n", "a b {\n", "\"\n", "[u${A}=1]\n",
            "[module=a]", "=",
            "[x \"\n", "[#\n", "[\\]\n", "\\}", "${A\n", "[? ", "[\"a\" ", "\"x\\\n",
        ])
    func aMegabyteOfOneThingIsReadInTime(_ piece: String) {
        exercise(
            Array(
                String(
                    repeating: piece,
                    count: (piece.contains("\n") ? 250_000 : 1_000_000) / piece.utf8.count
                ).utf8))
    }

    @Test(arguments: [
        "uid=5 ", "perm=5 ", "?uid=5 ", "linker=a ", "module=a ", "x ", "+raw\n", "uid=${A} ",
    ])
    func aHundredThousandAttributesAreReadInTime(_ attribute: String) {
        exercise(Array(("[" + String(repeating: attribute, count: 100_000) + "] x").utf8))
    }

    @Test(arguments: ["\\}", "\\\n", "a\n", "[pri=5] a\n", "A=1 ", "[pri=", "\\\\\\}"])
    func aMegabyteOfASectionIsReadInTime(_ piece: String) {
        let text = String(repeating: piece, count: 1_000_000 / piece.utf8.count)
        exercise(Array("[+script] s={\n\(text)\n}\n".utf8))
    }
}
