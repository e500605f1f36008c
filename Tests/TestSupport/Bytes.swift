extension [UInt8] {
    /// The integer's bytes in the order asked for.
    public init(_ value: some FixedWidthInteger, isBigEndian: Bool) {
        let stored = isBigEndian ? value.bigEndian : value.littleEndian
        self = Swift.withUnsafeBytes(of: stored) { Array($0) }
    }

    /// Puts an integer at a byte offset, over what stands there.
    public mutating func set(
        _ value: some FixedWidthInteger, at offset: Int, isBigEndian: Bool = false
    ) {
        set([UInt8](value, isBigEndian: isBigEndian), at: offset)
    }

    /// Puts bytes at a byte offset, over what stands there.
    public mutating func set(_ bytes: [UInt8], at offset: Int) {
        replaceSubrange(offset..<(offset + bytes.count), with: bytes)
    }

    /// The integer at a byte offset.
    public func integer<Value: FixedWidthInteger>(
        _: Value.Type, at offset: Int, isBigEndian: Bool = false
    ) -> Value {
        self[offset..<(offset + MemoryLayout<Value>.size)].enumerated()
            .reduce(Value(0)) { value, item in
                let place = isBigEndian ? MemoryLayout<Value>.size - 1 - item.offset : item.offset
                return value | Value(truncatingIfNeeded: item.element) << (8 * Value(place))
            }
    }

    /// Puts the entry of a cluster into a FAT with entries of so many bits, which begins at byte `table`.
    public mutating func setFATEntry(_ cluster: Int, to value: Int, bits: Int, table: Int) {
        switch bits {
        case 12:
            let place = table + cluster * 3 / 2
            let old = Int(integer(UInt16.self, at: place))
            let new = cluster % 2 == 0 ? old & 0xf000 | value : old & 0xf | value << 4
            set(UInt16(new), at: place)
        case 16: set(UInt16(value), at: table + 2 * cluster)
        default: set(UInt32(value), at: table + 4 * cluster)
        }
    }

    /// Adds an integer.
    public mutating func append(_ value: some FixedWidthInteger, isBigEndian: Bool) {
        append(contentsOf: [UInt8](value, isBigEndian: isBigEndian))
    }

    /// Adds zeros until the count is a multiple of `unit`.
    public mutating func pad(to unit: Int) {
        append(contentsOf: repeatElement(0, count: (unit - count % unit) % unit))
    }
}

/// Where two runs of bytes part, as one line; nil where they are equal. Unlike `==` on arrays, it
/// keeps a failed test from printing megabytes.
public func difference(_ found: ArraySlice<UInt8>, _ expected: ArraySlice<UInt8>) -> String? {
    if found == expected { return nil }
    let place = zip(found, expected).enumerated().first { $0.element.0 != $0.element.1 }
    guard let place else { return "found \(found.count) bytes, expected \(expected.count)" }
    return "byte \(place.offset) of \(expected.count): found \(place.element.0), "
        + "expected \(place.element.1)"
}

/// Where an array and a run of bytes part.
public func difference(_ found: [UInt8], _ expected: ArraySlice<UInt8>) -> String? {
    difference(found[...], expected)
}

/// Where two arrays part.
public func difference(_ found: [UInt8], _ expected: [UInt8]) -> String? {
    difference(found[...], expected[...])
}
