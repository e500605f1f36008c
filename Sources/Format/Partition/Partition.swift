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

    /// Bytes of the disk.
    public var range: Range<UInt64> { offset..<(offset &+ byteCount) }

    /// The type as it is stored: two hexadecimal digits, or a GUID.
    public var typeCode: String {
        switch kind {
        case .mbr(let type): hexDigits([type])
        case .gpt(let type): "\(type)"
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

    /// The MBR of a disk; nil where the first sector cannot be one. Of the sizes of sectors that
    /// would do, the first counts by which `isKnown` tells a partition's contents.
    public static func mbr(
        _ disk: any ByteSource, isKnown: (WindowSource) -> Bool
    ) throws(FormatError) -> PartitionTable? {
        var first: PartitionTable?
        for size in sectorSizes {
            guard let table = try MBR.table(of: disk, sectorSize: size) else { continue }
            for partition in table.partitions {
                let window = WindowSource(
                    disk, from: partition.offset, count: partition.byteCount)
                if isKnown(window) { return table }
            }
            first = first ?? table
        }
        return first
    }
}
