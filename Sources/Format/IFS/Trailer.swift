extension IFS {
    /// What ends a startup area and an image: a checksum word (v1), or a SHA-512 before it (v2).
    ///
    /// The word makes the sum of all 32-bit words of the region, its own included, 0 modulo 2^32, in
    /// the target's byte order. The digest covers the region up to itself. Source: `struct
    /// startup_trailer`, `startup_trailer_v2`, `image_trailer` and `image_trailer_v2` in the vendor's
    /// headers; checked on images of 6.4, 6.6 and 8.0.
    public enum Trailer {
        /// Bytes of a v1 trailer: the checksum word.
        public static let checksumSize = 4
        /// Bytes of a v2 trailer: a SHA-512 and the checksum word.
        public static let v2Size = 68
    }

    /// What a check of one stored sum or digest found.
    public struct SumCheck: Equatable, Sendable {
        /// Which region the sum covers.
        public enum Region: String, Sendable, CaseIterable {
            /// Startup header to the end of the startup area.
            case startup
            /// The image file system, unpacked.
            case image
            /// The image file system as packed.
            case packed
        }

        /// How the sum is made.
        public enum Method: String, Sendable, CaseIterable {
            case cksum
            case sha512
            /// The CRC-32 and length that end a gzip stream.
            case crc32
            /// The Adler-32 that ends a zlib stream.
            case adler32
        }

        /// Good and bad are of the bytes; absent is only what the structure has no place for.
        public enum Verdict: Equatable, Sendable {
            case good
            /// What is stored, and what the bytes give; or why they could not be summed.
            case bad(stored: String, computed: String)
            case absent
        }

        /// What was summed.
        public let region: Region
        /// How.
        public let method: Method
        /// What came out.
        public let verdict: Verdict
        /// The sum as it is stored, in hexadecimal digits; nil where there is none or where it cannot
        /// be read apart from its stream.
        public let stored: String?
        /// Why the bytes could not be summed, where that is why the verdict is bad.
        public let error: FormatError?

        init(
            region: Region, method: Method, verdict: Verdict, stored: String? = nil,
            error: FormatError? = nil
        ) {
            self.region = region
            self.method = method
            self.verdict = verdict
            self.stored = stored
            self.error = error
        }

        /// `good`, `bad` or `absent`.
        public var word: String {
            switch verdict {
            case .good: "good"
            case .bad: "bad"
            case .absent: "absent"
            }
        }
    }
}

/// One region with its trailer at the end.
struct SummedRegion {
    let region: IFS.SumCheck.Region
    let source: any ByteSource
    let start: UInt64
    /// Bytes of the region, trailer included.
    let size: UInt64
    let trailerSize: Int
    let order: ByteOrder

    /// Reads the region once and judges its sum and, in a v2 trailer, its digest.
    func check() -> [IFS.SumCheck] {
        let isV2 = trailerSize == IFS.Trailer.v2Size
        do throws(FormatError) {
            let (sum, digest) = try summed(digesting: isV2)
            let tail = try source.bytes(
                UInt64(trailerSize), at: start &+ size &- UInt64(trailerSize),
                "\(region.rawValue) trailer")
            let word = try tail.parsed { bytes throws(FormatError) in
                try bytes.read(
                    Field<UInt32>(trailerSize - 4, "\(region.rawValue) trailer.cksum"), from: 0,
                    order)
            }
            let needed = word &- sum
            return [
                result(.cksum, word == needed, hex(word), hex(needed)),
                isV2
                    ? result(
                        .sha512, Array(tail.prefix(64)) == digest, hexDigits(tail.prefix(64)),
                        hexDigits(digest))
                    : IFS.SumCheck(region: region, method: .sha512, verdict: .absent),
            ]
        } catch {
            let unread = IFS.SumCheck.Verdict.bad(
                stored: "unknown", computed: "nothing (\(error))")
            return [
                IFS.SumCheck(region: region, method: .cksum, verdict: unread, error: error),
                IFS.SumCheck(
                    region: region, method: .sha512, verdict: isV2 ? unread : .absent,
                    error: isV2 ? error : nil),
            ]
        }
    }

    private func result(
        _ method: IFS.SumCheck.Method, _ good: Bool, _ stored: String, _ computed: String
    ) -> IFS.SumCheck {
        IFS.SumCheck(
            region: region, method: method,
            verdict: good ? .good : .bad(stored: stored, computed: computed), stored: stored)
    }

    private func summed(digesting: Bool) throws(FormatError) -> (UInt32, [UInt8]) {
        guard size >= UInt64(trailerSize) else {
            throw .truncated(
                Place("\(region.rawValue) trailer", start), needed: UInt64(trailerSize),
                available: size)
        }
        let digested = size &- UInt64(trailerSize)
        var sum = WordSum(order)
        var digest = Digest(.sha512)
        var position: UInt64 = 0
        while position < size {
            let step = min(size &- position, 1 << 20)
            let chunk = try source.bytes(step, at: start &+ position, region.rawValue)
            sum.update(chunk)
            if digesting, position < digested {
                let count = Int(clamping: min(step, digested &- position))
                digest.update(count == chunk.count ? chunk : Array(chunk[0..<count]))
            }
            position &+= step
        }
        return (sum.total, digest.finish())
    }
}
