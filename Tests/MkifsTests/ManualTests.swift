import Format
import TestSupport
import Testing

@testable import Mkifs

/// buildfile(5) and mkifs(1) describe just what the tables have, and their examples are read.
struct ManualTests {
    private static let grammar = "man/buildfile.5"
    private static let tool = "man/mkifs.1"

    // MARK: Attributes

    private static let sections: [(AttributeDefinition.Scope, String)] = [
        (.entry, "Attributes of entries"),
        (.bootLine, "Attributes of programs that are linked"),
        (.image, "Attributes of the image"), (.modifier, "Modifiers"),
    ]

    /// How an item begins its attribute: `+name` or `name=`.
    private func spelling(_ item: ManualPage.Item) -> String {
        let word = item.words.dropFirst().first ?? ""
        return word.hasPrefix("+") ? word : word + "="
    }

    @Test(arguments: sections)
    func thePageHasAnItemForEachAttribute(
        _ scope: AttributeDefinition.Scope, _ title: String
    ) throws {
        let described = try ManualPage(Self.grammar).items("Cm", in: title).map(spelling)
        let known = AttributeTable.definitions.filter { $0.scope == scope }.map(\.spelling)
        #expect(described.sorted() == known.sorted())
    }

    @Test(arguments: sections)
    func anItemSaysSinceWhenAndUntilWhenItsAttributeIs(
        _ scope: AttributeDefinition.Scope, _ title: String
    ) throws {
        for item in try ManualPage(Self.grammar).items("Cm", in: title) {
            let name = spelling(item)
            let definition = try #require(
                AttributeTable.definitions.first { $0.scope == scope && $0.spelling == name })
            let said = item.body.filter { $0.hasPrefix("Since ") || $0.hasPrefix("Until ") }
            #expect(said == Self.times(of: definition), "\(name)")
        }
    }

    private static func times(of definition: AttributeDefinition) -> [String] {
        let last = definition.until.flatMap { end in Release.allCases.last { $0 < end } }
        let since = definition.since > .v64 ? ["Since \(definition.since.rawValue)."] : []
        return since + (last.map { ["Until \($0.rawValue)."] } ?? [])
    }

    @Test func thePageHasAnItemForEachBuiltIn() throws {
        let items = try ManualPage(Self.grammar).items("Ic", in: "Built-in commands")
        let names = items.compactMap { $0.words.dropFirst().first }
        let known: [BuiltIn] = [.message, .symlink, .reopen, .partition, .waitfor]
        #expect(names == known.map(\.rawValue))
    }

    @Test func thePageOfTheToolHasAnItemForEachAttributeOfABootfile() throws {
        let described = try ManualPage(Self.tool).items("Cm", in: "Bootfiles").map(spelling)
        let names = described.map { $0.filter { $0 != "+" && $0 != "=" } }
        #expect(names.sorted() == BootfileContents.names.sorted())
        for spelling in described {
            let text = spelling.hasPrefix("+") ? spelling : spelling + "1"
            #expect(bootfileMessages("[\(text)]").allSatisfy { !$0.contains("unknown") })
        }
    }

    @Test func thePageOfTheToolHasAnItemForEachCodeOfALinker() throws {
        let items = try ManualPage(Self.tool).items("Li", in: "Linkers")
        let words = items.flatMap { $0.words.dropFirst().prefix { $0 != "Ns" } }.filter {
            $0 != ","
        }
        let codes = CommandTemplate.Code.allCases.map { "%" + $0.rawValue } + ["%[M", "%("]
        let values = CommandTemplate.Variable.allCases.map(\.rawValue)
        #expect(words.sorted() == (codes + values).sorted())
    }

    // MARK: Profiles

    /// The rows of the table in code, as the page has them: each value behind the releases that have it,
    /// and a letter for how that is known.
    private static var profileLines: [String] {
        Profile.table.flatMap { line in
            var groups: [(releases: String, text: String)] = []
            for cell in line.cells {
                let release = "\(cell.release.rawValue)\(cell.evidence.rawValue.first ?? "?")"
                if groups.last?.text == cell.text {
                    groups[groups.count - 1].releases += ", " + release
                } else {
                    groups.append((release, cell.text))
                }
            }
            return [".It " + line.topic] + groups.map { "\($0.releases): \($0.text)." }
        }
    }

    @Test func thePageOfTheToolHasTheTableOfProfiles() throws {
        let page = try ManualPage(Self.tool).lines
        let start = try #require(page.firstIndex(of: ".\\\" profiles begin"))
        let end = try #require(page.firstIndex(of: ".\\\" profiles end"))
        #expect(Array(page[(start + 2)..<(end - 1)]) == Self.profileLines)
    }

    // MARK: Examples

    private static let kinds = [
        "bootfile", "buildfile", "grammar", "makefile", "patch file", "shell", "text",
    ]

    @Test(arguments: [grammar, tool])
    func eachDisplayIsOfAKindThatIsKnown(_ page: String) throws {
        let displays = try ManualPage(page).displays
        #expect(displays.contains { $0.kind == "buildfile" })
        for display in displays {
            #expect(Self.kinds.contains(display.kind), "\(page):\(display.line)")
        }
    }

    @Test(arguments: [grammar, tool], Release.allCases)
    func theBuildfilesOfAPageAreReadWithoutComplaint(_ page: String, _ release: Release) throws {
        for display in try ManualPage(page).displays where display.kind == "buildfile" {
            #expect(try buildMessages(display.text, release) == [], "\(page):\(display.line)")
        }
    }

    @Test(arguments: [grammar, tool])
    func theOtherFilesOfAPageAreReadWithoutComplaint(_ page: String) throws {
        for display in try ManualPage(page).displays {
            switch display.kind {
            case "bootfile": #expect(bootfileMessages(display.text) == [], "\(display.line)")
            case "patch file": #expect(patchMessages(display.text) == [], "\(display.line)")
            default: break
            }
        }
    }

    /// What a check of a buildfile says whose files are not here.
    private func buildMessages(_ text: String, _ release: Release) throws -> [String] {
        var options = BuildOptions(release)
        options.isCheck = true
        var build = Build(options, Toolbox(environment: []))
        build.resolver.add(SourceText(name: "example", bytes: Array(text.utf8)))
        _ = try build.plan()
        // That a release has no such attribute yet is no fault of the example.
        return build.resolver.diagnostics.kept.map(\.description)
            .filter { !$0.contains(" came with ") }
    }

    private func bootfileMessages(_ text: String) -> [String] {
        var diagnostics = Diagnostics()
        _ = BootfileContents(
            parsing: SourceText(name: "example", bytes: Array(text.utf8)), noVariables, &diagnostics
        )
        return diagnostics.kept.map(\.description)
    }

    private func patchMessages(_ text: String) -> [String] {
        var diagnostics = Diagnostics()
        _ = PatchFile(
            parsing: SourceText(name: "example", bytes: Array(text.utf8)), &diagnostics)
        return diagnostics.kept.map(\.description)
    }
}
