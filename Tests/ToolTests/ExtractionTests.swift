import Foundation
import TestSupport
import Testing

/// `-x` and what goes with it: a tree in a directory, as the image has it.
struct ExtractionTests {
    // MARK: Against a second judge

    @Test(
        .enabled(
            if: Fixtures.hasShared && Tool.has("python3"), "no shared images here, or no python3"),
        arguments: Fixtures.sharedImages())
    func aRealImageComesOutAsItsListingSays(_ name: String) throws {
        let folder = try TemporaryFolder()
        let image = try Fixtures.sharedImage(name).path
        let outcome = try dumpifs(["--preserve", "-d", "out", image], in: folder)
        #expect(outcome.end == .exit(0))
        #expect(try differences(folder, name) == [])
    }

    /// What the shared comparer finds, but for what a host cannot hold: modes of links, and entries
    /// below a link of the same image.
    private func differences(_ folder: TemporaryFolder, _ name: String) throws -> [String] {
        let shared = try #require(Fixtures.shared)
        var child = Child([
            shared.appendingPathComponent("tools/compare-tree").path, "out",
            try Fixtures.sharedImage(name + ".txt").path,
        ])
        child.folder = folder.url
        let lines = try child.run().lines
        #expect(lines.last?.contains(" entries, ") == true)
        let links = try Fixtures.sharedListing(name).filter { $0.target != nil }.map(\.path)
        return lines.dropLast().filter { line in
            let isModeOfLink = links.contains { line.hasPrefix("\($0): mode is 0o777, ") }
            let isBelowLink = links.contains { line.hasPrefix("missing: \($0)/") }
            let isOwner = !Tool.isRoot && (line.contains(": uid is ") || line.contains(": gid is "))
            return !isModeOfLink && !isBelowLink && !isOwner
        }
    }

