/// The file systems FAT12, FAT16 and FAT32, with long names as VFAT has them.
///
/// "The specification" in this folder is Microsoft's "FAT32 File System Specification", 1.03.
public enum FAT {}

extension FAT {
    /// Bits of an entry of the table, as far as they name the kind.
    public enum Kind: Int, Sendable, CaseIterable {
        case fat12 = 12
        case fat16 = 16
        case fat32 = 32

        /// `FAT12`, `FAT16` or `FAT32`.
        public var name: String { "FAT\(rawValue)" }

        /// Clusters from which on a volume is of the next kind. Source: the specification.
        static let leastOfFAT16: UInt64 = 4085
        /// As above.
        static let leastOfFAT32: UInt64 = 65525
        /// The most that entries of 28 bits tell apart, 0x0ffffff6 being the last of them.
        static let mostOfFAT32: UInt64 = 0x0fff_fff5

        /// The bits of an entry that have a meaning.
        var mask: UInt32 {
            switch self {
            case .fat12: 0xfff
            case .fat16: 0xffff
            case .fat32: 0x0fff_ffff
            }
        }

        /// An entry of a cluster that must not be used; what is above it ends a chain.
        var bad: UInt32 { mask & ~8 }

        /// Entry 1: set while nobody has the volume mounted for writing; 0 where there is none.
        var cleanMark: UInt32 {
            switch self {
            case .fat12: 0
            case .fat16: 0x8000
            case .fat32: 0x0800_0000
            }
        }

        /// Entry 1: set while no read or write has failed; 0 where there is none.
        var errorFreeMark: UInt32 { cleanMark >> 1 }
    }

    /// The number of a cluster; the first of the data area is 2.
    public struct Cluster: RawRepresentable, Hashable, Comparable, Sendable {
        /// The number.
        public let rawValue: UInt32

        /// The cluster of a number, which need not be one of a volume.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// The first of every volume.
        public static let first = Cluster(rawValue: 2)

        /// By number.
        public static func < (one: Cluster, other: Cluster) -> Bool {
            one.rawValue < other.rawValue
        }
    }

    /// How a volume is read.
    public struct Options: Sendable, Equatable {
        /// Seconds by which the clock that wrote the volume is ahead of UTC.
        public var timeOffset: Int64
        /// What bytes of short names above 0x7f stand for.
        public var codePage: CodePage
        /// Permission bits that files do not have.
        public var fileMask: UInt32 = 0o022
        /// Permission bits that directories do not have.
        public var directoryMask: UInt32 = 0o022

        /// Times are UTC, short names in code page 437, unless told otherwise.
        public init(timeOffset: Int64 = 0, codePage: CodePage = .cp437) {
            self.timeOffset = timeOffset
            self.codePage = codePage
        }
    }
}
