import Foundation
import TestSupport
import Testing

/// The manual pages name the same options as `--help`.
struct ManualTests {
    /// The pages of the tools whose options are a table of ours.
    static let pages = [
        ("dumpifs", "man/dumpifs.1"), ("mkifs", "man/mkifs.1"),
        ("mount.ifs", "man/mount.ifs.8"), ("umount.ifs", "man/umount.ifs.8"),
    ]
    static let allPages =
        ["buildfile.5", "ifsctl.1", "ifsfs.7"].map { "man/\($0)" } + pages.map(\.1)

    /// The lines of a section, by its title.
    private func section(_ title: String, of page: String) throws -> [String] {
        let lines = try ManualPage(page).section(title)
        try #require(!lines.isEmpty)
        return lines
    }

    /// The options in a line of mdoc: `.It Fl F , Fl -foreground`, `.Op Fl d Ar DIR`.
    private func option(_ line: String) -> HelpText.Option {
        let words = line.drop { $0 == "." }.split(separator: " ")
            .map { ManualPage.text(String($0)) }
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

    // MARK: ifsctl

    /// A command as `--experimental-dump-help` describes it.
    private struct Described {
        let name: String
        /// Each option's spellings: `-h` and `--help`.
        let options: Set<Set<String>>
        let subcommands: [Described]

        init(_ command: Report) {
            name = command["commandName"].text ?? ""
            let named = command["arguments"].elements.map { argument in
                Set(
                    argument["names"].elements.map { name in
                        (name["kind"].text == "short" ? "-" : "--") + (name["name"].text ?? "")
                    })
            }
            options = Set(named.filter { !$0.isEmpty })
            subcommands = command["subcommands"].elements.map(Described.init)
        }
    }

    private func described() throws -> Described {
        let outcome = try ifsctl(["--experimental-dump-help"])
        expectSuccess(outcome)
        return Described(try Report(outcome.output)["command"])
    }

    private static let common: Set<Set<String>> = [["-h", "--help"], ["--version"]]

    @Test func thePageOfIfsctlDescribesItsSubcommandsAndOptions() throws {
        let command = try described()
        let items = try section("DESCRIPTION", of: "man/ifsctl.1").filter { $0.hasPrefix(".It ") }
        let names = items.filter { $0.hasPrefix(".It Cm ") }.map { String($0.dropFirst(7)) }
        #expect(
            names.filter { $0 != "help" } == command.subcommands.map(\.name).filter { $0 != "help" }
        )
        #expect(try ifsctl(["help", "list"]).end == .exit(0) && names.last == "help")
        let options = items.filter { $0.hasPrefix(".It Fl ") }.map { option($0).spellings }
        let known = command.subcommands.reduce(command.options) { $0.union($1.options) }
        #expect(Set(options) == known.union([["--generate-completion-script"]]))
        #expect(Set(options).count == options.count)
    }

    @Test func theSynopsisOfIfsctlHasEachSubcommandWithItsOptions() throws {
        let synopsis = try section("SYNOPSIS", of: "man/ifsctl.1")
        let uses = synopsis.split(separator: ".Nm", omittingEmptySubsequences: true).map(Array.init)
        let subcommands = try described().subcommands.filter { $0.name != "help" }
        #expect(!subcommands.isEmpty)
        for subcommand in subcommands {
            let use = try #require(uses.first { $0.contains(".Cm \(subcommand.name)") })
            let options = use.flatMap { option($0).spellings }
            #expect(Set(options.map { Set([$0]) }) == subcommand.options.subtracting(Self.common))
            #expect([".Ar FILE", ".Ar PATH", ".Op Ar PATH ..."].contains(use.last))
        }
        let last = try #require(uses.last)
        #expect(last.flatMap { option($0).spellings } == ["--generate-completion-script"])
    }

    @Test func thePageOfIfsctlNamesEachMemberOfItsReport() throws {
        let items = try section("JSON", of: "man/ifsctl.1").filter { $0.hasPrefix(".It Li ") }
        let names = items.flatMap { item in
            item.dropFirst(7).split(separator: ",").map { String($0.filter { $0 != " " }) }
        }
        #expect(
            Set(names)
                == IfsctlListTests.members.union(IfsctlListTests.imageMembers)
                .union(["disk", "partition", "path"]).union(DiskListTests.diskMembers)
                .union(DiskListTests.partMembers))
    }

    // MARK: All pages

    @Test func everyPageIsTestedHere() throws {
        let folder = Fixtures.root.appendingPathComponent("man").path
        let files = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(Set(files.map { "man/\($0)" }) == Set(Self.allPages))
    }

    @Test(.enabled(if: Tool.has("mandoc"), "no mandoc here"), arguments: allPages)
    func mandocHasNothingToWarnOf(_ page: String) throws {
        var child = Child(["mandoc", "-T", "lint", "-W", "warning", page])
        child.folder = Fixtures.root
        let outcome = try child.run()
        #expect(outcome.end == .exit(0))
        #expect(outcome.lines == [])
    }
}