    @Test(arguments: Fixtures.goldenCases)
    func everyGoldenCaseComesOutAsItIsListed(_ name: String) throws {
        let folder = try TemporaryFolder()
        let image = Fixtures.golden(name, "expected.ifs").path
        expectSuccess(try dumpifs(["-d", "out", image], in: folder))
        let tree = try Node.tree(folder.path("out"))
        let listed = try GoldenListing(name)
        for entry in listed.entries {
            let node = try #require(tree[entry.path], "\(entry.path)")
            #expect(node.modified == 0)
            if Tool.isRoot { #expect(node.user == entry.user && node.group == entry.group) }
            switch entry.kind {
            case .file(let size): #expect(node.type == S_IFREG && node.byteCount == size)
            case .link(let target): #expect(node.type == S_IFLNK && node.text == target)
            case .directory: #expect(node.type == S_IFDIR)
            case .fifo: #expect(node.type == S_IFIFO)
            }
            if node.type != S_IFLNK { #expect(node.permissions == entry.mode & 0o1777) }
        }
        let paths = Set(listed.entries.map(\.path))
        let extra = tree.filter { !paths.contains($0.key) }
        #expect(extra.allSatisfy { $0.value.type == S_IFDIR }, "\(extra.keys)")
    }

    // MARK: What each kind keeps

    private func extracted(
        _ builder: ImageBuilder, _ arguments: [String] = [], _ folder: TemporaryFolder
    ) throws -> Child.Outcome {
        try folder.write(builder.build().bytes, to: "x.ifs")
        return try dumpifs(arguments + ["-d", "out", "x.ifs"], in: folder)
    }

    @Test(arguments: [0o000, 0o444, 0o751, 0o1755, 0o4755, 0o2711, 0o6555] as [UInt32])
    func filesKeepTheirModesAndSetIDBitsOnlyWhenPreserved(_ mode: UInt32) throws {
        let folder = try TemporaryFolder()
        let builder = ImageBuilder.bare([
            .file("f", "x", permissions: mode), .directory("d", permissions: mode),
            .file("d/g", "y"),
        ])
        expectSuccess(try extracted(builder, [], folder))
        #expect(try folder.node("out/f").permissions == mode & 0o1777)
        #expect(try folder.node("out/d").permissions == mode & 0o1777)
        expectSuccess(try extracted(builder, ["--preserve"], folder))
        #expect(try folder.node("out/f").permissions == mode)
        #expect(try folder.node("out/d").permissions == mode)
    }

    @Test(arguments: [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff] as [UInt32])
    func timesAreKeptFromTheEpochToTheLastThatFits(_ time: UInt32) throws {
        let folder = try TemporaryFolder()
        let entries: [ImageEntry] = [
            .directory("d"), .file("d/f", "x"), .symlink("d/l", to: "f"), .device("d/p", type: 1),
        ]
        var builder = ImageBuilder.bare(entries.map { $0.with { $0.modified = time } })
        builder.root = .directory("").with { $0.modified = time }
        expectSuccess(try extracted(builder, [], folder))
        for (path, node) in try Node.tree(folder.path("out")) {
            #expect(node.modified == Int64(time), "\(path)")
        }
    }

    @Test(.enabled(if: Tool.isRoot, "only root can give files away"))
    func rootGivesEachFileItsOwner() throws {
        let folder = try TemporaryFolder()
        func owned(_ entry: ImageEntry, _ user: UInt32) -> ImageEntry {
            entry.with {
                $0.user = user
                $0.group = user + 1
            }
        }
        let builder = ImageBuilder.bare([
            owned(.directory("d"), 10), owned(.file("d/f", "x"), 20),
            owned(.symlink("d/l", to: "f"), 30), owned(.device("d/p", type: 1), 40),
            owned(.file("setuid", "x", permissions: 0o4755), 50),
        ])
        expectSuccess(try extracted(builder, ["--preserve"], folder))
        let owners: [(String, UInt32)] = [
            ("d", 10), ("d/f", 20), ("d/l", 30), ("d/p", 40), ("setuid", 50),
        ]
        for (path, user) in owners {
            let node = try folder.node("out/\(path)")
            #expect(node.user == user && node.group == user + 1, "\(path)")
        }
        #expect(try folder.node("out/setuid").permissions == 0o4755)
    }

    @Test func specialFilesAreMadeOrLeftOutAndTold() throws {
        let folder = try TemporaryFolder()
        let builder = ImageBuilder.bare([
            .device("dev/fifo", type: 1), .device("dev/tty", type: 2, rdev: 3 << 10 | 5),
            .device("dev/special", type: 5), .device("dev/disk", type: 6),
            .device("dev/socket", type: 12), .file("f", "x"),
        ])
        let outcome = try extracted(builder, [], folder)
        #expect(outcome.end == .exit(0))
        #expect(
            outcome.complaints
                == ["disk", "socket", "tty"].map {
                    "dumpifs: dev/\($0): a device or socket, left out (--preserve as root makes it)"
                })
        #expect(try Set(Node.tree(folder.path("out/dev")).keys) == ["", "fifo", "special"])
        #expect(try folder.node("out/dev/fifo").type == S_IFIFO)
        let special = try folder.node("out/dev/special")
        #expect(special.type == S_IFREG && special.byteCount == 0 && special.permissions == 0o444)
    }

    @Test(.enabled(if: Tool.isRoot, "only root can make devices"))
    func rootMakesDevicesWhenTheyAreToBePreserved() throws {
        let folder = try TemporaryFolder()
        let builder = ImageBuilder.bare([
            .device("tty", type: 2, rdev: 3 << 10 | 5, permissions: 0o620),
            .device("disk", type: 6, rdev: 63 << 10 | 1023, permissions: 0o600),
            .device("socket", type: 12, permissions: 0o777),
        ])
        expectSuccess(try extracted(builder, ["--preserve"], folder))
        let tty = try folder.node("out/tty")
        #expect(tty.type == S_IFCHR && tty.permissions == 0o620)
        // Linux: minor in the low 8 bits and from bit 20 on, major in the 12 between.
        #expect(tty.device == 3 << 8 | 5)
        let disk = try folder.node("out/disk")
        #expect(disk.type == S_IFBLK && disk.device == 63 << 8 | 0xff | 3 << 20)
        #expect(try folder.node("out/socket").type == S_IFSOCK)
    }

    @Test func emptyAndLargeFilesAreWhole() throws {
        let folder = try TemporaryFolder()
        let large = SplitMix64.text(3_300_000)
        let exact = SplitMix64.noise(1 << 20)
        let builder = ImageBuilder([
            .file("empty"), .file("one", "1"), .file("large", large), .file("exact", exact),
        ]).with { $0.packing = .lzo(isFast: true) }
        expectSuccess(try extracted(builder, [], folder))
        #expect(try folder.bytes("out/empty") == [])
        #expect(try folder.bytes("out/one") == [0x31])
        #expect(difference(try folder.bytes("out/large"), large) == nil)
        #expect(difference(try folder.bytes("out/exact"), exact) == nil)
    }

    @Test func hardLinksAndDuplicatesComeOutUnderEachName() throws {
        let folder = try TemporaryFolder()
        let builder = ImageBuilder.bare([
            .file("a", "shared"), ImageEntry(path: Array("d/b".utf8), .hardLink(0), mode: 0o100644),
            .file("twice", "first"), .file("twice", "the last one wins"),
        ])
        let outcome = try extracted(builder, [], folder)
        #expect(outcome.end == .exit(0))
        #expect(
            outcome.complaints == [
                "dumpifs: x.ifs: 'twice': a later entry has the same path and wins"
            ])
        #expect(try folder.node("out/a").text == "shared")
        #expect(try folder.node("out/d/b").text == "shared")
        #expect(try folder.node("out/twice").text == "the last one wins")
    }

