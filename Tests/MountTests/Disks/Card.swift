import Foundation
import TestSupport
import Testing

/// Disk images that other makers' tools make: sfdisk and sgdisk, mkfs.fat and mtools, and the writers
/// of QNX file systems in `../shared/tools`.
enum Card {
    /// Whether FAT cards can be made.
    static let hasFAT = ["sfdisk", "mkfs.fat", "mcopy", "mattrib"].allSatisfy {
        Machine.has(Word($0))
    }

    /// A program of `../shared/tools`; nil where it is not here.
    static func tool(_ name: String) -> Word? {
        guard let file = Fixtures.shared?.appendingPathComponent("tools/\(name)"),
            Fixtures.exists(file)
        else { return nil }
        return Word(file.path)
    }

    /// Whether QNX file systems can be made as well.
    static let hasAll =
        hasFAT && tool("make-qnx6") != nil && tool("make-qnx4") != nil && Machine.has("python3")

    /// The Python that has a reader of QNX file systems beside Linux's, dissect.qnxfs: the one that
    /// `scripts/judges` makes.
    static let secondReader = Word(
        Fixtures.root.appendingPathComponent(".build/judges/bin/python").path)
    static let hasSecondReader =
        (try? run([secondReader, "-c", "import dissect.qnxfs"]).status) == 0

    /// What is in a partition.
    enum Contents: Sendable {
        /// mkfs.fat's options, with what `fatTree` makes in it.
        case fat([Word])
        /// make-qnx6's options, with the tree that it makes to show everything.
        case qnx6([Word])
        /// make-qnx4's options, with what `qnx4Tree` makes in it.
        case qnx4([Word])
        /// These bytes.
        case bytes([UInt8])
    }

    /// A partition.
    struct Part: Sendable {
        var sector: Int
        /// In sectors.
        var count: Int
        var type: String
        var contents: Contents
        var isActive = false
        /// In a GPT.
        var name = ""
    }

    /// A FAT16 of 16 MiB, a QNX 6 in either byte order, a QNX 4 in pieces; one of the QNX in a logical
    /// partition; and one that nobody knows.
    static let usual = [
        Part(
            sector: 2048, count: 32768, type: "6", contents: .fat(["-F16", "-n", "BOOT"]),
            isActive: true),
        Part(sector: 36864, count: 16384, type: "b3", contents: .qnx6(["--label", "system"])),
        Part(sector: 53248, count: 2048, type: "83", contents: .bytes(SplitMix64.noise(1000))),
        Part(sector: 55296, count: 40000, type: "f", contents: .bytes([])),
        Part(sector: 57344, count: 8192, type: "4f", contents: .qnx4(["--fragment", "3"])),
        Part(
            sector: 67584, count: 16384, type: "b3",
            contents: .qnx6(["--big-endian", "--block-size", "4096"])),
    ]

    /// Makes a disk image with such partitions; those inside an extended one come behind it.
    @discardableResult
    static func make(
        _ scratch: Scratch, _ parts: [Part] = usual, label: String = "dos", sectors: Int = 98304,
        name: Word = "card.img"
    ) throws -> Word {
        let card = scratch / name
        try must("truncate -s $((512 * $2)) \"$1\"", card, Word("\(sectors)"))
        if label == "gpt", Machine.has("sgdisk") {
            try must("sgdisk \"$@\" > /dev/null", words: sgdisk(parts) + [card])
        } else {
            let script =
                "label: \(label)\n" + parts.map { $0.line + "\n" }.joined()
            let table = try scratch.file("table", Array(script.utf8))
            try must("sfdisk --quiet \"$1\" < \"$2\"", card, table)
        }
        for part in parts { try fill(card, part, scratch) }
        return card
    }

    private static func sgdisk(_ parts: [Part]) -> [Word] {
        parts.enumerated().flatMap { index, part in
            let number = index + 1
            return [
                "-n", Word("\(number):\(part.sector):+\(part.count)"), "-t",
                Word("\(number):\(part.type)"), "-c", Word("\(number):\(part.name)"),
            ]
        }
    }

