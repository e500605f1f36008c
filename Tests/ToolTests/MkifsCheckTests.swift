import Foundation
import TestSupport
import Testing

/// `--check`: nothing is run and nothing is written.
struct MkifsCheckTests {
    @Test func missingFilesAreCounted() throws {
        let shop = try Workshop()
        try shop.write("here", to: "here")
        for (text, count) in [
            ("./here\n", "0 host files"), ("none\n./here\n", "1 host file"),
            ("none\n[-optional] neither\n", "2 host files"),
            ("[virtual=x86,kit] boot={\nstartup\nprocnto\n}\n", "3 host files"),
        ] {
            let outcome = try shop.run(text, ["--check"])
            #expect(outcome.end == .exit(0) && outcome.output == [])
            #expect(outcome.complaints == ["mkifs: \(count) missing"])
        }
        #expect(try shop.folder.names() == ["b.build", "here"])
    }

    @Test func nothingIsRun() throws {
        let shop = try Workshop()
        try shop.writeBootFiles(#"[default_image=4m filter="touch ran"]"#)
        let text =
            Workshop.boot(linker: "touch ran; cp %i %o") + "[filter=\"touch ran\"] kit.boot\n"
        let outcome = try shop.run(text, ["--check"])
        #expect(outcome.end == .exit(0))
        #expect(outcome.complaints == ["mkifs: 0 host files missing"])
        #expect(try shop.folder.names() == ["b.build", "kit.boot", "procnto", "startup"])
        #expect(try shop.temporary.names() == [])
    }

    @Test func errorsAreErrors() throws {
        let outcome = try Workshop().run("none\n[uid=x] here\n", ["--check"])
        expectFailure(
            outcome,
            saying: [
                "b.build:2:6: error: uid: found 'x', expected '*' or a number", "    [uid=x] here",
                "         ^", "mkifs: 1 error",
            ])
    }

    // MARK: Real buildfiles

    private static let real = Fixtures.shared?.appendingPathComponent("buildfiles")
    /// For other tools, or with a place for a number and not the number; 061 has a typing error.
    private static let refused: Set = ["033", "049", "061", "085", "087", "089"]
    private static let names: [String] = {
        // A folder that is absent has no names; the traits say so.
        let names = real.flatMap { try? FileManager.default.contentsOfDirectory(atPath: $0.path) }
        return (names ?? []).filter { $0.hasSuffix(".build") }.map { String($0.dropLast(6)) }
            .sorted()
    }()

    private func check(_ name: String) throws -> Child.Outcome {
        let shop = try Workshop()
        let file = try #require(Self.real).appendingPathComponent("\(name).build")
        let outcome = try shop.run(["--check", file.path])
        #expect(outcome.output == [])
        #expect(try shop.folder.names() == [] && shop.temporary.names() == [])
        return outcome
    }

    @Test(
        .enabled(if: real.map(Fixtures.exists) ?? false, "no ../shared/buildfiles"),
        arguments: names.filter { !refused.contains($0) })
    func aRealBuildfilePasses(_ name: String) throws {
        let outcome = try check(name)
        #expect(outcome.end == .exit(0), "\(outcome.complaints)")
        let words = outcome.complaints.last?.split(separator: " ") ?? []
        #expect(words.first == "mkifs:" && words.last == "missing" && Int(words[1]) != nil)
        #expect(!outcome.complaints.contains { $0.contains(": error: ") })
    }

    @Test(
        .enabled(if: real.map(Fixtures.exists) ?? false, "no ../shared/buildfiles"),
        arguments: refused.sorted())
    func whatIsNotForMkifsIsRefused(_ name: String) throws {
        let outcome = try check(name)
        #expect(outcome.end == .exit(1))
        let errors = outcome.complaints.filter { $0.contains(": error: ") }
        switch name {
        case "061":
            #expect(errors.count == 1)
            #expect(errors[0].hasSuffix("unknown attribute 'permjs'; did you mean 'perms'?"))
        case "089":
            #expect(errors.count == 1)
            #expect(errors[0].hasSuffix("image: found '@QNX_IMAGE_ADDR@', expected a number"))
        default: #expect(errors.allSatisfy { $0.contains("unknown attribute") } && !errors.isEmpty)
        }
    }
}
