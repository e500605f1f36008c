/// The QNX 6 file system, called Power-Safe: volumes as mkqnx6fs makes them.
public enum QNX6 {
    /// A pointer that leads to no block.
    public static let noBlock = UInt32.max
    /// A pointer that stands for a block of zeros, from 7.1 on.
    public static let sparseBlock = UInt32.max - 1
    /// The number of the root directory's inode.
    public static let rootInode: UInt32 = 1
    /// The number of the inode of `/.boot`.
    public static let bootInode: UInt32 = 2
    /// Bytes before the first superblock, where a boot block has its place.
    public static let bootAreaSize: UInt64 = 0x2000
    /// Bytes kept for a superblock; more where a block is larger.
    public static let superblockAreaSize: UInt64 = 0x1000
    /// Bytes of a directory at most: what is read of one is bounded.
    static let mostOfDirectory: UInt64 = 64 << 20

    /// Whether a volume begins at the source's first byte: one of its superblocks is whole, or the
    /// first has at least its magic number. Throws `io` alone.
    public static func isFound(in source: any ByteSource) throws(FormatError) -> Bool {
        do throws(FormatError) {
            _ = try Superblocks(source)
            return true
        } catch {
            if case .io = error { throw error }
        }
        for start in [bootAreaSize, 0] {
            let magic = try source.prefix(4, at: start)
            if Superblock.magicOrder(magic) != nil { return true }
        }
        return false
    }

    /// The CRC-32 of a superblock: polynomial 0x04c11db7, most significant bit first, from 0, not
    /// inverted. Source: Linux `crc32_be`, as `fs/qnx6/inode.c` uses it.
    public static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        bytes.reduce(0) { sum, byte in
            sum &<< 8 ^ table[Int(UInt8(truncatingIfNeeded: sum &>> 24) ^ byte)]
        }
    }

    /// The sum of a long name, which stands in its directory entry. Bytes count as 0 to 255, as
    /// real images show; Linux before 6.2 takes them as signed. Source: `qnx6_lfile_checksum`.
    public static func nameChecksum(_ name: some Sequence<UInt8>) -> UInt32 {
        name.reduce(0) { sum, byte in
            (sum &>> 1 &+ UInt32(byte)) ^ (sum &<< 31)
        }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index) &<< 24) { sum, _ in
            sum &<< 1 ^ (sum &>> 31 == 1 ? 0x04c1_1db7 : 0)
        }
    }
}
