import Foundation
import Mkifs
import TestSupport
import Testing

/// Whole buildfiles: our own that must pass or fail, those of the golden cases, and real ones.
struct BuildfileFixtureTests {
    private static let folder = Fixtures.folder.appendingPathComponent("buildfiles")

    /// The names of the buildfiles in a folder, without their ending; none where it is absent.
    private static func names(in folder: URL?) -> [String] {
        guard let folder else { return [] }
        // A folder that is absent has no names; `bothFoldersHaveFiles` and the traits say so.
        let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        return (names ?? []).filter { $0.hasSuffix(".build") }.map { String($0.dropLast(6)) }
            .sorted()
    }

    private static let good = names(in: folder.appendingPathComponent("good"))
    private static let bad = names(in: folder.appendingPathComponent("bad"))
    private static let real = Fixtures.shared?.appendingPathComponent("buildfiles")
    /// Written for other tools of the family.
    private static let foreign = ["033", "049", "085", "087"]
    /// Its `image=` holds a place for a number and not the number.
    private static let template = "089"

    private func read(_ file: URL) throws -> Reading {
        Reading(try Fixtures.bytes(file), name: file.lastPathComponent)
    }

    @Test func bothFoldersHaveFiles() { #expect(Self.good.count >= 4 && Self.bad.count >= 20) }

    @Test(arguments: good)
    func aGoodBuildfileHasNothingToSay(_ name: String) throws {
        let file = Self.folder.appendingPathComponent("good/\(name).build")
        #expect(check(try read(file)).kept.map(\.description) == [])
    }

    @Test(arguments: bad)
    func aBadBuildfileHasExactlyItsFault(_ name: String) throws {
        let file = Self.folder.appendingPathComponent("bad/\(name).build")
        let reading = try read(file)
        let found = check(reading, variables(["LOOP": "${LOOP}"])).kept.map {
            $0.rendered(from: reading.source) + "\n"
        }
        let expected = file.deletingPathExtension().appendingPathExtension("expected")
        #expect(found.joined() == text(try Fixtures.bytes(expected)))
    }

    @Test(arguments: Fixtures.goldenCases)
    func aGoldenCaseHasNothingToSay(_ name: String) throws {
        #expect(check(try read(Fixtures.golden(name, "case.build"))).kept == [])
    }

    @Test(
        .enabled(if: real.map(Fixtures.exists) ?? false, "no ../shared/buildfiles"),
        arguments: names(in: real).filter {
            !foreign.contains($0) && !["061", template].contains($0)
        })
    func aRealBuildfileHasNoError(_ name: String) throws {
        let file = try #require(Self.real).appendingPathComponent("\(name).build")
        let found = check(try read(file))
        #expect(!found.hasErrors, "\(found.kept)")
    }

    @Test(.enabled(if: real.map(Fixtures.exists) ?? false, "no ../shared/buildfiles"))
    func theRealTypingErrorIsTheOnlyOneOfItsFile() throws {
        let file = try #require(Self.real).appendingPathComponent("061.build")
        let errors = check(try read(file)).kept.filter { $0.severity == .error }
        #expect(errors.count == 1)
        #expect(errors.first?.message == "unknown attribute 'permjs'")
        #expect(errors.first?.hint == "did you mean 'perms'?")
    }

    @Test(.enabled(if: real.map(Fixtures.exists) ?? false, "no ../shared/buildfiles"))
    func aTemplateHasNoErrorButItsMissingNumber() throws {
        let file = try #require(Self.real).appendingPathComponent("\(Self.template).build")
        let errors = check(try read(file)).kept.filter { $0.severity == .error }
        #expect(errors.map(\.message) == ["image: found '@QNX_IMAGE_ADDR@', expected a number"])
    }

    /// Their lines are lawful; only attributes that mkifs does not have are refused.
    @Test(
        .enabled(if: real.map(Fixtures.exists) ?? false, "no ../shared/buildfiles"),
        arguments: foreign)
    func aBuildfileOfAnotherToolHasOnlyUnknownAttributes(_ name: String) throws {
        let file = try #require(Self.real).appendingPathComponent("\(name).build")
        let reading = try read(file)
        #expect(!reading.diagnostics.hasErrors)
        let errors = check(reading).kept.filter { $0.severity == .error }
        #expect(errors.allSatisfy { $0.message.hasPrefix("unknown attribute") })
    }
}