    @Test func anEntryWithoutInodeIsNotExtracted() throws {
        let folder = try TemporaryFolder()
        let builder = ImageBuilder.bare([
            .file("gone", "data").with { $0.inode = 0 }, .file("here", "data"),
        ])
        #expect(try extracted(builder, [], folder).end == .exit(0))
        #expect(try Set(Node.tree(folder.path("out")).keys) == ["", "here"])
    }

    @Test func directoriesThatTheImageLacksAreMadeAsTheMaskAllows() throws {
        let folder = try TemporaryFolder()
        let builder = ImageBuilder.bare([.file("proc/boot/a", "x")])
        try folder.write(builder.build().bytes, to: "x.ifs")
        var child = Child(["sh", "-c", "umask 027; exec \"$@\"", "sh"])
        child.words += [Tool.dumpifs, "-d", "out", "x.ifs"].map { Array($0.utf8) }
        child.folder = folder.url
        expectSuccess(try child.run())
        #expect(try folder.node("out/proc").permissions == 0o750)
        #expect(try folder.node("out/proc/boot").permissions == 0o750)
        #expect(try folder.node("out/proc/boot/a").permissions == 0o644)
    }

    // MARK: What is chosen

    private static let tree: [ImageEntry] = [
        .directory("d", permissions: 0o711), .file("d/a", "da"), .file("d/b", "db"),
        .file("e/a", "ea"), .symlink("e/l", to: "../d/a"), .file("c", "c"),
    ]

    private func paths(_ folder: TemporaryFolder) throws -> Set<String> {
        Set(try Node.tree(folder.path("out")).filter { $0.value.type != S_IFDIR }.keys)
    }

    @Test func withBaseNamesThereAreNoDirectories() throws {
        let folder = try TemporaryFolder()
        let entries = Self.tree.filter { $0.path != Array("e/a".utf8) }
        expectSuccess(try extracted(.bare(entries), ["-b"], folder))
        #expect(try Set(Node.tree(folder.path("out")).keys) == ["", "a", "b", "c", "l"])
    }

