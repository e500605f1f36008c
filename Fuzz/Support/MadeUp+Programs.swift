package import Format

extension MadeUp {
    /// `e_type` of an ELF file.
    package enum ProgramType: UInt16, Sendable {
        case relocatable = 1
        case executable = 2
        /// With a `DT_SONAME`, `lib.so.1`.
        case shared = 3
    }

    /// A small ELF file: code, data with room for boot arguments, a section `QNX_info`.
    package static func program(_ type: ProgramType, _ order: ByteOrder) -> [UInt8] {
        var file = [UInt8](repeating: 0, count: 0x1000)
        file.replaceSubrange(0..<7, with: [0x7f, 0x45, 0x4c, 0x46, 1, order == .big ? 2 : 1, 1])
        set([type.rawValue, 40], at: 16, in: &file, order)
        set([1, 0x10_0200, 52, 0xf00, 0] as [UInt32], at: 20, in: &file, order)
        set([52, 32, 3, 40, 3, 2], at: 40, in: &file, order)
        let segments: [[UInt32]] = [
            [1, 0, 0x10_0000, 0, 0x300, 0x300, 5, 0x1000],
            [1, 0x400, 0x10_1400, 0, 0x800, 0x1000, 6, 0x1000],
            [type == .shared ? 2 : 4, 0x400, 0x10_1400, 0, 32, 32, 4, 4],
        ]
        for (index, segment) in segments.enumerated() {
            set(segment, at: 52 + 32 * index, in: &file, order)
        }
        set([5, 0x10_1440, 14, 1, 0, 0, 0, 0] as [UInt32], at: 0x400, in: &file, order)
        let texts = [
            (0x441, "lib.so.1"), (0x480, "ddpvbskr"), (0xd00, "NAME=x"),
            (0xd41, ".shstrtab"), (0xd4b, "QNX_info"),
        ]
        for (place, text) in texts { file.replace(at: place, with: text) }
        set([11, 1, 0, 0, 0xd00, 7, 0, 0, 1, 0] as [UInt32], at: 0xf28, in: &file, order)
        set([1, 3, 0, 0, 0xd40, 0x20, 0, 0, 1, 0] as [UInt32], at: 0xf50, in: &file, order)
        return file
    }

    private static func set(
        _ values: [some FixedWidthInteger], at offset: Int, in file: inout [UInt8],
        _ order: ByteOrder
    ) {
        for (index, value) in values.enumerated() {
            let width = value.bitWidth / 8
            for byte in 0..<width {
                let shift = 8 * (order == .little ? byte : width - 1 - byte)
                file[offset + index * width + byte] = UInt8(truncatingIfNeeded: value >> shift)
            }
        }
    }
}

extension [UInt8] {
    fileprivate mutating func replace(at place: Int, with text: String) {
        replaceSubrange(place..<(place + text.utf8.count), with: Array(text.utf8))
    }
}
