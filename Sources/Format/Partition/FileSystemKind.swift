/// What a stretch of a disk holds, by its own bytes and not by what a partition table says.
public enum FileSystemKind: String, Sendable, CaseIterable {
    case fat12 = "FAT12"
    case fat16 = "FAT16"
    case fat32 = "FAT32"
    case qnx6 = "QNX6"
    case qnx4 = "QNX4"
    case ifs = "IFS"

    /// As a part of a name: `fat16`.
    public var word: String { rawValue.lowercased() }

    /// The file system that begins with the first byte; nil for none, and for an IFS, which can begin
    /// anywhere. Throws `io` alone.
    static func found(in bytes: some ByteSource) throws(FormatError) -> FileSystemKind? {
        if try QNX6.isFound(in: bytes) { return .qnx6 }
        if try QNX4.isFound(in: bytes) { return .qnx4 }
        guard try FAT.BootSector.isPlausible(in: bytes) else { return nil }
        let head = try bytes.prefix(FAT.BootSector.byteCount, at: 0)
        let geometry = try head.parsed { span throws(FormatError) in
            try FAT.BootSector(parsing: span).geometry()
        }
        switch geometry.kind {
        case .fat12: return .fat12
        case .fat16: return .fat16
        case .fat32: return .fat32
        }
    }
}
