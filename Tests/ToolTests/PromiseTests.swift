import Foundation
import TestSupport
import Testing

/// `ifsfs.7` says what a mount promises; each sentence heads the comment of a test that proves it, and
/// `docs/features.md` maps the one to the other. What says the same in three places is compared here.
struct PromiseTests {
    /// A sentence, and a test that is named for it.
    private struct Proof: Hashable {
        let sentence: String
        /// `MountTests/StatTests: everyKindIsWhatTheImageSays`.
        let test: String
    }

    private static func lines(_ path: String) throws -> [String] {
        let bytes = try Fixtures.bytes(Fixtures.root.appendingPathComponent(path))
        return String(decoding: bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// The items of the page's lists, each on one line.
    private static func sentences() throws -> [String] {
        var sentences: [String] = []
        var isItem = false
        for line in try lines("man/ifsfs.7") {
            if line == ".It" {
                sentences.append("")
                isItem = true
            } else if line.hasPrefix(".") {
                isItem = false
            } else if isItem, let last = sentences.popLast() {
                sentences.append(last.isEmpty ? line : last + " " + line)
            }
        }
        return sentences
    }

    /// All tests with the text of the comments directly above them.
    private static func documentedTests() throws -> [(test: String, comment: String)] {
        var found: [(String, String)] = []
        for suite in ["FormatTests", "IFSFSTests", "MountTests", "ToolTests"] {
            let folder = Fixtures.root.appendingPathComponent("Tests/\(suite)").path
            let files = try FileManager.default.subpathsOfDirectory(atPath: folder)
            for file in files.sorted() where file.hasSuffix(".swift") {
                found += try tests("\(suite)/\(file.dropLast(6))")
            }
        }
        return found
    }

    private static func tests(_ file: String) throws -> [(String, String)] {
        var found: [(String, String)] = []
        var comment = ""
        // Set between a test's attribute and its function.
        var pending: String?
        for line in try lines("Tests/\(file).swift") {
            let text = line.drop { $0 == " " }
            if text.hasPrefix("///") {
                let words = text.dropFirst(3).drop { $0 == " " }
                comment += (comment.isEmpty || words.isEmpty ? "" : " ") + words
                continue
            }
            if text.hasPrefix("@Test") { pending = comment }
            comment = ""
            if let head = pending, let name = text.firstMatch(of: /\bfunc (\w+)\(/)?.1 {
                found.append(("\(file): \(name)", head))
                pending = nil
            }
        }
        return found
    }

    /// The rows of the table in features.md.
    private static func table() throws -> Set<Proof> {
        let all = try lines("docs/features.md")
        let start = try #require(all.firstIndex(of: "## ifsfs.7"))
        let rows = all[(start + 1)...].prefix { !$0.hasPrefix("## ") }
            .filter { $0.hasPrefix("| ") && !$0.hasPrefix("| sentence |") }
        return Set(
            rows.flatMap { row in
                let cells = row.dropFirst(2).dropLast(2).split(separator: " | ", maxSplits: 1)
                let names = (cells.last ?? "").matches(of: /`([^`]+)`/).map { String($0.1) }
                return names.map { Proof(sentence: String(cells[0]), test: $0) }
            })
    }

    @Test func thePagePromisesSomethingAndNothingTwice() throws {
        let sentences = try Self.sentences()
        #expect(sentences.count >= 25)
        #expect(Set(sentences).count == sentences.count)
        for sentence in sentences {
            #expect(sentence.hasSuffix(".") && sentence.first?.isUppercase == true, "\(sentence)")
            #expect(!sentence.contains("|"), "\(sentence)")
        }
    }

    @Test func everySentenceHeadsTheCommentOfATest() throws {
        let tests = try Self.documentedTests()
        #expect(tests.count > 300)
        for sentence in try Self.sentences() {
            #expect(tests.contains { $0.comment.hasPrefix(sentence) }, "\(sentence)")
        }
    }

    @Test func theTableNamesExactlyTheTestsThatTheSentencesHead() throws {
        var proofs: Set<Proof> = []
        let tests = try Self.documentedTests()
        for sentence in try Self.sentences() {
            for test in tests where test.comment.hasPrefix(sentence) {
                proofs.insert(Proof(sentence: sentence, test: test.test))
            }
        }
        let table = try Self.table()
        for proof in table.symmetricDifference(proofs) {
            Issue.record("\(table.contains(proof) ? "no such test" : "not in the table"): \(proof)")
        }
    }
}
