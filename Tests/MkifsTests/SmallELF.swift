import Format
import Mkifs
import TestSupport

/// A small ELF file, put together from program headers and sections.
///
/// The bytes of the file count up from 1, so that what was copied shows where it came from.
struct SmallELF {
    /// One program header; `p_paddr` is 0x5000_0000 above `p_vaddr`.
    struct Segment {
        var type: UInt32
        var flags: UInt32 = 4
        var offset: UInt64
        var address: UInt64
        var fileSize: UInt64
        var memorySize: UInt64?
        var alignment: UInt64 = 0x1000
    }

    struct Section {
        var name: String
        var flags: UInt64 = 0
        var offset: UInt64
        var size: UInt64
    }

    var is64Bit = true
    var isBigEndian = false
    /// `e_type`: 1 relocatable, 2 executable, 3 shared.
    var type: UInt16 = 3
    var entry: UInt64 = 0x1000
    var segments: [Segment] = []
    var sections: [Section] = []
    /// Bytes that stand at offsets of their own.
    var texts: [(offset: Int, bytes: [UInt8])] = []
    /// Bytes in front of the section names and headers.
    var size = 0x4000

    static let load: UInt32 = 1
    static let dynamic: UInt32 = 2
    static let interpreter: UInt32 = 3
    static let note: UInt32 = 4
    static let relro: UInt32 = 0x6474_e552

    /// A program that runs at any address, as 7.0 and later link them: text over the header, data a
    /// page further than its offset, and headers that speak of parts of both.
    static let movable = SmallELF(segments: [
        Segment(type: interpreter, offset: 0x200, address: 0x200, fileSize: 0x17, alignment: 1),
        Segment(type: load, flags: 5, offset: 0, address: 0, fileSize: 0x1234),
        Segment(
            type: load, flags: 6, offset: 0x1f00, address: 0x2f00, fileSize: 0x110,
            memorySize: 0x400),
        Segment(
            type: dynamic, flags: 6, offset: 0x1f10, address: 0x2f10, fileSize: 0x80, alignment: 8),
        Segment(type: note, offset: 0x220, address: 0x220, fileSize: 0x20, alignment: 4),
        Segment(type: relro, offset: 0x1f00, address: 0x2f00, fileSize: 0x100, alignment: 1),
        Segment(type: 0x6474_e551, flags: 6, offset: 0, address: 0, fileSize: 0, alignment: 16),
    ])

    /// A shared object of the same parts: nothing names an interpreter.
    static var library: SmallELF {
        var file = movable
        file.segments.removeFirst()
        return file
    }

    /// The library with a name for itself.
    static func library(named name: String) -> SmallELF {
        var file = library
        var table: [UInt8] = []
        // DT_STRTAB and DT_SONAME.
        for value in [5, 0x300, 14, 0x10, 0, 0] as [UInt64] {
            table.append(value, isBigEndian: false)
        }
        file.texts = [(0x1f10, table), (0x310, Array(name.utf8) + [0])]
        return file
    }

    /// A program of 32 bits at an address of its own.
    static let fixed = SmallELF(
        is64Bit: false, type: 2,
        segments: [
            Segment(type: interpreter, offset: 0x114, address: 0x100114, fileSize: 0x14),
            Segment(type: load, flags: 5, offset: 0, address: 0x10_0000, fileSize: 0x1234),
            Segment(
                type: load, flags: 6, offset: 0x1f00, address: 0x10_2f00, fileSize: 0x110,
                memorySize: 0x400),
        ])

    // MARK: Bytes

    var bytes: [UInt8] {
        var file = (0..<size).map { UInt8(truncatingIfNeeded: $0 &+ $0 >> 8 &+ 1) }
        for text in texts { file.set(text.bytes, at: text.offset) }
        var names: [UInt8] = [0]
        var places: [Int] = []
        for section in sections + [Section(name: ".shstrtab", offset: 0, size: 0)] {
            places.append(names.count)
            names += Array(section.name.utf8) + [0]
        }
        let namesAt = file.count
        file += names
        file.pad(to: 8)
        let tableAt = file.count
        if !sections.isEmpty {
            var rows = [Row(0, type: 0, flags: 0, offset: 0, size: 0)]
            for (section, place) in zip(sections, places) {
                rows.append(
                    Row(
                        place, type: 1, flags: section.flags, offset: section.offset,
                        size: section.size))
            }
            rows.append(
                Row(
                    places[sections.count], type: 3, flags: 0, offset: UInt64(namesAt),
                    size: UInt64(names.count)))
            for row in rows { file += self.row(row) }
        }
        file.set(header(tableAt: tableAt), at: 0)
        return file
    }

    var file: ELFFile {
        get throws { try ELFFile(MemorySource(bytes)) }
    }

    private struct Row {
        var name: Int
        var type: UInt32
        var flags: UInt64
        var offset: UInt64
        var size: UInt64

        init(_ name: Int, type: UInt32, flags: UInt64, offset: UInt64, size: UInt64) {
            self.name = name
            self.type = type
            self.flags = flags
            self.offset = offset
            self.size = size
        }
    }

    private func wide(_ value: UInt64) -> [UInt8] {
        is64Bit
            ? [UInt8](value, isBigEndian: isBigEndian)
            : [UInt8](UInt32(truncatingIfNeeded: value), isBigEndian: isBigEndian)
    }

    private func word(_ value: UInt32) -> [UInt8] { [UInt8](value, isBigEndian: isBigEndian) }
    private func half(_ value: UInt16) -> [UInt8] { [UInt8](value, isBigEndian: isBigEndian) }

    private func row(_ row: Row) -> [UInt8] {
        word(UInt32(row.name)) + word(row.type) + wide(row.flags) + wide(0) + wide(row.offset)
            + wide(row.size) + word(0) + word(0) + wide(1) + wide(0)
    }

    private func header(tableAt: Int) -> [UInt8] {
        let hasSections = !sections.isEmpty
        let size: UInt16 = is64Bit ? 64 : 52
        var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, is64Bit ? 2 : 1, isBigEndian ? 2 : 1, 1]
        bytes += [UInt8](repeating: 0, count: 9) + half(type) + half(is64Bit ? 62 : 3) + word(1)
        bytes += wide(entry) + wide(UInt64(size)) + wide(hasSections ? UInt64(tableAt) : 0)
        bytes += word(0) + half(size) + half(is64Bit ? 56 : 32) + half(UInt16(segments.count))
        bytes += half(is64Bit ? 64 : 40) + half(hasSections ? UInt16(sections.count + 2) : 0)
        bytes += half(hasSections ? UInt16(sections.count + 1) : 0)
        for segment in segments { bytes += self.segment(segment) }
        return bytes
    }

    private func segment(_ segment: Segment) -> [UInt8] {
        let sizes = wide(segment.fileSize) + wide(segment.memorySize ?? segment.fileSize)
        return word(segment.type) + (is64Bit ? word(segment.flags) : []) + wide(segment.offset)
            + wide(segment.address) + wide(segment.address + 0x5000_0000) + sizes
            + (is64Bit ? [] : word(segment.flags)) + wide(segment.alignment)
    }
}