    /// Puts what a partition has to its place.
    private static func fill(_ card: Word, _ part: Part, _ scratch: Scratch) throws {
        let start = Word("\(part.sector)")
        switch part.contents {
        case .bytes(let bytes):
            try copy(scratch.file("bytes", bytes), to: card, start)
        case .fat(let options):
            let image = scratch / "fat.img"
            try must(
                "rm -f \"$1\"; truncate -s $((512 * $2)) \"$1\"; shift 2; mkfs.fat \"$@\" > /dev/null",
                words: [image, Word("\(part.count)")] + options + [image])
            try fillFAT(image, scratch)
            try copy(image, to: card, start)
        case .qnx6(let options):
            // A tree that is there already is taken.
            let (tree, image) = (scratch / "qnx6.tree", scratch / "qnx6.img")
            let maker = try #require(tool("make-qnx6"))
            try must(
                """
                [ -e "$2" ] || "$1" --demo "$2" > /dev/null
                maker=$1 tree=$2 image=$3; shift 3; rm -f "$image"
                "$maker" "$tree" "$image" --size $((512 * $1)) "${@:2}" > /dev/null
                """, words: [maker, tree, image, Word("\(part.count)")] + options)
            try copy(image, to: card, start)
        case .qnx4(let options):
            let (tree, image) = (try qnx4Tree(scratch), scratch / "qnx4.img")
            let maker = try #require(tool("make-qnx4"))
            try must(
                """
                maker=$1 tree=$2 image=$3; shift 3; rm -f "$image"
                "$maker" "$tree" "$image" --blocks "$@" > /dev/null
                """, words: [maker, tree, image, Word("\(part.count)")] + options)
            try copy(image, to: card, start)
        }
    }

    private static func copy(_ image: Word, to card: Word, _ sector: Word) throws {
        try must(
            "dd if=\"$1\" of=\"$2\" bs=512 seek=\"$3\" conv=notrunc,sparse status=none", image,
            card, sector)
    }

    /// Long and short names, directories, files of several clusters, one of them in pieces.
    private static func fillFAT(_ image: Word, _ scratch: Scratch) throws {
        let tree = try scratch.directory("fat.tree")
        let many = try scratch.file("many", SplitMix64.noise(100_000))
        try must(
            """
            cd "$2"
            mkdir -p EFI/BOOT 'a directory of a long name'
            printf hello > MLO; printf '' > empty
            cp "$3" 'a directory of a long name/A file. of a long name'
            for number in 1 2 3 4 5 6 7 8; do head -c 9000 "$3" > "EFI/BOOT/piece$number"; done
            touch -d '2024-02-29 12:34:56 UTC' MLO empty EFI/BOOT/* */*name EFI 'a directory of a long name'
            export MTOOLSRC=/dev/null TZ=UTC
            mcopy -m -s -Q -i "$1" * ::
            for number in 2 4 6; do mdel -i "$1" "::EFI/BOOT/piece$number"; done
            mcopy -m -i "$1" "$3" ::EFI/pieces
            mattrib -i "$1" +r +h ::MLO
            """, image, tree, many)
    }

    /// What QNX 4 can hold, with names that Linux shows: 48 bytes at most.
    static func qnx4Tree(_ scratch: Scratch) throws -> Word {
        let tree = scratch / "qnx4.tree"
        guard (try? Calls.status(tree)) == nil else { return tree }
        let many = try scratch.file("many", SplitMix64.noise(100_000))
        try must(
            """
            mkdir -p "$1/directory/deeper"; cd "$1"
            cp "$2" large; printf x > directory/x; printf '' > empty
            ln -s directory/x link; ln directory/x directory/again; chmod 4751 empty
            chmod 750 directory/deeper
            printf y > "directory/deeper/$(printf 'n%.0s' $(seq 48))"
            for number in $(seq 100); do printf "$number" > "directory/file$number"; done
            """, tree, many)
        return tree
    }

    /// Runs a script that must end well.
    static func must(_ script: Word, _ words: Word...) throws { try must(script, words: words) }

    private static func must(_ script: Word, words: [Word]) throws {
        let finished = try run(["bash", "-euc", script, "card"] + words)
        guard finished.status == 0 else { throw Failure("\(script): \(finished)") }
    }
}

extension Card.Part {
    /// A line of sfdisk's script.
    fileprivate var line: String {
        "start=\(sector), size=\(count), type=\(type)" + (isActive ? ", bootable" : "")
            + (name.isEmpty ? "" : ", name=\"\(name)\"")
    }
}
