import Foundation
import TestSupport
import Testing

/// Images of real systems, edited through a mount, and judged by their listings: one line is another,
/// one is gone, and all others hold.
@Suite(
    .needsFuse, .enabled(if: Fixtures.hasShared, "the images of real systems are not here"),
    .timeLimit(.minutes(20)))
struct RealImageTests {
    static let images = [
        "armle-6.5-plain.ifs", "armle-6.6-ucl.ifs", "x86_64-8.0-sha512.ifs", "x86-zlib.ifs",
        "mipsbe-lzo-elf.ifs",
    ].filter(Fixtures.sharedImages().contains)

    /// What the edits are about.
    private struct Edits {
        let changed: ListedEntry
        let removed: ListedEntry
        /// The file is no program, and gets bytes too.
        let grows: Bool

        init(_ listing: [ListedEntry]) throws {
            let files = listing.filter { $0.sha256 != nil && $0.byteCount > 0 && $0.path != "" }
                .filter { !$0.path.hasSuffix(".script") }
            let text = files.first { $0.mode & 0o111 == 0 && !$0.path.contains(".so") }
            changed = try #require(text ?? files.first)
            removed = try #require(files.last { $0.path != text?.path })
            grows = text != nil
        }

        var script: String {
            """
            chmod 751 '\(changed.path)'; chown 5:6 '\(changed.path)'
            \(grows ? "printf added >> '\(changed.path)'" : ":")
            touch -d @1000000000 '\(changed.path)'; rm '\(removed.path)'
            """
        }

        /// The listing with both lines as they are to be.
        func listing(_ text: String, _ bytes: [UInt8]) -> String {
            let digest = SHA2.sha256(bytes).map { String(format: "%02x", $0) }.joined()
            let line = "100751\t5\t6\t1000000000\t\(bytes.count)\t\(changed.path)\t\(digest)\t"
            return text.split(separator: "\n").compactMap { found -> String? in
                let path = found.split(separator: "\t", omittingEmptySubsequences: false)
                    .dropFirst(5).first.map(String.init)
                return path == removed.path ? nil : path == changed.path ? line : String(found)
            }.joined(separator: "\n") + "\n"
        }
    }

    @Test(arguments: images) func onlyTheLinesOfTheEditsAreOthers(name: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch, Fixtures.bytes(Fixtures.sharedImage(name)))
        let edits = try Edits(Fixtures.sharedListing(name))
        let text = try Fixtures.bytes(Fixtures.sharedImage(name + ".txt"))
        // Some have entries that no tree can show.
        let (before, faults) = (try dump(site), try site.faults())
        let differences = try judge(site, text)
        #expect(try site.mount().status == 0)
        let path = site / Word(edits.changed.path)
        let bytes = try Calls.contents(path) + (edits.grows ? Array("added".utf8) : [])
        #expect(try site.change(edits.script).description == "status 0")
        #expect(try site.umount().description == "status 0")
        #expect(try site.faults() == faults)
        let after = try dump(site)
        let others = Set(before).symmetricDifference(after).filter { line in
            !line.contains(edits.changed.path) && !line.contains(edits.removed.path)
        }
        #expect(others == [])
        let listing = edits.listing(String(decoding: text, as: UTF8.self), bytes)
        #expect(try judge(site, Array(listing.utf8)) == differences)
    }

    /// What compare-tree finds that a listing does not say of the image, or the other way round.
    private func judge(_ site: Site, _ listing: [UInt8]) throws -> [String] {
        let file = try site.scratch.file("listing", listing)
        #expect(try site.mount("ro").status == 0)
        let tool = try #require(Fixtures.shared).appendingPathComponent("tools/compare-tree").path
        let judged = try run(["python3", Word(tool), site.point, file], deadline: 300)
        #expect(judged.text.contains(" entries, "), "\(judged)")
        #expect(try site.umount().status == 0)
        return judged.lines.dropLast()
    }

    /// The lines of dumpifs but for what counts the whole image.
    private func dump(_ site: Site) throws -> [String] {
        let words = ["-header", "-directory", "startup.*", "Checksums"]
        return try run([Machine.tool("dumpifs"), site.image]).lines.filter { line in
            !words.contains(where: line.contains)
        }
    }
}
