import Foundation

/// A page of `man`, as the lines of its source.
public struct ManualPage {
    /// What stands between `.Bd -literal` and `.Ed`.
    public struct Display: Sendable {
        /// What the comment before it says that it is; empty without one.
        public let kind: String
        /// The text as the page shows it.
        public let text: String
        /// The number of its first line in the page.
        public let line: Int
    }

    /// An item of a list: its words, and the lines that belong to it.
    public struct Item {
        /// The words behind `.It`.
        public let words: [String]
        /// The lines up to the next item or section.
        public let body: [String]
    }

    /// All lines.
    public let lines: [String]

    /// Reads a page: `man/mkifs.1`.
    public init(_ path: String) throws {
        let bytes = try Fixtures.bytes(Fixtures.root.appendingPathComponent(path))
        lines = String(decoding: bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// The lines of a section, or of one within a section, by its title; none where there is none.
    public func section(_ title: String) -> [String] {
        let titles = [".Sh " + title, ".Ss " + title]
        guard let start = lines.firstIndex(where: titles.contains) else { return [] }
        let isWithin = lines[start].hasPrefix(".Ss")
        return Array(
            lines[(start + 1)...].prefix {
                !$0.hasPrefix(".Sh ") && !(isWithin && $0.hasPrefix(".Ss "))
            })
    }

    /// The items of a section whose first word is this macro, as `Cm`.
    public func items(_ macro: String, in title: String) -> [Item] {
        let lines = section(title)
        let starts = lines.indices.filter { lines[$0].hasPrefix(".It ") }
        return zip(starts, starts.dropFirst() + [lines.count]).map { start, end in
            Item(
                words: lines[start].dropFirst(4).split(separator: " ").map {
                    Self.text(String($0))
                }, body: Array(lines[(start + 1)..<end]))
        }.filter { $0.words.first == macro }
    }

    /// All displays, in order.
    public var displays: [Display] {
        lines.indices.filter { lines[$0].hasPrefix(".Bd -literal") }.map { start in
            let mark = ".\\\" "
            let before = start > 0 ? lines[start - 1] : ""
            let body = lines[(start + 1)...].prefix { $0 != ".Ed" }
            return Display(
                kind: before.hasPrefix(mark) ? String(before.dropFirst(mark.count)) : "",
                text: Self.text(body.joined(separator: "\n") + "\n"), line: start + 2)
        }
    }

    /// Text without the escapes of the page.
    public static func text(_ source: String) -> String {
        source.replacingOccurrences(of: "\\&", with: "")
            .replacingOccurrences(of: "\\(dq", with: "\"")
            .replacingOccurrences(of: "\\e", with: "\\")
    }
}
