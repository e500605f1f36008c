import Format
import Mkifs
import TestSupport
import Testing

/// Random changes of random images, beside a dictionary.
struct RandomRevisionTests {
    /// A file, directory or link of the model.
    struct Entry: Equatable {
        var mode: UInt32
        var user: UInt32 = 0
        var bytes: [UInt8] = []
        var target: [UInt8] = []
    }

    private struct Model {
        var random: SplitMix64
        var entries: [String: Entry] = [:]
        /// The node of each entry, and whether the image has it.
        var records: [String: Int] = [:]
        var serial = 0

        init(seed: UInt64) { random = SplitMix64(seed: seed) }

        mutating func number(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }

        mutating func content() -> [UInt8] {
            let sizes = [0, 1, 17, 300, 5000]
            return random.text(number(sizes[number(sizes.count)] + 1))
        }

        mutating func name() -> String {
            serial += 1
            return ["a", "m", "z"][number(3)] + "\(serial)"
        }

        /// Paths in a fixed order, so that the seed decides.
        func paths() -> [String] { entries.keys.sorted() }
    }

    private func builder(_ model: inout Model) -> ImageBuilder {
        var entries: [ImageEntry] = []
        for _ in 0..<model.number(20) {
            let name = model.name()
            switch model.number(5) {
            case 0: entries.append(.directory(name))
            case 1: entries.append(.symlink(name, to: "target"))
            default:
                let alignment = [1, 1, 64, 1000][model.number(4)]
                entries.append(
                    .file(name, model.content()).with { $0.alignment = alignment })
            }
        }
        let packings: [Packing] = [.none, .none, .ucl(), .lzo(), .zlib()]
        let packing = packings[model.number(packings.count)]
        let isSorted = model.number(2) == 0
        let isBig = model.number(2) == 0
        let hasDigest = model.number(2) == 0
        if isSorted { entries.sort { $0.path.lexicographicallyPrecedes($1.path) } }
        return ImageBuilder(entries).with {
            $0.packing = packing
            $0.isBigEndian = isBig
            $0.hasImageDigest = hasDigest
            $0.imageFlags = isSorted ? 0x0c : 0x04
        }
    }

    /// Reads the model from an image.
    private func read(_ image: IFS.Image, _ model: inout Model) throws {
        model.entries = [:]
        model.records = [:]
        for (record, path) in image.paths.enumerated() where record > 0 {
            let entry = image.directory.entries[record]
            model.records[path] = record
            model.entries[path] = Entry(
                mode: entry.mode, user: entry.user, bytes: try image.data(of: entry),
                target: Array(image.directory.target(of: entry)))
        }
    }

    /// One random change of the model, and of what the revision is made of.
    private func change(_ model: inout Model) {
        let paths = model.paths()
        let old = paths.isEmpty ? nil : paths[model.number(paths.count)]
        switch (model.number(6), old) {
        case (0, _), (_, nil):
            let path = model.name()
            let kinds = [0o100644, 0o40755, 0o120777] as [UInt32]
            var entry = Entry(mode: kinds[model.number(3)])
            if entry.mode == 0o100644 { entry.bytes = model.content() }
            if entry.mode == 0o120777 { entry.target = [0x74] }
            model.entries[path] = entry
        case (1, let path?):
            model.entries[path] = nil
            model.records[path] = nil
        case (2, let path?):
            let new = model.name()
            let (entry, record) = (model.entries[path], model.records[path])
            (model.entries[path], model.records[path]) = (nil, nil)
            model.entries[new] = entry
            model.records[new] = record
        case (3, let path?):
            let user = UInt32(model.number(100))
            model.entries[path]?.user = user
        case (_, let path?):
            guard model.entries[path]?.mode == 0o100644 else { return }
            let bytes = model.content()
            model.entries[path]?.bytes = bytes
        }
    }

