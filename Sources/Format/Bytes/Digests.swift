internal import CMD
internal import CZlib

/// A running MD5, SHA-256 or SHA-512.
public struct Digest: ~Copyable {
    /// The algorithms that images and tools here use.
    public enum Algorithm: Sendable {
        case md5
        case sha256
        case sha512
    }

    private enum State {
        case md5(MD5_CTX)
        case sha256(SHA2_CTX)
        case sha512(SHA2_CTX)
    }

    private var state: State

    /// A digest of no bytes yet.
    public init(_ algorithm: Algorithm) {
        switch algorithm {
        case .md5:
            var context = MD5_CTX()
            unsafe MD5Init(&context)
            state = .md5(context)
        case .sha256:
            var context = SHA2_CTX()
            unsafe SHA256Init(&context)
            state = .sha256(context)
        case .sha512:
            var context = SHA2_CTX()
            unsafe SHA512Init(&context)
            state = .sha512(context)
        }
    }

    /// Adds bytes.
    public mutating func update(_ bytes: [UInt8]) {
        switch state {
        case .md5(var context):
            unsafe MD5Update(&context, bytes, bytes.count)
            state = .md5(context)
        case .sha256(var context):
            unsafe SHA256Update(&context, bytes, bytes.count)
            state = .sha256(context)
        case .sha512(var context):
            unsafe SHA512Update(&context, bytes, bytes.count)
            state = .sha512(context)
        }
    }

    /// The digest of all bytes added: 16 bytes of MD5, 32 of SHA-256, 64 of SHA-512.
    public consuming func finish() -> [UInt8] {
        switch state {
        case .md5(var context):
            var digest = [UInt8](repeating: 0, count: 16)
            unsafe MD5Final(&digest, &context)
            return digest
        case .sha256(var context):
            var digest = [UInt8](repeating: 0, count: 32)
            unsafe SHA256Final(&digest, &context)
            return digest
        case .sha512(var context):
            var digest = [UInt8](repeating: 0, count: 64)
            unsafe SHA512Final(&digest, &context)
            return digest
        }
    }
}

/// A running CRC-32, as gzip has it.
public struct CRC32: Sendable {
    /// The sum so far.
    public private(set) var total: UInt32 = 0

    /// The sum of no bytes yet.
    public init() {}

    /// Adds bytes.
    public mutating func update(_ bytes: [UInt8]) {
        total = UInt32(
            truncatingIfNeeded: unsafe crc32(UInt(total), bytes, uInt(clamping: bytes.count)))
    }
}

/// A running sum of 32-bit words modulo 2^32.
struct WordSum {
    let order: ByteOrder
    private(set) var total: UInt32 = 0

    init(_ order: ByteOrder) { self.order = order }

    /// Adds the words of `bytes`; bytes behind the last whole word do not count.
    mutating func update(_ bytes: [UInt8]) {
        let order = order
        total &+= unsafe bytes.withUnsafeBytes { buffer in
            var sum: UInt32 = 0
            var position = 0
            while buffer.count &- position >= 4 {
                sum &+= order.value(
                    unsafe buffer.loadUnaligned(fromByteOffset: position, as: UInt32.self))
                position &+= 4
            }
            return sum
        }
    }
}

/// Lower-case hexadecimal digits, two a byte.
public func hexDigits(_ bytes: some Sequence<UInt8>) -> String {
    bytes.reduce(into: "") { text, byte in
        if byte < 16 { text += "0" }
        text += String(byte, radix: 16)
    }
}
