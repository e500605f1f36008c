import Foundation
import TestSupport
import Testing

/// The manual pages name the same options as `--help`.
struct ManualTests {
    static let pages = [("dumpifs", "man/dumpifs.1"), ("mount.ifs", "man/mount.ifs.8")]

    private func lines(_ page: String) throws -> [String] {
        let bytes = try Fixtures.bytes(Fixtures.root.appendingPathComponent(page))
        return String(decoding: bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// The lines of a section, by its title.
    private func section(_ title: String, of page: String) throws -> [String] {
        let all = try lines(page)
        let start = try #require(all.firstIndex(of: ".Sh " + title)) + 1
        return Array(all[start...].prefix { !$0.hasPrefix(".Sh ") })
    }

    /// The options in a line of mdoc: `.It Fl F , Fl -foreground`, `.Op Fl d Ar DIR`.
    private func option(_ line: String) -> HelpText.Option {
        let words = line.drop { $0 == "." }.split(separator: " ").map(String.init)
        let spellings = zip(words, words.dropFirst()).filter { $0.0 == "Fl" }.map { "-" + $0.1 }
        return HelpText.Option(spellings: Set(spellings), hasArgument: words.contains("Ar"))
    }

    @Test(arguments: pages)
    func thePageDescribesExactlyTheOptionsOfTheHelp(_ tool: String, _ page: String) throws {
        let described = try section("DESCRIPTION", of: page).filter { $0.hasPrefix(".It Fl ") }
        let options = described.map(option)
        #expect(Set(options).count == options.count)
        #expect(try Set(options) == HelpText(tool).options)
    }

    @Test(arguments: pages)
    func theSynopsisHasThemToo(_ tool: String, _ page: String) throws {
        var spellings: Set<String> = []
        for line in try section("SYNOPSIS", of: page) {
            for name in option(line).spellings {
                // Letters without a value stand together.
                if name.hasPrefix("--") || line.contains(" Ar ") {
                    spellings.insert(name)
                } else {
                    spellings.formUnion(name.dropFirst().map { "-\($0)" })
                }
            }
        }
        for option in try HelpText(tool).options {
            #expect(!spellings.isDisjoint(with: option.spellings), "\(option.spellings)")
        }
        let known = try HelpText(tool).options.flatMap(\.spellings)
        #expect(spellings.isSubset(of: known))
    }

    @Test func theMountOptionsAreThoseOfTheHelp() throws {
        let items = try section("MOUNT OPTIONS", of: "man/mount.ifs.8").filter {
            $0.hasPrefix(".It Cm ")
        }
        let names = items.map { String($0.split(separator: " ")[2]) }
        #expect(try Set(names) == HelpText("mount.ifs").mountOptions)
    }

    @Test(.enabled(if: Tool.has("mandoc"), "no mandoc here"), arguments: pages)
    func mandocHasNothingToWarnOf(_ tool: String, _ page: String) throws {
        var child = Child(["mandoc", "-T", "lint", "-W", "warning", page])
        child.folder = Fixtures.root
        let outcome = try child.run()
        #expect(outcome.end == .exit(0))
        #expect(outcome.lines == [])
    }
}
