extension IFS {
    /// Motorola S-records, the text form that mkifsf_srec gives an image.
    ///
    /// A line is `S`, a type, then pairs of digits: a count of the bytes that follow, an address of
    /// 2 (S1), 3 (S2) or 4 (S3) bytes, data, and the ones' complement of the sum of all before it.
    public enum SRecord {
        /// The widest range of addresses that is decoded, in bytes.
        static let maximumSpan: UInt64 = 256 << 20
        private static let longestLine = 2 + 2 * 256 + 2

        /// Whether a file that begins with `head` is one of S-records.
        static func isLikely(_ head: [UInt8]) -> Bool {
            head.count >= 8 && head[0] == UInt8(ascii: "S")
                && (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(head[1])
                && head[2..<8].allSatisfy { digit($0) != nil }
        }

        /// The bytes from the lowest address to the highest; gaps are zeros. Throws `corrupt` at a
        /// line that is no record or whose sum is wrong.
        static func decode(_ file: any ByteSource) throws(FormatError) -> [UInt8] {
            guard file.byteCount <= 4 &* maximumSpan else {
                throw .unsupported(
                    Place("S-record file", 0), found: "\(file.byteCount) bytes",
                    expected: "\(4 &* maximumSpan) at most")
            }
            let range = try addresses(file)
            // Gaps are zeros that someone has to search: a few lines far apart are no image.
            let limit = min(maximumSpan, 1 << 20 &+ 8 &* file.byteCount)
            guard range.upper &- range.lower <= limit else {
                throw .unsupported(
                    Place("S-record addresses", 0),
                    found: "\(hex(range.lower)) to \(hex(range.upper))",
                    expected: "a span of \(limit) bytes at most")
            }
            var bytes = [UInt8](
                repeating: 0, count: Int(clamping: range.upper &- range.lower))
            var isChanged = false
            try walk(file) { address, data in
                // The file is read twice, and somebody may write to it in between.
                guard address >= range.lower, address &+ UInt64(data.count) <= range.upper else {
                    isChanged = true
                    return
                }
                let start = Int(clamping: address &- range.lower)
                bytes.replaceSubrange(start..<(start &+ data.count), with: data)
            }
            guard !isChanged else {
                throw .corrupt(
                    Place("S-record file", 0), found: "other addresses at the second reading",
                    expected: "a file that does not change")
            }
            return bytes
        }

        private static func addresses(
            _ file: any ByteSource
        ) throws(FormatError) -> (lower: UInt64, upper: UInt64) {
            var lower = UInt64.max
            var upper: UInt64 = 0
            try walk(file) { address, data in
                lower = min(lower, address)
                upper = max(upper, address &+ UInt64(data.count))
            }
            guard lower < upper else {
                throw .corrupt(
                    Place("S-record file", 0), found: "no data record",
                    expected: "S1, S2 or S3 lines")
            }
            return (lower, upper)
        }

        /// Calls `body` with each data record's address and bytes.
        private static func walk(
            _ file: any ByteSource, _ body: (UInt64, ArraySlice<UInt8>) -> Void
        ) throws(FormatError) {
            var position: UInt64 = 0
            var chunk: [UInt8] = []
            var chunkStart: UInt64 = 0
            while position < file.byteCount {
                var from = Int(clamping: position &- chunkStart)
                if chunk.count &- from < longestLine,
                    chunkStart &+ UInt64(chunk.count) < file.byteCount
                {
                    chunk = try file.prefix(1 << 16, at: position)
                    // The file lost its end meanwhile.
                    guard !chunk.isEmpty else {
                        throw .truncated(
                            Place("S-record file", position),
                            needed: file.byteCount &- position, available: 0)
                    }
                    chunkStart = position
                    from = 0
                }
                let rest = chunk[from...]
                let line = rest.prefix { $0 != 10 && $0 != 13 }
                if !line.isEmpty, try !record(line, at: position, body) { return }
                position &+= UInt64(line.count &+ 1)
            }
        }

        /// Reads one line; false at a record that ends the file.
        private static func record(
            _ line: ArraySlice<UInt8>, at position: UInt64,
            _ body: (UInt64, ArraySlice<UInt8>) -> Void
        ) throws(FormatError) -> Bool {
            let place = Place("S-record", position)
            let text = Array(line)
            guard text.count >= 4, text.count % 2 == 0, text[0] == UInt8(ascii: "S") else {
                throw .corrupt(
                    place, found: "'\(printable(text.prefix(20)))'", expected: "a line S...")
            }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(text.count / 2)
            for index in stride(from: 2, to: text.count, by: 2) {
                guard let high = digit(text[index]), let low = digit(text[index &+ 1]) else {
                    throw .corrupt(
                        place, found: "'\(printable(text[index..<(index &+ 2)]))'",
                        expected: "hexadecimal digits")
                }
                bytes.append(high << 4 | low)
            }
            let sum = bytes.reduce(UInt8(0), &+)
            guard sum == 0xff, Int(bytes[0]) == bytes.count &- 1 else {
                throw .corrupt(
                    place, found: "count \(bytes[0]) of \(bytes.count &- 1), sum \(hex(sum))",
                    expected: "the count of the line and sum 0xff")
            }
            let type = text[1] &- UInt8(ascii: "0")
            guard (1...3).contains(type) else { return !(7...9).contains(type) }
            let width = Int(type) &+ 1
            guard bytes.count >= width &+ 2 else {
                throw .corrupt(
                    place, found: "\(bytes.count) bytes", expected: "\(width &+ 2) or more")
            }
            let address = bytes[1...width].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            body(address, bytes[(width &+ 1)..<(bytes.count &- 1)])
            return true
        }

        private static func digit(_ character: UInt8) -> UInt8? {
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): character &- UInt8(ascii: "0")
            case UInt8(ascii: "A")...UInt8(ascii: "F"): character &- UInt8(ascii: "A") &+ 10
            case UInt8(ascii: "a")...UInt8(ascii: "f"): character &- UInt8(ascii: "a") &+ 10
            default: nil
            }
        }
    }
}
