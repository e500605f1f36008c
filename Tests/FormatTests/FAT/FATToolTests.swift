import Format
import Foundation
import TestSupport
import Testing

/// Volumes that mkfs.fat and mtools make, against the files that went in, and dosfstools' own check
/// against ours. Skipped where the programs are absent.
@Suite(.enabled(if: HostTool.hasFATTools, "no mkfs.fat, fsck.fat or mcopy"))
struct FATToolTests {
    /// What a volume is made with.
    struct Shape: Sendable, CustomTestStringConvertible {
        let kilobytes: Int
        let options: [String]
        var testDescription: String { "\(kilobytes) KiB, \(options)" }
    }

    static let shapes = [
        Shape(kilobytes: 4000, options: ["-F12"]),
        Shape(kilobytes: 8000, options: ["-F12", "-s8"]),
        Shape(kilobytes: 16000, options: ["-F16"]),
        Shape(kilobytes: 40000, options: ["-F16", "-S2048", "-s2", "-r1024"]),
        Shape(kilobytes: 40000, options: ["-F32", "-s1"]),
        Shape(kilobytes: 300_000, options: ["-F32", "-S4096", "-f1"]),
    ]

    /// Makes a volume and fills it from a folder.
    static func make(_ shape: Shape, at image: String, from folder: String?) throws {
        let size = [image, "\(shape.kilobytes)"]
        let made = try HostTool.run(
            ["mkfs.fat", "-C", "-n", "THE LABEL", "-i", "1a2b3c4d"] + shape.options + size)
        try #require(made.status == 0, "\(made.output)")
        guard let folder else { return }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        let copied = try HostTool.run(
            ["mcopy", "-s", "-m", "-Q", "-i", image] + names.map { folder + "/" + $0 } + ["::/"])
        try #require(copied.status == 0, "\(copied.output)")
    }

    static func open(_ path: String, _ options: FAT.Options = .init()) throws -> FAT.Volume {
        try FAT.Volume(FileSource(taking: Foundation.open(path, O_RDONLY)), options)
    }

    /// Words that names are made of; in any case they stay apart.
    private static let words = [
        "README", "Makefile", "a", "boot loader", "grün", "日本語", "file.tar.gz", ".profile",
        "UPPER.TXT", "lower.c", "Mixed.Case", "Łódź", "with+plus,comma", "über alles.TXT",
        "a name that is longer than thirteen units.text", "QNX-IFS", "MLO", "x~1",
    ]

    /// Fills a folder with files and directories by chance; returns their paths, `nil` for what is a
    /// directory.
    static func grow(_ folder: String, seed: UInt64, count: Int) throws -> [String: [UInt8]?] {
        var random = SplitMix64(seed: seed)
        var found: [String: [UInt8]?] = [:]
        var folders = [""]
        for number in 0..<count {
            let word = words[Int(random.next() % UInt64(words.count))]
            let name = number % 3 == 0 ? "\(number) \(word)" : "\(word)\(number)"
            let path = folders[Int(random.next() % UInt64(folders.count))] + name
            if random.next() % 6 == 0 {
                try FileManager.default.createDirectory(
                    atPath: folder + "/" + path, withIntermediateDirectories: false)
                folders.append(path + "/")
                found[path] = .some(nil)
            } else {
                let sizes: [UInt64] = [1, 600, 5000, 40_000]
                let size = random.next() % sizes[Int(random.next() % 4)]
                let data = random.noise(Int(size))
                try Data(data).write(to: URL(fileURLWithPath: folder + "/" + path))
                found[path] = data
            }
        }
        let time = Date(timeIntervalSince1970: 1_700_000_000)
        for path in found.keys {
            try FileManager.default.setAttributes(
                [.modificationDate: time], ofItemAtPath: folder + "/" + path)
        }
        return found
    }

