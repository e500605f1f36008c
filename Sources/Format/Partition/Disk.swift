/// A disk: file systems in partitions, or one alone.
public struct Disk: Sendable {
    /// How what is found is read.
    public struct Options: Sendable {
        /// FAT's times and names.
        public var fat = FAT.Options()
        /// Image file systems; what all of them keep together.
        public var image = IFS.Image.Options()
        /// Whether files that hold an image file system have a directory beside them with what is
        /// inside.
        public var isNested = false

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
        /// Why there is no tree of what it is, with places that count from the first byte of the file.
        public let failure: FormatError?
        /// That the file system goes on behind the end of its bytes, with places that count from the first
        /// byte of the file; what lies there cannot be read. Nil for a whole one.
        public let cutOff: FormatError?
        /// What the file system calls itself; empty for one that does not.
        public let label: [UInt8]
        /// Its bytes.
        public let bytes: WindowSource
    }

    /// The table that names the partitions; nil for a file system alone.
    public let table: PartitionTable?
    /// What is there, in the order of the table; of a file system alone, that.
    public let parts: [Part]

    /// The disk, or the file system alone, that begins with the first byte of `source`; nil where there
    /// is neither. An IFS alone is none: it can begin anywhere, and is searched for. What is wrong with
    /// a part is its `failure`. Throws `io` where the first bytes cannot be read, and `corrupt` for a
    /// GPT of which neither copy is whole.
    ///
    /// The order of the tests matters: loader code and file systems can end in the signature of an MBR.
    public static func find(
        in source: any ByteSource, _ options: Options = Options()
    ) throws(FormatError) -> Disk? {
        let found = try found(in: source, options)
        guard options.isNested, let found else { return found }
        return try found.nesting(in: source, options.image)
    }

    private static func found(
        in source: any ByteSource, _ options: Options
    ) throws(FormatError) -> Disk? {
        if let table = try PartitionTable.gpt(source) { return Disk(source, table, options) }
        let whole = WindowSource(source, from: 0, count: source.byteCount)
        if let kind = try FileSystemKind.found(in: whole) {
            var opener = DiskOpener([kind], source.byteCount, options)
            return Disk(table: nil, parts: [opener.part(nil, .success(kind), whole)])
        }
        var table = try PartitionTable.mbr(source) { window in
            // What cannot be read is not known; opening it tells why.
            ((try? FileSystemKind.found(in: window)) ?? nil) != nil
        }
        if table == nil { table = try PartitionTable.leftGPT(source) }
        return table.map { Disk(source, $0, options) }
    }

    init(table: PartitionTable?, parts: [Part]) {
        self.table = table
        self.parts = parts
    }

    private init(_ source: any ByteSource, _ table: PartitionTable, _ options: Options) {
        let found = table.partitions.map { partition in
            let bytes = partition.window(of: source)
            return (partition, bytes, DiskOpener.kind(in: bytes))
        }
        // What cannot be read is of no kind.
        var opener = DiskOpener(
            found.map { (try? $0.2.get()) ?? nil }, source.byteCount, options)
        parts = found.map { opener.part($0.0, $0.2, $0.1) }
        self.table = table
    }
}
