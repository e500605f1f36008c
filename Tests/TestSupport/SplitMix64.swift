/// A small generator of random numbers that gives the same ones for the same seed everywhere.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// The sequence of this seed.
    public init(seed: UInt64) { state = seed }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }

    /// Bytes that do not pack, the same ones for the same seed.
    public static func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var random = SplitMix64(seed: seed)
        return random.noise(count)
    }

    /// Bytes that pack to about a third, the same ones for the same seed.
    public static func text(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var random = SplitMix64(seed: seed)
        return random.text(count)
    }

    /// Bytes that do not pack.
    public mutating func noise(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            var place = 0
            while place < count {
                let word = next()
                for shift in stride(from: 0, to: 64, by: 8) where place < count {
                    buffer[place] = UInt8(truncatingIfNeeded: word >> UInt64(shift))
                    place += 1
                }
            }
            filled = count
        }
    }

    /// Bytes that pack to about a third: runs, repeats of what was, and new bytes.
    public mutating func text(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 64)
        while bytes.count < count {
            let length = Int(next() % 40) + 4
            switch next() % 3 {
            case 0: bytes.append(contentsOf: repeatElement(UInt8(next() & 7), count: length))
            case 1 where bytes.count > 100:
                let reach = min(bytes.count, 30_000)
                let start = bytes.count - Int(next() % UInt64(reach)) - 1
                for index in start..<(start + length) { bytes.append(bytes[index]) }
            default: bytes.append(contentsOf: noise(length / 3))
            }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}