    @Test func ofEqualBaseNamesTheLastOfTheImageWinsAndTheOthersAreTold() throws {
        let folder = try TemporaryFolder()
        let entries: [ImageEntry] = [
            .file("z/a", "first"), .symlink("y/a", to: "nowhere"), .file("b", "b"),
            .file("x/a", "last"),
        ]
        let outcome = try extracted(.bare(entries), ["-b"], folder)
        #expect(outcome.end == .exit(0))
        #expect(try folder.node("out/a").text == "last")
        #expect(
            outcome.complaints == [
                "dumpifs: y/a: left out, for x/a has the same base name",
                "dumpifs: z/a: left out, for x/a has the same base name",
            ])
        let links = try extracted(.bare(entries.reversed()), ["-b"], folder)
        #expect(links.complaints.count == 2)
        #expect(try folder.node("out/a").text == "first")
    }

    @Test func onlyTheNamedPathsAreExtracted() throws {
        let folder = try TemporaryFolder()
        expectSuccess(try extracted(.bare(Self.tree), ["-f", "d/b", "-f", "e/l"], folder))
        #expect(try paths(folder) == ["d/b", "e/l"])
    }

    @Test func aDirectoryThatIsNamedIsMadeWithoutWhatLiesInIt() throws {
        let folder = try TemporaryFolder()
        expectSuccess(try extracted(.bare(Self.tree), ["-f", "d"], folder))
        #expect(try Set(Node.tree(folder.path("out")).keys) == ["", "d"])
        #expect(try folder.node("out/d").permissions == 0o711)
    }

    @Test func withBaseNamesAPathIsABaseName() throws {
        let folder = try TemporaryFolder()
        expectSuccess(try extracted(.bare(Self.tree), ["-b", "-f", "b"], folder))
        #expect(try paths(folder) == ["b"])
        let outcome = try extracted(.bare(Self.tree), ["-b", "-f", "d/b"], folder)
        expectFailure(outcome, saying: ["dumpifs: x.ifs: not in the image: d/b"])
    }

    @Test func aPathThatIsNotThereFailsAndTheOthersAreExtracted() throws {
        let folder = try TemporaryFolder()
        let outcome = try extracted(
            .bare(Self.tree), ["-f", "nowhere", "-f", "c", "-f", "d/x"], folder)
        expectFailure(
            outcome,
            saying: [
                "dumpifs: x.ifs: not in the image: nowhere",
                "dumpifs: x.ifs: not in the image: d/x",
            ])
        #expect(try paths(folder) == ["c"])
    }

    @Test func namesChooseByLastComponent() throws {
        let folder = try TemporaryFolder()
        try folder.write(ImageBuilder.bare(Self.tree).build().bytes, to: "x.ifs")
        expectSuccess(try dumpifs(["-d", "out", "x.ifs", "a", "c"], in: folder))
        #expect(try paths(folder) == ["d/a", "e/a", "c"])
    }

    // MARK: Where it goes

    @Test func withoutADirectoryTheCurrentOneIsUsed() throws {
        let folder = try TemporaryFolder()
        try folder.write(ImageBuilder.bare(Self.tree).build().bytes, to: "x.ifs")
        mkdir(folder.path("here"), 0o750)
        var child = Child(["sh", "-c", "cd here && exec \"$0\" -x ../x.ifs", Tool.dumpifs])
        child.folder = folder.url
        expectSuccess(try child.run())
        #expect(try folder.node("here/d/a").text == "da")
        // What was there before keeps its own mode and time.
        #expect(try folder.node("here").permissions == 0o750)
    }

    @Test func oneLevelOfDirectoryIsMadeAndNotMore() throws {
        let folder = try TemporaryFolder()
        try folder.write(ImageBuilder.bare(Self.tree).build().bytes, to: "x.ifs")
        expectFailure(
            try dumpifs(["-d", "no/out", "x.ifs"], in: folder),
            saying: ["dumpifs: no/out: cannot use as a directory: No such file or directory"])
        expectFailure(
            try dumpifs(["-d", "x.ifs", "x.ifs"], in: folder),
            saying: ["dumpifs: x.ifs: cannot use as a directory: Not a directory"])
        expectSuccess(try dumpifs(["-d", "out/", "x.ifs"], in: folder))
        #expect(try folder.node("out/c").text == "c")
    }

    @Test func aLinkToADirectoryMayBeNamed() throws {
        let folder = try TemporaryFolder()
        mkdir(folder.path("real"), 0o755)
        symlink("real", folder.path("out"))
        expectSuccess(try extracted(.bare(Self.tree), [], folder))
        #expect(try folder.node("real/c").text == "c")
    }

    @Test func whatIsExtractedIsNamedWhenVerbose() throws {
        let folder = try TemporaryFolder()
        let outcome = try extracted(.bare(Self.tree), ["-v"], folder)
        expectSuccess(outcome)
        #expect(
            outcome.lines == ["c", "d", "d/a", "d/b", "e", "e/a", "e/l"].map { "Extracted \($0)" })
        expectSuccess(try extracted(.bare(Self.tree), [], folder))
    }

    @Test func anExtractionOverItselfGivesTheSameTree() throws {
        let folder = try TemporaryFolder()
        let image = Fixtures.golden("boot-armle", "expected.ifs").path
        expectSuccess(try dumpifs(["-d", "out", image], in: folder))
        let first = try Node.tree(folder.path("out"))
        try folder.write([1, 2, 3], to: "out/proc/boot/daemon")
        try FileManager.default.removeItem(atPath: folder.path("out/tmp"))
        try folder.write([], to: "out/tmp")
        expectSuccess(try dumpifs(["-d", "out", image], in: folder))
        let second = try Node.tree(folder.path("out"))
        #expect(first.keys == second.keys)
        // Directories that the image does not list were there now, and their times are their own.
        for (path, node) in first where node.type != S_IFDIR {
            #expect(second[path] == node, "\(path)")
        }
    }

    @Test func directoriesThatAreThereKeepTheirModeUnlessTheImageListsThem() throws {
        let folder = try TemporaryFolder()
        for name in ["", "d", "e"] {
            mkdir(folder.path("out/\(name)"), 0o750)
            chmod(folder.path("out/\(name)"), 0o750)
        }
        expectSuccess(try extracted(.bare(Self.tree), [], folder))
        #expect(try folder.node("out").permissions == 0o750)
        #expect(try folder.node("out/e").permissions == 0o750)
        #expect(try folder.node("out/d").permissions == 0o711)
    }

    @Test func aFileIsReplacedAndNotWrittenInto() throws {
        let folder = try TemporaryFolder()
        mkdir(folder.path("out"), 0o755)
        try folder.write(Array("others' data".utf8), to: "other")
        link(folder.path("other"), folder.path("out/c"))
        expectSuccess(try extracted(.bare(Self.tree), [], folder))
        #expect(try folder.node("other").text == "others' data")
        #expect(try folder.node("out/c").text == "c")
    }

    @Test func whatStandsInTheWayIsToldOnceAndTheRestExtracted() throws {
        let folder = try TemporaryFolder()
        mkdir(folder.path("out"), 0o755)
        try folder.write([], to: "out/d")
        mkdir(folder.path("out/c"), 0o755)
        let outcome = try extracted(.bare(Self.tree), ["-v"], folder)
        expectFailure(
            outcome,
            saying: [
                "dumpifs: out/d: 'd' is there and no directory; it is not followed",
                "dumpifs: out/c: cannot replace: Is a directory",
            ])
        #expect(outcome.lines == ["e", "e/a", "e/l"].map { "Extracted \($0)" })
    }

    // MARK: Threads

    @Test(arguments: ["1", "2", "7", "18446744073709551615"])
    func theNumberOfThreadsChangesNothing(_ jobs: String) throws {
        let folder = try TemporaryFolder()
        var random = SplitMix64(seed: 7)
        let entries: [ImageEntry] = (0..<60).map { index in
            .file("d\(index % 7)/f\(index)", random.text(Int(random.next() % 200_000)))
        }
        let image = ImageBuilder(entries).with { $0.packing = .ucl(level: 1) }.build().bytes
        try folder.write(image, to: "x.ifs")
        expectSuccess(try dumpifs(["-d", "out", "x.ifs"], in: folder))
        let outcome = try dumpifs(["-d", "jobs", "--jobs", jobs, "x.ifs"], in: folder) {
            $0.deadline = 60
        }
        expectSuccess(outcome)
        #expect(try Node.tree(folder.path("jobs")) == Node.tree(folder.path("out")))
    }

    // MARK: Failing file systems

    @Test(.enabled(if: Tool.canMountPrivately, "no private mounts here"))
    func onAFullFileSystemEachFileThatDoesNotFitIsTold() throws {
        let folder = try TemporaryFolder()
        let image = ImageBuilder([
            .file("a", SplitMix64.noise(200_000)), .file("b", "small"),
            .file("c", SplitMix64.noise(210_000)),
        ]).build().bytes
        try folder.write(image, to: "x.ifs")
        mkdir(folder.path("small"), 0o755)
        var child = Child([
            "unshare", Tool.isRoot ? "-m" : "-rm", "sh", "-c",
            """
            mount -t tmpfs -o size=64k none small || exit 99
            "$0" -d small -v --jobs 1 x.ifs; status=$?; ls -A small; exit $status
            """, Tool.dumpifs,
        ])
        child.folder = folder.url
        let outcome = try child.run()
        expectFailure(
            outcome,
            saying: ["a", "c"].map { "dumpifs: small/\($0): cannot write: No space left on device" }
        )
        #expect(outcome.lines.first == "Extracted b")
        #expect(outcome.lines.contains("b"))
    }
}

