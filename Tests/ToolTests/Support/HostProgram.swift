import TestSupport

/// An ELF file of the host with segments at addresses of the test's choice.
struct HostProgram {
    /// One segment that is loaded.
    struct Load {
        var address: UInt64
        var bytes: [UInt8]
        /// `p_memsz`; the bytes' own count unless told.
        var memorySize: UInt64?
        /// `p_flags`: 4 read, 2 write, 1 execute.
        var flags: UInt32 = 5
        var alignment: UInt64 = 0x1000
    }

    /// A section: its flags (2 in memory, 4 executable) and its bytes.
    struct Section {
        var name: String
        var flags: UInt64 = 0
        var bytes: [UInt8]
    }

    /// `e_type`: 2 a program, 3 a shared object.
    var type: UInt16 = 2
    var machine: UInt16 = 3
    var is64Bit = false
    var isBigEndian = false
    var entry: UInt64 = 0
    var loads: [Load] = []
    var sections: [Section] = []

    /// Where mkifs puts a command line, and room for it.
    static let placeHolder = Array("ddpvbskr".utf8) + [UInt8](repeating: 0, count: 248)

    init(_ change: (inout HostProgram) -> Void) { change(&self) }

    /// A program that consists of text at an address, where it starts.
    static func program(at address: UInt64, _ text: [UInt8], machine: UInt16 = 3) -> HostProgram {
        HostProgram {
            $0.machine = machine
            $0.entry = address
            $0.loads = [Load(address: address, bytes: text)]
        }
    }

    /// An ordinary program: text and, on a page behind it, 16 bytes of data that take 64.
    static func ordinary(
        at address: UInt64 = 0x10_0000, textSize: Int = 64,
        change: (inout HostProgram) -> Void = { _ in }
    ) -> HostProgram {
        HostProgram {
            $0.entry = address
            let data = address + (UInt64(textSize) + 0xfff) & ~0xfff
            $0.loads = [
                Load(address: address, bytes: [UInt8](repeating: 0x90, count: textSize)),
                Load(
                    address: data, bytes: [UInt8](repeating: 0xda, count: 16), memorySize: 64,
                    flags: 6),
            ]
            change(&$0)
        }
    }

    /// A shared object that gives itself a name.
    static func library(_ soname: String, change: (inout HostProgram) -> Void = { _ in })
        -> HostProgram
    {
        var library = ordinary { $0.type = 3 }
        change(&library)
        var text = library.loads[0].bytes
        text.pad(to: 8)
        let strings = library.loads[0].address + UInt64(text.count)
        text += [0] + Array(soname.utf8) + [0]
        text.pad(to: 8)
        library.dynamic = library.loads[0].address + UInt64(text.count)
        // DT_SONAME 14, DT_STRTAB 5, DT_STRSZ 10.
        for word in [14, 1, 5, strings, 10, UInt64(soname.utf8.count) + 2, 0, 0] {
            library.append(word, to: &text)
        }
        library.loads[0].bytes = text
        return library
    }

    private var dynamic: UInt64?

    /// The file.
    var bytes: [UInt8] {
        let count = loads.count + (dynamic == nil ? 0 : 1)
        let headerSize = is64Bit ? 64 + 56 * count : 52 + 32 * count
        var file = [UInt8](repeating: 0, count: headerSize)
        var headers: [UInt8] = []
        for load in loads {
            // As far from a page's start as in memory.
            while UInt64(file.count) % 0x1000 != load.address % 0x1000 { file.append(0) }
            append(1, load.flags, UInt64(file.count), load, to: &headers)
            if let dynamic, load.address <= dynamic,
                dynamic < load.address + UInt64(load.bytes.count)
            {
                let offset = dynamic - load.address
                let table = Load(
                    address: dynamic, bytes: Array(load.bytes[Int(offset)...]), flags: 6,
                    alignment: 4)
                append(2, 6, UInt64(file.count) + offset, table, to: &headers)
            }
            file += load.bytes
        }
        let table = appendSections(to: &file)
        file.set(head(segments: count, table) + headers, at: 0)
        return file
    }

    // MARK: Records

    private func head(segments: Int, _ table: (offset: UInt64, count: UInt16)) -> [UInt8] {
        var head: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, is64Bit ? 2 : 1, isBigEndian ? 2 : 1, 1]
        head.append(contentsOf: [UInt8](repeating: 0, count: 9))
        half(type, to: &head)
        half(machine, to: &head)
        word(1, to: &head)
        append(entry, to: &head)
        append(segments == 0 ? 0 : is64Bit ? 64 : 52, to: &head)
        append(table.offset, to: &head)
        word(0, to: &head)
        let sizes: [UInt16] = is64Bit ? [64, 56] : [52, 32]
        let last = table.count == 0 ? 0 : table.count - 1
        for value in sizes + [UInt16(segments), is64Bit ? 64 : 40, table.count, last] {
            half(value, to: &head)
        }
        return head
    }

    private func append(
        _ type: UInt32, _ flags: UInt32, _ offset: UInt64, _ load: Load, to bytes: inout [UInt8]
    ) {
        word(type, to: &bytes)
        if is64Bit { word(flags, to: &bytes) }
        let size = UInt64(load.bytes.count)
        for value in [offset, load.address, load.address, size, load.memorySize ?? size] {
            append(value, to: &bytes)
        }
        if !is64Bit { word(flags, to: &bytes) }
        append(load.alignment, to: &bytes)
    }

    private func appendSections(to file: inout [UInt8]) -> (offset: UInt64, count: UInt16) {
        guard !sections.isEmpty else { return (0, 0) }
        var names: [UInt8] = [0]
        var rows: [(name: Int, type: UInt32, flags: UInt64, offset: Int, size: Int)] = [
            (0, 0, 0, 0, 0)
        ]
        for section in sections + [Section(name: ".shstrtab", bytes: [])] {
            let isLast = section.name == ".shstrtab"
            let name = names.count
            names += Array(section.name.utf8) + [0]
            let bytes = isLast ? names : section.bytes
            rows.append((name, isLast ? 3 : 1, section.flags, file.count, bytes.count))
            file += bytes
        }
        file.pad(to: 8)
        let table = UInt64(file.count)
        for row in rows {
            word(UInt32(row.name), to: &file)
            word(row.type, to: &file)
            for value in [row.flags, 0, UInt64(row.offset), UInt64(row.size)] {
                append(value, to: &file)
            }
            word(0, to: &file)
            word(0, to: &file)
            append(1, to: &file)
            append(0, to: &file)
        }
        return (table, UInt16(rows.count))
    }

    /// A number of the class's width.
    private func append(_ value: UInt64, to bytes: inout [UInt8]) {
        if is64Bit {
            bytes.append(value, isBigEndian: isBigEndian)
        } else {
            bytes.append(UInt32(truncatingIfNeeded: value), isBigEndian: isBigEndian)
        }
    }

    private func word(_ value: UInt32, to bytes: inout [UInt8]) {
        bytes.append(value, isBigEndian: isBigEndian)
    }

    private func half(_ value: UInt16, to bytes: inout [UInt8]) {
        bytes.append(value, isBigEndian: isBigEndian)
    }
}
