/// A line of the kernel's mount table.
struct MountLine {
    let point: Word
    /// The mount's own options.
    let options: [String]
    let type: String
    let source: Word
    /// The file system's options.
    let superOptions: [String]

    /// All lines, in the order in which the mounts were made.
    static func all() throws -> [MountLine] {
        try Calls.kernelText("/proc/self/mountinfo").split(separator: UInt8(ascii: "\n"))
            .compactMap { MountLine(Array($0)) }
    }

    private init?(_ line: [UInt8]) {
        let fields = line.split(separator: UInt8(ascii: " ")).map(Array.init)
        guard let dash = fields.firstIndex(of: [UInt8(ascii: "-")]), fields.count > dash + 3 else {
            return nil
        }
        func words(_ field: [UInt8]) -> [String] {
            String(decoding: field, as: UTF8.self).split(separator: ",").map(String.init)
        }
        point = Self.unescaped(fields[4])
        options = words(fields[5])
        type = String(decoding: fields[dash + 1], as: UTF8.self)
        source = Self.unescaped(fields[dash + 2])
        superOptions = words(fields[dash + 3])
    }

    /// The mounts on one directory, the uppermost last.
    static func on(_ point: Word) throws -> [MountLine] {
        try all().filter { $0.point == point }
    }

    /// `\ooo` as the byte it stands for.
    private static func unescaped(_ field: [UInt8]) -> Word {
        var bytes: [UInt8] = []
        var rest = field[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), rest.count >= 3,
                let value = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
            else {
                bytes.append(byte)
                continue
            }
            bytes.append(value)
            rest = rest.dropFirst(3)
        }
        return Word(bytes)
    }
}
