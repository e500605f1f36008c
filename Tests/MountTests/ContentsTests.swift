import Foundation
import TestSupport
import Testing

/// A mount shows what is in the image, by listings and tools that know nothing of mounts.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct ContentsTests {
    /// Entries of this image lie below the link `etc` of the same image, which wins.
    static let linked = "armle-6.6-ucl.ifs"

    /// What a mount shows of a directory that the image does not list; dumpifs makes an ordinary one.
    private static let notListed: mode_t = 0o040555

    /// Holds a mount of a shared image against its listing: the lines but the last, and the last.
    private func differences(_ name: String) throws -> (lines: [String], summary: String) {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = Word(try Fixtures.sharedImage(name).path)
        let mount = try scratch.mount(image)
        let tool = try #require(Fixtures.shared).appendingPathComponent("tools/compare-tree")
        let found = try run(["python3", Word(tool.path), mount.path, image + ".txt"])
        let summary = try #require(found.lines.last, "\(found)")
        return (found.lines.dropLast(), summary)
    }

    @Test(
        .enabled(if: Fixtures.hasShared, "no shared images here"),
        arguments: Fixtures.sharedImages().filter { $0 != linked })
    func aRealImageShowsWhatItsListingNames(name: String) throws {
        let found = try differences(name)
        #expect(found.lines == [])
        #expect(found.summary.hasSuffix(" 0 differences") && !found.summary.hasPrefix("0 "))
    }

    @Test(.enabled(if: Fixtures.sharedImages().contains(linked), "no shared images here"))
    func theThreeEntriesBelowALinkAreAllThatIsMissing() throws {
        let found = try differences(Self.linked)
        #expect(
            found.lines.sorted() == [
                "missing: etc/system/config/images",
                "missing: etc/system/config/img.conf",
                "missing: etc/system/config/scaling.conf",
            ])
    }

    /// A mount is the tree that dumpifs extracts.
    @Test(arguments: Fixtures.goldenCases)
    func aMountIsWhatDumpifsExtracts(name: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = Word(Fixtures.golden(name, "expected.ifs").path)
        let mount = try scratch.mount(image)
        let copy = scratch / "copy"
        let extracted = try run([Machine.tool("dumpifs"), "-x", "--preserve", "-d", copy, image])
        #expect(extracted.status == 0, "\(extracted)")
        let different = try run(["diff", "-r", "--no-dereference", mount.path, copy])
        // diff has no other words for two fifos.
        #expect(different.lines.filter { !$0.contains(" is a fifo while ") } == [])
        let paths = try Calls.tree(mount.path)
        #expect(paths == (try Calls.tree(copy)))
        for path in [""] + paths {
            let (found, expected) = try (Calls.status(mount / path), Calls.status(copy / path))
            #expect(found.st_mode & S_IFMT == expected.st_mode & S_IFMT, "\(path)")
            if found.st_mode & S_IFMT == S_IFLNK || found.st_mode == Self.notListed { continue }
            #expect(found.st_mode == expected.st_mode, "\(path)")
            #expect(found.st_mtim.tv_sec == expected.st_mtim.tv_sec, "\(path)")
            #expect(found.st_rdev == expected.st_rdev, "\(path)")
            if Machine.isRoot {
                #expect(found.st_uid == expected.st_uid, "\(path)")
                #expect(found.st_gid == expected.st_gid, "\(path)")
            }
        }
    }

    /// A file reads as the bytes that the image has for it, however the image is packed and
    /// whichever its byte order.
    @Test(arguments: [Packing.none, .zlib(), .lzo(), .ucl(level: 5)], [false, true])
    func everyPackingAndByteOrderReadsAsItWasMade(packing: Packing, isBigEndian: Bool) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let contents = ["small": 1, "page": 4096, "block": 65536, "large": 700_001]
            .map { (Word($0.key), SplitMix64.text($0.value, seed: UInt64($0.value))) }
        let entries = contents.map { ImageEntry(path: $0.0.bytes, .file($0.1), mode: 0o100644) }
        let mount = try scratch.mount(
            ImageBuilder(entries).with {
                $0.packing = packing
                $0.isBigEndian = isBigEndian
            })
        for (name, bytes) in contents {
            #expect(difference(try Calls.contents(mount / name), bytes) == nil)
            #expect(difference(try Calls.contents(mount / name, piece: 777), bytes) == nil)
        }
    }
}
