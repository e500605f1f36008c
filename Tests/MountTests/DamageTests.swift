import Foundation
import TestSupport
import Testing

/// Damaged images, mounted for real: refused, or served with errors; never a hang or a crash.
@Suite(.needsFuse, .timeLimit(.minutes(5)))
struct DamageTests {
    static let packings: [Packing] = [
        .none, .zlib(level: 1), .lzo(isFast: true), .ucl(level: 1),
    ]

    /// An image of this packing, and where its parts lie in the file.
    private static func image(_ packing: Packing) -> (bytes: [UInt8], parts: [Range<Int>]) {
        var entries = Samples.everyKind.entries
        for index in 0..<20 {
            entries.append(.file("files/\(index)", SplitMix64.text(9000, seed: UInt64(index))))
        }
        let built = ImageBuilder(entries).with { $0.packing = packing }.build()
        let start = built.startupOffset ?? 0
        var parts = [start..<(start + 64), built.storedOffset..<built.bytes.count]
        if packing == .none {
            parts += [
                built.storedOffset..<(built.storedOffset + 92),
                (built.storedOffset + built.directoryOffset)..<(built.storedOffset
                    + built.directoryEnd),
            ]
        } else if let block = built.blocks.first {
            parts.append((block.offset - 2)..<(block.offset + 200))
        }
        return (built.bytes, parts)
    }

    private static let images = packings.map(image)

    @Test(arguments: 0..<60 as Range<UInt64>)
    func aDamagedImageIsRefusedOrServedWithErrors(seed: UInt64) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        var random = SplitMix64(seed: seed)
        var (bytes, parts) = Self.images[Int(seed) % Self.images.count]
        let part = parts[Int(random.next() % UInt64(parts.count))]
        for _ in 0...(random.next() % 8) {
            let place = part.lowerBound + Int(random.next() % UInt64(part.count))
            bytes[place] = UInt8(truncatingIfNeeded: random.next())
        }
        switch try scratch.attempt(scratch.file("x.ifs", bytes)) {
        case .refused(let finished):
            #expect((34...36).contains(finished.status), "\(finished)")
            #expect(finished.errorText.hasPrefix("mount.ifs: "))
        case .mounted(let mount):
            _ = Look.through(mount.path)
            #expect(try Calls.statistics(mount.path).f_namemax == 255)
            #expect(try mount.unmount().status == 0)
        }
    }
}
