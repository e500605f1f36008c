import Foundation
import TestSupport
import Testing

/// Disks and file systems alone, mounted.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct DiskTests {
    private static let compare = Card.tool("compare-tree")

    private func image(_ name: String) throws -> Word {
        Word(try Fixtures.sharedImage(name).path)
    }

    /// Holds a directory against the listing of a shared image.
    private func expect(
        _ directory: Word, toBeAs listing: String, _ section: String? = nil, isLoose: Bool = false
    ) throws {
        let tool = try #require(Self.compare)
        var words = ["python3", tool, directory, try image(listing + ".txt")]
        if let section { words += ["--prefix", Word(section)] }
        if isLoose { words.append("--loose") }
        let finished = try run(words)
        #expect(finished.status == 0, "\(finished)")
    }

    // MARK: Trees

    /// A disk is a directory of its partitions, each the tree of its file system, called by its number
    /// and what that is.
    @Test(.enabled(if: compare != nil, "no ../shared/tools"))
    func aRealDiskIsAsListed() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(image("disk-mbr.img"))
        #expect(
            try Calls.names(mount.path)
                == ["p1-fat16", "p2-qnx6", "p3-qnx4", "p5-qnx6", "p6-qnx4"])
        let sections: [(Word, String)] = [
            ("p1-fat16", "p1"), ("p2-qnx6", "p2"), ("p3-qnx4", "p3"), ("p5-qnx6", "p5"),
            ("p6-qnx4", "p6"),
        ]
        for (name, section) in sections {
            try expect(mount / name, toBeAs: "disk-mbr.img", section)
        }
        #expect(try mount.unmount().description == "status 0")
    }

    /// A file system alone is the root of the mount.
    @Test(
        .enabled(if: compare != nil, "no ../shared/tools"),
        arguments: ["qnx6-le.img", "qnx6-be.img", "qnx4.img"])
    func aFileSystemAloneIsTheRoot(name: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(image(name))
        try expect(mount.path, toBeAs: name)
        #expect(try Calls.status(mount.path).st_ino == 1)
        #expect(try mount.unmount().description == "status 0")
    }

    /// A made tree, read through the mount, is the one that it was made of.
    @Test(.enabled(if: Card.hasAll, "no ../shared/tools, mkfs.fat or mtools"))
    func madeTreesAreRead() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Card.make(scratch))
        let names: [Word] = [
            "p1-fat16", "p2-qnx6", "p3-unknown.img", "p5-qnx4", "p6-qnx6",
        ]
        #expect(try Calls.names(mount.path) == names)
        for (tree, name) in [("qnx6.tree", "p2-qnx6"), ("qnx6.tree", "p6-qnx6")] as [(Word, Word)] {
            let same = try run([
                "diff", "-r", "--no-dereference", "-x", ".boot", scratch / tree, mount / name,
            ])
            // A fifo cannot be compared but with itself.
            let lines = same.lines.filter { !$0.contains("is a fifo") }
            #expect(lines == [] && same.errors.isEmpty, "\(same)")
        }
        let same = try shell(
            """
            cd "$1"; for file in large link empty directory/again directory/file77 directory/deeper/n*; do
                cmp "$file" "$2/$file"
            done
            """, scratch / "qnx4.tree", mount / "p5-qnx4")
        #expect(same.description == "status 0")
        #expect(
            try difference(Calls.contents(mount / "p1-fat16/EFI/pieces"), SplitMix64.noise(100_000))
                == nil)
        #expect(
            try Calls.contents(mount / "p3-unknown.img") == SplitMix64.noise(1000)
                + [UInt8](repeating: 0, count: 2048 * 512 - 1000))
    }

    /// What is in a partition decides what it shows, and not its type; what nobody knows is a file of
    /// its bytes.
    @Test func whatIsInAPartitionDecides() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = ImageBuilder([.file("inside", "an IFS\n")]).build().bytes
        let bytes = DiskBytes(
            [
                (0x0c, 64, [UInt8](repeating: 0xff, count: 5000) + image),
                (0xb3, 256, SplitMix64.noise(512)),
            ]
        ).bytes
        let mount = try scratch.mount(scratch.file("card.img", bytes))
        #expect(try Calls.names(mount.path) == ["p1-ifs", "p2-unknown.img"])
        #expect(try Calls.contents(mount / "p1-ifs/inside") == Array("an IFS\n".utf8))
        #expect(try Calls.contents(mount / "p2-unknown.img") == SplitMix64.noise(512))
        // The types say otherwise, which is told.
        let lines = try mount.unmount().errorText.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(
            lines.first?.hasSuffix(
                "start of partition 1 at 0x8000: found an image and no file system around it, expected a"
                    + " FAT file system, as its type 0c says") == true, "\(lines)")
        #expect(
            lines.last?.hasSuffix(
                "expected a QNX file system, as its type b3 says; shown as a file") == true,
            "\(lines)")
    }

    /// An IFS alone is mounted as ever, wherever it begins, and so is one that is asked for.
    @Test func anImageThatIsAskedForIsMounted() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = ImageBuilder([.file("inside", "an IFS\n")]).build().bytes
        let card = try scratch.file("card.img", DiskBytes([(0x0c, 64, image)]).bytes)
        let mount = try scratch.mount(card, "image=1")
        #expect(try Calls.names(mount.path) == ["inside"])
    }

    /// Names of more bytes than most file systems have are there: 255 characters of FAT are up to 765.
    @Test(.enabled(if: Card.hasFAT, "no mkfs.fat or mtools"))
    func namesOfMoreThan255BytesAreShown() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = scratch / "long.img"
        try Card.must(
            """
            mkfs.fat -C -F16 "$1" 16384 > /dev/null
            printf found | mcopy -i "$1" - "::$(printf 'x%.0s' $(seq 255))"
            """, image)
        var bytes = try Calls.contents(image)
        for slot in stride(from: 0, to: bytes.count, by: 32) where bytes[slot + 11] == 0x0f {
            for place in slot + 1..<slot + 31 where bytes[place] == 0x78 && bytes[place + 1] == 0 {
                bytes.set([0x9e, 0x8a], at: place)
            }
        }
        let mount = try scratch.mount(scratch.file("longer.img", bytes))
        let name = String(repeating: "\u{8a9e}", count: 255)
        let listed = try shell("cd \"$1\"; for name in *; do cat \"$name\"; done; ls", mount.path)
        #expect(listed.status == 0 && listed.lines == ["found" + name], "\(listed)")
        #expect(try Calls.statistics(mount.path).f_namemax == 765)
    }

    // MARK: Attributes

    /// Of each node of a disk, inode number and link count are what the listings and names say.
    @Test(.enabled(if: Card.hasAll, "no ../shared/tools, mkfs.fat or mtools"))
    func numbersAreThoseOfTheNodes() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Card.make(scratch))
        var paths: [UInt64: Set<Word>] = [:]
        for path in try [""] + Calls.tree(mount.path) {
            let found = try Calls.status(mount / path)
            paths[UInt64(found.st_ino), default: []].insert(path)
            if found.st_mode & S_IFMT == S_IFDIR {
                let entries = try Calls.entries(mount / path)
                let folders = entries.filter { $0.type == DT_DIR }.count
                // The empty directories of QNX volumes count as their makers have counted.
                #expect(Int(found.st_nlink) == folders, "\(path)")
                #expect(entries.first { $0.name == "." }?.inode == UInt64(found.st_ino), "\(path)")
                for entry in entries where entry.name != "." && entry.name != ".." {
                    let named = try Calls.status(mount / path / entry.name)
                    #expect(UInt64(named.st_ino) == entry.inode, "\(path)/\(entry.name)")
                }
            } else if found.st_nlink == 1 {
                #expect(paths[UInt64(found.st_ino)]?.count == 1, "\(path)")
            }
        }
        let doubled = paths.values.filter { $0.count > 1 }
        #expect(doubled.contains(["p5-qnx4/directory/x", "p5-qnx4/directory/again"]))
        for names in doubled {
            let found = try Calls.status(mount / #require(names.first))
            #expect(Int(found.st_nlink) == names.count, "\(names)")
        }
        // The root and what is no tree: everybody may look, and nobody write.
        let root = try Calls.status(mount.path)
        #expect(root.st_ino == 1 && root.st_mode == S_IFDIR | 0o555)
        #expect(try Calls.status(mount / "p3-unknown.img").st_mode == S_IFREG | 0o444)
        let times = try Calls.names(mount.path).map { try Calls.status(mount / $0).st_mtim.tv_sec }
        #expect(root.st_mtim.tv_sec == times.max())
    }

    /// A mount of a disk is as large and as free as all its file systems; of a partition, as that.
    @Test(.enabled(if: Card.hasAll, "no ../shared/tools, mkfs.fat or mtools"))
    func roomIsThatOfTheFileSystems() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let card = try Card.make(scratch)
        var sum = (size: UInt64(2048 * 512), free: UInt64(0))
        for number in [1, 2, 5, 6] {
            let mount = try scratch.mount(card, Word("partition=\(number)"))
            let found = try Calls.statistics(mount.path)
            sum.size += UInt64(found.f_blocks) * UInt64(found.f_frsize)
            sum.free += UInt64(found.f_bfree) * UInt64(found.f_frsize)
            #expect(found.f_bfree > 0 && found.f_bfree < found.f_blocks)
            try mount.unmount()
        }
        let mount = try scratch.mount(card)
        let found = try Calls.statistics(mount.path)
        // Each mount counts in whole blocks.
        let unit = Int(found.f_frsize)
        #expect(abs(Int(found.f_blocks) * unit - Int(sum.size)) < 4 * unit)
        #expect(abs(Int(found.f_bfree) * unit - Int(sum.free)) < 4 * unit)
    }

    // MARK: Never changed

    /// A disk is mounted read-only, whatever was asked for, and one line says so.
    @Test(.enabled(if: Card.hasFAT, "no mkfs.fat or mtools"))
    func aDiskIsReadOnlyAndSaysSo() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let card = try Card.make(
            scratch, [Card.usual[0]], sectors: 40960)
        let before = try Calls.contents(card)
        let mount = try scratch.mount(card, "rw")
        #expect(try #require(MountLine.on(mount.path).last).superOptions.contains("ro"))
        for name in ["new", "p1-fat16/new"] as [Word] {
            let failure = Calls.failure { (mount / name).withCString { mkdir($0, 0o755) } }
            #expect(failure == SystemError(code: EROFS))
        }
        let said = try mount.unmount().errorText
        #expect(
            said == "mount.ifs: \(card): mounted read-only: disk images cannot be changed yet\n")
        #expect(try difference(Calls.contents(card), before) == nil)
    }

    // MARK: Faults

    /// What is wrong with a partition is told in one line, and costs that partition alone.
    @Test(.enabled(if: Card.hasAll, "no ../shared/tools, mkfs.fat or mtools"))
    func aDamagedPartitionIsAFileAndTheOthersAreServed() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let card = try Card.make(scratch)
        // The block size of both superblocks of the second partition: neither sum is right then.
        try Calls.open(card, O_RDWR) { file throws in
            for place in [36864 * 512 + 0x2000 + 48, 36864 * 512 + 16384 * 512 - 4096 + 48] {
                #expect(pwrite(file, [0xff] as [UInt8], 1, place) == 1)
            }
        }
        let mount = try scratch.mount(card)
        #expect(
            try Calls.names(mount.path) == [
                "p1-fat16", "p2-unknown.img", "p3-unknown.img", "p5-qnx4", "p6-qnx6",
            ])
        #expect(try Calls.contents(mount / "p1-fat16/MLO") == Array("hello".utf8))
        let lines = try mount.unmount().errorText.split(separator: "\n")
        #expect(lines.count == 1)
        #expect(
            lines.first?.hasPrefix(
                "mount.ifs: \(card): partition 2, QNX6: qnx6 superblock.checksum at 0x1202004: found "
            )
                == true && lines.first?.hasSuffix("; shown as a file") == true, "\(lines)")
        let refused = try run([
            Machine.tool("mount.ifs"), card, try scratch.directory("m"), "-o", "partition=2",
        ])
        #expect(refused.status == 35 && refused.errorText.contains("superblock.checksum"))
    }

    /// Of a card whose copy has ended early there is what is there, and what it lacks is told.
    @Test(.enabled(if: Card.hasAll, "no ../shared/tools, mkfs.fat or mtools"))
    func aCardThatWasCutOffIsServed() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let card = try Card.make(scratch, [Card.usual[1]], sectors: 53248)
        #expect(card.withCString { truncate($0, 45000 * 512) } == 0)
        let mount = try scratch.mount(card)
        #expect(try Calls.names(mount.path) == ["p1-qnx6"])
        let compared = try shell(
            """
            cd "$1"; find . -type f ! -path './.boot/*' | while read -r file; do
                if ! cat "$file"; then echo lost >&3
                elif ! cmp -s "$file" "$2/$file"; then echo different >&3
                else echo same >&3; fi
            done 3>&1 > /dev/null 2>&1 | sort | uniq
            cat five-megabytes 2>&1 > /dev/null
            """, mount / "p1-qnx6", scratch / "qnx6.tree")
        let unreadable = "cat: five-megabytes: Input/output error"
        #expect(compared.lines == ["lost", "same", unreadable], "\(compared)")
        let lines = try mount.unmount().errorText.split(separator: "\n").map(String.init)
        let most = "expected sectors from 1 through 44999"
        #expect(
            lines.prefix(2) == [
                "mount.ifs: \(card): partition entry 1.first LBA at 0x1c6: found the sectors 36864 to"
                    + " 53247, \(most)",
                "mount.ifs: \(card): partition 1, QNX6: qnx6 volume at 0x1200000: found 4165632"
                    + " bytes, expected 8384512; what is missing is left out, or cannot be read",
            ], "\(lines)")
    }

    /// What is wrong with the partition table is told in one line, and the backup is served.
    @Test(.enabled(if: Card.hasFAT, "no mkfs.fat or mtools"))
    func aDamagedTableIsTold() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        var part = Card.usual[0]
        part.type = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
        part.isActive = false
        let card = try Card.make(scratch, [part], label: "gpt", sectors: 40960)
        try Calls.open(card, O_RDWR) { file throws in
            #expect(pwrite(file, [0xff] as [UInt8], 1, 512 + 60) == 1)
        }
        let mount = try scratch.mount(card)
        #expect(try Calls.contents(mount / "p1-fat16/MLO") == Array("hello".utf8))
        let lines = try mount.unmount().errorText.split(separator: "\n")
        #expect(lines.count == 1, "\(lines)")
        #expect(
            lines.first?.hasPrefix("mount.ifs: \(card): GPT header.CRC at 0x210: found ") == true,
            "\(lines)")
    }

    /// A block that cannot be right is an input/output error for its own file, and where it stands is
    /// told.
    @Test(.enabled(if: Card.hasAll, "no ../shared/tools, mkfs.fat or mtools"))
    func aDamagedChainCostsItsFile() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let card = try Card.make(scratch, [Card.usual[0]], sectors: 40960)
        let whole = try scratch.mount(card)
        let sound = try Calls.contents(whole / "p1-fat16/EFI/pieces")
        try whole.unmount()
        // Both tables of the FAT16, from its fifth entry on, lead nowhere.
        try must(
            """
            fat=$((2048 * 512 + 512 * $(od -An -tu2 -j $((2048 * 512 + 14)) -N 2 "$1")))
            size=$((512 * $(od -An -tu2 -j $((2048 * 512 + 22)) -N 2 "$1")))
            for start in $fat $((fat + size)); do
                head -c $((size - 10)) /dev/zero | dd of="$1" bs=1 seek=$((start + 10)) conv=notrunc status=none
            done
            """, card)
        let mount = try scratch.mount(card)
        #expect(sound.count == 100_000)
        #expect(throws: SystemError(code: EIO)) {
            try Calls.contents(mount / "p1-fat16/EFI/pieces")
        }
        #expect(try Calls.contents(mount / "p1-fat16/MLO") == Array("hello".utf8))
        let said = try mount.unmount().errorText
        #expect(said.hasPrefix("mount.ifs: \(card): p1-fat16: table entry of cluster "), "\(said)")
    }

    private func must(_ script: Word, _ words: Word...) throws {
        let finished = try run(["bash", "-euc", script, "test"] + words)
        #expect(finished.status == 0, "\(finished)")
    }

    // MARK: Size

    /// However large a disk is, it is mounted and listed at once.
    @Test func aSparseDiskOfManyGigabytesIsMountedAtOnce() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let card = try scratch.file(
            "card.img",
            DiskBytes([(0x83, 64, [1]), (0x83, 1 << 24, [])], lengths: [1 << 23, 1 << 27]).bytes)
        #expect(card.withCString { truncate($0, 100 << 30) } == 0)
        let start = Date()
        let mount = try scratch.mount(card)
        #expect(try Calls.names(mount.path) == ["p1-unknown.img", "p2-unknown.img"])
        #expect(Date().timeIntervalSince(start) < 10)
        #expect(try Calls.status(mount / "p2-unknown.img").st_size == 64 << 30)
        let server = try #require(mount.server.finished == nil ? Daemon(id: mount.server.id) : nil)
        #expect(server.anonymousMemory < 80 << 20)
    }
}
