internal import Format

extension Resolver {
    /// Holds a file of the host against the sums that its line gives: those of the file as it is,
    /// before any filter.
    func checkDigests(
        of content: Content, _ path: [UInt8], _ attributes: EntryAttributes, _ mark: SourceMark
    ) throws(Diagnostic) {
        guard attributes.cksum != nil || attributes.sha256 != nil || attributes.sha512 != nil else {
            return
        }
        var sums = Sums()
        do {
            let source = try toolbox.source(of: content)
            var position: UInt64 = 0
            while position < source.byteCount {
                let piece = try source.prefix(1 << 20, at: position)
                sums.update(piece)
                position &+= UInt64(piece.count)
            }
        } catch {
            throw Diagnostic(at: mark, "\(error)")
        }
        let found = sums.finish()
        func require(_ holds: Bool, _ name: String, _ found: String, _ expected: String)
            throws(Diagnostic)
        {
            guard !holds else { return }
            throw Diagnostic(
                at: mark, "\(quoted(path)): found \(name) \(found), expected \(expected)")
        }
        if let wanted = attributes.cksum {
            try require(found.cksum == wanted, "cksum", "\(found.cksum)", "\(wanted)")
        }
        if let wanted = attributes.sha256 {
            try require(
                found.sha256 == wanted, "SHA-256", hexDigits(found.sha256), hexDigits(wanted))
        }
        if let wanted = attributes.sha512 {
            try require(
                found.sha512 == wanted, "SHA-512", hexDigits(found.sha512), hexDigits(wanted))
        }
    }
}

/// The three sums of one reading.
private struct Sums: ~Copyable {
    private var cksum = PosixChecksum()
    private var sha256 = Digest(.sha256)
    private var sha512 = Digest(.sha512)

    mutating func update(_ bytes: [UInt8]) {
        cksum.update(bytes)
        sha256.update(bytes)
        sha512.update(bytes)
    }

    consuming func finish() -> (cksum: UInt32, sha256: [UInt8], sha512: [UInt8]) {
        let cksum = cksum
        let first = sha256.finish()
        return (cksum.total, first, sha512.finish())
    }
}

/// The sum that the POSIX `cksum` command prints: a CRC of polynomial 0x04c11db7 over the bytes and
/// then over their number, least significant byte first, inverted.
struct PosixChecksum {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index) << 24) { sum, _ in
            sum & 0x8000_0000 != 0 ? sum << 1 ^ 0x04c1_1db7 : sum << 1
        }
    }

    private var sum: UInt32 = 0
    private var count: UInt64 = 0

    mutating func update(_ bytes: [UInt8]) {
        count &+= UInt64(bytes.count)
        for byte in bytes { add(byte) }
    }

    var total: UInt32 {
        var copy = self
        var rest = count
        while rest != 0 {
            copy.add(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
        return ~copy.sum
    }

    private mutating func add(_ byte: UInt8) {
        sum = sum << 8 ^ Self.table[Int(sum >> 24 ^ UInt32(byte))]
    }
}
