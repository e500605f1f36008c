/// A part of a disk that its partition table names.
public struct Partition: Equatable, Sendable {
    /// What the table says is in it.
    public enum Kind: Equatable, Sendable {
        case mbr(type: UInt8)
        case gpt(type: GUID)
    }

    /// The number that Linux gives it, from 1; logical ones from 5.
    public let number: Int
    /// What the table says is in it, which its contents may contradict.
    public let kind: Kind
    /// Byte offset in the disk.
    public let offset: UInt64
    /// Bytes.
    public let byteCount: UInt64
    /// Whether the computer boots from it.
    public let isActive: Bool
    /// The name that a GPT gives it, as UTF-8; else nothing.
    public let name: [UInt8]
    /// Whether a GPT forbids to write to it.
    public var isReadOnly = false
    /// Whether the table says that it runs past the end of the disk.
    var isCut = false

    /// Bytes of the disk.
    public var range: Range<UInt64> { offset..<(offset &+ byteCount) }

    /// Its bytes.
    func window(of disk: any ByteSource) -> WindowSource {
        WindowSource(disk, from: offset, count: byteCount)
    }

    /// The type as it is stored: two hexadecimal digits, or a GUID.
    public var typeCode: String {
        switch kind {
        case .mbr(let type): hexDigits([type])
        case .gpt(let type): "\(type)"
        }
    }

    /// The file system that its type promises; nil for a type that promises none, or several.
    var promisedSystem: String? {
        switch kind {
        case .mbr(0x01), .mbr(0x04), .mbr(0x06), .mbr(0x0b), .mbr(0x0c), .mbr(0x0e), .mbr(0xef):
            "a FAT file system"
        case .mbr(0x4d...0x4f), .mbr(0xb1...0xb3): "a QNX file system"
        case .mbr: nil
        case .gpt(let type):
            switch GPT.name(of: type) {
            case "QNX Power-Safe": "a QNX file system"
            case "EFI system": "a FAT file system"
            default: nil
            }
        }
    }

    /// What its type is called, or the type itself.
    public var typeName: String {
        switch kind {
        case .mbr(let type): MBR.name(of: type) ?? "type \(hex(type))"
        case .gpt(let type): GPT.name(of: type) ?? "type \(type)"
        }
    }
}

/// The partitions of a disk.
public struct PartitionTable: Sendable {
    /// How they are told.
    public enum Scheme: String, Sendable {
        case mbr = "MBR"
        case gpt = "GPT"
    }

    /// How they are told.
    public let scheme: Scheme
    /// Bytes of a sector, by which the table counts.
    public let sectorSize: UInt64
    /// In the order of their numbers, without those that only hold others.
    public let partitions: [Partition]
    /// What is wrong with the table, though partitions were found.
    public let faults: [FormatError]

    /// The sizes of sectors that disks have.
    static let sectorSizes: [UInt64] = [512, 4096]
    /// More partitions than any disk has; bounds what a table can cost.
    static let mostPartitions = 1024

    /// The GPT of a disk; nil where there is none. Throws `corrupt` where there was one, and neither it
    /// nor its backup is whole.
    public static func gpt(_ disk: any ByteSource) throws(FormatError) -> PartitionTable? {
        try GPT.table(of: disk)
    }

    /// The backup that a GPT has left at the end of a disk whose beginning was wiped; nil where there is
    /// none. To be asked where there is nothing else.
    public static func leftGPT(_ disk: any ByteSource) throws(FormatError) -> PartitionTable? {
        try GPT.table(of: disk, isBlank: true)
    }

    /// Why the first sector of what is no disk came near to an MBR: a partition lies behind the end, as
    /// where a copy was cut off. Nil where it is nothing like that.
    public static func refusal(_ disk: any ByteSource) throws(FormatError) -> FormatError? {
        try MBR.refusal(of: disk, sectorSize: 512)
    }

    /// The MBR of a disk; nil where the first sector cannot be one. Of the sizes of sectors that
    /// would do, the first counts by which `isKnown` tells a partition's contents.
    public static func mbr(
        _ disk: any ByteSource, isKnown: (WindowSource) -> Bool
    ) throws(FormatError) -> PartitionTable? {
        var first: PartitionTable?
        for size in sectorSizes {
            let table = try MBR.table(of: disk, sectorSize: size, isKnown: isKnown)
            guard let table else { continue }
            for partition in table.partitions where isKnown(partition.window(of: disk)) {
                return table
            }
            first = first ?? table
        }
        return first
    }
}