    private func revision(_ model: Model, from image: IFS.Image, _ old: Model) throws -> Revision {
        var revision = Revision()
        let kept = Set(model.records.values)
        revision.removed = image.paths.indices.dropFirst().filter { !kept.contains($0) }
        for path in model.paths() {
            guard let entry = model.entries[path] else { continue }
            let record = model.records[path]
            let before = record.flatMap { record in
                old.records.first { $0.value == record }.flatMap { old.entries[$0.key] }
            }
            let kind: Revision.Kind =
                switch entry.mode & 0xf000 {
                case 0x4000: .directory
                case 0xa000: .symlink(target: entry.target)
                default:
                    before?.bytes == entry.bytes
                        ? .file(.record(record ?? 0)) : .file(.new(.bytes(entry.bytes)))
                }
            var node = Revision.Node(
                Array(path.utf8), kind, mode: entry.mode, user: entry.user, record: record)
            guard let record else {
                if case .file = kind { node.kind = .file(.new(.bytes(entry.bytes))) }
                revision.added.append(node)
                continue
            }
            if before != entry || image.paths[record] != path { revision.changed.append(node) }
        }
        return revision
    }

    @Test(arguments: 0..<300)
    func aChangedImageShowsWhatTheModelHas(seed: Int) throws {
        var model = Model(seed: UInt64(seed))
        var bytes = builder(&model).build().bytes
        for _ in 0..<4 {
            let image = try IFS.Image.only(in: bytes)
            try read(image, &model)
            let old = model
            for _ in 0..<model.number(8) { change(&model) }
            var revision = try revision(model, from: image, old)
            if model.number(2) == 0 { revision = try revision.recognizing(image) }
            let found = try revised(bytes, revision)
            let result = try IFS.Image.only(in: found)
            #expect(result.check() == [])
            var after = model
            try read(result, &after)
            #expect(after.entries == model.entries)
            if revision.isEmpty { #expect(difference(found, bytes) == nil) }
            expectInodesKept(revision, image, result)
            try expectWithin(revision, image, found.count)
            bytes = found
        }
    }

    /// Whatever an image's records say, there is an image or an error.
    @Test(arguments: 0..<40)
    func aDamagedImageGivesAnImageOrAnError(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let name = ["boot-armle", "boot-ppcbe", "plain", "boot-x86"][seed % 4]
        let golden = try Fixtures.goldenImage(name)
        let image = try IFS.Image.only(in: golden)
        let start = Int(image.storedOffset) + 8
        let end = Int(image.storedOffset) + Int(image.header.directoryEnd)
        for _ in 0..<20 {
            var bytes = golden
            for _ in 0...(random.next() % 4) {
                let place = start + Int(random.next() % UInt64(end - start))
                bytes[place] = UInt8(truncatingIfNeeded: random.next())
            }
            guard let image = try? IFS.Image.only(in: bytes) else { continue }
            var revision = Revision()
            let count = UInt64(max(1, image.directory.entries.count))
            revision.removed = [Int(random.next() % count)]
            if var node = Revision.Node(Int(random.next() % count), of: image) {
                node.kind = .file(.new(.bytes(random.text(3000))))
                revision.changed = [node]
            }
            revision.added = (0..<(random.next() % 50)).map {
                Revision.Node(Array("n\($0)".utf8), .directory, mode: 0o40755)
            }
            do {
                let found = try revised(bytes, revision)
                #expect(try IFS.Image.only(in: found).checkSums().allSatisfy { $0.word != "bad" })
                _ = try RevisionRoom(image)
            } catch is MkifsError {}
        }
    }

    private func expectInodesKept(
        _ revision: Revision, _ image: IFS.Image, _ result: IFS.Image
    ) {
        let touched = Set(revision.removed + revision.changed.compactMap(\.record))
        let inodes = Dictionary(
            zip(result.paths, result.directory.entries.map(\.inode)), uniquingKeysWith: { $1 })
        for (record, path) in image.paths.enumerated() where !touched.contains(record) {
            #expect(inodes[path] == image.directory.entries[record].inode)
        }
    }

    private func expectWithin(_ revision: Revision, _ image: IFS.Image, _ count: Int) throws {
        let room = try RevisionRoom(image)
        var (added, growth) = (UInt64(0), UInt64(0))
        for node in revision.added + revision.changed {
            growth += RevisionRoom.recordSize(of: node)
            if case .file(.new(let content)) = node.kind {
                added += try room.mostBytes(of: content)
            }
        }
        let touched = image.directory.entries.reduce(UInt64(0)) { sum, entry in
            guard case .file(_, let size) = entry.kind else { return sum }
            return sum + UInt64(size)
        }
        let number = revision.added.count + revision.changed.count + revision.removed.count
        #expect(
            UInt64(count)
                <= room.mostBytes(added: added, touched: touched, count: number, growth: growth))
    }
}
