import Foundation

/// The options that a tool's `--help` names.
struct HelpText {
    struct Option: Hashable {
        /// `-x`, `--long`, or both.
        var spellings: Set<String>
        var hasArgument: Bool
    }

    private(set) var options: Set<Option> = []
    /// What stands behind `mount options:`, without values.
    private(set) var mountOptions: Set<String> = []

    init(_ tool: String) throws {
        let text = try Child([Tool.path(tool), "--help"]).run().text
        var isMountOption = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == "mount options:" { isMountOption = true }
            if line.isEmpty { isMountOption = false }
            guard line.hasPrefix("  "), !line.hasPrefix(String(repeating: " ", count: 8)) else {
                continue
            }
            // Two blanks part the option from its description.
            let words = line.drop { $0 == " " }.split(separator: "  ", maxSplits: 1)[0]
                .split(separator: " ").map(String.init)
            if isMountOption {
                mountOptions.insert(String(words[0].prefix { $0 != "=" }))
            } else if words[0].hasPrefix("-") {
                let spellings = words.filter { $0.hasPrefix("-") }.map {
                    $0.hasSuffix(",") ? String($0.dropLast()) : $0
                }
                options.insert(
                    Option(
                        spellings: Set(spellings),
                        hasArgument: words.contains { !$0.hasPrefix("-") }))
            }
        }
    }
}