/// A golden case's `expected.list-v`, the vendor's words, as values.
private struct GoldenListing {
    enum Kind {
        case file(Int64)
        case link(String)
        case directory, fifo
    }
    struct Entry {
        var path: String
        var kind: Kind
        var user: UInt32 = 0
        var group: UInt32 = 0
        var mode: UInt32 = 0
    }

    private(set) var entries: [Entry] = []

    init(_ name: String) throws {
        let text = String(
            decoding: try Fixtures.bytes(Fixtures.golden(name, "expected.list-v")), as: UTF8.self)
        let lines = text.split(separator: "\n").map(String.init)
        for (line, detail) in zip(lines, lines.dropFirst()) where detail.contains(" mtime=") {
            var entry = Self.entry(line)
            for word in detail.split(separator: " ") {
                let value = String(word.drop { $0 != "=" }.dropFirst())
                if word.hasPrefix("uid=") { entry.user = UInt32(value)! }
                if word.hasPrefix("gid=") { entry.group = UInt32(value)! }
                if word.hasPrefix("mode=") { entry.mode = UInt32(value, radix: 8)! }
            }
            entries.append(entry)
        }
    }

    private static func entry(_ line: String) -> Entry {
        let (offset, size) = (line.dropFirst().prefix(8), line.dropFirst(10).prefix(8))
        let name = String(line.dropFirst(20))
        if !offset.hasSuffix("-") {
            let count = Int64(size.drop { $0 == " " }, radix: 16)!
            return Entry(path: name, kind: .file(count))
        }
        if let arrow = name.range(of: " -> ") {
            let target = String(name[arrow.upperBound...])
            return Entry(path: String(name[..<arrow.lowerBound]), kind: .link(target))
        }
        if let device = name.range(of: " dev=") {
            return Entry(path: String(name[..<device.lowerBound]), kind: .fifo)
        }
        return Entry(path: name == "Root-dirent" ? "" : name, kind: .directory)
    }
}
