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
}

/// A disk: file systems in partitions, or one alone.
public struct Disk: Sendable {
    /// How what is found is read.
    public struct Options: Sendable {
        /// FAT's times and names.
        public var fat = FAT.Options()
        /// Image file systems.
        public var image = IFS.Image.Options()

        /// As each format has it.
        public init() {}
    }

    /// A file system, or bytes of which nobody knows what they are.
    public struct Part: Sendable {
        /// The partition that it is in; nil for what is alone.
        public let partition: Partition?
        /// What it is; nil for what nobody knows.
        public let kind: FileSystemKind?
        /// Its tree; nil where there is none.
        public let volume: (any Volume)?
        /// Why there is no tree of what it is.
        public let failure: FormatError?
        /// Its bytes.
        public let bytes: WindowSource
    }

    /// The table that names the partitions; nil for a file system alone.
    public let table: PartitionTable?
    /// What is there, in the order of the table.
    public let parts: [Part]

    /// How partitions are called.
    public enum Names: String, Sendable, CaseIterable {
        /// `p1-fat16`.
        case kind
        /// `p1`.
        case number
        /// By the name that the table or the file system has for it, else as `kind`.
        case label
    }

    /// The disk, or the file system alone, that begins with the first byte of `source`; nil where there
    /// is neither. An IFS alone is none: it can begin anywhere, and is searched for.
    ///
    /// The order of the tests matters: loader code and file systems can end in the signature of an MBR.
    public static func find(
        in source: any ByteSource, _ options: Options = Options()
    ) throws(FormatError) -> Disk? {
        if let table = try PartitionTable.gpt(source) {
            return try Disk(source, table, options)
        }
        let whole = WindowSource(source, from: 0, count: source.byteCount)
        if let kind = try FileSystemKind.found(in: whole) {
            return Disk(table: nil, parts: [try part(nil, kind, whole, options)])
        }
        let table = try PartitionTable.mbr(source) { window throws(FormatError) in
            try FileSystemKind.found(in: window) != nil
        }
        return try table.map { table throws(FormatError) in try Disk(source, table, options) }
    }

    private init(table: PartitionTable?, parts: [Part]) {
        self.table = table
        self.parts = parts
    }

    private init(
        _ source: any ByteSource, _ table: PartitionTable, _ options: Options
    ) throws(FormatError) {
        var parts: [Part] = []
        for partition in table.partitions {
            let bytes = WindowSource(source, from: partition.offset, count: partition.byteCount)
            let kind = try FileSystemKind.found(in: bytes)
            parts.append(try Self.part(partition, kind, bytes, options))
        }
        self.init(table: table, parts: parts)
    }

    /// Raw partitions of more bytes are not searched for an IFS.
    private static let mostSearched: UInt64 = 256 << 20

    private static func part(
        _ partition: Partition?, _ kind: FileSystemKind?, _ bytes: WindowSource,
        _ options: Options
    ) throws(FormatError) -> Part {
        var (kind, volume, failure) = (kind, (any Volume)?.none, FormatError?.none)
        do throws(FormatError) {
            switch kind {
            case .fat12, .fat16, .fat32: volume = try FAT.Volume(bytes, options.fat)
            case .qnx6: volume = try QNX6Volume(bytes)
            case .qnx4: volume = try QNX4Volume(bytes)
            case .ifs: break
            case nil where bytes.byteCount <= mostSearched:
                var scanner = IFS.Scanner(bytes, from: 0, options.image)
                if let image = try scanner.next() {
                    volume = try IFS.ImageVolume(image)
                    kind = .ifs
                }
            case nil: break
            }
        } catch {
            if case .io = error { throw error }
            failure = error
        }
        return Part(
            partition: partition, kind: kind, volume: volume, failure: failure, bytes: bytes)
    }
}

extension FileSystemKind {
    /// The file system that begins with the first byte; nil for none. Throws `io` alone.
    static func found(in bytes: WindowSource) throws(FormatError) -> FileSystemKind? {
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

extension Disk {
    /// The tree: that of a file system alone, or a directory of each partition, and a file of each that
    /// nobody knows.
    public func volume(_ names: Names = .kind) -> (any Volume)? {
        guard table != nil else { return parts.first?.volume }
        var taken: Set<[UInt8]> = []
        let entries = parts.map { part in
            var name = part.name(names)
            if !taken.insert(name).inserted {
                name = part.name(.kind)
                taken.insert(name)
            }
            return DiskVolume.Entry(
                name, part.volume.map { .volume($0) } ?? .raw(part.bytes))
        }
        return DiskVolume(entries)
    }
}

extension Disk.Part {
    /// What it is called.
    func name(_ names: Disk.Names) -> [UInt8] {
        let number = "p\(partition?.number ?? 1)"
        let ending = kind.map(\.word) ?? "unknown.img"
        let usual = Array("\(number)-\(volume == nil ? "unknown.img" : ending)".utf8)
        switch names {
        case .kind: return usual
        case .number: return volume == nil ? usual : Array(number.utf8)
        case .label:
            let label = partition?.name ?? []
            let isGood =
                !label.isEmpty && !label.contains(0) && !label.contains(UInt8(ascii: "/"))
                && label != [UInt8(ascii: ".")] && label != Array("..".utf8)
            return isGood && label.count <= 255 ? label : usual
        }
    }
}