    @Test(arguments: shapes)
    func everyFileIsTheOneThatWentIn(shape: Shape) throws {
        let scratch = try ScratchFolder()
        let (folder, image) = (scratch.path + "/in", scratch.path + "/image")
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false)
        let files = try Self.grow(folder, seed: UInt64(shape.kilobytes), count: 120)
        try Self.make(shape, at: image, from: folder)
        let volume = try Self.open(image)
        let found = try volume.walk()
        #expect(Set(found.map(\.path)) == Set(files.keys))
        for (path, node) in found {
            let attributes = try #require(try volume.attributes(of: node))
            guard let expected = files[path] else { continue }
            #expect((attributes.kind == .directory) == (expected == nil), "\(path)")
            if let expected {
                #expect(difference(try volume.contents(of: node), expected) == nil, "\(path)")
                #expect(attributes.modified == 1_700_000_000, "\(path)")
            }
            #expect(try volume.node(at: path.uppercased()) == node, "\(path)")
        }
        #expect(volume.check() == [])
        let judge = try HostTool.run("fsck.fat", "-n", image)
        #expect(judge.status == 0, "\(judge.output)")
        #expect(try volume.extendedAttribute("fat.label", of: .root) == Array("THE LABEL".utf8))
        #expect(try volume.extendedAttribute("fat.serial", of: .root) == Array("1A2B-3C4D".utf8))
        try Self.compareStatistics(volume, judge.output)
    }

    /// The last line of fsck.fat: `IMAGE: 3 files, 4/5 clusters`; directories count as files.
    private static func compareStatistics(_ volume: FAT.Volume, _ text: String) throws {
        let line = try #require(text.split(separator: "\n").last)
        let numbers = line.split { !$0.isNumber }.suffix(3).compactMap { UInt64($0) }
        try #require(numbers.count == 3)
        let statistics = volume.statistics
        let size = volume.geometry.clusterSize
        #expect(statistics.nodeCount == numbers[0] || statistics.nodeCount == numbers[0] + 1)
        #expect(statistics.byteCount == numbers[2] * size)
        #expect(statistics.freeByteCount == (numbers[2] - numbers[1]) * size)
    }

    /// Directories of many entries, some of them deleted again, with parts of names left between.
    @Test func entriesThatCameAndWentAreThoseThatMdirLists() throws {
        let scratch = try ScratchFolder()
        let (folder, image) = (scratch.path + "/in", scratch.path + "/image")
        try FileManager.default.createDirectory(
            atPath: folder + "/d", withIntermediateDirectories: true)
        for number in 0..<300 {
            try Data([UInt8(number & 255)]).write(
                to: URL(fileURLWithPath: folder + "/d/file number \(number)"))
        }
        try Self.make(Shape(kilobytes: 16000, options: ["-F16"]), at: image, from: folder)
        for number in stride(from: 0, to: 300, by: 7) {
            try HostTool.mustRun("mdel", "-i", image, "::/d/file number \(number)")
        }
        try HostTool.mustRun("mattrib", "+r", "+h", "-i", image, "::/d/file number 1")
        let volume = try Self.open(image)
        let node = try #require(try volume.node(at: "d"))
        let names = try volume.list(node).map { String(decoding: $0.name, as: UTF8.self) }
        let listed = try HostTool.run("mdir", "-b", "-a", "-i", image, "::/d").output
            .split(separator: "\n").map { String($0.dropFirst("::/d/".count)) }
        #expect(names == listed && names.count == 300 - 43)
        let file = try #require(try volume.node(at: "d/file number 1"))
        #expect(try volume.attributes(of: file)?.permissions == 0o555)
        #expect(try volume.extendedAttribute("fat.attributes", of: file) == Array("RHA".utf8))
        #expect(volume.check() == [])
    }

    /// mtools writes short names in code page 850.
    @Test func shortNamesAreInTheCodePageThatIsAskedFor() throws {
        let scratch = try ScratchFolder()
        let (file, image) = (scratch.path + "/ÓÖ.TXT", scratch.path + "/image")
        try Data([1]).write(to: URL(fileURLWithPath: file))
        try Self.make(Shape(kilobytes: 4000, options: ["-F12"]), at: image, from: nil)
        try HostTool.mustRun("mcopy", "-i", image, file, "::/")
        for (page, name) in [(FAT.CodePage.cp850, "ÓÖ.TXT"), (.cp437, "αÖ.TXT")] {
            let volume = try Self.open(image, .init(codePage: page))
            #expect(try volume.list(.root).map(\.name) == [Array(name.utf8)])
            #expect(try volume.lookup(Array(name.lowercased().utf8), in: .root) != nil)
        }
    }

    // MARK: fsck.fat

    static let judged: [FATCheckTests.Damage] = FATCheckTests.damages.filter {
        // Of these fsck.fat says nothing.
        ![
            "signature", "end", "media", "short name", "long name", "dot's kind", "dot's case",
            "errors 16",
            "errors 32", "dirty 16", "dirty 32", "backup's place", "bad link",
        ].contains($0.name)
    }

    /// What we tell of damage by hand, dosfstools tells too.
    @Test(arguments: judged)
    func fsckFindsFaultWithWhatWeDo(damage: FATCheckTests.Damage) throws {
        let scratch = try ScratchFolder()
        var image = FATCheckTests.image(bits: damage.bits)
        let path = scratch.path + "/image"
        try Data(image.bytes).write(to: URL(fileURLWithPath: path))
        let good = try HostTool.run("fsck.fat", "-n", path)
        #expect(good.status == 0, "\(good.output)")
        damage.change(&image)
        try Data(image.bytes).write(to: URL(fileURLWithPath: path))
        let bad = try HostTool.run("fsck.fat", "-n", path)
        // What it does not correct by itself it tells without an exit status.
        let more = bad.output.split(separator: "\n").count
        #expect(bad.status != 0 || more > good.output.split(separator: "\n").count, "\(bad.output)")
    }

    /// Damage by chance in tables and directories: where fsck.fat finds fault, so do we.
    @Test(arguments: [0, 1, 2, 3, 4, 5, 6, 7])
    func whatFsckFindsWeFindToo(seed: UInt64) throws {
        let scratch = try ScratchFolder()
        let path = scratch.path + "/image"
        let image = FATCheckTests.image(bits: 12)
        var random = SplitMix64(seed: seed)
        for _ in 0..<12 {
            var bytes = image.bytes
            // The first table and its copy, the entries of the root, those of the directory.
            let places = [0x200 + 3..<0x200 + 15, 0x600..<0x6a0, 0x1800..<0x1860]
            let place = try #require(
                places[Int(random.next() % 3)].randomElement(using: &random))
            let mask = UInt8(truncatingIfNeeded: random.next()) | 1
            bytes[place] ^= mask
            if place < 0x400 { bytes[place + 0x200] ^= mask }
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            let judge = try HostTool.run("fsck.fat", "-n", path)
            guard judge.status != 0 else { continue }
            let faults = try FAT.Volume(MemorySource(bytes)).check()
            #expect(!faults.isEmpty, "\(hex(place)) ^ \(mask): \(judge.output)")
        }
    }
}
