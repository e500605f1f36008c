import Foundation
import TestSupport

/// An image that damage starts from.
struct SoundImage: Sendable {
    let name: String
    let bytes: [UInt8]
    /// What makes it, where that is here: it can be damaged before it is packed, too.
    var builder: ImageBuilder?

    /// Images of our own: golden ones of another maker, and some that are made here.
    static let own: [SoundImage] = generated + golden

    /// Images of real systems; none where they are absent.
    static let shared: [SoundImage] = Fixtures.sharedImages().compactMap { name in
        // What cannot be read is absent.
        (try? Fixtures.bytes(Fixtures.sharedImage(name))).map { SoundImage(name: name, bytes: $0) }
    }

    private static let golden: [SoundImage] = Fixtures.goldenCases.compactMap { name in
        // As above: another suite reads them all.
        (try? Fixtures.goldenImage(name)).map { SoundImage(name: name, bytes: $0) }
    }

    private static let generated: [SoundImage] = {
        let packings: [(name: String, packing: Packing)] = [
            ("plain", .none), ("zlib", .zlib(level: 1)), ("lzo", .lzo(isFast: true)),
            ("ucl", .ucl(level: 1)),
        ]
        return packings.flatMap { name, packing in
            builders.map { kind, builder in
                let builder = builder.with { $0.packing = packing }
                return SoundImage(
                    name: "\(name) \(kind)", bytes: builder.build().bytes, builder: builder)
            }
        }
    }()

    private static let builders: [(name: String, builder: ImageBuilder)] = {
        var large: [ImageEntry] = [.file("noise", SplitMix64.noise(30_000))]
        for index in 0..<6 {
            large.append(.file("files/\(index)", SplitMix64.text(70_000, seed: UInt64(index))))
        }
        return [
            ("kinds", Samples.everyKind),
            ("tree", ImageBuilder(RandomTree.entries(count: 80, seed: 7))),
            ("large", ImageBuilder(large)),
            ("split", ImageBuilder(large).with { $0.blockLengths = [65536, 61440, 4096, 40000] }),
            ("big-endian", ImageBuilder(large).with { $0.isBigEndian = true }),
        ]
    }()
}

/// A seed's image: one that was sound, and what was done to it.
struct DamagedImage {
    let seed: UInt64
    /// One line that tells what it is.
    let description: String
    private(set) var bytes: [UInt8]
    /// What the sound image holds.
    let before: Reading

    /// Every fifth seed takes an image of a real system where there are some.
    init(seed: UInt64) throws {
        self.seed = seed
        var random = SplitMix64(seed: seed)
        let images =
            seed % 5 == 4 && !SoundImage.shared.isEmpty ? SoundImage.shared : SoundImage.own
        let image = images[Int(random.next() % UInt64(images.count))]
        bytes = image.bytes
        guard let before = Reading.all(of: bytes).first else {
            throw Failure("\(image.name) cannot be read")
        }
        self.before = before
        let way = Way.allCases.randomElement(using: &random)!
        description = "seed \(seed), \(image.name), \(way)"
        if way == .beforePacking, let builder = image.builder {
            pack(builder, &random)
        } else {
            harm(way, &random)
        }
    }

    enum Way: CaseIterable {
        case bitsOfTheHeader, bitsOfTheDirectory, bitsOfTheData, moreBitsOfTheData
        case noiseInTheData, zerosInTheData, noiseAnywhere
        case cutInTheData, cutAnywhere
        case doubledLength, doubledFile, beforePacking
    }

    // MARK: Where

    /// The startup header's fields, and those of the image header where it is not packed.
    private var header: [Range<Int>] {
        var parts = before.startup.map { [$0..<($0 + 64)] } ?? []
        parts.append(before.origin..<(before.origin + (before.code == 0 ? 92 : 20)))
        return parts
    }

    /// The directory, or the start of the stream that it is packed in.
    private var directory: Range<Int> {
        let end = before.origin + (before.code == 0 ? before.directoryEnd : 400)
        return before.origin..<min(bytes.count, end)
    }

