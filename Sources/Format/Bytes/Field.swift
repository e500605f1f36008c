/// An integer at a fixed place in a structure; the one entry serves reader, writer and dump.
struct Field<Value: FixedWidthInteger & BitwiseCopyable & Sendable>: Sendable {
    let offset: Int
    let name: String

    init(_ offset: Int, _ name: String) {
        self.offset = offset
        self.name = name
    }

    /// Where the field stands when its structure starts at byte `base`.
    func place(_ base: Int) -> Place { Place(name, UInt64(clamping: base &+ offset)) }
}

/// A run of bytes at a fixed place in a structure.
struct ByteField: Sendable {
    let offset: Int
    let count: Int
    let name: String

    init(_ offset: Int, count: Int, _ name: String) {
        self.offset = offset
        self.count = count
        self.name = name
    }

    func place(_ base: Int) -> Place { Place(name, UInt64(clamping: base &+ offset)) }
}

extension RawSpan {
    /// Whether `count` bytes lie at `offset`.
    @inline(__always)
    func holds(_ count: Int, at offset: Int) -> Bool {
        offset >= 0 && count >= 0 && offset <= byteCount && byteCount &- offset >= count
    }

    /// The field of the structure at byte `base`. Throws `truncated` when it is cut off.
    @inline(__always)
    func read<Value>(
        _ field: Field<Value>, from base: Int, _ order: ByteOrder
    ) throws(FormatError) -> Value {
        let (at, overflow) = base.addingReportingOverflow(field.offset)
        guard !overflow, holds(MemoryLayout<Value>.size, at: at) else {
            throw cut(field.place(base), needs: MemoryLayout<Value>.size)
        }
        return order.value(unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: Value.self))
    }

    /// The bytes of the field of the structure at byte `base`.
    func read(_ field: ByteField, from base: Int) throws(FormatError) -> [UInt8] {
        let (at, overflow) = base.addingReportingOverflow(field.offset)
        guard !overflow, holds(field.count, at: at) else {
            throw cut(field.place(base), needs: field.count)
        }
        return bytes(at..<(at &+ field.count))
    }

    /// A copy of the bytes in a range that the caller has checked.
    func bytes(_ range: Range<Int>) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            unsafe withUnsafeBytes { whole in
                let source = unsafe UnsafeRawBufferPointer(rebasing: whole[range])
                unsafe UnsafeMutableRawBufferPointer(buffer).copyMemory(from: source)
            }
            count = range.count
        }
    }

    /// The byte at an index that the caller has checked.
    @inline(__always)
    func byte(_ index: Int) -> UInt8 {
        unsafe unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
    }

    /// Eight bytes from an index on, the first lowest; the caller has checked that they are there.
    @inline(__always)
    func word(_ index: Int) -> UInt64 {
        UInt64(
            littleEndian: unsafe unsafeLoadUnaligned(
                fromUncheckedByteOffset: index, as: UInt64.self))
    }

    /// Where the first byte of a value in `range`, which the caller has checked, stands.
    func first(_ value: UInt8, in range: Range<Int>) -> Int? {
        let ones: UInt64 = 0x0101_0101_0101_0101
        var place = range.lowerBound
        while range.upperBound &- place >= 8 {
            let word = word(place) ^ (ones &* UInt64(value))
            // The lowest bit that this leaves is the top one of the first byte that is 0.
            let zeros = (word &- ones) & ~word & (ones &<< 7)
            if zeros != 0 { return place &+ zeros.trailingZeroBitCount / 8 }
            place &+= 8
        }
        while place < range.upperBound {
            if byte(place) == value { return place }
            place &+= 1
        }
        return nil
    }

    private func cut(_ place: Place, needs count: Int) -> FormatError {
        let available = UInt64(clamping: max(0, byteCount &- Int(clamping: place.offset)))
        return .truncated(place, needed: UInt64(clamping: count), available: available)
    }
}

extension [UInt8] {
    /// Runs a parser over the bytes; the span never leaves it.
    func parsed<Result>(
        _ body: (RawSpan) throws(FormatError) -> Result
    ) throws(FormatError) -> Result {
        try body(unsafe span.bytes)
    }
}

extension [UInt8] {
    /// Writes the field of the structure at byte `base`, which must lie inside the array: whoever
    /// writes has made the room.
    mutating func write<Value>(
        _ value: Value, _ field: Field<Value>, to base: Int, _ order: ByteOrder
    ) {
        let raw = order.value(value)
        for index in 0..<MemoryLayout<Value>.size {
            self[base + field.offset + index] = UInt8(
                truncatingIfNeeded: Value(littleEndian: raw) >> Value(8 * index))
        }
    }

    /// Writes the bytes of the field of the structure at byte `base`; what is missing stays as it is.
    mutating func write(_ bytes: [UInt8], _ field: ByteField, to base: Int) {
        for (index, byte) in bytes.prefix(field.count).enumerated() {
            self[base + field.offset + index] = byte
        }
    }
}
