import Foundation
import TestSupport
import Testing

/// Directories: what is listed, in which order, and from where on.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct ListingTests {
    static let count = 5000
    /// Names of very different lengths.
    static let names: [Word] = (0..<count).map { index in
        Word("n\(index)" + String(repeating: "x", count: index % 97))
    }

    private func big(_ scratch: Scratch) throws -> Mount {
        let entries: [ImageEntry] =
            [.directory("big")]
            + Self.names.enumerated().map { index, name in
                let path = "big/\(name)"
                switch index % 3 {
                case 0: return .file(path, [UInt8(truncatingIfNeeded: index)])
                case 1: return .symlink(path, to: "target")
                default: return .directory(path)
                }
            }
        return try scratch.mount(ImageBuilder(entries))
    }

    /// What every listing of the big directory has to be, sorted.
    static let expected = names.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }

    /// A directory of any size is listed completely, into a buffer of any size.
    @Test(arguments: [300, 1000, 4096, 1 << 20])
    func aBigDirectoryIsListedCompletelyByBuffersOfAnySize(room: Int) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let directory = try big(scratch) / "big"
        let first = try Calls.entries(directory, room: room)
        #expect(first.prefix(2).map(\.name) == [".", ".."])
        #expect(first.dropFirst(2).map(\.name) == Self.expected)
        #expect(try Calls.entries(directory, room: room) == first, "from the kernel's cache")
    }

    @Test func toolsListABigDirectoryCompletely() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let directory = try big(scratch) / "big"
        func sorted(_ lines: [String]) -> [Word] {
            lines.map { Word($0) }.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        }
        #expect(sorted(try run(["ls", "-U", directory]).lines) == Self.expected)
        #expect(
            sorted(try run(["find", directory, "-mindepth", "1", "-printf", "%f\\n"]).lines)
                == Self.expected)
        let scan: Word = """
            import os, sys
            for entry in os.scandir(sys.argv[1]):
                assert entry.stat(follow_symlinks=False).st_ino == entry.inode()
                print(entry.name, entry.is_dir(follow_symlinks=False))
            """
        let scanned = try run(["python3", "-c", scan, directory])
        #expect(scanned.errorText == "")
        #expect(scanned.lines.count == Self.count)
        #expect(scanned.lines.filter { $0.hasSuffix(" True") }.count == Self.count / 3)
    }

    @Test func typesAndInodesAreThoseOfStat() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.everyKind)
        for path: Word in ["", "dir", "unlisted", Samples.strangeName] {
            let directory = mount / path
            for entry in try Calls.entries(directory) where entry.name != ".." {
                let status = try Calls.status(directory / entry.name)
                #expect(entry.inode == status.st_ino, "\(path)/\(entry.name)")
                #expect(UInt32(entry.type) == status.st_mode >> 12, "\(path)/\(entry.name)")
            }
        }
        let parent = try #require(try Calls.entries(mount / "dir/sub").first { $0.name == ".." })
        #expect(parent.inode == (try Calls.status(mount / "dir").st_ino))
    }

    @Test func theOrderIsTheSameAtEveryMount() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let first = try scratch.mount(Samples.everyKind)
        let order = try Calls.entries(first.path)
        try first.unmount()
        let second = try scratch.mount(Samples.everyKind)
        // What is above the root is the mount point's own affair.
        #expect(
            try Calls.entries(second.path).filter { $0.name != ".." }
                == order.filter { $0.name != ".." })
    }

    /// `telldir` before each of the entries, then `seekdir` to them in another order.
    @Test func aListingGoesOnFromEveryPlace() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let path = try big(scratch) / "big"
        let stream = try #require(path.withCString { opendir($0) })
        defer { closedir(stream) }
        var places: [(place: Int, name: Word)] = []
        while true {
            let place = telldir(stream)
            guard let name = Self.next(stream) else { break }
            places.append((place, name))
        }
        #expect(places.count == Self.count + 2)
        var random = SplitMix64(seed: 11)
        for (place, name) in places.shuffled(using: &random).prefix(300) {
            seekdir(stream, place)
            #expect(Self.next(stream) == name)
        }
        rewinddir(stream)
        #expect(Self.next(stream) == ".")
    }

    private static func next(_ stream: OpaquePointer) -> Word? {
        guard let entry = readdir(stream) else { return nil }
        return withUnsafeBytes(of: &entry.pointee.d_name) { Word(Array($0.prefix { $0 != 0 })) }
    }

    /// Names are the bytes that the image has, text or not.
    @Test func namesAreBytes() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.everyKind)
        let names = try Calls.names(mount.path)
        #expect(names.contains(Samples.strangeName) && names.contains(Samples.longName))
        #expect(try Calls.names(mount / Samples.strangeName) == [Samples.strangeName])
        #expect(
            try Calls.contents(mount / Samples.strangeName / Samples.strangeName) == [1, 2])
    }

    /// What cannot be a path is left out, and the number of such entries is told.
    ///
    /// A name of 256 bytes, a `..`, entries below a file, all but the last of equal paths: no names
    /// of a tree. Their number is told, and the rest is there.
    @Test func whatCannotBeAPathIsCountedAndLeftOut() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(
            ImageBuilder([
                .file("good", "x"), .file(String(repeating: "n", count: 256), "x"),
                .file("a/../b", "x"), .file("good/below", "x"), .file("twice", "1"),
                .file("twice", "2"),
            ]))
        #expect(try Calls.names(mount.path) == ["good", "twice"])
        #expect(try Calls.contents(mount / "twice") == Array("2".utf8))
        let said = try mount.unmount().errorText
        #expect(
            said == "mount.ifs: \(scratch / "x.ifs"): 4 entries are left out or doubtful;"
                + " 'ifsctl check' names them\n")
    }
}