    /// All behind the directory; of a packed image, the latter three quarters.
    private var data: Range<Int> {
        let start =
            before.code == 0
            ? directory.upperBound : before.origin + (bytes.count - before.origin) / 4
        return min(start, bytes.count - 1)..<bytes.count
    }

    /// Where lengths, sizes and offsets stand, and how many bytes they have.
    private var fields: [(place: Int, count: Int)] {
        var fields = before.lengths.map { ($0, 2) }
        if let startup = before.startup { fields += [32, 36, 44].map { (startup + $0, 4) } }
        if before.code == 0 {
            fields += [8, 12, 16].map { (before.origin + $0, 4) }
            for record in before.records { fields.append((before.origin + record.place, 2)) }
        }
        return fields
    }

    // MARK: What

    private mutating func harm(_ way: Way, _ random: inout SplitMix64) {
        switch way {
        case .bitsOfTheHeader: flip(header.randomElement(using: &random)!, &random)
        case .bitsOfTheDirectory: flip(directory, &random)
        case .bitsOfTheData, .moreBitsOfTheData: flip(data, &random)
        case .noiseInTheData: overwrite(data, &random) { $0.noise($1) }
        case .zerosInTheData:
            overwrite(data, &random) { random, count in
                [UInt8](repeating: random.next() % 2 == 0 ? 0 : 0xff, count: count)
            }
        case .noiseAnywhere, .beforePacking:
            overwrite(0..<bytes.count, &random) { $0.noise($1) }
        case .cutInTheData: bytes.removeLast(bytes.count - data.randomElement(using: &random)!)
        case .cutAnywhere: bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
        case .doubledLength: double(fields.randomElement(using: &random)!)
        case .doubledFile:
            // Without a record to reach, some other length.
            let files = before.code == 0 ? before.records.filter { $0.data.count > 0 } : []
            let field = files.randomElement(using: &random).map {
                (before.origin + $0.place + [24, 28][Int(random.next() % 2)], 4)
            }
            double(field ?? fields.randomElement(using: &random)!)
        }
    }

    private mutating func flip(_ range: Range<Int>, _ random: inout SplitMix64) {
        for _ in 0...(random.next() % 4) {
            bytes[range.randomElement(using: &random)!] ^= 1 << UInt8(random.next() % 8)
        }
    }

    private mutating func overwrite(
        _ range: Range<Int>, _ random: inout SplitMix64,
        _ filling: (inout SplitMix64, Int) -> [UInt8]
    ) {
        let start = range.randomElement(using: &random)!
        let count = 1 << Int(random.next() % 15)
        bytes.set(filling(&random, min(count, bytes.count - start)), at: start)
    }

    /// The length of a packed block is big-endian in every image.
    private mutating func double(_ field: (place: Int, count: Int)) {
        let isBlock = field.count == 2 && before.code > 0
        let isBigEndian =
            before.startup.map { bytes[$0] == 0 } ?? (bytes[before.origin + 7] & 1 != 0) || isBlock
        if field.count == 2 {
            let value = bytes.integer(UInt16.self, at: field.place, isBigEndian: isBigEndian)
            bytes.set(value &* 2, at: field.place, isBigEndian: isBigEndian)
        } else {
            let value = bytes.integer(UInt32.self, at: field.place, isBigEndian: isBigEndian)
            bytes.set(value &* 2, at: field.place, isBigEndian: isBigEndian)
        }
    }

    /// Damages header or directory, and packs them as if nothing were wrong.
    private mutating func pack(_ builder: ImageBuilder, _ random: inout SplitMix64) {
        var structure = Array(before.bytes[..<before.directoryEnd])
        for _ in 0...(random.next() % 3) {
            let place = Int.random(in: 8..<structure.count, using: &random)
            structure[place] = UInt8(truncatingIfNeeded: random.next())
        }
        bytes = builder.with { $0.imagePatches = [.init(0, structure)] }.build().bytes
    }
}
