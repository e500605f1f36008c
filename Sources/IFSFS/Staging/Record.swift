/// Numbers, the lowest byte first, and texts behind their length.
struct RecordWriter {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ number: some FixedWidthInteger & UnsignedInteger) {
        for shift in stride(from: 0, to: number.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    mutating func add(_ text: [UInt8]) {
        add(UInt32(clamping: text.count))
        bytes += text
    }
}

/// Takes apart what a `RecordWriter` made.
struct RecordReader {
    private var rest: ArraySlice<UInt8>

    init(_ record: [UInt8]) { rest = record[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func next<Number: FixedWidthInteger & UnsignedInteger>() -> Number? {
        let count = Number.bitWidth / 8
        guard rest.count >= count else { return nil }
        var number: Number = 0
        for byte in rest.prefix(count).reversed() {
            number = number.bitWidth == 8 ? Number(byte) : number << 8 | Number(byte)
        }
        rest = rest.dropFirst(count)
        return number
    }

    mutating func text() -> [UInt8]? {
        guard let count: UInt32 = next(), rest.count >= Int(count) else { return nil }
        let text = Array(rest.prefix(Int(count)))
        rest = rest.dropFirst(Int(count))
        return text
    }
}
