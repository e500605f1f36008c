import Format
import TestSupport

/// Ways to damage an image, each of them the same for the same image and seed.
enum Damage {
    /// Where an image's structures lie: its headers, and what stands behind them in the directory.
    struct Regions {
        /// Bytes of the startup header and of the image header, if that one is stored as it is.
        var headers: [Int] = []
        /// Bytes of the directory, or of the packed stream's start, which holds header and directory.
        var directory: [Int] = []
        /// Where the last of them ends.
        var end: Int { (headers + directory).max().map { $0 + 1 } ?? 0 }

        init(_ bytes: [UInt8]) throws {
            let image = try IFS.Image.only(in: bytes)
            if image.startup != nil {
                headers += Int(image.headerOffset)..<Int(image.headerOffset + 256)
            }
            let start = Int(image.storedOffset)
            if image.compression == .none {
                let directory = Int(image.header.directoryOffset)
                headers += start..<(start + directory)
                self.directory += (start + directory)..<(start + Int(image.header.directoryEnd))
            } else {
                directory += start..<min(bytes.count, start + 1000)
            }
        }
    }

    /// Numbers that fields of lengths, offsets and counts break on.
    private static let numbers: [UInt32] = [
        0, 1, 4, 0x7f, 0xff, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fffc, 0xffff_ffff,
    ]

    /// The image after one to four changes: bits, bytes, words, lengths, cuts and insertions.
    static func changed(
        _ bytes: [UInt8], _ regions: Regions, _ random: inout SplitMix64
    ) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<(random.next() % 4 + 1) where !bytes.isEmpty {
            change(&bytes, place(regions, bytes.count, &random), &random)
        }
        return bytes
    }

    /// Three in four changes hit a structure, the others any byte.
    private static func place(
        _ regions: Regions, _ count: Int, _ random: inout SplitMix64
    ) -> Int {
        let structures = random.next() % 2 == 0 ? regions.headers : regions.directory
        if random.next() % 4 != 0, let place = structures.randomElement(using: &random) {
            return min(place, count - 1)
        }
        return Int(random.next() % UInt64(count))
    }

    private static func change(
        _ bytes: inout [UInt8], _ place: Int, _ random: inout SplitMix64
    ) {
        switch random.next() % 12 {
        case 0, 1: bytes[place] ^= 1 << UInt8(random.next() % 8)
        case 2: bytes[place] = UInt8(truncatingIfNeeded: random.next())
        case 3: bytes[place] ^= 0xff
        case 4...7 where bytes.count >= 4:
            let number = numbers[Int(random.next() % UInt64(numbers.count))]
            let word = min(place & ~3, bytes.count - 4)
            bytes.set(number, at: word, isBigEndian: random.next() % 2 == 0)
        case 8 where bytes.count >= 4:
            // A length that is wrong by a little.
            let word = min(place & ~3, bytes.count - 4)
            let change = UInt32(truncatingIfNeeded: Int(random.next() % 65) - 32)
            bytes.set(bytes.integer(UInt32.self, at: word) &+ change, at: word)
        case 9: bytes.insert(contentsOf: [0xff, 0xff, 0xff, 0xff], at: place)
        case 10: bytes.removeSubrange(place..<min(bytes.count, place + Int(random.next() % 40)))
        default:
            if random.next() % 4 == 0 { bytes.removeLast(bytes.count - place) }
        }
    }
}
