import Format
import TestSupport

/// Builders of packed images for the tests of the decoders.
enum PackedImages {
    static let blockPackings: [Packing] = [
        .lzo(isFast: true), .lzo(isFast: false), .ucl(level: 1), .ucl(level: 5),
    ]
    static let zlibPackings: [Packing] = [
        .zlib(level: 6), .zlib(level: 1, isGzip: false), .zlib(level: 0), .zlib(level: 9),
    ]

    /// An image with one file `data`, just so large that it unpacks to `count` bytes.
    static func image(
        unpackedTo count: Int, _ packing: Packing, blockLengths: [Int] = [],
        _ data: (Int) -> [UInt8] = { SplitMix64.text($0) }
    ) -> ImageBuilder {
        var builder = ImageBuilder([.file("data")])
        let room = count - builder.build().plain.count
        builder.entries = [.file("data", data(room))]
        builder.packing = packing
        builder.blockLengths = blockLengths
        return builder
    }

    /// Bytes of which stretches pack and stretches do not.
    static func mixed(_ count: Int) -> [UInt8] {
        var random = SplitMix64(seed: 77)
        var bytes: [UInt8] = []
        while bytes.count < count {
            bytes += random.next() % 2 == 0 ? random.noise(90_000) : random.text(90_000)
        }
        return Array(bytes.prefix(count))
    }
}

/// Reads `contents` in steps and says where they differ from `plain`, or what is thrown; nil if all
/// is well.
func readingProblem(_ contents: any ByteSource, _ plain: [UInt8], step: Int = 100_000) -> String? {
    guard contents.byteCount == UInt64(plain.count) else { return "\(contents.byteCount) bytes" }
    for start in stride(from: 0, to: plain.count, by: step) {
        let count = min(step, plain.count - start)
        do {
            let found = try contents.bytes(UInt64(count), at: UInt64(start), "plain bytes")
            if let problem = difference(found, plain[start..<(start + count)]) {
                return "from \(start): \(problem)"
            }
        } catch {
            return "from \(start): \(error)"
        }
    }
    return nil
}
