/// A small ELF file with as much in it as mkifs looks at: one segment of text, one of data if it has
/// any, a name of its own, sections.
public struct ELFStandIn: Sendable {
    /// `e_type`.
    public enum Kind: UInt16, Sendable {
        case relocatable = 1
        case executable = 2
        case shared = 3
    }

    /// What `e_type` says.
    public var kind: Kind
    /// The class.
    public var is64Bit = true
    /// The byte order.
    public var isBigEndian = false
    /// `e_machine`.
    public var machine: UInt16 = 62
    /// Where the text lies and the program starts.
    public var address: UInt64 = 0x10_0000
    /// What runs.
    public var text = [UInt8](repeating: 0x90, count: 64)
    /// What lies behind the text on a page of its own; nothing for no second segment.
    public var data: [UInt8] = []
    /// `DT_SONAME`.
    public var soname: String?
    /// Further sections, by name.
    public var sections: [(name: String, bytes: [UInt8])] = []

    /// A file of a kind, as `change` leaves it.
    public init(_ kind: Kind, _ change: (inout ELFStandIn) -> Void = { _ in }) {
        self.kind = kind
        change(&self)
    }

    /// Where mkifs puts the command line of a boot program.
    public static let placeHolder = Array("ddpvbskr".utf8) + [UInt8](repeating: 0, count: 512)

    /// The whole file.
    public var bytes: [UInt8] {
        var file = [UInt8](repeating: 0, count: Int(textOffset))
        let text = loadedText
        file += text.bytes
        var segments: [Segment] = []
        if kind != .relocatable {
            segments.append(
                Segment(type: 1, flags: 5, textOffset, address, UInt64(text.bytes.count)))
        }
        var dataAddress: UInt64 = 0
        if !data.isEmpty {
            file.pad(to: 4096)
            dataAddress = (address + UInt64(text.bytes.count) + 4095) & ~4095
            segments.append(
                Segment(type: 1, flags: 6, UInt64(file.count), dataAddress, UInt64(data.count)))
            file += data
        }
        if let dynamic = text.dynamic {
            segments.append(
                Segment(
                    type: 2, flags: 4, textOffset + dynamic.start, address + dynamic.start,
                    dynamic.count))
        }
        let table = appendSections(to: &file, textSize: text.bytes.count)
        var head = header(segments.count, table)
        for segment in segments { head += bytes(of: segment) }
        file.set(head, at: 0)
        return file
    }

    // MARK: Parts

    private struct Segment {
        let type, flags: UInt32
        let offset, address, size: UInt64

        init(type: UInt32, flags: UInt32, _ offset: UInt64, _ address: UInt64, _ size: UInt64) {
            self.type = type
            self.flags = flags
            self.offset = offset
            self.address = address
            self.size = size
        }
    }

    private var textOffset: UInt64 { 0x1000 + address % 0x1000 }

    /// The text, and behind it what gives the file its name.
    private var loadedText: (bytes: [UInt8], dynamic: (start: UInt64, count: UInt64)?) {
        guard let soname else { return (text, nil) }
        var bytes = text
        bytes.pad(to: 8)
        let strings = address + UInt64(bytes.count)
        bytes += [0] + Array(soname.utf8) + [0]
        bytes.pad(to: 8)
        let start = UInt64(bytes.count)
        for value in [14, 1, 5, strings, 10, UInt64(soname.utf8.count) + 2, 0, 0] {
            append(value, to: &bytes)
        }
        return (bytes, (start, UInt64(bytes.count) - start))
    }

    /// Adds sections, their names and their table; tells where the table is and how long.
    private func appendSections(
        to file: inout [UInt8], textSize: Int
    ) -> (offset: UInt64, count: UInt16) {
        let start = kind == .relocatable ? 0 : address
        var headers = [[UInt8]](arrayLiteral: section(0, 0, 0, 0, 0, 0))
        var names: [UInt8] = [0]
        func name(_ text: String) -> UInt32 {
            names += Array(text.utf8) + [0]
            return UInt32(names.count - text.utf8.count - 1)
        }
        headers.append(section(name(".text"), 1, 6, start, textOffset, UInt64(textSize)))
        for (text, bytes) in sections {
            headers.append(
                section(name(text), 1, 0, 0, UInt64(file.count), UInt64(bytes.count)))
            file += bytes
        }
        let last = name(".shstrtab")
        headers.append(section(last, 3, 0, 0, UInt64(file.count), UInt64(names.count)))
        file += names
        file.pad(to: 8)
        let table = UInt64(file.count)
        for header in headers { file += header }
        return (table, UInt16(headers.count))
    }

    // MARK: Records

    private func header(_ segmentCount: Int, _ table: (offset: UInt64, count: UInt16)) -> [UInt8] {
        var head: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, is64Bit ? 2 : 1, isBigEndian ? 2 : 1, 1]
        head += [UInt8](repeating: 0, count: 9)
        append(kind.rawValue, to: &head)
        append(machine, to: &head)
        append(UInt32(1), to: &head)
        append(kind == .relocatable ? 0 : address, to: &head)
        append(segmentCount == 0 ? 0 : UInt64(is64Bit ? 64 : 52), to: &head)
        append(table.offset, to: &head)
        append(UInt32(0), to: &head)
        let sizes: [UInt16] = is64Bit ? [64, 56] : [52, 32]
        for half in sizes + [UInt16(segmentCount), is64Bit ? 64 : 40, table.count, table.count - 1]
        {
            append(half, to: &head)
        }
        return head
    }

    private func bytes(of segment: Segment) -> [UInt8] {
        var bytes: [UInt8] = []
        append(segment.type, to: &bytes)
        if is64Bit { append(segment.flags, to: &bytes) }
        for value in [segment.offset, segment.address, segment.address, segment.size, segment.size]
        {
            append(value, to: &bytes)
        }
        if !is64Bit { append(segment.flags, to: &bytes) }
        append(segment.type == 1 ? UInt64(0x1000) : 8, to: &bytes)
        return bytes
    }

    private func section(
        _ name: UInt32, _ type: UInt32, _ flags: UInt64, _ address: UInt64, _ offset: UInt64,
        _ size: UInt64
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        append(name, to: &bytes)
        append(type, to: &bytes)
        for value in [flags, address, offset, size] { append(value, to: &bytes) }
        append(UInt32(0), to: &bytes)
        append(UInt32(0), to: &bytes)
        append(UInt64(1), to: &bytes)
        append(UInt64(0), to: &bytes)
        return bytes
    }

    /// A word of the class's width.
    private func append(_ value: UInt64, to bytes: inout [UInt8]) {
        if is64Bit {
            bytes.append(value, isBigEndian: isBigEndian)
        } else {
            bytes.append(UInt32(truncatingIfNeeded: value), isBigEndian: isBigEndian)
        }
    }

    private func append(_ value: UInt32, to bytes: inout [UInt8]) {
        bytes.append(value, isBigEndian: isBigEndian)
    }

    private func append(_ value: UInt16, to bytes: inout [UInt8]) {
        bytes.append(value, isBigEndian: isBigEndian)
    }
}
