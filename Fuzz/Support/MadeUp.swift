package import Format

/// Images made up around the bytes to be tested.
package enum MadeUp {
    /// Bytes of a startup area that holds a header and a checksum only.
    private static let startupSize = IFS.StartupHeader.byteCount + IFS.Trailer.checksumSize

    /// A startup header, its area, and `stored` behind it. `size` is what `stored` unpacks to.
    package static func startupImage(
        _ stored: [UInt8], _ compression: IFS.Compression, size: UInt32
    ) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: startupSize)
        bytes.set(IFS.StartupHeader.signature, at: 0)
        bytes.set(UInt16(1), at: 4)
        bytes[6] = compression.rawValue << 2
        bytes.set(UInt16(IFS.StartupHeader.byteCount), at: 8)
        bytes.set(UInt32(startupSize), at: 32)
        bytes.set(UInt32(startupSize + stored.count + IFS.Trailer.checksumSize), at: 36)
        bytes.set(size, at: 44)
        return bytes + stored + [0, 0, 0, 0]
    }

    /// An image file system around a directory: header, `directory`, `data` and a checksum.
    package static func imageFileSystem(
        directory: [UInt8], data: [UInt8], _ order: ByteOrder
    ) -> [UInt8] {
        let header = header(
            size: UInt32(headerSize + directory.count + data.count + 4),
            directoryCount: UInt32(directory.count), order)
        return header + directory + data + [0, 0, 0, 0]
    }

    /// The start of an image file system of `size` bytes: header, and a directory with one file,
    /// which holds all that follows.
    package static func opening(size: UInt32) -> [UInt8] {
        var root = [UInt8](repeating: 0, count: 28)
        root.set(UInt16(28), at: 0)
        root.set(UInt32(1), at: 4)
        root.set(UInt32(0o040755), at: 8)
        var file = [UInt8](repeating: 0, count: 36)
        file.set(UInt16(36), at: 0)
        file.set(UInt32(2), at: 4)
        file.set(UInt32(0o100644), at: 8)
        file[32] = UInt8(ascii: "f")
        let end = UInt32(headerSize + root.count + file.count + 4)
        file.set(end, at: 24)
        file.set(size - min(size, end + 4), at: 28)
        let directory = root + file + [0, 0, 0, 0]
        return header(size: size, directoryCount: UInt32(directory.count), .little) + directory
    }

    /// Bytes of an image header with an empty mount point.
    private static let headerSize = IFS.ImageHeader.fixedByteCount + 4

    private static func header(
        size: UInt32, directoryCount: UInt32, _ order: ByteOrder
    ) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: headerSize)
        header.replaceSubrange(0..<7, with: IFS.ImageHeader.signature)
        header[7] = order == .big ? IFS.ImageHeader.bigEndianFlag : 0
        header.set(size, at: 8, order)
        header.set(UInt32(headerSize) + directoryCount, at: 12, order)
        header.set(UInt32(headerSize), at: 16, order)
        return header
    }

    /// A file of S-records out of bytes that say, for each record: its type, how many bytes of data,
    /// its address and the data. Counts and sums are right.
    package static func sRecords(_ input: inout Input) -> [UInt8] {
        let types: [UInt8] = [3, 1, 2, 3, 0, 5, 9, 7]
        var lines = Array("S0030000FC\n".utf8)
        while !input.rest.isEmpty {
            let type = types[Int(input.byte() & 7)]
            let width = (1...3).contains(type) ? Int(type) + 1 : 2
            let count = Int(input.byte() & 63)
            let body = input.take(width + count)
            let record = [UInt8(body.count + 1)] + body
            lines += Array("S\(type)\(hexDigits(record + [~record.reduce(0, &+)]))\n".utf8)
        }
        return lines
    }

    /// The 64 bytes before a Harman-Becker image.
    package static func harmanHeader(
        _ compression: IFS.Compression, size: UInt32, packedSize: UInt32
    ) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: IFS.HarmanHeader.byteCount)
        header.replaceSubrange(0..<6, with: Array("hbcifs".utf8))
        header.set(size, at: 8)
        header.set(packedSize, at: 12)
        header[26] = compression == .lzo ? 1 : 3
        return header
    }
}

extension [UInt8] {
    /// Writes an integer at a place that is there.
    fileprivate mutating func set(
        _ value: some FixedWidthInteger, at offset: Int, _ order: ByteOrder = .little
    ) {
        let width = value.bitWidth / 8
        for index in 0..<width {
            let shift = 8 * (order == .little ? index : width - 1 - index)
            self[offset + index] = UInt8(truncatingIfNeeded: value >> shift)
        }
    }
}
