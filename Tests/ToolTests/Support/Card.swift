import Foundation
import TestSupport
import Testing

/// Cards that other makers' tools make: sfdisk and sgdisk, mkfs.fat and mtools, and the writers of QNX
/// file systems in `../shared/tools`.
struct Card {
    static let hasFAT = ["sfdisk", "mkfs.fat", "fsck.fat", "mcopy", "mdel"].allSatisfy(Tool.has)
    static let hasGPT = Tool.has("sgdisk")
    /// Whether QNX file systems can be made as well.
    static let hasAll = hasFAT && Tool.has("python3") && writers != nil
    static let missing: Comment = "no ../shared/tools, sfdisk, mkfs.fat or mtools"

    static let writers: String? = {
        let folder = Fixtures.shared?.appendingPathComponent("tools")
        guard let folder, Fixtures.exists(folder.appendingPathComponent("make-qnx6")),
            Fixtures.exists(folder.appendingPathComponent("make-qnx4"))
        else { return nil }
        return folder.path
    }()

    /// Small images, each with a name of its own inside.
    static func image(_ name: String, noise: Int = 0) -> [UInt8] {
        ImageBuilder([.file(name, "in \(name)\n"), .file("noise", SplitMix64.noise(noise))])
            .build().bytes
    }

    static let fragmented = image("fragmented", noise: 20_000)
    static let capitals = image("capitals")
    static let boot = image("boot")
    static let pieces = image("pieces", noise: 5000)
    static let raw = [image("raw1"), image("raw2")]
    static let loose = image("loose")

    /// Where the parts begin, in sectors: MBR's 1, 2, 3, the extended one, its 5; FAT is first.
    static let sectors = [1: 64, 2: 8256, 3: 10304, 4: 10368, 5: 10432]
    /// Where the image outside all partitions begins.
    static let looseOffset = 0x4000

    let folder: TemporaryFolder
    var path: String { folder.path("card.img") }

    /// Made once; tests change copies.
    private static let whole = Result { try Card(TemporaryFolder()).make("--time 1") }
    private static let inPieces = Result { try Card(TemporaryFolder()).make("--fragment 3") }
    private static let onlyFAT = Result { try Card(TemporaryFolder()).makeFAT() }

    /// A FAT16 with an image in pieces and one called in capitals, a QNX 6 with one in `/.boot`, two
    /// in a partition of their own, a QNX 4 in a logical one, and one outside. The file of QNX 4 may be
    /// in pieces as well; then its writer has blocks marked that nothing has.
    init(isInPieces: Bool = false) throws {
        folder = try TemporaryFolder()
        try folder.write((isInPieces ? Self.inPieces : Self.whole).get(), to: "card.img")
    }

    /// A FAT16 alone.
    static func fat() throws -> Card {
        let card = try Card(TemporaryFolder())
        try card.folder.write(onlyFAT.get(), to: "card.img")
        return card
    }

    /// Makes the first, with options for the writer of the QNX 4.
    private func make(_ options: String) throws -> [UInt8] {
        for (name, bytes) in [
            ("a.ifs", Self.fragmented), ("b.ifs", Self.capitals), ("c.ifs", Self.boot),
            ("d.ifs", Self.pieces), ("raw", Self.raw[0] + Self.raw[1]), ("loose", Self.loose),
        ] { try folder.write(bytes, to: name) }
        try bash(
            """
            truncate -s $((12544 * 512)) card.img
            printf '%s\n' 'label: dos' 'start=64, size=8192, type=6, bootable' \
                'start=8256, size=2048, type=b3' 'start=10304, size=64, type=83' \
                'start=10368, size=2112, type=f' 'start=10432, size=2048, type=4f' |
                sfdisk --quiet card.img
            place() { dd if=$1 of=card.img bs=512 seek=$2 conv=notrunc status=none; }
            \(Self.fatScript)
            place fat.img 64
            mkdir -p six/.boot six/etc; cp c.ifs six/.boot/primary; echo text > six/etc/file.ifs
            python3 "$WRITERS/make-qnx6" six six.img --size 1048576 --label system > /dev/null
            place six.img 8256
            place raw 10304
            mkdir -p four/etc; cp d.ifs four/etc/ifs-four.bin; ln four/etc/ifs-four.bin four/etc/z.ifs
            python3 "$WRITERS/make-qnx4" four four.img --blocks 2048 \(options) > /dev/null
            place four.img 10432
            place loose \(Self.looseOffset / 512)
            """)
        return try folder.bytes("card.img")
    }

    private func makeFAT() throws -> [UInt8] {
        try folder.write(Self.fragmented, to: "a.ifs")
        try folder.write(Self.capitals, to: "b.ifs")
        try bash(Self.fatScript)
        return try folder.bytes("fat.img")
    }

    init(_ folder: TemporaryFolder) { self.folder = folder }

    /// 4 MiB with clusters of 512 bytes; the free ones of the first files are those of `board.ifs`.
    private static let fatScript = """
        export MTOOLSRC=/dev/null TZ=UTC
        truncate -s 4M fat.img; mkfs.fat -F16 -s1 -n 'CARD 1' --invariant fat.img > /dev/null
        mkdir -p fat/boot; echo text > fat/notes.ifs.txt; head -c 3000 a.ifs > fat/filler
        mmd -i fat.img ::boot
        for number in 1 2 3 4 5 6; do mcopy -i fat.img fat/filler ::boot/filler$number; done
        for number in 1 3 5; do mdel -i fat.img ::boot/filler$number; done
        mcopy -i fat.img a.ifs ::boot/board.ifs; mcopy -i fat.img b.ifs ::QNX-IFS
        mcopy -i fat.img fat/notes.ifs.txt ::; mcopy -i fat.img b.ifs ::other.bin
        """

    /// Runs a script in the folder; it must end well.
    @discardableResult
    func bash(_ script: String) throws -> String {
        var child = Child(["bash", "-euo", "pipefail", "-c", script])
        child.folder = folder.url
        child.environment["WRITERS"] = Self.writers ?? ""
        let outcome = try child.run()
        try #require(
            outcome.end == .exit(0), "\(outcome.text) \(outcome.complaints.joined(separator: " "))")
        return outcome.text
    }

    /// Runs a judge, which may find something.
    func judge(_ words: String...) throws -> Child.Outcome {
        var child = Child(words)
        child.folder = folder.url
        return try child.run()
    }

    /// Writes over bytes of the card.
    func write(_ bytes: [UInt8], at offset: Int) throws {
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try file.seek(toOffset: UInt64(offset))
        try file.write(contentsOf: Data(bytes))
        try file.close()
    }

    /// The number at a place of the card.
    func number<Value: FixedWidthInteger>(_ type: Value.Type, at offset: Int) throws -> Value {
        try folder.bytes("card.img").integer(type, at: offset)
    }

    /// What a tool prints of an image that is a file of its own.
    func alone(_ image: [UInt8], _ words: [String]) throws -> Child.Outcome {
        try folder.write(image, to: "alone.ifs")
        return try judge([Tool.path(words[0])] + words.dropFirst() + ["alone.ifs"])
    }

    private func judge(_ words: [String]) throws -> Child.Outcome {
        var child = Child(words)
        child.folder = folder.url
        return try child.run()
    }
}
