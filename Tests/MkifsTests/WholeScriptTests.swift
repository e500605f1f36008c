import Format
import Mkifs
import TestSupport
import Testing

/// Whole scripts: that of the vendor's tool, those of real images, and random ones.
struct WholeScriptTests {
    private func same(_ compiled: Compilation, _ stored: [UInt8]) {
        #expect(compiled.diagnostics.kept.filter { $0.severity == .error } == [])
        #expect(difference(compiled.compiler.file, stored) == nil)
        #expect(compiled.commands == IFS.Script(stored).commands)
    }

    private func section(_ script: [UInt8]) -> [UInt8] {
        let lines = IFS.Script(script).buildfileLines.map { "    \($0)\n" }.joined()
        return Array("[+script] .script = {\n\(lines)}\n".utf8)
    }

    @Test func theVendorsToolGivesTheSameBytes() throws {
        let image = try IFS.Image.only(in: Fixtures.goldenImage("script"))
        let compiled = Compilation(
            buildfile: try Fixtures.bytes(Fixtures.golden("script", "case.build")))
        same(compiled, try image.scriptData())
        #expect(compiled.messages == [] && compiled.commands.count == 15)
    }

    @Test(arguments: Fixtures.goldenCases)
    func aGoldenScriptsTextCompilesToIt(name: String) throws {
        let script = try IFS.Image.only(in: Fixtures.goldenImage(name)).scriptData()
        guard !script.isEmpty else { return }
        same(Compilation(buildfile: section(script)), script)
    }

    @Test(
        .enabled(if: Fixtures.hasShared, "no ../shared/images"), arguments: Fixtures.sharedImages())
    func aRealScriptsTextCompilesToIt(name: String) throws {
        for image in try IFS.Scanner.images(in: Fixtures.bytes(Fixtures.sharedImage(name))).images {
            let script = try image.scriptData()
            guard !script.isEmpty else { continue }
            same(Compilation(buildfile: section(script)), script)
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func aRandomScriptsTextCompilesToIt(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let records = (0..<60).flatMap { _ in Self.record(&random) }
        let script = (0..<4).flatMap { Self.partition($0) } + records + ScriptBytes.terminator
        same(Compilation(buildfile: section(script)), script)
    }

    private static func partition(_ index: UInt8) -> [UInt8] {
        ScriptBytes.partition(
            "P\(index)", id: index + 1, budget: 20 + index, critical: UInt16(index) * 300)
    }

    private static func record(_ random: inout SplitMix64) -> [UInt8] {
        let path = "/bin/" + word(&random)
        switch random.next() % 6 {
        case 0: return ScriptBytes.waitfor(path, tenths: UInt16(random.next() % 65536))
        case 1: return ScriptBytes.reopen(path, tenths: UInt16(random.next() % 65536))
        case 2: return ScriptBytes.displayMessage(word(&random) + "\n")
        case 3: return ScriptBytes.symlink(word(&random), path)
        default: return external(path, &random)
        }
    }

    private static func external(_ path: String, _ random: inout SplitMix64) -> [UInt8] {
        let name = random.next() % 4 == 0 ? word(&random) : String(path.dropFirst(5))
        let arguments = (0..<Int(random.next() % 4)).map { _ in word(&random) }
        let flags = UInt8(truncatingIfNeeded: random.next()) & 0x6f
        return ScriptBytes.external(
            path, [name] + arguments, random.next() % 4 == 0 ? ["V=" + word(&random), "W=x"] : [],
            .init(
                flags: flags, cpu: flags & 8 == 0 ? 0 : UInt8(random.next() % 8),
                partition: flags & 1 == 0 ? 0 : UInt8(random.next() % 5),
                policy: flags & 4 == 0 ? 0 : UInt8(random.next() % 4),
                priority: flags & 4 == 0 ? 0 : UInt8(random.next() % 256)))
    }

    /// Any word but a lone `&`, which has its meaning even in quotes.
    private static func word(_ random: inout SplitMix64) -> String {
        let letters = Array("abcXYZ019_-.:,@%+'`()<>|;*?!~^ \t\"\\$#&[]{}=")
        let count = Int(random.next() % 9) + 1
        let word = String(
            (0..<count).map { _ in letters[Int(random.next() % UInt64(letters.count))] })
        return word == "&" ? "&&" : word
    }
}

/// Real buildfiles' scripts, with no images to compare with.
struct RealScriptTests {
    private static let folder = Fixtures.shared?.appendingPathComponent("buildfiles")

    @Test(.enabled(if: folder.map(Fixtures.exists) ?? false, "no ../shared/buildfiles"))
    func noLineOfARealScriptIsRefused() throws {
        var count = 0
        for number in 1...99 {
            let name = String(repeating: "0", count: number < 10 ? 2 : 1) + "\(number).build"
            let file = try #require(Self.folder).appendingPathComponent(name)
            guard Fixtures.exists(file) else { continue }
            let compiled = Compilation(buildfile: try Fixtures.bytes(file))
            count += compiled.commands.count
            #expect(compiled.messages == [], "\(name)")
        }
        #expect(count > 1000)
    }
}
