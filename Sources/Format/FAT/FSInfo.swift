extension FAT {
    /// FAT32's hints for whoever writes; 512 bytes in a sector of their own.
    ///
    /// Source: the specification, "FSInfo Sector Structure"; Linux `msdos_fs.h`,
    /// `struct fat_boot_fsinfo`. Little-endian.
    public struct FSInfo: Equatable, Sendable {
        /// Bytes of the structure.
        public static let byteCount = 512
        /// The first word, `RRaA`.
        public static let headMark: UInt32 = 0x4161_5252
        /// The word before the numbers, `rrAa`.
        public static let numberMark: UInt32 = 0x6141_7272
        /// Stands for a number that nobody knows.
        public static let unknown = UInt32.max

        /// Clusters that nothing uses, or `unknown`.
        public var freeClusterCount: UInt32
        /// Where to look for a free cluster first, or `unknown`.
        public var nextFree: UInt32

        enum At {
            static let headMark = Field<UInt32>(0, "information sector.first signature")
            static let numberMark = Field<UInt32>(484, "information sector.second signature")
            static let freeClusterCount = Field<UInt32>(488, "information sector.free clusters")
            static let nextFree = Field<UInt32>(492, "information sector.next free cluster")
            static let endMark = Field<UInt16>(510, "information sector.signature")
        }

        /// Numbers to write.
        public init(freeClusterCount: UInt32 = unknown, nextFree: UInt32 = unknown) {
            self.freeClusterCount = freeClusterCount
            self.nextFree = nextFree
        }

        /// Reads the structure at byte `base`. Throws `truncated`, or `corrupt` for a wrong mark.
        public init(parsing bytes: RawSpan, at base: Int = 0) throws(FormatError) {
            let head = try bytes.read(At.headMark, from: base, .little)
            let number = try bytes.read(At.numberMark, from: base, .little)
            let end = try bytes.read(At.endMark, from: base, .little)
            freeClusterCount = try bytes.read(At.freeClusterCount, from: base, .little)
            nextFree = try bytes.read(At.nextFree, from: base, .little)
            for (field, found, expected) in [
                (At.headMark, head, Self.headMark), (At.numberMark, number, Self.numberMark),
            ] where found != expected {
                throw .corrupt(field.place(base), found: hex(found), expected: hex(expected))
            }
            guard end == BootSector.signature else {
                throw .corrupt(
                    At.endMark.place(base), found: hex(end), expected: hex(BootSector.signature))
            }
        }

        /// The 512 bytes.
        public var bytes: [UInt8] {
            var bytes = [UInt8](repeating: 0, count: Self.byteCount)
            bytes.write(Self.headMark, At.headMark, to: 0, .little)
            bytes.write(Self.numberMark, At.numberMark, to: 0, .little)
            bytes.write(freeClusterCount, At.freeClusterCount, to: 0, .little)
            bytes.write(nextFree, At.nextFree, to: 0, .little)
            bytes.write(BootSector.signature, At.endMark, to: 0, .little)
            return bytes
        }
    }
}
